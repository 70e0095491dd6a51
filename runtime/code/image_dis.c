/* image_dis.c - a compiled spec as people read it: `mlc dis`, golden tests, and the first look at an image that was refused.
 * The operand columns follow opcode.def, so a new instruction prints without a line here. */
#include "code/image_types.h"
#include "value/json.h"

static void put_list(struct buf *out, const struct image *im, uint16_t l)
{
    for (size_t i = 0; i < args_count(im, l); i++) buf_printf(out, "%sr%u", i ? ", " : "(", (unsigned)args_regs(im, l)[i]);
    buf_byte(out, ')');
}

static void put_link_site(struct buf *out, const struct image *im, const struct image_link *k)
{
    if (k->kind == LINK_REF) {
        buf_puts(out, "ref ");
        buf_str(out, im->flows[k->flow].name);
        return;
    }
    buf_printf(out, "find %.*s.%.*s.%.*s", (int)k->target.n, k->target.p, (int)k->module.n, k->module.p, (int)k->field.n, k->field.p);
    for (size_t i = 0; i < k->nmore; i++) buf_printf(out, ",%.*s", (int)k->more[i].n, k->more[i].p);
}

static void put_operand(struct buf *out, const struct image *im, const struct image_flow *f, char kind, uint16_t x)
{
    if (kind == '-') return;
    buf_byte(out, ' ');
    switch (kind) {
    case 'r':
    case 'w': buf_printf(out, "r%u", (unsigned)x); return;
    case 'k': value_json(out, &im->consts[x]); return;
    case 'c': buf_str(out, f->columns[x].name); return;
    case 't': buf_printf(out, "table%u", (unsigned)x); return;
    case 'f': buf_str(out, f->fields[x].name); return;
    case 'm': json_put_string(out, im->messages[x]); return;
    case 'n': put_link_site(out, im, &f->links[x]); return;
    case 'j': buf_printf(out, "->%u", (unsigned)x); return;
    case 'b': buf_puts(out, builtin_info(x).name); return;
    case 'e': buf_printf(out, "list%u", (unsigned)x); return;
    case 'l': put_list(out, im, x); return;
    default:  buf_printf(out, "%u", (unsigned)x); return;
    }
}

static void put_program(struct buf *out, const struct image *im, const struct image_flow *f, const char *name, const struct image_program *p)
{
    if (p->ninstr == 0) return;
    buf_printf(out, "  %s: %zu instructions, cost %u, scratch %u bytes\n", name, p->ninstr, p->cost, p->scratch_bytes);
    for (size_t i = 0; i < p->ninstr; i++) {
        struct instr in = instr_at(p, i);
        const char *kinds = opcodes[in.op].operands;
        buf_printf(out, "    %4zu  %-8s", i, opcodes[in.op].name);
        put_operand(out, im, f, kinds[0], in.a);
        put_operand(out, im, f, kinds[1], in.b);
        put_operand(out, im, f, kinds[2], in.c);
        buf_byte(out, '\n');
    }
}

static void put_typed(struct buf *out, const char *indent, struct str name, const struct type *t)
{
    buf_printf(out, "%s%.*s: ", indent, (int)name.n, name.p);
    type_print(out, t);
}

static void put_event(struct buf *out, const struct image_flow *f, const char *name, const struct image_event *e)
{
    if (!e->present) return;
    buf_printf(out, "  %s\n", name);
    for (size_t i = 0; i < e->n; i++) {
        buf_printf(out, "    %.*s = ", (int)f->fields[e->fields[i]].name.n, f->fields[e->fields[i]].name.p);
        value_json(out, &e->values[i]);
        buf_byte(out, '\n');
    }
}

static void put_fields(struct buf *out, const struct image_flow *f)
{
    static const char *const modes[] = {"", " once", " fill", " key", " event"};
    buf_printf(out, "  fields\n");
    for (size_t i = 0; i < f->nfields; i++) {
        const struct image_field *d = &f->fields[i];
        char hex[2 * 8 + 1];
        put_typed(out, "    ", d->name, &d->type);
        hash_hex(d->hash.b, 8, hex);
        buf_printf(out, "%s%s%s%s%s", modes[d->mode], d->unique ? " unique" : "", d->custom ? " custom" : "", d->on_insert ? "" : " not-on-insert",
                   d->on_update ? "" : " not-on-update");
        if (d->link_module.n) buf_printf(out, " link %.*s", (int)d->link_module.n, d->link_module.p);
        buf_printf(out, " hash %s", hex);
        for (size_t k = 0; k < d->nreads; k++)
            buf_printf(out, "%s%.*s", k ? ", " : " reads ", (int)f->columns[d->reads[k]].name.n, f->columns[d->reads[k]].name.p);
        buf_byte(out, '\n');
    }
}

