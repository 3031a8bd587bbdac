#!/bin/sh
# second_shell.sh PROGRAM: status, freeze, kill and flatten from a second shell while the core runs, hangs
# (SIGSTOP), has a server that answers nothing, and is dead. A core that hangs is not waited for longer
# than 15 s: what it left at the broker is cancelled or sold without it, and it must not fight that when
# it wakes.
set -u
program=$1
. "$(dirname "$0")/harbour.sh"
need curl sqlite3 flock

export APCA_API_KEY_ID=SIM-KEY APCA_API_SECRET_KEY=SIM-SECRET
busy_config
speed=10
serve --speed $speed --start 2024-03-04T15:30:00Z
broker="--config $place/config.json --clock served --base-url http://127.0.0.1:$port"

# says CODE WORDS COMMAND...: exit code, and the words on stdout or stderr.
says() {
    say_code=$1
    say_words=$2
    shift 2
    "$@" >"$place/says" 2>&1
    say_status=$?
    if [ "$say_status" != "$say_code" ] || ! grep -qF -- "$say_words" "$place/says"; then
        say "        exit $say_status, should be $say_code and say '$say_words'; it says:"
        cat "$place/says"
        return 1
    fi
}

holds_something() { [ "$(sqlite3 :memory: "select count(*) > 1 from
    json_each(json_extract(readfile('$state/view.json'), '$.positions'))" 2>/dev/null)" = 1 ]; }
no_position() { ask /v2/positions "$place/positions.json" && [ "$(cat "$place/positions.json")" = "[]" ]; }
flat() { no_position || { say "        held: $(cut -c1-2000 "$place/positions.json")"; cat "$place/says"; return 1; }; }
waits_and_holds() { ask /v2/orders "$place/open.json" && grep -q '"side":"buy"' "$place/open.json" && holds_something; }
stops() { ask /v2/orders "$place/open.json" && sqlite3 :memory: "select group_concat(value->>'client_order_id')
    from (select value from json_each(readfile('$place/open.json')) where value->>'type' = 'stop'
    order by value->>'client_order_id')"; }
# Of the stops named before each still rests, or was met by the market, or its position was sold.
stops_kept() {
    now=$(stops)
    for id in $(echo "$1" | tr , ' '); do
        case ,$now, in *,"$id",*) continue ;; esac
        ask "/v2/orders:by_client_order_id?client_order_id=$id" "$place/stop.json" || return 1
        ask /v2/positions "$place/positions.json" || return 1
        symbol=$(sqlite3 :memory: "select json_extract(readfile('$place/stop.json'), '$.symbol')")
        grep -q '"status":"filled"' "$place/stop.json" && continue
        grep -q "\"symbol\":\"$symbol\"" "$place/positions.json" || continue
        say "        $id is gone and $symbol is held: $(cut -c1-400 "$place/stop.json")"
        return 1
    done
}
no_buy() { ask /v2/orders "$place/open.json" && ! grep -q '"side":"buy"' "$place/open.json"; }
# Served time now, and what it is later without asking.
mark_time() {
    ask /v2/clock "$place/clock"
    mark_served=$(sqlite3 :memory: "select json_extract(readfile('$place/clock'), '$.timestamp')")
    mark_real=$(date +%s%N)
}
served_after() {
    sqlite3 :memory: "select strftime('%Y-%m-%dT%H:%M:%f', '$mark_served',
        '+' || (($(date +%s%N) - $mark_real) * $speed / 1000000000.0 + $1) || ' seconds')"
}
# Entries decided, and buys sent, later than that.
entries_after() {
    journal "select key from row where kind='intent' and body->>'purpose'='entry' and at > '$1'"
}
buys_after() {
    sed 's/^[0-9a-f]* //' "$ledger/requests.log" | grep '"method":"POST"' | grep 'side\\":\\"buy' |
        sed 's/^{"at":"\([^"]*\)".*/\1/' | awk -v limit="$1" '$0 > limit'
}
causes() { # that say this
    "$program" status --state "$state" | sed -n "s/^cause  *\([a-z_]*\): $1.*/\1/p"
}
# Until no person's is left: a kill takes no resume before its entries are verified gone.
resume_each() {
    for cause in $(causes ''); do
        operator resume "$cause" $broker >/dev/null 2>&1
    done
    [ -z "$(causes 'a rehearsal')" ]
}
resume_all() {
    until_true 20 resume_each
}

