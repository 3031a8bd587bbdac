#!/bin/sh
# symbols.sh ARCHIVE...: objects of core/ take nothing from outside but what allowed-symbols.txt lists.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { echo "symbols: no archive given"; exit 2; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT
# "lib.a[file.c.o]: name U"
"${NM:-nm}" -A -P "$@" >"$list"

awk '
# A pattern of * and letters as an anchored regular expression.
function pattern(text) { gsub(/\*/, ".*", text); return "^" text "$" }
FILENAME ~ /allowed-symbols\.txt$/ {
    sub(/#.*/, "")
    if (NF == 0) next
    if ($1 ~ /^!/) { never[pattern(substr($1, 2))] = 1; next }
    if ($1 ~ /\*/) globs[pattern($1)] = 1
    else allowed[$1, $2] = 1
    next
}
{
    object = $1; sub(/^.*\[/, "", object); sub(/\]:$/, "", object)
    if ($3 !~ /^[Uwv]$/) { if ($3 ~ /^[A-Z]$/) defined[$2] = 1; next }
    n++; name[n] = $2; where[n] = object; full[n] = $1
}
function is_allowed(symbol, object, p) {
    if ((symbol, object) in allowed) return 1
    for (p in never) if (symbol ~ p) return 0
    sub(/^__isoc99_/, "", symbol)
    if (symbol ~ /^__.*_chk$/) { sub(/^__/, "", symbol); sub(/_chk$/, "", symbol) }
    if ((symbol, "") in allowed) return 1
    for (p in globs) if (symbol ~ p) return 1
    return 0
}
END {
    for (i = 1; i <= n; i++) {
        if (name[i] in defined || is_allowed(name[i], where[i])) continue
        printf "%s takes %s, which allowed-symbols.txt does not list\n", full[i], name[i]
        bad = 1
    }
    if (!n) { print "symbols: the archives hold no object"; bad = 1 }
    exit bad
}' "$here/allowed-symbols.txt" "$list"
