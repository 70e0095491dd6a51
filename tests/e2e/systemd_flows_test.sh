#!/bin/sh
# systemd_flows_test.sh - other end-to-end tests, as they are, with every call of mlcd in a unit of a real systemd that has all settings and limits of
# mlcd@.service (unit/mlcd): `run` as a service with Type=notify and watchdog, the commands of operators beside it as mlcd-at does them.
#
#   FLOWS=all    those of make torture too
#
# Left out, each because it looks at what is not so here:
#   backup pull                      write files of the operator's own beside the spec, where a unit may not write; backups: systemd_world_test.sh
#   operator secrets rotate          look for the master key in the state; here it is a credential (rotation: systemd_world_test.sh)
#   integrity                        puts files of root in the state's place
#   look                             counts that a command makes no directory; systemd makes the state's
#   sandbox site shared              files outside of the state, a supervisor's own processes, a directory of their own: systemd_world_test.sh has these
#   diff language mistakes readme    of the compiler and of the pages
#   demo distribution*               of many thousand records
[ -n "${UNDER_SYSTEMD:-}" ] || exec sh "$(dirname "$0")/under_systemd.sh" sh "$0" "$@"
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
export B
useradd --system --no-create-home --home-dir /var/lib/mlcd --shell /usr/sbin/nologin mlcd
install -m 755 "$B/mlcd" /usr/local/bin/mlcd
install -m 644 examples/systemd/mlcd@.service /etc/systemd/system/
install -d -m 755 /var/lib/mlcd
systemctl daemon-reload
export TMPDIR=/var/lib/mlcd MLCD_UNDER="$PWD/tests/e2e/unit"
flows="kill notify two key_file soap soap_list report"
[ "${FLOWS:-}" != all ] || flows="faults running erase dead decisions reconcile $flows"

# two at a time: most of their time is waiting
one='log=/run/$0.log; code=0; sh tests/e2e/$0_test.sh >$log 2>&1 || code=$?
     sed -n "s/^ok /ok $0: /p; s/^not ok /not ok $0: /p" $log
     [ $code = 0 ] || { tail -5 $log | sed "s/^/# /"; exit 1; }'
echo "$flows" | tr ' ' '\n' | xargs -P 2 -I NAME sh -c "$one" NAME
