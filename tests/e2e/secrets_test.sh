#!/bin/sh
# secrets_test.sh - the scanner that ends every end-to-end test finds what is planted: each kind of secret in each form; a directory without one is clean.
. "$(dirname "$0")/lib.sh"
start_sage --customers 30
start_zoho
spec
printf 'client_id=%s\nclient_secret=%s\ncode=%s\n' "$CLIENT" "$SECRET" "$CODE" >grant
printf %s "$TOKEN" >in; quietly mlcd secret set sage-agent <in
printf 'sync\n%s\n' "$PASSWORD" >in; quietly mlcd secret set sage <in
quietly mlcd auth zoho --image customers.mlcb <grant
once --image customers.mlcb || true
same_as_sage "a run with a grant code"
exits "the log in full" 0 mlcd audit show
exits "and exported" 0 mlcd audit export --public

canaries | sort -u >canaries
is "every kind has a canary" "$(cut -d' ' -f1 canaries | sort -u | tr '\n' ' ')" "access-token agent-token client-id client-secret grant-code master-key refresh-token soap-password "
# How many copies live in a process that has signed in, read, written and waits. Only root may look.
if [ "$(id -u)" = 0 ] && ! grep -qa __asan_init "$(command -v mlcd)"; then
    mlcd run --quiet >run.out 2>run.err &
    run_pid=$!
    pids="$pids $run_pid"
    until_true 120 held "$W/state/lock"
    exits "a record is read and written by it" 0 mlcd replay "ABC~$(key 3)"
    canaries | sort -u >canaries
    secret-scan --process $run_pid canaries | sort | awk '{n[$1] = n[$1] > $2 ? n[$1] : $2} END {for (k in n) print k, n[k]}' | sort >copies
    echo "# copies in memory: $(tr '\n' ',' <copies)"
    is "copies of a secret in a process that waits are few" "$(awk '$2 > 4' copies)" ""
    is "the grant code is in none" "$(awk '$1 == "grant-code" {print $2}' copies)" 0
    is "the control: the token that is in use is found" "$(awk '$1 == "agent-token" {print ($2 > 0)}' copies)" 1
    end $run_pid || true
fi
mkdir planted clean
n=$(secret-scan --plant canaries planted)
found=0
for f in planted/*; do secret-scan canaries "$f" >/dev/null 2>&1 || found=$((found + 1)); done
is "each of them is found in each form" "$found" "$n"
echo "# $n forms of $(wc -l <canaries) canaries: $(ls planted | awk -F. '{print $2}' | sort | uniq -c | awk '{printf "%s %s, ", $2, $1}')"
# In the middle of a large file, over a page's edge, behind a hole, in a name, in a core's neighbour.
head -c 4090 /dev/zero >clean/edge; printf %s "$TOKEN" >>clean/edge; head -c 9000 /dev/zero >>clean/edge
truncate -s 50M clean/sparse; printf %s "$REFRESH" >>clean/sparse
: >"clean/$SECRET.log"
printf '{"a":"%s"}' "$(printf %s "x:$SECRET" | base64 -w0)" >clean/basic
found=0
for f in clean/*; do secret-scan canaries "$f" >/dev/null 2>&1 || found=$((found + 1)); done
is "over an edge, behind a hole, in a name, inside other base64" "$found" 4
rm -rf planted clean
secret-scan canaries --except canaries "$W/state" >leaks 2>/dev/null && is "its own key file is where the master key stands" none found
has "the master key is found where it must be" leaks "master-key as plain: $W/state/master.key at 0"
is "and nowhere else" "$(grep -vc master.key leaks)" 0
finish
