#!/bin/sh
# run.sh - runs the fuzz targets that `make fuzz` built, each for some seconds: tests/fuzz/run.sh SECONDS [TARGET]
#
# FUZZ_RUNS=FILE: as many inputs as the file says for each target, from FUZZ_SEED on, however long that takes (SECONDS is a limit of another kind then: 20 times as long).
#
# Prints "ok fuzz NAME: ..." or "not ok fuzz NAME: ...", then "N passed, N failed". What a target finds is left in $B/fuzz/NAME-* (crash-, timeout-,
# oom-); run it again with `$B/fuzz/NAME FILE`. $B/fuzz/NAME.corpus grows from run to run. Words that help stand in tests/fuzz/dict/NAME.dict.
# The target "planted" has a bug on purpose: there, finding it is what is asked for.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
only=${2:-}
B=${B:-build-fuzz}
passed=0
failed=0
for bin in "$B"/fuzz/*; do
    name=$(basename "$bin")
    case $name in *.*|*-*) continue ;; esac
    [ -z "$only" ] || [ "$name" = "$only" ] || continue
    mkdir -p "$bin.corpus" "$bin.seeds"
    dict=tests/fuzz/dict/$name.dict
    [ -f "$dict" ] || dict=
    sh tests/fuzz/seeds.sh "$name" "$bin.seeds" || { echo "not ok fuzz $name: no seeds"; failed=$((failed + 1)); continue; }
    runs=
    limit=$seconds
    if [ -n "${FUZZ_RUNS:-}" ]; then
        runs=$(awk -v t="$name" '$1 == t {print $2}' "$FUZZ_RUNS")
        [ -n "$runs" ] || { echo "not ok fuzz $name: $FUZZ_RUNS has no line for it"; failed=$((failed + 1)); continue; }
        limit=$((seconds * 20))
    fi
    # -timeout is for one input; the outer limit is for a target that does not even come to its own.
    ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 timeout -k 10 $((limit + 120)) \
        "$bin" ${FUZZ_SEED:+-seed="$FUZZ_SEED"} ${runs:+-runs="$runs"} -max_total_time="$limit" -timeout=20 -max_len=20000 -rss_limit_mb=2048 -artifact_prefix="$bin-" ${dict:+-dict="$dict"} "$bin.corpus" "$bin.seeds" \
        >"$bin.log" 2>&1 </dev/null
    status=$?
    if [ "$name" = planted ]; then
        if [ $status -ne 0 ] && grep -q 'ASSERT\|deadly signal' "$bin.log"; then
            echo "ok fuzz planted: found"
            passed=$((passed + 1))
        else
            echo "not ok fuzz planted: the planted bug was not found in $seconds seconds, see $bin.log"
            failed=$((failed + 1))
        fi
    elif [ $status -eq 0 ]; then
        echo "ok fuzz $name: $(tail -1 "$bin.log" | sed 's/^Done //')"
        passed=$((passed + 1))
    else
        echo "not ok fuzz $name: ended with status $status, see $bin.log"
        grep -E 'ERROR|SUMMARY|runtime error|artifact' "$bin.log" | head -5 | sed 's/^/    /'
        failed=$((failed + 1))
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "not ok fuzz: there is no target $only"; failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
