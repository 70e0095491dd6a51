#!/bin/sh
# distribution_test.sh - the integration of a whole distributor, examples/sage100-zoho, at its real size: 2,000 customers, 3,100 contacts, 500 suppliers, 4,000
# items, 10,100 sales orders and 1,400 quotes with lines, 20,000 invoices with lines, 300 ledger accounts. Afterwards every field, line and link of every record
# in Zoho is what the reference evaluator makes of Sage's rows. MLC_SMALL=1: a thirtieth of it.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/distribution.sh"
exits "the spec is clean and proved" 0 mlc check --proof "$root/examples/sage100-zoho/distribution.mlc"
is "nothing rests on an assumption" "$(grep -c ASSUMED out)" 0
exits "its tests" 0 mlc test "$root/examples/sage100-zoho/distribution.mlc"
if [ -n "${MLC_SMALL:-}" ]; then
    start_distribution 60 contacts=90,sales-orders=350,sales-order-history=360,ar-invoices=650,vendors=20,items=130,gl-accounts=60,purchase-orders=30,ap-invoices=60 20
else
    start_distribution 2000 contacts=3100,sales-orders=11500,sales-order-history=11600,ar-invoices=20500,vendors=500,items=4000,gl-accounts=300,purchase-orders=1000,ap-invoices=2000 20
fi
exits "first load" 0 mlcd once --quiet --image customers.mlcb --wait 60s
same_world "every record of every flow stands in Zoho as the reference evaluator says"
# at_least COUNT MODULE CONDITION
at_least() { n=$(jq "[.[] | select($3)] | length" "$2.dump.json"); [ -n "${MLC_SMALL:-}" ] || [ "$n" -ge "$1" ] && ok "$2: at least $1" || not_ok "$2: at least $1" "$n"; }
at_least 2000 Accounts '.Sage_Customer'
at_least 3000 Contacts '.Sage_Contact and .Account_Name.id'
at_least 10000 Sales_Orders '.Ordered_Items | length > 0'
at_least 20000 Invoices '.Invoiced_Items | length > 0'
at_least 500 Vendors '.Sage_Vendor'
at_least 4000 Products '.Sage_Item and .Sales_GL.id'
at_least 300 GL_Accounts '.Sage_GL'
is "invoices carry their opportunity" "$(jq '[.[] | select(.Deal_Name__s.id)] | length > 10' Invoices.dump.json)" true
is "and orders theirs" "$(jq '[.[] | select(.Deal_Name.id)] | length > 10' Sales_Orders.dump.json)" true
is "the ledger is a tree of three levels" "$(jq -c '[.[] | select(.Level == "Account" and .Parent.id)] | length > 10' GL_Accounts.dump.json)" true
writes=$(counter '.inserts + .updates + .noop_updates')
exits "a second run" 0 mlcd once --quiet --image customers.mlcb --wait 60s
is "writes nothing" "$(($(counter '.inserts + .updates + .noop_updates') - writes))" 0
finish
