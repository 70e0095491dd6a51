# mistakes.awk - docs/mistakes.md with what mlc says now: each block `mlc mistake` is put into its frame and checked, and the block `text says` behind
# it is written anew. The page is right when nothing changes; after a message was mended, from the top of the project:
#
#     awk -v mlc=$PWD/build/mlc -v dir=$(mktemp -d) -v csv=$PWD/examples/customers -f tests/e2e/mistakes.awk docs/mistakes.md > new && mv new docs/mistakes.md
#
#   mlc fragment file=F    the file F; frame.mlc has the lines `# DECLARATION` and `# RULE`, where the mistake is put
#   mlc mistake            lines of the flow      mlc mistake top    a declaration      mlc mistake whole    the whole spec
function finish_body(  line, n, i, rows) {
    if (info ~ / file=/) {
        file = info
        sub(/.* file=/, "", file)
        printf "%s", body > (dir "/" file)
        close(dir "/" file)
        if (file == "frame.mlc") frame = body
    }
    if (info !~ /^mlc mistake/) return
    spec = dir "/customers.mlc"
    if (info ~ /whole/) printf "%s", body > spec
    else {
        n = split(frame, rows, "\n")
        for (i = 1; i < n; i++) {
            if (rows[i] == "# DECLARATION") { if (info ~ /top/) printf "%s", body > spec; else print "" > spec }
            else if (rows[i] == "# RULE") { if (info !~ /top/) printf "%s", body > spec }
            else print rows[i] > spec
        }
    }
    close(spec)
    said = ""
    command = "cd '" dir "' && '" mlc "' check customers.mlc 2>&1; echo \"exit $?\""
    while ((command | getline line) > 0) said = said line "\n"
    close(command)
    sub(/\n\nexit 3\n$/, "\n", said)          # the count at the end and the exit code: a page without errors shows
    sub(/\n[0-9]+ (error|warning)s?(, [0-9]+ warnings?)?\nexit [0-9]+\n$/, "", said)
}
BEGIN { system("cp '" csv "'/*.csv '" dir "'") }
/^```/ && !open { open = 1; info = substr($0, 4); body = ""; print; next }
/^```/ { open = 0; if (info == "text says") printf "%s", said; else finish_body(); print; next }
open { body = body $0 "\n"; if (info != "text says") print; next }
{ print }
