# demo_distribution.sh - the demo's second chapter: examples/sage100-zoho, a whole distributor, at its real size. Sourced by demo.sh, whose words it uses.
second=$W/second
mkdir "$second"
cp "$root"/examples/sage100-zoho/*.mlc "$root"/examples/sage100-zoho/*.csv "$root"/examples/sage100-zoho/*.lock "$second/"
cd "$second"
rows=contacts=3100,sales-orders=11500,sales-order-history=11600,ar-invoices=20500,vendors=500,items=4000,gl-accounts=300,purchase-orders=1000,ap-invoices=2000
"$B/sim-sage" --port 0 --port-file sage.port --customers 2000 --rows $rows --seed 7 --company ABC --token demo-token --user sync --password demo 2>sage.err &
pids="$pids $!"
# An org of Enterprise edition with nothing of Sage in it but the number that the sales team gives to its opportunities.
jq '.edition = "enterprise" | del(.modules[] | select(.api_name == "GL_Accounts")) | .modules |= map(.fields |= map(select((.custom // false) | not)))
    | (.modules[] | select(.api_name == "Deals") | .fields) |= . + [{"api_name": "Deal_Number", "data_type": "text", "length": 12, "custom": true, "unique": {"case_sensitive": false}}]' \
    "$data" >org.json
"$B/sim-zoho" --port 0 --port-file zoho.port --data org.json 2>zoho.err &
pids="$pids $!"
wait_for sage.port; wait_for zoho.port
SAGE=http://127.0.0.1:$(cat sage.port); ZOHO=http://127.0.0.1:$(cat zoho.port)
sage company '{"code":"DEF","name":"ABC West","customers":20}'
jq -cn '{module: "Deals", records: [range(200) | {Deal_Name: "Opportunity \(. + 1000)", Deal_Number: "D-\(. + 1000)", Stage: "Qualification"}]}' >deals.json
zoho -X POST --data-binary @deals.json "$ZOHO/__sim/seed" >/dev/null
export SAGE_AGENT_URL="$SAGE" SAGE_SOAP_URL="$SAGE/ebusinesswebservices/MasService.svc" MLCD_STATE="$second/state"
record() { zoho "$ZOHO/__sim/dump?module=$1" | jq -r ".[] | select(.$2 == \"$3\") | $4"; }   # MODULE FIELD VALUE JQ

step "A second company: a whole distributor, in eighteen flows"
sed -i 's|^\( *\)region *= us.*|&\n\1accounts_url = "'"$ZOHO"'"|' distribution.mlc
tell "Customers, contacts, suppliers of two companies, items, orders, quotes, invoices and what is due of them, purchase orders, supplier invoices, the" \
     "chart of accounts as a tree. 2,000 customers have 11,500 orders and quotes and 20,500 invoices, with their lines:"
sed -n '/^  Ordered_Items/,/^  }/p' sales.mlc | sed 's/^/    /'
type_it "mlc test distribution.mlc"
mlc test distribution.mlc >"$W/.out" 2>&1 || die "mlc test: $(tail -3 "$W/.out")"
tail -1 "$W/.out" | sed 's/^/    /'
run mlc build distribution.mlc; expect "mlc build" $code 0

step "Zoho is prepared by a command"
printf 'demo-token' | mlcd secret set sage-agent >/dev/null 2>&1; printf 'sync\ndemo' | mlcd secret set sage >/dev/null 2>&1
printf 'client_id=1000.SIMCLIENT\nclient_secret=sim-secret\ncode=1000.simcode\n' | mlcd auth zoho --image distribution.mlcb >/dev/null 2>&1
type_it "mlcd prepare --yes --image distribution.mlcb"
mlcd prepare --yes --image distribution.mlcb >prepared 2>&1 || die "mlcd prepare: $(tail -1 prepared)"
head -4 prepared | sed 's/^/    /'; echo "    ..."; tail -1 prepared | sed 's/^/    /'

step "Everything, parents first"
run mlcd once --image distribution.mlcb --quiet; expect "mlcd once" $code 0
for m in Accounts:2000 Contacts:3000 Sales_Orders:10000 Invoices:20000 Vendors:500 Products:4000 GL_Accounts:300; do
    n=$(zoho "$ZOHO/__sim/dump?module=${m%%:*}" | grep -o '"Created_Time"' | wc -l)
    [ "$n" -ge "${m#*:}" ] || die "${m%%:*}: $n records, expected at least ${m#*:}"
    printf '    %-14s %6d records\n' "${m%%:*}" "$n"
done
tell "Every line of an order leads to its product, every product to its account in the ledger, every invoice to customer, order and opportunity."

step "A line of an order changes: that line, and no other, and none twice"
order=$(curl -fsS -H 'Authorization: Bearer demo-token' "$SAGE/v1/companies/ABC/sales-orders?limit=200" |
    jq -r '[.rows[] | select(.fields.OrderType == "S" and ([.lines[] | select(.fields.ItemType == "1")] | length) >= 3)][0].key[0]')
lines=$(record Sales_Orders Sage_Order "ABC~$order" '.Ordered_Items | length')
sage edit "{\"resource\":\"sales-orders:lines\",\"key\":\"$order~000002\",\"fields\":{\"QuantityOrdered\":\"77\"}}"
run mlcd once --quiet; expect "mlcd once" $code 0
said "1 updated"
expect "lines of the order" "$(record Sales_Orders Sage_Order "ABC~$order" '.Ordered_Items | length')" "$lines"
record Sales_Orders Sage_Order "ABC~$order" '.Ordered_Items[] | "    \(.Quantity) x \(.Product_Name.name)"'

step "What becomes of an order, its history knows"
sage close "{\"key\":\"$order\",\"status\":\"C\"}"
run mlcd once --quiet; expect "mlcd once" $code 0
expect "state of the order" "$(record Sales_Orders Sage_Order "ABC~$order" .Sage_State)" Completed
tell "Sales order $order left its table in Sage: invoiced in full, not deleted. In Zoho it is Completed."

step "Accounting gets each invoice with its opportunity"
type_it "mlcd report invoices --csv"
mlcd report invoices --csv >invoices.csv 2>"$W/.err" || die "mlcd report: $(cat "$W/.err")"
head -4 invoices.csv | cut -c1-150 | sed 's/^/    /'
invoices=$(($(wc -l <invoices.csv) - 1))
[ $invoices -ge 20000 ] || die "the report has $invoices invoices"
tell "... $invoices invoices."
expect "nothing was written twice" "$(counter .noop_updates)" 0
