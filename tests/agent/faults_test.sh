#!/bin/sh
# faults_test.sh - Sage misbehaves under the agent, the network misbehaves in front of it; mlcd runs the customers example through it all.
#
#   crash, exception, hang in the middle of a scan and of a page; locks; a refused log-on; a closed company; an expired epoch; a session given back when idle
#   wrong tokens, path tricks, bodies too large or cut, addresses too long: refused, and the agent goes on
. "$(dirname "$0")/lib.sh"
wine_begin
model 90
get_code() { ask -o body -w '%{http_code}' "$@" 2>/dev/null || true; }
code_of() { jq -r '.error.code // "none"' body 2>/dev/null || echo none; }
last_fault=0
fault() { do_standin "fault $*"; last_fault=$((last_fault + 1)); }
arch=${ARCH:-x64}
standin "$arch" "$W/data"
agent_set_up "$arch" "$W/agent" "$W/data" "call_seconds = 8" "scan_seconds = 8" "idle_minutes = 1" "dates = UDF_SINCE"
agent_start "$arch" "$W/agent"
C="$AGENT/v1/companies/ABC/customers"
ask "$C?limit=1000" | jq -S '[.rows[] | del(.updated)]' >before.json
rm -f data/CI_Item.tsv      # an object that does not open
is "all customers" "$(jq length before.json)" 90

# ---- Sage ----
fault sets crash 0 0
is "Sage crashes in a scan: 502" "$(get_code "$C?limit=1000")" 502
is "session_failed" "$(code_of)" session_failed
is "the next request has a new session" "$(get_code "$C?limit=5")" 200
fault sets crash 0 12
is "Sage crashes in the middle of a page: 502" "$(get_code "$C?limit=1000")" 502
ask "$C?limit=1000" | jq -S '[.rows[] | del(.updated)]' >after.json
if cmp -s before.json after.json; then ok "and the page comes whole when it is asked for again"; else not_ok "and the page comes whole when it is asked for again" "differs"; fi
fault sets exception 0 3
is "a COM exception: 502" "$(get_code "$C?limit=1000")" 502
fault sets hang 0 2
begin=$(date +%s)
ASK_SECONDS=30 get_code "$C?limit=1000" >code
took=$(($(date +%s) - begin))
is "a call hangs: 502" "$(cat code)" 502
if [ "$took" -le 20 ]; then ok "after the limit of the ini file"; else not_ok "after the limit of the ini file" "$took s"; fi
has "and the log says so" "$W/agent/agent.log" "did not answer within 8 seconds"
is "the next request has a new session again" "$(get_code "$C?limit=5")" 200
is "health tells nothing is wrong any more" "$(ask "$AGENT/v1/health" | jq -r '.companies[0].lastError')" null
fault sets hang 0 0
(get_code "$C?limit=1000" >/dev/null) &
waiter=$!
sleep 2
begin=$(date +%s)
is "health answers while Sage hangs" "$(ask -m 5 "$AGENT/v1/health" | jq .protocol)" 1
if [ $(($(date +%s) - begin)) -le 3 ]; then ok "at once"; else not_ok "at once" "$(($(date +%s) - begin)) s"; fi
wait $waiter || true
fault sets garbage 0 0
code=$(get_code "$C?limit=1000")
case $code in 200 | 502) ok "garbage for an answer: $code" ;; *) not_ok "garbage for an answer" "$code" ;; esac
sleep 3      # repeated failures make the agent rest
fault logon no 0 0 1 "The system is closed for period end processing"
pkill_child() { for pid in $(pgrep -f 'mlc-boi-agent.*exe child'); do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$(basename "$W")" && kill -9 "$pid"; done; true; }
pkill_child
is "the session's process is killed: 502 or a new one" "$(get_code "$C?limit=1" >code; case $(cat code) in 502 | 503) echo gone ;; *) cat code ;; esac)" gone
n=20
while [ $n -gt 0 ] && [ "$(get_code "$C?limit=1000")" != 200 ]; do sleep 1; n=$((n - 1)); done
jq -S '[.rows[] | del(.updated)]' body >after.json 2>/dev/null || true
if cmp -s before.json after.json; then ok "and afterwards all is there, once"; else not_ok "and afterwards all is there, once" "$(head -c 300 body)"; fi

# ---- the network ----
for t in "" "Bearer" "Bearer wrong" "Basic $AGENT_TOKEN" "Bearer $AGENT_TOKEN-" "Bearer ${AGENT_TOKEN%?}"; do
    is "token '$(echo "$t" | cut -c1-12)': 401" "$(curl -s -m 10 -o body -w '%{http_code}' -H "Authorization: $t" "$C")" 401
done
head -c 300000 /dev/zero | tr '\0' '[' >big
code=$(get_code -X POST --data-binary @big "$C:batchGet")
case $code in 400 | 413 | 000) ok "a body too large is refused: $code (000: wine's http.sys closes the connection before the agent sees it)" ;; *) not_ok "a body too large" "$code" ;; esac
is "a body with another length than announced" "$(curl -s -m 40 -o body -w '%{http_code}' -H "Authorization: Bearer $AGENT_TOKEN" -H "Content-Length: 50" -X POST --data-binary '{"keys":' "$C:batchGet" | tr -d '\n')" 000
is "deeply nested JSON: 400" "$(get_code -X POST --data-binary "{\"keys\":$(printf '[%.0s' $(seq 1 5000))" "$C:batchGet")" 400
long=$(head -c 6000 /dev/zero | tr '\0' a)
case $(get_code "$C/01~$long") in 400 | 404 | 414) ok "an address too long" ;; *) not_ok "an address too long" "$(get_code "$C/01~$long")" ;; esac
for path in "/v1/companies/ABC/customers/..%5c..%5cwindows%5cwin.ini" "/v1/companies/ABC/customers/%2e%2e%2f%2e%2e%2fetc~passwd" "/v1/companies/ABC/..%2f..%2f/etc" \
    "/v1/companies/ABC/customers/%00~x" "/v1/companies/ABC/customers/%ff~x" "/v1/companies/ABC/customers/%~x" "/v1/companies/%41BC/../ABC/customers"; do
    code=$(get_code --path-as-is "$AGENT$path")
    case $code in 400 | 404) ok "path trick $path: $code" ;; *) not_ok "path trick $path" "$code $(head -c 200 body)" ;; esac
    has_not "and no file comes" body "root:"
