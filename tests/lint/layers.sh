#!/bin/sh
# layers.sh [ROOT]: every #include "..." names a file from the root of the tree, and its edge is in
# layers.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

find cli scenarios replay reports chaos broker_sim core tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
    xargs awk '
function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
function fail(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
FILENAME ~ /layers\.txt$/ {
    sub(/#.*/, "")
    if ($0 !~ /:/) next
    room = $1; sub(/:$/, "", room); known[room] = 1; edge[room, room] = 1
    for (i = 2; i <= NF; i++) edge[room, $i] = 1
    next
}
FNR == 1 {
    files++
    from = folder_of(FILENAME)
    if (!(from in known)) fail("folder " from " is not in layers.txt")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
    if ((from, path) in edge && path !~ /\//) next # made by the build
    if ((getline line < path) < 0) { fail("\"" path "\" is no file seen from the root"); next }
    close(path)
    to = folder_of(path)
    if ((from, to) in edge || (from, path) in edge) next
    if ((from, "*") in edge && to !~ /^(core\/live|cli|tests)/ && to in known) next
    fail(from " must not include " path)
}
END { if (!files) { print "layers: no file looked at"; bad = 1 } exit bad }' "$here/layers.txt"
