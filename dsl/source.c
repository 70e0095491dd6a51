/* source.c - keeps the texts of a compilation and finds line and column of a byte. See source.h. */
#include "dsl/source.h"
#include "base/check.h"
#include "base/limits.h"

void sources_init(struct sources *s, struct arena *a)
{
    *s = (struct sources){.arena = a};
}

static void index_lines(struct source *src, struct arena *a)
{
    uint32_t n = 1;
    for (size_t i = 0; i < src->text.n; i++)
        n += src->text.p[i] == '\n';
    src->line_at = ARENA_ARRAY(a, uint32_t, n);
    src->nlines = 1;
    for (size_t i = 0; i < src->text.n; i++)
        if (src->text.p[i] == '\n')
            src->line_at[src->nlines++] = (uint32_t)i + 1;
}

struct source *sources_add(struct sources *s, struct str name, struct str text, bool prelude)
{
    ASSERT(s->n < UINT16_MAX - 1 && text.n < UINT32_MAX);
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct source **list = ARENA_ARRAY(s->arena, struct source *, cap);
        for (size_t i = 0; i < s->n; i++)
            list[i] = s->list[i];
        s->list = list;
        s->cap = cap;
    }
    struct source *src = ARENA_NEW(s->arena, struct source);
    src->id = (uint16_t)(s->n + 1);
    src->name = (struct str){arena_copy(s->arena, name.p, name.n), name.n};
    src->text = (struct str){arena_copy(s->arena, text.p, text.n), text.n};
    src->prelude = prelude;
    index_lines(src, s->arena);
    s->list[s->n++] = src;
    return src;
}

enum err sources_load(struct sources *s, const struct world *w, const char *path, struct source **out, struct fault *f)
{
    struct str text;
    enum err e = world_read_file(w, path, LIMIT_SOURCE_BYTES, s->arena, &text, f);
    if (e == ERR_OK)
        *out = sources_add(s, str_of(path), text, false);
    return e;
}

const struct source *sources_get(const struct sources *s, uint16_t id)
{
    return id == 0 || id > s->n ? NULL : s->list[id - 1];
}

struct str span_text(const struct sources *s, struct span at)
{
    const struct source *src = sources_get(s, at.file);
    if (!src || at.end > src->text.n || at.at > at.end)
        return (struct str){"", 0};
    return (struct str){src->text.p + at.at, at.end - at.at};
}

/* Index of the line that holds a byte: the last line that begins at or before it. */
static uint32_t line_of(const struct source *src, uint32_t byte)
{
    uint32_t lo = 0, hi = src->nlines;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (src->line_at[mid] <= byte)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t column_of(const struct source *src, uint32_t line, uint32_t byte)
{
    struct str before = {src->text.p + src->line_at[line], byte - src->line_at[line]};
    return (uint32_t)str_codepoints(before) + 1;
}

struct place source_place(const struct sources *s, struct span at)
{
    const struct source *src = sources_get(s, at.file);
    if (!src)
        return (struct place){.source = NULL, .line_text = {"", 0}};
    uint32_t from = at.at <= src->text.n ? at.at : (uint32_t)src->text.n;
    uint32_t end = at.end <= src->text.n ? at.end : (uint32_t)src->text.n;
    uint32_t line = line_of(src, from), end_line = line_of(src, end);
    uint32_t start = src->line_at[line];
    uint32_t stop = line + 1 < src->nlines ? src->line_at[line + 1] - 1 : (uint32_t)src->text.n;
    if (stop > start && src->text.p[stop - 1] == '\r')
        stop--;
    return (struct place){.source = src, .line = line + 1, .column = column_of(src, line, from), .end_line = end_line + 1,
                          .end_column = column_of(src, end_line, end), .line_text = {src->text.p + start, stop - start}};
}
