#!/bin/sh
# check.sh - our requests and the stand-in's answers held against Zoho's own OpenAPI, which is not part of this project (its licence allows no copy).
#
#     mlcd -> record.js (counts) -> Prism proxy --errors (judges) -> sim-zoho          sign-in goes straight to sim-zoho
#
#     make check-openapi ZOHO_OPENAPI=path/to/openapi.json      OPENAPI_LOG=FILE keeps what was recorded
#
# Fails on a violation that known.txt does not list, on an operation or a status of operations.txt that the run did not meet, and when that list
# and the connector's source do not say the same. Says why and ends with 0 when ZOHO_OPENAPI is unset or node is not there.
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${ZOHO_OPENAPI:-}" ] || { echo "check-openapi: skipped, ZOHO_OPENAPI does not name Zoho's description"; exit 0; }
for tool in node npm; do
    command -v $tool >/dev/null || { echo "check-openapi: skipped, $tool is not installed (Node 20 or later is needed)"; exit 0; }
done
[ -r "$ZOHO_OPENAPI" ] || { echo "check-openapi: $ZOHO_OPENAPI cannot be read" >&2; exit 1; }
ZOHO_OPENAPI=$(cd "$(dirname "$ZOHO_OPENAPI")" && pwd)/$(basename "$ZOHO_OPENAPI")
. "$here/../e2e/lib.sh"
. "$here/chain.sh"

