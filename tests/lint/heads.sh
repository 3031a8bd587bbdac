#!/bin/sh
# heads.sh [ROOT]: every source begins with its own name and a word on what it is: "/* name.c - ...".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

find cli scenarios replay reports chaos broker_sim core tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
    xargs awk '
FNR == 1 {
    files++
    name = FILENAME; sub(/.*\//, "", name)
    begin = "/* " name " - "
    if (substr($0, 1, length(begin)) != begin || length($0) <= length(begin)) {
        printf "%s:1: does not begin with \"%s\"\n", FILENAME, begin
        bad = 1
    }
}
END { if (!files) { print "heads: no file looked at"; bad = 1 } exit bad }'
