#!/bin/sh
# missed.sh SEATRIAL - each mechanism, switched off once where it must act: its oracle says missed (or false), and the
# run fails by an invariant or an expectation. SEATRIAL is that of the build of mutants; run in the top folder. The third
# column is a scenario of the library; - is the act scenario of the mechanism's page. Of reduce_only no run shows it: what
# passes its arithmetic the simulated broker refuses, as Alpaca does, and may refuse for a bust that nobody could know of.
# A row with a scenario of its own is run without the sabotage too, and must then have none of the word: of an act
# scenario the table of pairs asks that.
# What is not here has a judge of its own, which counts a miss where it finds one, and is held to it by the killers of the
# mechanism's mutants:
# crash_loop_freeze, kill_switch, daily_loss, equity_floor, max_drawdown, daily_volume, position_sign,
# performance_breaker, margin_guard, capital_ramp, learning_guard, clock_guard, smart_poller, signal_cache,
# circuit_breaker, degraded_mode, repeat_throttle, stuck_orders, state_backup, health_supervisor, maker_execution,
# displacement, log, drill, message_throttle, universe_guard, broker_rails.
set -eu
seatrial=$1
[ -x "$seatrial" ] || { echo "$seatrial: not built" >&2; exit 1; }
result=$(mktemp)
trap 'rm -f "$result"' EXIT
bad=0

# count WORD: of the mechanism's score in the run.
count() {
	grep -o "\"mechanism\":\"$mechanism\",\"due\":[0-9]*,\"acted\":[0-9]*,\"missed\":[0-9]*,\"unfounded\":[0-9]*" "$result" |
		head -1 | grep -o "\"$1\":[0-9]*" | cut -d: -f2
}

# run MUTANT SCENARIO: leaves with the status of the run; the mutant `none` is none.
run() {
	SEATRIAL_MUTANT=$1 timeout 120 "$seatrial" scenario run "scenarios/library/$2.json" --json >"$result" 2>/dev/null
}

while read -r mechanism mutant scenario word; do
	if [ "$scenario" != - ] && { ! run none "$scenario" || [ "$(count "$word")" -gt 0 ] 2>/dev/null; }; then
		echo "$mechanism: $scenario fails, or has $(count "$word") $word, without $mutant" >&2
		bad=1
	fi
	[ "$scenario" != - ] || scenario=$(sed -n 's/.*must act: \[`\([a-z0-9_]*\)`\].*/\1/p' "docs/mechanisms/$mechanism.md")
	status=0
	run "$mutant" "$scenario" || status=$?
	seen=$(count "$word")
	if [ "$status" != 1 ] || [ "${seen:-0}" = 0 ] || ! grep -q "\"scored $mechanism: " "$result"; then
		echo "$mechanism: $mutant in $scenario leaves with $status, ${seen:-0} $word" >&2
		bad=1
	else
		echo "$mechanism: $mutant, $seen $word in $scenario"
	fi
done <<-END
	operator_freeze inbox_unread - missed
	amnesia amnesia_ignored - missed
	state_regression state_regression_ignored disk_journal_older_than_documents missed
	request_deadline deadline_ignored answer_lost_after_accept missed
	retry_backoff unbounded_retry reads_fail_for_a_moment missed
	rate_budget budget_overdrawn budget_below_the_polls missed
	heartbeat courier_deaf_to_silence - missed
	alerts one_channel_suffices courier_channels_fail missed
	data_guard equity_unexplained - missed
	order_idempotency new_id_on_retry - missed
	second_writer second_writer_ignored - missed
	order_validation buying_power_ignored - missed
	price_collar collar_ignored - missed
	gross_exposure gross_limit_ignored - missed
	symbol_limit symbol_limit_ignored - missed
	sector_limit sector_limit_ignored - missed
	theme_limit theme_limit_ignored - missed
	correlation_limit correlation_limit_ignored - missed
	symbol_cooldown cooldown_ignored - missed
	exit_execution exits_skipped_when_frozen - missed
	protective_stops stop_never_placed - missed
	max_positions positions_off_by_one - missed
	position_sizing sizing_base_ignored bought_while_positions_unreadable missed
	session_gate session_gate_open - missed
	reconciliation unexplained_ignored - missed
	divergence_heal difference_tells_one_symbol - missed
	atomic_state skip_fsync power_cut_behind_a_save missed
	startup_contract account_not_pinned - missed
	config_validation bad_reload_taken - missed
	credentials key_unverified reload_of_a_wrong_key unfounded
	single_instance lease_not_reread paused_instance_is_fenced missed
	metrics metrics_ignored - missed
END
exit $bad