# ---- the list against the source ----
listed | awk '{print $4}' | sort -u >listed.paths
# shellcheck disable=SC2046
sed 's|//.*||' $(ls "$root"/runtime/connectors/zoho/*.c | grep -vE '/(oauth|probe)\.c$') | grep -oE '"/[^"]*"' | sort -u >source.paths
is "the list of operations is the connector's" "$(diff source.paths listed.paths | grep '^[<>]' | tr '\n' ' ')" ""

# ---- the chain ----
start_sage --customers 150
# An org that lacks a field, two choices and a module, so that prepare has something to make; Enterprise, for the module.
jq '(.modules[] | select(.api_name == "Accounts") | .fields) |= map(select(.api_name != "Credit_Limit") | if .api_name == "Sage_Status" then .pick_list_values = ["Active"]
    elif .api_name == "Payment_Terms" then .length = 20 elif .api_name == "Sage_Customer" then del(.unique) else . end)' "$root/tests/sim/zoho/data/professional.json" >org.json
start_zoho --data org.json --edition enterprise --switches '{"search_lag_ms":0,"unique_fields":1}'     # what is seeded shall be found at once
start_chain
spec 's|^\( *\)region *= us.*|&\n\1api_url = "http://127.0.0.1:'"$(cat record.port)"'"|'
sign_in
pass() { exits "$1" 0 mlcd once --quiet --settle 1s --wait 90s --image customers.mlcb; }
put='"method":"PUT","path":"/crm/v8/Accounts"'
post='"method":"POST","path":"/crm/v8/Accounts"'
coql='"method":"POST","path":"/crm/v8/coql"'
active='[.rows[] | select(.fields.CustomerStatus == "A")]'
change() { jq -r "$active[$1:$2][] | .key | join(\"~\")" before.json | while read -r k; do edit "$k" "{\"City\":\"$3\"}"; done; }

# ---- every operation ----
# Made: what can be; a field without duplicates is one too many for this org at first.
exits "prepare, with a refusal" 3 mlcd prepare --yes --image customers.mlcb
curl -fsS -X POST -d '{"unique_fields":0}' "$ZOHO/__sim/switch" >/dev/null
exits "prepare" 0 mlcd prepare --yes --image customers.mlcb
printf '%s\n' 'extend crm.SageTerms {' '  Sage_Key: text(60) @unique' '}' 'flow terms from erp.AR_TermsCode to crm.SageTerms {' '  every 1h' '  key Sage_Key' \
    '  Name = TermsCodeDesc ?? TermsCode' '}' | cat customers.mlc - >terms.mlc
echo '{"modules": {"SageTerms": {"fields": {"Name": {"length": 120, "required": true, "type": "text"}}}}, "version": 1}' >zoho.lock
sed 's/^  Sage_Key: text(60) @unique/&\n  Other_Key: text(60) @unique/; s/^  Name = TermsCodeDesc.*/&\n  Other_Key = TermsCode/' terms.mlc >other.mlc
quietly mlc build terms.mlc -o terms.mlcb
quietly mlc build other.mlc -o other.mlcb
rm zoho.lock
exits "prepare with a module" 0 mlcd prepare --yes --image terms.mlcb --flow terms
curl -fsS -X POST -d '{"unique_fields":1}' "$ZOHO/__sim/switch" >/dev/null
exits "a field that is refused" 3 mlcd prepare --yes --image other.mlcb --flow terms
exits "pull" 0 mlcd pull --image customers.mlcb
rm zoho.lock
exits "ping" 0 mlcd ping --image customers.mlcb
# First, a load as a file by a state directory of its own, and notification channels that are made, renewed (Zoho grants little) and taken off. Prism
# judges an upload but passes its bytes on as text, so that no zip arrives: it is refused, and the load goes as inserts. In a second run the file goes
# straight to the stand-in, and Prism sees the job. Then the module is emptied again.
no_accounts() { for id in $(dump | jq -r '.[].id'); do curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\",\"permanent\":true}" "$ZOHO/__sim/delete" >/dev/null; done; }
curl -fsS -X POST -d '{"bulk_ms":1000,"watch_grant_s":70}' "$ZOHO/__sim/switch" >/dev/null
for way in refused taken; do
    to=http://127.0.0.1:$(cat record.port)
    [ $way = refused ] || to=$ZOHO
    sed 's|^\( *\)region *= us.*|&\n\1upload_url = "'"$to"'" bulk = always notify_url = "https://sync.example/zoho"|' customers.mlc >loads.mlc
    quietly mlc build loads.mlc -o loads.mlcb
    rm -rf loaded
    mkdir loaded
    cp -r state/secrets state/master.key loaded/
    [ -f state/key.id ] && cp state/key.id loaded/
    MLCD_STATE=$W/loaded mlcd once --quiet --settle 1s --wait 60s --image loads.mlcb >out 2>err && ok "a load as a file, $way" || not_ok "a load as a file, $way" "$(cat out err | tr '\n' '|')"
    is "all of it is there, $way" "$([ "$(dump | jq length)" -gt 100 ] && echo yes)" yes
    [ $way = taken ] || no_accounts
done
MLCD_STATE=$W/loaded mlcd run --quiet --image loads.mlcb >run.out 2>run.err &
runner=$!
pids="$pids $runner"
until_true 90 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/counters' | jq '.calls.watch_renew // 0')\" -ge 1 ]" || true
end $runner || true
is "channels are renewed, and taken off at the end" "$(counter '[(.calls.watch_renew // 0) >= 1, .channels]' | tr -d ' \n')" "[true,0]"
no_accounts
rows >before.json
# Three customers that people made before; one of them twice, one with a name that a query has to escape.
quoted=$(jq -r "$active[0].key | join(\"~\")" before.json)
edit "$quoted" "{\"CustomerName\":\"O'Hara \\\\ Sons\"}"          # changed last, so the last of the list from now on
rows >before.json
jq -c "[$active | .[-1], .[0], .[1] | .fields.CustomerName] | {module: \"Accounts\", records: ((. + .[2:3]) | map({Account_Name: ., Phone: \"by hand\"}))}" before.json >people
curl -fsS -X POST --data-binary @people "$ZOHO/__sim/seed" >/dev/null
faults "[{\"match\":{$coql,\"body_contains\":\"O\\\\\\\\'Hara\"},\"do\":\"flat_400\",\"code\":\"SYNTAX_ERROR\",\"message\":\"error occurred while parsing the query\"},
         {\"match\":{$coql},\"nth\":2,\"do\":\"500\"},
         {\"match\":{$coql},\"nth\":2,\"do\":\"401\"},
         {\"match\":{$post},\"do\":\"429\",\"retry_after\":1},
         {\"match\":{$post},\"do\":\"500\"},
         {\"match\":{$post},\"do\":\"401\"},
         {\"match\":{$post},\"do\":\"partial\",\"index\":1,\"code\":\"INVALID_DATA\",\"field\":\"Billing_City\"},
         {\"match\":{$post},\"do\":\"flat_400\"}]"
mlcd once --quiet --batch 10 --settle 1s --wait 120s --image customers.mlcb >out 2>err && ok "first load, on a bad day" || not_ok "first load, on a bad day" "$(cat out err | tr '\n' '|')"
no_faults
mlcd status --json >status.json
mlcd adopt >list.csv 2>err || not_ok "the list of candidates" "$(cat err)"
sed 's/^\(.*,several,\([^,|;]*\)[^,]*,\)$/\1create/' list.csv >decided.csv
mlcd adopt --quiet decided.csv >out 2>err && ok "candidates are read and linked" || not_ok "candidates are read and linked" "$(cat out err list.csv | tr '\n' '|')"
change 20 140 Moved
pass "an update of more than a hundred records"
change 30 50 Partial
faults "[{\"match\":{$put},\"do\":\"429\",\"retry_after\":1},
         {\"match\":{$put},\"do\":\"partial\",\"index\":1,\"code\":\"INVALID_DATA\",\"field\":\"Billing_City\"}]"
pass "an update that fails for one record"
change 50 52 Refused
faults "[{\"match\":{$put},\"do\":\"partial\",\"all\":true,\"code\":\"INVALID_DATA\",\"field\":\"Billing_City\"}]"
pass "an update that fails for all"
no_faults
# A write without an answer is read back: an insert by key, an update by id; and a record that is gone answers with nothing.
change 60 63 Lost
faults "[{\"match\":{$put},\"do\":\"drop_after\"}]"
pass "an update without an answer"
no_faults
gone=$(dump | jq -r --arg k "ABC~$(jq -r "$active[70].key | join(\"~\")" before.json)" '.[] | select(.Sage_Customer == $k) | .id')
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$gone\",\"permanent\":true}" "$ZOHO/__sim/delete" >/dev/null
change 70 71 Gone
faults "[{\"match\":{$put},\"do\":\"drop_before\"}]"
pass "an update of a record that is gone"
exits "plan" 0 mlcd plan
[ -z "${OPENAPI_LOG:-}" ] || cp calls.jsonl "$OPENAPI_LOG"

# ---- what was met ----
judge_calls
listed | while read -r name method path source statuses; do
    for s in $(echo "$statuses" | tr , ' '); do
        if jq -es --arg op "$name" --argjson s "$s" 'any(.[]; .op == $op and .status == $s)' calls.jsonl >/dev/null; then ok "$name $s was met"
        else not_ok "$name $s was met" "the run never saw it ($method $path, $source)"; fi
    done
done >met
cat met
grep -q '^not ok' met && bad=1
finish