# --- running ---
claim "never started: status" says 12 "never started" "$program" status --state "$state"
claim "never started: an early freeze" says 0 "binds from its next start" operator freeze early --new
claim "never started: status shows that it waits" says 12 "waiting   freeze early by tester: a rehearsal" \
    "$program" status --state "$state"
rm -r "$state"
core
claim "the core trades" until_true 60 holds_something
claim "running: status" says 0 "core      running" "$program" status --state "$state"
claim "running: freeze" says 0 "freeze: taken" operator freeze weather
claim "running: the cause is shown" until_true 10 view_has_cause weather
claim "running: the console tells it" grep -q ' freeze weather by tester: frozen' "$place/run.err"
claim "running: and the mode" grep -q ' mode REDUCE_ONLY, was ' "$place/run.err"
claim "running: status shows the newest alerts" says 0 "in outbox/, the newest:" "$program" status --state "$state"
claim "running: resume" says 0 "resume: taken" operator resume weather
claim "running: resume of no cause" says 1 "no latched cause 'wether'" operator resume wether
claim "running: flatten of nothing" says 1 "no position in NOPE" operator flatten NOPE
mark_time
claim "running: kill" says 0 "kill: taken" operator kill
limit=$(served_after 5)
claim "running: kill is shown" until_true 10 view_has_cause kill_switch
claim "running: no entry is left at the broker" until_true 10 no_buy
claim "running: flatten" says 0 "flatten: taken" operator flatten
claim "running: flat" until_true 30 no_position
claim "running: nothing that adds risk later than 5 s after kill" is "$(buys_after "$limit")" ""
resume_all

# --- every request hangs: the server is stopped ---
claim "hanging server: the core trades again" until_true 60 holds_something
mark_time
kill -STOP "$server_pid"
sleep 0.5
claim "hanging server: kill" says 0 "kill:" operator kill
limit=$(served_after 5)
sleep 2
kill -CONT "$server_pid"
claim "hanging server: kill is shown" until_true 10 view_has_cause kill_switch
claim "hanging server: no entry is left" until_true 20 no_buy
claim "hanging server: no entry was decided later than 5 s after kill" is "$(entries_after "$limit")" ""
operator flatten >/dev/null
claim "hanging server: flat" until_true 30 no_position
resume_all

# --- hung: stops at the broker, entries that rest, and a core that does not move ---
claim "hung: the core trades again" until_true 60 holds_something
# What was on its way out when a core stopped is sold by the next one, which then may hold nothing: once more.
waits_patiently() {
    for attempt in 1 2 3 4; do
        slay core_pid TERM
        patient_config
        core
        until_true 30 waits_and_holds && return 0
        slay core_pid TERM
        busy_config
        core
        until_true 60 holds_something
    done
    return 1
}
claim "hung: the core waits with entries and holds positions" waits_patiently
hang
before=$(stops)
claim "hung: freeze" says 0 "has not looked yet" operator freeze weather
cp "$state/view.json" "$place/view.json"
echo '{"acc' >"$state/view.json" # torn: the kill goes without its guard, and says so
began=$(date +%s)
mark_time
operator kill $broker >"$place/kill.out" 2>&1 &
kill_pid=$!
claim "hung: kill cancels the entries within 20 s" until_true 20 no_buy
claim "hung: not before it gave the core 15 s" at_least $(($(date +%s) - began)) 14
wait "$kill_pid"
claim "hung: kill exits with" is $? 0
cp "$place/view.json" "$state/view.json"
claim "hung: kill says which guard it lacked" grep -q 'account not checked: view.json unreadable' \
    "$place/kill.out"
limit=$(served_after 5)
claim "hung: kill says what it did" grep -q '^kill: [1-9][0-9]* entries cancelled at the broker (st-' \
    "$place/kill.out"
claim "hung: and for how long it holds" grep -q 'it is bound when it wakes' "$place/kill.out"
claim "hung: no stop was touched" stops_kept "$before"
claim "hung: status" says 10 "core      HUNG" "$program" status --state "$state"
claim "hung: the order is left in the inbox" is "$(ls "$state/inbox" | grep -c 'kill$')" 1
kill -CONT "$core_pid"
claim "hung: kill binds when it wakes" until_true 10 view_has_cause kill_switch
claim "hung: so does the freeze" until_true 10 view_has_cause weather
sleep 2
claim "hung: nothing that adds risk later than 5 s after kill" is "$(buys_after "$limit")" ""
claim "hung: no entry is left" no_buy
claim "hung: the core goes on under its stops" stops_kept "$before"
resume_all

