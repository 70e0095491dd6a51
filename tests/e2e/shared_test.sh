#!/bin/sh
# shared_test.sh - twelve processes with one grant and directories of their own: one access token, and nobody is refused for too many.
. "$(dirname "$0")/lib.sh"
start_sage --customers 20
start_zoho
spec
each() { for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "$@" $i; done; }
prepare() {
    export MLCD_STATE="$W/state$1"
    mkdir "$MLCD_STATE"
    printf %s "$TOKEN" >in; quietly mlcd secret set sage-agent <in
    printf 'sync\n%s\n' "$PASSWORD" >in; quietly mlcd secret set sage <in
    printf '{"client_id":"%s","client_secret":"%s","refresh_token":"%s"}' "$CLIENT" "$SECRET" "$REFRESH" >in; quietly mlcd secret set zoho <in
    rm -f in
}
ping_one() { MLCD_STATE="$W/state$1" mlcd ping --image customers.mlcb >"ping$1.out" 2>&1 & pings="$pings $!"; }
ping_all() {
    pings="" failed=0
    each ping_one
    for p in $pings; do wait "$p" || failed=$((failed + 1)); done
}
each prepare
export MLCD_SHARED="$W/shared"
ping_all
is "twelve at once, none fails" "$failed" 0
is "and one token served them" "$(counter .tokens_issued)" 1
is "nothing readable lies in the directory" "$(grep -rlE '1000\.|access_token' shared | wc -l)" 0
curl -fsS -X POST -d '{}' "$ZOHO/__sim/expire_tokens" >/dev/null
ping_all
is "after a refused token one renewal served them" "$failed $(counter .tokens_issued)" "0 2"
unset MLCD_SHARED
ping_all
is "control: without the directory some are refused" "$([ "$failed" -gt 0 ] && echo yes)" yes
finish
