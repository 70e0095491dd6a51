#!/bin/sh
# distribution_signals_test.sh - how a deletion shows in each table of examples/sage100-zoho, and what comes of it: order history C, X and Z, invoice XD,
# ledger status D, rows that vanish without a word, amounts that are purged after payment; returns of all of them; a fuse that holds a run in which a large
# share vanishes, and `mlcd accept`, which says what and why. Afterwards both systems agree by the reference evaluator.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/distribution.sh"
start_distribution 60 contacts=90,sales-orders=120,sales-order-history=125,ar-invoices=200,vendors=30,items=60,gl-accounts=90,purchase-orders=30,ap-invoices=60 20
table() { curl -fsS -H "Authorization: Bearer $TOKEN" "$SAGE/v1/companies/ABC/$1?limit=1000"; }
# pick RESOURCE NUMBER [CONDITION]: the key of a row
pick() { table "$1" | jq -r "[.rows[] | select(${3:-true})] | sort_by(.key)[$2].key | join(\"~\")"; }
# field MODULE KEYFIELD KEY FIELD
field() { module "$1" | jq -r ".[] | select(.$2 == \"$3\") | .$4"; }
remove() { sage delete "{\"resource\":\"$1\",\"key\":\"$2\"}"; }
close_order() { sage close "{\"key\":\"$1\",\"status\":\"$2\"}"; }
insert() { sage insert "{\"resource\":\"$1\",\"key\":\"$2\",\"fields\":${3:-{\}}}"; }
# a day later: whatever is read once a day is read
day() { exits "$1" "${2:-0}" mlcd once --quiet --full --image customers.mlcb --wait 60s; }
day "first load"
same_world "all is well at the start"

# ---- orders: the history is asked first ----
done_no=$(pick sales-orders 0 '.fields.OrderType != "Q"')
deleted=$(pick sales-orders 1 '.fields.OrderType != "Q"')
silent=$(pick sales-orders 2 '.fields.OrderType != "Q"')
quote=$(pick sales-orders 0 '.fields.OrderType == "Q"')
ordered=$(pick sales-orders 1 '.fields.OrderType == "Q"')
close_order "$done_no" C
close_order "$deleted" X
close_order "$quote" Z
remove sales-orders "$silent"
edit_as() { sage edit "{\"resource\":\"$1\",\"key\":\"$2\",\"fields\":$3}"; }
edit_as sales-orders "$ordered" '{"OrderType":"S"}'
edit_as sales-order-history "$ordered" '{"OrderStatus":"A"}'
exits "a run a quarter of an hour later" 0 mlcd once --quiet --image customers.mlcb --wait 60s
is "history C: completed" "$(field Sales_Orders Sage_Order "ABC~$done_no" Sage_State)" Completed
is "history X: deleted" "$(field Sales_Orders Sage_Order "ABC~$deleted" Sage_State)" Deleted
is "history Z: the quote is deleted" "$(field Quotes Sage_Quote "ABC~$quote" Sage_State)" Deleted
is "a quote that became an order" "$(field Quotes Sage_Quote "ABC~$ordered" Quote_Stage)" "Closed Won"
is "is an order" "$(field Sales_Orders Sage_Order "ABC~$ordered" Subject)" "Sales order $ordered"
is "no key sweep yet: its order stands as it was" "$(field Sales_Orders Sage_Order "ABC~$silent" Status | grep -c Cancelled)" 0
day "the daily comparison of keys"
is "a completed order is delivered" "$(field Sales_Orders Sage_Order "ABC~$done_no" Status)" Delivered
is "a deleted one is cancelled" "$(field Sales_Orders Sage_Order "ABC~$deleted" Status)" Cancelled
is "one that vanished without a word, too" "$(field Sales_Orders Sage_Order "ABC~$silent" Status)" Cancelled
is "a deleted quote is lost" "$(field Quotes Sage_Quote "ABC~$quote" Quote_Stage)" "Closed Lost"
exits "why" 0 mlcd audit show --kind GONE
has "the log says what the history said: completed" out orders

# ---- status signals in the row itself ----
voided=$(pick ar-invoices 0 '.fields.InvoiceType == "IN"')
account=$(pick gl-accounts 4 '.fields.Status == "A"')
main=$(pick gl-main-accounts 0 '.fields.Status == "A"')
edit_as ar-invoices "$voided" '{"InvoiceType":"XD"}'
edit_as gl-accounts "$account" '{"Status":"D"}'
day "an invoice is deleted, a ledger account too"
is "invoice XD" "$(field Invoices Sage_Invoice "ABC~$voided" Status)" Cancelled
is "ledger status D" "$(field GL_Accounts Sage_GL "gl_accounts~ABC~$account" Sage_Status)" Deleted

