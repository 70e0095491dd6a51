#!/bin/sh
# systemd_test.sh - the units of examples/systemd under a real systemd (under_systemd.sh), set up by the commands of docs/operations.md as they stand there:
# that they start, pass the key, limit, reload, restart and stop as they say, and that nothing is lost or doubled by it. Mistakes planted into the unit show
# that each of these checks can fail. The other end-to-end tests under the same unit: systemd_flows_test.sh.
[ -n "${UNDER_SYSTEMD:-}" ] || exec sh "$(dirname "$0")/under_systemd.sh" sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/systemd.sh"
start_sage --customers 120
start_zoho
spec 's/every 15m/every 1s/'
write_secrets

# ---- as a new user does it ----
documented "the documented installation" "As a service" 1 || exit 1
documented "the documented set-up of an integration, up to the running unit" "As a service" 2 || { last_words $unit; exit 1; }
has "systemctl status says that it runs" out "active (running)"
has "and in its own words what it does" out 'Status: "keeping true by the schedule"'
is "it is started with the host" "$(systemctl is-enabled $unit)" enabled
K=$(key 3)
until_true 20 city "$K" "$(rows | jq -r --arg k "$K" '.rows[] | select((.key | join("~")) == $k) | .fields.City')" || true
until_true 30 settled || true
same_as_sage "the first load, all of it under the unit"
is "the key is the credential: none was made in the state" "$(find $state -name master.key | wc -l)" 0
is "the state is the account's alone" "$(stat -c '%U %a' $state)" "mlcd 700"
exits "the account itself cannot read the key's file" 1 setpriv --reuid mlcd --regid mlcd --clear-groups cat /etc/mlcd/customers.key
arrives "an edit in Sage arrives" "$K" Basel

