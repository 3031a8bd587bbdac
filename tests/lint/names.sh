#!/bin/sh
# names.sh [ROOT]: no file names a place on somebody's machine or network: home folders, working
# folders, private addresses, internal hosts (tests may name them to refuse them). The tree must mean the same everywhere.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"

places='(^|[^A-Za-z0-9_./-])/([h]ome|[r]oot|[w]ork|[U]sers|[m]nt)/'
addresses='(^|[^0-9.])(10\.[0-9]+|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9]+\.[0-9]+([^0-9.]|$)'
hosts='[A-Za-z0-9-]\.(internal|intranet|corp|lan)([^A-Za-z0-9_]|$)'
if find . \( -name .git -o -name build -o -name out \) -prune -o -type f -print | LC_ALL=C sort |
    grep -v "^./tests/.*\.[ch]$" | xargs grep -HnIE "$places|$addresses|$hosts"; then
    echo "names: the lines above name a machine"
    exit 1
fi
