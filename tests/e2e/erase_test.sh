#!/bin/sh
# erase_test.sh - after `mlcd erase` nothing of the record can be found or opened in any byte of the state directory: log, index, pages that LMDB freed,
# and what lies beside them. Before it: nothing stands open either. Every value of the record is a canary, searched for as it is, in base64, hex and
# UTF-16. The search itself is proved by planting each form.
. "$(dirname "$0")/lib.sh"
start_sage --customers 80
start_zoho
spec
sign_in

# ---- the search ----
hex() { od -An -v -tx1 | tr -d ' \n'; }
# forms TEXT: what to look for in a file's hex, one a line: name, hex
forms() {
    printf 'plain %s\n' "$(printf %s "$1" | hex)"
    for fill in '' x xx; do          # base64 at each of the three alignments, without the letters that neighbours change
        printf 'base64 %s\n' "$(printf %s%s "$fill" "$1" | base64 -w0 | sed 's/=*$//; s/^.\{4\}//; s/..$//' | hex)"
    done
    printf 'hex %s\n' "$(printf %s "$1" | hex | hex)"
    printf 'HEX %s\n' "$(printf %s "$1" | hex | tr a-f A-F | hex)"
    printf 'utf16le %s\n' "$(printf %s "$1" | iconv -t UTF-16LE | hex)"
    printf 'utf16be %s\n' "$(printf %s "$1" | iconv -t UTF-16BE | hex)"
}
# found DIR: canaries in any file of it, a line each
found() {
    find "$1" -type f | while read -r file; do
        hex <"$file" >file.hex
        while read -r canary form pattern; do
            if grep -qF "$pattern" file.hex; then echo "$canary as $form in $file"; fi
        done <patterns
    done
}

K=$(key 3)
canaries="Kanarienvogel Domfaffenweg Zeisighausen Stieglitzer Girlitz9 Wachtelkoenig"
for c in $canaries; do forms "$c" | sed "s/^/$c /"; done >patterns
mkdir planted
for c in $canaries; do
    printf 'before %s behind' "$c" >"planted/$c.1"
    for fill in a bb ccc; do printf '%s%s behind' "$fill" "$c" | base64 -w0 >"planted/$c.64$fill"; done
    printf %s "$c" | hex >"planted/$c.2"
    printf %s "$c" | hex | tr a-f A-F >"planted/$c.3"
    printf %s "$c" | iconv -t UTF-16LE >"planted/$c.4"
    printf %s "$c" | iconv -t UTF-16BE >"planted/$c.5"
done
is "the search finds every form that is planted" "$(found planted | sed 's/.* in //' | sort -u | wc -l)" "$(find planted -type f | wc -l)"

# ---- a record with a history ----
exits "first load" 0 mlcd once --quiet --image customers.mlcb
edit "$K" '{"CustomerName":"Kanarienvogel KG","AddressLine1":"Domfaffenweg 7","City":"Zeisighausen"}'
once
edit "$K" '{"City":"Stieglitzer Land"}'
once
faults '[{"match":{"method":"PUT","path":"/crm/v8/Accounts","body_contains":"Girlitz9"},"do":"partial","times":0,"code":"INVALID_DATA","field":"Billing_City","message":"no city Girlitz9"}]'
edit "$K" '{"City":"Girlitz9"}'
once || true
no_faults
edit "$K" '{"City":"Wachtelkoenig"}'
once
is "the last edit arrived" "$(account "$K" Billing_City)" Wachtelkoenig
rows | jq -r '.rows[].key | join("~")' | head -30 | while read -r k; do edit "$k" '{"City":"Elsewhere"}'; done       # pages are freed and used again
once
mlcd audit show --key "ABC~$K" --flow customers >before.jsonl
for c in $canaries; do has "with the keys the log tells of $c" before.jsonl "$c"; done
is "without them nothing stands open in the state directory" "$(found state)" ""

# ---- erased ----
cp -r state copy
exits "erase" 0 mlcd erase "ABC~$K"
mlcd audit show --key "ABC~$K" --flow customers >after.jsonl
for c in $canaries; do has_not "the log tells no more of $c" after.jsonl "$c"; done
mlcd audit show >all.jsonl
for c in $canaries; do has_not "nor does any other entry tell of $c" all.jsonl "$c"; done
is "nothing stands open in the state directory after it" "$(found state)" ""
exits "the chain still verifies" 0 mlcd audit verify
exits "and the auditor's program agrees" 0 mlc-audit-verify state/journal
rm -rf state/index
edit "$K" '{"City":"Girlitz9"}'
exits "the index is folded again" 0 mlcd once --quiet --full
is "the record is not synced again" "$(account "$K" Billing_City)" Wachtelkoenig
is "nothing came back" "$(found state)" ""
# what makes it so is the destroyed key: with the keys of before, the same log tells again
cp copy/keys.slots state/keys.slots
mlcd audit show --key "ABC~$K" --flow customers >again.jsonl
has "a copy of the keys of before would open it: that is why backups are named" again.jsonl Kanarienvogel
finish
