#!/bin/sh
# under_systemd.sh - boots a systemd of its own and runs a command beside it, as root of that small host; used by systemd_test.sh and systemd_flows_test.sh.
#
#   under_systemd.sh COMMAND...     its exit status; or "# skip NAME: reason" and 0 where a systemd cannot be booted, which is found out by trying
#
#   tester   this process, in the namespaces of the host: starts the keeper, waits for the boot, enters the namespaces with the command
#   keeper   a session of its own, so that no signal to the test's group ends it: makes a control group, boots in it; when the tester is gone, however it
#            went, it ends everything in there and removes the group. Mounts end with the namespace that they are in.
#   init     process 1 of namespaces of its own (processes, mounts, control groups, host name, IPC): hides the host's /run, /dev and units, lays a layer
#            of memory over /etc, /usr/local, /var and /srv, and becomes systemd
#
# The network is the host's, so that the stand-ins on loopback are there. None of the host's units starts: the unit path has only ours, with empty targets
# in the place of the ones that services name, and journald and D-Bus. /proc/sys is read-only, since systemd sets some of it at boot.
set -eu
SYSTEMD=/lib/systemd/systemd
BOOT_SECONDS=${BOOT_SECONDS:-40}

init() {   # WORK
    work=$1
    mount -t proc proc /proc
    mount --bind /proc/sys /proc/sys
    mount -o remount,bind,ro /proc/sys
    mount -t tmpfs -o mode=755 layers "$work/layers"
    for d in etc usr/local var srv; do
        name=$(basename $d)
        mkdir -p "/$d" "$work/layers/$name" "$work/layers/$name.work"
        mount -t overlay -o "lowerdir=/$d,upperdir=$work/layers/$name,workdir=$work/layers/$name.work" "$name" "/$d"
    done
    # Devices: what a service with PrivateDevices may see, and a file in the place of the kernel's log.
    mkdir "$work/layers/dev"
    for d in null zero full random urandom tty; do : >"$work/layers/dev/$d"; mount --bind /dev/$d "$work/layers/dev/$d"; done
    mount --rbind "$work/layers/dev" /dev
    mkdir -p /dev/shm /dev/pts
    mount -t tmpfs -o mode=1777 shm /dev/shm
    mount -t devpts -o newinstance,ptmxmode=666 pts /dev/pts
    ln -s pts/ptmx /dev/ptmx
    ln -s /proc/self/fd /dev/fd
    : >/dev/kmsg
    mount -t tmpfs -o mode=755 run /run
    mkdir -p /run/lock /run/units-of-nobody
    umount -l -R /sys/fs/cgroup 2>/dev/null || true
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    # Units: the host's are hidden by the unit path; services of other packages may stand in /etc too.
    rm -rf /etc/systemd/system /etc/systemd/*.conf.d
    mkdir -p /etc/systemd/system
    cd /etc/systemd/system
    for t in sysinit basic multi-user network-online sockets shutdown umount exit; do printf '[Unit]\nDescription=%s, empty\nDefaultDependencies=no\n' $t >$t.target; done
    for u in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket dbus.service dbus.socket; do
        [ ! -e /lib/systemd/system/$u ] || cp /lib/systemd/system/$u .
    done
    mkdir multi-user.target.wants
    ln -s ../systemd-journald.socket ../systemd-journald-dev-log.socket ../dbus.socket multi-user.target.wants
    printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\nRateLimitBurst=0\n' >/etc/systemd/journald.conf
    [ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
    cd /
    mount --make-rshared /        # of this namespace alone: what systemd mounts for a service, credentials for one, comes about in a child of it
    exec env -i container=mlc-test SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/run/units-of-nobody SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/units-of-nobody \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin $SYSTEMD --system --unit=multi-user.target --show-status=no
}

keeper() {   # TESTER WORK
    tester=$1 work=$2 group=$2/cgroup/mlc-test.$1
    mount -t cgroup2 cgroup2 "$work/cgroup"
    # of a keeper that was killed itself
    for old in "$work"/cgroup/mlc-test.*; do [ ! -d "$old" ] || kill -0 "${old##*.}" 2>/dev/null || find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    mkdir "$group"
    # shellcheck disable=SC2016
    setpriv --pdeathsig KILL sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" \
        unshare --mount --pid --fork --kill-child --cgroup --ipc --uts sh "$0" --init "$work" &
    boot=$!
    until [ -s "$work/init" ] || ! kill -0 $boot 2>/dev/null; do pgrep -P $boot >"$work/init.new" && mv "$work/init.new" "$work/init" || sleep 0.05; done
    while [ -e "$work/wanted" ] && kill -0 "$tester" 2>/dev/null && kill -0 $boot 2>/dev/null; do sleep 0.2; done
    kill -KILL $boot 2>/dev/null || true
    echo 1 >"$group/cgroup.kill" 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [ -d "$group" ] || break
        sleep 0.2
    done
    umount -l "$work/cgroup"
    rm -rf "$work"
}

case ${1:-} in
--init) init "$2" ;;
--keeper) trap '' TERM INT HUP; keeper "$2" "$3"; exit 0 ;;
esac

# ---- the tester ----
# A test that is started on the host starts itself again in here.
name=$(basename "${2:-$1}" _test.sh)
skip() { echo "# skip $name: $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "only root can boot a systemd"
[ -x $SYSTEMD ] || skip "there is no $SYSTEMD"
grep -qa __asan_init "${B:-build}/mlcd" && skip "sanitizers look into their own process, which the units forbid"
for tool in unshare nsenter setpriv setsid pgrep; do command -v $tool >/dev/null || skip "there is no $tool"; done
work=$(mktemp -d /tmp/mlc-systemd.XXXXXX)
mkdir "$work/cgroup" "$work/layers"
: >"$work/wanted"
setsid unshare --mount --propagation private sh "$0" --keeper $$ "$work" >"$work/log" 2>&1 </dev/null &
keeper=$!
trap 'rm -f "$work/wanted"; wait $keeper || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
n=0
until [ -s "$work/init" ] || ! kill -0 $keeper 2>/dev/null || [ $n -gt 100 ]; do n=$((n + 1)); sleep 0.1; done
why() { grep -v sigprocmask "$work/log" 2>/dev/null | tail -1; }
[ -s "$work/init" ] || skip "no namespaces or control groups of our own: $(why)"
init=$(cat "$work/init")
inside() { nsenter -t "$init" --mount --pid --cgroup --ipc --uts -- "$@"; }
state=""
while [ $n -lt $((BOOT_SECONDS * 10)) ] && kill -0 "$init" 2>/dev/null; do
    state=$(inside systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) break ;; esac
    n=$((n + 1))
    sleep 0.1
done
case $state in running | degraded) ;; *) skip "systemd does not come up here: ${state:-$(why)}" ;; esac
code=0
# TMPDIR: in the layer over /var, which goes with the namespace, also when the test is killed.
# shellcheck disable=SC2016
inside env UNDER_SYSTEMD=1 TMPDIR=/var/tmp sh -c 'cd "$0" && exec "$@"' "$PWD" "$@" &
wait $! || code=$?         # in the background, so that a signal to this shell alone ends all of it at once
exit $code
