# columns.awk - the columns of Sage's tables out of the compiler's prelude, as lines of C: AGENT_COLUMN(table, column, kind, length, scale).
# kind: 's' text, 'd' date, 'n' number. So the agent and the checker know one dictionary.
#   awk -f columns.awk dsl/prelude/sage100*.mlc
/^entity / { table = $2; next }
/^}/ { table = "" }
table != "" {
    line = $0
    sub(/^ +/, "", line)
    sub(/^key +/, "", line)
    if (line !~ /^[A-Za-z0-9_]+: /) next
    name = line
    sub(/:.*/, "", name)
    type = line
    sub(/^[^:]*: */, "", type)
    kind = "s"; length_ = 1; scale = 0
    if (type ~ /^lines\(/) next
    if (type ~ /^date/) { kind = "d"; length_ = 8 }
    else if (type ~ /^(decimal|number)\(/) {
        kind = "n"
        args = type; sub(/^[a-z]+\(/, "", args); sub(/\).*/, "", args)
        n = split(args, part, ",")
        length_ = part[1] + 0
        if (n > 1) scale = part[2] + 0
    } else if (type ~ /^text\(/) {
        args = type; sub(/^text\(/, "", args); sub(/\).*/, "", args); sub(/^.*\.\./, "", args)
        length_ = args + 0
    } else if (type ~ /^one of\(/) {
        args = type; sub(/^one of\(/, "", args); sub(/\).*/, "", args)
        n = split(args, part, ",")
        for (i = 1; i <= n; i++) { gsub(/[" ]/, "", part[i]); if (length(part[i]) > length_) length_ = length(part[i]) }
    } else if (type !~ /^bool/) next
    printf "AGENT_COLUMN(\"%s\", \"%s\", '%s', %d, %d)\n", table, name, kind, length_, scale
}
