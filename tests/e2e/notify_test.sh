#!/bin/sh
# notify_test.sh - notifications over real HTTP: the channels of a running mlcd, what comes in, what is refused, and what outlives a kill.
. "$(dirname "$0")/lib.sh"
OWN="--except posted.log"        # what the stand-in for Zoho posted: the channel's token is in it
PORT=$(free_port)
start_sage --customers 60
start_zoho --notify-log posted.log
spec 's|^\( *\)region *= us.*|&\n\1notify_url = "http://127.0.0.1:'"$PORT"'/zoho" notify_listen = "127.0.0.1:'"$PORT"'"|'
sign_in
once --image customers.mlcb || true
K=$(key 3); L=$(key 5)
running() {
    mlcd run --quiet >run.out 2>run.err &
    run_pid=$!
    pids="$pids $run_pid"
    until_true 60 sh -c "[ \"\$(mlcd status --json | jq '.channels | length')\" = 1 ]"
}
post() { curl -s -o /dev/null -w '%{http_code}' -X "${3:-POST}" -H "Content-Type: ${2:-application/json}" --data-binary "$1" "http://127.0.0.1:$PORT/zoho"; }
delete() { curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$(account "$1" id)\"}" "$ZOHO/__sim/delete" >/dev/null; }
rejected() { mlcd status --json | jq .flows[0].REJECTED; }
now_rejected() { until_true 30 sh -c "[ \"\$(mlcd status --json | jq .flows[0].REJECTED)\" -ge $1 ]" || true; is "$2" "$(rejected)" "$1"; }
was=$(rejected)

running
is "a channel for the module" "$(mlcd status --json | jq -r '.channels[0] | "\(.target) \(.module) \(.what)"')" "crm Accounts deletions"
mlcd status >out 2>err
has "status shows it to people" out "notifications"
is "with the time that was granted" "$(mlcd status --json | jq '.channels[0].until | sub("\\.[0-9]+Z"; "Z") | fromdate - now > 6 * 86400')" true
exits "ping asks Zoho for it" 0 mlcd ping
has "and says until when" out "Accounts: until 20"
is "Zoho has it" "$(counter .channels)" 1

delete "$K"
now_rejected $((was + 1)) "a record that people delete is missed within seconds"
mlcd status >out
has "with the reason" out "does not exist in the target any more"
is "the notification was acknowledged" "$(awk '{print $2}' posted.log | sort -u)" 200
is "and stands in the log" "$(mlcd audit show --kind HINT --public | wc -l)" 2

is "a guessed token" "$(post '{"module":"Accounts","operation":"delete","ids":["1"],"token":"guess"}')" 403
is "no JSON" "$(post 'hello')" 403
is "a form" "$(post 'a=b' application/x-www-form-urlencoded)" 415
is "nothing" "$(post '')" 400
is "another method" "$(post '' application/json PUT)" 405
head -c 300000 /dev/zero | tr '\0' ' ' >big
is "300 KB" "$(post @big)" 413
is "none of it is kept" "$(find state/hints -name '*.hint' | wc -l)" 0
token=$(sed 's/.*"token":"\([^"]*\)".*/\1/' posted.log | tail -1)
is "the token stands nowhere in the state" "$(grep -rl -- "$token" state | wc -l)" 0

# Killed between the acknowledgement and the work: the next start does it.
signal STOP $run_pid
id=$(account "$L" id)
zoho_ids() { printf '{"module":"Accounts","operation":"delete","ids":["%s"],"token":"%s"}' "$id" "$token"; }
signal KILL $run_pid
wait $run_pid 2>/dev/null || true
curl -fsS -X POST -d "{\"module\":\"Accounts\",\"id\":\"$id\"}" "$ZOHO/__sim/delete" >/dev/null
zoho_ids >state/hints/crm/0000000000001-0000000000000001.hint
once || true
is "what was kept is worked off by the next start" "$(rejected)" $((was + 2))
is "and goes" "$(find state/hints -name '*.hint' | wc -l)" 0

curl -fsS -X POST -d '{}' "$ZOHO/__sim/forget_channels" >/dev/null
running
until_true 30 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/counters' | jq .channels)\" = 1 ]" || true
is "a forgotten channel is made again" "$(counter .channels)" 1
code=0; end $run_pid || code=$?
is "run ends cleanly" $code 0
is "and takes its channels off" "$(counter .channels)" 0
spec 's|^\( *\)region *= us.*|&\n\1notify_url = "http://127.0.0.1:'"$PORT"'/zoho" notify_listen = "somewhere"|'
exits "an address that is none" 78 mlcd run --quiet --image customers.mlcb
has "says so" err "notify_listen"
exits "the log verifies" 0 mlcd audit verify
finish
