#!/bin/sh
# alone.sh CHECK.ndjson [ROOT]: dropping any judge lets some sabotage get away. Of what
# `seatrial_mutants --check` wrote, each judge of docs/invariants.md needs a mutant that no other judge
# objects to in its recorded killer, or a line there that says why it stays. What a scenario expects or
# must never see is no judge.
set -eu
check=$1
root=${2:-.}
awk "$(cat "$root/tests/mutants/judges.awk")"'
member("mutant") != "" {
    mutants++
    alone[only_one(add("", member("judges")))]++
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
