#!/bin/sh
# language_test.sh - the example that uses the whole language runs, over real HTTP: orders and invoices with lines, what is due of them in the same records,
# a guarded chart of accounts. Zoho is compared with Sage record by record, in jq and not by the engine.
. "$(dirname "$0")/lib.sh"
start_sage --customers 40
start_zoho --data "$root/tests/e2e/language/org.json"
cp -r "$root"/examples/language/. .
sed -i 's|^\( *\)region *= us.*|&\n\1accounts_url = "'"$ZOHO"'"|; /trust *=/d' language.mlc
quietly mlc build language.mlc -o customers.mlcb
sign_in
table() { curl -fsS -H "Authorization: Bearer $TOKEN" "$SAGE/v1/companies/ABC/$1?limit=1000"; }
records() { curl -fsS "$ZOHO/__sim/dump?module=$1"; }
run_once() { exits "$1" 0 mlcd once --quiet --settle 1s --wait 60s --image customers.mlcb; }

# lines NAME TABLE FILTER KEY-FIELD MODULE LIST QUANTITY: rows of Zoho against lines of Sage, as sorted lists of item, quantity, price
lines() {
    table "$2" >sage.json
    records "$5" >zoho.json
    records Products >products.json
    table customers >customers.json
    jq -rn --slurpfile s sage.json --slurpfile z zoho.json --slurpfile p products.json --slurpfile c customers.json --arg key "$4" --arg list "$6" --arg qty "$7" '
        ($p[0] | map({(.id): .Sage_Item}) | add) as $items
        | ($c[0].rows | map(select(.fields.CustomerStatus != "T") | .key | join("~"))) as $customers
        | ($z[0] | map({(.[$key]): [.[$list][] | [$items[.Product_Name.id], .Quantity, (.List_Price * 100 | round)]] | sort}) | add // {}) as $have
        | [$s[0].rows[] | select('"$3"') | select(.fields.ARDivisionNo + "~" + .fields.CustomerNo | IN($customers[]))
           | {k: ("ABC~" + (.key | join("~"))), l: ([.lines[] | .fields | select(.ItemType == "1")
               | ["ABC~" + .ItemCode, (.[$qty] | tonumber), (.UnitPrice | tonumber * 100 + 1e-6 | round)]] | sort)} | select(.l != [])] as $want
        | ($want | map(select(.l != $have[.k])) | .[] | "\(.k): \($have[.k]) instead of \(.l)"),
          "\($want | length) of \($have | length), \($want | map(.l | length) | add) lines"' >lines.out 2>&1 || true
    n=$(wc -l <lines.out)
    [ "$n" = 1 ] && ok "$1: $(cat lines.out)" || not_ok "$1" "$(head -4 lines.out | tr '\n' '|')"
}
compare() {
    lines "$1: orders" sales-orders '.fields.OrderType != "Q"' Sage_Order Sales_Orders Ordered_Items QuantityOrdered
    lines "$1: invoices" ar-invoices 'true' Sage_Invoice Invoices Invoiced_Items QuantityShipped
    table ar-open-invoices >sage.json
    records Invoices >zoho.json
    is "$1: what is due stands in the invoices" "$(jq -c '[.[] | select(.Balance_Due != null) | [.Sage_Invoice, .Balance_Due]] | sort' zoho.json)" \
        "$(jq -cn --slurpfile s sage.json --slurpfile z zoho.json '($z[0] | map(.Sage_Invoice)) as $have | [$s[0].rows[].fields | select(.InvoiceHistoryHeaderSeqNo != "")
            | ["ABC~" + .InvoiceNo + "~" + .InvoiceHistoryHeaderSeqNo, (.Balance | tonumber)] | select(.[0] | IN($have[]))] | sort')"
}

run_once "the first load"
compare "first load"
is "every account of the ledger stands under its group" "$(records GL_Accounts | jq '[.[] | select(.Parent != null)] | length')" "$(table gl-accounts | jq '[.rows[].fields | select(.AccountGroup != "")] | length')"
before=$(counter '.inserts + .updates + .noop_updates')
run_once "a quiet run"
is "writes nothing" "$(counter '.inserts + .updates + .noop_updates')" "$before"

# ---- lines change, come and go; an answer is lost ----
table sales-orders >orders.json
for k in $(jq -r '[.rows[] | select(.fields.OrderType != "Q" and .fields.CustomerNo != "") | .lines[0].key as $l | .key[0] + "~" + $l[-1]] | .[0:6][]' orders.json); do
    sage edit "{\"resource\":\"sales-orders:lines\",\"key\":\"$k\",\"fields\":{\"QuantityOrdered\":\"77\"}}"
done
k=$(jq -r '[.rows[] | select(.fields.OrderType != "Q" and (.lines | length) > 2) | .key[0] + "~" + .lines[1].key[-1]][0]' orders.json)
sage delete "{\"resource\":\"sales-orders:lines\",\"key\":\"$k\"}"
faults '[{"match":{"method":"PUT","path":"/crm/v8/Sales_Orders"},"do":"timeout_after","delay_ms":10}]'
run_once "lines change in Sage, the answer is lost"
compare "after changes"
no_faults

# ---- the ledger is guarded ----
id=$(records GL_Accounts | jq -r '.[0].id')
name=$(records GL_Accounts | jq -r '.[0].Name')
key=$(records GL_Accounts | jq -r '.[0].Sage_GL')
curl -fsS -X POST -d "{\"module\":\"GL_Accounts\",\"id\":\"$id\",\"record\":{\"Name\":\"Slush fund\"}}" "$ZOHO/__sim/edit" >/dev/null
run_once "a person renames an account of the ledger"
is "it has its name again" "$(records GL_Accounts | jq -r --arg i "$id" '.[] | select(.id == $i) | .Name')" "$name"
quietly mlcd why "$key" Name
has "why says what the person wrote" out "Name: Slush fund -> $name"
quietly mlcd status
has "status counts it" out "1 records that people had changed in the target were put back"

# ---- one invoice, two flows ----
key=$(records Invoices | jq -r '[.[] | select(.Balance_Due != null) | .Sage_Invoice][0]')
quietly mlcd why "$key"
has "why tells of the invoice's own fields" out "invoices, record"
has "and of those that another flow adds" out "dues, record"
finish
