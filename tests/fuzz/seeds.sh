#!/bin/sh
# seeds.sh - what a fuzz target begins with: tests/fuzz/seeds/TARGET, and what other tests have that fits. seeds.sh TARGET DIRECTORY
set -eu
target=$1
out=$2
B=${B:-build-fuzz}
rm -rf "$out"
mkdir -p "$out"
# copy FILE...: under names that tell where they come from
copy() { for f; do [ ! -f "$f" ] || cp "$f" "$out/$(printf %s "$f" | tr / _)"; done; }
copy "tests/fuzz/seeds/$target"/*
case $target in
spec | compile) copy tests/lang/*/*.mlc examples/*/*.mlc dsl/prelude/*.mlc ;;
json | rows) copy tests/lang/*/*.jsonl tests/lang/*/*.csv examples/*/*.csv ;;
image)
    [ ! -x "$B/fuzz/image" ] || "$B/fuzz/image" --seed "$out/sample"
    for spec in tests/lang/eval/*.mlc; do ASAN_OPTIONS=detect_leaks=0 "$B/mlc" build "$spec" -o "$out/$(basename "$spec").mlcb" >/dev/null; done
    ;;
esac
