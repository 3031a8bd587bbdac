#!/bin/sh
# only_killers.sh [MATRIX.ndjson] [ROOT]: the table "Only killers" of docs/mutants.md. For each judge of
# docs/invariants.md: the mutants that no other judge objects to, in the recorded killer (the first table of
# docs/mutants.md), and in every run of the matrix that `seatrial_mutants --matrix` wrote, with the number
# of runs it killed. What a scenario expects is no judge; a run that crashed or hung counts as another killer.
set -eu
matrix=${1:-/dev/null}
root=${2:-.}
awk "$(cat "$root/tests/mutants/judges.awk")"'
function join(old, new) { return old == "" ? new : old ", " new }
FILENAME ~ /mutants\.md$/ {
    if (/^## /) is_past = 1
    if (!is_past && split($0, column, / \| /) == 5 && match(column[1], /^\| `[a-z0-9_]+`$/)) {
        judge = only_one(add("", column[3]))
        recorded[judge] = join(recorded[judge], substr(column[1], 3))
    }
    next
}
member("mutant") != "" {
    mutant = member("mutant")
    if (!(mutant in runs)) order[++mutant_count] = mutant
    killers[mutant] = add(killers[mutant], member("judges"))
    runs[mutant]++
}
END {
    for (i = 1; i <= mutant_count; i++) {
        mutant = order[i]
        judge = only_one(killers[mutant])
        only[judge] = join(only[judge], "`" mutant "` (" runs[mutant] ")")
    }
    print "| judge | alone in the recorded killer of | alone over the matrix |"
    print "|---|---|---|"
    for (i = 1; i <= judge_count; i++) {
        judge = judges[i]
        text = recorded[judge] != "" ? recorded[judge] : judge in stays ? "none, and stays" : "none"
        printf "| `%s` | %s | %s |\n", judge, text, only[judge] == "" ? "-" : only[judge]
    }
}' "$root/docs/invariants.md" "$root/docs/mutants.md" "$matrix"
