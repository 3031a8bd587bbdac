#!/bin/sh
# inert.sh [ROOT]: the shipped objects hold no mutant. Each source with a MUTATE() line is compiled with the
# flags of the release build twice, as it is and with every such line empty, and .text, .rodata and .data of
# the two objects must be equal byte for byte. Lines are emptied, not removed: __LINE__ stays. That the
# comparison can fail is shown first, with a change that is no mutant's. CC names the compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${1:-$here/../..}" && pwd)
cc=${CC:-cc}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
mkdir "$box/as_is" "$box/emptied" "$box/source"
cjson=$(pkg-config --cflags-only-I libcjson)
flags="-D_GNU_SOURCE -O3 -DNDEBUG -ffp-contract=off -fno-common -std=c17 -D_FORTIFY_SOURCE=2
    -fstack-protector-strong -fstack-clash-protection -fPIE"

# What a source may include and the build makes.
cmake -DIN="$root/data/maps/groups.csv" -DOUT="$box/source/groups_shipped.h" \
    -P "$root/core/config/groups_shipped.cmake"

# compile SOURCE OUT: the same name and the same paths, whatever the source.
compile() {
    (cd "$box/source" && $cc $flags -I"$root" $cjson -c here.c -o "$2") ||
        { echo "inert: $1 does not compile"; exit 2; }
}

# sections OBJECT: code and data that a program would carry, with their names.
sections() {
    for section in $(objdump -h "$1" | awk '$2 ~ /^\.(text|rodata|data)/ {print $2}' | sort -u); do
        echo "$section"
        objcopy -O binary --only-section="$section" "$1" "$box/section" && cat "$box/section"
    done | cksum
}

# pair NAME: true if the two objects of a source are equal.
pair() {
    [ "$(sections "$box/as_is/$1.o")" = "$(sections "$box/emptied/$1.o")" ]
}

# both SOURCE SCRIPT: compiles SOURCE as it is, and as SCRIPT of sed makes it.
both() {
    name=$(echo "$1" | tr / _)
    cat "$root/$1" >"$box/source/here.c"
    compile "$1" "$box/as_is/$name.o"
    sed "$2" "$root/$1" >"$box/source/here.c"
    compile "$1" "$box/emptied/$name.o"
}

empty='s/^ *MUTATE([a-z0-9_]*, .*); *$//'

both core/base/utc.c 's/(153 \* day/(152 * day/; s/days + 3) % 7/days + 2) % 7/'
if pair core_base_utc.c; then
    echo "inert: a real change went unseen"
    exit 1
fi

bad=0 count=0 lines=0
for source in $(cd "$root" && grep -rl 'MUTATE(' core chaos/machine replay/oracle --include='*.c' | LC_ALL=C sort); do
    both "$source" "$empty"
    if grep -q 'MUTATE(' "$box/source/here.c"; then
        echo "inert: $source: a MUTATE() that is not one whole line"
        bad=1
    fi
    if ! pair "$(echo "$source" | tr / _)"; then
        echo "inert: $source: its object is not that of the source without mutants"
        bad=1
    fi
    count=$((count + 1))
    lines=$((lines + $(grep -c 'MUTATE(' "$root/$source")))
done
[ "$count" -gt 0 ] || { echo "inert: no source with a mutant"; exit 1; }
echo "inert: $count objects, $lines mutant lines: nothing of them is shipped"
exit "$bad"
