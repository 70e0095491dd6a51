#!/bin/sh
# tables.sh - every diagnostic code has a page in docs/diagnostics and a case under tests; every err.def name stands in docs/errors.md; every frame kind
# and opcode stands in its format page; every rule of mlc diff in its page and in a pair of specs. Prints what lacks something.
set -u
codes=$(sed -n 's/^DIAG([A-Za-z0-9_]*,* *"\{0,1\}\([EWN][0-9]\{4\}\)"\{0,1\}.*/\1/p' dsl/diag.def | sort -u)
[ -n "$codes" ] || codes=$(grep -oE '\b[EWN][0-9]{4}\b' dsl/diag.def | sort -u)
for c in $codes; do
    [ -f "docs/diagnostics/$c.md" ] || echo "$c has no page docs/diagnostics/$c.md"
    grep -rqE "\b$c\b" tests/lang tests/unit 2>/dev/null || echo "$c has no test case"
done
for e in $(sed -n 's/^ERR(\([A-Z_]*\),.*/\1/p' runtime/base/err.def); do
    [ "$e" = OK ] && continue
    grep -q "\b$e\b" docs/errors.md 2>/dev/null || echo "$e is not in docs/errors.md"
    grep -rqE "\b(ERR_)?$e\b" tests 2>/dev/null || echo "$e has no test"
done
for k in $(sed -n 's/^FRAME(\([A-Z_]*\),.*/\1/p' runtime/journal/frame.def); do
    grep -q "\b$k\b" docs/journal-format.md 2>/dev/null || echo "frame $k is not in docs/journal-format.md"
done
for o in $(sed -n 's/^OP(\([A-Z_]*\),.*/\1/p' runtime/code/opcode.def); do
    grep -q "\b$o\b" docs/image-format.md 2>/dev/null || echo "opcode $o is not in docs/image-format.md"
done
# every rule of mlc diff: a line in its page, and a pair that has it (a line of its `expect`)
sed -n 's/^DIFF_RULE([A-Z_]*, *"\(D[0-9]*\)", *[A-Z]*, *"\([a-z-]*\)".*/\1 \2/p' compiler/diff/diff_rule.def | while read -r id name; do
    grep -qF "| $id | \`$name\` |" docs/diff.md 2>/dev/null || echo "rule $id $name of mlc diff is not in docs/diff.md"
    grep -qE "^$id " tests/diff/*/expect 2>/dev/null || echo "rule $id of mlc diff has no pair in tests/diff"
done
for b in $(sed -n 's/^BUILTIN(\([a-z_]*\),.*/\1/p' runtime/value/builtin.def); do
    grep -rq "\b$b(" tests/lang 2>/dev/null || echo "builtin $b has no case in tests/lang"
done
