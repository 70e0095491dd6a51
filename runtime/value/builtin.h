/* builtin.h - the table of builtins for everybody who must agree on it: checker, proof, lowering, verifier, vm, docs.
 *
 * builtin.def holds the words; this gives them a number, parses their signatures, and has the one typing rule that the checker
 * applies to a spec and the verifier applies again to a compiled file. Names and order are part of the format of compiled files. */
#ifndef VALUE_BUILTIN_H
#define VALUE_BUILTIN_H
#include "value/type.h"

enum builtin {
#define BUILTIN(name, signature, rule, doc, example) BUILTIN_##name,
#include "value/builtin.def"
    BUILTIN_COUNT
};
enum builtin_rule {
#define BUILTIN_RULE(name, text) BUILTIN_RULE_##name,
#include "value/builtin.def"
    BUILTIN_RULES
};
enum { BUILTIN_PARAMS_MAX = 4, BUILTIN_ARGS_MAX = 64 };

/* kind: T text, D decimal, B bool, d date, l local, i instant, N whole number written out, C text written out. */
struct builtin_slot { char kind; bool optional; };
struct builtin_info {
    const char *name, *signature, *doc, *example;    /* example: "call => result" */
    enum builtin_rule rule;
    const char *rule_text;                           /* the rule in words */
    struct builtin_slot result, params[BUILTIN_PARAMS_MAX];
    unsigned nparams;                                /* slots in params */
    bool variadic;                                   /* the last slot may repeat, up to BUILTIN_ARGS_MAX arguments in all */
    bool cuts;                                       /* what it leaves out of its argument is lost: rounding, cutting */
};
/* b < BUILTIN_COUNT. */
struct builtin_info builtin_info(unsigned b);
/* The number of a builtin, or -1. */
int builtin_named(struct str name);
/* What argument i must be. */
struct builtin_slot builtin_param(const struct builtin_info *in, size_t i);
/* "N" and "C": the argument is a part of the program, not of the row. */
static inline bool builtin_slot_constant(struct builtin_slot s) { return s.kind == 'N' || s.kind == 'C'; }
/* The narrowest type of a null that stands as this argument. */
struct type builtin_null(struct builtin_slot s);
/* Which argument's presence makes an absent result "no answer": the first one, of a variadic one the first that repeats. */
size_t builtin_subject(unsigned b);
/* The builtin that `name(x).part` stands for, or -1. With part NULL: whether it has parts at all (its first one). */
int builtin_part(unsigned b, const struct str *part);

/* The narrowest type of the result for arguments of these types. An N argument is a decimal type of scale 0 with lo == hi, a C argument a text type
 * with one value. Narrower arguments never give a wider result. False with a clause in why (may be NULL) and the number of the argument
 * at fault in *bad (nargs: the count is wrong). */
bool builtin_type(unsigned b, const struct type *args, size_t nargs, struct type *out, size_t *bad, char *why, size_t why_len);
/* Bytes of new text that one call can make, for accepted argument types. */
uint64_t builtin_scratch(unsigned b, const struct type *args, size_t nargs);

/* builtin_type.c: the result by the rule, once count and kinds of the arguments fit. */
struct builtin_typing { const struct type *args; size_t nargs; struct type *out; size_t *bad; char *why; size_t why_len; };
bool builtin__result(enum builtin_rule rule, const struct builtin_typing *t);
#endif
