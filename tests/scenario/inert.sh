#!/bin/sh
# inert.sh PROGRAM: outside simulation no fault can be armed: not by libfiu's own preload library with
# every FIU_* variable set, not through a symbol of the program, and not by asking nicely.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need nm readelf cmp env

export APCA_API_KEY_ID=SIM-KEY APCA_API_SECRET_KEY=SIM-SECRET
preload=$(find /usr/lib /usr/local/lib -name fiu_run_preload.so 2>/dev/null | head -n 1)
posix=$(find /usr/lib /usr/local/lib -name fiu_posix_preload.so 2>/dev/null | head -n 1)
arm_all='enable name=*
enable name=http.answer_504
enable name=process.crash_before'

# refuses MODE VARIABLE=VALUE: exit 3, one line that names the variable, no state left behind. (A sanitizer
# minds who is loaded before it.)
refuses() {
    refuse_name=${2%%=*}
    env ASAN_OPTIONS=verify_asan_link_order=0 "$2" "$program" run --mode "$1" --state "$place/never" --base-url http://127.0.0.1:9 \
        >"$place/out" 2>"$place/err" </dev/null
    is "$?" 3 && is "$(grep -c "refused while $refuse_name is set" "$place/err")" 1 &&
        is "$(wc -c <"$place/out")" 0 && [ ! -e "$place/never" ]
}

# The variables alone do nothing to the loader; an empty LD_PRELOAD is none.
for mode in paper live; do
    for variable in FIU_ENABLE="$arm_all" FIU_CTRL_FIFO="$place/fifo" FIU_PRNG_SEED=1 FIU_ANYTHING= \
        LD_PRELOAD=libm.so.6 LD_AUDIT=/nonexistent.so; do
        claim "$mode refuses ${variable%%=*}" refuses "$mode" "$variable"
    done
done

refuses_otherwise() {
    env LD_PRELOAD= "$program" run --mode paper --state "$place/other" \
        --base-url http://192.0.2.1 >"$place/out" 2>"$place/err" </dev/null
    ! grep -q "refused while" "$place/err"
}
claim "an empty LD_PRELOAD refuses nothing" refuses_otherwise

# --- the program's symbols ---

none() { ! nm -D "$program" | grep -E "$1"; }
claim "no dynamic symbol of libfiu, neither in nor out" none '[ _]fiu_|chaos_'
no_library() { ! readelf -d "$program" | grep -E 'NEEDED.*fiu'; }
claim "no dynamic library of libfiu" no_library
holds_some() { [ -n "$(nm -D "$program" | grep -E '[ @]malloc|[ @]memcpy')" ]; }
claim "nm -D sees what is there" holds_some

# --- with the preload library in the process ---

[ -n "$preload" ] && [ -n "$posix" ] || { say "no preload library of libfiu here"; finish; }
if ! LD_PRELOAD=$preload "$program" --version >/dev/null 2>&1; then
    say "the preload library does not go with this build (sanitizers): the rest is skipped"
    finish
fi

# It works: with it, another program's open() fails.
bites() { ! LD_PRELOAD="$preload $posix" FIU_ENABLE='enable name=posix/io/oc/open' cat /dev/null; }
claim "the preload library arms what is dynamic" bites 2>/dev/null
claim "paper refuses it" refuses paper "LD_PRELOAD=$preload"
claim "live refuses it" refuses live "LD_PRELOAD=$preload"

sail() {
    "$program" scenario run scenarios/library/answer_lost_after_accept.json --json >"$place/$1"
}
armed_sail() {
    LD_PRELOAD=$preload FIU_ENABLE=$arm_all FIU_PRNG_SEED=1 \
        "$program" scenario run scenarios/library/answer_lost_after_accept.json --json \
        >"$place/armed" 2>"$place/err"
}
same() {
    sail plain && armed_sail &&
        is "$(grep -o '"trace_hash":"[^"]*"' "$place/armed")" \
            "$(grep -o '"trace_hash":"[^"]*"' "$place/plain")" &&
        at_least "$(grep -c trace_hash "$place/plain")" 1
}
claim "a simulated run asks our own libfiu, whatever is preloaded" same
finish
