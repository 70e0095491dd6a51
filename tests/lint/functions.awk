# functions.awk - a function begins with { in the first column and ends with } there; more than 70 lines are too many. The vm's loop is dispatch
# only and may be longer: it says so with "lint: dispatch" on its first line.
FNR == 1 { open = 0 }
/^\{/ { open = FNR; exempt = 0; next }
open && FNR <= open + 3 && /lint: dispatch/ { exempt = 1 }
/^\}/ && open {
    if (FNR - open - 1 > 70 && !exempt) print FILENAME ":" open ": " FNR - open - 1 " lines"
    open = 0
}
