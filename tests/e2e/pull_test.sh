#!/bin/sh
# pull_test.sh - the spec's picture of the two systems: pull writes lock files that mlc takes, ping lists all that an org lacks, prepare shows it and,
# told so, makes it through Zoho's API; then the first load works. And what a person has to do by hand.
. "$(dirname "$0")/lib.sh"
org() { jq "$1" "$root/tests/sim/zoho/data/professional.json" >org.json; }
switch() { curl -fsS -X POST -d "$1" "$ZOHO/__sim/switch" >/dev/null; }
field() { jq -c ".modules.$1.fields.$2" lock/zoho.lock; }

# ---- pull: a first file, the same bytes again, and what changed ----
start_sage --customers 60
start_zoho
spec
sign_in
mkdir lock
exits "pull" 0 mlcd pull --image customers.mlcb --out lock
has "pull says what is new" out "lock/zoho.lock: new,"
has "of both systems" out "lock/sage.lock: new, 1 tables"
json "zoho.lock is JSON" lock/zoho.lock
json "sage.lock is JSON" lock/sage.lock
is "the edition stands in it" "$(jq -r .edition lock/zoho.lock)" professional
is "a text field" "$(field Accounts Account_Name)" '{"length":200,"required":true,"type":"text"}'
is "the key field" "$(field Accounts Sage_Customer)" '{"custom":true,"length":60,"type":"text","unique":true}'
is "a choice" "$(field Accounts Sage_Status)" '{"custom":true,"type":"picklist","values":["Active","Deleted","Left"]}'
is "the empty choice is left out" "$(field Accounts Rating | jq '.values | index("-None-")')" null
is "an amount" "$(field Accounts Credit_Limit)" '{"custom":true,"digits":16,"scale":2,"type":"decimal"}'
is "an owner" "$(field Accounts Owner)" '{"module":"users","type":"link"}'
is "what the API does not write" "$(field Accounts Created_Time)" '{"on_insert":false,"on_update":false,"type":"instant"}'
is "what no spec can write" "$(field Accounts Sage_Branches)" '{"custom":true,"type":"other"}'
is "modules that the org lacks" "$(jq -c '[.modules | to_entries[] | select(.value == null) | .key] | contains(["Solutions"])' lock/zoho.lock)" true
is "a column of this installation" "$(jq -c '.tables.AR_Customer.columns.CustomerName' lock/sage.lock)" '{"length":50,"type":"text"}'
is "the table's key" "$(jq -c '.tables.AR_Customer.key' lock/sage.lock)" '["ARDivisionNo","CustomerNo"]'
for l in zoho sage; do is "$l.lock is sorted" "$(jq -S . lock/$l.lock | cksum)" "$(jq . lock/$l.lock | cksum)"; done
cp lock/zoho.lock first.lock
exits "pull again changes nothing" 0 mlcd pull --image customers.mlcb --out lock --detailed-exitcode
has "and says so" out "lock/zoho.lock: unchanged"
cmp -s lock/zoho.lock first.lock && ok "the same bytes" || not_ok "the same bytes" differ
exits "pull into no directory" 69 mlcd pull --image customers.mlcb --out no/such
cp lock/zoho.lock zoho.lock
exits "mlc takes the file" 0 mlc check customers.mlc
quietly mlc build customers.mlc -o locked.mlcb
sed 's/^  Payment_Terms: text(40)/&\n  Absent: text(10)/; s/^  Credit_Limit    = CreditLimit$/&\n  Made_Up = CustomerNo/' customers.mlc >wrong.mlc
exits "mlc uses the file: a field that it does not list" 3 mlc check wrong.mlc
has "the field is named" err Made_Up
rm zoho.lock wrong.mlc
jq '.modules.Accounts.fields.Payment_Terms.length = 30 | del(.modules.Accounts.fields.Fax) | .modules.Accounts.fields.Old = {"type": "date"}
    | .modules.Accounts.fields.Sage_Status.values = ["Active", "Gone"] | del(.modules.Solutions)' first.lock >lock/zoho.lock
