#!/bin/sh
# decisions_test.sh - what a person decides: adoption by CSV, held runs, replay; and a running mlcd that gets a new spec.
. "$(dirname "$0")/lib.sh"
start_sage --customers 120
start_zoho
spec
sign_in

# ---- adoption ----
# Six customers that people made: three once, one twice, one that vanishes before the list is made, one that is to be made anew.
rows | jq -c '[.rows[].fields | select(.CustomerStatus == "A") | .CustomerName] | group_by(.) | map(select(length == 1) | .[0]) | sort_by(-length) | .[0:6]' >names
jq -c '{module: "Accounts", records: ((. + .[3:4]) | map({Account_Name: ., Phone: "by hand", Website: "https://by-hand.example"}))}' names >people
curl -fsS -X POST --data-binary @people "$ZOHO/__sim/seed" | jq -r '.ids[]' >ids
id() { sed -n "$1p" ids; }
exits "a plan finds what people made" 0 mlcd plan --quiet --json --image customers.mlcb
planned=$(jq -c 'select(.total) | [.insert, .wait]' out)
exits "first load" 0 mlcd once --quiet --image customers.mlcb
has "it says that decisions are waited for" out "6 wait for a decision"
made=$(counter .inserts)
is "as the plan said" "[$made,6]" "$planned"
is "what people made is untouched" "$(counter '.updates + .noop_updates')" 0
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$(id 5)\",\"permanent\":true}" "$ZOHO/__sim/delete" >/dev/null
exits "the list of candidates" 0 mlcd adopt
cp out list.csv
is "exact, several and none" "$(sed 1d list.csv | grep -oE ',(exact|several|none),' | sort | uniq -c | tr -d ',\n' | tr -s ' ')" " 4 exact 1 none 1 several"
exits "the list as JSON" 0 mlcd adopt --json
json "it is JSON" out
is "what is clear is filled in" "$(jq -r 'select(.match == "exact") | .decision' out | sort | tr '\n' ' ')" "$( (id 1; id 2; id 3; id 6) | sort | tr '\n' ' ')"
exits "nothing is decided by listing" 0 mlcd once --quiet
has "they still wait" out "6 wait for a decision"

