#!/bin/sh
# courier.sh PROGRAM SINK: alerts of a real core, taken by a real courier to channels that answer, refuse and
# hang; each process dies once. And the metrics that the core left. Loopback only.
set -u
program=$1
sink=$2
. "$(dirname "$0")/harbour.sh"
need curl sqlite3 flock

own_keys
sink_pid=
courier_pid=
trap 'kill $sink_pid $courier_pid 2>/dev/null; leave' EXIT
told=$place/told
: >"$told"

has_line() { grep -qF -- "$1" "$2"; }
# refuses CODE WORDS FILE: a courier that does not start, and says why.
refuses() {
    "$program" courier --state "$state" --channels "$3" --once >"$place/says" 2>&1
    refused=$?
    [ "$refused" = "$1" ] && grep -qF -- "$2" "$place/says" && return
    say "        exit $refused, should be $1 and say '$2':"
    cat "$place/says"
    return 1
}
has_page() { grep -q "/200/pager .*weather" "$told"; }
is_asked_again() { [ "$(grep -c '/500/pager ' "$told")" -ge 2 ]; }
courier() {
    "$program" courier --state "$state" --channels "$place/channels.json" "$@" >>"$place/courier.out" 2>&1 &
    courier_pid=$!
}
courier_is_up() { grep -q 'a look each second' "$place/courier.out"; }
# channels PAGER-ANSWER: one that takes, one that hangs, and one that answers so.
channels() {
    cat >"$place/channels.json" <<END
{"name": "test", "channels": [
  {"name": "pager", "shape": "pagerduty", "url": "$here/$1/pager", "token": "ROUTING-SECRET", "least": "page"},
  {"name": "stuck", "shape": "json", "url": "$here/hang/stuck", "token": "BEARER-SECRET", "least": "page"},
  {"name": "phone", "shape": "ntfy", "url": "$there/202/URL-SECRET", "least": "warn"}],
 "dead_man": {"url": "$here/200/dead", "every_s": 10}}
END
}

"$sink" "$told" >"$place/sink.port" &
sink_pid=$!
until_true 10 test -s "$place/sink.port" || exit 70
here=http://127.0.0.1:$(cat "$place/sink.port")
there=http://localhost:$(cat "$place/sink.port")

# --- what does not start ---

channels 200
claim "no core has run here: says so" refuses 4 "no core has run here" "$place/channels.json"
claim "no file: says so" refuses 4 "no such file" "$place/none.json"
chmod 644 "$place/channels.json"
claim "a file that others may read is refused" refuses 3 "chmod 600" "$place/channels.json"
printf '{"name": "x", "channels": [{"name": "a", "shape": "fax"}]}' >"$place/bad.json"
claim "a bad file is told by its members" refuses 3 "channels[0]: shape: is missing" "$place/bad.json"
printf '{"name": ' >"$place/bad.json"
claim "half a file is told by its place" refuses 3 "line 1" "$place/bad.json"
chmod 600 "$place/channels.json"

# --- a page ---

busy_config
serve --speed 10 --start 2024-03-04T15:30:00Z
core
claim "the core runs" until_true 30 test -s "$state/view.json"
"$program" courier --state "$state" --channels "$place/channels.json" --test >"$place/test.out" 2>&1
claim "--test: one message to each" is "$(grep -c courier_test "$told")" 3
claim "--test: tells who took it" has_line "phone                ntfy      taken" "$place/test.out"
claim "--test: and who did not" has_line "stuck                json      no answer" "$place/test.out"
courier
claim "the courier runs" until_true 10 courier_is_up
claim "a second one is refused" refuses 6 "another courier" "$place/channels.json"
freeze_at=$(date +%s)
operator freeze weather >/dev/null
claim "a page reaches the pager though another hangs" until_true 10 has_page
page_at=$(sed -n 's,^\([0-9]*\) /200/pager .*weather.*,\1,p' "$told" | head -n 1)
claim "within five seconds" at_least 5 $((${page_at:-999999999999} - freeze_at))
claim "and the phone" until_true 10 has_line "test: weather: REDUCE_ONLY set by tester: a rehearsal" "$told"
claim "the dead man's switch is fed" until_true 12 has_line " /200/dead " "$told"
claim "one channel has it not: its file stays" test "$(find "$state/outbox" -name '*-weather.json' | wc -l)" = 1

# --- deaths ---

slay courier_pid KILL
channels 500
operator resume weather >/dev/null
operator freeze fog >/dev/null
courier
claim "a page of before the start reaches the phone" until_true 10 has_line "test: fog: REDUCE_ONLY set by tester: a rehearsal" "$told"
claim "a channel that refuses is told" until_true 10 has_line "pager: answered 500" "$place/courier.out"
claim "and asked again" until_true 10 is_asked_again
slay courier_pid TERM
claim "SIGTERM ends it" is "$slay_status" 0
channels 200
sed -i '/stuck/d' "$place/channels.json"
claim "--once delivers what waits" "$program" courier --state "$state" --channels "$place/channels.json" --once
claim "and the outbox is empty" is "$(find "$state/outbox" -type f | wc -l)" 0
courier
slay core_pid KILL
claim "a core that is dead is paged" until_true 60 has_line "core_silent: nobody watches" "$told"

# --- metrics ---

claim "metrics are there, whole" is "$(tail -n 1 "$state/metrics.prom")" "# EOF"
claim "and name neither order nor symbol" is "$(grep -c 'st-20\|SYM0' "$state/metrics.prom")" 0
if command -v promtool >/dev/null; then
    claim "promtool takes them" promtool check metrics <"$state/metrics.prom"
else
    say "left out  promtool is not here"
fi

claim "no secret is told or kept" is "$(cat "$place"/courier.out "$place"/test.out "$place"/says \
    "$state"/*.json "$state"/log.jsonl | grep -c 'ROUTING-SECRET\|BEARER-SECRET\|URL-SECRET')" 0
finish
