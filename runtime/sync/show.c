/* show.c - entries of the log as JSON, one object each; the tables event.def and frame.def say how. */
#include "sync/view_private.h"
#include "value/json.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static void put_lower(struct buf *b, const char *name)
{
    buf_byte(b, '"');
    for (; *name; name++) buf_byte(b, (unsigned char)tolower((unsigned char)*name));
    buf_puts(b, "\":");
}

static void put_hex(struct buf *b, struct str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) buf_printf(b, "%02x", (unsigned char)s.p[i]);
    buf_byte(b, '"');
}

static void put_span(struct buf *b, unsigned tag, struct str s, struct arena *a)
{
    struct record r;
    struct event_tags one = {0};
    switch (event_tag_form(tag)) {
    case EVENT_TEXT:   json_put_string(b, s); break;
    case EVENT_INT:
        one.v[tag] = s;
        buf_printf(b, "%lld", (long long)event_int(&one, (enum event_tag)tag, 0));
        break;
    case EVENT_RECORD:
        if (s.n && record_decode(s, a, &r) == ERR_OK) record_json(b, &r);
        else buf_puts(b, "null");
        break;
    case EVENT_KEY:    json_put_string(b, view_key_text(s, a)); break;
    case EVENT_BYTES:  put_hex(b, s); break;
    }
}

/* Numbers that stand for words. */
static void put_word(struct buf *b, unsigned tag, const struct event_tags *ev)
{
    int64_t n = event_int(ev, (enum event_tag)tag, 0);
    if (tag == EV_STATE) buf_printf(b, "\"%s\"", row_state_name((unsigned)n));
    else if (tag == EV_CLASS) buf_printf(b, "\"%s\"", n >= 0 && n <= W_SPLIT ? write_class_name((enum write_class)n) : "?");
    else buf_printf(b, "\"%s\"", n == WRITE_INSERT ? "insert" : "update");
}

static void put_frame(struct buf *b, const struct frame *fr, struct arena *a)
{
    char time[25];
    world_format_ms(fr->time_ms, time);
    const char *kind = frame_kind_name(fr->kind);
    buf_printf(b, "{\"seq\":%llu,\"time\":\"%s\",\"epoch\":%u,\"kind\":\"%s\"", (unsigned long long)fr->seq, time, fr->epoch, kind ? kind : "?");
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub) || !event_read(&ev, fr->priv)) buf_puts(b, ",\"damaged\":true");
    if (fr->priv_erased) buf_puts(b, ",\"erased\":true");
    for (unsigned tag = 1; tag < EV_TAG_LIMIT; tag++) {
        if (!event_tag_name(tag) || !event_has(&ev, (enum event_tag)tag)) continue;
        buf_byte(b, ',');
        put_lower(b, event_tag_name(tag));
        if (tag == EV_STATE || tag == EV_CLASS || tag == EV_VERB) put_word(b, tag, &ev);
        else put_span(b, tag, ev.v[tag], a);
    }
    buf_byte(b, '}');
}

struct showing { const struct view_filter *flt; void (*each)(void *ctx, struct str json); void *ctx; struct buf line; };

static enum err show_frame(void *arg, const struct frame *fr, struct fault *f)
{
    struct showing *s = arg;
    (void)f;
    struct event_tags ev = {0};
    const char *kind = frame_kind_name(fr->kind);
    if (s->flt->kind && (!kind || strcmp(kind, s->flt->kind) != 0)) return ERR_OK;
    if (s->flt->flow && (!event_read(&ev, fr->pub) || !str_is(ev.v[EV_FLOW], s->flt->flow))) return ERR_OK;
    struct arena a;
    arena_init(&a, 0);
    buf_clear(&s->line);
    put_frame(&s->line, fr, &a);
    s->each(s->ctx, buf_view(&s->line));
    arena_free(&a);
    return ERR_OK;
}

enum err view_log(struct view *v, const struct view_filter *flt, void (*each)(void *ctx, struct str json), void *ctx, struct fault *f)
{
    struct showing s = {flt, each, ctx, {0}};
    struct hash h;
    struct str key;
    struct journal_filter jf = {.from = flt->from ? flt->from : 1, .to = flt->to, .sealed = flt->sealed};
    if (flt->key_text.n) {
        if (!view__key(v, flt->flow, flt->key_text, &v->arena, &key))
            return fault_set(f, ERR_USAGE, "%.*s is no record key; keys look like ABC~01~ABF", (int)flt->key_text.n, flt->key_text.p);
        h = hash_keyed(v->key_hash_key, key);
        jf.key_hash = h.b;
    }
    enum err err = journal_scan(v->journal, &jf, show_frame, &s, f);
    buf_free(&s.line);
    return err;
}
