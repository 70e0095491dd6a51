# arrows.awk - reads arrows.txt first, then sources; prints each include that the table does not allow.
function room_of(path,   p, n, i, best, parts) {
    sub(/^runtime\//, "", path)
    n = split(path, parts, "/")
    best = ""
    p = ""
    for (i = 1; i < n; i++) {
        p = p == "" ? parts[i] : p "/" parts[i]
        if (p in known) best = p
    }
    return best
}
FILENAME ~ /arrows\.txt$/ {
    if ($0 ~ /^#/ || NF == 0) next
    room = $1
    sub(/:$/, "", room)
    known[room] = 1
    for (i = 2; i <= NF; i++) allowed[room, $i] = 1
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    from = room_of(FILENAME)
    file = $0
    sub(/^[^"]*"/, "", file)
    sub(/".*/, "", file)
    if (file !~ /\//) next
    to = room_of(file)
    if (to == "" || from == "" || to == from || (from, to) in allowed) next
    print FILENAME ":" FNR ": " from " may not include " file
}
