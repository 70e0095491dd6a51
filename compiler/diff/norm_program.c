/* norm_program.c - a program as bytes that name what it does and nothing of the image around it: constants, columns, tables by content. */
#include "compiler/diff/norm_private.h"

static void put_list(struct buf *b, const struct image *im, uint16_t list)
{
    size_t n = args_count(im, list);
    const uint16_t *regs = args_regs(im, list);
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++) buf_u16(b, regs[i]);
}

static void put_site(struct buf *b, const struct image *im, const struct image_link *l)
{
    buf_byte(b, (unsigned char)l->kind);
    buf_blob(b, l->target);
    buf_blob(b, l->module);
    buf_blob(b, l->field);
    for (size_t i = 0; i < l->nmore; i++) buf_blob(b, l->more[i]);
    if (l->kind == LINK_REF && l->flow < im->nflows) buf_blob(b, im->flows[l->flow].name);
}

/* A list site with all that makes a line. Columns of the line are told from those of the header, which may have the same name. */
static void put_lines(struct buf *b, const struct image *im, const struct image_flow *fl, const struct image_lines *l)
{
    buf_blob(b, fl->columns[l->column].name);
    buf_u32(b, l->max_lines);
    norm_program(im, l->body, &l->body->when, fl->ncolumns, b);
    norm_program(im, l->body, &l->body->map, fl->ncolumns, b);
    norm_program(im, l->body, &l->body->key_program, fl->ncolumns, b);
}

static void put_operand(struct buf *b, const struct image *im, const struct image_flow *fl, char kind, uint16_t w)
{
    switch (kind) {
    case 'k': value_encode(b, &im->consts[w]); break;
    case 'c': buf_blob(b, fl->columns[w].name); type_print(b, &fl->columns[w].type); break;
    case 't': norm_put_table(b, &im->tables[w]); break;
    case 'f': buf_blob(b, fl->fields[w].name); break;
    case 'm': buf_blob(b, im->messages[w]); break;
    case 'n': put_site(b, im, &fl->links[w]); break;
    case 'b': buf_puts(b, builtin_info(w).name); break;
    case 'l': put_list(b, im, w); break;
    case 'e': put_lines(b, im, fl, &fl->lines[w]); break;
    case '-': break;
    default: buf_u16(b, w); break;       /* registers, jumps, immediates */
    }
}

void norm_program(const struct image *im, const struct image_flow *fl, const struct image_program *p, size_t header, struct buf *out)
{
    buf_varint(out, p->ninstr);
    for (size_t i = 0; i < p->ninstr; i++) {
        struct instr in = instr_at(p, i);
        const uint16_t words[3] = {in.a, in.b, in.c};
        buf_u16(out, in.op);
        for (size_t k = 0; k < 3; k++) {
            char kind = opcodes[in.op].operands[k];
            if (kind == 'c' && words[k] >= header) buf_byte(out, '.');
            put_operand(out, im, fl, kind, words[k]);
            if ((kind == 'r' || kind == 'w') && in.op == OP_TEXT) buf_byte(out, fl->registers[words[k]]->scale);
        }
    }
}
