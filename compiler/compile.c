/* compile.c - see compile.h. */
#include "compiler/compile.h"
#include "compiler/emit.h"
#include "base/check.h"
#include "dsl/parse.h"
#include <stdio.h>

enum err compile_parse(struct compile *c, const struct world *w, const char *path, struct fault *f)
{
    memset(c, 0, sizeof *c);
    arena_init(&c->arena, 0);
    sources_init(&c->sources, &c->arena);
    diags_init(&c->diags, &c->arena, &c->sources);
    enum err err = sources_load(&c->sources, w, path, &c->source, f);
    if (err == ERR_OK) c->ast = parse_file(c->source, &c->arena, &c->diags);
    return err;
}

enum err compile_open_as(struct compile *c, const struct world *w, const char *path, const char *as, struct fault *f)
{
    const char *slash = strrchr(as, '/');
    char dir[4096] = "";
    size_t n = slash ? (size_t)(slash - as) : 0;
    if (n >= sizeof dir) {
        memset(c, 0, sizeof *c);
        arena_init(&c->arena, 0);
        return fault_set(f, ERR_TOO_LARGE, "%.60s...: the path is too long", as);
    }
    if (slash && n == 0) memcpy(dir, "/.", 3);
    else memcpy(dir, as, n);
    enum err err = compile_parse(c, w, path, f);
    if (err != ERR_OK) return err;
    c->source->name = (struct str){arena_copy(&c->arena, as, strlen(as)), strlen(as)};      /* what stands in it is found beside that */
    struct spec_files files = {w, arena_copy(&c->arena, dir, strlen(dir))};
    c->spec = spec_check(c->ast, &c->sources, &files, &c->arena, &c->diags);
    return ERR_OK;
}

enum err compile_open(struct compile *c, const struct world *w, const char *path, struct fault *f)
{
    return compile_open_as(c, w, path, path, f);
}

struct image *compile_image(struct compile *c)
{
    struct image *im = NULL;
    const struct flow *culprit = NULL;
    char why[160] = "";
    ASSERT(c->diags.nerrors == 0);
    lower_spec(c->spec, &c->arena, &c->lowered);
    if (!emit_image(c->spec, &c->lowered, &c->arena, &im, &culprit, why, sizeof why)) {
        diag1(&c->diags, culprit->at, D_LIMIT, arena_copy(&c->arena, why, strlen(why)));
        return NULL;
    }
    struct image_fault fault;
    struct arena scratch;
    arena_init(&scratch, 0);
    enum err err = image_verify(im, &scratch, &fault);
    arena_free(&scratch);
    if (err == ERR_OK) return im;
    /* Limits of rows (cost, text) are the user's; any other rule that we break is our bug. */
    const struct flow *fl = c->spec->flows;
    for (uint16_t i = 0; fl && i < fault.flow; i++) fl = fl->next;
    if (strstr(fault.rule, "limit") && fl) {
        diag1(&c->diags, fl->at, D_LIMIT, arena_copy(&c->arena, fault.text, strlen(fault.text)));
        return NULL;
    }
    fprintf(stderr, "mlc: the verifier refuses what the compiler made: %s, flow %u, instruction %u: %s\n", fault.rule, (unsigned)fault.flow,
            (unsigned)fault.instr, fault.text);
    struct buf dis = {0};
    image_dis(im, &dis);
    fwrite(dis.p, 1, dis.n, stderr);
    buf_free(&dis);
    check_failed("image_verify accepts what the compiler made", __FILE__, __LINE__);
}

void compile_close(struct compile *c)
{
    arena_free(&c->arena);
}
