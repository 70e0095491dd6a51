#!/bin/sh
# whole_test.sh - the integration of a whole distributor, examples/sage100-zoho, with two companies and all of its tables, through the agent EXE under wine: every
# record in Zoho is what the reference evaluator makes of Sage's rows, also when the COM server crashes in between; a second run writes nothing.
. "$(dirname "$0")/../e2e/lib.sh"
. "$root/tests/e2e/distribution.sh"
. "$root/tests/agent/wine.sh"
. "$root/tests/agent/tables.sh"
unset TZ
at_end() { wine_end; }
AGENT_TOKEN=$TOKEN
wine_begin
arches_wanted=${ARCH:-$(arches)}
for arch in $arches_wanted; do
    [ -z "${sage_pid:-}" ] || kill "$sage_pid" "$zoho_pid" 2>/dev/null || true
    rm -rf state data
    start_distribution 40 contacts=60,sales-orders=60,sales-order-history=60,ar-invoices=80,vendors=15,items=60,gl-accounts=60,purchase-orders=20,ap-invoices=30 10
    for co in ABC DEF; do write_tables "$SAGE" "$TOKEN" "$W/data/$co" "$co"; done
    export TZ=America/Chicago
    standin "$arch" "$W/data"
    agent_set_up "$arch" "$W/$arch" "$W/data" "dates = UDF_SINCE"
    sed -i 's/^companies = ABC/companies = ABC, DEF/' "$W/$arch/agent.ini"
    agent_start "$arch" "$W/$arch"
    unset TZ
    export SAGE_AGENT_URL="$AGENT"
    is "$arch: two companies with the model's tables" "$(ask "$AGENT/v1/companies" | jq -c '[.companies[] | .resources | sort]')" "$(ask "$SAGE/v1/companies" | jq -c '[.companies[] | .resources | sort]')"
    echo "fault sets crash 0 60 1" >>data/commands
    code=0
    timeout 300 mlcd once --quiet --image customers.mlcb --wait 60s >out 2>err </dev/null || code=$?
    [ $code -le 1 ] || echo "# mlcd: exit $code: $(tail -2 err | tr '\n' '|')"
    exits "$arch: the first load, with a crash of the COM server in it" 0 timeout 300 mlcd once --quiet --image customers.mlcb --wait 60s
    has "$arch: it did crash" "$W/$arch/agent.log" "Sage's process failed"
    same_world "$arch: every record of every flow stands in Zoho as the reference evaluator says"
    echo "# $arch: $(tail -1 differences.out)"
    writes=$(counter '.inserts + .updates + .noop_updates')
    exits "$arch: another run" 0 timeout 300 mlcd once --quiet --image customers.mlcb --wait 60s
    is "$arch: writes nothing" "$(($(counter '.inserts + .updates + .noop_updates') - writes))" 0
    has_not "$arch: nothing that writes or locks was ever called" data/calls FORBIDDEN
    agent_stop
done
[ "$(arches)" = "x64 x86" ] || echo "skipped: the 32-bit parts of wine are not there"
finish
