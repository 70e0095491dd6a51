#!/bin/sh
# diff_test.sh - mlc diff as people and CI use it: exit codes and --fail-on, approvals that lapse, the formats, and as the diff driver of a real git
# repository: changed, new, deleted, renamed, unmerged and broken files, compiled ones, from a folder below, with imports and tables of the checkout.
. "$(dirname "$0")/lib.sh"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_EXTERNAL_DIFF GIT_DIFF_PATH_TOTAL || true
export HOME="$W" GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t

mkdir before after
cp "$root"/examples/customers/*.csv "$root"/examples/customers/customers.mlc before
cp before/* after
old=before/customers.mlc new=after/customers.mlc
edit() { sed "$2" "$1" >edited && ! cmp -s edited "$1" || { not_ok "the test changes $1" "$2"; return; }; cat edited >"$1"; }   # FILE SCRIPT

# ---- exit codes ----
exits "nothing differs" 0 mlc diff --fail-on=any $old $new
has "and says so" out "no difference in meaning"
edit $new 's/every 15m/every 20m/'
exits "a schedule is text" 0 mlc diff --fail-on=state,target,data $old $new
has "it is said" out "D403 text customers: every 20m, was 15m"
exits "and fails when asked" 2 mlc diff --fail-on=text $old $new
exits "or by its id" 2 mlc diff --fail-on=state,D403 $old $new
exits "or by its name" 2 mlc diff --fail-on schedule $old $new
exits "not by another's" 0 mlc diff --fail-on=D301,filter $old $new
exits "an unknown word" 64 mlc diff --fail-on=everything $old $new
has "is named" err "not everything"
edit $new 's/Phone  *= phone(.*/Phone = truncate(TelephoneNo, 12)/'
exits "a rule is data" 2 mlc diff --fail-on=data $old $new
has "with both places" out "- before/customers.mlc:$(grep -n 'phone(Tele' $old | cut -d: -f1)"
has "of both files" out "+ after/customers.mlc:$(grep -n 'truncate(Tele' $new | cut -d: -f1)"
has "and a row" out "row   TelephoneNo = "
exits "one flow only" 64 mlc diff --flow nobody $old $new
has "of those that are there" err "neither version has a flow nobody"
exits "no such file" 1 mlc diff $old nothing.mlc
exits "a form that is none" 64 mlc diff --format=xml $old $new

# ---- compiled ----
quietly mlc build -o a.mlcb $old
quietly mlc build -o b.mlcb $new
exits "compiled files" 2 mlc diff --fail-on=data a.mlcb b.mlcb
grep -o '^D[0-9]* [a-z]* [^:]*' out >compiled.found
mlc diff $old $new | grep -o '^D[0-9]* [a-z]* [^:]*' >source.found
is "say the same as their sources" "$(cat compiled.found)" "$(cat source.found)"

# ---- forms ----
mlc diff --format=json $old $new >d.json
json "json" d.json
is "json: both findings" "$(jq -r '[.findings[].rule] | join(" ")' d.json)" "D403 D301"
is "json: the row" "$(jq -r '.findings[1].witness.columns | keys | join(" ")' d.json)" "CustomerName TelephoneNo"
jq -c '.findings[1].witness.row' d.json | mlc eval $new customers >row.out 2>&1 || true
has "json: the row runs" row.out '"Phone"'
mlc diff --format=sarif $old $new >d.sarif
json "sarif" d.sarif
is "sarif: version, rules in step, level, file" \
    "$(jq -r '.version, (.runs[0] | .tool.driver.rules as $r | .results[] | "\(.ruleId == $r[.ruleIndex].id) \(.level) \(.locations[0].physicalLocation.artifactLocation.uri)")' d.sarif | tr '\n' ' ')" \
    "2.1.0 true note after/customers.mlc true warning after/customers.mlc "
mlc diff --format=markdown $old $new >d.md
has "markdown" d.md "### mlc diff: 2 findings: 1 data, 1 text"
has "markdown: a box to tick" d.md '- [ ] `customers.Phone`'

large() {   # LIMIT: 120 flows, each with a rule that depends on it
    echo 'mlc 1
spec "large"
import file
source feed: file { path = "in" }
target out: file { path = "out" }'
    i=0
    while [ $i -lt 120 ]; do
        echo "entity feed.T$i { key No: text(20)  A: decimal(9,2) = 0 }"
        echo "entity out.M$i { Key: text(80) @unique  F: text(200) }"
        echo "flow f$i from feed.T$i to out.M$i { every 1h  key Key  F = match { A > $1 => \"a value of some length, so that a comment is soon full: $i\", else => \"none\" } }"
        i=$((i + 1))
    done
}
large 100 >large1.mlc
large 200 >large2.mlc
mlc diff --format=markdown large1.mlc large2.mlc >large.md
is "markdown: a comment takes it" "$([ "$(wc -m <large.md)" -lt 65000 ] && [ "$(grep -c '^- \[ \]' large.md)" -gt 50 ] && echo yes)" yes
has "markdown: and says what it leaves out" large.md "more: a comment has no room for them"
has "markdown: all are counted" large.md "120 findings: 120 data"

