#!/bin/sh
# sync_test.sh - mlcd runs the customers example through the agent EXE under wine: what Zoho holds in the end is what Sage says (truth.jq, as in
# tests/e2e), also when the COM server is killed, hangs, or holds rows locked in the middle. Both bitnesses.
. "$(dirname "$0")/../e2e/lib.sh"
. "$root/tests/agent/wine.sh"
. "$root/tests/agent/tables.sh"
unset TZ
at_end() { wine_end; }
AGENT_TOKEN=$TOKEN
wine_begin
now() { TZ=America/Chicago date '+%Y%m%d %H %M %S' | awk '{printf "%s %.5f", $1, ($2 * 3600 + $3 * 60 + $4) / 3600}'; }
# both KEY COLUMN VALUE: the same edit in the model, which is the truth, and in the stand-in behind the agent
both() {
    edit "$1" "{\"$2\":\"$3\"}"
    stamp=$(now)
    printf 'set AR_Customer %s %s %s\nset AR_Customer %s DateUpdated %s\nset AR_Customer %s TimeUpdated %s\n' "$1" "$2" "$3" "$1" "${stamp% *}" "$1" "${stamp#* }" >>"$W/data/commands"
    sleep 0.05
}
tell() { echo "$1" >>"$W/data/commands"; sleep 0.05; }
round() {   # one run of mlcd; what cannot finish yet (exit 1) is finished by a later one, as by the schedule
    code=0
    timeout 120 mlcd once --quiet --wait "${1:-20s}" >out 2>err </dev/null || code=$?
    [ $code -le 1 ] || echo "# mlcd: exit $code: $(tail -2 err | tr '\n' '|')"
}
start_sage --customers 80
start_zoho
write_tables "$SAGE" "$TOKEN" "$W/fresh"
arches_wanted=${ARCH:-$(arches)}
for arch in $arches_wanted; do
    # a new company and a new Zoho for each bitness
    if [ "$arch" != "${arches_wanted%% *}" ]; then
        kill "$sage_pid" "$zoho_pid" 2>/dev/null || true
        start_sage --customers 80
        start_zoho
    fi
    rm -rf data state
    cp -r fresh data
    export TZ=America/Chicago
    standin "$arch" "$W/data"
    agent_set_up "$arch" "$W/$arch" "$W/data" "call_seconds = 10" "scan_seconds = 10" "dates = UDF_SINCE"
    agent_start "$arch" "$W/$arch"
    unset TZ
    export SAGE_AGENT_URL="$AGENT"
    spec
    sign_in
    exits "$arch: ping finds all as it should be" 0 mlcd ping --image customers.mlcb
    exits "$arch: the first load" 0 timeout 300 mlcd once --quiet --image customers.mlcb
    same_as_sage "$arch: Zoho holds what Sage says"
    A=$(key 3); D=$(key 5); L=$(key 7)
    both "$A" City Basel
    both "$D" City Geneva
    round
    is "$arch: an edit arrives" "$(account "$A" Billing_City)" Basel
    same_as_sage "$arch: and nothing else changes"

    both "$A" City Bern
    both "$L" City Locarno
    tell "lock AR_Customer $L"
    tell "fault sets crash 0 3 1"
    round 3s
    is "$arch: the COM server dies in the middle of a page: the edit arrives" "$(account "$A" Billing_City)" Bern
    is "$arch: a locked row does not hold back the others, and is not lost" "$(account "$L" Billing_City | grep -c Locarno)" 0
    tell "unlock AR_Customer $L"
    both "$D" City Davos
    tell "fault sets hang 0 2 1"
    for i in 1 2 3 4; do round; [ "$(account "$L" Billing_City)" = Locarno ] && break; sleep 2; done
    is "$arch: the COM server hangs, its process is ended: the edit arrives" "$(account "$D" Billing_City)" Davos
    is "$arch: the row comes when it is free" "$(account "$L" Billing_City)" Locarno
    both "$A" City Arosa
    for pid in $(pgrep -f 'sage-standin-.*Embedding'); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$(basename "$W")" && kill -9 "$pid"; done
    round
    is "$arch: the COM server is killed between two polls: the edit arrives" "$(account "$A" Billing_City)" Arosa
    same_as_sage "$arch: after all that Zoho holds what Sage says"
    exits "$arch: the audit log verifies" 0 mlcd audit verify
    has_not "$arch: nothing that writes or locks was ever called" data/calls FORBIDDEN
    agent_stop
done
[ "$(arches)" = "x64 x86" ] || echo "skipped: the 32-bit parts of wine are not there"
finish
