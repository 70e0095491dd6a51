#!/bin/sh
# soap_test.sh - Sage 100 without an agent: eBusiness Web Services by key, keys from a file. The stand-in answers SOAP only; a twin of it with the same
# seed and an agent says what is true.
. "$(dirname "$0")/lib.sh"
OWN="--except stored.bin"        # the whole state in one file, for greps: the master key stands in it
start_sage --customers 60
TWIN=$SAGE
start_sage --customers 60 --no-agent
SOAP=$SAGE
SAGE=$TWIN
start_zoho
both() { SAGE=$TWIN; sage "$1" "$2"; SAGE=$SOAP; sage "$1" "$2"; SAGE=$TWIN; }
both_edit() { both edit "{\"resource\":\"customers\",\"key\":\"$1\",\"fields\":$2}"; }
calls() { curl -fsS "$SOAP/__sim/counters" | jq '.endpoints.GetCustomer.requests'; }

spec '/^  agent /d; /^  token /d; s|^  login    = secret("sage")|&\n  keys     = file("keys.csv")|; s/from erp.AR_Customer to/from erp.AR_Customer via soap to/'
rows | jq -r '"ARDivisionNo,CustomerNo", (.rows[] | .key | @csv)' >keys.csv
sign_in
exits "ping over SOAP" 0 mlcd ping --image customers.mlcb
has "ping reads the contract" out contract
exits "first load over SOAP" 0 mlcd once --quiet --image customers.mlcb
is "one call a customer, and the probes of ping" "$(($(calls) >= 60))" 1
same_as_sage "every customer arrived"
writes=$(counter '.inserts + .updates + .noop_updates')
exits "a second pass" 0 mlcd once --quiet --image customers.mlcb
is "sends nothing" "$(($(counter '.inserts + .updates + .noop_updates') - writes))" 0

K=$(key 2)
both_edit "$K" '{"City":"Grenoble"}'
exits "an edit with a stamp" 0 mlcd once --quiet --image customers.mlcb
is "is seen" "$(account "$K" Billing_City)" Grenoble
K2=$(key 4)
SAGE=$TWIN; sage edit "{\"resource\":\"customers\",\"key\":\"$K2\",\"fields\":{\"City\":\"Annecy\"},\"stamp\":\"kept\"}"
SAGE=$SOAP; sage edit "{\"resource\":\"customers\",\"key\":\"$K2\",\"fields\":{\"City\":\"Annecy\"},\"stamp\":\"kept\"}"; SAGE=$TWIN
exits "an edit without a new stamp" 0 mlcd once --quiet --image customers.mlcb
is "is seen by the content" "$(account "$K2" Billing_City)" Annecy

SAGE=$SOAP; sage lock "{\"resource\":\"customers\",\"key\":\"$K\",\"reads\":3}"; SAGE=$TWIN
both_edit "$K" '{"City":"Chambéry"}'
both_edit "$K2" '{"City":"Lyon"}'
exits "a record that is in use is read a little later" 0 mlcd once --quiet --image customers.mlcb --wait 30s
is "nobody waited for it" "$(account "$K2" Billing_City)" Lyon
is "and it arrived" "$(account "$K" Billing_City)" "Chambéry"

both delete "{\"resource\":\"customers\",\"key\":\"$K2\"}"
exits "a customer that is missing" 0 mlcd once --quiet --full --image customers.mlcb
is "is marked as deleted" "$(account "$K2" Sage_Status)" Deleted
printf '77,NOBODY\n' >>keys.csv
exits "a key that Sage does not have is passed over" 0 mlcd once --quiet --image customers.mlcb
is "it makes no account" "$(account "77~NOBODY" id)" ""
same_as_sage "every customer is right at the end"

cp -r state other; printf 'sync\nwrong\n' >in; mlcd secret set sage --state other <in 2>/dev/null; rm in
exits "a wrong password of Sage" 77 mlcd once --quiet --image customers.mlcb --state other
SAGE=$SOAP; sage fault '{"on":"GetCustomer","kind":"exception","times":2}'; SAGE=$TWIN
both_edit "$K" '{"City":"Paris"}'
exits "two failures of the service in a row" 0 mlcd once --quiet --image customers.mlcb --wait 60s
is "are survived" "$(account "$K" Billing_City)" Paris
find state other -type f -exec cat {} + >stored.bin
if grep -qaF -- "$PASSWORD" stored.bin err out; then not_ok "the password stands nowhere" "$PASSWORD"; else ok "the password stands nowhere"; fi

# ---- no list of any kind: what is known is kept true ----
sed -i '/^  keys     = file/d' customers.mlc
quietly mlc build customers.mlc -o customers.mlcb
both_edit "$K" '{"City":"Nantes"}'
K3=$(key 7)
both delete "{\"resource\":\"customers\",\"key\":\"$K3\"}"
before=$(calls)
exits "a run without a list of keys" 0 mlcd once --quiet --image customers.mlcb --wait 30s
is "reads what it knows, one call each" "$(($(calls) - before >= 58 && $(calls) - before <= 64))" 1
is "an edit is seen" "$(account "$K" Billing_City)" Nantes
is "a customer that is missing is marked" "$(account "$K3" Sage_Status)" Deleted
both insert "{\"resource\":\"customers\",\"key\":\"$K3\",\"fields\":{\"CustomerStatus\":\"A\"}}"
exits "a run after its return" 0 mlcd once --quiet --image customers.mlcb --wait 30s
is "brings it back" "$(account "$K3" Sage_Status)" Active
MLCD_STATE=$W/empty sign_in
MLCD_STATE=$W/empty exits "a first run that knows none" 78 mlcd once --quiet --image customers.mlcb
has "says what to do" err 'set keys = file("keys.csv")'
exits "the log verifies" 0 mlcd audit verify
finish
