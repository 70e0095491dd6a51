#!/bin/sh
# embed.sh DIR [EXTENSION] - prints every file of DIR with the extension (mlc) as C: an entry {"name", "text", length} each, in byte order
# of the names, for the prelude and the pages of `mlc explain` that ship inside mlc.
set -eu
LC_ALL=C
export LC_ALL
ext=${2:-mlc}
for f in "$1"/*."$ext"; do
    [ -f "$f" ] || continue
    name=$(basename "$f" ".$ext")
    printf '{"%s", (const unsigned char[]){' "$name"
    od -An -v -tu1 "$f" | sed 's/^ *//; s/ \{1,\}/,/g; s/$/,/' | tr -d '\n'
    printf '0}, %s},\n' "$(wc -c < "$f" | tr -d ' ')"
done
