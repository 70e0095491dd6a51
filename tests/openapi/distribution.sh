#!/bin/sh
# distribution.sh - the whole of examples/sage100-zoho held against Zoho's own OpenAPI: every flow with lines, links and guard, a first load, changes, a line
# that changes, reconcile and the report. The chain and the judgement are those of check.sh; what Prism lets through is compared as in the e2e test.
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${ZOHO_OPENAPI:-}" ] && command -v node >/dev/null && command -v npm >/dev/null || exit 0          # check.sh has said why
ZOHO_OPENAPI=$(cd "$(dirname "$ZOHO_OPENAPI")" && pwd)/$(basename "$ZOHO_OPENAPI")
. "$here/../e2e/lib.sh"
. "$here/../e2e/distribution.sh"
. "$here/chain.sh"

start_distribution 60 contacts=90,sales-orders=350,sales-order-history=360,ar-invoices=650,vendors=20,items=130,gl-accounts=60,purchase-orders=30,ap-invoices=60 20
start_chain
sed -i 's|^\( *\)region *= us.*|&\n\1api_url = "http://127.0.0.1:'"$(cat record.port)"'"|' distribution.mlc
quietly mlc build distribution.mlc -o customers.mlcb
pass() { exits "$1" 0 mlcd once --quiet --settle 1s --wait 120s --image customers.mlcb; }
pass "everything, parents first"
same_world "all of Zoho is as the reference says"
pass "a second run"
order=$(module Sales_Orders | jq -r '[.[] | select((.Ordered_Items | length) > 2 and .Status != "Completed")][0].Sage_Order | split("~")[1]')
sage edit "{\"resource\":\"sales-orders:lines\",\"key\":\"$order~000002\",\"fields\":{\"QuantityOrdered\":\"77\"}}"
sage touch "{\"resource\":\"sales-orders\",\"key\":\"$order\"}" 2>/dev/null || true
pass "a line of an order changes"
is "that line, and no other" "$(module Sales_Orders | jq --arg k "$order" '[.[] | select(.Sage_Order | split("~")[1] == $k) | .Ordered_Items[] | select(.Quantity == 77)] | length')" 1
is "it was read before it was written" "$(jq -es 'any(.[]; .op == "one" and .status == 200)' calls.jsonl)" true
code=0
mlcd reconcile --image customers.mlcb >reconcile.out 2>reconcile.err || code=$?
is "reconcile" "$([ "$code" -eq 0 ] || [ "$code" -eq 2 ] && echo ran)" ran
exits "the report" 0 mlcd report invoices --csv --image customers.mlcb
judge_calls
finish
