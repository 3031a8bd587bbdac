#!/bin/sh
# calm.sh SEATRIAL - the shipped defaults on quiet days and on both months, in the top folder: 300 fills at least on each, and
# no trip and no alert but in the stock month, whose trips it prints: each of them its oracle demanded.
# A verdict "pass" says already that nothing was missed or false, and that nobody was told where nobody may be.
set -eu
seatrial=$1
bad=0
result=$(mktemp)
trap 'rm -f "$result"' EXIT
asked() { sqlite3 :memory: "select $1" 2>/dev/null || true; }
run="json_extract(readfile('$result'), '\$.scenarios[0]')"
# what a life begins with, before it has asked for anything, is none
trips="from json_each($run, '\$.oracle.trips') where value->>'oracle' <> 'start'"
for file in scenarios/calm/*.json; do
	status=0
	"$seatrial" scenario run "$file" --json >"$result" 2>/dev/null || status=$?
	name=$(basename "$file" .json)
	fills=$(asked "$run->>'fills'")
	count=$(asked "count(*) + max($run->'oracle'->>'trips_not_shown', 0) $trips")
	why=
	[ "$status" = 0 ] || why="it leaves with $status"
	[ "${fills:-0}" -ge 300 ] || why="$why ${fills:-no} fills"
	case $name in
	stock_month*) [ -n "$count" ] || why="$why no list of trips" ;;
	*) [ "$count" = 0 ] || why="$why ${count:-no list of} trips" ;;
	esac
	[ -z "$why" ] || bad=1
	echo "$name: ${fills:-0} fills, ${count:-0} trips${why:+; FAIL: $why}"
	asked "value $trips"
done
exit $bad
