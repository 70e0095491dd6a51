#!/bin/sh
# demo.sh - the whole product in a minute: a Sage 100 with 1,000 customers, and a Zoho CRM in which people have already made 40 of them. Both are
# stand-ins from tests/sim on loopback; mlc and mlcd are the real programs and talk real HTTP. Every number that is told is checked: the demo ends with
# status 1 at the first one that is wrong. Everything happens in a temporary directory; every process that was started is ended by its id.
# The second chapter, a whole distributor, is demo_distribution.sh.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
root=$PWD
example=$root/examples/customers
data=$PWD/tests/sim/zoho/data/professional.json
W=$(mktemp -d "${TMPDIR:-/tmp}/mlc-demo.XXXXXX")
pids=""
finish() {
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    cd /
    rm -rf "$W"
}
trap finish EXIT
trap 'exit 130' INT TERM

bold=""; dim=""; plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m'); dim=$(printf '\033[2m'); plain=$(printf '\033[0m'); fi
chapter=0
step() { chapter=$((chapter + 1)); printf '\n%s%d. %s%s\n' "$bold" "$chapter" "$1" "$plain"; }
tell() { printf '%s\n' "$@"; }
die() { echo "demo: $*" >&2; exit 1; }
# run COMMAND...: shows it as one would type it, then what it prints. Its exit code goes to $code.
run() { type_it "$*"; code=0; "$@" >"$W/.out" 2>&1 || code=$?; sed 's/^/    /' "$W/.out"; }
type_it() { printf '%s  $ %s%s\n' "$dim" "$1" "$plain"; }
expect() { [ "$2" = "$3" ] || die "$1: expected $3, got $2"; }    # WHAT GOT EXPECTED
said() { grep -qF -- "$1" "$W/.out" || die "the command above did not say: $1"; }

wait_for() {   # FILE
    i=0
    until [ -s "$1" ]; do i=$((i + 1)); [ $i -lt 100 ] || die "a stand-in did not start: $(cat "$W"/*.err)"; sleep 0.1; done
}
sage() { curl -fsS -X POST --data-binary "$2" "$SAGE/__sim/$1" >/dev/null; }
zoho() { curl -fsS "$@"; }
counter() { zoho "$ZOHO/__sim/counters" | jq "$1"; }
accounts() { zoho "$ZOHO/__sim/dump?module=Accounts" | jq "$@"; }
customers() { curl -fsS -H 'Authorization: Bearer demo-token' "$SAGE/v1/companies/ABC/customers?limit=1000" | jq "$@"; }
edit() { sage edit "{\"resource\":\"customers\",\"key\":\"$1\",\"fields\":$2}"; }
edited() { sed -n "$1p" "$W/edited"; }

# ---- the two systems ----
"$B/sim-sage" --port 0 --port-file "$W/sage.port" --customers 1000 --seed 7 --company ABC --token demo-token --user sync --password demo 2>"$W/sage.err" &
pids="$pids $!"
"$B/sim-zoho" --port 0 --port-file "$W/zoho.port" --data "$data" 2>"$W/zoho.err" &
pids="$pids $!"
wait_for "$W/sage.port"; wait_for "$W/zoho.port"
SAGE=http://127.0.0.1:$(cat "$W/sage.port")
ZOHO=http://127.0.0.1:$(cat "$W/zoho.port")

step "Two systems that do not know each other"
# Forty customers whose names people typed into Zoho last year; one of the forty was typed twice.
customers -c '[.rows[].fields | select(.CustomerStatus == "A") | .CustomerName] | group_by(.) | map(select(length == 1) | .[0]) | .[0:40]
              | {module: "Accounts", records: ((. + .[39:40]) | map({Account_Name: ., Phone: "ask for Bob"}))}' >"$W/people.json"
zoho -X POST --data-binary @"$W/people.json" "$ZOHO/__sim/seed" >/dev/null
sage_rows=$(customers '.rows | length')
walk_ins=$(customers '[.rows[] | select(.fields.CustomerStatus == "T")] | length')
expect "customers in Sage" "$sage_rows" 1000
expect "accounts in Zoho" "$(accounts length)" 41
tell "The books are kept in Sage 100: 1,000 customers, $walk_ins of them temporary ones (counter sales)." \
     "The sales team works in Zoho CRM. For 40 customers somebody has typed in an account by hand, for one of them twice:"
accounts -r '.[0:2][] | "    Zoho account \(.id)  \(.Account_Name), phone: \(.Phone)"'
tell "From now on every customer of Sage should be an account in Zoho, complete, never twice, and stay true."

step "What should hold is one text file that both departments can read"
cp "$example"/* "$W/"
cd "$W"
PATH=$B:$PATH
# The stand-in is not zoho.com: say where sign-in happens. And its users are others than those of the example.
sed -i 's|^\( *\)region *= us.*|&\n\1accounts_url = "'"$ZOHO"'"|' customers.mlc
printf 'salesperson,name,email\n0100,Ben Berger,ben.berger@nordwind-handel.example\n0200,Carla Conti,carla.conti@nordwind-handel.example\n' >reps.csv
sed -n '/^flow customers/,/^}/p' customers.mlc | sed 's/^/    /'
tell "The compiler holds each line against the schemas of both systems: a text that is too long, a value outside a picklist, a field that may be empty" \
     "where Zoho wants one - all of that is found here, not at night in production. The tests stand in the same file."
run mlc check customers.mlc; expect "mlc check" $code 0
run mlc test customers.mlc; expect "mlc test" $code 0
run mlc build customers.mlc; expect "mlc build" $code 0
tell "customers.mlcb is all that the runtime, mlcd, needs; it runs what was checked, by hash."

step "Credentials come over stdin, and are sealed on disk"
export SAGE_AGENT_URL="$SAGE" SAGE_SOAP_URL="$SAGE/ebusinesswebservices/MasService.svc" MLCD_STATE="$W/state" USER=demo
printf 'demo-token' >"$W/.token"; printf 'sync\ndemo' >"$W/.login"
printf 'client_id=1000.SIMCLIENT\nclient_secret=sim-secret\ncode=1000.simcode\n' >"$W/.grant"
type_it "mlcd secret set sage-agent < token"; mlcd secret set sage-agent <"$W/.token" 2>&1 | sed 's/^/    /'
type_it "mlcd secret set sage < login"; mlcd secret set sage <"$W/.login" 2>&1 | sed 's/^/    /'
type_it "mlcd auth zoho --image customers.mlcb < grant"; mlcd auth zoho --image customers.mlcb <"$W/.grant" 2>&1 | sed 's/^/    /'
rm "$W/.token" "$W/.login" "$W/.grant"
tell "Can we work? Each step by itself, with its time:"
run mlcd ping --image customers.mlcb; expect "mlcd ping" $code 0

step "First load: nothing is doubled"
run mlcd once --image customers.mlcb --quiet; expect "mlcd once" $code 0
made=$((sage_rows - walk_ins - 40))
expect "accounts made by the first load" "$(counter .inserts)" $made
expect "accounts that people made and that were touched" "$(counter '.updates + .noop_updates')" 0
tell "$made accounts were made. The $walk_ins temporary customers are left out, as the file says. For the other 40 there are accounts of that name" \
     "already, so mlcd asks instead of guessing:"
type_it "mlcd adopt > candidates.csv"
mlcd adopt >candidates.csv 2>"$W/.err"; sed 's/^/    /' "$W/.err"
expect "candidates" "$(($(wc -l <candidates.csv) - 1))" 40
grep -m 3 -v ',several,' candidates.csv | sed 's/^/    /'
echo "    ..."
grep ',several,' candidates.csv | sed 's/^/    /'
twice=$(sed -n 's/.*,several,"\([0-9]*\),.*/\1/p' candidates.csv)
tell "39 are clear and come with their decision filled in. One stands there twice: the accountant takes the older account, $twice." \
     "Any line could also say \"create\", or stay empty and wait."
sed -i "s/^\(.*,several,.*,\)\$/\1$twice/" candidates.csv
run mlcd adopt candidates.csv --quiet; expect "mlcd adopt" $code 0
expect "accounts after adoption" "$(accounts length)" $((made + 41))
expect "accounts with a Sage key" "$(accounts '[.[].Sage_Customer | select(. != null)] | length')" $((made + 40))
expect "Sage keys used twice" "$(accounts '[.[].Sage_Customer | select(. != null)] | group_by(.) | map(select(length > 1)) | length')" 0
expect "accounts made by adopting" "$(counter .inserts)" $made
linked=$((made + 40))
tell "Zoho now holds $((made + 41)) accounts: $linked linked to a customer by the unique field Sage_Customer, and the one duplicate, which people may now merge."

writes='.inserts + .updates + .noop_updates'
step "Nothing changed in Sage, so nothing is sent"
before=$(counter "$writes")
run mlcd once --quiet; expect "mlcd once" $code 0
expect "writes of a poll without changes" "$(($(counter "$writes") - before))" 0
tell "Writes that Zoho received: 0."

step "Three edits in Sage are exactly three updates in Zoho"
customers -r '[.rows[] | select(.fields.CustomerStatus == "A" and .fields.CreditHold == "N" and .fields.CustomerName != "")] | .[100:104][] | .key | join("~")' >edited
edit "$(edited 1)" '{"CreditHold":"Y"}'
edit "$(edited 2)" '{"City":"Springfield"}'
edit "$(edited 3)" '{"AddressLine1":"1 Infinite Street"}'
tell "Somebody puts ABC~$(edited 1) on hold, two others move. What would happen, field by field, without doing it:"
before=$(counter .updates)
run mlcd plan --quiet; expect "mlcd plan" $code 0
said "plan: 0 to make, 3 to update, 0 leave, 0 deleted"
expect "updates by planning" "$(counter .updates)" "$before"
run mlcd once --quiet; expect "mlcd once" $code 0
expect "updates after three edits" "$(($(counter .updates) - before))" 3
expect "writes that changed nothing" "$(counter .noop_updates)" 0
tell "Updates that Zoho received: 3."

step "One record is refused for good: it is set aside, shown, and replayed"
zoho -X POST -d '[{"match":{"method":"PUT","path":"/crm/v8/Accounts","body_contains":"Nowhere"},"do":"partial","times":0,"code":"INVALID_DATA","field":"Billing_City","message":"the city is not on the list"}]' \
    "$ZOHO/__sim/faults" >/dev/null
tell "The CRM's administrator has made a rule for cities; ABC~$(edited 4) moves to one that breaks it. The rest of the flow goes on:"
edit "$(edited 4)" '{"City":"Nowhere"}'
run mlcd once --quiet; expect "mlcd once" $code 0
said "set aside 1"
run mlcd status
said "the city is not on the list"
said "REJECTED"
zoho -X DELETE "$ZOHO/__sim/faults" >/dev/null
tell "The administrator mends the rule. The record is derived afresh from Sage and written:"
run mlcd replay "ABC~$(edited 4)" --quiet; expect "mlcd replay" $code 0
expect "the city in Zoho" "$(accounts -r ".[] | select(.Sage_Customer == \"ABC~$(edited 4)\").Billing_City")" Nowhere

step "Why does the CRM say that this customer is on hold?"
run mlcd why "ABC~$(edited 1)" Credit_Status; expect "mlcd why" $code 0
said "CreditHold = true"
said "customers.mlc:"
tell "The value before and after, the rule, what the rule read in Sage, where it stands: from the audit log, which is written before anything is sent."

step "The audit log verifies, and shows when somebody has been at it"
run mlcd audit verify; expect "mlcd audit verify" $code 0
cp -r state/journal tampered
segment=tampered/00000001.seg
other=X
[ "$(dd if="$segment" bs=1 skip=40000 count=1 2>/dev/null | tr -d '\000')" != X ] || other=Y
printf %s "$other" | dd of="$segment" bs=1 seek=40000 conv=notrunc 2>/dev/null
tell "A copy of the log, one byte of it changed, given to the auditor's own program (it shares no code with the writer):"
run mlc-audit-verify --pubkey "$(mlcd audit key)" tampered; expect "mlc-audit-verify on a changed log" $code 3
said "FAILED"

printf '\n%sSo much for one flow:%s %d customers, %d accounts, %d API calls, nothing doubled, nothing lost.\n' "$bold" "$plain" "$sage_rows" "$((made + 41))" \
    "$(counter '[.calls[]] | add')"

. "$root/examples/demo_distribution.sh"

printf '\n%sThat was it.%s\n' "$bold" "$plain"
tell "Next: README.md for the first mapping of your own in five minutes, docs/language.md for what a mapping can say, docs/operations.md for running it."