# ---- rows that vanish: keys, each asked for ----
due=$(pick ar-open-invoices 0 '(.fields.Balance | tonumber) > 0')
invoice=$(table ar-open-invoices | jq -r --arg k "$due" '.rows[] | select((.key | join("~")) == $k) | "ABC~\(.fields.InvoiceNo)~\(.fields.InvoiceHistoryHeaderSeqNo)"')
contact=$(pick contacts 0); vendor=$(pick vendors 29); item=$(pick items 59); po=$(pick purchase-orders 0)
for x in "ar-open-invoices $due" "contacts $contact" "purchase-orders $po"; do remove ${x%% *} "${x#* }"; done
day "an invoice is paid and purged, a contact, a purchase order go"
is "what is due of it is nothing" "$(field Invoices Sage_Invoice "$invoice" Balance_Due)" 0
is "it is paid" "$(field Invoices Sage_Invoice "$invoice" Paid)" true
is "the contact is marked" "$(field Contacts Sage_Contact "ABC~$contact" Sage_Status)" Deleted
is "the purchase order is delivered" "$(field Purchase_Orders Sage_PO "ABC~$po" Status)" Delivered

# ---- returns ----
insert sales-orders "$silent"; insert contacts "$contact"; insert purchase-orders "$po"; insert ar-open-invoices "$due"
edit_as ar-invoices "$voided" '{"InvoiceType":"IN"}'
edit_as gl-accounts "$account" '{"Status":"A"}'
day "all of them come back"
is "the order" "$(field Sales_Orders Sage_Order "ABC~$silent" Status | grep -c Cancelled)" 0
is "the contact" "$(field Contacts Sage_Contact "ABC~$contact" Sage_Status)" Active
is "the invoice" "$(field Invoices Sage_Invoice "ABC~$voided" Status)" Approved
is "the account" "$(field GL_Accounts Sage_GL "gl_accounts~ABC~$account" Sage_Status)" Active
is "what is due" "$(field Invoices Sage_Invoice "$invoice" Paid)" false

# ---- the fuse ----
before=$(module Contacts | jq '[.[] | select(.Sage_Status == "Deleted")] | length')
sage vanish '{"resource":"contacts","permille":400}'
day "a third of the contacts is hidden: a failed scan, another company?" 2
is "each absence was asked for, nothing is marked" "$(module Contacts | jq '[.[] | select(.Sage_Status == "Deleted")] | length')" "$before"
exits "status" 0 mlcd status
has "says what is held" out HELD
has "and why" out "no longer in the source"
sage vanish '{"resource":"contacts","permille":0}'
day "it was a mistake"
is "nobody was marked" "$(module Contacts | jq '[.[] | select(.Sage_Status == "Deleted")] | length')" "$before"
sage vanish '{"resource":"contacts","permille":400}'
day "the same again" 2
exits "a person accepts it" 0 mlcd accept --quiet --flow contacts
has "told what" out "contacts: "
has "and why" out "held: no longer in the source; e.g. ABC~"
[ "$(module Contacts | jq '[.[] | select(.Sage_Status == "Deleted")] | length')" -gt 10 ] && ok "they are marked" || not_ok "they are marked" "$(cat out)"
sage vanish '{"resource":"contacts","permille":0}'
day "they come back"
for n in 0 1 2 3 4 5 6 7; do close_order "$(pick sales-orders 3 '.fields.OrderType != "Q"')" C; done
exits "eight orders are completed in a day, more than the fuse of 5 %" 0 mlcd once --quiet --full --image customers.mlcb --wait 60s
is "which is no reason to stop" "$(module Sales_Orders | jq '[.[] | select(.Status == "Delivered")] | length')" 9
# The comparison knows rows, not their history: completed orders are those that it has to name, and no others.
differences
grep -v '^compared' differences.out >named.out || true
is "both systems agree, but for the completed orders" "$(grep -vc '^orders .*is not in Sage, but Status is "Delivered"' named.out)" 0
is "and all of these are named" "$(grep -c . named.out)" 9
exits "the log verifies" 0 mlcd audit verify
finish
