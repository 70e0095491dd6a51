#!/bin/sh
# coverage.sh - runs what touches the instrumented files, asks gcov, and prints branches reached per file. See rules.mk.
#   B=build-coverage MIN=95 SHOW=journal RUN= FRESH=1 sh tests/coverage/coverage.sh FILE.c...
set -u
cd "$(dirname "$0")/../.."
B=${B:-build-coverage}
out=$B/coverage
mkdir -p "$out"
export B MLC_TESTS_DIR=tests/lang
[ "${FRESH:-1}" = 0 ] || find "$B/obj" -name '*.gcda' -delete
broken=0

one() {   # NAME COMMAND...
    case $1 in *"${RUN:-}"*) ;; *) return ;; esac
    log="$out/$(printf %s "$1" | tr / _).log"
    begin=$(date +%s)
    shown=$1
    shift
    timeout -k 10 900 "$@" >"$log" 2>&1 </dev/null
    status=$?
    printf '%-44s %3ds\n' "$shown" "$(($(date +%s) - begin))"
    [ "$status" -eq 0 ] || { broken=$((broken + 1)); echo "not ok coverage, run of $shown: status $status, see $log"; }
}

if [ "${RUN:-}" != none ]; then
    for t in $(find "$B/tests/unit" -type f -name '*_test' | sort); do
        name=${t#"$B"/tests/}
        case $name in
        unit/journal/*|unit/store/*|unit/secret/*|unit/value/*|unit/connectors/*|unit/sync/*|unit/net/*|unit/serve/*|unit/code/*|unit/vm/*) one "$name" "$t" ;;
        esac
    done
    one fuzz/replay sh tests/fuzz/replay.sh
    one fault/crash "$B/crash-harness" --bounded --seconds "${CRASH_SECONDS:-60}"
fi
rm -f "$out"/*.gcov "$out/gcov.log"
for f in "$@"; do
    # A file that no test enters has no counts; gcov says so from the notes alone.
    gcov -b -c -t -o "$B/obj/$(dirname "$f")" "$B/obj/${f%.c}.o" >"$out/$(printf %s "$f" | tr / ,).gcov" 2>>"$out/gcov.log"
done
# shellcheck disable=SC2046
awk -v min="${MIN:-95}" -v show="${SHOW:-}" -v broken="$broken" -f tests/coverage/coverage.awk tests/coverage/exceptions $(for f in "$@"; do printf '%s/%s.gcov\n' "$out" "$(printf %s "$f" | tr / ,)"; done)
