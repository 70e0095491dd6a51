/* agree.c - the product and the reference over one spec; see agree.h. */
#include "tests/reference/agree.h"
#include "base/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t agree_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- a world of two files ---- */

enum { FD_SPEC = 3, FD_CSV };

static int file_open(void *ctx, const char *path, int flags, int mode)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    (void)ctx;
    (void)flags;
    (void)mode;
    if (strcmp(name, "spec.mlc") == 0) return FD_SPEC;
    if (strcmp(name, "t.csv") == 0) return FD_CSV;
    errno = ENOENT;
    return -1;
}

static int file_close(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

static const struct buf *content(void *ctx, int fd)
{
    struct agree *a = ctx;
    return fd == FD_SPEC ? &a->spec : &a->csv;
}

static int64_t file_pread(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    const struct buf *b = content(ctx, fd);
    size_t at = (size_t)off < b->n ? (size_t)off : b->n, k = b->n - at < n ? b->n - at : n;
    if (k) memcpy(p, b->p + at, k);
    return (int64_t)k;
}

static int64_t file_size(void *ctx, int fd)
{
    return (int64_t)content(ctx, fd)->n;
}

void agree_world(struct world *w, struct agree *a)
{
    world_real(w);
    w->files.open = file_open;
    w->files.close = file_close;
    w->files.pread = file_pread;
    w->files.size = file_size;
    w->files.ctx = a;
}

/* ---- a program ---- */

static struct image *loaded(struct agree *a)
{
    struct image *im = compile_image(&a->c), *again = NULL;
    struct image_fault why;
    struct buf bytes = {0};
    if (im == NULL) return NULL;
    image_write(im, &bytes);
    enum err err = image_load((struct str){arena_copy(&a->arena, bytes.p, bytes.n), bytes.n}, &a->arena, &again, &why);
    buf_free(&bytes);
    ASSERT(err == ERR_OK);
    return again;
}

static bool own_csv(void *ctx, struct span at, struct str name, struct arena *mem, struct str *text)
{
    (void)at;
    (void)name;
    (void)mem;
    *text = buf_view(&((struct agree *)ctx)->csv);
    return true;
}

/* A file of the disk, beside the file that names it. */
static bool read_csv(void *ctx, struct span at, struct str name, struct arena *mem, struct str *text)
{
    struct agree *a = ctx;
    struct fault f = {0};
    struct str in = sources_get(&a->c.sources, at.file)->name;
    const char *slash = memrchr(in.p, '/', in.n);
    const char *path = arena_printf(mem, "%.*s%.*s", slash ? (int)(slash + 1 - in.p) : 0, in.p, (int)name.n, name.p);
    return world_read_file(&a->world, path, 1u << 24, mem, text, &f) == ERR_OK;
}

void agree_flow(struct agree *a, const struct flow *fl)
{
    const struct image_flow *f = a->f = image_flow_named(a->im, fl->name);
    a->flow = a->ref.flow = fl;
    a->columns = fl->entity->columns;
    a->ncolumns = fl->entity->ncolumns;
    a->column_of = ARENA_ARRAY(&a->arena, size_t, f->ncolumns + 1);
    for (size_t i = 0; i < f->ncolumns; i++)
        while (!str_eq(a->columns[a->column_of[i]].name, f->columns[i].name)) a->column_of[i]++;
    a->pool = (struct values){NULL, 0, 0};
    agree_constants(&a->pool, &a->arena, a->c.ast, fl->ast);
}

static bool opened(struct agree *a, const char *path, bool (*csv)(void *, struct span, struct str, struct arena *, struct str *), enum ref_plant plant)
{
    struct fault f = {0};
    arena_init(&a->arena, 0);
    arena_init(&a->row, 0);
    enum err err = compile_open(&a->c, &a->world, path, &f);
    ASSERT(err == ERR_OK);
    if (a->c.diags.nerrors || a->c.spec->flows == NULL || (a->im = loaded(a)) == NULL) return false;
    a->vm = vm_new(a->im);
    ref_open(&a->ref, a->c.ast, a->c.spec, &(const struct ref_files){csv, a}, &a->arena);
    a->ref.plant = plant;
    agree_flow(a, a->c.spec->flows);
    return true;
}

bool agree_open(struct agree *a, struct buf *spec, struct buf *csv, enum ref_plant plant)
{
    memset(a, 0, sizeof *a);
    a->spec = *spec;
    a->csv = *csv;
    *spec = *csv = (struct buf){0};
    agree_world(&a->world, a);
    return opened(a, "spec.mlc", own_csv, plant);
}

bool agree_open_file(struct agree *a, const char *path, enum ref_plant plant)
{
    memset(a, 0, sizeof *a);
    world_real(&a->world);
    return opened(a, path, read_csv, plant);
}

void agree_close(struct agree *a)
{
    vm_free(a->vm);
    compile_close(&a->c);
    arena_free(&a->arena);
    arena_free(&a->row);
    buf_free(&a->spec);
    buf_free(&a->csv);
}

/* ---- a row ---- */

static size_t field_index(const struct image_flow *f, struct str name)
{
    size_t i = 0;
    while (i < f->nfields && !str_eq(f->fields[i].name, name)) i++;
    ASSERT(i < f->nfields);
    return i;
}

static const char *differ(struct agree *a, const char *what, const struct ref_value *want, const struct ref_value *got)
{
    struct buf b = {0};
    buf_printf(&b, "%s: by the language ", what);
    ref_show(&b, want);
    buf_puts(&b, ", by the vm ");
    ref_show(&b, got);
    const char *s = arena_copy(&a->row, b.p, b.n);
    buf_free(&b);
    return s;
}

static const char *field_differs(struct agree *a, const struct image_flow *f, const struct ref_field *want, const struct vm_out *out)
{
    size_t i = field_index(f, want->name);
    const char *name = arena_copy(&a->row, want->name.p, want->name.n);
    char why[160];
    if ((out->ops[i] == VM_KEEP) != (want->outcome == REF_KEEP)) return arena_printf(&a->row, "%s: %s", name, out->ops[i] == VM_KEEP ? "kept by the vm only" : "not kept by the vm");
    if (out->ops[i] == VM_KEEP) {
        a->kept++;
        return NULL;
    }
    bool lines = out->values[i]->kind == V_LIST;
    struct ref_value got = lines ? ref_lines_from_vm(out->values[i], a->im, f->lines[f->fields[i].lines - 1].body, &a->row) : ref_from_vm(out->values[i], a->im, f, &a->row);
    if (!ref_equal(&want->value, &got)) return differ(a, name, &want->value, &got);
    a->lines += lines ? (unsigned)got.list->nlines : 0;
    if (got.kind == REF_NUMBER && out->values[i]->scale != f->fields[i].type.scale) return arena_printf(&a->row, "%s: not at the scale of its field", name);
    struct type t = f->fields[i].type;
    if (!type_admits(&t, out->values[i], why, sizeof why)) return arena_printf(&a->row, "%s: proven, but %s", name, why);
    return NULL;
}

static const char *map_differs(struct agree *a, const struct image_flow *f, const struct ref_result *want, const struct vm_out *out)
{
    if (want->reject != out->rejected)
        return arena_printf(&a->row, "%s (%.*s)", out->rejected ? "rejected by the vm only" : "not rejected by the vm",
                            (int)(out->rejected ? out->message.n : want->message.n), out->rejected ? out->message.p : want->message.p);
    if (out->rejected) {
        a->rejected++;
        if (str_eq(out->message, want->message)) return NULL;
        return arena_printf(&a->row, "rejected for \"%.*s\" instead of \"%.*s\"", (int)out->message.n, out->message.p, (int)want->message.n, want->message.p);
    }
    a->mapped++;
    for (size_t i = 0; i < want->nfields; i++) {
        const char *why = field_differs(a, f, &want->fields[i], out);
        if (why) return why;
    }
    for (size_t i = 0; i < f->nfields; i++)
        if (out->no_answer[i] && want->misses == 0) return "counted as without an answer, but everything had one";
    return NULL;
}

static const char *event_differs(struct agree *a, enum ast_event event, const struct image_event *got, const char *name)
{
    size_t n;
    struct ref_field *want = ref_event(&a->ref, event, &a->row, &n);
    if (got->n != n || got->present != (want != NULL)) return name;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < got->n && !str_eq(a->f->fields[got->fields[k]].name, want[i].name)) k++;
        struct ref_value v = k < got->n ? ref_from_vm(&got->values[k], a->im, a->f, &a->row) : (struct ref_value){.kind = REF_LIST};
        if (!ref_equal(&want[i].value, &v)) return name;
    }
    return NULL;
}

