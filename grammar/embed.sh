#!/bin/sh
# embed.sh DIR - prints every .mlc file of DIR as C: an entry {"name", "text", length} each, for the prelude that ships inside mlc.
set -eu
for f in "$1"/*.mlc; do
    [ -f "$f" ] || continue
    name=$(basename "$f" .mlc)
    printf '{"%s", (const char[]){' "$name"
    od -An -v -tu1 "$f" | sed 's/^ *//; s/ \{1,\}/,/g; s/$/,/' | tr -d '\n'
    printf '0}, %s},\n' "$(wc -c < "$f" | tr -d ' ')"
done
