/* main.c - mlc-audit-verify DIR: the program for an auditor. Exit 0 the log is whole, 3 it is not, 64 wrong call. */
#include "runtime/journal/verify/verify.h"
#include <sodium.h>
#include <string.h>

static int usage(void)
{
    fprintf(stderr, "usage: mlc-audit-verify DIR [--pubkey HEX] [--checkpoints FILE] [--partial] [--live] [--json]\n"
                    "  DIR                the journal directory (segments and checkpoints.log)\n"
                    "  --pubkey HEX       check the signatures of the checkpoints with this Ed25519 key\n"
                    "  --checkpoints FILE use these checkpoints, e.g. those that were shipped off the host\n"
                    "  --partial          the log may begin later than frame 1: older segments are archived\n"
                    "  --live             a running process may be in the middle of a write at the end\n");
    return 64;
}

int main(int argc, char **argv)
{
    struct verify_options o = {0};
    struct verify_report r;
    unsigned char key[32];
    bool json = false;
    if (sodium_init() < 0) return 69;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) json = true;
        else if (strcmp(argv[i], "--partial") == 0) o.partial = true;
        else if (strcmp(argv[i], "--live") == 0) o.live = true;
        else if (strcmp(argv[i], "--checkpoints") == 0 && i + 1 < argc) o.checkpoints = argv[++i];
        else if (strcmp(argv[i], "--pubkey") == 0 && i + 1 < argc) {
            const char *hex = argv[++i];
            if (strlen(hex) != 64 || sodium_hex2bin(key, sizeof key, hex, 64, NULL, NULL, NULL) != 0) return usage();
            o.public_key = key;
        } else if (argv[i][0] == '-' || o.dir) return usage();
        else o.dir = argv[i];
    }
    if (!o.dir) return usage();
    bool ok = verify_log(&o, &r);
    verify_print(&r, json, o.public_key != NULL, stdout);
    if (fflush(stdout) != 0) return 69;
    return ok ? 0 : 3;
}
