#!/bin/sh
# running_test.sh - an operator beside a running mlcd: decisions are handed over and done there; erased records stay erased.
. "$(dirname "$0")/lib.sh"
start_sage --customers 60
start_zoho
spec
sign_in
once --image customers.mlcb || true
K=$(key 3); L=$(key 5)
faults '[{"match":{"method":"PUT","path":"/crm/v8/Accounts"},"do":"partial","code":"INVALID_DATA","field":"Billing_City","message":"invalid data"}]'
edit "$K" '{"City":"Basel"}'
once || true
is "the edit is set aside" "$(mlcd status --json | jq .flows[0].REJECTED)" 1
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"

exits "replay beside a running mlcd is handed over" 0 mlcd replay "ABC~$K" --json
json "and says so" out
has "the running one does it" out '"handed_over":true'
until_true 60 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -r '.[] | select(.Sage_Customer == \"ABC~$K\") | .Billing_City')\" = Basel ]" || true
is "and writes it" "$(account "$K" Billing_City)" Basel
exits "a refusal comes back with its reason" 1 mlcd replay "ABC~99~NOBODY"
has "as if it had been done here" err "no record ABC~99~NOBODY"
exits "accept with nothing held" 0 mlcd accept
exits "ping works beside it" 0 mlcd ping
printf 'client_id=%s\nclient_secret=%s\nrefresh_token=%s\n' "$CLIENT" "$SECRET" "$REFRESH" >grant
if mlcd auth zoho --image customers.mlcb <grant >out 2>err; then ok "signing in again works beside it"; else not_ok "signing in again works beside it" "$(cat err)"; fi
has "and the running one is told" err "the running mlcd reads it now"
until_true 20 grep -q "loading the compiled spec again" run.err && ok "it reads its credentials again" || not_ok "it reads its credentials again" "$(tail -3 run.err)"
exits "erase is handed over" 0 mlcd erase "ABC~$L"
has "and tells of the backups" err "backups"
code=0; end $run_pid || code=$?
is "run ends cleanly" $code 0

# A token that is wrong when it starts, and is set while it runs.
printf wrong-token | quietly mlcd secret set sage-agent
has_not "nobody is told when nobody runs" err "running"
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 grep -q "trying again in a minute" run.err || true
edit "$K" '{"City":"Bern"}'
printf %s "$TOKEN" >in; quietly mlcd secret set sage-agent <in; rm in
has "a secret that is set beside it is told" err "the running mlcd reads it now"
if until_true 40 sh -c "[ \"\$(curl -fsS '$ZOHO/__sim/dump?module=Accounts' | jq -r '.[] | select(.Sage_Customer == \"ABC~$K\") | .Billing_City')\" = Bern ]"; then ok "and used at once"; else not_ok "and used at once" "$(tail -3 run.err)"; fi
code=0; end $run_pid || code=$?
is "run ends cleanly again" $code 0
is "nothing stays in the inbox" "$(find state/inbox -type f | wc -l)" 0

before=$(account "$L" Billing_City)
edit "$L" '{"City":"Forgotten"}'
exits "a run after the erasure" 0 mlcd once --quiet
is "an erased record is never synced again" "$(account "$L" Billing_City)" "$before"
mlcd audit show --key "ABC~$L" >erased.jsonl
is "its log entries cannot be read" "$(jq -s '[.[] | select(.kind == "ROW" or .kind == "INTENT" or .kind == "OUTCOME")] | length > 0 and all(.erased)' erased.jsonl)" true
exits "the chain still verifies" 0 mlcd audit verify
rm -rf state/index
exits "the index is folded again from a log with holes" 0 mlcd once --quiet
is "and the erased record stays erased" "$(account "$L" Billing_City)" "$before"
finish
