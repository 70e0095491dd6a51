#!/bin/sh
# integrity_test.sh - the state directory damaged, rolled back and mended: what a start, `mlcd check`, `mlcd repair` and a checkpoint that is kept elsewhere find.
. "$(dirname "$0")/lib.sh"
start_sage --customers 60
start_zoho
spec
sign_in
exits "first load" 0 mlcd once --quiet --image customers.mlcb
total=$(dump | jq length)
writes() { counter '.inserts + .updates + .noop_updates'; }
exits "check of a whole state" 0 mlcd check
has "it looked at the log" out "ok     log"
has "at the data keys" out "ok     keys"
has "and at the index" out "ok     index"
exits "check --json" 0 mlcd check --json
json "check is JSON" out
cp state/journal/checkpoints.log shipped.early
cp -r state early

# ---- the index damaged ----
# a byte in the middle of every page in turn, until one is found that counts
damage() {
    size=$(stat -c %s state/index/data.mdb)
    off=$((size - 4096 * ${1:-2} + 4000))
    while [ $off -gt 0 ]; do
        cp state/index/data.mdb whole.mdb
        printf '\377\377\377\377' | dd of=state/index/data.mdb bs=1 seek=$off conv=notrunc 2>/dev/null
        mlcd check >out 2>err || return 0
        cp whole.mdb state/index/data.mdb
        off=$((off - 4096))
    done
    return 1
}
if damage; then ok "a damaged page is found by check"; else not_ok "a damaged page is found by check" "no page counts"; fi
has "it says where and what to do" out "mlcd repair"
exits "check tells by its exit code" 65 mlcd check
printf 'open  \n' | dd of=state/lock conv=notrunc 2>/dev/null          # as a kill leaves it
before=$(writes)
exits "after an unclean end a start finds it before it uses the index" 65 mlcd once --quiet
has "and says what to do" err "mlcd repair makes it anew from the audit log"
exits "repair" 0 mlcd repair
has "it keeps the damaged one" out "index.aside-1"
exits "afterwards all is whole" 0 mlcd check
exits "and the work goes on" 0 mlcd once --quiet
is "nothing was written again" "$(writes)" "$before"
is "everything is known" "$(mlcd status --json | jq '.flows[0].linked')" "$total"
exits "repair --json" 0 mlcd repair --json
json "repair is JSON" out
exits "a second one is kept beside the first" 0 test -d state/index.aside-2
: >state/index/data.mdb
exits "an index that lost its bytes: check" 65 mlcd check
exits "repair of it" 0 mlcd repair --quiet
rm -r state/index.aside-*

# ---- an unclean end is seen, and an index that is whole passes ----
is "a clean end is noted" "$(head -c 6 state/lock)" closed
mlcd run --quiet >run.out 2>run.err &
run_pid=$!
pids="$pids $run_pid"
until_true 60 held state/lock
exits "check beside a running mlcd" 75 mlcd check
has "says why" err "running"
exits "repair beside a running mlcd" 75 mlcd repair
until_true 20 grep -q open state/lock || true
is "while one works the note is another" "$(head -c 4 state/lock)" open
signal KILL $run_pid
wait $run_pid 2>/dev/null || true
is "after a kill the note still says so" "$(head -c 4 state/lock)" open
exits "the next start looks the index over and goes on" 0 mlcd once --quiet

# ---- rolled back ----
K=$(key 4)
edit "$K" '{"City":"Aarau"}'
exits "work goes on" 0 mlcd once --quiet
cp -r state late
late=$(mlcd audit verify --json | jq .last_frame)
before=$(writes)
# the index alone: it is folded on from where it stands
rm -r state/index; cp -r early/index state/index
exits "an older index catches up with the log" 0 mlcd once --quiet
is "and nothing is written again" "$(writes)" "$before"
# the log alone: the index knows more
rm -r state; cp -r late state
for f in state/journal/*.seg; do [ -f "early/journal/${f##*/}" ] || rm "$f"; done
cp early/journal/*.seg state/journal/
exits "an older log under a newer index is refused" 65 mlcd once --quiet
has "it says who knows more" err "knows the log up to frame"
exits "check finds it too" 65 mlcd check
rm -r state/index
exits "without the index the checkpoint tells" 65 mlcd once --quiet
has "by name" err "checkpoint"
is "nothing was written" "$(writes)" "$before"
# both of the same age, checkpoints as well: only one that is kept elsewhere tells
rm -r state; cp -r late state; cp state/journal/checkpoints.log shipped.late
rm -r state; cp -r early state
exits "everything of the same age: nothing here can tell" 0 mlcd check
exits "an old checkpoint from elsewhere fits" 0 mlcd audit verify --checkpoints shipped.early
exits "a newer one shows that the log is shorter" 3 mlcd audit verify --checkpoints shipped.late
has "and how much" out "but a checkpoint names frame"
exits "the auditor's program says the same" 3 mlc-audit-verify --checkpoints shipped.late state/journal
exits "check with it" 65 mlcd check --checkpoints shipped.late
# gone on from the old age: another history
edit "$K" '{"City":"Baden"}'
exits "the old one goes on" 0 mlcd once --quiet
entries() { mlcd audit verify --json | jq .last_frame; }
until [ "$(entries)" -gt $((late + 20)) ]; do once; done
exits "a checkpoint of the other history does not fit any more" 3 mlcd audit verify --checkpoints shipped.late
rm -r state/index; cp -r late/index state/index
exits "an index of the other history is refused although its number fits" 65 mlcd once --quiet
has "it says so" err "another history"
exits "repair folds this history" 0 mlcd repair --quiet
exits "and it works" 0 mlcd once --quiet
same_as_sage "all customers are right"
finish
