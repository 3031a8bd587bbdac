#!/bin/sh
# paper_session.sh PROGRAM [SECONDS SPEED CORE_KILLS SERVER_KILLS FILLS_MIN SEED CRASH_STARTS]: a paper
# session over libcurl against `serve`, in which core and server are killed at random moments; in the end the
# broker's ledger and the core's books tell the same story. So many kills latch crash_loop_freeze at its
# default, as crash_loop.sh shows: here its limit is raised, 5 as the last word leaves it.
set -u
program=$1
seconds=${2:-300}
speed=${3:-10}
core_kills=${4:-20}
server_kills=${5:-2}
fills_min=${6:-30}
seed=${7:-1}
crash_starts=${8:-100}
. "$(dirname "$0")/harbour.sh"
need curl sqlite3

own_keys
busy_config
sed -i "s/\"engine.cycle_s\"/\"engine.crash_starts\": $crash_starts, \"engine.cycle_s\"/" "$place/config.json"

# The n-th random number in 0..999 of this seed.
random() { awk -v seed="$seed" -v n="$1" 'BEGIN { srand(seed * 100000 + n); rand(); print int(rand() * 1000) }'; }

# A core that finds no server leaves with 4; whoever supervises it starts it again.
core_up() {
    core
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.3
        core_lives && return 0
        wait "$core_pid"
        core_end=$?
        say "        the core left with $core_end: $(tail -n 1 "$place/run.err")"
        core_exits="$core_exits $core_end"
        core
    done
    return 1
}

kill_server() {
    slay server_pid KILL
    sleep 1
    serve --speed "$speed"
    say "        server killed and back"
}

core_exits=
serve --speed "$speed" --start 2024-03-04T15:30:00Z
core_up
claim "the core runs" core_lives

# --- the voyage: kills at random moments, a freeze that is set and cleared on the way ---
# The last fifth belongs to the latch that stays.
last_watch=$((core_kills - core_kills / 5))
pause_ms=$((seconds * 1000 * 4 / 5 / last_watch))
killed=0
while [ "$killed" -lt "$core_kills" ]; do
    killed=$((killed + 1))
    if [ "$killed" -le "$last_watch" ]; then
        jitter=$(random "$killed")
        ms=$((pause_ms / 2 + pause_ms * jitter / 1000))
    else
        ms=$((500 + $(random "$killed") * 2))
    fi
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    if [ "$server_kills" -gt 0 ] && [ $((killed % (last_watch / (server_kills + 1)))) = 0 ] &&
        [ "$killed" -lt "$last_watch" ]; then
        server_kills=$((server_kills - 1))
        kill_server
    fi
    slay core_pid KILL
    case $killed in
    2) operator freeze rehearsal >"$place/freeze.out" 2>&1 ;;
    3) operator resume rehearsal --config "$place/config.json" --clock served \
        --base-url "http://127.0.0.1:$port" >"$place/resume.out" 2>&1 ;;
    "$last_watch") operator freeze last_watch >>"$place/freeze.out" 2>&1 ;;
    esac
    core_up
    if [ "$killed" -ge "$last_watch" ]; then
        sleep 1
        claim "after kill $killed the latch is in the view" until_true 10 view_has_cause last_watch
    elif [ "$killed" = 2 ]; then
        claim "a freeze left while the core was dead binds" until_true 10 view_has_cause rehearsal
    fi
done
frozen_at=$(journal "select at from row where kind='latch_set' and key='last_watch'")

# --- home: flat, stopped, counted ---
no_position() { ask /v2/positions "$place/positions.json" && is "$(cat "$place/positions.json")" "[]" >/dev/null; }
operator flatten >"$place/flatten.out" 2>&1
claim "flatten ends flat" until_true 60 no_position
sleep 1
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0

collect_books
fills=$(count "select count(*) from row where kind='fill'")
intents=$(count "select count(*) from row where kind='intent'")
orders=$(count "select count(*) from broker")
unsent=$(count "select count(*) from row where kind='intent' and key not in (select client from broker)")
say "figures: $fills fills, $intents intents, $orders orders at the broker, $unsent intents that never" \
    "arrived, $killed core kills; other exits of the core:${core_exits:- none}"
claim "at least $fills_min fills" at_least "$fills" "$fills_min"
claim_books
claim "the rehearsal was latched and cleared" is "$(count "
    select group_concat(kind) from row where key='rehearsal'")" "latch_set,latch_clear"
claim "the last latch was never cleared" is "$(count "
    select group_concat(kind) from row where key='last_watch'")" "latch_set"
claim "no cause but the operator's was latched" is "$(count "
    select distinct key from row where kind='latch_set' and key not in ('rehearsal','last_watch')")" ""
claim "no entry was decided under the last latch" is "$(count "
    select key from row where kind='intent' and body->>'purpose'='entry' and at > '$frozen_at'")" ""
claim "the state verifies" "$program" state verify --state "$state"
claim "no credential anywhere" is "$(grep -rlE "$APCA_API_KEY_ID|$APCA_API_SECRET_KEY" "$place" | grep -v '/orders\.')" ""
[ "$failures" = 0 ] || { KEEP=1 && say "what was found is in $place"; }
finish
