/* limits.h - every limit of the product, in one place. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H
#define LIMIT_SOURCE_BYTES      (4u << 20)     /* an .mlc file */
#define LIMIT_IMAGE_BYTES       (64u << 20)    /* an .mlcb file */
#define LIMIT_KEY_BYTES         480            /* a record key as stored: LMDB keys end at 511 */
#define LIMIT_CURSOR_BYTES      512            /* facts/sage-100.md 9.4 rule 4 */
#define LIMIT_KEY_PARTS         8
#define LIMIT_PAGE_ROWS         1000           /* facts/sage-100.md 9.3 */
#define LIMIT_PAGE_KEYS         10000
#define LIMIT_BATCH_GET         250
#define LIMIT_WRITE_BATCH       100            /* facts/zoho-crm.md 4.1 */
#define LIMIT_COQL_IN           100            /* facts/zoho-crm.md 4.5 */
#define LIMIT_FRAME_BYTES       (16u << 20)
#define LIMIT_SEGMENT_BYTES     (64u << 20)
#define LIMIT_ANSWER_BYTES      (64u << 20)
#define LIMIT_FIELDS            500            /* target fields of a flow */
#define LIMIT_COLUMNS           500
#define LIMIT_REGISTERS         4096
#define LIMIT_CODE_WORDS        65535
#define LIMIT_TEXT_CHARS        65535          /* code points of one text in a mapping */
#define LIMIT_SCRATCH_BYTES     (16u << 20)    /* new text that one program may make of one row */
#define LIMIT_PROGRAM_COST      1000000        /* units of docs/image-format.md, "Cost" */
#define LIMIT_LINES             1000           /* lines of a list inside a record */
#define LIMIT_FLOWS             256
#define LIMIT_DECIMAL_DIGITS    38
#define LIMIT_DECIMAL_SCALE     12
#endif
