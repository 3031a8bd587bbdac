#!/bin/sh
# functions.sh [ROOT]: no function is longer than 60 lines, counted from its first line to its brace.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

find cli scenarios replay reports chaos broker_sim core -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
    xargs awk '
FNR == 1 { start = 0; is_function = 0; in_comment = 0; files++ }
in_comment { if (/\*\//) in_comment = 0; next }
!start && /^\/\*/ { if (!/\*\//) in_comment = 1; next }
!start && /^[A-Za-z_]/ { start = FNR; head = "" }
start && !is_function {
    head = head $0
    if (/\{[ \t]*$/ && head ~ /\)[ \t]*\{[ \t]*$/ && head !~ /=/) { is_function = 1; functions++ }
    else if (/;[ \t]*$/ && !/^[ \t]/) start = 0
    else if (/^[ \t].*;[ \t]*$/ && head !~ /\{/) start = 0
}
start && /^\}/ {
    length_lines = FNR - start + 1
    if (is_function && length_lines > 60) {
        printf "%s:%d: a function of %d lines; 60 is the limit\n", FILENAME, start, length_lines
        bad = 1
    }
    start = 0; is_function = 0
}
END { if (!functions) { print "functions: no function looked at"; bad = 1 } exit bad }'