const char *agree_events(struct agree *a)
{
    const char *why = event_differs(a, EVENT_LEAVE, &a->f->on_leave, "on leave differs");
    a->events += a->f->on_leave.n + a->f->on_delete.n;
    return why ? why : event_differs(a, EVENT_DELETE, &a->f->on_delete, "on delete differs");
}

/* Key and `into`: which record it is. */
static const char *head_differs(struct agree *a, const struct image_flow *f, const struct value *cols, const struct ref_result *want)
{
    const struct str *why = NULL;
    struct value key = vm_key(a->vm, f, cols);
    struct ref_value got = ref_from_vm(&key, a->im, f, &a->row);
    if (!ref_equal(&want->key, &got)) return differ(a, "key", &want->key, &got);
    a->keys += want->key.kind == REF_TEXT;
    if (value_present(&key) && !type_admits(&f->fields[f->key_field].type, &key, NULL, 0)) return "key: longer or shorter than its field, which was proven";
    if (f->into == 0 || want->skip) return NULL;
    struct value into = vm_into(a->vm, f, cols, &why);
    if ((why != NULL) != want->into_rejects) return why ? "into: rejected by the vm only" : "into: not rejected by the vm";
    got = ref_from_vm(&into, a->im, f, &a->row);
    a->intos += got.kind == REF_LINK;
    return why || ref_equal(&want->into, &got) ? NULL : differ(a, "into", &want->into, &got);
}

