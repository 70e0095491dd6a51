# coverage.awk - reads the exceptions and gcov's annotated sources (gcov -b -c); prints one line per file and the uncovered branches.
#
# Not counted at all: branches of lines with ASSERT or check_no_memory and no other condition; the false side of the former is our own bug.
# Nor are those of lines that ask the processor what it can: the machine decides.
# An exception: FILE ## N ## source line without its indent ## reason. Up to N unreached branches of lines with this text are counted as explained;
# one that explains nothing is an error, so that the list stays true.
function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
function close_file() {
    if (file == "") return
    files[++nfiles] = file
    total[file] = t; reached[file] = r; told[file] = e
}
function take_line(text) { source = trim(text); by_rule = source ~ /^ASSERT\(|^if \(![a-z_>.-]+\) check_no_memory\(\);$|__builtin_cpu_supports\(/ }
function missed(key) {
    key = file SUBSEP source
    if (key in allowed && used[key] < allowed[key]) { used[key]++; e++; return }
    if (show != "" && index(file, show) || show == ".") { out[file] = out[file] sprintf("    %s:%d: %s\n", file, line, source) }
}
FILENAME ~ /exceptions$/ {
    if ($0 ~ /^#/ || trim($0) == "") next
    n = split($0, part, " ## ")
    if (n != 4 || trim(part[4]) == "") { print "not ok coverage exceptions, line " FNR ": needs FILE ## N ## line ## reason"; bad++; next }
    allowed[trim(part[1]) SUBSEP trim(part[3])] += part[2]
    next
}
/^ *-: *0:Source:/ {            # what comes from headers is not looked at
    close_file()
    file = $0; sub(/^ *-: *0:Source:/, "", file)
    if (file !~ /\.c$/) file = ""
    t = r = e = 0
    next
}
file == "" { next }
/^ *(-|#####|=====|[0-9]+\*?): *[0-9]+:/ {
    rest = $0
    sub(/^ *(-|#####|=====|[0-9]+\*?): */, "", rest)
    line = rest; sub(/:.*/, "", line)
    sub(/^[0-9]+:/, "", rest)
    take_line(rest)
    next
}
/^branch / {
    if (by_rule) next
    t++
    if ($3 == "taken" && $4 + 0 > 0) r++
    else missed()
}
END {
    close_file()
    printf "%-46s %8s %8s %9s %9s\n", "branches", "all", "reached", "explained", "share"
    for (i = 1; i <= nfiles; i++) {
        f = files[i]
        share = total[f] ? 100 * (reached[f] + told[f]) / total[f] : 100
        printf "%-46s %8d %8d %9d %8.1f%%\n", f, total[f], reached[f], told[f], share
        printf "%s", out[f]
        if (share + 0.0001 < min) { failed[++nf] = f; shares[f] = share } else good++
        T += total[f]; R += reached[f]; E += told[f]
    }
    printf "%-46s %8d %8d %9d %8.1f%%\n", "all", T, R, E, T ? 100 * (R + E) / T : 100
    for (k in allowed)
        if (used[k] < allowed[k]) {
            split(k, p, SUBSEP)
            printf "not ok coverage exceptions: %s: %d of %d are not needed: %s\n", p[1], allowed[k] - used[k], allowed[k], p[2]
            stale++
        }
    for (i = 1; i <= nf; i++) printf "not ok coverage %s: %.1f %% of the branches, below %d\n", failed[i], shares[failed[i]], min
    if (!nfiles) { print "not ok coverage: nothing was measured"; bad++ }
    printf "%d passed, %d failed\n", good, nf + stale + bad + broken
    exit nf + stale + bad + broken ? 1 : 0
}
