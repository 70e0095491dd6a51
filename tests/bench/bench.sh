#!/bin/sh
# bench.sh - how fast the flow of examples/customers runs, what it costs at Zoho, and whether memory stays the same whatever the size.
#
# For each size: a Sage stand-in with that many customers, an empty Zoho stand-in, both in processes of their own; then mlcd three times:
#
#     first    once             everything is read, mapped, journaled and inserted
#     quiet    once             asks for changes, finds none
#     full     once --full      reads every row again and every key, finds them unchanged
#
# Private memory (RssAnon of mlcd, highest of samples a millisecond apart) has to be within 10 % across the sizes, for each of the three: PASS or FAIL
# at the end, and in the exit code. Times are shown, never judged.
#
#     BENCH_SIZES="10000 100000"   default: 10000 100000 1000000
#     BENCH_OUT=FILE               the table as Markdown too
#     TMPDIR                       has to be on a disk: the state directory is made there
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
sizes=${BENCH_SIZES:-10000 100000 1000000}
. tests/bench/stage.sh
mkdir "$W/micro"
"$B/bench-micro" "$W/customers.mlcb" "$W/micro"
"$B/bench-compile"
rm -rf "$W/micro"
echo

counters() {
    z=$(curl -fsS "$ZOHO_ACCOUNTS_URL/__sim/counters")
    s=$(curl -fsS "$SAGE_AGENT_URL/__sim/counters")
    printf '%s\n%s\n' "$z" "$s" | jq -sc '{zoho: (.[0].calls | add), credits: .[0].credits_spent, inserts: .[0].inserts, writes: (.[0].inserts + .[0].updates + .[0].noop_updates),
        sage: ([.[1] | .. | objects | .requests? // empty | numbers] | add // 0)}'
}

measure() {   # SIZE PASS OPTIONS...: a line of JSON in results
    size=$1
    pass=$2
    shift 2
    before=$(counters)
    "$B/bench-peak" "$W/peak" "$B/mlcd" once --image "$W/customers.mlcb" --quiet --json "$@" >"$W/result" 2>"$W/mlcd.err" || die "mlcd ended with $?: $(cat "$W/mlcd.err" "$W/result")"
    after=$(counters)
    jq -nc --argjson size "$size" --arg pass "$pass" --argjson b "$before" --argjson a "$after" --slurpfile p "$W/peak" --slurpfile r "$W/result" \
        '{size: $size, pass: $pass, wall_ms: $p[0].wall_ms, cpu_ms: ($p[0].user_ms + $p[0].sys_ms), anon_kib: $p[0].anon_kib, read: $r[0].read, finished: $r[0].finished,
          changed: $r[0].changed, sage_calls: ($a.sage - $b.sage), zoho_calls: ($a.zoho - $b.zoho), credits: ($a.credits - $b.credits), writes: ($a.writes - $b.writes)}' >>"$W/results"
    tail -1 "$W/results" | jq -r '"  \(.size) \(.pass): \(.wall_ms) ms, \(.read) rows read, \(.writes) written, \(.anon_kib) KiB private"' >&2
}

check() {   # what a bench must not pass over
    tail -3 "$W/results" | jq -se 'map(select(.finished | not)) == [] and .[1].writes == 0 and .[2].writes == 0 and .[1].read == 0 and .[2].read == .[0].read' >/dev/null ||
        die "the passes did not do what they should: $(tail -3 "$W/results")"
}

: >"$W/results"
for n in $sizes; do
    start "$n" 400    # about what Zoho takes: all eight writers are busy at every size, so that memory can be compared
    measure "$n" first
    measure "$n" quiet
    measure "$n" full --full
    check
    du -sk "$W/state" | awk -v n="$n" '{printf "  %d state directory: %.1f KiB per customer\n", n, $1 / n}' >&2
    finish
done

table() {
    printf '| customers | pass | rows/s | rows/s against the smallest | private memory | against the smallest | CPU us per row | Sage calls | Zoho calls | credits | wall s |\n'
    printf '|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n'
    jq -sr 'def r2: . * 100 | round / 100; . as $all | .[] | . as $r | ($all | map(select(.pass == $r.pass))[0]) as $base
        | (if .read > 0 then .read * 1000 / .wall_ms else 0 end) as $rate | (if $base.read > 0 then $base.read * 1000 / $base.wall_ms else 0 end) as $brate
        | "| \(.size) | \(.pass) | \(if .read > 0 then ($rate | round) else "-" end) | \(if .read > 0 then ($rate / $brate | r2) else "-" end) | \(.anon_kib / 1024 | r2) MiB | \(.anon_kib / $base.anon_kib | r2) | \(if .read > 0 then (.cpu_ms * 1000 / .read | round) else "-" end) | \(.sage_calls) | \(.zoho_calls) | \(.credits) | \(.wall_ms / 1000 | r2) |"' "$W/results"
}
table
[ -z "${BENCH_OUT:-}" ] || table >"$BENCH_OUT"

# The kernel counts in steps of up to 64 pages per core, so a quarter of a MiB is no difference.
verdict=$(jq -sr 'group_by(.pass)[] | (map(.anon_kib) | max) as $max | (map(.anon_kib) | min) as $min
    | "\(if $max <= $min * 1.1 or $max - $min <= 256 then "PASS" else "FAIL" end) private memory, \(.[0].pass): largest / smallest = \($max / $min * 1000 | round / 1000)"' "$W/results")
printf '\n%s\n' "$verdict"
case $verdict in *FAIL*) exit 1 ;; esac
