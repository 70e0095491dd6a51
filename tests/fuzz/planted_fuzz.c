/* planted_fuzz.c - the harness's own proof: a target with a wrong end of a loop that only a certain text reaches. `make fuzz` has to find it, with libFuzzer's
 * own means; the replay of seeds has to notice when the one that shows it is among them (run.sh, replay.sh). */
#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static const char wanted[] = "mlc!";
    size_t i = 0;
    while (i < n && i < sizeof wanted - 1 && data[i] == (unsigned char)wanted[i]) i++;
    ASSERT(i < sizeof wanted - 1);
    return 0;
}
