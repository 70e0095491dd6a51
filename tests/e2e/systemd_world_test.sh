#!/bin/sh
# systemd_world_test.sh - the units under a real systemd (under_systemd.sh) and what happens to them in the world: killed again and again in the first load,
# a full disk; and the documented ways of operators with them: another master key, backup and restore, a shared directory, a file target, many integrations.
[ -n "${UNDER_SYSTEMD:-}" ] || exec sh "$(dirname "$0")/under_systemd.sh" sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/systemd.sh"
start_sage --customers 300
start_zoho --switches '{"latency_ms":250}'
spec 's/every 15m/every 1s/'
write_secrets
documented "the installation" "As a service" 1 || exit 1
mkdir -p /var/lib/mlcd
mount -t tmpfs -o size=128M,mode=755 small /var/lib/mlcd
drop_in $unit 'ExecStart=\nExecStart=/usr/local/bin/mlcd run --quiet --settle 1s --page 40 --batch 3 --image /etc/mlcd/%%i.mlcb\nRestartSec=100ms\n[Unit]\nStartLimitIntervalSec=0'

# ---- killed in the first load, brought back by systemd each time ----
documented "the set-up" "As a service" 2 '/^systemctl/,$d' || exit 1
rows >before.json
systemctl start $unit
before=0
sent() { counter '.inserts + .updates'; }
grown() { [ "$(sent)" -gt "$before" ]; }
for i in 1 2 3 4 5 6 7 8; do
    change $((i * 4)) $((i * 4 + 4)) "Life $i"             # something new to write in every life
    until_true 2 grown || true
    before=$(sent)
    counter .inserts >>made
    systemctl kill --kill-whom=main -s KILL $unit 2>/dev/null || true
done
until_true 20 sh -c "[ \$(systemctl show -p NRestarts --value $unit) -ge 8 ]" || true
is "killed eight times, started again eight times" "$(prop $unit NRestarts)" 8
until_true 60 settled || true
same_as_sage "nothing lost, nothing doubled"
all=$(dump | jq length)
is "every account was made once" "$(counter .inserts)" "$all"
struck=$(awk -v all="$all" '$1 < all && $1 > 0' made | wc -l)
if [ "$struck" -ge 3 ]; then ok "$struck of the kills struck between the first account and the last"; else not_ok "the kills struck the first load" "$(tr '\n' ' ' <made) of $all"; fi

# ---- the disk ----
dd if=/dev/zero of=/var/lib/mlcd/fill bs=4k 2>/dev/null || true
curl -fsS -X POST -d '{}' "$ZOHO/__sim/expire_tokens" >/dev/null         # the log has room for many changes in the files that stand; a new token is a new file
change 0 60 Full
full() { logged $unit "No space left"; }
until_true 20 full || true
if full; then ok "a full disk ends it with a word"; else not_ok "a full disk ends it with a word" "$(df /var/lib/mlcd | tail -1) $(last_words $unit)"; fi
asked=$(counter .tokens_issued)
until_true 20 logged $unit "no access token is asked for" || true
for i in 1 2 3 4 5 6; do systemctl restart $unit 2>/dev/null || true; sleep 0.5; done
is "started again and again it asks for no token that it could not keep" "$(logged $unit "no access token is asked for" && counter .tokens_issued)" "$asked"
rm /var/lib/mlcd/fill
until_true 40 arrived Full 60 || true
is "with room again it goes on by itself" "$(arrived Full 60 && echo yes)" yes
same_as_sage "nothing lost, nothing doubled by it"
exits "the log verifies" 0 at audit verify

# ---- operators ----
K=$(key 3)
old=$(sha256sum </etc/mlcd/customers.key)
documented "another master key, as documented" "Another master key" 1
is "the key is another" "$([ "$(sha256sum </etc/mlcd/customers.key)" != "$old" ] && stat -c '%U %a' /etc/mlcd/customers.key)" "root 600"
arrives "and it runs with it" "$K" Aarau
until_true 20 settled || true         # what is under way in a backup is waited for after it is restored
documented "a backup, as documented" Backups 2
arrives "an edit after it" "$K" Biel
documented "restored in the place of a lost state, as documented" Backups 3
arrives "it goes on" "$K" Cham
same_as_sage "nothing doubled by it"
mkdir -p "/etc/systemd/system/$unit.service.d"
awk '/^## / { in_it = /^## Several processes, one Zoho/ } in_it && /^```ini/ { open = 1; next } /^```/ { open = 0 } open' "$root/docs/operations.md" >"/etc/systemd/system/$unit.service.d/shared.conf"
systemctl daemon-reload
exits "with a shared directory, as documented" 0 systemctl restart $unit
curl -fsS -X POST -d '{}' "$ZOHO/__sim/expire_tokens" >/dev/null
arrives "it runs" "$K" Dietikon
is "and keeps the token there" "$(find /var/lib/mlcd/shared -name '*.token' | wc -l)" 1
at status >/dev/null && is "mlcd-at takes drop-ins too" "$(mlcd-at customers audit verify >/dev/null && echo yes)" yes
systemctl stop $unit

# ---- a file target ----
mkdir -p /srv/files/to
printf '{"No":"A1","Name":"Alpha"}\n' >/srv/files/Customers.jsonl
chown -R mlcd /srv/files
files_spec /srv/files /srv/files/to/out.jsonl >files.mlc
quietly mlc build files.mlc -o /etc/mlcd/files.mlcb
(umask 077; head -c 32 /dev/urandom >/etc/mlcd/files.key)
systemctl start mlcd@files 2>/dev/null || true
if until_true 10 logged mlcd@files "Read-only file system"; then ok "a file target outside of the state is refused"; else not_ok "a file target outside of the state is refused" "$(last_words mlcd@files)"; fi
fresh mlcd@files
drop_in mlcd@files 'ReadWritePaths=/srv/files/to'
systemctl start mlcd@files || true
until_true 10 test -s /srv/files/to/out.jsonl || true
is "with ReadWritePaths it is written" "$(jq -r .fields.Name /srv/files/to/out.jsonl)" Alpha
systemctl stop mlcd@files

# ---- many integrations ----
curl -fsS -X POST -d '{"latency_ms":0}' "$ZOHO/__sim/switch" >/dev/null
spec 's/every 15m/every 2s/'
cp customers.mlcb acme.mlcb
printf 'SAGE_AGENT_URL=%s\nSAGE_SOAP_URL=%s\n' "$SAGE" "$SAGE_SOAP_URL" >acme.env
documented "the supervisor, as documented" "Many integrations" 1
is "runs" "$(prop mlcd-site ActiveState)" active
documented "an integration of it, as documented" "Many integrations" 2
has "is listed" out acme
finish_units
