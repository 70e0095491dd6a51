#!/bin/sh
# key_file_test.sh - which file holds the keys that SOAP reads: one of the table before the one of the source, found beside the compiled spec wherever
# mlcd is started, and a word about it when it is not there.
. "$(dirname "$0")/lib.sh"
start_sage --customers 12
rows | jq -r '.rows[] | .key | @csv' >all.csv       # a twin of the service with the same seed tells what there is
end "$sage_pid" || true
start_sage --customers 12 --no-agent
start_zoho

spec '/^  agent /d; /^  token /d; s/from erp.AR_Customer to/from erp.AR_Customer via soap to/
s|^  login    = secret("sage")|&\n  keys = file("lists/every.csv")\n  keys AR_Customer { file = file("lists/some.csv") }|'
exits "the layout keeps the settings" 0 mlc fmt customers.mlc
has "one line for a table" customers.mlc 'keys AR_Customer { file = file("lists/some.csv") }'
quietly mlc build customers.mlc -o customers.mlcb
sign_in
mkdir -p there/lists elsewhere
mv customers.mlcb there
cd elsewhere
exits "a key file that is not there" 78 mlcd once --quiet --image ../there/customers.mlcb
has "is named with its place" err ../there/lists/some.csv
cp ../all.csv ../there/lists/every.csv
exits "the table's own file is not replaced by the source's" 78 mlcd once --quiet --image ../there/customers.mlcb
head -5 ../all.csv >../there/lists/some.csv
exits "a run with the table's own file" 0 mlcd once --quiet --image ../there/customers.mlcb
is "reads these keys" "$(dump | jq '[.[] | select(.Sage_Customer != null)] | length')" 5
cd "$W"
sed -i '/keys AR_Customer {/d' customers.mlc
quietly mlc build customers.mlc -o there/customers.mlcb
exits "without it, the source's file" 0 mlcd once --quiet --image there/customers.mlcb
is "serves the table" "$(dump | jq '[.[] | select(.Sage_Customer != null)] | length')" 12
finish