exits "pull --detailed-exitcode: a difference" 2 mlcd pull --image customers.mlcb --out lock --detailed-exitcode
has "a field that came" out '+ zoho.lock: Accounts.Fax  {"length": 30, "type": "text"}'
has "a field that went" out '- zoho.lock: Accounts.Old  {"type": "date"}'
has "a length that changed" out '~ zoho.lock: Accounts.Payment_Terms  {"length": 30}  ->  {"length": 60}'
has "choices that went and came" out '~ zoho.lock: Accounts.Sage_Status  {"values": ["Gone"]}  ->  {"values": ["Deleted", "Left"]}'
cmp -s lock/zoho.lock first.lock && ok "the file is as the org is" || not_ok "the file is as the org is" "$(diff lock/zoho.lock first.lock | head -5)"
echo '{"modules": {"Accounts": {"fields": {}}}, "version": 1}' >lock/zoho.lock
exits "pull --json" 2 mlcd pull --image customers.mlcb --out lock --json --detailed-exitcode
json "pull is JSON" out
is "JSON names each field" "$(jq -r 'select(.field == "Phone") | .change' out)" added
is "and sums up" "$(jq -r 'select(.state) | "\(.file) \(.state)"' out | tr '\n' ' ')" "zoho.lock changed sage.lock same "
exits "pull of further modules" 0 mlcd pull GL_Accounts --image customers.mlcb --out lock
has "they are listed" out "+ zoho.lock: GL_Accounts"
exits "a module that was listed once stays" 0 mlcd pull --image customers.mlcb --out lock
is "with its fields" "$(jq '.modules.GL_Accounts.fields | length > 5' lock/zoho.lock)" true
cp lock/sage.lock sage.before
exits "pull without Sage" 0 env SAGE_AGENT_URL=http://127.0.0.1:9 mlcd pull --image customers.mlcb --out lock
has "says that sage.lock was not written" out "lock/sage.lock: not written"
cmp -s lock/sage.lock sage.before && ok "and leaves it" || not_ok "and leaves it" differs
exits "prepare where nothing is missing" 0 mlcd prepare --image customers.mlcb --detailed-exitcode
has "says so" out "has all that the spec declares"

# ---- an org that lacks things: ping lists all, prepare shows, prepare --yes makes ----
end "$zoho_pid" || true
org '(.modules[] | select(.api_name == "Accounts") | .fields) |= map(select(.api_name | IN("Sage_Customer", "Credit_Limit", "Tax_Number") | not)
     | if .api_name == "Sage_Status" then .pick_list_values = ["Active", "Prospect"] elif .api_name == "Payment_Terms" then .length = 20 else . end)'
start_zoho --data org.json
rm -rf state
spec
sign_in
exits "ping of an org that lacks things" 78 mlcd ping --image customers.mlcb
for what in "Accounts.Sage_Customer" "Accounts.Credit_Limit" '"Left"' '"Deleted"' "Accounts.Payment_Terms"; do has "ping names $what" out "$what"; done
is "all of them" "$(grep -c ^FAIL out)" 5
exits "once is refused" 78 mlcd once --quiet --image customers.mlcb
exits "prepare shows" 2 mlcd prepare --image customers.mlcb --detailed-exitcode
has "a field with its type" out "make     Accounts.Sage_Customer: text(60), no duplicates"
has "an amount with its digits" out "make     Accounts.Credit_Limit: decimal(15,2)"
has "the choices that are missing" out 'make     Accounts.Sage_Status: add the choices "Deleted", "Left"'
has "a field that is too short" out "make     Accounts.Payment_Terms: lengthen from 20 to 40 characters"
has "and that it changed nothing" out "to make 4, to do by hand 0; nothing was changed"
is "it did not" "$(counter '.calls.field_make // 0')" 0
exits "prepare --json" 0 mlcd prepare --image customers.mlcb --json
json "prepare is JSON" out
is "each step" "$(jq -r 'select(.state == "wanted") | .field' out | sort | tr '\n' ' ')" "Credit_Limit Payment_Terms Sage_Customer Sage_Status "
exits "prepare --yes" 0 mlcd prepare --yes --image customers.mlcb --by alice
has "says what it made" out "made     Accounts.Sage_Customer"
has "in total" out "made 4, refused 0, to do by hand 0"
exits "ping afterwards" 0 mlcd ping --image customers.mlcb
exits "prepare again finds nothing" 0 mlcd prepare --image customers.mlcb --detailed-exitcode
exits "pull afterwards" 0 mlcd pull --image customers.mlcb --out lock
is "the field as it was made" "$(field Accounts Sage_Customer)" '{"custom":true,"length":60,"type":"text","unique":true}'
is "choices that people had stay" "$(field Accounts Sage_Status | jq -c .values)" '["Active","Deleted","Left","Prospect"]'
cp lock/zoho.lock .
exits "the spec fits the lock file of the prepared org" 0 mlc check customers.mlc
rm zoho.lock
exits "the first load works" 0 mlcd once --quiet --image customers.mlcb
same_as_sage "and is right"
mlcd audit show --kind CHECK >checks
is "the log has who made what" "$(jq -r 'select(.what == "prepare" and .field == "Sage_Customer") | .by' checks)" alice
exits "the log verifies" 0 mlcd audit verify

