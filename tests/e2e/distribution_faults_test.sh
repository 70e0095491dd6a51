#!/bin/sh
# distribution_faults_test.sh - the distributor's first load and a day's changes through everything that both systems and the network do on a bad day: lost
# and cut answers, 5xx, wrong lengths, a dying token, busy agents, locked rows, broken pages. Afterwards Zoho differs from what the reference evaluator says
# in exactly the records whose injected fault says so, and in none when these are replayed.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/distribution.sh"
start_distribution 60 contacts=90,sales-orders=150,sales-order-history=155,ar-invoices=260,vendors=30,items=80,gl-accounts=90,purchase-orders=40,ap-invoices=80 20
table() { curl -fsS -H "Authorization: Bearer $TOKEN" "$SAGE/v1/companies/ABC/$1?limit=1000"; }
pick() { table "$1" | jq -r "[.rows[] | select(${3:-true})] | sort_by(.key)[$2].key | join(\"~\")"; }
table ar-invoices | jq -r '[.rows[].fields.SalesOrderNo] | unique | .[]' >billed
order=$(table sales-orders | jq -r --rawfile b billed '[.rows[] | select(.fields.OrderType != "Q") | .key[0] | select(. as $k | $b | contains($k) | not)] | sort[5]')   # one that no invoice looks up
contact=$(pick contacts 7)
person=$(table contacts | jq -r --arg k "$contact" '.rows[] | select((.key | join("~")) == $k) | "ABC~" + $k')
item=$(pick items 33)
crm() { printf '{"match":{"method":"%s","path":"/crm/v8/%s"%s},%s}' "$1" "$2" "${4:-}" "$3"; }
# Three records are refused for good; the rest is weather.
refuse() {
    crm POST Sales_Orders '"do":"partial","times":0,"code":"INVALID_DATA","field":"Subject","message":"refused by a rule"' ",\"record_contains\":\"Sales order $order\""
    printf ,; crm POST Contacts '"do":"partial","times":0,"code":"INVALID_DATA","field":"Last_Name","message":"refused by a rule"' ",\"record_contains\":\"\\\"$person\\\"\""
    printf ,; crm POST Products '"do":"partial","times":0,"code":"INVALID_DATA","field":"Product_Name","message":"refused by a rule"' ",\"record_contains\":\"\\\"ABC~$item\\\"\""
}
weather() {
    for m in Accounts Vendors Invoices; do printf ,; crm POST $m '"nth":1,"do":"timeout_after","delay_ms":10'; done
    printf ,; crm POST Purchase_Orders '"nth":1,"do":"wrong_length"'
    printf ,; crm POST GL_Accounts '"nth":1,"do":"truncated_json"'
    printf ,; crm POST Quotes '"nth":1,"do":"500","applied":true'
    printf ,; crm POST Sales_Orders '"nth":1,"do":"503"'
    printf ,; crm POST Supplier_Invoices '"nth":1,"do":"drop_before"'
    printf ,; crm PUT Invoices '"nth":1,"do":"timeout_after","delay_ms":10'
    printf ,; crm PUT Sales_Orders '"nth":1,"do":"expire_token"'
    printf ,; crm PUT Vendors '"nth":1,"do":"html_502"'
}
storm() {
    faults "[$(refuse)$(weather)]"
    sage fault '{"on":"changed","kind":"cut","path":"/ar-invoices","times":1}'
    sage fault '{"on":"changed","kind":"status","code":"busy","retryAfter":1,"path":"/items","times":2}'
    sage fault '{"on":"changed","kind":"status","code":"session_failed","path":"/gl-accounts","times":1}'
    sage fault '{"on":"changed","kind":"short_page","path":"/sales-orders","times":1}'
    sage fault '{"on":"changed","kind":"garbage","path":"/purchase-orders","times":1}'
    sage lock "{\"resource\":\"customers\",\"key\":\"$(pick customers 5)\",\"reads\":2}"
}
# until_done NAME [OPTIONS...]: what a service would do: again, until a run ends by itself
until_done() {
    what=$1
    shift
    for turn in 1 2 3 4 5 6; do
        code=0
        mlcd once --quiet --settle 1s --wait 60s --image customers.mlcb "$@" >out 2>err || code=$?
        [ $code != 0 ] && [ $code != 1 ] || break
    done
    [ $code = 0 ] || [ $code = 1 ] && ok "$what (run $turn)" || not_ok "$what" "exit $code after $turn runs: $(tail -3 err | tr '\n' '|')"
}
# only_refused NAME: what differs is the refused records and what rests on the refused item, found in Sage's rows: documents with a line of it, and what
# bills these. Those that rest on it wait; none is written half.
only_refused() {
    grep -v '^compared' differences.out | sed 's/: .*//' | sort -u >named.out
    {
        printf '%s\n' "orders ABC~$order" "contacts $person" "items ABC~$item"
        jq -rn --arg i "$item" --slurpfile so SO_SalesOrderHeader.json --slurpfile po PO_PurchaseOrderHeader.json --slurpfile ar AR_InvoiceHistoryHeader.json --slurpfile ap AP_InvoiceHistoryHeader.json '
            def rows($f): [$f[].rows[]];
            def has_item: any(.lines[]; .fields.ItemCode == $i);
            def name($flow): "\($flow) ABC~\(.key | join("~"))";
            (rows($so) | map(select(has_item))) as $orders | (rows($po) | map(select(has_item))) as $pos
            | ($orders[] | if .fields.OrderType == "Q" then name("quotes") else name("orders") end), ($pos[] | name("purchase_orders")),
              (rows($ar)[] | select(.fields.InvoiceType != "XD") | select(has_item or (.fields.SalesOrderNo as $o | $orders | any(.fields.OrderType != "Q" and .key[0] == $o))) | name("invoices")),
              (rows($ap)[] | select(.fields.PurchaseOrderNo as $o | $pos | any(.key[0] == $o)) | name("supplier_invoices"))'
    } | sort -u >wanted.out
    if [ "$(comm -23 named.out wanted.out | grep -c .)" = 0 ] && grep -q "^orders ABC~$order\$" named.out && grep -q "^items ABC~$item\$" named.out; then
        ok "$1 ($(grep -c . named.out) records of $(grep -c . wanted.out))"
    else
        not_ok "$1" "$(comm -23 named.out wanted.out | tr '\n' '|' | cut -c1-600)"
    fi
}

