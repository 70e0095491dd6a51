#!/bin/sh
# run.sh - `make test-agent`: the real EXEs, both bitnesses, under headless wine, against the stand-in for Sage's COM server.
#
# Where wine cannot be had, the run is skipped with a word and no failure; where only its 32-bit parts are missing, the 32-bit share is.
# TESTS=same runs the scripts with that in their name. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
sh .ci/setup-agent || { echo "skipped: wine or mingw-w64 cannot be installed here"; echo "0 passed, 0 failed"; exit 0; }
B=${B:-build}
make --no-print-directory -j"$(nproc)" B="$B" all sims agent-built agent-tools || { echo "not ok agent: does not build"; echo "0 passed, 1 failed"; exit 1; }
export B
passed=0
failed=0
for script in tests/agent/*_test.sh; do
    name=$(basename "$script" .sh)
    case $name in *"${TESTS:-}"*) ;; *) continue ;; esac
    log="$B/log/agent_$name.log"
    mkdir -p "$B/log"
    begin=$(date +%s)
    timeout -k 30 "${TEST_SECONDS:-900}" sh "$script" >"$log" 2>&1 </dev/null
    status=$?
    p=$(grep -c '^ok ' "$log")
    f=$(grep -c '^not ok ' "$log")
    [ $status -eq 0 ] || [ "$f" -gt 0 ] || { f=1; echo "not ok $name: ended with status $status" >>"$log"; }
    passed=$((passed + p))
    failed=$((failed + f))
    printf '%-44s %5d passed %4d failed  %3ds\n' "agent/$name" "$p" "$f" "$(($(date +%s) - begin))"
    grep -E '^(# |skipped)' "$log" | sed 's/^/    /'
    [ "$f" -eq 0 ] || { grep '^not ok ' "$log" | head -20; echo "    (all of it: $log)"; tail -5 "$log" | sed 's/^/    /'; }
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
