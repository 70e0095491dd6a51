#!/bin/sh
# readme_test.sh - the documentation is run. In README.md and docs/*.md a block that begins with
#
#   ```sh run          is executed, in order, in one scratch directory per page; it must end with 0
#   ```text said       stands behind such a block: each of its lines is in what the block printed
#   ```NAME file=F     is written to the file F of that directory first
#   ```mlc             is a whole spec: it compiles, and its tests pass
#   ```mlc top         declarations: they compile inside frame.mlc
#   ```mlc rules       lines of a flow: they compile inside frame.mlc
#   ```mlc refused E   lines of a flow that are refused with code E
#   ```mlc top refused E  declarations that are refused with code E
#   ```mlc fragment    is not compiled
#
# Besides: each relative link leads to a file, and the man pages know every command and option that --help knows.
. "$(dirname "$0")/lib.sh"
frame=$root/tests/e2e/frame.mlc
pages="README.md $(cd "$root" && ls docs/*.md)"

# blocks PAGE DIR: every block as DIR/NNN.body, with its first line's words in DIR/NNN.info
blocks() {
    awk -v dir="$2" '
        /^```/ && !open { n++; open = 1; name = sprintf("%s/%03d", dir, n); print substr($0, 4) > (name ".info"); printf "" > (name ".body"); print FNR > (name ".line"); next }
        /^```/ { open = 0; close(name ".body"); next }
        open { print > (name ".body") }' "$1"
}
in_frame() {   # top|rules BODY OUT
    awk -v kind="$1" -v body="$2" '
        function put(  l) { while ((getline l < body) > 0) print l; close(body) }
        $0 == "@TOP@" { if (kind == "top") put(); next }
        $0 == "@RULES@" { if (kind == "rules") put(); next }
        { print }' "$frame" >"$3"
}
compiles() {   # NAME SPEC
    if mlc check "$2" >out 2>&1 && mlc test "$2" >out2 2>&1; then ok "$1"; else not_ok "$1" "$(cat out out2 2>/dev/null | tr '\n' '|' | cut -c1-500)"; fi
}
one_block() {   # PAGE BLOCK SCRATCH
    info=$(cat "$2.info")
    name="$1:$(cat "$2.line")"
    case $info in
    *" file="*) mkdir -p "$3/$(dirname "${info##*file=}")"; cp "$2.body" "$3/${info##*file=}" ;;
    esac
    case $info in
    "sh run")
        if (cd "$3" && sh -eu "$2.body") >"$3.said" 2>&1 </dev/null; then ok "$name runs"; else not_ok "$name runs" "$(tail -5 "$3.said" | tr '\n' '|')"; fi ;;
    "text said")
        while IFS= read -r line; do
            [ -z "$line" ] || grep -qF -- "$line" "$3.said" || { not_ok "$name was said" "$line"; return; }
        done <"$2.body"
        ok "$name was said" ;;
    mlc | "mlc file="*) cp "$root"/examples/customers/*.csv "$3/"; cp "$2.body" "$3/checked.mlc"; compiles "$name compiles" "$3/checked.mlc" ;;
    "mlc top") cp "$root"/examples/customers/*.csv .; in_frame top "$2.body" whole.mlc; compiles "$name compiles" whole.mlc ;;
    "mlc rules") in_frame rules "$2.body" whole.mlc; compiles "$name compiles" whole.mlc ;;
    "mlc refused "* | "mlc top refused "*)
        case $info in "mlc top"*) in_frame top "$2.body" whole.mlc ;; *) in_frame rules "$2.body" whole.mlc ;; esac
        if mlc check whole.mlc >out 2>&1; then not_ok "$name is refused" "it compiles"; else has "$name is refused" out "${info##* }"; fi ;;
    "mlc mistake"* | "text says" | "mlc fragment" | "mlc fragment file="* | sh | text | json | yaml | csv | ini | "json file="* | "csv file="* | "sh file="* | "") ;;
    *) not_ok "$name" "a block of an unknown kind: $info" ;;
    esac
}

for page in $pages; do
    dir=$W/blocks/$(basename "$page" .md)
    scratch=$W/scratch/$(basename "$page" .md)
    mkdir -p "$dir" "$scratch"
    blocks "$root/$page" "$dir"
    for info in "$dir"/*.info; do
        [ -f "$info" ] && MLCD_STATE="$scratch/state" one_block "$page" "${info%.info}" "$scratch"
    done
    # links
    base=$(dirname "$root/$page")
    broken=""
    for link in $(grep -oE '\]\([^)# ]+' "$root/$page" | sed 's/^](//' | grep -v '^[a-z]*:' | sort -u); do
        [ -e "$base/$link" ] || broken="$broken $link"
    done
    is "$page: links lead somewhere" "$broken" ""
done

for page in $(cd "$root" && ls docs/connectors/*.md docs/decisions/*.md docs/diagnostics/*.md examples/*/*.md); do
    base=$(dirname "$root/$page")
    for link in $(grep -oE '\]\([^)# ]+' "$root/$page" | sed 's/^](//' | grep -v '^[a-z]*:'); do [ -e "$base/$link" ] || not_ok "$page: links lead somewhere" "$link"; done