name6=$(jq -r '.[5]' names)
key6=$(rows | jq -r --arg n "$name6" '.rows[] | select(.fields.CustomerName == $n) | "ABC~" + (.key | join("~"))')
key1=$(rows | jq -r --argjson n "$(jq '.[0]' names)" '.rows[] | select(.fields.CustomerName == $n) | "ABC~" + (.key | join("~"))')
{ head -1 list.csv; echo "ABC~99~NOBODY,x,exact,1,1"; echo "$key6,x,exact,,maybe"; echo "$key6"; } >wrong.csv
exits "lines that make no sense are refused, each by itself" 3 mlcd adopt --quiet wrong.csv
is "three lines are named" "$(grep -c 'wrong.csv: line [234]' err)" 3
# the decisions: the accounts that are clear, but number 6 anew; the older one of the two; the vanished one anew, as the list proposes
sed -e "s/^\($key6,.*\),[0-9]*\$/\1,create/" -e "s/^\(.*,several,.*,\)\$/\1$(id 4)/" list.csv | sed 's/$/\r/' >decided.csv
exits "the decided list comes back, from a spreadsheet" 0 mlcd adopt --quiet decided.csv --by "the accountant"
has "six decisions, two of them new accounts" out "decided 6; wrote 2 new, 4 updated"
same_as_sage "all customers are right after adoption"
is "accounts: those made, two anew, one candidate left over twice" "$(dump | jq length)" $((made + 2 + 4 + 2))
is "a phone number by hand is replaced by the one of the books" "$(dump | jq -r --arg i "$(id 1)" '.[] | select(.id == $i) | .Phone == "by hand"')" false
is "fill leaves a web site that people wrote" "$(dump | jq -r --arg i "$(id 1)" '.[] | select(.id == $i) | .Website')" "https://by-hand.example"
is "a record adopted is one that mlcd knows" "$(account "${key1#ABC~}" id)" "$(id 1)"
mlcd audit show --kind ADOPT --key "$key1" --flow customers >out
has "the log says who decided" out "the accountant"
exits "an account that is taken cannot be given again" 3 mlcd adopt --quiet decided.csv
exits "nobody waits any more" 0 mlcd adopt
has "and it says so" err "no record waits"

# ---- leave, return, delete; the fuse ----
K=$(key 2)
edit "$K" '{"CustomerStatus":"T"}'
exits "one leaves" 0 mlcd once --quiet
is "it is marked as left" "$(account "$K" Sage_Status)" Left
exits "a record that has left is no difference" 0 mlcd plan --quiet --detailed-exitcode
edit "$K" '{"CustomerStatus":"A"}'
exits "it returns" 0 mlcd once --quiet
is "it is active again" "$(account "$K" Sage_Status)" Active
rows | jq -r '[.rows[] | select(.fields.CustomerStatus == "A")][10:20][] | .key | join("~")' >doomed
while read -r k; do sage delete "{\"resource\":\"customers\",\"key\":\"$k\"}"; done <doomed
writes=$(counter '.updates + .inserts + .noop_updates')
exits "ten vanish at once: the fuse holds the run" 2 mlcd once --quiet --full
has "it says what to do" out "10 held by the fuse: mlcd accept"
is "nothing was written" "$(counter '.updates + .inserts + .noop_updates')" "$writes"
exits "held is a difference" 2 mlcd status --detailed-exitcode
has "status shows them" out HELD
exits "plan shows what is held" 0 mlcd plan --quiet
has "and that the fuse would hold it" out "10 deleted, 0 rejected, 0 waiting, 1 unchanged (1 rows in 1 reads); nothing was written; the fuse would hold this run"
exits "once more: still held" 2 mlcd once --quiet
exits "accept" 0 mlcd accept --quiet --json --by "the controller"
json "accept is JSON" out
is "ten were released and written" "$(jq -c '[.released, .updated]' out)" "[10,10]"
is "they are marked" "$(dump | jq '[.[] | select(.Sage_Status == "Deleted")] | length')" 10
mlcd audit show --kind ACCEPT >out
has "the log says who accepted" out "the controller"
exits "accept when nothing is held" 0 mlcd accept --quiet
same_as_sage "all customers are right after deletes"
sage insert "{\"resource\":\"customers\",\"key\":\"$(head -1 doomed)\"}"
exits "one of them comes back" 0 mlcd once --quiet
is "the same account is active again" "$(account "$(head -1 doomed)" Sage_Status)" Active
same_as_sage "all customers are right after a return"

# ---- replay ----
K=$(key 5)
exits "replay of nothing is wrong usage" 64 mlcd replay
exits "replay of an unknown record" 1 mlcd replay "ABC~99~NOBODY"
faults '[{"match":{"method":"PUT","path":"/crm/v8/Accounts","body_contains":"Nowhere"},"do":"partial","times":0,"code":"INVALID_DATA","field":"Billing_City","message":"no such city"}]'
edit "$K" '{"City":"Nowhere"}'
exits "a record that Zoho refuses does not stop the run" 0 mlcd once --quiet
has "it is set aside" out "set aside 1"
exits "replay while the cause stands" 1 mlcd replay --quiet "ABC~$K"
exits "why shows the refusal" 0 mlcd why "ABC~$K" Billing_City
has "with what Zoho said" out "not written: INVALID_DATA: no such city"
no_faults
exits "replay when it is gone" 0 mlcd replay --quiet --json "ABC~$K"
json "replay is JSON" out
is "the value arrived" "$(account "$K" Billing_City)" Nowhere

id=$(account "$K" id)
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\",\"record\":{\"Billing_City\":\"Atlantis\"}}" "$ZOHO/__sim/edit" >/dev/null
exits "replay from the log" 0 mlcd replay --quiet --from-log "ABC~$K"
is "puts back what the log says" "$(account "$K" Billing_City)" Nowhere
sage lock "{\"resource\":\"customers\",\"key\":\"$K\",\"reads\":1000}"
edit "$K" '{"City":"Newtown"}'
mlcd once --quiet --wait 1s >/dev/null 2>&1 || true
exits "the log is not played over newer state" 1 mlcd replay --quiet --from-log "ABC~$K"
has "and it says why" err "newer state"
sage lock "{\"resource\":\"customers\",\"key\":\"$K\",\"reads\":0}"
exits "replay from the source instead" 0 mlcd replay --quiet "ABC~$K"
is "brings the newer value" "$(account "$K" Billing_City)" Newtown

curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\",\"permanent\":true}" "$ZOHO/__sim/delete" >/dev/null
edit "$K" '{"City":"Oldtown"}'
exits "an account that people deleted" 0 mlcd once --quiet
has "is set aside, not made again by itself" out "set aside 1"
exits "status names the way out" 0 mlcd status
has "replay --recreate" out "mlcd replay --recreate"
exits "recreate" 0 mlcd replay --quiet --recreate "ABC~$K"
is "it stands there again, once" "$(dump | jq --arg k "ABC~$K" '[.[] | select(.Sage_Customer == $k)] | length')" 1
exits "after all of it a poll is quiet" 0 mlcd once --quiet --full
same_as_sage "all customers are right after replays"

# ---- a running mlcd gets a new spec ----
mlcd run --quiet --image customers.mlcb >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
K=$(rows | jq -r '[.rows[] | select(.fields.CustomerStatus == "A" and .fields.TermsCode == "03")][0].key | join("~")')
is "before" "$(account "$K" Payment_Terms)" "Net 60"
spec 's/"03" => "Net 60"/"03" => "Net 60 days"/'
kill -HUP $run_pid
if until_true 60 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg k 'ABC~$K' '.[] | select(.Sage_Customer == \$k) | .Payment_Terms == \"Net 60 days\"'"; then
    ok "SIGHUP: the new spec is loaded and what it changes is written"
else
    not_ok "SIGHUP: the new spec is loaded and what it changes is written" "$(account "$K" Payment_Terms); $(tail -3 run.err)"
fi
spec 's/every 15m/every 1s/'
kill -HUP $run_pid
edit "$K" '{"City":"On time"}'
if until_true 15 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg k 'ABC~$K' '.[] | select(.Sage_Customer == \$k) | .Billing_City == \"On time\"'"; then
    ok "an edit is seen by the schedule"
else
    not_ok "an edit is seen by the schedule" "$(tail -3 run.err)"
fi
echo broken >customers.mlcb
kill -HUP $run_pid
until_true 10 grep -q "the spec that runs goes on" run.err && ok "a broken file is refused, the old spec goes on" || not_ok "a broken file is refused, the old spec goes on" "$(tail -3 run.err)"
code=0; end $run_pid || code=$?
is "run ends cleanly" $code 0
exits "the log verifies after everything" 0 mlcd audit verify
finish
