# stage.sh - what the benches of the whole product share: a directory, the flow of examples/customers compiled, and the two stand-ins, each a process of
# its own. Sourced with $B set to the build directory; gives $W and the functions.
case $B in /*) ;; *) B=$PWD/$B ;; esac
W=$(mktemp -d "${TMPDIR:-/tmp}/mlc-bench.XXXXXX")
pids=""
finish() {
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    pids=""
}
trap 'finish; rm -rf "$W"' EXIT
trap 'exit 130' INT TERM
die() { echo "bench: $*" >&2; exit 1; }
wait_for() {   # FILE
    i=0
    until [ -s "$1" ]; do i=$((i + 1)); [ $i -lt 300 ] || die "a stand-in did not start: $(cat "$W"/*.err)"; sleep 0.1; done
}
case $(stat -f -c %T "$W") in tmpfs | ramfs) echo "bench: $W is in memory, not on a disk: set TMPDIR for figures that mean something" >&2 ;; esac

# A company with room for the credits of a million inserts: 100,000 and some.
jq '.users_license_purchased = 1000' tests/sim/zoho/data/professional.json >"$W/org.json"
cp examples/customers/* "$W/"
sed -i -e 's|^\( *\)region *= us.*|&\n\1accounts_url = env("ZOHO_ACCOUNTS_URL")|' -e 's|^ *budget .*||' -e 's|^ *soap *=.*||' "$W/customers.mlc"
"$B/mlc" build "$W/customers.mlc" -o "$W/customers.mlcb" >/dev/null

# Stand-ins with SIZE customers, Zoho waiting LATENCY ms before each answer; the environment of mlcd, and its secrets.
start() {   # SIZE LATENCY
    rm -rf "$W/state" "$W"/*.port
    "$B/sim-sage" --port 0 --port-file "$W/sage.port" --customers "$1" --seed 7 --company ABC --token bench --user u --password p 2>"$W/sage.err" &
    pids="$pids $!"
    "$B/sim-zoho" --port 0 --port-file "$W/zoho.port" --data "$W/org.json" --switches "{\"latency_ms\":$2}" 2>"$W/zoho.err" &
    pids="$pids $!"
    wait_for "$W/sage.port"
    wait_for "$W/zoho.port"
    SAGE_AGENT_URL=http://127.0.0.1:$(cat "$W/sage.port")
    ZOHO_ACCOUNTS_URL=http://127.0.0.1:$(cat "$W/zoho.port")
    MLCD_STATE=$W/state
    export SAGE_AGENT_URL ZOHO_ACCOUNTS_URL MLCD_STATE
    printf bench | "$B/mlcd" secret set sage-agent >/dev/null 2>&1
    printf 'u\np' | "$B/mlcd" secret set sage >/dev/null 2>&1
    printf 'client_id=1000.SIMCLIENT\nclient_secret=sim-secret\ncode=1000.simcode\n' | "$B/mlcd" auth zoho --image "$W/customers.mlcb" >/dev/null 2>&1
    # The stand-in sorts its customers at the first request; that is not our time.
    curl -fsS -o "$W/first-page" -H 'Authorization: Bearer bench' "$SAGE_AGENT_URL/v1/companies/ABC/customers?limit=1"
}
