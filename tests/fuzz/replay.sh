#!/bin/sh
# replay.sh - runs each fuzz target over what is kept for it (tests/fuzz/seeds, and what seeds.sh adds), without libFuzzer.
set -u
cd "$(dirname "$0")/../.."
B=${B:-build}
export B ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for bin in "$B"/replay/*; do
    name=$(basename "$bin")
    case $name in *.*) continue ;; esac
    sh tests/fuzz/seeds.sh "$name" "$tmp/$name" || { echo "not ok $name: no seeds"; continue; }
    TMPDIR=$tmp timeout 120 "$bin" "$tmp/$name" >"$tmp/log" 2>"$tmp/errors"
    if [ "$name" = planted ]; then
        # The harness's own proof: the seed that shows the planted bug is noticed, and only that one.
        if [ "$(grep -c '^not ok planted: [a-z_]*shows ends it' "$tmp/log")" -eq 1 ] && [ "$(grep -c '^not ok' "$tmp/log")" -eq 1 ]; then echo "ok a planted bug is noticed in the replay"
        else echo "not ok a planted bug is noticed in the replay: $(cat "$tmp/log")"; fi
        continue
    fi
    cat "$tmp/log"
    grep -q '^not ok' "$tmp/log" && head -20 "$tmp/errors"
    grep -q '^ok\|^not ok' "$tmp/log" || echo "not ok $name: it did not end by itself"
done
exit 0