done
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (curl -s -m 20 -o /dev/null -H "Authorization: Bearer nope" "$C" || true) & jobs_pids="${jobs_pids:-} $!"; done
# shellcheck disable=SC2086
wait $jobs_pids || true
printf 'GARBAGE\r\n\r\n' | timeout 3 sh -c "cat; sleep 1" >"/dev/null" || true
is "after all that it still answers" "$(get_code "$C?limit=1000")" 200
has "what was refused is in the log" "$W/agent/agent.log" "refused: status 401"
has_not "the log holds no token" "$W/agent/agent.log" "$AGENT_TOKEN"
has_not "nor a password" "$W/agent/agent.log" "$AGENT_PASSWORD"
has_not "nor a customer" "$W/agent/agent.log" "$(jq -r '.[5].fields.CustomerName' before.json)"
if grep -aqF "$AGENT_TOKEN" "$W/agent/agent.secret" || grep -aqF "$AGENT_PASSWORD" "$W/agent/agent.secret"; then not_ok "secrets are sealed" "plain"; else ok "secrets are sealed"; fi

# ---- epoch, check, service commands ----
cursor=$(jq -r .next body)
agent_stop
timeout 60 "$WINE" "$(exe "mlc-boi-agent-$arch")" epoch ABC --dir "$(winpath "$W/agent")" >epoch.out 2>&1 </dev/null || true
has "a new epoch on command" epoch.out "new epoch"
agent_start "$arch" "$W/agent"
C="$AGENT/v1/companies/ABC/customers"
is "after it a cursor has expired: 410" "$(get_code "$C?since=$cursor")" 410
agent_stop
timeout 120 "$WINE" "$(exe "mlc-boi-agent-$arch")" check --dir "$(winpath "$W/agent")" >check.out 2>&1 </dev/null || true
has "check: the COM class" check.out "ok    Sage's COM class ProvideX.Script is registered"
has "check: the company" check.out "ok    company ABC opens"
has "check: a table" check.out "ok      customers"
has "check: a table that does not open, with what to do" check.out "[objects] items = NAME"
sed -i 's|^home = .*|home = C:\\nowhere|' "$W/agent/agent.ini"
timeout 120 "$WINE" "$(exe "mlc-boi-agent-$arch")" check --dir "$(winpath "$W/agent")" >check.out 2>&1 </dev/null || true
has "check: a wrong home folder" check.out "WRONG Sage's home folder"
printf '[agent]\nlisten = http://0.0.0.0:80/\nnonsense = 1\nqueue = 0\n' >"$W/agent/agent.ini"
timeout 60 "$WINE" "$(exe "mlc-boi-agent-$arch")" check --dir "$(winpath "$W/agent")" >check.out 2>&1 </dev/null || true
has "check: every problem of the ini file at once" check.out "queue must be a whole number from 1 to 64; listen must begin with https://"
has "with its line" check.out "line 3: there is no setting 'nonsense'"
finish
