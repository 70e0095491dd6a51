#!/bin/sh
# kill_test.sh - mlcd is killed with -9 at twenty random moments (seeded) while it loads 500 customers over real HTTP and keeps loading; afterwards it runs
# to the end, and nothing is lost, doubled or damaged. The exhaustive version of this, every I/O call on a simulated disk, is tests/fault.
. "$(dirname "$0")/lib.sh"
SEED=${SEED:-20260311}
start_sage --customers 500
# slow enough that most lives are cut short on any machine, fast enough that some are cut in the middle of writing
start_zoho --switches "{\"latency_ms\":$((90 * ${SLOW:-1}))}"
spec
sign_in
rows | jq -r '[.rows[] | select(.fields.CustomerStatus == "A")][0:200][] | .key | join("~")' >keys
# SLOW: how many times slower this build is (make asan), so that lives are as long as otherwise
awk -v seed="$SEED" -v slow="${SLOW:-1}" 'BEGIN { srand(seed); for (i = 0; i < 20; i++) printf "%.3f\n", slow * (0.02 + rand() * 0.7) }' >moments
under_way() { held state/lock || ! kill -0 $pid; }
in_time=0
n=0
while read -r moment; do
    n=$((n + 1))
    # something new to write in every life, so that updates are under way as well as inserts
    sed -n "$((n * 9 - 8)),$((n * 9))p" keys | while read -r k; do edit "$k" "{\"City\":\"Life $n\"}"; done
    mlcd once --quiet --image customers.mlcb --page 40 --batch 10 --settle 1s >/dev/null 2>&1 &
    pid=$!
    until_true 20 under_way || true                 # however long the machine takes to start it
    sleep "$moment"
    if signal KILL $pid 2>/dev/null; then in_time=$((in_time + 1)); fi
    wait $pid 2>/dev/null || true
done <moments
if [ $in_time -ge 10 ]; then ok "$in_time of 20 kills hit a process at work (seed $SEED)"; else not_ok "kills hit a process at work" "only $in_time of 20"; fi
echo "# accounts in Zoho at the last kill: $(dump | jq length)"
exits "it runs to the end" 0 mlcd once --quiet --image customers.mlcb --settle 1s --wait 60s
same_as_sage "nothing lost, nothing doubled (seed $SEED)"
is "every account was made once" "$(counter .inserts)" "$(dump | jq length)"
exits "the log verifies" 0 mlcd audit verify
is "it tells of the lives it had" "$(($(mlcd audit verify --json | jq .starts) > 10))" 1
before=$(counter '.inserts + .updates + .noop_updates')
exits "a further poll" 0 mlcd once --quiet
is "sends nothing" "$(($(counter '.inserts + .updates + .noop_updates') - before))" 0
rm -r state/index
exits "the index is folded anew from the log" 0 mlcd once --quiet
is "and knows all of it" "$(($(counter '.inserts + .updates + .noop_updates') - before))" 0
finish
