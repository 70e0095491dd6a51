/* auth.h - the first sign-in, for `mlcd auth`: turns what the Zoho API console hands out into sealed credentials.
 *
 * Either a grant code of a self client (lives minutes, works once) or a refresh token that exists already. Nothing is saved unless Zoho
 * accepted it. What is saved, through env->save:
 *     zoho.credentials   {"client_id","client_secret","refresh_token"}
 *     zoho.token         access token, expiry, api_domain, scopes, times of the last renewals (oauth.h) */
#ifndef CONNECTORS_ZOHO_AUTH_H
#define CONNECTORS_ZOHO_AUTH_H
#include "connectors/connector.h"

struct zoho_grant {
    struct str client_id, client_secret;
    struct str code;               /* the grant code, or empty */
    struct str refresh_token;      /* or this; exactly one of the two */
};
struct zoho_granted { struct str api_domain, scopes, missing_scopes; };   /* in the caller's arena; scopes separated by blanks */

/* env needs the target's settings (region or accounts_url), load, save and note. ERR_AUTH with what Zoho said and the way out; ERR_CONFIG when
 * the grant or the settings are incomplete, or when the answer names an API host that is not Zoho's. facts/zoho-crm.md 3.1, 3.2, 3.4. */
enum err zoho_auth_exchange(const struct conn_env *env, const struct zoho_grant *grant, struct arena *a, struct zoho_granted *out, struct fault *f);
#endif
