#!/bin/sh
# look_test.sh - commands that only look make and change no file: not where nothing ever ran, not in a state directory that is in use.
. "$(dirname "$0")/lib.sh"
for what in "status" "audit key" "audit verify" "audit show" "secret list" "why 01~A"; do
    # shellcheck disable=SC2086
    mlcd $what --state nothing >out 2>err </dev/null || true
    if [ -e nothing ]; then not_ok "$what where nothing ran makes nothing" "$(find nothing | tr '\n' ' ')"; else ok "$what where nothing ran makes nothing"; fi
    rm -rf nothing
done
exits "secret list where nothing was sealed" 0 mlcd secret list --state nothing

start_sage --customers 12
start_zoho
spec
sign_in
quietly mlcd once --quiet --image customers.mlcb
# LMDB counts its readers in lock.mdb.
snapshot() { find state -name lock.mdb -prune -o -type f -printf '%p %s %m %T@ ' -exec sha256sum {} \; | sort; }
snapshot >before
K="ABC~$(key 2)"
for what in "status" "audit key" "audit verify" "audit show" "secret list" "why $K"; do
    # shellcheck disable=SC2086
    exits "$what" 0 mlcd $what
    snapshot >after
    if cmp -s before after; then ok "$what changes nothing"; else not_ok "$what changes nothing" "$(diff before after | head -4 | tr '\n' '|')"; fi
done
finish
