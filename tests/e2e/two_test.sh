#!/bin/sh
# two_test.sh - two processes and one state directory: one works, the other exits 75; after kill -9 the next one takes over, and only then. A directory that
# was copied and started elsewhere is another matter: docs/operations.md, "Two places".
. "$(dirname "$0")/lib.sh"
start_sage --customers 400
start_zoho --switches "{\"latency_ms\":$((150 * ${SLOW:-1}))}"
spec
sign_in
requests() { curl -fsS "$ZOHO/__sim/counters" | jq .inserts; }
mlcd run --quiet --image customers.mlcb --page 20 --batch 5 >run.out 2>run.err &
first=$!
pids="$pids $first"
until_true 60 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/counters' | jq .inserts)\" -gt 10 ]" || true
exits "a second run" 75 mlcd run --quiet --image customers.mlcb
has "says who is there" err "another mlcd works in"
exits "a pass beside it" 75 mlcd once --quiet --image customers.mlcb
# many at once, while the first one writes
i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    (code=0; mlcd once --quiet --image customers.mlcb >/dev/null 2>&1 || code=$?; echo $code >"second.$i") &
    others="${others:-} $!"
done
for p in $others; do wait $p; done
is "twelve more at once are all refused" "$(cat second.* | sort | uniq -c | tr -d ' ')" 1275
signal STOP $first
exits "one that is stopped still holds it" 75 mlcd once --quiet --image customers.mlcb
signal CONT $first
signal KILL $first
wait $first 2>/dev/null || true
made=$(requests)
is "the kill came while it worked" "$((made < $(rows | jq '.rows | length')))" 1
# twelve race for what the dead one left: exactly one gets it
rm -f second.*; others=""; i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    (code=0; mlcd once --quiet --image customers.mlcb --settle 1s --wait 60s >/dev/null 2>&1 || code=$?; echo $code >"second.$i") &
    others="$others $!"
done
for p in $others; do wait $p; done
is "of twelve that race for it, those that came in while one worked were refused" "$(cat second.* | grep -cv -e '^0$' -e '^75$')" 0
is "one at least took over" "$(($(cat second.* | grep -c '^0$') >= 1))" 1
exits "to the end" 0 mlcd once --quiet --settle 1s --wait 60s
same_as_sage "nothing lost, nothing doubled"
is "every account was made once" "$(counter .inserts)" "$(dump | jq length)"
is "the log has one history" "$(mlcd audit verify | tail -1)" OK
# whoever worked said OPEN; each one that was refused wrote nothing
is "no more starts in the log than processes that held the lock" "$(($(mlcd audit verify --json | jq .starts) <= 3 + $(cat second.* | grep -c '^0$')))" 1

# ---- copied and started elsewhere ----
cp -r state elsewhere
exits "the copy works like the first one did" 0 mlcd once --quiet --state elsewhere
edit "$(key 3)" '{"City":"Twice"}'
exits "the first sends the edit" 0 mlcd once --quiet
updates=$(counter .updates)
exits "so does the copy" 0 mlcd once --quiet --state elsewhere
is "which changes nothing any more" "$(counter .updates)" "$updates"
exits "a checkpoint of one does not fit the other" 3 mlcd audit verify --state elsewhere --checkpoints state/journal/checkpoints.log
finish
