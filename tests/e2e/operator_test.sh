#!/bin/sh
# operator_test.sh - every command of mlcd as an operator types it, with --json, and every exit code produced by its real cause.
. "$(dirname "$0")/lib.sh"
OWN="--except stored.bin"        # the whole state in one file, for greps: the master key stands in it
start_sage --customers 120
start_zoho
spec

# ---- before anything is set up ----
exits "no command is wrong usage" 64 mlcd
exits "help is fine" 0 mlcd help
has "help lists the exit codes" out "exit codes: 0 done"
exits "an unknown command is wrong usage" 64 mlcd destroy
exits "an unknown option is wrong usage" 64 mlcd once --no-such
exits "an option without its value is wrong usage" 64 mlcd once --image
exits "a number that is none is wrong usage" 64 mlcd once --page ten
exits "more than 100 records in a write is wrong usage" 64 mlcd once --batch 101
exits "why without a key is wrong usage" 64 mlcd why
exits "status where nothing ran" 1 mlcd status
exits "once without a spec" 64 mlcd once
exits "settings that are missing are a matter of configuration" 78 env -u SAGE_AGENT_URL mlcd once --image customers.mlcb
has "all missing settings are named" err "secret set sage-agent"
has "the environment too" err SAGE_AGENT_URL
printf 'no image' >broken.mlcb
exits "a file that is no compiled spec" 65 mlcd once --image broken.mlcb
exits "a spec that is not there" 1 mlcd once --image absent.mlcb

# ---- secrets ----
sign_in
exits "secret list" 0 mlcd secret list
is "secrets are listed by name" "$(tr '\n' ' ' <out)" "sage sage-agent zoho "
exits "secret list --json" 0 mlcd secret list --json
json "secret list is JSON" out
printf x | quietly mlcd secret set scratch
exits "secret remove" 0 mlcd secret remove scratch
exits "a removed secret is gone" 1 mlcd secret remove scratch
exits "an empty secret is refused" 64 mlcd secret set nothing
exits "a name that could be a path is refused" 64 sh -c 'printf x | mlcd secret set ../x'
is "the master key is ours alone" "$(stat -c %a state/master.key)" 600
chmod 644 state/master.key
exits "a master key that others can read is refused" 77 mlcd secret list
chmod 600 state/master.key
printf 'client_id=x\n' >grant
exits "half a grant is wrong usage" 64 sh -c 'mlcd auth zoho --image customers.mlcb <grant'
printf 'client_id=%s\nclient_secret=wrong\ncode=%s\n' "$CLIENT" "$CODE" >grant
exits "a wrong client secret" 77 sh -c 'mlcd auth zoho --image customers.mlcb <grant'
rm grant

# ---- ping, and what can be wrong ----
exits "ping" 0 mlcd ping --image customers.mlcb
has "ping names each step" out "organisation"
exits "ping --json" 0 mlcd ping --image customers.mlcb --json
json "ping is JSON" out
printf wrong-token >in; mlcd secret set sage-agent <in 2>/dev/null
exits "a wrong agent token" 77 mlcd once --image customers.mlcb
printf %s "$TOKEN" >in; mlcd secret set sage-agent <in 2>/dev/null; rm in
exits "a host that is down" 69 env SAGE_AGENT_URL=http://127.0.0.1:9 mlcd ping --image customers.mlcb
cp customers.mlcb good.mlcb
spec 's/^  Payment_Terms: text(40)/&\n  Shoe_Size: text(20)/; s/^  Credit_Limit    = CreditLimit$/&\n  Shoe_Size = CustomerNo/'
exits "a field that the org lacks" 78 mlcd once --image customers.mlcb
has "the field is named" err Shoe_Size
spec
cmp -s customers.mlcb good.mlcb && ok "the same spec compiles to the same bytes" || not_ok "the same spec compiles to the same bytes" differs

# ---- plan, once, status ----
exits "plan before the first load" 0 mlcd plan --quiet
has "plan says what it would do" out "to make"
is "plan wrote nothing" "$(dump | jq length)" 0
exits "plan --detailed-exitcode: a difference" 2 mlcd plan --quiet --detailed-exitcode --image customers.mlcb
exits "once" 0 mlcd once --quiet --image customers.mlcb --json
json "once is JSON" out
total=$(dump | jq length)
is "once says how many it made" "$(jq .inserted out)" "$total"
same_as_sage "the first load is right"
exits "plan --detailed-exitcode: no difference" 0 mlcd plan --quiet --detailed-exitcode
K=$(key 3)
edit "$K" '{"City":"Paris"}'
exits "plan --json" 0 mlcd plan --json
json "plan is JSON" out
is "plan shows the field" "$(jq -r 'select(.field == "Billing_City") | .after' out)" Paris
exits "once after an edit" 0 mlcd once --quiet
is "the edit arrived" "$(account "$K" Billing_City)" Paris
exits "status" 0 mlcd status --detailed-exitcode
exits "status --json" 0 mlcd status --json
json "status is JSON" out
is "status counts" "$(jq '.flows[0].linked' out)" "$total"
exits "once of one flow" 0 mlcd once --quiet --flow customers
exits "once of a flow that is not there" 64 mlcd once --flow suppliers

