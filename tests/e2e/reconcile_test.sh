#!/bin/sh
# reconcile_test.sh - mlcd reconcile as an operator types it: table, CSV and JSON, exit codes, estimate, totals, repair, alone and beside a running mlcd.
. "$(dirname "$0")/lib.sh"
start_sage --customers 150
start_zoho
spec
sign_in
once --image customers.mlcb
total=$(dump | jq length)

exits "reconcile after a load: no difference" 0 mlcd reconcile --quiet
has "it says how many it compared" out "compared $total records: 0 differ"
exits "reconcile with an argument is wrong usage" 64 mlcd reconcile what
exits "two forms at once are wrong usage" 64 mlcd reconcile --csv --json
credits=$(counter .credits_spent)
exits "an estimate" 0 mlcd reconcile --estimate --quiet
has "it names the flow" out customers
exits "an estimate as JSON" 0 mlcd reconcile --estimate --json
json "the estimate is JSON" out
is "the estimate makes no call" "$(counter .credits_spent)" "$credits"

K=$(key 3); L=$(key 5); M=$(key 7)
id=$(account "$L" id)
edit "$K" '{"City":"Basel"}'
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\",\"record\":{\"Billing_City\":\"By, \\\"hand\\\"\",\"Open_Balance\":1.25}}" "$ZOHO/__sim/edit" >/dev/null
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$(account "$M" id)\",\"permanent\":true}" "$ZOHO/__sim/delete" >/dev/null
exits "differences: exit 2" 2 mlcd reconcile --quiet
has "the table has the edit in Sage" out Basel
has "and a count of what was edited" out "1  edited"
exits "as JSON" 2 mlcd reconcile --json
json "each line is JSON" out
is "the edit in Sage: the source is ahead" "$(jq -r --arg k "ABC~$K" 'select(.is == "difference" and .key == $k) | [.class, .field, .source, .target] | join(" ")' out | cut -d' ' -f1-3)" "ahead Billing_City Basel"
is "the edit in Zoho, field by field" "$(jq -r --arg k "ABC~$L" 'select(.is == "difference" and .key == $k and .class == "edited") | .field' out | sort | tr '\n' ' ')" "Billing_City Open_Balance "
is "the deleted account is missing" "$(jq -r --arg k "ABC~$M" 'select(.is == "difference" and .key == $k) | .class' out)" missing
is "the flow's line adds up" "$(jq -c 'select(.is == "flow") | [.same, .ahead, .edited, .missing, .orphan]' out)" "[$((total - 3)),1,1,1,0]"
spent=$(jq 'select(.is == "sum") | .credits' out)
[ "$spent" -gt 0 ] && ok "it says what it cost" || not_ok "it says what it cost" "$spent"
exits "as CSV" 2 mlcd reconcile --csv --quiet
is "CSV has one head line" "$(head -1 out | tr -d '\r')" "flow,class,key,id,field,source,written,target,why"
is "and a line a difference" "$(wc -l <out)" 5
has "a cell with a comma and quotes is quoted" out '"By, ""hand"""'
exits "totals as CSV" 2 mlcd reconcile --totals --csv --quiet
is "totals have one head line" "$(head -1 out | tr -d '\r')" "flow,by,party,source_records,target_records,amount,source_sum,target_sum,difference,differs"
rows >rows.json
want=$(jq '[.rows[].fields | select(.CustomerStatus != "T" and (.CustomerName // "") != "") | ((.CreditLimit // "0") | tonumber)] | add * 100 | round' rows.json)
is "the credit limits add up to Sage's" "$(tr -d '\r' <out | awk -F, '$6 == "Credit_Limit" { s += $7 } END { printf "%.0f", s * 100 }')" "$want"
is "three amounts and a deleted record differ" "$(tr -d '\r' <out | grep -c ',yes$')" 3
exits "totals as a table show what differs" 2 mlcd reconcile --totals --quiet
has "the balance by hand" out "1.25"

writes=$(counter '.updates + .inserts + .noop_updates')
exits "repair marks" 2 mlcd reconcile --repair --quiet --by "the controller"
has "and says what comes next" out "2 are marked"
is "it writes nothing itself" "$(counter '.updates + .inserts + .noop_updates')" "$writes"
exits "the next run writes" 0 mlcd once --quiet
is "the edit in Sage arrived" "$(account "$K" Billing_City)" Basel
is "the edit in Zoho is undone" "$(account "$L" Billing_City)" "$(rows | jq -r --arg k "$L" '.rows[] | select((.key | join("~")) == $k) | .fields.City')"
mlcd audit show --kind REPLAY >out
has "the log says who had it done" out "the controller"
exits "what people deleted is still missing" 2 mlcd reconcile --quiet
exits "and is made anew when that is asked for" 2 mlcd reconcile --repair --recreate --quiet
exits "a run" 0 mlcd once --quiet
exits "nothing differs" 0 mlcd reconcile --quiet
same_as_sage "all customers are right"

# ---- beside a running mlcd ----
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
exits "beside a running mlcd" 0 mlcd reconcile --quiet
id=$(account "$L" id)
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\",\"record\":{\"Billing_City\":\"Elsewhere\"}}" "$ZOHO/__sim/edit" >/dev/null
exits "it finds an edit there" 2 mlcd reconcile --quiet
has "and shows it" out Elsewhere
exits "repair is handed over" 2 mlcd reconcile --repair --quiet
if until_true 60 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg i '$id' '.[] | select(.id == \$i) | .Billing_City != \"Elsewhere\"'"; then
    ok "and the running one writes it"
else
    not_ok "and the running one writes it" "$(tail -3 run.err)"
fi
code=0; end $run_pid || code=$?
is "run ends cleanly" $code 0
exits "the log verifies" 0 mlcd audit verify
finish
