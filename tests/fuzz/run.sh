#!/bin/sh
# Builds the fuzz targets of value, code, vm and the file rows with clang's libFuzzer and runs each for SECONDS (default 20).
#   tests/fuzz/run.sh [SECONDS] [BUILD-DIRECTORY]
# Findings are left in BUILD-DIRECTORY; the exit code is that of the first target that found something.
set -eu
seconds=${1:-20}
out=${2:-build/fuzz}
mkdir -p "$out"
flags="-std=c11 -D_GNU_SOURCE -Iruntime -I. -O1 -g -fno-strict-aliasing -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
for target in json record image rows; do
    clang $flags tests/fuzz/${target}_fuzz.c runtime/base/*.c runtime/value/*.c runtime/code/*.c runtime/vm/*.c runtime/connectors/file/file_rows.c -lsodium -o "$out/$target"
    mkdir -p "$out/$target.corpus"
done
"$out/image" --seed "$out/image.corpus/sample"
printf '{"rows":[{"k":"caf\303\251\\u00e9\\ud83d\\ude00","v":-12.5e+3,"t":true,"n":null}]}' > "$out/json.corpus/sample"
printf '{"No":"A","n":1.5e2,"b":null}\n' > "$out/rows.corpus/sample.jsonl"
printf 'No,"Na""me"\r\n1,"a\nb"\r\n' > "$out/rows.corpus/sample.csv"
for target in json record image rows; do
    "$out/$target" -max_total_time="$seconds" -max_len=20000 -rss_limit_mb=2048 -artifact_prefix="$out/$target-" "$out/$target.corpus" 2> "$out/$target.log" || {
        tail -40 "$out/$target.log"
        exit 1
    }
    tail -1 "$out/$target.log" | sed "s/^/$target: /"
done
