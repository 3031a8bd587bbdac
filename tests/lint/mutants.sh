#!/bin/sh
# mutants.sh [ROOT]: each name of core/base/mutant.def has a site, each site is one whole line that names a
# row of mutant.def, and each mutant has a recorded killer and one whole row in docs/mutants.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
[ -f core/base/mutant.def ] || { echo "mutants: no core/base/mutant.def"; exit 1; }

find core chaos replay -name '*.c' 2>/dev/null | LC_ALL=C sort |
    xargs awk -v recorded=tests/mutants/killers.json -v told=docs/mutants.md '
function complain(what) { print what; bad = 1 }
FILENAME ~ /mutant\.def$/ {
    if (match($0, /^ *X\([a-z0-9_]+/)) {
        name = substr($0, RSTART, RLENGTH); sub(/^ *X\(/, "", name)
        if (name in sites) complain(FILENAME ":" FNR ": " name " is there twice")
        sites[name] = 0; names++
    }
    next
}
/MUTATE/ {
    if ($0 !~ /^ +MUTATE\([a-z0-9_]+, .*\);$/) {
        complain(FILENAME ":" FNR ": a mutant is one whole line, MUTATE(name, statement);")
        next
    }
    name = $0; sub(/^ *MUTATE\(/, "", name); sub(/,.*/, "", name)
    if (!(name in sites)) complain(FILENAME ":" FNR ": " name " is not in mutant.def")
    else sites[name]++
}
END {
    while ((getline line < recorded) > 0) if (match(line, /"[a-z0-9_]+":/))
        killer[substr(line, RSTART + 1, RLENGTH - 3)] = 1
    while ((getline line < told) > 0 && line !~ /^## /) {
        if (line !~ /^\| `/) continue
        name = line; sub(/^\| `/, "", name); sub(/`.*/, "", name)
        if (!(name in sites) || split(line, columns, / \| /) != 5) complain(told ": no whole row of a mutant: " line)
        rows[name]++
    }
    for (name in sites) {
        if (rows[name] != 1) complain(told ": " name " has " rows[name] + 0 " rows")
        if (!sites[name]) complain("core/base/mutant.def: " name " has no site")
        if (!(name in killer)) complain(recorded ": nobody kills " name)
    }
    if (!names) complain("mutants: no mutant looked at")
    exit bad
}' core/base/mutant.def
