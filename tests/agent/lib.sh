# lib.sh - what the scripts of tests/agent share. A script sources it and ends with `finish`.
. "$(dirname "$0")/../script.sh"
. "$root/tests/agent/wine.sh"
. "$root/tests/agent/tables.sh"
at_end() { wine_end; }
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
