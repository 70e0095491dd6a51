#!/bin/sh
# mistakes_test.sh - docs/mistakes.md shows what mlc says, word for word; there are thirty mistakes or more; each message helps. See mistakes.awk.
. "$(dirname "$0")/lib.sh"
page=$root/docs/mistakes.md
mkdir "$W/scratch" "$W/planted"
awk -v mlc="$(command -v mlc)" -v dir="$W/scratch" -v csv="$root/examples/customers" -f "$root/tests/e2e/mistakes.awk" "$page" >now.md
# one check a mistake: its section in the page and now
sections() { awk -v dir="$2" '/^### / { n++; out = sprintf("%s/%03d", dir, n) } n { print > out }' "$1"; }
mkdir "$W/was" "$W/is"
sections "$page" "$W/was"
sections now.md "$W/is"
# A schema of the compiler may grow: the numbers of its lines, and so the width of the margin, do not count.
plain() { sed -E 's/(prelude\/[a-z0-9_.]+):[0-9]+:/\1:N:/; s/^ *[0-9]* \|/|/; s/^ *(-->|:::|=) /\1 /' "$1"; }
n=0
for s in "$W"/was/*; do
    n=$((n + 1))
    title=$(sed -n '1s/^### //p' "$s")
    plain "$s" >was.txt
    plain "$W/is/$(basename "$s")" >is.txt
    if cmp -s was.txt is.txt; then ok "mistake $title"; else not_ok "mistake $title" "$(diff was.txt is.txt | head -12 | tr '\n' '|')"; fi
    grep -q '^error [EW]' "$s" || not_ok "mistake $title is one" "nothing is wrong"
    grep -q '= help: ' "$s" || grep -q 'is written `' "$s" || not_ok "mistake $title: the message helps" "no help line"
    [ "$(grep -c '^error ' "$s")" -eq 1 ] || grep -qi 'two messages' "$s" || not_ok "mistake $title: one message" "$(grep -c '^error ' "$s") messages"
done
if [ $n -ge 30 ]; then ok "thirty mistakes"; else not_ok "thirty mistakes" "$n"; fi
# what the comparison is worth: a page that promises something else is found out
sed 's/takes 20 characters/takes 21 characters/' "$page" >planted.md
awk -v mlc="$(command -v mlc)" -v dir="$W/planted" -v csv="$root/examples/customers" -f "$root/tests/e2e/mistakes.awk" planted.md >planted-now.md
if cmp -s planted.md planted-now.md; then not_ok "a page that is wrong is found out" "it was not"; else ok "a page that is wrong is found out"; fi
finish
