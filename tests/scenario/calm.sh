#!/bin/sh
# calm.sh SEATRIAL - the shipped defaults on quiet days and on both months, in the top folder: no trip and no alert on quiet
# days and in the ETF month, 300 fills at least on each; of the stock month the trips, each of which its oracle demanded.
# A verdict "pass" says already that nothing was missed or false, and that nobody was told.
set -eu
seatrial=$1
bad=0
for file in scenarios/calm/*.json; do
	status=0
	result=$("$seatrial" scenario run "$file" --json 2>/dev/null) || status=$?
	name=$(basename "$file" .json)
	fills=$(printf '%s' "$result" | sed -n 's/.*"fills":\([0-9]*\).*/\1/p')
	# what a life begins with, before it has asked for anything, is none
	trips=$(printf '%s' "$result" | grep -o '"mechanism":"[a-z_]*","cause":"[^}]*"oracle":"[a-z]*"}' |
		grep -v '"oracle":"start"' || true)
	why=
	[ "$status" = 0 ] || why="it leaves with $status"
	[ "${fills:-0}" -ge 300 ] || why="$why ${fills:-no} fills"
	case $name in
	stock_month*) ;;
	*) [ -z "$trips" ] || why="$why a trip" ;;
	esac
	[ -z "$why" ] || bad=1
	echo "$name: ${fills:-0} fills, $(printf '%s' "$trips" | grep -c . || true) trips${why:+; FAIL: $why}"
	[ -z "$trips" ] || printf '%s\n' "$trips"
done
exit $bad
