# chain.sh - what both runs of check-openapi share: Prism between mlcd and the stand-in, and the judgement at the end. Sourced after tests/e2e/lib.sh.
operations=$here/operations.txt
listed() { sed '/^#/d;/^ *$/d' "$operations"; }
prism=$B/openapi/node_modules/@stoplight/prism-cli/dist/index.js
if [ ! -f "$prism" ]; then
    echo "installing Prism into $B/openapi"
    mkdir -p "$B/openapi"
    npm install --silent --no-audit --no-fund --prefix "$B/openapi" @stoplight/prism-cli@5.14.2 >npm.out 2>&1 || { cat npm.out >&2; echo "check-openapi: Prism cannot be installed" >&2; exit 1; }
fi

# record.js listens at the port in record.port, before Prism, before $ZOHO; every call and what Prism says of it goes to calls.jsonl
start_chain() {
    PRISM=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    node "$prism" proxy --errors -h 127.0.0.1 -p "$PRISM" "$ZOHO_OPENAPI" "$ZOHO" >prism.log 2>&1 &
    pids="$pids $!"
    until_true 60 grep -q 'is listening' prism.log || { cat prism.log >&2; echo "check-openapi: Prism does not start" >&2; exit 1; }
    node "$here/record.js" "$operations" "$PRISM" record.port calls.jsonl 2>record.err &
    recorder=$!
    pids="$pids $recorder"
    until_true 10 test -s record.port || { cat record.err >&2; exit 1; }
}

# Which operations were called and how they ended; violations are judged against known.txt.
judge_calls() {
    kill "$recorder"
    wait "$recorder" 2>/dev/null || true
    printf '\n%-10s %8s   %s\n' operation requests statuses
    jq -rs 'group_by(.op)[] | [.[0].op, (length | tostring), (group_by(.status) | map("\(.[0].status) x \(length)") | join(", "))] | @tsv' calls.jsonl |
        while IFS="$(printf '\t')" read -r op n statuses; do printf '%-10s %8s   %s\n' "$op" "$n" "$statuses"; done
    echo
    is "no call outside of the list" "$(jq -rs '[.[] | select(.op == "unlisted") | "\(.method) \(.path)"] | unique | join(" ")' calls.jsonl)" ""
    sed 's/#.*//;/^ *$/d' "$here/known.txt" >known
    jq -r '. as $c | .violations[] | [$c.op, ($c.status | tostring), .] | @tsv' calls.jsonl | sort | uniq -c >violations
    unknown=0
    while read -r times op status text; do
        why=$(while read -r kop kstatus piece; do
            case $op in $kop) ;; *) [ "$kop" = '*' ] || continue ;; esac
            [ "$kstatus" = "$status" ] || [ "$kstatus" = '*' ] || continue
            case $text in *"$piece"*) echo known; break ;; esac
        done <known)
        [ -n "$why" ] && { echo "# known: $times x $op $status $text" | cut -c1-200; continue; }
        unknown=$((unknown + 1))
        not_ok "$op $status ($times times)" "$(echo "$text" | cut -c1-600)"
    done <violations
    [ $unknown = 0 ] && ok "no violation that the fact sheet does not list"
}
