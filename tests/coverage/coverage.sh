#!/bin/sh
# coverage.sh - runs what touches the instrumented files, asks gcov, and prints branches reached per file. See rules.mk.
#   B=build-coverage MIN=95 SHOW=journal RUN= FRESH=1 sh tests/coverage/coverage.sh FILE.c...
# JOBS (the number of processors) tests at a time, as tests/run.sh runs them: gcov adds to a file of counts under its lock.
set -u
cd "$(dirname "$0")/../.."
B=${B:-build-coverage}
out=$B/coverage
mkdir -p "$out" "$B/log"
export B MLC_TESTS_DIR=tests/lang TEST_SECONDS="${TEST_SECONDS:-900}"
[ "${FRESH:-1}" = 0 ] || find "$B/obj" -name '*.gcda' -delete

together() {   # a line each: NAME COMMAND...
    echo "fuzz/replay sh tests/fuzz/replay.sh"
    for room in journal store secret value connectors sync net serve code vm agent; do find "$B/tests/unit/$room" -type f -name '*_test'; done |
        sort | while read -r t; do echo "${t#"$B"/tests/} $t"; done
}
alone() { echo "fault/crash $B/crash-harness --bounded --seconds ${CRASH_SECONDS:-60}"; }
wanted() { awk -v only="${RUN:-}" 'index($1, only)'; }

rm -f "$B"/log/*.count "$out"/*.gcov "$out/gcov.log"
together | wanted >"$out/together"
alone | wanted >"$out/alone"
xargs -P "${JOBS:-$(nproc)}" -L 1 -r sh tests/run.sh --one <"$out/together"
xargs -L 1 -r sh tests/run.sh --one <"$out/alone"
# Those without a result, or with a failure, which run.sh has told.
broken=$(($(cat "$out/together" "$out/alone" | wc -l) - $(find "$B/log" -name '*.count' -exec cat {} + | awk '$2 == 0' | wc -l)))
for f in "$@"; do
    # A file that no test enters has no counts; gcov says so from the notes alone.
    gcov -b -c -t -o "$B/obj/$(dirname "$f")" "$B/obj/${f%.c}.o" >"$out/$(printf %s "$f" | tr / ,).gcov" 2>>"$out/gcov.log"
done
[ "$broken" -eq 0 ] || echo "not ok coverage: $broken of the tests above did not pass"
# shellcheck disable=SC2046
awk -v min="${MIN:-95}" -v show="${SHOW:-}" -v broken="$broken" -f tests/coverage/coverage.awk tests/coverage/exceptions $(for f in "$@"; do printf '%s/%s.gcov\n' "$out" "$(printf %s "$f" | tr / ,)"; done)
