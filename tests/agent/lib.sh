# lib.sh - what the scripts of tests/agent share. A script sources it and ends with `finish`.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$root/$B ;; esac
PATH=$B:$PATH
W=$(mktemp -d "${TMPDIR:-/tmp}/mlc-agent.XXXXXX")
bad=0
pids=""
. "$root/tests/agent/wine.sh"
. "$root/tests/agent/tables.sh"
clean_up() {
    wine_end
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    cd /
    [ -n "${KEEP:-}" ] && echo "# kept: $W" || rm -rf "$W"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
cd "$W"
ok() { echo "ok $1"; }
not_ok() { bad=1; echo "not ok $1: $2"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$3', got '$(printf %s "$2" | head -c 300)'"; fi; }
has() { if grep -qF -- "$3" "$2"; then ok "$1"; else not_ok "$1" "no '$3' in: $(tr '\n' '|' <"$2" | cut -c1-500)"; fi; }
has_not() { if grep -qF -- "$3" "$2"; then not_ok "$1" "'$3' stands in $2"; else ok "$1"; fi; }
finish() { exit $bad; }
# model CUSTOMERS: sim-sage as $SIM, its data as the stand-in's tables in ./data
model() {
    sim-sage --port 0 --port-file sim.port --seed 7 --company ABC --token "$AGENT_TOKEN" --customers "$1" --tz America/Chicago 2>sim.err &
    pids="$pids $!"
    n=100
    until [ -s sim.port ]; do n=$((n - 1)); [ $n -gt 0 ] || { cat sim.err; exit 1; }; sleep 0.1; done
    SIM=http://127.0.0.1:$(cat sim.port)
    write_tables "$SIM" "$AGENT_TOKEN" "$W/data"
}
# do_standin LINE...: commands for the stand-in, in force with its next call
do_standin() { for c; do echo "$c" >>"$W/data/commands"; done; sleep 0.05; }