const char *agree_row(struct agree *a, const struct value *values)
{
    const struct image_flow *f = a->f;
    struct ref_row row = {a->columns, a->ncolumns, NULL};
    struct ref_result want;
    struct vm_out out;
    char why[160];
    arena_reset(&a->row);
    struct ref_value *own = ARENA_ARRAY(&a->row, struct ref_value, a->ncolumns + 1);
    struct value *cols = ARENA_ARRAY(&a->row, struct value, f->ncolumns + 1);
    for (size_t i = 0; i < a->ncolumns; i++) own[i] = ref_from_vm(&values[i], a->im, f, &a->row);
    for (size_t i = 0; i < f->ncolumns; i++)
        if (!type_project(&f->columns[i].type, &values[a->column_of[i]], &a->row, &cols[i])) return "the row lacks a column of a line";
    row.values = own;
    if (!vm_row_fits(f, cols, why, sizeof why)) return arena_printf(&a->row, "the row is not well-typed: %s", why);
    ref_run(&a->ref, &a->row, &row, &want);
    struct value adopt = vm_adopt(a->vm, f, cols);
    struct ref_value got = ref_from_vm(&adopt, a->im, f, &a->row);
    if (!ref_equal(&want.adopt, &got)) return differ(a, "adopt", &want.adopt, &got);
    const char *head = head_differs(a, f, cols, &want);
    if (head) return head;
    if (vm_when(a->vm, f, cols) == want.skip) return want.skip ? "left out by the language, taken by the vm" : "left out by the vm only";
    if (want.skip) {
        a->skipped++;
        return NULL;
    }
    if (want.into_rejects || (f->into && want.into.kind == REF_ABSENT)) {
        a->rejected += want.into_rejects;
        a->skipped += !want.into_rejects;
        return NULL;
    }
    vm_map(a->vm, f, cols, &out);
    return map_differs(a, f, &want, &out);
}

void agree_show_row(struct agree *a, const struct value *values)
{
    struct buf b = {0};
    for (size_t i = 0; i < a->ncolumns; i++) {
        if (!value_present(&values[i])) continue;
        struct ref_value v = ref_from_vm(&values[i], NULL, NULL, &a->row);
        buf_printf(&b, "%s%.*s = ", b.n ? ", " : "", (int)a->columns[i].name.n, a->columns[i].name.p);
        ref_show(&b, &v);
    }
    printf("# %.*s\n", (int)b.n, b.p ? b.p : "");
    buf_free(&b);
}
