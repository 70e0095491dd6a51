#!/bin/sh
# run.sh - runs every test program and script of the project and adds up what they say.
#
# A test prints one line per check, "ok NAME" or "not ok NAME: why"; one that ends with another status than 0 or 1 counts as failed.
# Output of each goes to $B/log/, where no secret of the unit tests may stand (tests/secrets); only failures are shown. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
B=${B:-build}
only=${1:-}
export B MLC_TESTS_DIR=tests/lang ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=print_stacktrace=1
mkdir -p "$B/log"
passed=0
failed=0

one() {   # NAME COMMAND...
    name=$1
    shift
    case $name in *"$only"*) ;; *) return ;; esac
    log="$B/log/$(printf %s "$name" | tr / _).log"
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
    [ "$p" -eq 0 ] && [ "$f" -eq 0 ] && { f=1; echo "not ok $name: checked nothing" >>"$log"; }
    passed=$((passed + p))
    failed=$((failed + f))
    printf '%-44s %5d passed %4d failed  %3ds\n' "$name" "$p" "$f" "$(($(date +%s) - start))"
    [ "$f" -eq 0 ] || { grep '^not ok ' "$log" | head -20; echo "    (all of it: $log)"; tail -5 "$log" | sed 's/^/    /'; }
}

one lint sh tests/lint/lint.sh
one lint/planted sh tests/lint/lint_test.sh
for t in $(find "$B/tests/unit" -type f -name '*_test' | sort); do
    one "${t#"$B"/tests/}" "$t"
done
for t in tests/e2e/*_test.sh; do
    [ -f "$t" ] && one "${t#tests/}" sh "$t"
done
[ -d "$B/replay" ] && one fuzz/replay sh tests/fuzz/replay.sh
[ -x "$B/sim-run" ] && one sim/run "$B/sim-run" --count 10 --days 7 --twice 5
[ -x "$B/sim-run" ] && one sim/pinned "$B/sim-run" --pinned
[ -x "$B/sim-run" ] && one sim/memory "$B/sim-run" --count 3 --days 5 --memory
[ -x "$B/crash-harness" ] && one fault/crash "$B/crash-harness" --bounded
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
