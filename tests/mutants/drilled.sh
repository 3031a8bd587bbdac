#!/bin/sh
# drilled.sh SEATRIAL - a latch that is sabotaged freezes the day before its first entry, and the drill's row
# names it. SEATRIAL is that of the build of mutants; run in the top folder.
set -eu
seatrial=$1
[ -x "$seatrial" ] || { echo "$seatrial: not built" >&2; exit 1; }
scenario=scenarios/library/latches_drilled_each_day.json
record=$(mktemp)
trap 'rm -f "$record"' EXIT

# mutant, cause, what is wrong with it
while read -r mutant cause fault; do
	SEATRIAL_MUTANT=$mutant "$seatrial" scenario run $scenario --record "$record" >/dev/null 2>&1 || true
	failed=$(grep -a '^row' "$record" | grep -a -o '"failed":"[^"]*"' | sort -u)
	buys=$(grep -a '^send' "$record" | grep -a -c '"side":"buy"' || true)
	if [ "$failed" != "\"failed\":\"$cause $fault\"" ] || [ "$buys" != 0 ]; then
		echo "$mutant: the drill says $failed, and $buys buys left" >&2
		exit 1
	fi
	echo "$mutant: $cause $fault; no buy left"
done <<-END
	daily_loss_ignored daily_loss did not latch at its limit
	daily_loss_off_by_one daily_loss did not latch at its limit
	floor_ignored equity_floor did not latch at its limit
	drawdown_ignored max_drawdown did not latch at its limit
	drawdown_off_by_one max_drawdown did not latch at its limit
	daily_volume_ignored daily_volume did not latch at its limit
	repeat_throttle_ignored repeat_throttle did not latch at its limit
	reject_burst_ignored kill_rejects did not latch at its limit
	barred_key_ignored kill_auth did not latch at its limit
	outage_ignored kill_outage did not latch at its limit
	divergence_kills_nobody kill_divergence did not latch at its limit
	wrong_side_ignored position_sign did not latch at its limit
	crash_loop_ignored crash_loop_freeze did not latch at its limit
	exit_bound_by_mode crash_loop_freeze holds an exit in
END
