#!/bin/sh
# conformance_test.sh - one and the same protocol suite against the model of tests/sim and against the EXEs under wine; and against a model that was told to
# misbehave, which the suite must notice.
. "$(dirname "$0")/lib.sh"
wine_begin
model 60
suite() {   # NAME URL CONTROL
    timeout "${SUITE_SECONDS:-300}" agent-conformance "$2" "$AGENT_TOKEN" ABC "$3" >suite.out 2>&1 || { [ $? -eq 1 ] || not_ok "$1" "the suite did not end"; bad=1; }
    sed "s|^ok |ok $1: |; s|^not ok |not ok $1: |" suite.out
}
for arch in ${ARCH:-$(arches)}; do
    rm -rf "$W/data.$arch"
    cp -r "$W/data" "$W/data.$arch"
    standin "$arch" "$W/data.$arch"
    agent_set_up "$arch" "$W/$arch" "$W/data.$arch" "dates = UDF_SINCE"
    agent_start "$arch" "$W/$arch"
    suite "$arch" "$AGENT" "sh $root/tests/agent/control.sh standin $W/data.$arch $arch"
    has_not "$arch: nothing that writes or locks was ever called" "$W/data.$arch/calls" FORBIDDEN
    agent_stop
done
suite model "$SIM" "sh $root/tests/agent/control.sh sim $SIM"
curl -fsS -X POST --data-binary '{"on":"keys","kind":"short_page","times":1000}' "$SIM/__sim/fault" >/dev/null
curl -fsS -X POST --data-binary '{"on":"row","kind":"status","code":"not_found","times":1000}' "$SIM/__sim/fault" >/dev/null
if agent-conformance "$SIM" "$AGENT_TOKEN" ABC >suite.out 2>&1; then not_ok "the suite notices a model that misbehaves" "it does not"; else ok "the suite notices a model that misbehaves"; fi
[ "$(arches)" = "x64 x86" ] || echo "skipped: the 32-bit parts of wine are not there"
finish
