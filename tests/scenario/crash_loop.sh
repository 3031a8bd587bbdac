#!/bin/sh
# crash_loop.sh PROGRAM: a core over libcurl against `serve` that is killed again and again: at the default
# the fifth kill latches crash_loop_freeze, which a stop by SIGTERM never adds to; what is held is sold all the
# same, nothing more is bought until an operator has looked. With the limit raised twenty kills do not.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need curl sqlite3

own_keys
busy_config

is_up() { [ "$(journal "select count(*) from row where kind='start'" 2>/dev/null)" = "$starts" ]; }
up() {
    starts=$((starts + 1))
    core
    until_true 20 is_up
}
kill_and_up() {
    slay core_pid KILL
    up
}
no_position() { ask /v2/positions "$place/positions.json" && [ "$(cat "$place/positions.json")" = "[]" ]; }
a_position() { ask /v2/positions "$place/positions.json" && ! no_position; }
no_cause() { ! view_has_cause crash_loop_freeze; }
entries() { journal "select count(*) from row where kind='intent' and body->>'purpose'='entry'"; }
more_entries() { [ "$(entries)" -gt "$entries_then" ]; }

starts=0
serve --speed 10 --start 2024-03-04T15:30:00Z
claim "the core starts" up
for part in 1 2 3 4; do
    claim "kill $part, and back" kill_and_up
done
slay core_pid TERM
claim "a clean stop in between" is "$slay_status" 0
claim "and back" up
claim "something is held" until_true 30 a_position
claim "four kills latch nothing" no_cause
claim "and leave no flag" test ! -e "$state/pre_market_freeze.flag"

claim "kill 5, and back" kill_and_up
claim "the fifth latches" until_true 10 view_has_cause crash_loop_freeze
claim "the flag shows it" test -e "$state/pre_market_freeze.flag"
entries_then=$(entries)
claim "what is held is sold" until_true 60 no_position
claim "nothing is bought meanwhile" is "$(entries)" "$entries_then"
slay core_pid TERM
claim "a clean stop ends cleanly" is "$slay_status" 0
claim "and back" up
claim "the latch outlives it" until_true 10 view_has_cause crash_loop_freeze

operator resume crash_loop_freeze >"$place/resume.out" 2>&1
claim "an operator ends it" until_true 10 no_cause
claim "the flag is gone" test ! -e "$state/pre_market_freeze.flag"
claim "it buys again" until_true 60 more_entries

# --- the same with the limit raised ---
slay core_pid TERM
sed -i 's/"engine.cycle_s"/"engine.crash_starts": 100, "engine.cycle_s"/' "$place/config.json"
claim "the limit is raised" up
killed=0
while [ "$killed" -lt 20 ]; do
    killed=$((killed + 1))
    kill_and_up
done
sleep 1
claim "twenty kills latch nothing" no_cause
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0
claim "it was latched once" is "$(journal "
    select group_concat(kind) from row where key='crash_loop_freeze'")" "latch_set,latch_clear"
claim "every start is in the journal" is "$(journal "select count(*) from row where kind='start'")" "$starts"
claim "the state verifies" "$program" state verify --state "$state"
[ "$failures" = 0 ] || { KEEP=1 && say "what was found is in $place"; }
finish
