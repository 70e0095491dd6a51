#!/bin/sh
# load.sh - first loads against a Zoho stand-in that takes its time, beside what docs/performance.md predicts for them.
#
#     calibrate   2,000 records, no latency: seconds of work a record; a second run without changes: seconds of start and end
#     predict     start + serial calls + the longer of (requests / writers x latency) and (records x work) + the last answer; calls, credits
#     measure     `mlcd once` into an empty stand-in, for each case RECORDS:LATENCY_MS:WRITERS
#
# The rate is that of inserted records over the time behind the calls of the start. Times are shown, with the error of the prediction, and never judged: the
# machine has other work. Judged is what is exact: calls and credits.
#
#     BENCH_LOAD_CASES="20000:300:10 10000:300:4 10000:100:8"   BENCH_OUT=FILE the table as Markdown too
#     TMPDIR                       has to be on a disk
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
cases=${BENCH_LOAD_CASES:-20000:300:10 10000:300:4 10000:100:8}
. tests/bench/stage.sh
cp "$W/customers.mlc" "$W/plain.mlc"

spec() {   # WRITERS
    sed "s|^\( *\)region *= us.*|&\n\1writers = $1|" "$W/plain.mlc" >"$W/customers.mlc"
    "$B/mlc" build "$W/customers.mlc" -o "$W/customers.mlcb" >/dev/null
}
counters() { curl -fsS "$ZOHO_ACCOUNTS_URL/__sim/counters"; }
run() {   # FILE: what one `mlcd once` took, and what Zoho counted of it
    before=$(counters)
    "$B/bench-peak" "$W/peak" "$B/mlcd" once --image "$W/customers.mlcb" --quiet --json >"$W/result" 2>"$W/err" || die "mlcd ended with $?: $(cat "$W/err" "$W/result")"
    after=$(counters)
    jq -nc --argjson b "$before" --argjson a "$after" --slurpfile p "$W/peak" --slurpfile r "$W/result" \
        '{s: ($p[0].wall_ms / 1000), cpu_us: (($p[0].user_ms + $p[0].sys_ms) * 1000), anon_mib: ($p[0].anon_kib / 1024), read: $r[0].read, inserted: $r[0].inserted,
          calls: (($a.calls | add) - ($b.calls | add)), credits: ($a.credits_spent - $b.credits_spent), in_flight: $a.max_in_flight}' >"$1"
}

spec 8
start 2000 0
run "$W/calm"
run "$W/quiet"
finish
for c in $cases; do
    n=${c%%:*} rest=${c#*:}
    spec "${rest#*:}"
    start "$n" "${rest%:*}"
    run "$W/measured"
    finish
    jq -nc --slurpfile c "$W/calm" --slurpfile q "$W/quiet" --slurpfile m "$W/measured" --argjson n "$n" --argjson ms "${rest%:*}" --argjson w "${rest#*:}" '
        $m[0] as $m | ($ms / 1000) as $l
        | $q[0].calls as $serial                                                    # calls that come before the first write, one after the other
        | ($m.inserted / 100 | ceil) as $requests
        | (($c[0].s - $q[0].s) / $c[0].read) as $work
        | ($requests / $w * $l) as $zoho | ($n * $work) as $own
        | {n: $n, ms: $ms, w: $w, s: $m.s, inserted: $m.inserted, cpu_us: ($m.cpu_us / $n), anon_mib: $m.anon_mib,
           predicted: ($q[0].s + $serial * $l + ([$zoho, $own] | max) + $l), bound_by: (if $zoho > $own then "Zoho" else "this machine" end),
           rate: ($m.inserted / ($m.s - $q[0].s - $serial * $l)), limit: ($w * 100 / $l),
           calls: $m.calls, want_calls: ($serial + $requests), credits: $m.credits, want_credits: ($serial + ($m.inserted / 10 | ceil)), in_flight: $m.in_flight}' >>"$W/results"
    tail -1 "$W/results" | jq -r '"  \(.n) records, \(.ms) ms, \(.w) writers: \(.s) s, predicted \(.predicted * 10 | round / 10) s"' >&2
done

table() {
    jq -rs 'def r1: . * 10 | round / 10;
        "| records | latency | writers | seconds | predicted | error | bound by | records/s | of the bound | credits | predicted | CPU us a record | private memory |",
        "|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|",
        (.[] | "| \(.n) | \(.ms) ms | \(.w) | \(.s | r1) | \(.predicted | r1) | \((.predicted / .s - 1) * 100 | round) % | \(.bound_by) | \(.rate | round) | \(.rate / .limit * 100 | round) % | \(.credits) | \(.want_credits) | \(.cpu_us | round) | \(.anon_mib | r1) MiB |")' "$W/results"
}
table
[ -z "${BENCH_OUT:-}" ] || table >"$BENCH_OUT"
# A request may be cut where a page of the source ends, so one or two may be more than the fewest; the credits of each are rounded up.
jq -se 'map(select(.calls < .want_calls or .calls > .want_calls * 1.02 + 2 or .credits < .want_credits or .credits > .want_credits * 1.02 + 4 or .in_flight > .w)) == []' "$W/results" >/dev/null ||
    die "calls or credits are not what the model says: $(cat "$W/results")"
