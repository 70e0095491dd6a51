/*
 * text.c: memory that never fails quietly, growing text, escaping for the two doors, and the hash that everything
 * generated comes from. A test program that is out of memory has nothing sensible left to do: it ends.
 */
#include "private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void sage__broken(const char *what)
{
    fprintf(stderr, "sim/sage: broken: %s\n", what);
    abort();
}

void *sage__alloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        sage__broken("out of memory");
    return p;
}

void *sage__grow(void *p, size_t bytes)
{
    void *q = realloc(p, bytes ? bytes : 1);
    if (!q)
        sage__broken("out of memory");
    return q;
}

char *sage__copy_len(const char *text, size_t len)
{
    char *p = sage__alloc(len + 1);
    if (len)
        memcpy(p, text, len);
    return p;
}

char *sage__copy(const char *text)
{
    return text ? sage__copy_len(text, strlen(text)) : NULL;
}

void sage__room(struct sage_buf *b, size_t more)
{
    if (b->len + more + 1 <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 1024;
    while (cap < b->len + more + 1)
        cap *= 2;
    b->p = sage__grow(b->p, cap);
    b->cap = cap;
}

void sage__put(struct sage_buf *b, const char *bytes, size_t len)
{
    sage__room(b, len);
    if (len)
        memcpy(b->p + b->len, bytes, len);
    b->len += len;
    b->p[b->len] = 0;
}

void sage__puts(struct sage_buf *b, const char *text)
{
    sage__put(b, text, strlen(text));
}

void sage__putf(struct sage_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        sage__broken("format");
    sage__room(b, (size_t)n);
    va_start(args, format);
    vsnprintf(b->p + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

void sage__put_json(struct sage_buf *b, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    sage__room(b, len * 6 + 2);
    char *o = b->p + b->len;
    *o++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\') {
            *o++ = '\\';
            *o++ = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            memcpy(o, "\\u00", 4);
            o[4] = hex[c >> 4];
            o[5] = hex[c & 15];
            o += 6;
        } else {
            *o++ = (char)c;
        }
    }
    *o++ = '"';
    *o = 0;
    b->len = (size_t)(o - b->p);
}

void sage__put_xml(struct sage_buf *b, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        switch (c) {
        case '&': sage__puts(b, "&amp;"); break;
        case '<': sage__puts(b, "&lt;"); break;
        case '>': sage__puts(b, "&gt;"); break;
        case '"': sage__puts(b, "&quot;"); break;
        default:
            if (c < 0x20)
                sage__putf(b, "&#x%X;", c); // as WCF does, although XML 1.0 has no such character
            else
                sage__put(b, bytes + i, 1);
        }
    }
}

size_t sage__characters(const char *utf8, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)utf8[i] & 0xc0) != 0x80;
    return n;
}

uint64_t sage__mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t sage__hash(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t h = seed ^ 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return sage__mix(h ^ (uint64_t)len << 56);
}
