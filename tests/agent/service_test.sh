#!/bin/sh
# service_test.sh - the way of docs/agent.md under wine's service manager: install, login, check, start, a request with the token that was shown, stop, an
# upgrade by replacing the file, remove. Both bitnesses. The service's account and its start at boot only a real Windows can show.
. "$(dirname "$0")/lib.sh"
wine_begin
mkdir -p data
printf '*TermsCode$\tTermsCodeDesc$\tDateUpdated$\tTimeUpdated$\n00\tNet 30\t20240101\t1\n' >data/AR_TermsCode.tsv
# A process that stays: without one wine ends its service manager between two commands, and starts all services again with the next.
mkfifo hold
"$WINE" cmd.exe <hold >/dev/null 2>&1 &
agent_pids="$agent_pids $!"
exec 8>hold
agent() { timeout 90 "$WINE" "$W/$arch/mlc-boi-agent.exe" "$@" >out 2>&1; }
for arch in ${ARCH:-$(arches)}; do
    standin "$arch" "$W/data"
    mkdir -p "$arch"
    cp "$(exe "mlc-boi-agent-$arch")" "$arch/mlc-boi-agent.exe"
    port=$((20000 + ($$ * 13 + $(date +%N | sed 's/^0*//' | cut -c1-6)) % 20000))
    code=0; agent install --home "$(winpath "$W/data")" --user sync --companies ABC --listen "http://127.0.0.1:$port/" </dev/null || code=$?
    is "$arch: install" $code 0
    token=$(tr -d '\r' <out | sed -n 's/^    \([A-Za-z0-9_.~-]\{40,\}\)$/\1/p')
    is "$arch: shows a token of 48 characters" "${#token}" 48
    code=0; agent install </dev/null || code=$?
    has "$arch: install again changes nothing" out "agent.ini is there and stays as it is"
    has_not "$arch: and shows no token" out "$token"
    echo "$AGENT_PASSWORD" >in
    code=0; agent login <in || code=$?
    is "$arch: login" $code 0
    rm in
    code=0; agent start </dev/null || code=$?
    is "$arch: start" $code 0
    code=0; agent start </dev/null || code=$?
    has "$arch: start again says so" out "it runs already"
    is "$arch: the service answers with the token" "$(curl -s -m 40 -H "Authorization: Bearer $token" "http://127.0.0.1:$port/v1/companies/ABC/terms" | jq -r '.rows[0].fields.TermsCodeDesc')" "Net 30"
    is "$arch: and without it 401" "$(curl -s -m 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/v1/health")" 401
    agent check </dev/null || true
    has "$arch: check sees it run" out "ok    the service runs"
    code=0; agent stop </dev/null || code=$?
    is "$arch: stop" "$code $(tr -d '\r' <out | tail -1)" "0 it is stopped"
    cp "$(exe "mlc-boi-agent-$arch")" "$arch/mlc-boi-agent.exe"
    agent start </dev/null || true
    is "$arch: after an upgrade the token still holds" "$(curl -s -m 40 -H "Authorization: Bearer $token" "http://127.0.0.1:$port/v1/health" | jq .protocol)" 1
    code=0; agent remove </dev/null || code=$?
    is "$arch: remove" "$code" 0
    agent check </dev/null || true
    has "$arch: check says how to get it back" out "-> mlc-boi-agent.exe install"
    code=0; agent stop </dev/null || code=$?
    has "$arch: stop of what is not there says so" out "is not installed"
done
exec 8>&-
finish
