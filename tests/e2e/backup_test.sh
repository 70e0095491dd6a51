#!/bin/sh
# backup_test.sh - a backup made beside a running mlcd, restored in a fresh place: it converges, nothing is doubled; what was erased in between stays erased.
. "$(dirname "$0")/lib.sh"
start_sage --customers 300
start_zoho --switches "{\"latency_ms\":$((150 * ${SLOW:-1}))}"
spec
sign_in
exits "a backup of nothing" 1 mlcd backup b0 --state nothing
# ---- made while records are written ----
mlcd once --quiet --image customers.mlcb --page 25 --batch 10 >once.out 2>once.err &
once_pid=$!
pids="$pids $once_pid"
until_true 60 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/counters' | jq .inserts)\" -gt 20 ]" || true
n=0
while [ $n -lt 5 ] && kill -0 $once_pid 2>/dev/null; do
    n=$((n + 1))
    mlcd backup "run$n" --json >out 2>err || { not_ok "backup beside a running mlcd" "$(cat err)"; break; }
    sleep 0.2
done
is "backups were made while it wrote" "$((n >= 1))" 1
code=0; wait $once_pid || code=$?
is "the running one was not disturbed" "$code" 0
json "backup is JSON" out
for b in run*; do exits "the log of $b is whole" 0 mlc-audit-verify "$b/journal"; done
is "the master key is in none" "$(find run* -name master.key | wc -l)" 0
total=$(dump | jq length)
exits "a place that is taken" 1 mlcd backup run1
exits "the list of backups" 0 mlcd backup
is "has all of them" "$(wc -l <out)" "$n"
exits "as JSON" 0 mlcd backup --json
json "it is JSON" out

# ---- restored: records that it does not know are found by their keys ----
made=$(counter .inserts)
mv state gone
exits "restore" 0 mlcd restore run1
has "it says what is to be done" err "master key"
exits "into a place that is not empty" 1 mlcd restore run1
cp gone/master.key state/
cp gone/key.id state/ 2>/dev/null || true
exits "check of what was restored" 0 mlcd check
exits "the first pass" 0 mlcd once --quiet --full --image customers.mlcb --settle 1s --wait 60s
same_as_sage "all customers are right after a restore"
is "nothing was doubled" "$(dump | jq length)" "$total"
is "nothing was inserted again" "$(counter .inserts)" "$made"
mlcd audit show --kind ALARM >out
has "the log says that it was restored" out "restored from the backup of"
exits "it says so once" 0 mlcd once --quiet
is "and not again" "$(mlcd audit show --kind ALARM | grep -c 'restored from')" 1
exits "the log verifies" 0 mlcd audit verify

# ---- erasure ----
K=$(key 3); L=$(key 7)
edit "$K" '{"City":"Kanarienvogel"}'
exits "an edit" 0 mlcd once --quiet
exits "a backup that holds it" 0 mlcd backup held
mlcd audit show --key "ABC~$K" >out
has "the record can be read" out Kanarienvogel
exits "erase" 0 mlcd erase "ABC~$K"
has "names the backup that still holds the record" err "$W/held"
exits "one more" 0 mlcd erase "ABC~$L"
exits "a backup after it" 0 mlcd backup after
exits "erase of another" 0 mlcd erase "ABC~$(key 9)"
mv state old
exits "restore of the older one, with what the old log erased" 0 mlcd restore held --erased-from old
has "it says how many" err "3 erasures"
cp old/master.key state/
before=$(account "$K" Billing_City)
edit "$K" '{"City":"Nachtigall"}'
exits "the first pass" 0 mlcd once --quiet --full --settle 1s --wait 60s
is "the erased record is not synced again" "$(account "$K" Billing_City)" "$before"
mlcd audit show --key "ABC~$K" >out
has_not "its history is gone again" out Kanarienvogel
is "its data key is erased in what was restored" "$(jq -s '[.[] | select(.kind == "ROW")] | length > 0 and all(.erased)' out)" true
mv state older
exits "restore of the newer one" 0 mlcd restore after
cp old/master.key state/
exits "the first pass" 0 mlcd once --quiet --full --settle 1s --wait 60s
mlcd audit show --key "ABC~$K" >out
has_not "what was erased before a backup is not in it" out Kanarienvogel
is "nothing was doubled by all this" "$(dump | jq length)" "$total"

# ---- damaged backups ----
find after -type f ! -name backup.list ! -size 0 >files
missed=0
while read -r f; do
    cp "$f" kept
    printf '\252' | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc 2>/dev/null
    cmp -s "$f" kept && printf '\125' | dd of="$f" bs=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc 2>/dev/null       # that byte stood there
    mlcd restore after --state elsewhere >out 2>err && missed=$((missed + 1))
    cp kept "$f"
done <files
is "a damaged file in a backup is found ($(wc -l <files) files)" "$missed" 0
mv after/keys.slots kept
exits "a missing one too" 65 mlcd restore after --state elsewhere
mv kept after/keys.slots
sed -i 's/^last .*/last 7/' after/backup.list
exits "and a list that was changed" 65 mlcd restore after --state elsewhere
printf 'not a note\n' >>state/backups
exits "a note that cannot be read is told" 65 mlcd backup
has "with its line" err '"not a note"'
has "the one that this state came from is known" out "$W/after"
exits "and another backup is made" 0 mlcd backup 'with"quote' --json
json "a path with a quote is JSON" out
has "the notes are kept" state/backups "not a note"
has "the new one among them" state/backups 'with"quote'
head -c 1100000 /dev/zero | tr '\0' x >>state/backups
exits "notes that cannot be read are not lost" 65 mlcd backup late
has "the backup is told to be whole" err "is whole"
exits "it can be restored" 0 mlcd restore late --state late-state
exits "what is no backup" 65 mlcd restore old --state elsewhere
exits "nothing was left behind" 1 test -e elsewhere
finish