# ---- what Zoho refuses, and what only a person can do ----
end "$zoho_pid" || true
org '(.modules[] | select(.api_name == "Accounts") | .fields) |= map(select(.api_name | IN("Credit_Status", "Open_Balance") | not)
     | if .api_name == "Sage_Customer" then del(.unique) elif .api_name == "Payment_Terms" then .data_type = "textarea" | .length = 20
       elif .api_name == "Credit_Limit" then .data_type = "date" else . end)'
start_zoho --data org.json --switches '{"unique_fields":1,"fields_lag":2}'
rm -rf state
spec 's/^  Payment_Terms: text(40)/&\n  A_Name_That_Is_Too_Long_For_A_Label: text(20)/; s/^  Payment_Terms   = .*/&\n  A_Name_That_Is_Too_Long_For_A_Label = CustomerNo/'
sign_in
exits "prepare --yes with refusals" 3 mlcd prepare --yes --image customers.mlcb
has "a limit of the edition" out "REFUSED  Accounts.Sage_Customer: forbid duplicates"
has "with the way out" out "change it by hand"
has "a kind that cannot grow" out "BY HAND  Accounts.Payment_Terms: lengthen from 20 to 40 characters"
has "a field of another type" out "of type date: give the declared one another name"
has "a name that no label gives" out "BY HAND  Accounts.A_Name_That_Is_Too_Long_For_A_Label"
has "what could be made was made, though it shows late" out "made     Accounts.Credit_Status"
has "all of it" out "made 2, refused 1, to do by hand 3"
faults '[{"match":{"method":"PATCH"},"do":"drop_after"},{"match":{"method":"PATCH"},"do":"429"}]'
switch '{"unique_fields":0}'
exits "an answer that is lost is looked for" 3 mlcd prepare --yes --image customers.mlcb
has "and found" out "made     Accounts.Sage_Customer: forbid duplicates"
no_faults

# ---- modules ----
cat >gl.mlc <<'X'
mlc 1
spec "reference data"
import sage100
import zoho_crm
source erp: sage100 {
  company  = "ABC"
  agent    = env("SAGE_AGENT_URL")
  token    = secret("sage-agent")
  timezone = "America/Chicago"
}
X
printf 'target crm: zoho_crm {\n  region = us\n  accounts_url = "ZOHO"\n  edition = enterprise\n  login = secret("zoho")\n}\n' >>gl.mlc
cat >>gl.mlc <<'X'
extend crm.GL_Accounts {
  Sage_Key: text(60) @unique
  Long_Text: text(1000)
  Account_Kind: one of("Asset", "Other")
  Parent_Account: link(GL_Accounts)
}
flow terms from erp.AR_TermsCode to crm.GL_Accounts {
  every 1h
  key Sage_Key
  Name = TermsCodeDesc ?? TermsCode
  Long_Text = TermsCodeDesc
  Account_Kind = "Other"
}
X
end "$zoho_pid" || true
org 'del(.modules[] | select(.api_name == "GL_Accounts"))'
echo '{"modules": {"GL_Accounts": {"fields": {"Name": {"length": 120, "required": true, "type": "text"}}}}, "version": 1}' >zoho.lock
start_zoho --data org.json --edition professional
sed -i "s|ZOHO|$ZOHO|" gl.mlc
quietly mlc build gl.mlc -o gl.mlcb
rm -rf state
cp gl.mlcb customers.mlcb
sign_in
exits "a module below Enterprise" 3 mlcd prepare --yes --image gl.mlcb
has "is made by hand" out "BY HAND  GL_Accounts: custom module"
end "$zoho_pid" || true
port=${ZOHO##*:}
start_zoho --data org.json --edition enterprise --port "$port"
exits "a module from Enterprise on is shown" 0 mlcd prepare --image gl.mlcb
has "with its fields" out "make     GL_Accounts.Long_Text: text(1000), of several lines"
exits "and made" 0 mlcd prepare --yes --image gl.mlcb
has "the module" out "made     GL_Accounts: custom module"
has "and its fields" out "made     GL_Accounts.Sage_Key"
exits "prepare again finds nothing there" 0 mlcd prepare --image gl.mlcb --detailed-exitcode
exits "the flow runs" 0 mlcd once --quiet --image gl.mlcb
is "into the new module" "$(curl -fsS "$ZOHO/__sim/dump?module=GL_Accounts" | jq 'length > 3')" true
finish
