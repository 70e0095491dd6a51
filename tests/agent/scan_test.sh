#!/bin/sh
# scan_test.sh - a table of SCAN_ROWS rows (20,000; `make scan-agent` 200,000) through the agent: time of the scan, memory of the processes, and how long other
# requests take meanwhile, with one session and with two. The figures are comments; what is checked is that nothing is lost and the bounds hold.
. "$(dirname "$0")/lib.sh"
rows=${SCAN_ROWS:-20000}
wine_begin
mkdir -p data
awk -v n="$rows" 'BEGIN {
    printf "*ARDivisionNo$\t*CustomerNo$\tCustomerName$\tAddressLine1$\tCity$\tZipCode$\tTelephoneNo$\tCreditLimit\tCurrentBalance\tDateUpdated$\tTimeUpdated$\tDateCreated$\tTimeCreated$\n"
    for (i = 0; i < n; i++) printf "%02d\tC%07d\tCustomer number %d\t%d Main Street\tSpringfield\t%05d\t(312) 555-%04d\t%d\t%d.%02d\t2024%02d%02d\t%d.%d\t20200101\t8\n", i % 3 + 1, (i * 7919) % n, i, i, i % 99999, i % 9999, i % 50000, i % 3000, i % 100, i % 12 + 1, i % 28 + 1, i % 24, i % 9999
}' >data/AR_Customer.tsv
printf '*TermsCode$\tTermsCodeDesc$\tDateUpdated$\tTimeUpdated$\n00\tNet 30\t20240101\t1\n' >data/AR_TermsCode.tsv
# memory NAME: resident MB of the process of ours whose command line holds it
memory() { for pid in $(pgrep -f "$1"); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$(basename "$W")" && awk '/VmHWM/ {printf "%d MB peak\n", $2 / 1024}' "/proc/$pid/status"; done | sort -n | tail -1; }
slowest() { sort -n "$1" | tail -1; }
arch=${ARCH:-x64}
standin "$arch" "$W/data"
for sessions in 1 2; do
    agent_set_up "$arch" "$W/s$sessions" "$W/data" "sessions = $sessions" "scan_rows = $((rows / 2))"
    agent_start "$arch" "$W/s$sessions"
    C="$AGENT/v1/companies/ABC"
    ask "$C/terms/00" -o /dev/null
    ask "$C/customers/01~C0000000" -o /dev/null      # Sage's side has read its table
    : >single
    : >health
    ( while [ ! -e scanned ]; do
        ask -o /dev/null -w '%{time_total}\n' "$C/terms/00" >>single || true
        ask -o /dev/null -w '%{time_total}\n' "$AGENT/v1/health" >>health || true
        sleep 0.1
    done ) &
    looker=$!
    time=$(ASK_SECONDS=280 ask -o page -w '%{time_total}' "$C/customers?limit=250")
    touch scanned
    wait $looker || true
    rm -f scanned
    is "$sessions session(s): the first page of a scan of $rows rows" "$(jq '.rows | length' page)" 250
    echo "# $sessions session(s), $rows rows: first page $time s (scan $(ask "$AGENT/v1/health" | jq '.scans[] | select(.resource == "customers") | .seconds') s), meanwhile slowest single row $(slowest single) s, slowest health $(slowest health) s"
    next=$(jq -r .next page)
    again=$(ASK_SECONDS=280 ask -o page -w '%{time_total}' "$C/customers?limit=250&since=$next")
    echo "# $sessions session(s): the next page, from the list that was kept: $again s"
    is "$sessions session(s): it continues" "$(jq '.rows | length' page)" 250
    health=$(slowest health)
    if [ "${health%%.*}" -lt 3 ]; then ok "$sessions session(s): health answers during a scan"; else not_ok "$sessions session(s): health answers during a scan" "$health s"; fi
    n=0 after="" pages=0 begin=$(date +%s)
    while :; do
        ASK_SECONDS=280 ask -o keys "$C/customers/keys?limit=10000${after:+&after=$after}"
        jq -r '.keys[] | join("~")' keys >>all.keys
        pages=$((pages + 1))
        after=$(jq -r '.next // empty' keys)
        [ -n "$after" ] || break
    done
    echo "# $sessions session(s): all keys in $pages pages: $(($(date +%s) - begin)) s; service $(memory 'mlc-boi-agent.*run'), session's process $(memory 'mlc-boi-agent.*child'), the stand-in $(memory 'sage-standin.*Embedding')"
    is "$sessions session(s): every key once, with a list of half the table" "$(sort -u all.keys | wc -l) $(wc -l <all.keys)" "$rows $rows"
    rm -f all.keys
    agent_stop
done
finish
