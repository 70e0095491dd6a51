#!/bin/sh
# poll.sh - what a poll costs in which nothing has changed: `mlcd once --full` beside a program that fetches the same pages and only tokenises them.
#
#     first load, then RUNS times in turn:   bench-tokenise   |   mlcd once --full
#
# Both ask for every row and every key of the same stand-in over the same transport. CPU time (user and system) of the process, divided by the records;
# what counts is the difference within a round, its median and 95 % interval. Times are shown against the goal and never judged; judged is that the pass
# read every row and wrote nothing.
#
#     BENCH_POLL_ROWS=1000000   BENCH_POLL_RUNS=5   BENCH_OUT=FILE the table as Markdown too
#     TMPDIR                    has to be on a disk
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
rows=${BENCH_POLL_ROWS:-1000000} runs=${BENCH_POLL_RUNS:-5}
. tests/bench/stage.sh

start "$rows" 0
BENCH_TOKEN=bench
export BENCH_TOKEN
"$B/bench-peak" "$W/peak" "$B/mlcd" once --image "$W/customers.mlcb" --quiet --json >"$W/result" 2>"$W/mlcd.err" || die "the first load ended with $?: $(cat "$W/mlcd.err" "$W/result")"
jq -r --slurpfile p "$W/peak" '"  first load: \(.read) rows, \($p[0].wall_ms) ms, \(($p[0].user_ms + $p[0].sys_ms) * 1000 / .read | round) us of CPU a row"' "$W/result" >&2

one() {   # NAME COMMAND...
    name=$1
    shift
    "$B/bench-peak" "$W/peak" "$@" >"$W/result" 2>"$W/err" || die "$name ended with $?: $(cat "$W/err" "$W/result")"
    jq -nc --arg name "$name" --argjson n "$rows" --slurpfile p "$W/peak" --slurpfile r "$W/result" \
        '{name: $name, us: (($p[0].user_ms + $p[0].sys_ms) * 1000 / $n), user_us: ($p[0].user_ms * 1000 / $n), anon_kib: $p[0].anon_kib, wall_ms: $p[0].wall_ms,
          read: ($r[0].read // $r[0].rows), changed: ($r[0].changed // 0), finished: ($r[0].finished // true)}' >>"$W/results"
}
: >"$W/results"
i=0
while [ $i -lt "$runs" ]; do
    i=$((i + 1))
    one tokenise "$B/bench-tokenise" "$SAGE_AGENT_URL" ABC customers
    one poll "$B/mlcd" once --full --image "$W/customers.mlcb" --quiet --json
    tail -2 "$W/results" | jq -rs '"  tokenise \(.[0].us * 100 | round / 100) us, poll \(.[1].us * 100 | round / 100) us a record"' >&2
done
jq -se --argjson n "$rows" 'map(select(.read != $n or .changed != 0 or (.finished | not))) == []' "$W/results" >/dev/null ||
    die "a pass did not do what it should: $(cat "$W/results")"

table() {
    jq -rs --argjson n "$rows" --argjson goal 2 '
        def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
        def r2: . * 100 | round / 100;
        # 95 %: the order statistics around the median that a fair coin leaves outside in one of twenty cases; of few rounds, all of them.
        def interval: sort | (if length < 6 then 0 else ((length - 1.96 * (length | sqrt)) / 2 | floor) end) as $k | "\(.[$k] | r2) - \(.[length - 1 - $k] | r2)";
        [.[] | select(.name == "tokenise")] as $t | [.[] | select(.name == "poll")] as $p
        | [range($t | length) | $p[.].us - $t[.].us] as $d
        | "| \($n) records, nothing changed | CPU us a record | 95 % interval | private memory |", "|---|---:|---:|---:|",
          "| fetched and only tokenised | \([$t[].us] | median | r2) | \([$t[].us] | interval) | \([$t[].anon_kib] | max / 1024 | r2) MiB |",
          "| `mlcd once --full` | \([$p[].us] | median | r2) | \([$p[].us] | interval) | \([$p[].anon_kib] | max / 1024 | r2) MiB |",
          "| above it (goal: \($goal)) | \($d | median | r2) | \($d | interval) | |"' "$W/results"
}
table
[ -z "${BENCH_OUT:-}" ] || table >"$BENCH_OUT"
