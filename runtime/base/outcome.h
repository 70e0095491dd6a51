/* outcome.h - what became of one record's write. Connectors say it, sync acts on it, the journal keeps it: the numbers never change. */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H
enum write_verb { WRITE_INSERT = 0, WRITE_UPDATE = 1 };
enum write_class {
    W_APPLIED   = 0,  /* id says which record */
    W_REJECTED  = 1,  /* the data is refused; nothing applied; only a change of data or mapping helps */
    W_RETRY     = 2,  /* not applied for a passing reason; again after not_before_ms */
    W_PARKED    = 3,  /* locked, in approval, in blueprint: again much later */
    W_AMBIGUOUS = 4,  /* applied or not: read back before anything else */
    W_DUP_OWN   = 5,  /* insert: our own key is there already, id says where: adopt */
    W_DUP_OTHER = 6,  /* another unique field hits record id: a person must decide */
    W_GONE      = 7,  /* update: no record of that id */
    W_CONFIG    = 8,  /* scope, permission, module, edition: the flow stops with a list */
    W_SPLIT     = 9   /* the whole request was refused (400, 413): nothing applied; send halves, one record alone is W_REJECTED */
};
const char *write_class_name(enum write_class c);      /* "APPLIED" */
#endif
