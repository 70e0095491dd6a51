#!/bin/sh
# run.sh - plants one bug after the other and looks whether the harness that a patch names finds it.
#
#   run.sh [NAME]        those with NAME in their name; all without it
#   run.sh --check       no bug is planted: every patch still applies and names a harness that exists
#
# A patch begins with a sentence that says the mistake, then `found by: HARNESS...`, one of
#     unit/ROOM/X_test     a test program
#     fault/crash          a bounded share of the crash harness
#     e2e/X_test           a script of tests/e2e, with the planted mlcd
# Found = the harness says "not ok", or is ended by a signal (a check of ours, the processor). Every harness is also run without a bug by `make test`, so a "not ok" is the bug's.
set -u
cd "$(dirname "$0")/../.."
B=${B:-build}
MAKE=${MAKE:-make}
found=0
missed=0

file_of() { sed -n 's|^+++ b/\([^ \t]*\).*|\1|p' "$1" | head -1; }
says() { sed -n '1p' "$1"; }
finders() { sed -n 's/^found by: //p' "$1"; }

# The changed file into DIR/src, everything else stays where it is.
plant() {   # PATCH DIR
    rm -rf "$2"
    mkdir -p "$2/src/$(dirname "$(file_of "$1")")"
    cp "$(file_of "$1")" "$2/src/$(file_of "$1")" && patch -s -p1 -F0 --no-backup-if-mismatch -d "$2/src" <"$1" >"$2/patch.log" 2>&1
}

exists() {   # HARNESS
    case $1 in
    unit/*) [ -f "tests/$1.c" ] ;;
    e2e/*) [ -f "tests/$1.sh" ] ;;
    fault/crash) [ -f tests/fault/crash_main.c ] ;;
    *) false ;;
    esac
}

check_one() {   # PATCH
    name=$(basename "$1" .patch)
    why=
    plant "$1" "$scratch" || why="it does not apply any more: $(head -1 "$scratch/patch.log")"
    [ -n "$(finders "$1")" ] || why="it names no harness"
    for h in $(finders "$1"); do exists "$h" || why="there is no harness $h"; done
    if [ -z "$why" ]; then echo "ok plant/$name applies"; else echo "not ok plant/$name: $why"; missed=$((missed + 1)); fi
}

build() {   # NAME FILE TARGET
    $MAKE -s --no-print-directory B="$B" PLANT="$1" PLANT_FILE="$2" "$3"
}

# Ends with status 1 when the harness finds something.
harness() {   # NAME FILE HARNESS
    d=$B/plant/$1
    case $3 in
    unit/*) build "$1" "$2" "$d/$3" && timeout 300 "$d/$3" ;;
    fault/crash) build "$1" "$2" "$d/crash-harness" && timeout 600 "$d/crash-harness" --bounded --image "$B/tests/fault/customers.mlcb" ;;
    e2e/*)
        build "$1" "$2" "$d/mlcd" || return 1
        for p in "$B"/*; do
            [ -f "$p" ] && [ ! -e "$d/$(basename "$p")" ] && ln -s "$(cd "$B" && pwd)/$(basename "$p")" "$d/"
        done
        B=$d timeout 600 sh "tests/$3.sh" ;;
    esac
}

plant_one() {   # PATCH
    name=$(basename "$1" .patch)
    file=$(file_of "$1")
    if ! plant "$1" "$B/plant/$name" || ! build "$name" "$file" "$B/plant/$name/planted.o" >"$B/plant/$name/build.log" 2>&1; then
        echo "not ok plant/$name: it cannot be planted ($B/plant/$name)"
        missed=$((missed + 1))
        return
    fi
    for h in $(finders "$1"); do
        begin=$(date +%s%N)
        harness "$name" "$file" "$h" >"$B/plant/$name/found.log" 2>&1 </dev/null
        status=$?
        took=$((($(date +%s%N) - begin) / 1000000))
        if grep -q '^not ok ' "$B/plant/$name/found.log" || { [ $status -ge 132 ] && [ $status -ne 137 ]; }; then
            printf 'ok plant/%s: found by %s in %d.%d s: %s\n' "$name" "$h" $((took / 1000)) $((took % 1000 / 100)) "$(says "$1")"
            found=$((found + 1))
        else
            echo "not ok plant/$name: $h does not find it (status $status): $(says "$1")"
            missed=$((missed + 1))
        fi
    done
}

if [ "${1:-}" = --check ]; then
    scratch=$(mktemp -d)/plant
    for p in tests/plant/*.patch; do check_one "$p"; done
    rm -rf "${scratch%/plant}"
    [ "$missed" -eq 0 ]
    exit
fi
for p in tests/plant/*"${1:-}"*.patch; do plant_one "$p"; done
echo "$found passed, $missed failed"
[ "$missed" -eq 0 ]
