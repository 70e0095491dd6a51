#!/bin/sh
# rotate_test.sh - another master key under a state that has synced: everything goes on, the log says so, the old key is gone and opens nothing. The crash at
# every call of the disk is tests/unit/secret/rotate_test.c; here the process is killed at moments of its own.
. "$(dirname "$0")/lib.sh"
start_sage --customers 60
start_zoho
spec
sign_in
once --image customers.mlcb || true
same_as_sage "a first run"
K=$(key 3)
cp state/master.key old.key
mlcd audit key >pub.before
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
exits "not while another works there" 75 mlcd secret rotate
end $run_pid || true

exits "the master key is changed" 0 mlcd secret rotate --json
is "and it says what it did" "$(jq -r '"\(.rotated) \(.values) \(.by_hand)"' out)" "true $(find state/secrets -type f | wc -l) false"
is "the old key is gone" "$(grep -lrF "$(cat old.key)" state | wc -l)" 0
mlcd audit show --kind KEY >log.jsonl
is "the log says so before and after" "$(wc -l <log.jsonl)" 2
has_not "without a key" log.jsonl "$(cat state/master.key)"
mlcd audit key >pub.after
is "signatures have the key they had" "$(cat pub.after)" "$(cat pub.before)"
exits "the log verifies" 0 mlcd audit verify
edit "$K" '{"City":"Rotated"}'
exits "the next run works" 0 mlcd once --quiet
is "with the secrets that were sealed before" "$(account "$K" Billing_City)" Rotated
mlcd why "ABC~$K" >why.out
has "old entries are readable" why.out "$K"
exits "the old key opens nothing" 77 mlcd secret list --key-file old.key

for ms in 0.001 0.003 0.006 0.01 0.015 0.02 0.03 0.05; do
    mlcd secret rotate >/dev/null 2>&1 &
    p=$!
    sleep $ms
    kill -9 $p 2>/dev/null || true
    wait $p 2>/dev/null || true
    mlcd audit show --key "ABC~$K" >show.out 2>show.err || break
done
is "killed eight times, looked at each time" "$(grep -c ROW show.out | sed 's/[1-9][0-9]*/some/') $(cat show.err)" "some "
edit "$K" '{"City":"Killed"}'
exits "the run after it works" 0 mlcd once --quiet
is "with all its secrets" "$(account "$K" Billing_City)" Killed

cp state/master.key mine.key
exits "a key file is the operator's to change" 64 mlcd secret rotate --key-file mine.key
has "and the way is named" err "mine.key.next"
head -c 32 /dev/urandom >mine.key.next
chmod 600 mine.key.next
exits "with the next one beside it" 0 mlcd secret rotate --key-file mine.key
has "what is left to do is said" err "put the next key in its place"
exits "both stand, either is found" 0 mlcd secret list --key-file mine.key
mv mine.key.next mine.key
exits "and then the new one" 0 mlcd once --quiet --key-file mine.key
exits "the state's own opens nothing now" 77 mlcd once --quiet
finish
