#!/bin/sh
# run.sh - runs every test program and script of the project and adds up what they say.
#
#   run.sh [PART-OF-A-NAME]      JOBS (the number of processors) of them at a time
#
# A test prints one line per check, "ok NAME" or "not ok NAME: why"; one that ends with another status than 0 or 1 counts as failed.
# One that cannot run here says "# skip NAME: why" and nothing else, and is no failure.
# Output of each goes to $B/log/, where no secret of the unit tests may stand (tests/secrets); only failures are shown. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
B=${B:-build}
export B MLC_TESTS_DIR=tests/lang ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=print_stacktrace=1

log_of() { echo "$B/log/$(printf %s "$1" | tr / _).log"; }

one() {   # NAME COMMAND...: its line, and LOG.count for the sum
    name=$1
    log=$(log_of "$name")
    shift
    start=$(date +%s)
    timeout -k 10 "${TEST_SECONDS:-600}" "$@" >"$log" 2>&1 </dev/null
    status=$?
    case $name in
    unit/sim/*) ;;                                     # the models' own tests sign in by hand
    unit/*) "$B/secret-scan" tests/secrets/unit.canaries "$log" >"$log.leaks" 2>/dev/null || sed 's/^/not ok no secret is printed: /' "$log.leaks" >>"$log" ;;
    esac
    p=$(grep -c '^ok ' "$log")
    f=$(grep -c '^not ok ' "$log")
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        echo "not ok $name: ended with status $status" >>"$log"
    fi
    skipped=$(sed -n 's/^# skip [^:]*: //p' "$log" | head -1)
    [ "$p" -eq 0 ] && [ "$f" -eq 0 ] && [ -z "$skipped" ] && { f=1; echo "not ok $name: checked nothing" >>"$log"; }
    echo "$p $f" >"$log.count"
    said=$(printf '%-44s %5d passed %4d failed  %3ds' "$name" "$p" "$f" "$(($(date +%s) - start))")
    [ -z "$skipped" ] || said="$said  skipped: $skipped"
    [ "$f" -eq 0 ] || said=$(echo "$said"; grep '^not ok ' "$log" | head -20; echo "    (all of it: $log)"; tail -5 "$log" | sed 's/^/    /')
    printf '%s\n' "$said"
}

all() {   # a line each: NAME COMMAND...; the longest first, so that none runs alone in the end
    echo "lint/planted sh tests/lint/lint_test.sh"
    echo "lint sh tests/lint/lint.sh"
    for t in tests/e2e/*_test.sh; do echo "${t#tests/} sh $t"; done
    for t in $(find "$B/tests/unit" -type f -name '*_test' | sort); do echo "${t#"$B"/tests/} $t"; done
    [ ! -d "$B/replay" ] || echo "fuzz/replay sh tests/fuzz/replay.sh"
    [ ! -x "$B/sim-run" ] || printf '%s\n' "sim/run $B/sim-run --count 10 --days 7 --twice 5" "sim/pinned $B/sim-run --pinned" "sim/memory $B/sim-run --count 3 --days 5 --memory"
}
alone() { [ ! -x "$B/crash-harness" ] || echo "fault/crash $B/crash-harness --bounded"; }      # as many processes as there are processors, for a time

if [ "${1:-}" = --one ]; then
    shift
    one "$@"
    exit 0
fi
mkdir -p "$B/log"
rm -f "$B"/log/*.count
all | awk -v only="${1:-}" 'index($1, only)' >"$B/log/tests"
alone | awk -v only="${1:-}" 'index($1, only)' >"$B/log/alone"
xargs -P "${JOBS:-$(nproc)}" -L 1 -r sh tests/run.sh --one <"$B/log/tests"
xargs -L 1 -r sh tests/run.sh --one <"$B/log/alone"
passed=0
failed=0
for name in $(cut -d' ' -f1 "$B/log/tests" "$B/log/alone"); do
    if read -r p f <"$(log_of "$name").count"; then
        passed=$((passed + p))
        failed=$((failed + f))
    else
        echo "not ok $name: there is no result"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