# ---- approvals ----
sed "s/, 12)/, 13)/" $new >after/wide.mlc
exits "an approval needs a file" 64 mlc diff --approve because $old $new
exits "approving" 0 mlc diff --approvals ok.txt --approve "agreed with sales" --by jane --fail-on=data $old $new
has "says how many" out "1 finding approved in ok.txt"
has "the line names rule, field and who" ok.txt "D301 customers.Phone  # jane: agreed with sales"
exits "approved, data passes" 0 mlc diff --approvals ok.txt --fail-on=data $old $new
has "and is marked" out "approved: D301 customers.Phone"
exits "text is not approved" 2 mlc diff --approvals ok.txt --fail-on=any $old $new
exits "another change of the same field" 2 mlc diff --approvals ok.txt --fail-on=data $old after/wide.mlc
has "leaves the approval stale" out "stale approval"
cp $new other.mlc && cp after/*.csv .
edit other.mlc 's/truncate(TelephoneNo, 12)/truncate( TelephoneNo ,12) # as it was/'
exits "another layout does not" 0 mlc diff --approvals ok.txt --fail-on=data $old other.mlc
exits "nor does the compiled file" 0 mlc diff --approvals ok.txt --fail-on=data a.mlcb b.mlcb
sed 's/customers.Phone/customers.Fax/' ok.txt >lie.txt
exits "a line that names another field" 2 mlc diff --approvals lie.txt --fail-on=data $old $new
echo "looks fine to me" >broken.txt
exits "a line that is no approval" 65 mlc diff --approvals broken.txt $old $new
has "is named" err "broken.txt:1"

# ---- git ----
mkdir -p repo/specs
cp "$root"/examples/customers/*.csv "$root"/examples/customers/customers.mlc repo/specs
cp "$root/examples/customers/.gitattributes" repo
cd repo
quietly git init -q -b main .
printf 'out\nerr\nedited\nx\n' >.git/info/exclude
git config diff.mlc.command "mlc diff"
quietly mlc build specs/customers.mlc
git add -A && quietly git commit -qm first
g() { git diff "$@" >out 2>err </dev/null || { cat err >>out; echo "git ends with $?" >>out; }; }

edit specs/customers.mlc 's/Phone  *= phone(.*/Phone = truncate(TelephoneNo, 12)   # shorter/'
g
has "git diff: the finding" out "D301 data customers.Phone: another value for some rows [DIFFERENT]"
has "git diff: places in the checkout" out "- specs/customers.mlc:"
has_not "git diff: no lines of text" out "@@"
(cd specs && git diff >../out)
has "git diff from a folder below" out "D301 data customers.Phone"
g --no-ext-diff
has "git diff --no-ext-diff: lines of text" out "@@"
quietly git commit -qam second
git show --ext-diff HEAD >out
has "git show --ext-diff" out "D301 data customers.Phone"
sed 's/^  /      /' specs/customers.mlc >x && mv x specs/customers.mlc
g
has "git diff: layout means nothing" out "no difference in meaning"
git checkout -q specs/customers.mlc
git mv specs/customers.mlc specs/accounts.mlc
edit specs/accounts.mlc 's/every 15m/every 20m/'
g -M HEAD
has "git diff of a renamed file" out "D403 text customers: every 20m, was 15m"
has "with both names" out "- specs/customers.mlc:"
git reset -q --hard
git rm -q specs/customers.mlc
g HEAD
has "git diff of a deleted file" out "D101 state customers: flow customers is gone"
git reset -q --hard
cp specs/customers.mlc specs/more.mlc && git add -N specs/more.mlc
g
has "git diff of a new file" out "D201 target customers: flow customers is new"
git reset -q --hard && rm -f specs/more.mlc
echo "flow" >>specs/customers.mlc
g
has "git diff of a spec that does not compile" out "specs/customers.mlc: cannot be compared by meaning"
has_not "and git goes on" out "git ends"
git checkout -q specs/customers.mlc
edit specs/customers.mlc 's/every 15m/every 20m/'
quietly mlc build specs/customers.mlc
g -- specs/customers.mlcb
has "git diff of compiled files" out "D301 data customers.Phone"
git reset -q --hard
git checkout -q -b side HEAD~1
edit specs/customers.mlc 's/Phone  *= phone(.*/Phone = truncate(TelephoneNo, 14)/'
quietly git commit -qam side
git merge -q main >/dev/null 2>&1 || true
g --cached
has "git diff of a file that is not merged" out "specs/customers.mlc: is not merged yet"
has_not "ends well" out "git ends"
finish
