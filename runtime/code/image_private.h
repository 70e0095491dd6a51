/* image_private.h - what the files of this room share: the sections of the byte format, and how a fault is filled. */
#ifndef CODE_IMAGE_PRIVATE_H
#define CODE_IMAGE_PRIVATE_H
#include "code/opcode.h"

enum section {
#define SECTION(name, number, content) SECTION_##name = number,
#include "code/section.def"
#undef SECTION
};
enum { HEADER_BYTES = 48, SECTION_HEAD_BYTES = 8, CHECKSUM_BYTES = HASH_BYTES };
enum { NSECTIONS = 0
#define SECTION(name, number, content) + 1
#include "code/section.def"
#undef SECTION
};
enum { FLOW_KEY_WITH_FLOW = 1, FLOW_ADOPT = 2, FLOW_TRIGGER = 4, FLOW_GUARD = 8, FLOW_ON_LEAVE = 16, FLOW_ON_DELETE = 32,
       FLOW_TRIGGER_APPROVAL = 64, FLOW_TRIGGER_BLUEPRINT = 128, FLOW_FLAGS_END = 256 };
enum { COLUMN_KEY = 1, COLUMN_UDF = 2, COLUMN_FLAGS_END = 4 };
enum { FIELD_UNIQUE = 1, FIELD_ON_INSERT = 2, FIELD_ON_UPDATE = 4, FIELD_CUSTOM = 8, FIELD_FLAGS_END = 16 };

/* Types that were seen already: the registers of a flow have few different ones. A slot is hit when used and equal, else it is the caller's to fill. */
struct type_seen { struct type t; uint32_t value; bool used; };
enum { TYPES_SEEN = 512 };
struct type_seen *image__type_seen(struct type_seen *list, const struct type *t, bool *hit);
/* No two are equal. */
bool image__distinct(struct str *items, uint32_t n);

/* The pools of an image that is being read, and how far they were used so far. */
struct spelling {
    struct str *strings; uint32_t nstrings;
    struct type *types; uint32_t ntypes;
    struct str *spelled;                   /* the bytes of each type */
    uint32_t strings_used, types_used;     /* the first so many of each pool */
    bool other;                            /* the writer would have chosen another order */
};
void image__use_string(struct spelling *s, uint32_t i);
void image__use_type(struct spelling *s, uint32_t i);
/* At the end. */
bool image__is_canonical(const struct spelling *s);

/* Where the verifier is, for its faults. */
struct verifier {
    const struct image *im;
    struct arena *scratch;
    struct type_seen *seen;            /* types that are fine */
    struct image_fault *why;
    uint16_t flow;
    const struct image_flow *fl;       /* or the body of a list site */
    bool body;
};
/* Notes the broken rule unless one is noted already. */
void image__fault(struct verifier *v, uint32_t instr, const char *rule, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The programs of one flow against its registers. */
bool image__verify_program(struct verifier *v, const struct image_program *p, int which);
enum { PROGRAM_WHEN, PROGRAM_MAP, PROGRAM_ADOPT, PROGRAM_KEY, PROGRAM_INTO };
#endif
