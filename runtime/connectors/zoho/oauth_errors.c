/* oauth_errors.c - the table of token refusals as functions, and the arithmetic of scopes. */
#include "connectors/zoho/oauth_errors.h"
#include "connectors/zoho/zoho.h"
#include <strings.h>

static const struct zoho_token_error errors[] = {
#define TOKEN_ERROR(name, advice) {#name, advice},
#include "connectors/zoho/oauth_errors.def"
#undef TOKEN_ERROR
};

const struct zoho_token_error *zoho__token_error(struct str error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (str_is(error, errors[i].name)) return &errors[i];
    return NULL;
}

static bool holds(struct str s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.n; i++)
        if (strncasecmp(s.p + i, word, n) == 0) return true;
    return false;
}

bool zoho__token_throttled(struct str error, struct str description)
{
    return str_ieq(str_trim(error), STR("Access Denied")) || holds(description, "too many requests") || holds(error, "too many requests");
}

/* "A.b.ALL" covers "A.b.READ" and "A.b.c.READ"; case does not matter. */
static bool covers(struct str have, struct str need)
{
    if (str_ieq(have, need)) return true;
    if (have.n < 5 || strncasecmp(have.p + have.n - 4, ".ALL", 4) != 0) return false;
    size_t stem = have.n - 3;
    return need.n > stem && strncasecmp(have.p, need.p, stem) == 0;
}

static struct str next_word(struct str *s)
{
    while (s->n && (s->p[0] == ' ' || s->p[0] == ',')) s->p++, s->n--;
    size_t n = 0;
    while (n < s->n && s->p[n] != ' ' && s->p[n] != ',') n++;
    struct str w = {s->p, n};
    s->p += n;
    s->n -= n;
    return w;
}

struct str zoho__missing_scopes(struct str have, struct str need, struct arena *a)
{
    struct buf out = {0};
    for (struct str w = next_word(&need); w.n; w = next_word(&need)) {
        struct str rest = have;
        bool found = false;
        for (struct str h = next_word(&rest); h.n && !found; h = next_word(&rest)) found = covers(h, w);
        if (found) continue;
        if (out.n) buf_byte(&out, ' ');
        buf_str(&out, w);
    }
    struct str s = {arena_copy(a, out.n ? out.p : "", out.n), out.n};
    buf_free(&out);
    return s;
}
