/* image_spelling.c - would the writer have spelled an image as it stands? Asked while it is read (image_load.c): the pools hold strings and types in the
 * order of their first use, each once, none unused. Everything else in the format leaves a writer no choice. */
#include "code/image_private.h"

/* The next of its pool, or one that was used before. */
static void use(struct spelling *s, uint32_t *used, uint32_t i)
{
    *used += i == *used;
    s->other |= i >= *used;
}

void image__use_string(struct spelling *s, uint32_t i) { use(s, &s->strings_used, i); }

/* The first use of a type is the first use of its strings, in front of it those of its columns. */
void image__use_type(struct spelling *s, uint32_t i)
{
    if (i < s->types_used) return;
    struct reader r = reader_of(s->spelled[i]);
    const struct type *t = &s->types[i];
    read_bytes(&r, 2);
    if (t->base == T_TEXT) read_bytes(&r, 8);
    if (t->base == T_LIST) read_bytes(&r, 4);
    uint32_t n = t->base == T_BOOL ? 2 : t->base == T_TEXT || t->base == T_LIST ? read_u16(&r) : 0;
    for (; n > 0 && !r.bad; n--) {
        image__use_string(s, read_u32(&r));
        if (t->base != T_LIST) continue;
        uint32_t of = read_u32(&r);
        if (s->types[of].base == T_LIST) s->other = true;               /* the verifier refuses it */
        else image__use_type(s, of);
        read_u8(&r);
    }
    use(s, &s->types_used, i);
}

bool image__is_canonical(const struct spelling *s)
{
    return !s->other && s->strings_used == s->nstrings && s->types_used == s->ntypes && image__distinct(s->strings, s->nstrings) &&
           image__distinct(s->spelled, s->ntypes);
}
