#!/bin/sh
# same_test.sh - both bitnesses of the agent give for the same data what the model of the protocol gives, row by row and schema by schema.
. "$(dirname "$0")/lib.sh"
wine_begin
model 100
printf '*ARDivisionNo$\t*CustomerNo$\t*InvoiceNo$\t*InvoiceType$\t*TransactionDate$\t*SequenceNo$\tTransactionAmt\tDateUpdated$\tTimeUpdated$\tUserUpdatedKey$\n' >data/AR_TransactionPaymentHistory.tsv
printf '01\tABF\t0100001\tIN\t20240301\t000001\t-12.5\t20240301\t10.1\t0000000001\n01\tABF\t0100001\tIN\t20240301\t000002\t7\t20240301\t9\t0000000001\n' >>data/AR_TransactionPaymentHistory.tsv
for arch in ${ARCH:-$(arches)}; do
    standin "$arch" "$W/data"
    agent_set_up "$arch" "$W/$arch" "$W/data" "dates = UDF_SINCE"
    agent_start "$arch" "$W/$arch"
    ask "$AGENT/v1/companies" >companies.json
    is "$arch: the resources of the tables that are there" "$(jq -r '.companies[0].resources | sort | join(" ")' companies.json)" \
        "$(ask "$SIM/v1/companies" | jq -r '.companies[0].resources + ["ar-payments"] | sort | join(" ")')"
    for r in $(jq -r '.companies[0].resources[] | select(. != "ar-payments")' companies.json); do
        for side in "$SIM sim" "$AGENT agent"; do
            ask "${side% *}/v1/companies/ABC/$r?limit=1000" >"${side#* }.page"
            jq -S '[.rows[] | del(.hash)]' "${side#* }.page" >"${side#* }.json"
            ask "${side% *}/v1/companies/ABC/schema/$r" | jq -S '[.key, .audit, .lines.key, (.columns + (.lines.columns // []) | map(select(.udf | not) | del(.length)) | sort_by(.name))]' >"${side#* }.schema"
        done
        if cmp -s sim.json agent.json; then ok "$arch: $r: $(jq length sim.json) rows in the same order"; else not_ok "$arch: $r" "$(diff sim.json agent.json | head -6 | tr '\n' '|')"; fi
        if cmp -s sim.schema agent.schema; then ok "$arch: $r: the same schema"; else not_ok "$arch: $r: schema" "$(diff sim.schema agent.schema | head -6 | tr '\n' '|')"; fi
        has_not "$arch: $r: what is barred does not leave" agent.page SECRET
    done
    # what the model has no table for: a key of six parts, and stamps of the last change only
    is "$arch: ar-payments" "$(ask "$AGENT/v1/companies/ABC/ar-payments" | jq -c '[.complete, .rows[0].updated.utc, (.rows[] | .key)]')" \
        '[true,"2024-03-01T15:00:00Z",["01","ABF","0100001","IN","20240301","000002"],["01","ABF","0100001","IN","20240301","000001"]]'
    is "$arch: ar-payments: one" "$(ask "$AGENT/v1/companies/ABC/ar-payments/01~ABF~0100001~IN~20240301~000001" | jq -r .fields.TransactionAmt)" "-12.50"
    is "$arch: bitness" "$(ask "$AGENT/v1/health" | jq .bitness)" "$(echo "$arch" | sed 's/x64/64/; s/x86/32/')"
    agent_stop
    has "$arch: it stops when it is told to" "$W/$arch/agent.log" "stopped"
done
has_not "nothing that writes or locks was ever called" "$W/data/calls" FORBIDDEN
[ "$(arches)" = "x64 x86" ] || echo "skipped: the 32-bit parts of wine are not there"
finish