storm
until_done "a first load through all of it"
[ "$(counter .faults)" -ge 12 ] && ok "the faults struck" || not_ok "the faults struck" "$(counter .faults)"
differences
only_refused "exactly the refused records are missing, and what rests on them"
is "no key stands twice" "$(for m in $modules; do jq -r '.[] | [to_entries[] | select(.key | startswith("Sage_")) | select(.value | type == "string" and startswith("ABC~")) | .value][0] // empty' $m.dump.json | sort | uniq -d; done | grep -c .)" 0
exits "status" 0 mlcd status
has "names the cause" out "refused by a rule"
has "and what waits for the item" out "waits for items ABC~$item"

# ---- a day's changes, in the same weather ----
for r in customers contacts vendors items; do sage churn "{\"resource\":\"$r\",\"count\":12}"; done
for n in 1 2 3 4; do
    sage edit "{\"resource\":\"sales-orders:lines\",\"key\":\"$(pick sales-orders $((n + 20)))~000001\",\"fields\":{\"QuantityOrdered\":\"$((n * 7))\"}}"
    sage edit "{\"resource\":\"ar-invoices:lines\",\"key\":\"$(pick ar-invoices $((n + 20)))~000001\",\"fields\":{\"UnitPrice\":\"$((n * 9)).5\"}}"
    sage edit "{\"resource\":\"ar-open-invoices\",\"key\":\"$(pick ar-open-invoices $n)\",\"fields\":{\"Balance\":\"$n.25\"}}"
done
storm
until_done "the day's changes"
until_done "the day after: all of it is read again, what vanished is asked for" --full
differences
only_refused "still nothing else differs"
is "rows of lines are not doubled" "$(jq '[.[] | select((.Ordered_Items | length) > 5)] | length' Sales_Orders.dump.json)" 0

# ---- the causes are mended ----
no_faults
sage clear_faults '{}'
for x in "items ABC~$item" "contacts $person" "orders ABC~$order"; do
    exits "replay ${x%% *}" 0 mlcd replay --quiet --flow "${x%% *}" "${x#* }" --settle 1s
done
until_done "what waited goes out"
same_world "both systems agree in everything"
exits "the log verifies" 0 mlcd audit verify
finish
