# judges.awk - what alone.sh and only_killers.sh read alike: docs/invariants.md into judges[1..judge_count] and
# stays[], and the lists of judges in what seatrial_mutants writes.
function member(name,   from) {
    from = index($0, "\"" name "\":\"")
    if (!from) return ""
    from += length(name) + 4
    return substr($0, from, index(substr($0, from), "\"") - 1)
}
function add(list, words,   n, i, parts) { # the judges among words, each once, each behind its comma
    n = split(words, parts, /[`, ]+/)
    for (i = 1; i <= n; i++)
        if (parts[i] != "" && parts[i] != "expected" && parts[i] != "unwanted" && parts[i] != "scored" && parts[i] !~ /^faults/ && \
            index("," list, "," parts[i] ",") == 0)
            list = list parts[i] ","
    return list
}
function only_one(list) { return list ~ /^[^,]+,$/ ? substr(list, 1, length(list) - 1) : "" }
FILENAME ~ /invariants\.md$/ {
    if (/^## Waived/) is_waived = 1
    if (!is_waived && match($0, /^\| `[a-z0-9_]+`/)) judges[++judge_count] = substr($0, 4, RLENGTH - 4)
    if (match($0, /^- `[a-z0-9_]+` stays: /)) {
        judge = substr($0, 4); sub(/`.*/, "", judge)
        stays[judge] = 1
    }
    next
}
