#!/bin/sh
# selftest.sh LINT: shows that a lint can fail: it must pass a good sample and fail each bad one, for
# the stated reason. CC and NM name the tools (cc, nm).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lint=$1
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
failures=0

# place FILE: writes stdin to a file of a new sample tree.
place() {
    mkdir -p "$box/tree/$(dirname "$1")"
    cat >"$box/tree/$1"
}

# archive: compiles core/base/sample.c of the tree, as the build would.
archive() {
    (cd "$box/tree" && ${CC:-cc} -O1 -fno-builtin -c core/base/sample.c -o sample.c.o &&
        rm -f libsample.a && ar rc libsample.a sample.c.o)
}

# expect pass|fail WHAT [WORDS]: runs the lint over the tree; a failing one must say WORDS.
expect() {
    case $lint in
    symbols | statics) archive && subject=$box/tree/libsample.a ;;
    *) subject=$box/tree ;;
    esac
    if sh "$here/$lint.sh" "$subject" >"$box/out" 2>&1; then verdict=pass; else verdict=fail; fi
    if [ "$verdict" != "$1" ] || { [ "$1" = fail ] && ! grep -qF -- "$3" "$box/out"; }; then
        echo "$lint: $2: expected $1, got $verdict:"
        cat "$box/out"
        failures=$((failures + 1))
    fi
    rm -rf "$box/tree"
}

# lines N: N statements.
lines() {
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "    work();" }'
}

# both WHAT FILE GOOD BAD WORDS: two one-line samples of one file.
both() {
    printf '%s\n' "$3" | place "$2"
    expect pass "$1 (good)"
    printf '%s\n' "$4" | place "$2"
    expect fail "$1 (bad)" "$5"
}

layers_cases() {
    for edge in \
        "core/base/a.h core/world/b.h" "core/world/a.c core/config/b.h" \
        "core/risk/a.c core/orders/b.h" "core/portfolio/a.c core/health/b.h" \
        "core/engine/a.c core/live/b.h" "core/engine/a.c chaos/machine/b.h" \
        "broker_sim/market/a.c broker_sim/api/b.h" "broker_sim/api/a.c core/alpaca/b.h" \
        "chaos/machine/a.c chaos/faults/b.h" "chaos/faults/a.c broker_sim/api/b.h" \
        "replay/oracle/a.c core/world/http.h" "replay/oracle/a.c core/engine/b.h" \
        "replay/a.c scenarios/b.h" "reports/a.c replay/b.h" "scenarios/a.c core/live/b.h" \
        "scenarios/a.c cli/b.h"; do
        from=${edge% *} to=${edge#* }
        echo "#include \"$to\"" | place "$from"
        echo "" | place "$to"
        
        expect fail "$from includes $to" "must not include $to"
    done
    for edge in "cli/a.c core/live/b.h" "cli/a.c scenarios/b.h" "scenarios/a.c core/engine/b.h" \
        "replay/oracle/a.c core/world/observe.h" "broker_sim/serve/a.c broker_sim/market/b.h" \
        "core/engine/a.c core/base/b.h"; do
        from=${edge% *} to=${edge#* }
        echo "#include \"$to\"" | place "$from"
        echo "" | place "$to"
        expect pass "$from includes $to"
    done
    echo '#include "b.h"' | place core/base/a.c
    echo '' | place core/base/b.h
    expect fail "an include from the own folder" "no file seen from the root"
    echo '' | place core/attic/a.c
    expect fail "a folder nobody listed" "is not in layers.txt"
    mkdir -p "$box/tree"
    expect fail "an empty tree" "no file looked at"
}

symbols_cases() {
    for symbol in open fopen read write time clock_gettime gettimeofday rand random getrandom getenv \
        socket connect pthread_create printf puts system fork sleep nanosleep usleep qsort setlocale \
        localtime strtok atexit cJSON_InitHooks sqlite3_sleep fprintf strerror; do
        echo "void $symbol(void); void sample(void) { $symbol(); }" | place core/base/sample.c
        expect fail "a call of $symbol" "takes $symbol,"
    done
    both "the allowed ones" core/base/sample.c \
        'void *malloc(unsigned long); void sqlite3_step(void);
         void here(void) { } void sample(void) { malloc(1); sqlite3_step(); here(); }' \
        'extern int elsewhere; int sample(void) { return elsewhere; }' "takes elsewhere,"
}

statics_cases() {
    both "a counter at file scope" core/base/sample.c 'static const int n = 1; int f(void); int f(void) { return n; }' \
        'int n = 1;' "n is a mutable static (.data)"
    both "a zeroed buffer" core/base/sample.c 'const char *const words[] = {"a", "b"};' \
        'char buffer[8];' "buffer is a mutable static (.bss)"
    both "a static inside a function" core/base/sample.c 'int f(void); int f(void) { int n = 0; return ++n; }' \
        'int f(void); int f(void) { static int n; return ++n; }' "is a mutable static (.bss)"
    both "a thread-local" core/base/sample.c 'int f(void); int f(void) { return 1; }' \
        '_Thread_local int n;' "n is a mutable static (.tbss)"
}

functions_cases() {
    { echo "/* a comment */"; echo "int f(int a,"; echo "      int b) {"; lines 57; echo "}"; } |
        place core/base/a.c
    expect pass "60 lines with the head"
    { echo "int f(int a,"; echo "      int b) {"; lines 58; echo "}"; } | place core/base/a.c
    expect fail "61 lines with the head" "a function of 61 lines"
    { echo "static inline void f(void) {"; lines 70; echo "}"; } | place broker_sim/api/a.h
    expect fail "a function in a header" "a function of 72 lines"
    { echo "static const struct row rows[] = {"; lines 100; echo "};"; echo "int f(void) {"; echo "}"; } |
        place core/base/a.c
    expect pass "a long table"
}

money_cases() {
    both "double in a gateway" core/orders/a.c 'int64_t x; /* no double here */ char *s = "double";' \
        'static double price;' "binary floating point"
    both "float in the exchange" broker_sim/exchange/a.c 'int afloat;' 'float x;' "binary floating point"
    both "a JSON number as money" core/portfolio/a.c 'json_usd(o);' 'x = o->valuedouble;' "binary floating point"
    both "statistics" core/signals/a.c 'double mean;' 'qsort(a, n, s, f);' "qsort"
    both "qsort anywhere" cli/a.c '/* qsort(a) */' 'void f(void) { qsort (a, n, s, f); }' "qsort"
}

heads_cases() {
    both "no head" core/base/a.c '/* a.c - what it is. */' '#include "a.h"' 'core/base/a.c:1: does not begin'
    both "another file's head" cli/a.h '/* a.h - what it is.' '/* b.h - what it is.' 'cli/a.h:1: does not begin'
    both "a head without a word" tests/a.c '/* a.c - x */' '/* a.c - ' 'tests/a.c:1: does not begin'
}

names_cases() {
    both "a home" docs/a.md 'see docs/home/page' "see /ho""me/somebody/x" "name a machine"
    both "a working folder" docs/a.md 'https://example.org/work/x' "in /wo""rk/here" "name a machine"
    both "a private address" a.sh 'curl 127.0.0.1' "curl 10.0""0.1.2" "name a machine"
    both "another private address" a.sh 'version 1.10.2.3' "curl 192.""168.1.2" "name a machine"
    both "an internal host" a.sh 'builder.example' "builder.inter""nal" "name a machine"
}

"${lint}_cases"
[ "$failures" = 0 ] || exit 1
