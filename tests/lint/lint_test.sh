#!/bin/sh
# lint_test.sh - does lint.sh find anything? A copy of the project gets one violation of each rule; each has to be named, with its place.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/mlc-lint.XXXXXX")
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT TERM
bad=0
(cd "$root" && git -c safe.directory='*' ls-files -co --exclude-standard | while read -r f; do [ -f "$f" ] && echo "$f"; done | tar cf - -T -) | tar xf - -C "$copy" || exit 1
cd "$copy" || exit 1
printf '/build/\n' >.gitignore

# ---- the violations ----
echo '#include "sync/sync.h"' >runtime/journal/planted_arrow.c
awk 'BEGIN { for (i = 0; i < 601; i++) print "/* */" }' >tests/planted_long.c
awk 'BEGIN { print "static void planted(void)\n{"; for (i = 0; i < 71; i++) print "    ;"; print "}" }' >dsl/planted_function.c
for f in strcpy strcat sprintf vsprintf gets strtok atoi atol atof sscanf fscanf alloca setjmp longjmp; do echo "    $f (x);"; done >compiler/planted_banned.c
world_calls="time gettimeofday clock_gettime rand random srand getrandom randombytes_buf open openat fopen opendir creat stat access unlink rename mkdir read pwrite fsync fcntl mmap mkstemp socket connect accept4 getaddrinfo poll nanosleep usleep sleep getenv secure_getenv system popen fork execve posix_spawn kill"
for f in $world_calls; do echo "    $f (x);"; done >runtime/sync/planted_world.c
for f in util utils common misc helper helpers common_text; do echo >runtime/base/$f.c; done
printf 'see %swork%sx for more\n' / / >docs/planted_path.md
printf '| a row | without a head |\n| another | row |\n' >docs/planted_table.md
echo 'DIAG(PLANTED, "E0999", "planted")' >>dsl/diag.def
error=PLANTED_
error=${error}ERR                   # in pieces, or this file would be its test
echo "ERR($error, \"planted\")" >>runtime/base/err.def
echo 'FRAME(PLANTED_FRAME, 63, "planted")' >>runtime/journal/frame.def
echo 'OP(PLANTED_OP, "planted")' >>runtime/code/opcode.def
echo 'BUILTIN(planted_builtin, "planted")' >>runtime/value/builtin.def
echo 'DIFF_RULE(PLANTED, "D999", DATA, "planted-rule", "planted")' >>compiler/diff/diff_rule.def
git init -q . 2>/dev/null && git add -A >/dev/null 2>&1
sh tests/lint/lint.sh >found 2>&1 && { echo "not ok lint finds what is planted: it says that all is well"; bad=1; }

# names RULE TEXT: a line of the rule holds the text
names() {
    if grep -F "not ok lint $1: " found | grep -qF -- "$2"; then echo "ok lint finds $2 ($1)"; else echo "not ok lint finds $2 ($1): it passes"; bad=1; fi
}
names "include arrows" runtime/journal/planted_arrow.c
names "files of at most 600 lines" tests/planted_long.c
names "functions of at most 70 lines" dsl/planted_function.c
for f in strcpy strcat sprintf vsprintf gets strtok atoi atol atof sscanf fscanf alloca setjmp longjmp; do names "banned functions" "    $f (x)"; done
for f in $world_calls; do
    names "the world only through the world table" "    $f (x)"
done
for f in util utils common misc helper helpers common_text; do names "no util, common or misc" "runtime/base/$f.c"; done
names "no path of a machine" docs/planted_path.md
names "every table of the docs has its head" docs/planted_table.md
tables="every diagnostic has a page and a case"
names "$tables" "E0999 has no page"
names "$tables" "E0999 has no test case"
names "$tables" "$error is not in docs/errors.md"
names "$tables" "$error has no test"
names "$tables" "frame PLANTED_FRAME is not in"
names "$tables" "opcode PLANTED_OP is not in"
names "$tables" "builtin planted_builtin has no case"
names "$tables" "rule D999 planted-rule of mlc diff is not in docs/diff.md"
names "$tables" "rule D999 of mlc diff has no pair"

# Without the list of sources nothing is looked at, and that is no reason to be content.
rm -rf .git
GIT_CEILING_DIRECTORIES=$(dirname "$copy") sh tests/lint/lint.sh >found 2>&1
names "there is something to look at" "no list of sources"
exit $bad