# ---- why, audit ----
exits "why" 0 mlcd why "ABC~$K" Billing_City
has "why names the rule" out "Billing_City = City"
has "why names the input" out "City = Paris"
exits "why --json" 0 mlcd why "ABC~$K" --json
json "why is JSON" out
exits "why of a record that is not known" 1 mlcd why "ABC~99~NOBODY"
exits "why of what is no key" 64 mlcd why "ABC^"
exits "audit verify" 0 mlcd audit verify
exits "audit verify --json" 0 mlcd audit verify --json
json "audit verify is JSON" out
exits "audit show of one record" 0 mlcd audit show --key "ABC~$K" --flow customers
json "audit show is JSON" out
is "every step of the update is logged" "$(jq -r .kind out | tail -3 | tr '\n' ' ')" "ROW INTENT OUTCOME "
exits "audit export without personal data" 0 mlcd audit export --public
has_not "the public part holds no name" out "$(account "$K" Account_Name)"
exits "audit export with it" 0 mlcd audit export --kind OUTCOME --from 1 --to 100000
json "audit export is JSON" out
exits "audit key" 0 mlcd audit key
pk=$(cat out)
exits "audit key --json" 0 mlcd audit key --json
json "audit key is JSON" out
exits "the auditor's program accepts our signatures" 0 mlc-audit-verify --pubkey "$pk" state/journal
exits "and no other's" 3 mlc-audit-verify --pubkey "$(echo "$pk" | tr 0-9a-f 1-9a-f0)" state/journal
exits "audit of nothing" 64 mlcd audit

# ---- locked, and the exit code of what could not finish ----
sage lock "{\"resource\":\"customers\",\"key\":\"$K\",\"reads\":1000}"
edit "$K" '{"City":"Lyon"}'
exits "a record that stays locked: could not finish" 1 mlcd once --quiet --wait 1s
exits "status shows that it is locked" 0 mlcd status
has "the locked row is counted" out LOCKED
sage lock "{\"resource\":\"customers\",\"key\":\"$K\",\"reads\":0}"
exits "the lock is gone: it is read and written" 0 mlcd once --quiet --wait 40s
is "the edit behind the lock arrived" "$(account "$K" Billing_City)" Lyon

# ---- a second start ----
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
exits "a second process in the same state directory" 75 mlcd once
exits "looking is possible beside it" 0 mlcd status
tr '\0' '\n' <"/proc/$run_pid/environ" >environ.txt
tr '\0' '\n' <"/proc/$run_pid/cmdline" >cmdline.txt
code=0; end $run_pid || code=$?
is "run ends cleanly on SIGTERM" $code 0
exits "the lock is free afterwards" 0 mlcd once --quiet

# ---- secrets stand nowhere ----
cat environ.txt cmdline.txt run.out run.err out err >said.txt
find state -type f -exec cat {} + >stored.bin
for s in "$TOKEN" "$PASSWORD" "$SECRET" "$REFRESH"; do
    grep -qaF -- "$s" said.txt && not_ok "secret in argv, environment, output or log" "$s"
    grep -qaF -- "$s" stored.bin && not_ok "secret in the state directory" "$s"
done
ok "no secret stands in argv, environment, output, log or state directory"
mlcd audit export >log.jsonl
if grep -qE '1000\.[0-9a-f]{8,}' log.jsonl || grep -qaE '1000\.(simrefresh|[0-9a-f]{16,})' stored.bin; then not_ok "no token stands in the log" "$(grep -aoE '1000\.[0-9a-zA-Z]+' log.jsonl stored.bin | head -3)"; else ok "no token stands in the log"; fi

# ---- damage ----
cp -r state hurt
size=$(stat -c %s hurt/journal/00000001.seg)
offset=$((size < 60000 ? 30000 : 50000))
other=$([ "$(dd if=hurt/journal/00000001.seg bs=1 skip=$offset count=1 2>/dev/null | tr -d '\0')" = X ] && echo Y || echo X)       # sealed bytes: it may be an X
printf '%s' "$other" | dd of=hurt/journal/00000001.seg bs=1 seek=$offset conv=notrunc 2>/dev/null
exits "audit verify finds one changed byte" 3 mlcd audit verify --state hurt
has "and says where" out "offset"
cp -r state hurt2
rm hurt2/journal/00000001.seg
exits "a log that is missing under an index is an alarm" 65 mlcd once --state hurt2
cp -r state lost
rm -r lost/index
exits "an index that is missing is folded again from the log" 0 mlcd once --quiet --state lost
finish
