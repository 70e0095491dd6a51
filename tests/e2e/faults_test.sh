#!/bin/sh
# faults_test.sh - what Zoho and the network do to a client on a bad day, one after the other, over real HTTP; and afterwards every customer stands in Zoho
# once, with the right values.
. "$(dirname "$0")/lib.sh"
start_sage --customers 300
API_HOSTS="http://localhost:*" start_zoho
spec
sign_in
put='"method":"PUT","path":"/crm/v8/Accounts"'
post='"method":"POST","path":"/crm/v8/Accounts"'
first='[.rows[] | select(.fields.CustomerStatus == "A")]'
# change FROM TO TEXT: edits the customers from number FROM on
rows >before.json
change() { jq -r "$first[$1:$2][] | .key | join(\"~\")" before.json | while read -r k; do edit "$k" "{\"City\":\"$3\"}"; done; }
once_ok() { exits "$1" 0 mlcd once --quiet --settle 1s --wait 60s --image customers.mlcb; }
arrived() { is "$1" "$(dump | jq --arg c "$2" '[.[] | select(.Billing_City == $c)] | length')" "$3"; }

# ---- the first load, with everything that a first load can meet ----
faults "[{\"match\":{$post},\"nth\":1,\"do\":\"timeout_after\",\"delay_ms\":10},
         {\"match\":{$post},\"nth\":1,\"do\":\"503\"},
         {\"match\":{$post},\"nth\":1,\"do\":\"drop_before\"},
         {\"match\":{$post},\"nth\":1,\"do\":\"500\",\"applied\":true},
         {\"match\":{$post},\"nth\":1,\"do\":\"wrong_length\"}]"
mlcd once --quiet --settle 1s --wait 90s --batch 30 --image customers.mlcb >out 2>err && ok "first load through lost answers, 5xx and cut replies" || not_ok "first load through lost answers, 5xx and cut replies" "$(cat out err | tr '\n' '|')"
same_as_sage "first load: nothing lost, nothing doubled"
is "all five faults struck" "$(counter .faults)" 5
no_faults

# ---- tokens ----
change 0 20 Expired
faults "[{\"match\":{$put},\"do\":\"expire_token\"}]"
once_ok "the token dies in the middle of a run"
arrived "its writes arrived" Expired 20
K=$(jq -r "$first[0].key | join(\"~\")" before.json)
port=${ZOHO##*:}
change 0 20 Moved
curl -fsS -X POST -d "{\"to\":\"http://localhost:$port\"}" "$ZOHO/__sim/change_domain" >/dev/null
once_ok "the API moves to another host"
arrived "its writes arrived there" Moved 20
change 0 10 Throttled
curl -fsS -X POST -d '{}' "$ZOHO/__sim/expire_tokens" >/dev/null
faults '[{"match":{"method":"POST","path":"/oauth/v2/token"},"do":"500","times":1}]'
exits "the sign-in server fails: try again later, no matter of configuration" 75 mlcd once --quiet --image customers.mlcb
once_ok "the next run"
arrived "writes what was read" Throttled 10
no_faults

# ---- limits ----
change 0 40 Busy
faults "[{\"match\":{$put},\"do\":\"429\",\"times\":2,\"retry_after\":1}]"
once_ok "429, twice"
arrived "its writes arrived" Busy 40

# ---- answers ----
change 0 10 Partial
faults "[{\"match\":{$put},\"do\":\"partial\",\"index\":3,\"code\":\"INVALID_DATA\",\"field\":\"Billing_City\"}]"
once_ok "one record of a request is refused"
has "it is set aside" out "set aside 1"
arrived "the nine others were written" Partial 9
stuck=$(mlcd status --json | jq -r '.causes[0].example')
exits "it is replayed" 0 mlcd replay --quiet "$stuck"
arrived "all ten" Partial 10
change 0 10 Silent
faults "[{\"match\":{$put},\"do\":\"timeout_after\",\"delay_ms\":10}]"
updates=$(counter '.updates + .noop_updates')
once_ok "applied, but the answer is lost"
arrived "its writes are there" Silent 10
is "they were read back and not sent again" "$(($(counter '.updates + .noop_updates') - updates))" 10
change 0 10 Short
faults "[{\"match\":{$put},\"do\":\"wrong_length\"}]"
once_ok "an answer that is one record short"
arrived "its writes are there" Short 10
change 0 10 Garbled
faults "[{\"match\":{$put},\"do\":\"truncated_json\"}, {\"match\":{$put},\"nth\":1,\"do\":\"html_502\"}]"
once_ok "an answer that cannot be read, then a proxy's page"
arrived "its writes are there" Garbled 10
change 0 10 Late
faults "[{\"match\":{$put},\"do\":\"apply_late\",\"delay_ms\":10,\"apply_after_ms\":300}]"
once_ok "applied after the connection broke, within the settle time"
arrived "its writes are there" Late 10
change 0 10 Turned
faults "[{\"match\":{$put},\"do\":\"reversed\"}]"
once_ok "results in another order"
arrived "each went to its own record" Turned 10
same_as_sage "after all of it: nothing lost, nothing doubled"
no_faults

# ---- a duplicate on a field that is not our key ----
sage insert '{"resource":"customers","key":"01~TWIN01","fields":{"CustomerStatus":"A","CustomerName":"Twin of another"}}'
other=$(dump | jq -r '.[5].id')
faults "[{\"match\":{$post},\"do\":\"duplicate_other_field\",\"times\":0,\"field\":\"Tax_Number\",\"id\":\"$other\"}]"
once_ok "an insert that hits another unique field"
exits "status shows it" 0 mlcd status
has "with what Zoho said" out "holds the same Tax_Number"
exits "why names the other record" 0 mlcd why "ABC~01~TWIN01"
has "by its id" out "$other"
is "no record was overwritten" "$(dump | jq --arg i "$other" '[.[] | select(.id == $i and .Account_Name == "Twin of another")] | length')" 0
no_faults
exits "it is made when the cause is gone" 0 mlcd replay --quiet "ABC~01~TWIN01"
is "the twin is there" "$(account "01~TWIN01" Account_Name)" "Twin of another"

# ---- Sage's side ----
change 0 30 Source
sage fault '{"on":"changed","kind":"cut","times":1}'
sage fault '{"on":"changed","kind":"status","code":"busy","retryAfter":1,"times":1}'
sage fault '{"on":"changed","kind":"garbage","times":1}'
mlcd once --quiet --image customers.mlcb >out 2>err || true
once_ok "Sage is cut off, busy, and hidden by a proxy"
arrived "its changes arrived" Source 30
sage epoch '{}'
once_ok "Sage's company is restored: the cursor has expired"
same_as_sage "at the end: nothing lost, nothing doubled"
exits "the log verifies" 0 mlcd audit verify
finish