static void put_flow_head(struct buf *out, const struct image_flow *f)
{
    buf_printf(out, "flow %.*s from %.*s.%.*s", (int)f->name.n, f->name.p, (int)f->source.n, f->source.p, (int)f->entity.n, f->entity.p);
    if (f->via.n) buf_printf(out, " via %.*s", (int)f->via.n, f->via.p);
    buf_printf(out, " to %.*s.%.*s\n", (int)f->target.n, f->target.p, (int)f->module.n, f->module.p);
    buf_printf(out, "  every %lld ms, reread %lld ms, fuse %u or %u.%02u %%%s%s%s%s%s\n", (long long)f->every_ms, (long long)f->reread_ms, f->fuse_count,
               f->fuse_percent / 100, f->fuse_percent % 100, f->guard ? ", guard" : "",
               f->trigger_workflow ? ", trigger workflow" : "", f->trigger_approval ? ", trigger approval" : "",
               f->trigger_blueprint ? ", trigger blueprint" : "", f->key_with_flow ? ", key with flow" : "");
    for (size_t i = 0; i < f->ncompanies; i++) buf_printf(out, "  company %.*s from %.*s\n", (int)f->companies[i].n, f->companies[i].p, (int)f->company_sources[i].n, f->company_sources[i].p);
    if (f->adopt) buf_printf(out, "  adopt by %.*s\n", (int)f->adopt_field.n, f->adopt_field.p);
    if (f->moved_from.n) buf_printf(out, "  moved from %.*s\n", (int)f->moved_from.n, f->moved_from.p);
}

static void put_registers(struct buf *out, const struct image_flow *f)
{
    buf_printf(out, "  registers\n");
    for (size_t i = 0; i < f->nregisters; i++) {
        buf_printf(out, "    r%zu: ", i);
        type_print(out, f->registers[i]);
        buf_byte(out, '\n');
    }
}

static void put_lines(struct buf *out, const struct image *im, const struct image_flow *f, size_t i)
{
    const struct image_lines *l = &f->lines[i];
    buf_printf(out, "list%zu: at most %u lines of %.*s\n", i, (unsigned)l->max_lines, (int)f->columns[l->column].name.n, f->columns[l->column].name.p);
    put_fields(out, l->body);
    put_registers(out, l->body);
    put_program(out, im, l->body, "when", &l->body->when);
    put_program(out, im, l->body, "map", &l->body->map);
    put_program(out, im, l->body, "key", &l->body->key_program);
    buf_printf(out, "end of list%zu\n", i);
}

static void put_flow(struct buf *out, const struct image *im, const struct image_flow *f)
{
    put_flow_head(out, f);
    if (f->into) buf_printf(out, "  into %.*s\n", (int)im->flows[f->into - 1].name.n, im->flows[f->into - 1].name.p);
    buf_printf(out, "  columns\n");
    for (size_t i = 0; i < f->ncolumns; i++) {
        put_typed(out, "    ", f->columns[i].name, &f->columns[i].type);
        buf_printf(out, "%s%s\n", f->columns[i].key ? " key" : "", f->columns[i].udf ? " udf" : "");
    }
    put_fields(out, f);
    put_event(out, f, "on leave", &f->on_leave);
    put_event(out, f, "on delete", &f->on_delete);
    for (size_t i = 0; i < f->nlines; i++) put_lines(out, im, f, i);
    put_registers(out, f);
    put_program(out, im, f, "when", &f->when);
    put_program(out, im, f, "map", &f->map);
    put_program(out, im, f, "adopt", &f->adopt_program);
    put_program(out, im, f, "key", &f->key_program);
    put_program(out, im, f, "into", &f->into_program);
}

static void put_endpoint(struct buf *out, const char *what, const struct image_endpoint *e)
{
    static const char *const kinds[] = {"", "", "", "env ", "secret ", "file "};
    static const char *const units[] = {"", "", " ms", "", "", ""};
    buf_printf(out, "%s %.*s: %.*s\n", what, (int)e->name.n, e->name.p, (int)e->kind.n, e->kind.p);
    for (size_t i = 0; i < e->nsettings; i++) {
        const struct image_setting *s = &e->settings[i];
        buf_printf(out, "  %.*s = %s", (int)s->name.n, s->name.p, kinds[s->kind]);
        json_put_string(out, s->value);
        buf_printf(out, "%s\n", units[s->kind]);
    }
}

static void put_table(struct buf *out, size_t i, const struct image_table *t)
{
    buf_printf(out, "table%zu: %zu entries\n", i, t->n);
    for (size_t k = 0; k < t->n; k++) {
        buf_puts(out, "  ");
        value_json(out, &t->keys[k]);
        buf_puts(out, " => ");
        value_json(out, &t->values[k]);
        buf_byte(out, '\n');
    }
    if (!t->has_else) return;
    buf_puts(out, "  else => ");
    value_json(out, &t->else_value);
    buf_byte(out, '\n');
}

void image_dis(const struct image *im, struct buf *out)
{
    char hex[2 * HASH_BYTES + 1];
    hash_hex(im->content.b, HASH_BYTES, hex);
    buf_printf(out, "spec %.*s, mlc %.*s\ncontent %s\n", (int)im->spec.n, im->spec.p, (int)im->edition.n, im->edition.p, hex);
    for (size_t i = 0; i < im->nsources; i++) put_endpoint(out, "source", &im->sources[i]);
    for (size_t i = 0; i < im->ntargets; i++) put_endpoint(out, "target", &im->targets[i]);
    for (size_t i = 0; i < im->ntables; i++) put_table(out, i, &im->tables[i]);
    buf_puts(out, "order");
    for (size_t i = 0; i < im->nflows; i++) buf_printf(out, "%s %.*s", i ? "," : "", (int)im->flows[im->order[i]].name.n, im->flows[im->order[i]].name.p);
    buf_byte(out, '\n');
    for (size_t i = 0; i < im->nflows; i++) put_flow(out, im, &im->flows[i]);
}
