#!/bin/sh
# slow.sh MUTANTS: a mutant whose recorded killer takes too long fails the check, and is named. Run from the root.
set -eu
mutants=$1
name=new_id_on_retry
place=$(mktemp -d)
trap 'rm -r "$place"' EXIT

"$mutants" --check --mutant $name --out "$place/out" >"$place/said" 2>&1 || { cat "$place/said"; exit 1; }
if "$mutants" --check --cpu-ms 1 --mutant $name --out "$place/out" >"$place/said" 2>&1; then
    echo "slow.sh: a killer that takes longer than it may passes the check"
    exit 1
fi
grep -q "^$name: its recorded killer takes .* and may take 0.00: record a cheaper one" "$place/said" || {
    cat "$place/said"
    echo "slow.sh: the check does not say which killer takes too long"
    exit 1
}
echo "a killer that takes too long is noticed"
