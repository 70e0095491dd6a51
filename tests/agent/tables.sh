# tables.sh - what the model of Sage (sim-sage) holds, as tables of the COM stand-in, so that the agent under wine and the model answer for the same data.
#   write_tables URL TOKEN DIR [COMPANY]     one DIR/TABLE.tsv per resource of the company (ABC) and per table of lines
# Each table gets a column that must never leave, filled with SECRET.
tsv='def cell: if . == null then "" else gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\r"; "\\r") | gsub("\n"; "\\n") end;
     def head($s; $key): ($key | map("*\(.)$")) + ($s.columns | map(select(.name as $n | $key | index($n) | not)) | map(if .type == "number" then .name else "\(.name)$" end)) + ["CreditCardGUID$"];
     def vals($s; $key; $r): ($r.fields + $r.udf) as $f | ($key | map($f[.] | cell)) + ($s.columns | map(select(.name as $n | $key | index($n) | not)) | map($f[.name] | cell)) + ["SECRET-\($r.key | join("-"))"];'
write_tables() {
    mkdir -p "$3"
    co=${4:-ABC}
    for r in $(curl -fsS -H "Authorization: Bearer $2" "$1/v1/companies" | jq -r --arg co "$co" '.companies[] | select(.code == $co) | .resources[]'); do
        curl -fsS -H "Authorization: Bearer $2" "$1/v1/companies/$co/schema/$r" >"$3/schema.json"
        : >"$3/rows.json"
        next=""
        while :; do
            curl -fsS -H "Authorization: Bearer $2" "$1/v1/companies/$co/$r?limit=1000${next:+&since=$next}" >"$3/page.json"
            jq -c '.rows[]' "$3/page.json" >>"$3/rows.json"
            next=$(jq -r .next "$3/page.json")
            [ "$(jq .complete "$3/page.json")" = true ] && break
        done
        table=$(jq -r .table "$3/schema.json")
        jq -rn --slurpfile s "$3/schema.json" --slurpfile rows "$3/rows.json" "$tsv"'$s[0] as $s | (head($s; $s.key) | join("\t")), ($rows[] | vals($s; $s.key; .) | join("\t"))' |
            iconv -f UTF-8 -t CP1252//TRANSLIT >"$3/$table.tsv"
        lines=$(jq -r '.lines.table // empty' "$3/schema.json")
        [ -z "$lines" ] || jq -rn --slurpfile s "$3/schema.json" --slurpfile rows "$3/rows.json" "$tsv"'$s[0] as $h | $h.lines as $s | ($h.key + $s.key) as $key | (head($s; $key) | join("\t")),
            ($rows[] | . as $r | .lines[] | .fields += ([$h.key, $r.key] | transpose | map({(.[0]): .[1]}) | add) | .fields += ([$s.key, .key] | transpose | map({(.[0]): .[1]}) | add)
             | vals($s; $key; .) | join("\t"))' | iconv -f UTF-8 -t CP1252//TRANSLIT >"$3/$lines.tsv"
    done
    rm -f "$3/schema.json" "$3/rows.json" "$3/page.json"
}
