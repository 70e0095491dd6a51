#!/bin/sh
# demo_test.sh - the demo runs, as `make demo` runs it, without a terminal; it checks its own numbers.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
start=$(date +%s)
if NO_COLOR=1 B=${B:-build} sh "$root/examples/demo.sh" >"$out" 2>&1 </dev/null; then echo "ok demo"; else echo "not ok demo: $(tail -3 "$out" | tr '\n' '|')"; exit 1; fi
if grep -q "$(printf '\033')" "$out"; then echo "not ok demo without a terminal: it holds escape sequences"; else echo "ok demo without a terminal"; fi
# A minute on a machine of two cores that has nothing else to do.
if [ $(($(date +%s) - start)) -lt 240 ]; then echo "ok demo takes its time, and no more"; else echo "not ok demo takes its time, and no more: $(($(date +%s) - start)) s"; fi
