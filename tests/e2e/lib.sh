# lib.sh - what the end-to-end tests share: both stand-ins on loopback, a spec, a signed-in state directory, and a comparison of everything that Zoho
# holds with what Sage says, computed a second time in jq (truth.jq) and not by the engine. A test sources it and ends with `finish`.
. "$(dirname "$0")/../script.sh"
# MLCD_UNDER: a directory whose mlcd takes the place of ours, e.g. one that runs it in a unit of systemd (unit/mlcd)
PATH=${MLCD_UNDER:+$MLCD_UNDER:}$PATH
[ -z "${MLCD_UNDER:-}" ] || { chmod 755 "$W"; head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$W/under.key"; export MLCD_UNDER_KEY="$W/under.key"; }
# Secrets, each of them new in every run, so that finish can tell where one stands that should not.
canary() { head -c 9 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
TOKEN=agent-token-$(canary)
PASSWORD="pw&<%+/$(canary)"
CLIENT=1000.CLIENT$(canary)
SECRET=client-secret-$(canary)
REFRESH=1000.refresh$(canary)
CODE=1000.code$(canary)
unset CREDENTIALS_DIRECTORY || true
export MLCD_STATE="$W/state" USER=tester NO_COLOR=1 HOME="$W" TMPDIR="$W/tmp"
mkdir -p tmp

finish() { no_leaks; exit $bad; }

# exits NAME CODE COMMAND...: output goes to out and err
exits() {
    what=$1 want=$2
    shift 2
    code=0
    "$@" >out 2>err </dev/null || code=$?
    cat out err >>said
    if [ "$code" = "$want" ]; then ok "$what"; else not_ok "$what" "exit $code instead of $want: $(cat err out | tr '\n' '|' | cut -c1-600)"; fi
}
# quietly COMMAND...: must work; a test cannot go on without it
quietly() { "$@" >out 2>err && cat out err >>said || { not_ok "$(basename "$0" _test.sh)" "$* failed: $(cat err out | tr '\n' '|' | cut -c1-600)"; exit 1; }; }
# json NAME FILE: every line of it is a JSON value
json() { if [ -s "$2" ] && jq -e . "$2" >/dev/null 2>&1; then ok "$1"; else not_ok "$1" "no JSON: $(head -c 300 "$2")"; fi; }
until_true() {   # SECONDS COMMAND...: twenty tries a second; the time that the command takes comes on top, so that a slow machine has longer
    n=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do n=$((n - 1)); [ $n -gt 0 ] || return 1; sleep 0.05; done
}

# ---- secrets ----
# What mlcd and its children show of themselves to anybody: arguments and environment, looked at twice a second.
watch_processes() {
    while sleep 0.5; do
        for p in $(pgrep -x mlcd); do
            grep -qaF "$W" "/proc/$p/environ" 2>/dev/null && cat "/proc/$p/cmdline" "/proc/$p/environ" >>processes 2>/dev/null || true
        done
    done
}
watch_processes &
pids=$!
canaries() {
    printf '%s\n' "agent-token $TOKEN" "soap-password $PASSWORD" "client-id $CLIENT" "client-secret $SECRET" "refresh-token $REFRESH" "grant-code $CODE"
    find . -name '*.key' -size -2 -exec sh -c 'for k; do grep -aqE "^[0-9a-f]{64}$" "$k" && printf "master-key %s\n" "$(cat "$k")"; done' sh {} +
    cat zoho.secrets 2>/dev/null || true
}
# Everything that this test has made is looked through, but for what the test itself wrote and the master keys' own files.
no_leaks() {
    canaries | sort -u >canaries
    if secret-scan canaries --except canaries --except zoho.secrets --except zoho.org.json --except in --except grant $(find . -name '*.key' -exec basename {} \; | sed 's/^/--except /') \
        ${OWN:-} "$W" >leaks 2>leaks.err; then ok "no secret stands where none may ($(sed 's/^# //' leaks.err))"; else not_ok "no secret stands where none may" "$(head -5 leaks | tr '\n' '|')"; fi
}

# free_port: one at which nothing listens, and below those that the kernel gives out by itself, so that no test beside this one gets it before it is used
free_port() {
    while p=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000)); do
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$(printf ':%04X ' $p)" || { echo $p; return; }
    done
}
# held FILE: whether a process holds a lock on it. Read off the kernel: to try the lock would take it from under an mlcd that is just starting.
held() { grep -q ":$(stat -c %i "$1" 2>/dev/null || echo none) " /proc/locks; }

