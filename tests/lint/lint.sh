#!/bin/sh
# lint.sh - the house rules that a machine can check: include arrows, sizes, banned functions, forbidden file names, and that every line of the
# error and diagnostic tables has a test and a page. Prints "ok NAME" or "not ok NAME: why" per rule.
set -u
cd "$(dirname "$0")/../.."
# A checkout of another user is still the one to look at.
git() { command git -c safe.directory='*' "$@"; }
bad=0
say() {   # NAME FINDINGS
    if [ -z "$2" ]; then
        echo "ok lint $1"
    else
        printf '%s\n' "$2" | head -200 | sed "s|^|not ok lint $1: |"
        bad=1
    fi
}
sources=$(git ls-files -co --exclude-standard -- '*.c' '*.h' '*.y' '*.re' '*.def' | while read -r f; do [ -f "$f" ] && echo "$f"; done)
product=$(printf '%s\n' "$sources" | grep -E '^(runtime|dsl|compiler|grammar)/')

say "there is something to look at" "$([ -n "$product" ] || echo "no list of sources: git is missing, or this is no checkout")"
say "include arrows" "$(printf '%s\n' "$product" | xargs awk -f tests/lint/arrows.awk tests/lint/arrows.txt)"
say "files of at most 600 lines" "$(printf '%s\n' "$sources" | xargs wc -l | awk '$2 != "total" && $1 > 600 {print $2 ": " $1 " lines"}')"
say "functions of at most 70 lines" "$(printf '%s\n' "$sources" | grep -E '\.(c|h)$' | xargs awk -f tests/lint/functions.awk)"
say "banned functions" "$(printf '%s\n' "$sources" | grep -E '\.(c|h|re|y)$' | xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|sscanf|fscanf|alloca|setjmp|longjmp)[[:space:]]*\(' | grep -vE '^[^:]+:[0-9]+: *(/?\*|//)')"
# What gives another answer tomorrow, or leaves a trace outside the process: clock, random, files, network, processes, environment. Method calls (->open) and
# functions of our own of such a name (static) are none; texts and comments neither.
outside='time|clock|gettimeofday|clock_gettime|clock_nanosleep|localtime(_r)?|mktime|rand(_r)?|random|srand|drand48|getrandom|getentropy|arc4random[a-z_]*|randombytes_[a-z_]+|open(at)?|f(re)?open|opendir|scandir|creat|l?stat|fstatat|access|unlink(at)?|rename(at)?|mkdir(at)?|rmdir|remove|read|write|pread|pwrite|fsync|fdatasync|ftruncate|flock|lockf|fcntl|ioctl|mmap|tmpfile|mkd?stemp|socket|connect|listen|accept4?|sendto|recv(from)?|getaddrinfo|gethostname|poll|select|(nano|u)?sleep|(secure_)?getenv|setenv|getcwd|chdir|system|popen|v?fork|exec[lv][ep]*|posix_spawn|kill'
say "the world only through the world table" "$(printf '%s\n' "$product" | grep -E '^runtime/.*\.[ch]$' | grep -vE '^runtime/(base/world|base/log|cli/|net/curl_http|net/trust|journal/verify/|agent/win/)' | xargs grep -nE "(^|[^A-Za-z0-9_>.])($outside)[[:space:]]*\(" | sed 's/"[^"]*"//g; s|/\*.*||' | grep -E "[^A-Za-z0-9_>.]($outside)[[:space:]]*\(" | grep -vE ':[0-9]+: *(\*|//)|static .*|\(\*[a-z_]+\)\(')"
say "no util, common or misc" "$(printf '%s\n' "$sources" | grep -E '(^|/)(util|utils|common|misc|helpers?)(_[a-z]+)?\.(c|h)$')"
say "no path of a machine" "$(git grep -nE '(^|[^A-Za-z0-9_./])/(work|farm|root)/' -- . ':!tests/lint/lint.sh' | cut -c1-160)"
say "every table of the docs has its head" "$(git ls-files -- '*.md' | while read -r f; do awk '/^```/ { code = !code } code { next } /^\|/ && !within { head = FNR } head && FNR == head + 1 && !/^\|[ :|-]+$/ { print FILENAME ": " head } /^\|/ { within = 1; next } { within = head = 0 }' "$f"; done)"
say "every planted bug can still be planted" "$(sh tests/plant/run.sh --check | sed -n 's/^not ok //p')"
say "every diagnostic has a page and a case" "$(sh tests/lint/tables.sh)"
exit $bad
