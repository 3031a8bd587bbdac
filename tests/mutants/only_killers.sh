#!/bin/sh
# only_killers.sh [MATRIX.ndjson] [ROOT]: the table "Only killers" of docs/mutants.md. For each judge of
# docs/invariants.md: the mutants that no other judge objects to, in the recorded killer (the first table of
# docs/mutants.md), and in every run of the matrix that `seatrial_mutants --matrix` wrote, with the number
# of runs it killed. What a scenario expects is no judge; a run that crashed or hung counts as another killer.
set -eu
matrix=${1:-/dev/null}
root=${2:-.}
awk '
function member(name,   from) {
    from = index($0, "\"" name "\":\"")
    if (!from) return ""
    from += length(name) + 4
    return substr($0, from, index(substr($0, from), "\"") - 1)
}
function add(list, mutant, words,   n, i, parts) { # the judges among words, each between commas
    n = split(words, parts, /[`, ]+/)
    for (i = 1; i <= n; i++)
        if (parts[i] != "" && parts[i] != "expected" && parts[i] != "unwanted" && parts[i] !~ /^faults/ && \
            index("," list, "," parts[i] ",") == 0)
            list = list parts[i] ","
    return list
}
function is_one(list) { return list ~ /^[^,]+,$/ }
function join(old, new) { return old == "" ? new : old ", " new }
FILENAME ~ /invariants\.md$/ {
    if (/^## Waived/) is_waived = 1
    if (!is_waived && match($0, /^\| `[a-z0-9_]+`/)) judges[++judge_count] = substr($0, 4, RLENGTH - 4)
    if (match($0, /^- `[a-z0-9_]+` stays: /)) {
        judge = substr($0, 4); sub(/`.*/, "", judge)
        stays[judge] = 1
    }
    next
}
FILENAME ~ /mutants\.md$/ {
    if (/^## /) is_past = 1
    if (!is_past && split($0, column, / \| /) == 5 && match(column[1], /^\| `[a-z0-9_]+`$/)) {
        mutant = substr(column[1], 3)
        list = add("", mutant, column[3])
        if (is_one(list)) recorded[substr(list, 1, length(list) - 1)] = join(recorded[substr(list, 1, length(list) - 1)], mutant)
    }
    next
}
member("mutant") != "" {
    mutant = member("mutant")
    if (!(mutant in runs)) order[++mutant_count] = mutant
    killers[mutant] = add(killers[mutant], mutant, member("judges"))
    runs[mutant]++
}
END {
    for (i = 1; i <= mutant_count; i++) {
        mutant = order[i]
        judge = substr(killers[mutant], 1, length(killers[mutant]) - 1)
        if (is_one(killers[mutant])) only[judge] = join(only[judge], "`" mutant "` (" runs[mutant] ")")
    }
    print "| judge | alone in the recorded killer of | alone over the matrix |"
    print "|---|---|---|"
    for (i = 1; i <= judge_count; i++) {
        judge = judges[i]
        text = recorded[judge] != "" ? recorded[judge] : judge in stays ? "none, and stays" : "none"
        printf "| `%s` | %s | %s |\n", judge, text, only[judge] == "" ? "-" : only[judge]
    }
}' "$root/docs/invariants.md" "$root/docs/mutants.md" "$matrix"