done

# ---- tables of the program against tables of the docs ----
lacking=""
for b in $(sed -n 's/^BUILTIN(\([a-z_]*\),.*/\1/p' "$root/runtime/value/builtin.def"); do grep -qF "\`$b" "$root/docs/language.md" || lacking="$lacking $b"; done
for k in $(sed -n 's/^KEYWORD("\([a-z]*\)".*/\1/p' "$root/dsl/keyword.def"); do grep -qw "$k" "$root/docs/language.md" || lacking="$lacking $k"; done
for s in $(sed -n 's/^ROW_STATE(\([A-Z]*\),.*/\1/p' "$root/runtime/store/row_state.def"); do grep -qw "$s" "$root/docs/errors.md" || lacking="$lacking $s"; done
for s in $(sed -n 's/^ERR(\([A-Z_]*\),.*/\1/p' "$root/runtime/base/err.def"); do grep -qw "$s" "$root/docs/errors.md" || lacking="$lacking $s"; done
for s in $(sed -n 's/^ *W_\([A-Z_]*\) *=.*/\1/p' "$root/runtime/base/outcome.h"); do grep -qw "$s" "$root/docs/errors.md" || lacking="$lacking $s"; done
for s in $(sed -n 's/^FRAME(\([A-Z_]*\),.*/\1/p' "$root/runtime/journal/frame.def"); do grep -qw "$s" "$root/docs/audit.md" || lacking="$lacking $s"; done
for r in $(cd "$root" && ls -d runtime/*/ runtime/connectors/*/ dsl/ compiler/ grammar/ tests/*/); do grep -qF "$(echo "$r" | sed 's|/$||; s|^runtime/||')" "$root/docs/architecture.md" || lacking="$lacking $r"; done
is "every builtin, word, state, error, class, kind of entry and room stands in its page" "$lacking" ""

# ---- man pages ----
plain() { sed 's/\\-/-/g; s/\\f[BIR]//g' "$1"; }
plain "$root/docs/man/mlcd.1" >mlcd.txt
plain "$root/docs/man/mlc-audit-verify.1" >verify.txt
mlcd help >help.txt
for o in $(grep -oE '^  --[a-z-]+' help.txt); do grep -qF -- "$o" mlcd.txt || not_ok "mlcd.1 knows $o" missing; done
for c in $(sed -n '/^  [a-z]/p' help.txt | awk '{print $1}'); do grep -qE "^\.(SS|BI|BR|B) \"?$c" mlcd.txt || not_ok "mlcd.1 knows $c" missing; done
ok "mlcd.1 has every command and option of mlcd help"
plain "$root/docs/man/mlc.1" >mlc.txt
mlc --help >help.txt
for c in $(sed -n '/^  [a-z]/p' help.txt | awk '{print $1}'); do
    grep -qE "^\.(BI|BR|B) \"?$c[ \"]" mlc.txt || not_ok "mlc.1 knows $c" missing
    mlc "$c" --help >command.txt
    for o in $(grep -oE '^ +--[a-z-]+' command.txt); do grep -qF -- "$o" mlc.txt || not_ok "mlc.1 knows $c $o" missing; done
done
ok "mlc.1 has every command and option of mlc --help"
mlc-audit-verify 2>usage.txt || true
for o in $(grep -oE -- '--[a-z]+' usage.txt | sort -u); do grep -qF -- "$o" verify.txt || not_ok "mlc-audit-verify.1 knows $o" missing; done
ok "mlc-audit-verify.1 has every option"
if command -v mandoc >/dev/null; then
    exits "man pages are clean" 0 mandoc -T lint -W warning "$root"/docs/man/*.1
elif command -v groff >/dev/null; then
    groff -man -ww -z "$root"/docs/man/mlcd.1 "$root"/docs/man/mlc-audit-verify.1 >out 2>&1 || true
    is "man pages are clean" "$(cat out)" ""
fi
finish
