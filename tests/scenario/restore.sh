#!/bin/sh
# restore.sh PROGRAM: a core over libcurl against `serve` makes its copies; its journal is spoiled behind its
# back, and with the core stopped `state restore` makes it anew: latched, and resumed by an operator it trades.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need curl sqlite3

own_keys
busy_config
sed -i 's/"engine.cycle_s"/"engine.tick_idle_s": 60, "backup.interval_s": 60, "engine.cycle_s"/' "$place/config.json"

starts=0
is_up() { [ "$(journal "select count(*) from row where kind='start'" 2>/dev/null)" = "$starts" ]; }
up() {
    starts=$((starts + 1))
    core
    until_true 20 is_up
}
rows() { journal "select count(*) from row"; }
copies() { ls "$state/backups" 2>/dev/null | grep -c -- "-journal-0.json"; }
some_copies() { [ "$(copies)" -ge 2 ] && [ "$(rows)" -ge 20 ]; }
one_more() { [ "$(ls "$state/backups" | grep -- "-journal-" | tail -n 1)" != "$last" ]; }
another_copy() { last=$(ls "$state/backups" | grep -- "-journal-" | tail -n 1) && until_true 30 one_more; }
entries() { journal "select count(*) from row where kind='intent' and body->>'purpose'='entry'"; }
more_entries() { [ "$(entries)" -gt "$entries_then" ]; }

ends_with() {
    wanted=$1
    shift
    "$@" >"$place/said.out" 2>&1
    is "$?" "$wanted"
}

serve --speed 10 --start 2024-03-04T15:30:00Z
claim "the core starts" up
claim "it makes copies" until_true 60 some_copies
claim "and another" another_copy
claim "a running core is not restored" ends_with 6 "$program" state restore --state "$state"
slay core_pid TERM
claim "it stops cleanly" is "$slay_status" 0
claim "the state verifies, copies too" "$program" state verify --state "$state"
claim "a good journal is not restored" ends_with 4 "$program" state restore --state "$state"

whole=$(rows)
printf 'spoiled' | dd of="$state/journal.db" bs=1 seek=4096 conv=notrunc 2>/dev/null
claim "the journal is spoiled" ends_with 5 "$program" state verify --state "$state"
"$program" state restore --state "$state" >"$place/restore.out" 2>&1
claim "it is restored" is "$?" 0
claim "the damaged one is kept" test -e "$state/journal.db.damaged"
claim "the state verifies again" "$program" state verify --state "$state"
restored=$(rows)
claim "most rows are there" test "$restored" -ge 20 -a "$restored" -le $((whole + 1))
starts=$(journal "select count(*) from row where kind='start'")
claim "the core starts on it" up
claim "and is latched" until_true 10 view_has_cause state_regression
entries_then=$(entries)
sleep 3
claim "nothing is bought" is "$(entries)" "$entries_then"
no_cause() { ! view_has_cause state_regression; }
operator resume state_regression >"$place/resume.out" 2>&1
claim "an operator ends it" until_true 10 no_cause
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0
claim "and all verifies" "$program" state verify --state "$state"
[ "$failures" = 0 ] || { KEEP=1 && say "what was found is in $place"; }
finish
