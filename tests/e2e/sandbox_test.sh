#!/bin/sh
# sandbox_test.sh - a running mlcd has given up core dumps, debuggers, system calls and files outside its own; every other test runs under the same limits,
# because they are the default. What each limit refuses, one by one: tests/unit/cli/sandbox_test.c.
. "$(dirname "$0")/lib.sh"
mkdir -p spec data to outside crash            # the spec, the source and the target in folders of their own: what stands beside them is outside
cat >data/Customers.jsonl <<'EOF'
{"No":"A1","Name":"Alpha"}
{"No":"B2","Name":"Beta"}
EOF
files_spec data to/out.jsonl >spec/files.mlc
quietly mlc build spec/files.mlc -o spec/files.mlcb
printf %s canary-value >in; quietly mlcd secret set SOME-SECRET <in
exits "files inside are read and written" 0 mlcd once --image spec/files.mlcb --quiet
is "all of them" "$(wc -l <to/out.jsonl)" 2

# ---- files: a link that leads out of the source's folder ----
field() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$2/status"; }
printf '{"No":"A1","Name":"from outside"}\n' >outside/rows.jsonl
ln -sf ../outside/rows.jsonl data/Customers.jsonl
sanitized=no
grep -qa __asan_init "$(command -v mlcd)" && sanitized=yes
landlock=no
code=0; mlcd once --image spec/files.mlcb --quiet >out 2>err || code=$?
if grep -qF "ermission denied" err; then landlock=yes; fi
if [ $sanitized = yes ] || grep -qF "no landlock" err; then
    echo "ok no landlock here: files are not limited, and mlcd says so"
else
    is "a file behind a link that leads out is refused" "$landlock $((code != 0))" "yes 1"
    has_not "and nothing of it is written" to/out.jsonl "from outside"
fi
exits "--no-sandbox reads it" 0 mlcd once --image spec/files.mlcb --quiet --no-sandbox
has "so it was the sandbox" to/out.jsonl "from outside"

# ---- the running process ----
rm data/Customers.jsonl
printf '{"No":"A1","Name":"Alpha"}\n' >data/Customers.jsonl
ulimit -c unlimited 2>/dev/null || echo "# core files cannot be allowed here"
mlcd run --quiet --state "$W/state" --image "$W/spec/files.mlcb" >run.out 2>run.err &
pid=$!
pids="$pids $pid"
until_true 120 held "$W/state/lock"
sleep 0.3
if [ $sanitized = no ] && [ -n "$(field Seccomp $pid)" ]; then
    is "its system calls are filtered" "$(field Seccomp $pid)" 2
    is "it cannot gain privileges" "$(field NoNewPrivs $pid)" 1
fi
is "core files are off" "$(awk '/core file size/ {print $5, $6}' "/proc/$pid/limits")" "0 0"
# Control first: the same death of another program in the same place leaves a core, where this host writes them as files.
( cd crash && sh -c 'kill -ABRT $$' ) 2>/dev/null || true
control=$(find crash -type f | wc -l)
rm -f crash/*
kill -ABRT $pid
code=0; wait $pid || code=$?
is "a crash is a crash" $code 134
is "and leaves no core" "$(find . -name 'core*' -type f | wc -l)" 0
case $(cat /proc/sys/kernel/core_pattern) in
'|'* | /*) echo "# this host takes cores elsewhere ($(cat /proc/sys/kernel/core_pattern)): the limit above is what can be seen" ;;
*) is "another program's crash leaves one" "$control" 1 ;;
esac
exits "the state is as good as after any kill" 0 mlcd once --image spec/files.mlcb --quiet
finish
