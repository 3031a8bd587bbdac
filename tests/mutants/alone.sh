#!/bin/sh
# alone.sh CHECK.ndjson [ROOT]: dropping any judge lets some sabotage get away. Of what
# `seatrial_mutants --check` wrote, each judge of docs/invariants.md needs a mutant that no other judge
# objects to in its recorded killer, or a line there that says why it stays. What a scenario expects or
# must never see is no judge.
set -eu
check=$1
root=${2:-.}
awk '
function member(name,   from) {
    from = index($0, "\"" name "\":\"")
    if (!from) return ""
    from += length(name) + 4
    return substr($0, from, index(substr($0, from), "\"") - 1)
}
FILENAME ~ /invariants\.md$/ {
    if (/^## Waived/) is_waived = 1
    if (!is_waived && match($0, /^\| `[a-z0-9_]+`/)) judges[++judge_count] = substr($0, 4, RLENGTH - 4)
    if (match($0, /^- `[a-z0-9_]+` stays: /)) {
        judge = substr($0, 4); sub(/`.*/, "", judge)
        stays[judge] = 1
    }
    next
}
member("mutant") != "" {
    mutants++
    count = split(member("judges"), parts, ",")
    only = ""
    others = 0
    for (i = 1; i <= count; i++) {
        if (parts[i] == "" || parts[i] == "expected" || parts[i] == "unwanted" || parts[i] ~ /^faults/) continue
        others += only != ""
        only = parts[i]
    }
    if (only != "" && !others) alone[only]++
}
END {
    for (i = 1; i <= judge_count; i++) {
        judge = judges[i]
        if (!(judge in alone) && !(judge in stays)) {
            printf "%s: no mutant is noticed by this judge alone; record a killer that shows one, or say why it stays\n", judge
            missing++
        }
    }
    if (judge_count == 0 || mutants == 0) { print "alone.sh: nothing to compare"; exit 2 }
    printf "%d judges, %d mutants: %d judges would not be missed\n", judge_count, mutants, missing
    exit missing > 0
}' "$root/docs/invariants.md" "$check"
