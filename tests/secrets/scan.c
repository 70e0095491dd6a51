/* scan.c - looks for secrets where none may stand: every file below some directories, against a list of canaries in every form that text takes on its way.
 *
 *   secret-scan CANARIES [--except NAME]... PATH...     lines "KIND VALUE"; prints "KIND as FORM: FILE at OFFSET"; exit 1 when something was found
 *   secret-scan --process PID CANARIES                  how often each secret stands in the writable memory of a process: "KIND N"
 *   secret-scan --plant CANARIES DIR                    the positive control: a file per canary and form, DIR/KIND.FORM.N
 *
 * Forms: as it is; base64 in both alphabets at each of the three alignments; hex in both cases; percent-encoded (what must be, and everything, both cases);
 * JSON (\u00xx for everything, and the short escapes); XML references; UTF-16 in both orders. A value is looked for from 6 bytes on.
 * One pass over each file, whatever the number of patterns: four bytes at each place are looked up in a table, and only where they begin a pattern is it
 * compared. Holes of sparse files are skipped, links are not followed. A name of --except is a file's last component: what the test itself wrote. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST = 6, SLOTS = 1 << 16, MANY = 16 };
struct pattern { char kind[40]; const char *form; unsigned char *p; size_t n; struct pattern *next; };

static struct pattern *all[8192], *table[SLOTS];
static size_t nall;
static const char *except[64];
static size_t nexcept, found, files;
static unsigned long long bytes;

static void *must(void *p)
{
    if (p) return p;
    fputs("secret-scan: out of memory\n", stderr);
    exit(2);
}

static unsigned slot_of(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return (v * 2654435761u) >> 16;
}

static void add(const char *kind, const char *form, const void *p, size_t n)
{
    if (n < LEAST) return;
    for (struct pattern *q = table[slot_of(p)]; q; q = q->next)
        if (q->n == n && memcmp(q->p, p, n) == 0) return;
    if (nall == sizeof all / sizeof *all) {
        fputs("secret-scan: too many canaries\n", stderr);
        exit(2);
    }
    struct pattern *q = all[nall++] = must(calloc(1, sizeof *q));
    snprintf(q->kind, sizeof q->kind, "%s", kind);
    q->form = form;
    q->p = must(malloc(n));
    memcpy(q->p, p, n);
    q->n = n;
    q->next = table[slot_of(p)];
    table[slot_of(p)] = q;
}

/* ---- the forms ---- */
static void base64(const char *kind, const unsigned char *v, size_t n, const char *alphabet, const char *form)
{
    unsigned char *in = must(calloc(1, n + 8)), *out = must(malloc((n + 8) / 3 * 4 + 8));
    for (size_t lead = 0; lead < 3; lead++) {
        size_t len = lead + n, k = 0;
        memset(in, 0, n + 8);
        memcpy(in + lead, v, n);
        for (size_t i = 0; i + 3 <= len; i += 3) {                     /* whole groups only: the last bits depend on what follows */
            uint32_t g = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
            for (int s = 18; s >= 0; s -= 6) out[k++] = (unsigned char)alphabet[g >> s & 63];
        }
        size_t skip = lead == 0 ? 0 : lead == 1 ? 2 : 3;               /* and the first ones on what came before */
        if (k > skip) add(kind, form, out + skip, k - skip);
    }
    free(in);
    free(out);
}

/* Every byte through a format of printf. */
static void each(const char *kind, const unsigned char *v, size_t n, const char *fmt, const char *form)
{
    char *out = must(malloc(n * MANY + 1));
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += (size_t)snprintf(out + k, MANY, fmt, v[i]);
    add(kind, form, out, k);
    free(out);
}

static bool is_text(const unsigned char *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] < 0x20 || v[i] > 0x7e) return false;
    return true;
}

/* Only what must be escaped. */
static void needed(const char *kind, const unsigned char *v, size_t n, const char *form, const char *special, const char *fmt)
{
    char *out = must(malloc(n * MANY + 1));
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (strchr(special, v[i])) k += (size_t)snprintf(out + k, MANY, fmt, v[i]);
        else out[k++] = (char)v[i];
    }
    add(kind, form, out, k);
    free(out);
}

static void xml(const char *kind, const unsigned char *v, size_t n)
{
    static const char *const names[][2] = {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&apos;"}};
    char *out = must(malloc(n * MANY + 1));
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const char *as = NULL;
        for (size_t m = 0; m < 5; m++) as = v[i] == (unsigned char)names[m][0][0] ? names[m][1] : as;
        if (as) k += (size_t)snprintf(out + k, MANY, "%s", as);
        else out[k++] = (char)v[i];
    }
    add(kind, "xml", out, k);
    free(out);
}

static void utf16(const char *kind, const unsigned char *v, size_t n)
{
    unsigned char *out = must(malloc(2 * n + 2));
    for (int low = 0; low < 2; low++) {
        for (size_t i = 0; i < n; i++) {
            out[2 * i + (size_t)low] = 0;
            out[2 * i + (size_t)!low] = v[i];
        }
        add(kind, low ? "utf16le" : "utf16be", out, 2 * n);
    }
    free(out);
}

static void take(const char *kind, const unsigned char *v, size_t n)
{
    static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    add(kind, "plain", v, n);
    base64(kind, v, n, standard, "base64");
    base64(kind, v, n, url, "base64url");
    each(kind, v, n, "%02x", "hex");
    each(kind, v, n, "%02X", "HEX");
    if (!is_text(v, n)) return;
    each(kind, v, n, "%%%02x", "percent");
    each(kind, v, n, "%%%02X", "PERCENT");
    needed(kind, v, n, "url", " !\"#$&'()*+,/:;<=>?@[\\]^`{|}%", "%%%02X");
    each(kind, v, n, "\\u%04x", "json-u");
    each(kind, v, n, "\\u%04X", "JSON-U");
    needed(kind, v, n, "json", "\"\\", "\\%c");
    needed(kind, v, n, "json-slash", "\"\\/", "\\%c");
    each(kind, v, n, "&#%d;", "xml-number");
    each(kind, v, n, "&#x%x;", "xml-hex");
    xml(kind, v, n);
    utf16(kind, v, n);
}

