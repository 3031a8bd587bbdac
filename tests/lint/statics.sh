#!/bin/sh
# statics.sh ARCHIVE...: objects of core/ have no variable that outlives a call: worlds nest, and two
# runs in one process must not see each other. Constants with addresses (.data.rel.ro) are constants.
set -eu
[ $# -gt 0 ] || { echo "statics: no archive given"; exit 2; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT
# "name |value |class |type |size |line |section", under a line with the object
"${NM:-nm}" -f sysv "$@" >"$list"

# What sanitizers and coverage keep beside the code is not ours.
awk -F'|' '
/^Symbols from / { object = $0; sub(/^Symbols from /, "", object); objects++; next }
NF >= 7 {
    name = $1; section = $7
    gsub(/[ \t]/, "", name); gsub(/[ \t]/, "", section)
    if (section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ || section ~ /^\.data\.rel\.ro/) next
    if (name ~ /^(\.|__gcov|__odr_asan|__asan|__llvm|__prof|__unnamed)/) next
    printf "%s %s is a mutable static (%s)\n", object, name, section
    bad = 1
}
END { if (!objects) { print "statics: the archives hold no object"; bad = 1 } exit bad }' "$list"
