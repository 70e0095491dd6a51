#!/bin/sh
# dead_test.sh - dead letters: grouped by cause, listed, tried with a new mapping without a call, replayed by cause alone and beside a running mlcd.
. "$(dirname "$0")/lib.sh"
start_sage --customers 90
start_zoho
spec
sign_in
once --image customers.mlcb
exits "nothing is set aside" 0 mlcd dead --detailed-exitcode
has "and it says so" out "no record is set aside"

# Five that Zoho refuses for their city, three that lack a name, one refused for another field.
for i in 1 2 3 4 5; do key $i; done >cities
for i in 11 12 13; do key $i; done >names
S=$(key 20)
faults '[{"match":{"method":"PUT","path":"/crm/v8/Accounts","body_contains":"Nowhere"},"do":"partial","times":0,"code":"INVALID_DATA","field":"Billing_City","message":"no such city"},
         {"match":{"method":"PUT","path":"/crm/v8/Accounts","body_contains":"\"ZQ\""},"do":"partial","times":0,"code":"INVALID_DATA","field":"Billing_State","message":"no such state"}]'
while read -r k; do edit "$k" '{"City":"Nowhere"}'; sleep 0.3; once || true; done <cities
while read -r k; do edit "$k" '{"CustomerName":""}'; done <names
edit "$S" '{"State":"ZQ"}'
once || true
exits "dead letters" 0 mlcd dead
has "they are a cause with its text" out "no such city"
exits "with --detailed-exitcode they are a difference" 2 mlcd dead --detailed-exitcode
exits "as JSON" 0 mlcd dead --json
json "dead is JSON" out
is "grouped by cause" "$(jq -c '[.count, .state]' out | sort | tr '\n' ' ')" '[1,"REJECTED"] [3,"REJECTED"] [5,"REJECTED"] '
is "first is before last, both are times" "$(jq -r 'select(.count == 5) | (.first < .last) and (.first | test("^20.*Z$"))' out)" true
is "one record alone has one time" "$(jq -r 'select(.count == 1) | .first == .last' out)" true
is "the example is one of them" "$(jq -r 'select(.count == 5) | .example' out | sed 's/^ABC~//' | grep -cxFf - cities)" 1
cause=$(jq -r 'select(.count == 5) | .cause' out)
exits "as CSV" 0 mlcd dead --csv
is "CSV has its head" "$(head -1 out | tr -d '\r')" "cause,flow,state,count,first,last,example,why"
exits "the records of a cause" 0 mlcd dead "$cause" --json
is "all five, and no other" "$(jq -r .key out | sed 's/^ABC~//' | sort | tr '\n' ' ')" "$(sort cities | tr '\n' ' ')"
exits "a cause that nobody has" 1 mlcd dead "fire and flood"
is "status has the code too" "$(mlcd status --json | jq -r --arg c "$cause" '.causes[] | select(.cause == $c) | .count')" 5

# ---- try ----
cp customers.mlcb good.mlcb
calls=$(counter '.credits_spent')
exits "the same mapping clears nothing" 0 mlcd try customers.mlcb --json
json "try is JSON" out
is "all of them stay" "$(jq -c 'select(.is == "sum") | [.records, .cleared, .changed, .same, .unknown]' out)" "[9,0,0,9,0]"
exits "and that is a difference" 2 mlcd try customers.mlcb --detailed-exitcode
spec 's/CustomerName ?? reject "customer without a name"/CustomerName ?? "(no name)"/'
exits "a mapping that takes them without a name" 0 mlcd try customers.mlcb --json
is "clears three" "$(jq -c 'select(.is == "sum") | [.cleared, .changed, .same]' out)" "[3,0,6]"
is "and says of the others why" "$(jq -r 'select(.verdict == "same") | .why' out | sort | uniq -c | sed 's/^ *//' | tr '\n' '|')" "5 Billing_City would be sent as it was|1 Billing_State would be sent as it was|"
spec 's/^  Billing_City    = City$/  Billing_City = match { City == "Nowhere" => "Somewhere", else => City }/'
exits "a mapping that sends another city" 0 mlcd try customers.mlcb
has "the table counts" out "9 records are set aside: 0 would be cleared, 5 sent again with another value, 4 stay, 0 cannot be told"
has_not "and lists only what stays" out "Somewhere"
spec 's/^  Billing_State   = State$/  Billing_State = left(UDF_REGION ?? State, 20)/; s/^extend crm/extend erp.AR_Customer {\n  UDF_REGION: text(20)?\n}\n\n&/'
exits "a mapping that reads a column which nobody has read yet" 0 mlcd try customers.mlcb --json
is "cannot be told" "$(jq -c 'select(.is == "sum") | .unknown' out)" 9
has "and the column is named" out "the snapshot lacks the column UDF_REGION"
exits "a flow that is not there" 64 mlcd try customers.mlcb --flow suppliers
exits "what is no compiled spec" 65 mlcd try cities
exits "try of nothing" 64 mlcd try
is "no call was made" "$(counter '.credits_spent')" "$calls"

# ---- replay by cause ----
cp good.mlcb customers.mlcb
exits "replay of keys and a cause is wrong usage" 64 mlcd replay --cause x KEY
exits "replay of a cause that nobody has" 1 mlcd replay --cause "fire and flood"
exits "replay while the cause stands" 1 mlcd replay --quiet --batch 1 --cause "$cause"
is "they are set aside again" "$(mlcd dead --json | jq -r --arg c "$cause" 'select(.cause == $c) | .count')" 5
no_faults
exits "replay by code" 0 mlcd replay --quiet --json --cause "$cause" --by "the controller"
is "all five are written" "$(jq -c '[.replayed, .updated]' out)" "[5,5]"
mlcd audit show --kind REPLAY >out
has "the log says who" out "the controller"
is "the others are still there" "$(mlcd dead --json | jq -s 'map(.count) | add')" 4

mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
exits "dead beside a running mlcd" 0 mlcd dead
exits "replay by a part of the text is handed over" 0 mlcd replay --cause "no such state" --json
has "and done there" out '"replayed":1'
if until_true 60 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg k 'ABC~$S' '.[] | select(.Sage_Customer == \$k) | .Billing_State == \"ZQ\"'"; then
    ok "and it is written"
else
    not_ok "and it is written" "$(tail -3 run.err)"
fi
code=0; end $run_pid || code=$?
is "run ends cleanly" $code 0
while read -r k; do edit "$k" '{"CustomerName":"Named again"}'; done <names
exits "mended in the source" 0 mlcd once --quiet
exits "nothing is set aside" 0 mlcd dead --detailed-exitcode
exits "the log verifies" 0 mlcd audit verify
finish