/* ---- canaries ---- */
static void read_canaries(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[8192];
    if (!f) {
        fprintf(stderr, "secret-scan: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *value = strchr(line, ' ');
        if (!value || strlen(value + 1) < LEAST) continue;
        *value++ = '\0';
        take(line, (const unsigned char *)value, strlen(value));
        if (strcmp(line, "master-key") == 0 && strlen(value) == 64) {      /* hex in the file, bytes in memory */
            unsigned char raw[32];
            for (size_t i = 0; i < 32; i++) {
                char two[3] = {value[2 * i], value[2 * i + 1], '\0'};
                raw[i] = (unsigned char)strtol(two, NULL, 16);
            }
            take(line, raw, 32);
        }
    }
    fclose(f);
}

/* ---- files ---- */
static void search(const char *path, const unsigned char *p, size_t n, size_t at)
{
    bytes += n;
    for (size_t i = 0; i + LEAST <= n; i++)
        for (const struct pattern *q = table[slot_of(p + i)]; q; q = q->next)
            if (q->n <= n - i && memcmp(p + i, q->p, q->n) == 0) {
                if (++found <= 20) printf("%s as %s: %s at %zu\n", q->kind, q->form, path, at + i);
            }
}

static void scan_file(const char *path, off_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || size < LEAST) {
        if (fd >= 0) close(fd);
        return;
    }
    files++;
    unsigned char *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    for (off_t from = 0; p != MAP_FAILED && from < size;) {
        off_t data = lseek(fd, from, SEEK_DATA), hole;
        if (data < 0) break;
        hole = lseek(fd, data, SEEK_HOLE);
        if (hole <= data) hole = size;
        search(path, p + data, (size_t)(hole - data), (size_t)data);
        from = hole;
    }
    if (p != MAP_FAILED) munmap(p, (size_t)size);
    close(fd);
}

static void scan(const char *path)
{
    struct stat st;
    const char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    for (size_t i = 0; i < nexcept; i++)
        if (strcmp(last, except[i]) == 0) return;
    if (lstat(path, &st) != 0) return;
    for (size_t i = 0; i < nall; i++)                                      /* names are read by anybody */
        if (memmem(last, strlen(last), all[i]->p, all[i]->n)) {
            printf("%s as %s: in the name %s\n", all[i]->kind, all[i]->form, path);
            found++;
        }
    if (S_ISREG(st.st_mode)) scan_file(path, st.st_size);
    DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char below[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if ((size_t)snprintf(below, sizeof below, "%s/%s", path, e->d_name) < sizeof below) scan(below);
    }
    if (d) closedir(d);
}

static int plant(const char *dir)
{
    for (size_t i = 0; i < nall; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.%s.%zu", dir, all[i]->kind, all[i]->form, i);
        FILE *f = fopen(path, "w");
        if (!f) return 2;
        fputs("some log line before it, ", f);
        fwrite(all[i]->p, 1, all[i]->n, f);
        fputs(" and after\n", f);
        fclose(f);
    }
    printf("%zu\n", nall);
    return 0;
}

/* Plain text, and the master key's bytes. */
static int process(const char *pid)
{
    static unsigned char block[1 << 20];
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%s/mem", pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    size_t *count = must(calloc(nall, sizeof *count));
    if (!maps || mem < 0) return 2;
    while (fgets(line, sizeof line, maps)) {
        char *end;
        unsigned long from = strtoul(line, &end, 16), to = strtoul(end + 1, &end, 16);
        if (strncmp(end, " rw", 3) != 0) continue;
        for (unsigned long at = from; at < to; at += sizeof block - 4096) {           /* blocks overlap: count what begins before the overlap */
            size_t want = to - at < sizeof block ? to - at : sizeof block, fresh = want < sizeof block ? want : sizeof block - 4096;
            ssize_t n = pread(mem, block, want, (off_t)at);
            for (ssize_t i = 0; i + LEAST <= n && (size_t)i < fresh; i++)
                for (const struct pattern *q = table[slot_of(block + i)]; q; q = q->next)
                    if (strcmp(q->form, "plain") == 0 && q->n <= (size_t)(n - i) && memcmp(block + i, q->p, q->n) == 0)
                        for (size_t k = 0; k < nall; k++) count[k] += all[k] == q;
        }
    }
    for (size_t k = 0; k < nall; k++)
        if (strcmp(all[k]->form, "plain") == 0) printf("%s %zu\n", all[k]->kind, count[k]);
    free(count);
    fclose(maps);
    close(mem);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--process") == 0) {
        read_canaries(argv[3]);
        return process(argv[2]);
    }
    if (argc == 4 && strcmp(argv[1], "--plant") == 0) {
        read_canaries(argv[2]);
        return plant(argv[3]);
    }
    if (argc < 3) {
        fputs("usage: secret-scan CANARIES [--except NAME]... PATH...\n       secret-scan --process PID CANARIES\n       secret-scan --plant CANARIES DIR\n", stderr);
        return 2;
    }
    read_canaries(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--except") == 0 && i + 1 < argc && nexcept < sizeof except / sizeof *except) except[nexcept++] = argv[++i];
        else scan(argv[i]);
    }
    fprintf(stderr, "# %zu patterns, %zu files, %llu bytes\n", nall, files, bytes);
    return found ? 1 : 0;
}
