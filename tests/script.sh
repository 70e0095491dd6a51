# script.sh - what every test script stands on: a directory of its own, $W, which goes with all processes in $pids when it ends (KEEP=1: it stays), and the
# lines that tell what was found; a script that a command's failure ends says so, with the last words of what ran. A test may define at_end.
# Sourced by tests/e2e/lib.sh and tests/agent/lib.sh.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$root/$B ;; esac
PATH=$B:$PATH
W=$(mktemp -d "${TMPDIR:-/tmp}/mlc-script.XXXXXX")
pids=""
bad=0
at_end() { :; }
clean_up() {
    ended=$?
    [ $ended = 0 ] || [ $bad = 1 ] || not_ok "$(basename "$0" _test.sh)" "ended with status $ended, before its end: $(cd "$W"; tail -qn 3 err out ./*.err 2>/dev/null | tr '\n' '|' | cut -c1-800)"
    at_end
    for p in $pids; do kill "$p" 2>/dev/null || true; done
    cd /
    [ -n "${KEEP:-}" ] && echo "# kept: $W" || rm -rf "$W"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
cd "$W"

ok() { echo "ok $1"; }
not_ok() { bad=1; echo "not ok $1: $2"; }
# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$(printf %s "$3" | head -c 300)', got '$(printf %s "$2" | head -c 300)'"; fi; }
# has NAME FILE TEXT
has() { if grep -qF -- "$3" "$2"; then ok "$1"; else not_ok "$1" "no '$3' in: $(tr '\n' '|' <"$2" | cut -c1-600)"; fi; }
has_not() { if grep -qF -- "$3" "$2"; then not_ok "$1" "'$3' stands in $2"; else ok "$1"; fi; }
finish() { exit $bad; }
