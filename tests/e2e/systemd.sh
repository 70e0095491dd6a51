# systemd.sh - what the tests of the systemd units share; sourced after lib.sh, inside of under_systemd.sh.
unit=mlcd@customers
state=/var/lib/mlcd/customers
# What make found out about the build is no matter of the installation's.
make="env -u MAKEFLAGS -u MAKELEVEL make -s install B=$B"

# doc SECTION N: the Nth block of shell commands of that section of docs/operations.md, with the source's address put in
doc() {
    awk -v title="$1" -v want="$2" '/^##/ { sub(/^#+ /, ""); in_it = $0 == title } !in_it { next } /^```sh/ { n++; open = n == want; next } /^```/ { open = 0 } open' "$root/docs/operations.md" |
        sed "s|https://sage.example:8443|$SAGE|; s|^make install|cd '$root' \&\& $make|"
}
# documented NAME SECTION N [SED-EXPRESSION]: does it, in W
documented() {
    doc "$2" "$3" | sed "${4:-}" >documented.sh
    if [ -s documented.sh ] && sh -eu documented.sh >out 2>&1; then ok "$1"; else not_ok "$1" "$(tail -8 out | tr '\n' '|' | cut -c1-600)"; return 1; fi
}
write_secrets() {
    printf %s "$TOKEN" >token.txt
    printf 'sync\n%s\n' "$PASSWORD" >login.txt
    printf 'client_id=%s\nclient_secret=%s\nrefresh_token=%s\n' "$CLIENT" "$SECRET" "$REFRESH" >grant.txt
    OWN="--except token.txt --except login.txt --except grant.txt"
}

prop() { systemctl show -p "$2" --value "$1"; }
drop_in() {   # UNIT LINES: changes the unit for the rest of the test, or until undrop
    mkdir -p "/etc/systemd/system/$1.service.d"
    printf "[Service]\n$2\n" >"/etc/systemd/system/$1.service.d/test.conf"
    systemctl daemon-reload
}
undrop() { rm -rf "/etc/systemd/system/$1.service.d"; systemctl daemon-reload; }
fresh() { systemctl stop "$1" 2>/dev/null || true; systemctl reset-failed "$1" 2>/dev/null || true; }
ended() { case $(prop "$1" ActiveState) in failed | inactive) return 0 ;; *) return 1 ;; esac; }
logged() { journalctl -u "$1" -o cat | grep -qF -- "$2"; }
last_words() { journalctl -u "$1" -n 4 -o cat | tr '\n' '|'; }

at() { mlcd-at customers "$@"; }
settled() { at status --detailed-exitcode >/dev/null 2>&1; }
city() { [ "$(account "$1" Billing_City)" = "$2" ]; }
arrives() {   # NAME KEY CITY
    edit "$2" "{\"City\":\"$3\"}"
    if until_true 20 city "$2" "$3"; then ok "$1"; else not_ok "$1" "$(last_words $unit)"; fi
}
first='[.rows[] | select(.fields.CustomerStatus == "A")]'
change() { jq -r "$first[$1:$2][] | .key | join(\"~\")" before.json | while read -r k; do edit "$k" "{\"City\":\"$3\"}"; done; }
arrived() { [ "$(dump | jq --arg c "$1" '[.[] | select(.Billing_City == $c)] | length')" = "$2" ]; }
# The journal and what the services keep are searched for secrets too.
finish_units() {
    journalctl -o export >journal
    cp -r /etc/mlcd etc
    cp -r /var/lib/mlcd lib
    finish
}
