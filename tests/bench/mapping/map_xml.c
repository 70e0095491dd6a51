/* map_xml.c - the mapping over XML by the product's own parts: `map_xml IMAGE FLOW`, a SOAP envelope a line on standard input. Each goes the way of an answer of
 * eBusiness Web Services: the guarded parser, the SOAP row reader with its content hash, filter and mapping, JSON. */
#include "code/image.h"
#include "compiler/rows.h"
#include "connectors/sage/soap.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 16 };
static const char result_name[] = "GetARCustomerResult";

static bool load(const char *path, struct arena *a, struct image **im)
{
    struct image_fault why;
    struct buf b = {0};
    FILE *f = fopen(path, "rb");
    size_t got;
    while (f && (got = fread(buf_reserve(&b, FLUSH_BYTES), 1, FLUSH_BYTES, f)) > 0) b.n += got;
    if (f) fclose(f);
    bool ok = b.n > 0 && image_load((struct str){arena_copy(a, b.p, b.n), b.n}, a, im, &why) == ERR_OK;
    buf_free(&b);
    return ok;
}

static void flush(struct buf *out)
{
    for (size_t at = 0; at < out->n;) {
        ssize_t n = write(STDOUT_FILENO, out->p + at, out->n - at);
        if (n <= 0) exit(1);
        at += (size_t)n;
    }
    buf_clear(out);
}

/* The key is that of the row: what was asked for and what came are one. */
static void map_line(struct source *s, struct soap_reader *reader, struct str line, struct arena *a, struct rows *rows, struct buf *out)
{
    const struct source_key key = {.n = 0};
    struct xml_node *root;
    struct source_row row;
    struct fault f;
    char why[200];
    arena_reset(a);
    arena_reset(&s->scratch);
    const struct xml_node *result = sage100__xml_read(s->xml, line, &s->scratch, &root, why, sizeof why) == ERR_OK ? sage100__xml_find(root, result_name) : NULL;
    if (result && sage100__soap_row(reader, &key, result, a, &row, &f) == ERR_OK) rows_values(rows, row.cols, row.violation, out);
    else buf_puts(out, "{\"error\":\"no answer\"}\n");
}

int main(int argc, char **argv)
{
    struct arena life, a;
    struct image *im;
    arena_init(&life, 0);
    arena_init(&a, 0);
    if (argc != 3 || !load(argv[1], &life, &im)) {
        fputs("usage: map_xml IMAGE FLOW <envelopes\n", stderr);
        return 2;
    }
    const struct image_flow *f = image_flow_named(im, str_of(argv[2]));
    if (!f) return 2;
    struct source_column *columns = ARENA_ARRAY(&life, struct source_column, f->ncolumns);
    for (size_t i = 0; i < f->ncolumns; i++) columns[i] = (struct source_column){f->columns[i].name, f->columns[i].type, f->columns[i].udf};
    const struct source_query q = {.entity = STR("AR_Customer"), .company = STR("ABC"), .columns = columns, .ncolumns = f->ncolumns};
    struct source *s = ARENA_NEW(&life, struct source);
    arena_init(&s->scratch, 0);
    s->xml = sage100__xml_open();
    static const struct sage_entity entity = {.table = "AR_Customer"};
    static const struct soap_operation op = {.name = "GetARCustomer"};
    struct soap_reader *reader = sage100__soap_reader(s, &entity, &q, &op);
    struct rows *rows = rows_open(im, f);
    struct buf out = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        map_line(s, reader, (struct str){line, (size_t)n}, &a, rows, &out);
        if (out.n >= FLUSH_BYTES) flush(&out);
    }
    flush(&out);
    free(line);
    buf_free(&out);
    rows_close(rows);
    sage100__soap_reader_free(reader);
    sage100__xml_close(s->xml);
    arena_free(&s->scratch);
    arena_free(&a);
    arena_free(&life);
    return 0;
}
