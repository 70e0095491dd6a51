#!/bin/sh
# control.sh - changes the company behind an agent's back, for agent-conformance: through the model's script, or through the commands of the COM stand-in.
#   control.sh sim URL OP ...            control.sh standin DATA AGENTDIR OP ...
# OP: lock R KEY | unlock R KEY | edit R KEY COLUMN VALUE | insert R KEY | delete R KEY | restart | epoch. Exit 77: cannot.
set -eu
sim() {
    url=$1 op=$2 r=${3:-} key=${4:-}
    case $op in
    edit) body=$(jq -n --arg r "$r" --arg k "$key" --arg c "$5" --arg v "$6" '{resource: $r, key: $k, fields: {($c): $v}}') ;;
    insert) body=$(jq -n --arg r "$r" --arg k "$key" '{resource: $r, key: $k}') ;;
    lock) body=$(jq -n --arg r "$r" --arg k "$key" '{resource: $r, key: $k, seconds: 3600}') ;;
    unlock) op=lock; body=$(jq -n --arg r "$r" --arg k "$key" '{resource: $r, key: $k, seconds: 0, reads: 0}') ;;
    delete) body=$(jq -n --arg r "$r" --arg k "$key" '{resource: $r, key: $k}') ;;
    *) body='{}' ;;
    esac
    curl -fsS -X POST --data-binary "$body" "$url/__sim/$op" >/dev/null
}
standin() {
    data=$1 dir=$2 op=$3 r=${4:-} key=$(printf %s "${5:-}" | tr ' ' _)
    table=$(echo "$r" | sed 's/^customers$/AR_Customer/; s/^contacts$/AR_CustomerContact/; s/^vendors$/AP_Vendor/; s/^sales-orders$/SO_SalesOrderHeader/')
    now=$(date '+%Y%m%d %H %M %S' | awk '{printf "%s %.5f", $1, ($2 * 3600 + $3 * 60 + $4) / 3600}')
    stamp() { echo "set $table $key DateUpdated ${now% *}"; echo "set $table $key TimeUpdated ${now#* }"; }
    case $op in
    edit) { echo "set $table $key $6 $7"; stamp; } | iconv -f UTF-8 -t CP1252 >>"$data/commands" ;;
    insert) { echo "insert $table $key"; stamp; } | iconv -f UTF-8 -t CP1252 >>"$data/commands" ;;
    lock | unlock | delete) echo "$op $table $key" | iconv -f UTF-8 -t CP1252 >>"$data/commands" ;;
    restart)      # the process with Sage's session, and with it all that it remembered
        for pid in $(pgrep -f 'mlc-boi-agent.*exe child'); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir" && kill -9 "$pid"; done ;;
    *) exit 77 ;;
    esac
    sleep 0.1
}
kind=$1
shift
case $kind in
sim) sim "$@" ;;
standin) standin "$@" ;;
esac