# ---- the limits, on the process and with its eyes ----
# in_service COMMAND...: in the mount namespace of the running service
in_service() { nsenter -t "$(prop $unit MainPID)" -m -- "$@"; }
limits() {   # what holds for the running service, a word each
    p=$(prop $unit MainPID)
    awk '$1 == "Uid:" && $2 == 0 { print "root" } $1 == "CapEff:" && $2 !~ /^0+$/ { print "capabilities" } $1 == "CapBnd:" && $2 !~ /^0+$/ { print "bounding-set" }
        $1 == "NoNewPrivs:" && $2 != 1 { print "privileges" } $1 == "Seccomp:" && $2 != 2 { print "system-calls" }' "/proc/$p/status"
    [ "$(awk '/core file size/ { print $5, $6 }' "/proc/$p/limits")" = "0 0" ] || echo cores
    in_service sh -c "for d in / /etc /usr /usr/local/bin /var /var/lib /var/lib/mlcd /sys/fs/cgroup; do [ ! -w \$d ] || echo writes:\$d; done; [ -w $state ] || echo no-state"
    [ "$(in_service stat -c %a /root /home | tr '\n' ' ')" = "0 0 " ] || echo home
    in_service test ! -e "$W" || echo tmp
    in_service test ! -e /dev/kmsg || echo devices
    [ "$(readlink "/proc/$p/ns/user")" != "$(readlink /proc/self/ns/user)" ] || echo users
    in_service test ! -e /proc/meminfo || echo proc
}
limits >limits
is "its limits hold: account, capabilities, system calls, files, devices, cores, other processes" "$(tr '\n' ' ' <limits)" ""
exposure() { systemd-analyze security --no-pager "$1" 2>&1 | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p'; }
level=$(exposure $unit)
if [ -n "$level" ] && [ "${level%%.*}" -lt 2 ]; then ok "exposure of the running unit: $level of 10"; else not_ok "exposure of the running unit" "'$level'"; fi
memory=$(find /sys/fs/cgroup -path "*$unit*" -name memory.max | head -1)
if [ -n "$memory" ]; then is "its memory is limited" "$(cat "$memory")" $((512 << 20)); else echo "# MemoryMax is not put on here: this kernel's memory controller is not in cgroup2"; fi

# ---- reload, stop, restart ----
rows >before.json
pid=$(prop $unit MainPID)
spec 's/every 15m/every 1s/; s/^  Sage_Status *= /  Description = "from Sage"\n&/'
install -m 644 customers.mlcb /etc/mlcd/customers.mlcb
exits "reload" 0 systemctl reload $unit
arrives "it goes on after it" "$K" Bern
is "in the same process" "$(prop $unit MainPID)" "$pid"
is "with the new rules" "$(account "$K" Description)" "from Sage"
for i in 1 2 3; do
    change 0 50 "Restart $i"
    exits "restart in the middle of work" 0 systemctl restart $unit
done
until_true 60 arrived "Restart 3" 50 || true
until_true 30 settled || true
is "all of it arrived" "$(arrived "Restart 3" 50 && echo yes)" yes
is "each account was made once" "$(counter .inserts)" "$(dump | jq '[.[] | select(.Sage_Customer)] | length')"
exits "stop" 0 systemctl stop $unit
is "is an end in order" "$(prop $unit Result) $(prop $unit ExecMainStatus)" "success 0"
exits "the log verifies, by a command under the unit's account" 0 at audit verify
exits "start" 0 systemctl start $unit
arrives "and it goes on" "$K" Chur

# ---- what Zoho and the host do to it ----
curl -fsS -X POST -d '{}' "$ZOHO/__sim/expire_tokens" >/dev/null
arrives "through a token that has died" "$K" Davos
drop_in $unit 'ExecStart=\nExecStart=/usr/local/bin/mlcd run --quiet --settle 1s --image /etc/mlcd/%%i.mlcb'
systemctl restart $unit
faults '[{"match":{"method":"PUT","path":"/crm/v8/Accounts"},"do":"503","times":2},{"match":{"method":"PUT","path":"/crm/v8/Accounts"},"do":"429","times":1,"retry_after":1}]'
arrives "through a Zoho that is down and then busy" "$K" Esch
no_faults
drop_in $unit 'RestartSec=1'
kill -KILL "$(prop $unit MainPID)"
arrives "killed with -9 it is started again" "$K" Fulda
is "by systemd, once" "$(prop $unit NRestarts)" 1
systemctl reset-failed $unit
drop_in $unit 'RestartSec=1\nWatchdogSec=5'
systemctl restart $unit
sleep 8
is "it gives signs of life: a watchdog of 5 s is content for 8" "$(prop $unit NRestarts)" 0
kill -STOP "$(prop $unit MainPID)"
if until_true 20 logged $unit "Watchdog timeout"; then ok "silent, it is ended by the watchdog"; else not_ok "silent, it is ended by the watchdog" "$(last_words $unit)"; fi
arrives "and started again" "$K" Gera
is "with no core left" "$(find $state / -maxdepth 1 -name 'core*' | wc -l)" 0
undrop $unit

# ---- what only a person can mend ----
refused() {   # NAME STATUS: the start ends with STATUS, the unit fails and stays so
    systemctl start $unit 2>/dev/null || true
    until_true 20 ended $unit || true
    sleep 2
    is "$1" "$(prop $unit ActiveState) $(prop $unit ExecMainStatus) $(prop $unit NRestarts)" "failed $2 0"
}
drop_in $unit 'RestartSec=1'
fresh $unit
mv /etc/mlcd/customers.env customers.env
refused "a setting is missing: status 78, not started again" 78
mv customers.env /etc/mlcd/customers.env
head -c 2000 customers.mlcb >/etc/mlcd/customers.mlcb
fresh $unit
refused "half a spec: status 65, not started again" 65
install -m 644 customers.mlcb /etc/mlcd/customers.mlcb
cp -p /etc/mlcd/customers.key customers.key
(umask 077; head -c 32 /dev/urandom >/etc/mlcd/customers.key)
fresh $unit
refused "another master key: status 77, not started again" 77
cp -p customers.key /etc/mlcd/customers.key
rm customers.key
undrop $unit
fresh $unit
systemctl start $unit
arrives "mended, it runs" "$K" Hof

# ---- planted mistakes: each has to show ----
fresh $unit
planted() {   # NAME LINES WANTED: with these lines in the unit its start fails with the result and status WANTED
    fresh $unit
    drop_in $unit "Restart=no\n$2"
    systemctl start $unit >out 2>&1 || true
    until_true 10 ended $unit || true
    is "planted: $1" "$(prop $unit Result) $(prop $unit ExecMainStatus)" "$3"
    fresh $unit
    undrop $unit
}
planted "no such credential" "LoadCredential=\nLoadCredential=mlc-key:/etc/mlcd/nowhere.key" "exit-code 243"
planted "the state cannot be written" "ReadOnlyPaths=$state" "exit-code 69"
planted "a system call of the log is denied" "SystemCallFilter=~fdatasync" "exit-code 69"
planted "nobody hears READY" "UnsetEnvironment=NOTIFY_SOCKET\nTimeoutStartSec=3" "timeout 0"
planted "too little address space" "LimitAS=20M" "exit-code 127"
off=$(sed -n 's/^\([A-Za-z]*\)=\(yes\|strict\|invisible\)$/\1=no/p' "$root/examples/systemd/mlcd@.service" | sed 's/ProtectProc=no/ProtectProc=default/' | tr '\n' '|' | sed 's/|/\\n/g')
drop_in $unit "${off}User=root\nProcSubset=all\nCapabilityBoundingSet=~\nSystemCallFilter=\nSystemCallArchitectures=\nRestrictAddressFamilies=\nExecStart=\nExecStart=/usr/local/bin/mlcd run --no-sandbox --quiet --image /etc/mlcd/%%i.mlcb"
systemctl start $unit
limits >limits
is "planted: a unit without its limits is seen to have none" "$(tr '\n' ' ' <limits)" \
    "root capabilities bounding-set privileges system-calls writes:/ writes:/etc writes:/usr writes:/usr/local/bin writes:/var writes:/var/lib writes:/var/lib/mlcd writes:/sys/fs/cgroup home tmp devices users proc "
systemctl stop $unit
undrop $unit
finish_units
