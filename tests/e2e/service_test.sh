#!/bin/sh
# service_test.sh - the systemd units: checked by systemd's own tools where they are, and their limits put on by hand, as far as a host without systemd as
# its first process can: no capabilities, no new privileges, a file system that is read-only but for the state, the master key out of a credentials directory.
# This runs anywhere; the units under a real systemd: systemd_test.sh and its neighbours, where one can be booted.
. "$(dirname "$0")/lib.sh"
units=$root/examples/systemd
if command -v systemd-analyze >/dev/null; then
    mkdir units
    for u in mlcd@ mlcd-site; do sed "s|/usr/local/bin/mlcd|/bin/true|; s|^User=.*|User=daemon|" "$units/$u.service" >"units/$u.service"; done
    mv units/mlcd@.service units/mlcd@x.service
    timeout 60 systemd-analyze verify --man=no units/mlcd@x.service units/mlcd-site.service >verify 2>&1 || true
    is "systemd understands every line of the units" "$(grep -cE 'Unknown|Failed|Invalid|ignoring' verify)" 0
    for u in mlcd@x mlcd-site; do
        timeout 60 systemd-analyze security --offline=true "units/$u.service" >security 2>&1 || true
        level=$(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p' security)
        if [ -n "$level" ] && [ "${level%%.*}" -lt 2 ]; then ok "exposure of $u: $level of 10"; else not_ok "exposure of $u" "$(tail -1 security)"; fi
    done
fi

start_sage --customers 40
start_zoho
spec
mkdir -p run cred state other
head -c 32 /dev/urandom >cred/mlc-key
chmod 400 cred/mlc-key
# The limits of the unit, in namespaces of our own where that is allowed.
cat >confine <<EOF
set -e
mount --make-rprivate /
mount --bind "$W/state" "$W/state"
mount --bind "$W/to" "$W/to"
mount --bind / / -o ro 2>/dev/null || true
mount -o remount,bind,ro /
umask 077
ulimit -c 0
export CREDENTIALS_DIRECTORY="$W/cred"
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "\$@"
EOF
mkdir to
if [ "$(id -u)" = 0 ] && unshare -m sh -c 'mount --make-rprivate / && mount --bind / / && mount -o remount,bind,ro /' 2>/dev/null && unshare -m sh confine true 2>/dev/null; then
    service() { unshare -m sh "$W/confine" "$@"; }
    exits "outside the state nothing can be written" 2 service sh -c "echo x >$W/other/file"
    exits "in it everything can" 0 service sh -c "echo x >$W/state/file && rm $W/state/file"
else
    echo "# no mount namespaces here: only capabilities and the credential"
    service() { CREDENTIALS_DIRECTORY="$W/cred" setpriv --no-new-privs "$@"; }
fi
printf %s "$TOKEN" >in; service mlcd secret set sage-agent <in >out 2>err || not_ok "secret set" "$(cat err)"
printf 'sync\n%s\n' "$PASSWORD" >in; service mlcd secret set sage <in >out 2>err || not_ok "secret set" "$(cat err)"
printf 'client_id=%s\nclient_secret=%s\nrefresh_token=%s\n' "$CLIENT" "$SECRET" "$REFRESH" >in
service mlcd auth zoho --image customers.mlcb <in >out 2>err || not_ok "auth" "$(cat err)"
rm -f in
is "the master key is the credential" "$(ls state | grep -c master.key)" 0
code=0; service mlcd once --quiet --image customers.mlcb >out 2>err || code=$?
is "a pass under the limits of the unit" "$code $(grep -c denied err)" "$code 0"
same_as_sage "and everything stands in Zoho"
service mlcd run --quiet --image "$W/customers.mlcb" >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held "$W/state/lock"
exits "a running one answers" 0 env CREDENTIALS_DIRECTORY="$W/cred" mlcd replay "ABC~$(key 3)"
for p in $(pgrep -x mlcd); do grep -qaF "$W" "/proc/$p/environ" 2>/dev/null && kill -TERM "$p" || true; done
code=0; wait $run_pid || code=$?
is "and ends when asked" "$code" 0
finish
