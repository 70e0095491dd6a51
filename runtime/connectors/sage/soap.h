/* soap.h - what the SOAP files of this room share: the contract (names and order, from the WSDL where it can be had) and one call. */
#ifndef SAGE_SOAP_H
#define SAGE_SOAP_H
#include "connectors/sage/sage.h"
#include "connectors/sage/xml.h"

enum soap_id {
#define SOAP_OPERATION(name, id, ...) SOAP_##id,
#include "connectors/sage/soap_operation.def"
#undef SOAP_OPERATION
    SOAP_OPERATIONS,
    SOAP_SLOTS = SOAP_OPERATIONS + SOAP_OPERATIONS - SOAP_CUSTOMER     /* behind each operation that reads by key: the one that lists its keys, if the site has one */
};

enum soap_role { SOAP_LOGON, SOAP_COMPANY, SOAP_KEY };
struct soap_param { struct str name, ns; enum soap_role role; unsigned key_part; };      /* ns empty: unqualified */
struct soap_operation {
    const char *name;
    bool offered;
    struct str ns, action;                           /* of the wrapper element; SOAPAction without quotes */
    struct soap_param params[LIMIT_KEY_PARTS]; size_t nparams;
    const struct str *members; size_t nmembers;      /* of the reply type; "X*" = names that start with X */
};
struct sage_soap_contract {
    bool from_wsdl;
    const char *origin;                              /* for people: where the names come from */
    struct soap_operation op[SOAP_SLOTS];            /* name NULL: no such slot is used */
    struct str logon_ns[2], logon_name[2];           /* in order of sending */
    bool logon_password[2];
    struct str null_date;                            /* empty until GetContractInformation was asked */
    bool null_date_asked;
};
/* The contract of the service: read from the WSDL at the first call, then kept. ERR_UNREACHABLE, ERR_BUSY, ERR_PROTOCOL (a WSDL that cannot be
 * believed: not XML, a document type declaration, without our operations). A service that publishes none gets the known defaults. */
enum err sage100__soap_contract(struct source *s, const struct sage_soap_contract **out, struct fault *f);
/* Asks GetContractInformation once for NullDateTime; a fault leaves the known null dates. ERR_UNREACHABLE, ERR_BUSY, ERR_STOPPED. */
enum err sage100__soap_null_date(struct source *s, struct str company, struct fault *f);
/* Forgets it: the next call reads it again. */
void sage100__soap_contract_drop(struct source *s);
/* The operation that reads an entity by key; SOAP_OPERATIONS when there is none. */
enum soap_id sage100__soap_operation(const struct sage_entity *e);
/* The operation that lists an entity's keys, as `keys TABLE { operation = "..." }` names it; sage100__list_operation(s, e) is not NULL. */
enum soap_id sage100__soap_list_operation(const struct sage_entity *e);
bool sage100__soap_has_member(const struct soap_operation *op, struct str name);

enum soap_verdict { SOAP_OK, SOAP_MISSING, SOAP_IS_LOCKED, SOAP_INVALID, SOAP_AUTH, SOAP_PERMISSION, SOAP_CONFIG, SOAP_BUSY, SOAP_CONTRACT_WRONG, SOAP_PROTOCOL };
struct soap_reply {
    enum soap_verdict verdict;
    const struct xml_node *result;                   /* SOAP_OK: the OpResult element; in the scratch arena */
    char code[64], message[200];                     /* of a fault */
    const char *advice;
    struct http_res res;                             /* status as net saw it; connect_ms, tls_ms, elapsed_ms */
};
/* One call. OK with verdict OK, MISSING, LOCKED or INVALID; else the error and a sentence in f. Everything lives in s->scratch: take what you need,
 * then release. key NULL for operations without one. */
enum err sage100__soap_call(struct source *s, enum soap_id op, struct str company, const struct source_key *key,
                         struct soap_reply *out, struct fault *f);
/* A GET of a description; the tree goes to a. *status gets the HTTP status; root NULL when it is not 200 (a page of HTML
 * counts as 204). */
enum err sage100__soap_document(struct source *s, const char *url, struct arena *a, const struct xml_node **root, int *status, struct fault *f);

/* A reader of the replies of one operation; what it is given stays as long as it does. */
struct soap_reader;
struct soap_reader *sage100__soap_reader(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct soap_operation *op);
void sage100__soap_reader_free(struct soap_reader *r);
/* Reply -> row in a; the texts are copied. ERR_PROTOCOL when it is another record than asked for. */
enum err sage100__soap_row(struct soap_reader *r, const struct source_key *key, const struct xml_node *result, struct arena *a, struct source_row *out, struct fault *f);
#endif