# ---- the stand-ins ----
start_sage() {   # OPTIONS...
    rm -f sage.port
    sim-sage --port 0 --port-file sage.port --seed 7 --company ABC --token "$TOKEN" --user sync --password "$PASSWORD" "$@" 2>sage.err &
    sage_pid=$!
    pids="$pids $sage_pid"
    until_true 10 test -s sage.port || { cat sage.err; exit 1; }
    SAGE=http://127.0.0.1:$(cat sage.port)
    export SAGE_AGENT_URL="$SAGE" SAGE_SOAP_URL="$SAGE/ebusinesswebservices/MasService.svc"
}
start_zoho() {   # [--data FILE] OPTIONS...
    rm -f zoho.port
    data=$root/tests/sim/zoho/data/professional.json
    [ "${1:-}" != --data ] || { data=$2; shift 2; }
    sed "s|sim-secret|$SECRET|g; s|1000\\.simrefresh|$REFRESH|g; s|1000\\.simcode|$CODE|g; s|1000\\.SIMCLIENT|$CLIENT|g" "$data" >zoho.org.json
    sim-zoho --port 0 --port-file zoho.port --data zoho.org.json --secrets zoho.secrets "$@" 2>zoho.err &
    zoho_pid=$!
    pids="$pids $zoho_pid"
    until_true 10 test -s zoho.port || { cat zoho.err; exit 1; }
    ZOHO=http://127.0.0.1:$(cat zoho.port)
}
# end PID: asks a process of ours to end and waits; its exit code is the result
end() { kill -TERM "$1"; wait "$1"; }
# signal NAME PID: one that an mlcd of ours does not see, or cannot be asked; the process itself may be another than the one that was started
signal() { if [ -n "${MLCD_UNDER:-}" ]; then systemctl kill --kill-whom=main -s "$1" "mlc-e2e-$2" 2>/dev/null; else kill -"$1" "$2"; fi; }
sage() { curl -fsS -X POST --data-binary "$2" "$SAGE/__sim/$1" >/dev/null; }
edit() { sage edit "{\"resource\":\"customers\",\"key\":\"$1\",\"fields\":$2}"; }
rows() { curl -fsS -H "Authorization: Bearer $TOKEN" "$SAGE/v1/companies/ABC/customers?limit=1000"; }
key() { rows | jq -r "[.rows[] | select(.fields.CustomerStatus == \"A\" and .fields.CreditHold == \"N\")][$1].key | join(\"~\")"; }
dump() { curl -fsS "$ZOHO/__sim/dump?module=Accounts"; }
account() { dump | jq -r ".[] | select(.Sage_Customer == \"ABC~$1\") | .$2"; }
counter() { curl -fsS "$ZOHO/__sim/counters" | jq "$1"; }
faults() { curl -fsS -X POST --data-binary "$1" "$ZOHO/__sim/faults" >/dev/null; }
no_faults() { curl -fsS -X DELETE "$ZOHO/__sim/faults" >/dev/null; }

# ---- spec and sign-in ----
# spec [SED-EXPRESSION...]: the example, pointed at the stand-in, changed and compiled to customers.mlcb
spec() {
    cp "$root"/examples/customers/*.mlc "$root"/examples/customers/*.csv .
    sed -i 's|^\( *\)region *= us.*|&\n\1accounts_url = "'"$ZOHO"'"|' customers.mlc
    [ -z "${API_HOSTS:-}" ] || sed -i 's|^\( *\)region *= us.*|&\n\1api_domain_allow = "'"$API_HOSTS"'"|' customers.mlc
    for change; do sed -i "$change" customers.mlc; done
    quietly mlc build customers.mlc -o customers.mlcb
}
# files_spec SOURCE TARGET: a spec from a folder of JSON lines to a file
files_spec() {
    cat <<END
mlc 1
spec "files"
import file
source feed: file { path = "$1" }
target out:  file { path = "$2" }
entity feed.Customers { key No: text(1..20)  Name: text(50)? }
entity out.Accounts   { Key: text(60) @unique  Name: text(50) @required }
flow accounts from feed.Customers to out.Accounts {
  every 1s
  key Key
  Name = Name ?? reject "no name"
}
END
}
sign_in() {
    printf %s "$TOKEN" >in; quietly mlcd secret set sage-agent <in
    printf 'sync\n%s\n' "$PASSWORD" >in; quietly mlcd secret set sage <in
    printf 'client_id=%s\nclient_secret=%s\nrefresh_token=%s\n' "$CLIENT" "$SECRET" "$REFRESH" >in
    quietly mlcd auth zoho --image customers.mlcb <in
    rm -f in
}
once() { code=0; mlcd once --quiet "$@" >out 2>err || code=$?; cat out err >>said; return $code; }

# same_as_sage NAME: every customer of Sage stands in Zoho once, with the values that the agreement says; nothing else carries a key
same_as_sage() {
    rows >rows.json
    dump >accounts.json
    jq -rn -f "$root/tests/e2e/truth.jq" --slurpfile sage rows.json --slurpfile zoho accounts.json --rawfile countries "$root/examples/customers/countries.csv" >truth.out 2>&1 || true
    if [ "$(tail -1 truth.out)" = "compared $(jq '.rows | length' rows.json)" ] && [ "$(wc -l <truth.out)" = 1 ]; then ok "$1"; else not_ok "$1" "$(head -8 truth.out | tr '\n' '|')"; fi
}
