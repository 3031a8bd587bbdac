#!/bin/sh
# money.sh [ROOT]: no binary floating point where amounts are decided, and no qsort anywhere (its
# order of equal elements is the library's choice).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

find cli scenarios replay reports chaos broker_sim core -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
    xargs awk '
# Exceptions, with the reason: the call that SQLite declares with a double (a Julian day, no amount).
BEGIN { excepted["core/state/vfs.c"] = 1 }
FNR == 1 {
    files++; in_comment = 0
    is_money = FILENAME ~ /^(core\/(orders|risk|portfolio|state|engine)|broker_sim\/(account|exchange))\// &&
        !(FILENAME in excepted)
}
{
    line = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    if (in_comment) { if (!sub(/^.*\*\//, "", line)) next; in_comment = 0 }
    gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", line)
    sub(/\/\/.*/, "", line)
    if (sub(/\/\*.*/, "", line)) in_comment = 1
    padded = " " line " "
    if (is_money && padded ~ /[^A-Za-z0-9_](double|float|valuedouble|usd_to_double)[^A-Za-z0-9_]/) {
        printf "%s:%d: binary floating point in a money path: %s\n", FILENAME, FNR, $0; bad = 1
    }
    if (padded ~ /[^A-Za-z0-9_]qsort(_r)?[ \t]*[^A-Za-z0-9_]/) {
        printf "%s:%d: qsort: %s\n", FILENAME, FNR, $0; bad = 1
    }
}
END { if (!files) { print "money: no file looked at"; bad = 1 } exit bad }'