# --- hung: flatten takes the lease ---
claim "hung: the core waits with entries again" until_true 60 waits_and_holds
hang
claim "hung: flatten without credentials" says 3 "left in the inbox" \
    env -u APCA_API_KEY_ID "$program" flatten --by tester --why x --state "$state" $broker
claim "hung: flatten" says 0 "in place of the hung core" operator flatten $broker
claim "hung: flat" no_position
claim "hung: no entry is left after flatten" no_buy
mark_time
limit=$(served_after 0)
claim "hung: status after flatten" says 11 "NOT running" "$program" status --state "$state"
kill -CONT "$core_pid"
wait "$core_pid"
claim "hung: the core finds its lease gone and leaves with" is $? 6
core_pid=
claim "hung: it sent nothing when it woke" is "$(buys_after "$limit")" ""
claim "hung: still flat" no_position
collect_books
claim_books
busy_config
core

starts() { grep -c 'trading on paper' "$place/run.err"; }
second_trades() { [ "$(starts)" -gt "$first_starts" ]; }

# --- hung for long: another core takes over, and the first wakes up ---
claim "taken over: the core trades again" until_true 60 holds_something
hung_pid=$core_pid
first_starts=$(starts)
kill -STOP "$hung_pid"
core
sleep 1
claim "taken over: not before the lease is stale" is "$(core_lives || echo refused)" refused
sleep 6
core
claim "taken over: the second core runs" until_true 30 second_trades
kill -CONT "$hung_pid"
( sleep 20; kill -KILL "$hung_pid" ) 2>/dev/null &
wait "$hung_pid"
claim "taken over: the first leaves with 6 when it wakes" is $? 6
sleep 2
claim "taken over: the second core lives on" core_lives
operator kill >/dev/null # else it buys again at once
operator flatten >/dev/null
claim "taken over: flat" until_true 30 no_position
claim "taken over: the journal is whole" is "$(journal "pragma integrity_check")" ok
resume_all

# --- dead ---
claim "dead: the core trades again" until_true 60 holds_something
slay core_pid KILL
claim "dead: status" says 11 "NOT running" "$program" status --state "$state"
cp "$state/view.json" "$place/view.json"
printf '{"mode":"NOR' >"$state/view.json"
claim "dead: a torn view hides nothing" says 11 "NOT running" "$program" status --state "$state"
claim "dead: and is named" grep -q 'view.json: .*shown without it' "$place/says"
cp "$place/view.json" "$state/view.json"
claim "dead: freeze" says 0 "binds from its next start" operator freeze weather
claim "dead: status shows that it waits" says 11 "waiting   freeze weather by tester: a rehearsal (binds from the next" \
    "$program" status --state "$state"
claim "dead: kill without credentials" says 3 "left in the inbox" \
    env -u APCA_API_KEY_ID "$program" kill --by tester --why x --state "$state" $broker
mark_time
claim "dead: kill at a wrong broker" says 3 "belongs to the broker at http://127.0.0.1:$port" \
    operator kill --base-url http://127.0.0.1:1
claim "dead: kill with wrong keys" says 3 "401" env APCA_API_KEY_ID=wrong \
    "$program" kill --by tester --why x --state "$state"
claim "dead: kill knows its broker" says 0 "kill: done" operator kill
limit=$(served_after 5)
claim "dead: no entry is left at the broker" no_buy
claim "dead: flatten without credentials" says 3 "no credentials" \
    env -u APCA_API_KEY_ID "$program" flatten --by tester --why x --state "$state" $broker
claim "dead: flatten" says 0 "flatten: done" operator flatten $broker
claim "dead: flat" flat
claim "dead: nothing that adds risk later than 5 s after kill" is "$(buys_after "$limit")" ""
claim "dead: the freeze is journalled" is "$(journal "select distinct kind from row where
    key='weather' order by seq desc limit 1")" latch_set
claim "dead: the state verifies" says 0 good "$program" state verify --state "$state"
core
claim "the next start is frozen" until_true 20 view_has_cause weather
claim "and killed" until_true 20 view_has_cause kill_switch
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0
finish
