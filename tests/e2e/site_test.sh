#!/bin/sh
# site_test.sh - many integrations on one host: mlcd run --site with real processes against the stand-ins. One that fails moves nobody else; tokens are shared
# by grant; a line for each; SIGHUP, SIGTERM; 1,000 idle ones cost next to nothing.
. "$(dirname "$0")/lib.sh"
start_sage --customers 40
start_zoho
spec 's/every 15m/every 2s/'
add() {   # NAME: an integration of its own in site/
    mkdir -p "site/$1"
    cp customers.mlcb "site/$1/customers.mlcb"
    printf '# where\nSAGE_AGENT_URL=%s\nSAGE_SOAP_URL=%s\n' "$SAGE" "$SAGE_SOAP_URL" >"site/$1/env"
    export MLCD_STATE="$W/site/$1/state"
    sign_in
}
say() { mlcd status --site site --json | jq -r "select(.name == \"$1\") | .$2"; }
exits "a site that is not there" 1 mlcd run --site nowhere
exits "a spec for a whole site is wrong usage" 64 mlcd run --site site --image customers.mlcb
add alpha
add bravo
printf 'SAGE_AGENT_URL=http://127.0.0.1:9\nSAGE_SOAP_URL=http://127.0.0.1:9/x\n' >site/bravo/env
add charlie
: >site/charlie/off
mkdir site/empty
unset SAGE_AGENT_URL SAGE_SOAP_URL MLCD_STATE

exits "what is due by hand" 0 env SAGE_AGENT_URL="$SAGE" SAGE_SOAP_URL="$SAGE/x" mlcd once --due --quiet --image customers.mlcb --state site/alpha/state
is "it leaves a note of when to start again" "$(cut -d' ' -f1 site/alpha/turn | tr '\n' ' ')" "next pending rejected waiting held locked "
is "and wrote what was due" "$(dump | jq length)" "$(curl -fsS "$ZOHO/__sim/dump?module=Accounts" | jq '[.[] | select(.Sage_Customer)] | length')"

mlcd run --site site --at-once 2 2>run.err >run.out &
site_pid=$!
pids="$pids $site_pid"
until_true 30 sh -c "mlcd status --site site --json | jq -se 'any(.[]; .name == \"alpha\" and .ok != null)'" || true
exits "a second supervisor" 75 mlcd run --site site
K=$(key 3)
edit "$K" '{"City":"Basel"}'
if until_true 60 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg k 'ABC~$K' '.[] | select(.Sage_Customer == \$k) | .Billing_City == \"Basel\"'"; then
    ok "an edit arrives by the schedule"
else
    not_ok "an edit arrives by the schedule" "$(tail -3 run.err; cat site/alpha/log)"
fi
until_true 60 sh -c "mlcd status --site site --json | jq -se 'any(.[]; .name == \"bravo\" and .fails > 0)'" || true
is "one whose Sage is down fails for itself" "$(say bravo state) $(say bravo code)" "failing 69"
case $(say bravo text) in *127.0.0.1*|*reach*|*connect*) ok "and says why" ;; *) not_ok "and says why" "$(say bravo text)" ;; esac
is "the other does not notice" "$(say alpha fails)" 0
is "what is off is off" "$(say charlie state)" off
is "what has no spec says so" "$(say empty state)" broken
exits "status with --detailed-exitcode" 2 mlcd status --site site --detailed-exitcode
has "is a line for each" out "4 integrations"
exits "status as CSV" 0 mlcd status --site site --csv
is "with a head" "$(head -1 out | cut -d, -f1-3)" "name,state,ended"
has_not "no secret stands in the logs" site/alpha/log "$TOKEN"
has_not "nor in those of one that fails" site/bravo/log "$TOKEN"

# ---- people work on it ----
printf 'SAGE_AGENT_URL=%s\nSAGE_SOAP_URL=%s/x\n' "$SAGE" "$SAGE" >site/bravo/env
rm site/charlie/off
kill -HUP $site_pid
if until_true 60 sh -c "mlcd status --site site --json | jq -se 'map(select(.name == \"bravo\" or .name == \"charlie\") | .ok != null and .fails == 0) | all'"; then
    ok "SIGHUP: what was mended and what was switched on run at once"
else
    not_ok "SIGHUP: what was mended and what was switched on run at once" "$(mlcd status --site site; tail -5 run.err)"
fi
signed=$(counter .tokens_issued)
curl -fsS -X POST "$ZOHO/__sim/expire_tokens" >/dev/null
edit "$K" '{"City":"Bern"}'
until_true 60 sh -c "curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -e --arg k 'ABC~$K' '.[] | select(.Sage_Customer == \$k) | .Billing_City == \"Bern\"'" || true
sleep 6
is "the three of one grant share a place for its token" "$(find site/.shared -name '*.token' | wc -l)" 1
asked=$(($(counter .tokens_issued) - signed))
[ $asked -ge 1 ] && [ $asked -le 2 ] && ok "and all their processes asked for one, not each for its own" || not_ok "and all their processes asked for one, not each for its own" "$asked times"
export SAGE_AGENT_URL="$SAGE" SAGE_SOAP_URL="$SAGE/x"
exits "an operator may look at one of them meanwhile" 0 mlcd status --state site/alpha/state
code=0; end $site_pid || code=$?
is "SIGTERM ends it cleanly" $code 0
for n in alpha bravo charlie; do
    flock -n "site/$n/state/lock" true && ok "no process of $n is left" || not_ok "no process of $n is left" "the state is held"
    exits "the log of $n verifies" 0 mlcd audit verify --state "site/$n/state"
done

# ---- 1,000 that have nothing to do ----
now=$(date +%s)
for i in $(seq 1000); do
    mkdir -p "many/c$i"
    ln customers.mlcb "many/c$i/customers.mlcb"
    printf 'next %s000\n' $((now + 86400)) >"many/c$i/turn"
done
mlcd run --site many 2>many.err &
many_pid=$!
pids="$pids $many_pid"
until_true 30 grep -q "1000 integrations" many.err || true
sleep 3
rss=$(awk '/^VmRSS/ { print $2 }' /proc/$many_pid/status)
ticks=$(awk '{ print $14 + $15 }' /proc/$many_pid/stat)
sleep 3
more=$(($(awk '{ print $14 + $15 }' /proc/$many_pid/stat) - ticks))
echo "# 1,000 idle integrations: $rss KiB, $ticks ticks to start, $more in 3 s"
[ "$rss" -lt 30000 ] && ok "1,000 idle integrations take less than 30 MB" || not_ok "1,000 idle integrations take less than 30 MB" "$rss KiB"
[ "$more" -le 6 ] && ok "and less than 2 % of a processor" || not_ok "and less than 2 % of a processor" "$more ticks in 3 s"
exits "a line for each of them" 0 mlcd status --site many --json
is "all idle" "$(jq -r .state out | sort | uniq -c | sed 's/^ *//')" "1000 new"
code=0; end $many_pid || code=$?
is "ended cleanly" $code 0
finish
