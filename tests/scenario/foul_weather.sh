#!/bin/sh
# foul_weather.sh PROGRAM [SECONDS SPEED]: a paper session over libcurl against `serve --scenario`: real
# connections on which answers are lost, late, cut or wrong, a core and a server that are killed in the
# middle of it. When the weather is over, ledger and books tell the same story.
set -u
program=$1
seconds=${2:-60}
speed=${3:-10}
. "$(dirname "$0")/harbour.sh"
need curl sqlite3

own_keys
busy_config

# The weather lasts as long as the voyage, which begins an hour into the session.
start=2024-03-04T15:30:00Z
end=$(date -u -d "@$(($(date -u -d "$start" +%s) + seconds * speed))" +%Y-%m-%dT%H:%M:%SZ)
fault() {
    say "{\"point\":\"$1\",\"probability\":\"$2\",\"until\":\"$end\",\"params\":{\"target\":\"$3\"${4:-}}}"
}
cat >"$place/sea.json" <<END
{"id": "sea", "title": "a line that loses, cuts and delays", "source": "foul_weather.sh", "seed": 11,
 "market": {"set": "synthetic", "symbols": 8}, "days": 2, "faults": [
$(fault http.answer_lost 0.10 "POST /v2/orders"),
$(fault http.answer_504 0.10 "POST /v2/orders"),
$(fault http.reset_mid_body 0.10 "POST /v2/orders"),
$(fault http.timeout_before 0.10 "POST /v2/orders"),
$(fault http.late_arrival 0.10 "POST /v2/orders" ',"delay_s":20'),
$(fault http.slow 0.05 GET ',"delay_s":1'),
$(fault http.truncated 0.02 GET),
$(fault http.reset_mid_body 0.02 GET),
$(fault api.503 0.02 GET),
$(fault http.answer_lost 0.05 'DELETE*')]}
END
claim "the scenario is good" "$program" scenario check "$place/sea.json"

serve --speed "$speed" --start "$start" --scenario "$place/sea.json"
core
sleep 2
claim "the core runs" core_lives
for part in 1 2 3 4; do
    sleep "$((seconds / 5))"
    slay core_pid KILL
    if [ "$part" = 2 ]; then
        slay server_pid KILL
        serve --speed "$speed" --scenario "$place/sea.json"
    fi
    core
done
sleep "$((seconds / 5 + 5))"

# --- calm ---
no_position() { ask /v2/positions "$place/positions.json" && [ "$(cat "$place/positions.json")" = "[]" ]; }
no_order() { ask /v2/orders "$place/open.json" && [ "$(cat "$place/open.json")" = "[]" ]; }
claim "the core is alive" core_lives
operator freeze calm >"$place/freeze.out" 2>&1
operator flatten >"$place/flatten.out" 2>&1
claim "flatten ends flat" until_true 60 no_position
claim "and leaves no order" until_true 10 no_order
slay core_pid TERM
claim "the core stops cleanly" is "$slay_status" 0
collect_books
fills=$(count "select count(*) from row where kind='fill'")
say "figures: $fills fills, $(count "select count(*) from row where kind='intent'") intents," \
    "$(count "select count(*) from broker") orders at the broker; faults:" \
    "$(awk '/^20/ { print $2 }' "$place/serve.err" | sort | uniq -c | tr -s ' \n' ' ')"
claim "at least 10 fills" at_least "$fills" 10
for point in http.answer_lost http.answer_504 http.reset_mid_body http.timeout_before http.late_arrival \
    http.slow http.truncated api.503; do
    claim "$point fired" grep -q " $point " "$place/serve.err"
done
claim_books
claim "no cause but the operator's was latched" is "$(count "
    select distinct key from row where kind='latch_set' and key <> 'calm'")" ""
claim "the state verifies" "$program" state verify --state "$state"
[ "$failures" = 0 ] || { KEEP=1 && say "what was found is in $place"; }
finish
