#!/bin/sh
# soap_list_test.sh - Sage 100 without an agent, at a site whose service has operations that list keys: customers and contacts are found, followed,
# marked when they vanish and brought back; a list that is empty by mistake does no harm. A twin with the same seed and an agent says what is true.
. "$(dirname "$0")/lib.sh"
start_sage --customers 60
TWIN=$SAGE
start_sage --customers 60 --no-agent --soap-lists
SOAP=$SAGE
SAGE=$TWIN
jq '(.modules[] | select(.api_name == "Contacts") | .fields[] | select(.api_name == "Sage_Contact")).length = 90' "$root/tests/sim/zoho/data/professional.json" >org.json
start_zoho --data org.json
both() { SAGE=$TWIN; sage "$1" "$2"; SAGE=$SOAP; sage "$1" "$2"; SAGE=$TWIN; }
calls() { curl -fsS "$SOAP/__sim/counters" | jq ".endpoints.$1.requests"; }
people() { curl -fsS "$ZOHO/__sim/dump?module=Contacts"; }
person() { people | jq -r ".[] | select(.Sage_Contact == \"ABC~$1\") | .$2"; }
spec '/^  agent /d; /^  token /d; s|^  login    = secret("sage")|&\n  keys AR_Customer { operation = "ListCustomers" }\n  keys AR_CustomerContact { operation = "ListCustomerContacts" }|
s/from erp.AR_Customer to/from erp.AR_Customer via soap to/
/^test "a customer on hold"/,$d'
cat >>customers.mlc <<'END'
extend crm.Contacts { Sage_Contact: text(90) @unique }

flow contacts from erp.AR_CustomerContact via soap to crm.Contacts {
  every 15m
  reread every 1d
  key Sage_Contact
  on delete set { Description = "no longer in Sage" }
  fuse 5 or 50%
  let name     = split_name(ContactName)
  Account_Name = ref customers(ARDivisionNo, CustomerNo)
  First_Name   = truncate(name.first, 40)
  Last_Name    = name.last ?? ContactCode
  Department   = City
}
END
quietly mlc build customers.mlc -o customers.mlcb
sign_in
exits "ping" 0 mlcd ping --image customers.mlcb
has "says where the keys come from" out "60, as ListCustomers says"
exits "first load" 0 mlcd once --quiet --image customers.mlcb --wait 60s
same_as_sage "every customer arrived"
rows >rows.json
contacts=$(curl -fsS -H "Authorization: Bearer $TOKEN" "$TWIN/v1/companies/ABC/contacts/keys" |
    jq --slurpfile c rows.json '[$c[0].rows[] | select(.fields.CustomerStatus != "T") | .key] as $in | [.keys[] | select(.[0:2] as $k | $in | index([$k]))] | length')
is "and every contact of a customer that has an account" "$(people | jq '[.[] | select(.Sage_Contact != null)] | length')" "$contacts"
is "one call lists a table in a pass, one in a sweep" "$(($(calls ListCustomerContacts) <= 4))" 1
writes=$(counter '.inserts + .updates + .noop_updates')
exits "a second pass" 0 mlcd once --quiet --image customers.mlcb
is "sends nothing" "$(($(counter '.inserts + .updates + .noop_updates') - writes))" 0

K=$(curl -fsS -H "Authorization: Bearer $TOKEN" "$TWIN/v1/companies/ABC/contacts/keys" | jq -r '.keys[3] | join("~")')
both edit "{\"resource\":\"contacts\",\"key\":\"$K\",\"fields\":{\"City\":\"Grenoble\"}}"
both insert '{"resource":"customers","key":"01~NEWCO","fields":{"CustomerStatus":"A","CustomerName":"New Company"}}'
both insert '{"resource":"contacts","key":"01~NEWCO~BOSS","fields":{"ContactName":"Ina Neu"}}'
exits "an edit, a new customer and its contact" 0 mlcd once --quiet --image customers.mlcb --wait 30s
is "the edit is seen" "$(person "$K" Department)" Grenoble
is "the new contact stands under the new account" "$(person 01~NEWCO~BOSS Account_Name.id)" "$(account 01~NEWCO id)"
both delete "{\"resource\":\"contacts\",\"key\":\"$K\"}"
exits "a contact that the list no longer names" 0 mlcd once --quiet --full --image customers.mlcb --wait 30s
is "is asked for and marked" "$(person "$K" Description)" "no longer in Sage"
both insert "{\"resource\":\"contacts\",\"key\":\"$K\"}"
exits "it comes back" 0 mlcd once --quiet --image customers.mlcb --wait 30s
is "and the mark goes" "$(person "$K" Description)" null
SAGE=$SOAP; sage vanish '{"resource":"contacts","permille":1000}'
exits "a list that is suddenly empty is held by the fuse" 2 mlcd once --quiet --full --image customers.mlcb --wait 30s
has "and says so" out "held"
is "nobody is marked" "$(people | jq '[.[] | select(.Description == "no longer in Sage")] | length')" 0
sage vanish '{"resource":"contacts","permille":0}'
exits "it was a mistake" 0 mlcd once --quiet --full --image customers.mlcb --wait 30s
SAGE=$TWIN
same_as_sage "every customer is right at the end"
exits "the log verifies" 0 mlcd audit verify
finish
