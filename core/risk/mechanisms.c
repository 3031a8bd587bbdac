/* mechanisms.c - the table itself. */
#include "core/risk/mechanisms.h"

#include <string.h>

static const struct mechanism TABLE[] = {
    {.id = "operator_freeze",
     .file = "core/engine/operator.c",
     .mode = MODE_HALT,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "a cause set in the inbox or by hand in the freeze document binds "
             "before the next effect",
     .documents = "governor_freezes.json",
     .oracle = "latch_never_lost no_buy_sent_after_a_stop kill_takes_effect",
     .act = "operator_freeze",
     .mutants = "freeze_read_at_start_only inbox_unread hand_edit_clears "
                "corruption_clears saved_amid_generations each_name_a_cause",
     .quiet = "flatten_while_a_part_is_sold"},
    {.id = "crash_loop_freeze",
     .file = "core/risk/crash_loop_freeze.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "engine.crash_starts engine.crash_ticks engine.crash_window_s",
     .rule = "as many starts with no clean stop before them, or ticks that could not keep the "
             "core's own state, in a short time; no outage of the broker and no symbol counts",
     .documents = "governor_freezes.json pre_market_freeze.flag",
     .oracle = "crash_loops_are_latched",
     .act = "crash_loop_latches",
     .quiet = "crashes_short_of_a_loop",
     .mutants = "crash_loop_ignored crash_loop_off_by_one crash_times_by_the_wall "
                "clean_stop_is_a_crash crash_starts_lost_at_restart failed_ticks_uncounted "
                "outage_fails_ticks flag_of_a_hand_ignored flag_outlives_its_resume "
                "exit_bound_by_crash_loop"},
    {.id = "kill_switch",
     .file = "core/risk/kill_switch.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "kill.rejects kill.rejects_window_s kill.auth_s kill.outage_s kill.divergence "
                 "kill.auto_rearm "
                 "kill.cooldown_s kill.incidents",
     .rule = "a person, a second writer, a burst of rejects, a refused key, a long outage or a "
             "position that nothing explains: "
             "entries are cancelled by id and verified gone by two listings, and it is locked, or "
             "cools down and is checked; stops are never touched",
     .documents = "governor_freezes.json",
     .oracle =
         "no_buy_sent_after_a_stop kill_takes_effect kill_trips_when_due kill_runs_its_course",
     .act = "kill_switch_rejects_rearm",
     .quiet = "kill_switch_rejects_just_within",
     .mutants = "reject_burst_ignored kill_ignored stop_cancelled_by_kill kill_verified_at_once "
                "kill_verified_by_one_listing kill_verified_by_an_old_listing kill_never_verified "
                "held_kill_stays_urgent kill_firing_unpaged kill_fired_again_is_young "
                "kill_resumed_unverified "
                "each_cause_is_an_incident kill_incidents_off_by_one cooldown_by_the_wall "
                "new_boot_cools_by_the_wall cooldown_begins_at_each_start "
                "rearmed_beside_other_latches rearmed_by_one_reading reject_burst_off_by_one "
                "wash_counts_as_reject barred_key_ignored one_barred_read_kills "
                "rotation_counts_as_barred outage_ignored divergence_kills_nobody rearm_in_live"},
    {.id = "daily_loss",
     .file = "core/risk/account_guards.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "risk.daily_loss_usd risk.daily_loss_share risk.open_risk_factor",
     .rule = "the day's loss from the previous close, flows and dividends aside, on two readings; "
             "a fee "
             "is a loss; a person ends it, on another exchange day than its own",
     .documents = "governor_freezes.json",
     .oracle = "guards_trip_at_their_limit open_risk_within_the_loss_limit "
               "no_entry_beyond_the_loss_limit",
     .act = "daily_loss_by_open_positions",
     .quiet = "daily_loss_just_within",
     .mutants =
         "young_flow_forgotten canceled_flow_counts dividend_is_profit daily_loss_ignored "
         "daily_loss_off_by_one loss_on_one_reading "
         "baseline_restarts baseline_every_reading flows_count_as_gains loss_resumed_on_its_day"},
    {.id = "equity_floor",
     .file = "core/risk/account_guards.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "risk.equity_floor_usd risk.equity_floor_share",
     .rule = "equity below the higher of two floors; a person ends it, once equity is 1 % above",
     .documents = "governor_freezes.json",
     .oracle = "guards_trip_at_their_limit",
     .act = "equity_floor_latches",
     .quiet = "equity_floor_just_above",
     .mutants = "floor_ignored floor_off_by_one floor_on_one_reading floor_resumed_below "
                "floor_resumed_beyond"},
    {.id = "max_drawdown",
     .file = "core/risk/account_guards.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "risk.max_drawdown",
     .rule = "the fall from a peak that two readings confirmed",
     .documents = "governor_freezes.json",
     .oracle = "guards_trip_at_their_limit peak_never_falls",
     .act = "max_drawdown_latches",
     .quiet = "max_drawdown_just_within",
     .mutants =
         "dividend_is_a_deposit drawdown_ignored drawdown_off_by_one drawdown_on_one_reading "
         "peak_falls peak_not_persisted peak_on_one_reading"},
    {.id = "daily_volume",
     .file = "core/risk/daily_volume.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "volume.day_share volume.hour_share volume.orders volume.round_trips",
     .rule = "orders, cancels, dollars and round trips of an exchange day, dollars of an "
             "hour; an alert at 80 %",
     .documents = "governor_freezes.json",
     .oracle = "volume_is_latched",
     .act = "daily_volume_latches",
     .quiet = "daily_volume_just_within",
     .mutants = "daily_volume_ignored daily_volume_off_by_one volume_reset_at_restart "
                "exit_bound_by_volume"},
    {.id = "position_sign",
     .file = "core/orders/position_sign.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "risk.position_sign",
     .rule =
         "a position below zero, which this core never opens: the kill switch fires at the first "
         "listing that shows one, and the shares are bought back to zero as an exit, each order "
         "once "
         "the broker, asked for that symbol alone, says the same",
     .documents = "governor_freezes.json",
     .oracle = "short_is_bought_back",
     .act = "entry_busted_behind_its_exit",
     .quiet = "sold_out_by_hand",
     .mutants = "wrong_side_ignored wrong_side_off_by_one short_left_open short_taken_on_one_word "
                "cover_not_reread cover_may_flip cover_beside_live_buys cover_is_an_entry "
                "short_believed_on_one_listing "
                "cover_cancelled_as_an_entry cover_outlives_its_short cover_beside_a_sale "
                "cover_ladder_goes_down short_lost_at_restart"},
    {.id = "performance_breaker",
     .file = "core/risk/performance_breaker.c",
     .mode = MODE_CAUTION,
     .hold = HOLD_WHILE_TRUE,
     .settings = "performance.trades performance.loss_share performance.pause_s",
     .rule =
         "no entry for an hour once the closed trades, each priced by the broker's fills, "
         "leave the 95 % upper bound of their mean profit below zero (not the lower one, which is "
         "below zero until a profit is proven, and would pause nearly every strategy), or the "
         "last of them lost too much; another hour needs another trade that closed",
     .documents = "none",
     .oracle = "performance_pauses_entries refusal_is_warranted",
     .act = "losing_trades_pause_entries",
     .quiet = "losing_trades_one_too_few",
     .mutants = "performance_breaker_ignored performance_trades_off_by_one "
                "performance_bound_off_by_one performance_mean_for_bound "
                "performance_loss_off_by_one performance_loss_ignored "
                "performance_pause_off_by_one performance_pause_never_ends "
                "performance_judged_twice performance_lost_at_restart open_trades_counted "
                "adopted_trades_counted exit_bound_by_performance"},
    {.id = "margin_guard",
     .file = "core/risk/margin_guard.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_WHILE_TRUE,
     .settings = "margin.excess margin.overnight margin.no_entry_s margin.reduce_s",
     .rule =
         "no entry while the account is blocked, its excess above the maintenance margin is too "
         "small a share of equity, or near a close more is held than may be overnight; shortly "
         "before it what is too much is sold by exits, whole positions, the largest first, so that "
         "the "
         "broker does not choose",
     .documents = "none",
     .oracle = "margin_is_kept refusal_is_warranted",
     .act = "margin_raised_by_the_house",
     .quiet = "margin_just_within",
     .mutants = "margin_guard_ignored margin_waits_for_a_halt margin_of_phantoms margin_unpaged "
                "margin_excess_unasked margin_entry_uncharged "
                "margin_entry_off_by_one margin_close_off_by_one margin_night_unasked "
                "margin_excess_off_by_one margin_excess_ignored margin_overnight_off_by_one "
                "margin_overnight_ignored margin_overnight_all_day margin_flaps "
                "margin_block_untold margin_ends_off_by_one margin_ends_at_once margin_never_ends "
                "margin_reduce_off_by_one margin_sells_on_one_reading margin_sells_nothing "
                "margin_sells_all margin_smallest_first margin_bad_mark_sells "
                "margin_on_one_reading exit_bound_by_margin"},
    {.id = "capital_ramp",
     .file = "core/risk/capital_ramp.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "ramp.on ramp.days_per_phase ramp.drawdown",
     .rule =
         "an entry has 10, 25, 50, 75 or 100 % of its size: one phase further behind so many clean "
         "days in a row (watched from open to close, traded, no latch set), one back for "
         "each drawdown from the ramp's own peak; a gap, a restart or a clock skips none",
     .documents = "view.json",
     .oracle = "entries_follow_the_ramp refusal_is_warranted",
     .act = "ramp_by_clean_days",
     .quiet = "ramp_just_within",
     .mutants = "ramp_ignored ramp_lost_at_restart ramp_days_latched_count "
                "ramp_drops_to_the_first ramp_peak_survives_a_drop ramp_peak_on_one_reading "
                "ramp_counts_flows ramp_drawdown_off_by_one ramp_drawdown_ignored "
                "ramp_drop_on_one_reading ramp_begins_at_any_hour ramp_ends_at_any_hour "
                "ramp_days_count_twice ramp_days_off_by_one ramp_skips_a_phase "
                "ramp_streak_goes_on ramp_idle_days_count ramp_restricted_days_count "
                "exit_bound_by_ramp"},
    {.id = "learning_guard",
     .file = "core/risk/learning_guard.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "learning.on learning.trades learning.step learning.day_cap",
     .rule =
         "closed trades, each priced by the broker's fills and each once, move the weights of the "
         "strategy's parts by a bounded step, the steps of a day within its cap; as many trades "
         "behind it keep the step or take it back, two weeks without them take it back; nothing is "
         "learned under REDUCE_ONLY or while data fail, nothing in live, and nothing but which "
         "entries are chosen depends on it",
     .documents = "view.json",
     .oracle = "learning_is_bounded",
     .act = "learning_moves_weights",
     .quiet = "learning_waits_for_twenty_trades",
     .mutants = "learning_ignored learning_unused learning_unbounded learning_bounds_ignored "
                "learning_cap_ignored learning_twice learning_twice_after_restart "
                "learning_while_fault learning_from_adopted learning_no_revert "
                "learning_in_live learning_revert_off_by_one learning_before_enough_trades "
                "learning_bad_row_believed learning_while_latched learning_while_off "
                "learning_cap_forgotten_at_trial learning_trial_for_ever learning_day_set_back "
                "learning_admits_no_decay learning_displaces exit_bound_by_learning"},
    {.id = "amnesia",
     .file = "core/orders/gateway.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "orders of ours at the broker, none in the journal",
     .documents = "governor_freezes.json",
     .oracle = "alarm_has_a_cause",
     .act = "disk_journal_older_than_documents",
     .quiet = "second_core_before_the_first_order",
     .mutants = "amnesia_ignored"},
    {.id = "state_regression",
     .file = "core/risk/causes.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "a document newer than the journal, or copies of it in backups/ that know other rows",
     .documents = "governor_freezes.json",
     .oracle = "alarm_has_a_cause document_not_ahead",
     .act = "daily_loss_document_newer_than_journal",
     .quiet = "disk_documents_older_than_journal",
     .mutants = "state_regression_ignored copies_ahead_ignored document_ahead document_wins"},
    {.id = "clock_guard",
     .file = "core/risk/clock_guard.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_WHILE_TRUE,
     .settings = "clock.agreement_s clock.step_s",
     .rule = "no entry while the wall differs from the broker's clock, has stepped against the "
             "monotonic one, or is that of a new boot, until two readings and the session agree; "
             "cooldowns that began in between run again",
     .documents = "none",
     .oracle = "clock_doubt_is_due no_buy_sent_while_restricted",
     .act = "clock_guard_virtual_machine_resumes",
     .quiet = "clock_guard_stays_quiet_within_its_limits",
     .mutants = "clock_guard_ignored clock_step_unseen clock_step_off_by_one "
                "clock_agreement_off_by_one slow_clock_answers_count one_reading_is_doubt "
                "one_reading_ends_doubt clock_doubt_times_out clock_doubt_never_ends "
                "new_boot_is_trusted unverified_start_is_trusted clock_doubt_lost_at_restart "
                "day_not_checked_again doubted_cooldown_believed exit_bound_by_clock"},
    {.id = "request_deadline",
     .file = "core/alpaca/alpaca.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "broker.deadline_read_s broker.deadline_submit_s broker.deadline_slow_s",
     .rule = "no call outlives its deadline; a submit without an answer is unknown, "
             "not failed",
     .documents = "none",
     .oracle = "call_within_its_deadline",
     .act = "slow_answers_past_the_deadline",
     .quiet = "slow_answers_within_the_deadline",
     .mutants = "deadline_ignored"},
    {.id = "retry_backoff",
     .file = "core/alpaca/read_backoff.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "broker.retry_first_s broker.retry_most_s orders.resend_first_s "
                 "orders.resend_most_s",
     .rule = "a failed read is asked again in a later tick, after twice as long each "
             "time or the broker's Retry-After, what an exit needs in the next; a "
             "definite reject is never retried, and a new exit or stop after two of "
             "them in a row, or a stop after two that the broker cancelled by itself, waits, paged "
             "(core/orders/send_backoff.c)",
     .documents = "none",
     .oracle = "calls_and_alerts_bounded calls_calm_after_healing rejects_are_spaced",
     .act = "api_429_without_retry_after",
     .quiet = "504_after_accept",
     .mutants = "unbounded_retry undone_stop_sent_at_once"},
    {.id = "smart_poller",
     .file = "core/alpaca/smart_poller.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "poller.most poller.minute poller.day engine.cycle_s",
     .rule = "quotes, trades, bars and snapshots that fail are asked at twice their interval each "
             "time, up to "
             "poller.most times, until the first success, and a minute and a day hold so many "
             "requests; what of the universe "
             "is held or has an order is asked for as ever, and half of the minute is kept for it",
     .documents = "none",
     .oracle = "data_polls_are_spaced",
     .act = "data_host_fails_for_an_hour",
     .quiet = "data_host_answers_late",
     .mutants = "smart_poller_ignored poller_stays_slow poller_without_most "
                "poller_hurries_for_ever poller_minute_off_by_one poller_keeps_no_half "
                "poller_day_ignored stale_scores_bought exit_bound_by_poller "
                "sold_is_asked_as_held bars_of_a_failed_read_are_all"},
    {.id = "signal_cache",
     .file = "core/signals/signal_cache.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "signals.fill_s signals.cache_s",
     .rule =
         "each of bars and snapshots is kept by symbol with the market time of its newest minute, "
         "and an older or empty answer replaces nothing; where bars of a symbol are silent a "
         "fresh minute of snapshots fills in for entries, for signals.fill_s, and what was "
         "saved is as old after a restart as it is",
     .documents = "signal_cache.json",
     .oracle = "scores_are_fresh cache_never_goes_back",
     .act = "signal_cache_fills_a_gap",
     .quiet = "signal_cache_stays_quiet",
     .mutants = "enrichment_ignored enrichment_believed_when_stale fill_without_end "
                "cache_goes_back cache_emptied_by_empty cache_rejuvenated_by_rewrite "
                "cache_lost_at_restart exit_by_the_cache exit_behind_snapshots"},
    {.id = "rate_budget",
     .file = "core/alpaca/rate_budget.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "broker.rate_core broker.rate_exit broker.rate_other",
     .rule = "exits and cancels have their own lane",
     .documents = "none",
     .oracle = "calls_and_alerts_bounded",
     .act = "exits_leave_after_429",
     .quiet = "exits_leave_account_unreadable",
     .mutants = "unbounded_retry exit_bound_by_rate_budget"},
    {.id = "circuit_breaker",
     .file = "core/alpaca/circuit_breaker.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "breaker.failures breaker.open_s breaker.open_most_s",
     .rule = "of an endpoint's last ten answers half were none or a 5xx: no entry is sent for a "
             "minute, longer each time in a row; what reduces risk or asks goes on, one try in 5 s",
     .documents = "none",
     .oracle = "breaker_stops_calls breaker_closes",
     .act = "breaker_opens_on_a_flapping_endpoint",
     .quiet = "breaker_stays_closed_at_four_of_ten",
     .mutants = "breaker_never_opens breaker_off_by_one breaker_counts_refusals "
                "breaker_bars_exits breaker_tries_at_will failed_probe_closes "
                "breaker_stays_open"},
    {.id = "heartbeat",
     .file = "core/courier/pulse.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule =
         "the core alone writes it, once a tick: tick, journal row, monotonic time and when the "
         "next is "
         "due; three that stay out are a page by the courier, and the dead man's switch is fed no "
         "longer",
     .documents = "bot_heartbeat.json",
     .oracle = "channels_are_not_flooded",
     .act = "core_silent_is_told",
     .quiet = "core_back_within_three_beats",
     .mutants = "courier_deaf_to_silence dead_man_pinged_anyway"},
    {.id = "alerts",
     .file = "core/courier/courier.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "the core leaves each alert in outbox/ and goes on; `seatrial courier` takes it to "
             "every channel "
             "that wants it, a page to two hosts at least, a flood as a count, and again until it "
             "is taken",
     .documents = "outbox/",
     .oracle = "pages_reach_two_channels channels_are_not_flooded",
     .act = "page_reaches_two_channels",
     .quiet = "courier_has_nothing_to_tell",
     .mutants =
         "courier_drops_the_unreadable page_not_synced outbox_without_end courier_repeats_at_once "
         "courier_never_repeats courier_never_escalates one_channel_suffices "
         "courier_believes_any_answer courier_never_waits courier_never_digests "
         "courier_without_limit courier_plugged"},
    {.id = "degraded_mode",
     .file = "core/risk/degraded_mode.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_WHILE_TRUE,
     .settings = "degraded.truth_max_age_s degraded.clean_s",
     .rule = "the broker's truth is old",
     .documents = "none",
     .oracle = "degraded_is_entered degraded_opens_nothing degraded_ends",
     .act = "slow_answers_past_the_deadline",
     .quiet = "slow_answers_within_the_deadline",
     .mutants = "degraded_never_entered degraded_never_left degraded_binds_nobody "
                "one_start_is_flapping"},
    {.id = "data_guard",
     .file = "core/risk/data_guard.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_WHILE_TRUE,
     .settings = "data.quote_max_age_s data.reference_agreement data.equity_step data.cash_step",
     .rule =
         "no mark without two sources; equity must be cash plus marks; what came or went "
         "without a price, a trade or an activity is held out of every reading until one is told "
         "or an operator's resume says that it is money from outside",
     .documents = "none",
     .oracle = "no_sale_on_a_lie entry_on_fresh_quotes",
     .act = "absurd_mark_freezes",
     .quiet = "market_flash_crash",
     .mutants =
         "stale_quote_accepted awaited_split_marks due_split_holds_out_for_ever split_price_marks "
         "equity_step_believed explained_step_counts_twice cash_step_off_by_one bust_is_a_step"},
    {.id = "order_idempotency",
     .file = "core/orders/gateway.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "one id per intent, whatever is sent again; an order without an answer "
             "is settled by its id, one that its broker no longer knows is given up",
     .documents = "none",
     .oracle = "one_order_per_intent unknown_settled_first id_only_for_the_equal_order "
               "fill_booked_once",
     .act = "504_after_accept",
     .mutants = "new_id_on_retry duplicate_believed unknown_is_failed "
                "not_found_believed lost_order_works_for_ever lost_order_at_once "
                "denied_order_forgotten_at_restart unknown_ages_by_the_wall",
     .quiet = "slow_submits_within_the_deadline"},
    {.id = "second_writer",
     .file = "core/orders/gateway.c",
     .mode = MODE_HALT,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "an id with another content, or of a number that was never issued, is "
             "somebody else's",
     .documents = "governor_freezes.json",
     .oracle = "one_instance_trades foreign_fill_is_told",
     .act = "duplicate_that_is_not",
     .quiet = "duplicate_that_is_ours",
     .mutants = "second_writer_ignored lost_id_believed"},
    {.id = "order_validation",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "orders.cap_usd orders.min_notional_usd orders.buying_power_share",
     .rule = "every entry, with the numbers compared",
     .documents = "none",
     .oracle = "order_within_the_cap refusal_is_warranted",
     .act = "exits_leave_limits_reached",
     .quiet = "504_after_accept",
     .mutants = "buying_power_ignored order_cap_off_by_one min_notional_off_by_one "
                "buying_power_off_by_one "
                "quote_age_off_by_one"},
    {.id = "price_collar",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "orders.collar",
     .rule = "no entry far from the trusted reference",
     .documents = "none",
     .oracle = "refusal_is_warranted",
     .act = "entries_beyond_the_collar",
     .quiet = "entry_at_its_limits",
     .mutants = "collar_ignored collar_off_by_one"},
    {.id = "gross_exposure",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.gross_exposure",
     .rule = "positions, live entries and the candidate, over the lower of equity now and a "
             "cycle ago",
     .documents = "none",
     .oracle = "gross_within_the_cap refusal_is_warranted",
     .act = "gross_exposure_is_kept",
     .quiet = "exits_leave_limits_reached",
     .mutants = "gross_limit_ignored"},
    {.id = "symbol_limit",
     .file = "core/orders/group_limits.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.symbol_limit",
     .rule = "one symbol's position, live entries and the candidate, over the lower of equity "
             "now and a cycle ago; a breach by price is told",
     .documents = "none",
     .oracle = "groups_within_their_caps group_refusal_is_due refusal_is_warranted",
     .act = "symbol_limit_outlasts_a_deposit",
     .quiet = "sector_limit_is_kept",
     .mutants = "symbol_limit_ignored good_equity_not_kept symbol_limit_off_by_one "
                "exit_bound_by_symbol_limit group_excess_untold"},
    {.id = "sector_limit",
     .file = "core/orders/group_limits.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.sector_limit risk.sector_unknown risk.groups_file",
     .rule = "the same over a sector; all symbols of unknown sector together are one, with a limit "
             "of its own",
     .documents = "none",
     .oracle = "groups_within_their_caps group_refusal_is_due refusal_is_warranted",
     .act = "sector_limit_is_kept",
     .quiet = "theme_limit_is_kept",
     .mutants = "sector_limit_ignored sector_limit_off_by_one sector_of_held_alone "
                "sector_unknown_is_known exit_bound_by_sector_limit"},
    {.id = "theme_limit",
     .file = "core/orders/group_limits.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.theme_limit_usd risk.groups_file",
     .rule = "the same over a theme, in dollars; a symbol of no theme has no such limit",
     .documents = "none",
     .oracle = "groups_within_their_caps group_refusal_is_due refusal_is_warranted",
     .act = "theme_limit_is_kept",
     .quiet = "sector_limit_is_kept",
     .mutants = "theme_limit_ignored theme_limit_off_by_one theme_counts_all "
                "exit_bound_by_theme_limit"},
    {.id = "correlation_limit",
     .file = "core/orders/correlation_limit.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.correlation_limit risk.cluster_correlation risk.groups_file",
     .rule = "the same over what moves with the candidate: by 60 returns of minutes, by sector "
             "where fewer than 40 are known, in part by issuer and by what funds hold",
     .documents = "none",
     .oracle = "clusters_within_their_cap cluster_refusal_is_due refusal_is_warranted",
     .act = "correlation_limit_is_kept",
     .quiet = "correlation_comes_and_goes",
     .mutants = "correlation_limit_ignored correlation_limit_off_by_one cluster_of_held_alone "
                "cluster_bars_ignored cluster_bound_off_by_one cluster_few_are_apart "
                "cluster_samples_off_by_one cluster_still_counts cluster_counts_all "
                "cluster_issuer_ignored cluster_funds_ignored exit_bound_by_correlation_limit"},
    {.id = "symbol_cooldown",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.symbol_cooldown_s risk.symbol_cooldown_growth",
     .rule = "no new entry in a symbol soon after an order in it; what was bought and sold twice "
             "in the day waits longer each time, from the end of that trip",
     .documents = "none",
     .oracle = "cooldown_between_orders refusal_is_warranted",
     .act = "entries_are_spaced_over_restarts",
     .quiet = "no_waiting_between_entries",
     .mutants =
         "cooldown_ignored cooldown_never_grows cooldown_from_the_order cooldown_grows_at_once "
         "exit_bound_by_cooldown"},
    {.id = "repeat_throttle",
     .file = "core/risk/repeat_throttle.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "orders.repeats orders.repeat_window_s",
     .rule = "as many sends, or fills, of one symbol and side in a short time, whatever "
             "their size, an exit with all its prices and parts counted once; or an exit "
             "that sold more than was held",
     .documents = "governor_freezes.json",
     .oracle = "repeats_are_latched",
     .act = "entries_resent_without_end",
     .quiet = "entries_resent_now_and_then",
     .mutants = "repeat_throttle_ignored repeat_throttle_off_by_one repeat_counts_reprices "
                "repeat_oversold_ignored late_rows_are_repeats repeats_lost_at_restart "
                "exit_bound_by_repeats"},
    {.id = "stuck_orders",
     .file = "core/orders/stuck_orders.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "orders.stuck_s",
     .rule = "an order that the broker has not taken, or whose cancel does not end, is told, "
             "paged but for an entry, and asked for by id; no entry of its symbol until it moves, "
             "and nothing is sent again",
     .documents = "none",
     .oracle = "stuck_orders_are_told refusal_is_warranted",
     .act = "entry_stuck_pending",
     .quiet = "entry_pending_within_the_bound",
     .mutants = "stuck_orders_ignored stuck_since_it_was_seen stuck_off_by_one "
                "stuck_cancel_ignored stuck_exit_unpaged "
                "stuck_again_unpaged stuck_key_by_wish stuck_never_asked exit_bound_by_stuck"},
    {.id = "reduce_only",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "an exit is decided by arithmetic over all live orders",
     .documents = "none",
     .oracle = "no_buy_sent_while_restricted never_short refusal_is_warranted",
     .act = "stop_raised_beside_a_late_listing",
     .quiet = "flatten_while_a_part_is_sold",
     .mutants = "live_orders_not_summed exit_bound_by_mode"},
    {.id = "exit_execution",
     .file = "core/orders/exit_execution.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "release the stop, or re-price the limit of its OCO while it watches, sell down a "
             "ladder, re-protect what is left",
     .documents = "none",
     .oracle = "exits_leave exits_end_after_healing flatten_is_obeyed old_positions_leave "
               "no_sale_beside_a_live_buy oco_exit_keeps_its_stop",
     .act = "exits_leave_held_for_orders",
     .quiet = "frozen_all_day_touches_nothing",
     .mutants = "exits_skipped_when_frozen position_forgotten stop_counted_against_exit "
                "release_not_awaited stop_behind_a_release_stays exit_stuck_untold "
                "exit_stuck_again_untold "
                "entry_not_cut_off entry_before_an_exit rung_waits_for_the_wall "
                "oco_cancelled_for_an_exit oco_below_its_stop oco_not_known_replaced "
                "elected_stop_cancelled superseded_sale_climbs oco_counted_twice "
                "lone_stop_taken_for_elected oco_ladder_ends_at_its_stop oco_sale_cancelled "
                "judge_oco_blind"},
    {.id = "protective_stops",
     .file = "core/orders/protective_stops.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "stops.on stops.distance stops.oco stops.oco_above",
     .rule = "a resting GTC stop for every position, by itself or as one leg of an OCO, verified "
             "each tick",
     .documents = "none",
     .oracle = "naked_is_paged stop_cancelled_outside_transaction",
     .act = "exits_leave_held_for_orders",
     .quiet = "frozen_all_day_touches_nothing",
     .mutants =
         "stop_never_placed stop_one_share_short unlisted_not_doubted naked_unpaged "
         "naked_since_it_was_found "
         "stop_cancelled_by_kill part_of_old_shares stop_of_old_shares_kept "
         "stop_beside_a_due_split held_leg_trusted dead_oco_kept oco_in_live flat_end_believed "
         "replaced_leg_is_over oco_forgotten_at_restart "
         "fills_of_the_stop_leg_lost"},
    {.id = "max_positions",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "risk.max_positions risk.max_new_per_15min",
     .rule = "positions, working and unknown entries",
     .documents = "none",
     .oracle = "positions_within_the_cap entries_within_their_rate",
     .act = "unknown_entries_take_their_place",
     .quiet = "gross_exposure_is_kept",
     .mutants = "positions_off_by_one unknown_not_counted entry_rate_ignored "
                "entry_rate_off_by_one"},
    {.id = "position_sizing",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "sizing.base_usd sizing.equity_share sizing.risk_budget",
     .rule = "the smallest of all limits",
     .documents = "none",
     .oracle = "entry_within_its_size refusal_is_warranted",
     .act = "entry_at_its_limits",
     .quiet = "entry_at_the_collar",
     .mutants = "sizing_base_ignored sizing_share_ignored sizing_risk_ignored"},
    {.id = "session_gate",
     .file = "core/orders/validation.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "session.no_entry_first_s session.no_entry_last_s",
     .rule = "entries only inside the session, by calendar and by the broker's clock",
     .documents = "none",
     .oracle = "entry_in_session refusal_is_warranted",
     .act = "half_day_ends_entries",
     .quiet = "no_waiting_between_entries",
     .mutants = "session_gate_open half_day_ignored fixed_utc_minus_5"},
    {.id = "reconciliation",
     .file = "core/portfolio/reconcile.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_WHILE_TRUE,
     .settings = "none",
     .rule =
         "explainers first: orders in flight, a split that was announced, and a spin-off that the "
         "broker told, to the share; what merely looks like one is unexplained; an empty list is "
         "no proof of flat",
     .documents = "position_metadata.json",
     .oracle = "foreign_fill_is_told reconciled_after_healing no_true_book_is_replaced "
               "split_is_explained",
     .act = "fill_busted",
     .quiet = "view_orders_and_positions_lag",
     .mutants = "unexplained_ignored empty_list_believed lacked_position_is_flat "
                "lacked_order_is_over vanished_untold split_ignored "
                "untold_split_believed split_taken_twice split_beside_a_fill "
                "split_at_the_old_price split_of_a_share_unseen split_to_a_share "
                "split_keeps_old_prices "
                "split_not_awaited spin_ignored untold_spin_believed spin_taken_twice "
                "spin_of_any_quantity spin_cost_stays spin_is_a_loss spin_not_awaited "
                "cash_in_lieu_is_profit"},
    {.id = "divergence_heal",
     .file = "core/portfolio/reconcile.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule =
         "a difference that nothing explains, that stood for 15 s and that no fill moved for 30 "
         "s, is mended in our own view, never by an order; each is paged",
     .documents = "position_metadata.json",
     .oracle = "adoption_is_told adopted_quantity_stood no_true_book_is_replaced",
     .act = "two_adoptions_in_one_listing",
     .quiet = "positions_lag_behind_a_fill",
     .mutants =
         "difference_tells_one_symbol heal_unpaged moving_difference_believed fill_not_waited_for "
         "adoption_untold"},
    {.id = "atomic_state",
     .file = "core/state/state_file.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "an acknowledged save survives any crash; a journal that cannot be "
             "written stops entries",
     .documents = "governor_freezes.json",
     .oracle = "row_never_lost document_not_ahead",
     .act = "disk_dead_exits_leave",
     .quiet = "disk_slow_fsync",
     .mutants = "skip_fsync rename_before_fsync ignore_fsync_error synchronous_off "
                "fill_waits_for_its_row"},
    {.id = "state_backup",
     .file = "core/state/backup.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "backup.interval_s backup.hourly_keep backup.daily_keep",
     .rule = "each hour with a new row documents and journal are copied, read back and only then "
             "called a copy; a copy replaces none, and none is ever read into a running core",
     .documents = "backups/",
     .oracle = "backup_is_there backups_resume",
     .act = "backup_beside_a_rotten_document",
     .quiet = "backups_under_a_wall_that_jumps",
     .mutants = "backup_ignored backup_a_file_a_tick backup_round_ends_too_new backup_not_verified "
                "good_backup_overwritten newest_backup_removed backups_kept_off_by_one "
                "backup_waits_for_the_wall restore_relaxes restore_believes_the_chain "
                "half_restored_is_whole"},
    {.id = "startup_contract",
     .file = "core/engine/polls.c",
     .mode = MODE_HALT,
     .hold = HOLD_LATCHED,
     .settings = "none",
     .rule = "the first account that answers is pinned; while another one does, "
             "nothing is sent, cancelled or believed",
     .documents = "governor_freezes.json",
     .oracle = "other_account_untouched",
     .act = "another_account_answers",
     .quiet = "key_rotated",
     .mutants = "account_not_pinned account_lost_with_its_journal"},
    {.id = "config_validation",
     .file = "core/config/config.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "an invalid file starts nothing",
     .documents = "none",
     .oracle = "alarm_has_a_cause",
     .act = "reload_of_a_bad_file",
     .quiet = "reload_lowers_a_limit",
     .mutants = "bad_reload_taken"},
    {.id = "credentials",
     .file = "core/engine/reload.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "another key is tried at the broker before it is used, until it is heard on, "
             "and only of the pinned account",
     .documents = "none",
     .oracle = "no_secret_told degraded_ends",
     .act = "key_rotated",
     .quiet = "reload_of_a_wrong_key",
     .mutants = "key_unverified key_tried_once"},
    {.id = "single_instance",
     .file = "core/state/lease.c",
     .mode = MODE_HALT,
     .hold = HOLD_WITH_PROCESS,
     .settings = "none",
     .rule = "one trader per state directory",
     .documents = "lease.json",
     .oracle = "one_instance_trades lease_passes_in_time dead_is_silent",
     .act = "disk_wrong_number_lease",
     .quiet = "sleeper_is_not_succeeded_too_soon",
     .mutants =
         "lock_not_taken smaller_epoch_disregarded lease_not_reread lease_always_stale "
         "lease_never_stale journal_not_fenced opening_not_confirmed unreadable_lease_is_ours "
         "lost_lease_journals lease_ages_beside_reads"},
    {.id = "health_supervisor",
     .file = "core/health/health_supervisor.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "health.reconnect_s health.again_s",
     .rule =
         "checks with an interval and a ladder each, from a table: reads that go unanswered get a "
         "fresh connection, a log that was moved is opened anew; a healing counts by the check "
         "behind "
         "it alone",
     .documents = "none",
     .oracle = "healings_are_due_and_seen",
     .act = "broken_server_behind_a_kept_connection",
     .quiet = "reads_fail_for_a_moment",
     .mutants = "health_supervisor_ignored healing_off_by_one healing_not_rechecked "
                "healed_once_and_never_again reconnects_in_name_only"},
    {.id = "maker_execution",
     .file = "core/orders/maker_execution.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "execution.maker execution.tolerance execution.tries execution.patience_s "
                 "execution.cross execution.partial_s",
     .rule =
         "an entry rests on our side of the market and is re-priced behind the confirmed end of "
         "the "
         "order before it, each time through all checks and for what is left; then it crosses with "
         "a bound, or is given up; a part that was filled is cut off so that its stop can rest",
     .documents = "none",
     .oracle = "entries_are_worked_in_bounds one_order_per_intent no_sale_beside_a_live_buy",
     .act = "maker_repriced_until_it_fills",
     .quiet = "maker_filled_at_once",
     .mutants = "maker_cancel_not_waited_for maker_fill_not_subtracted maker_tries_uncounted "
                "maker_part_kept maker_ends_at_market maker_takes_the_ask "
                "maker_patience_off_by_one maker_share_off_by_one maker_bound_by_its_own "
                "maker_forgotten_at_restart maker_goes_on_unsent maker_counted_by_its_label "
                "maker_prices_half_a_quote maker_buys_beside_a_holding "
                "maker_outlives_its_setting maker_outlives_a_stop "
                "repeat_counts_entry_reprices repeat_nets_without_bound judge_maker_blind"},
    {.id = "displacement",
     .file = "core/orders/displacement.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "displacement.on displacement.min_age_s displacement.band displacement.lead "
                 "displacement.cooldown_s",
     .rule =
         "when max_positions is all that refuses an entry, the weakest position that is old, near "
         "its entry price and scores much less is closed for it; the entry passes all checks again "
         "later, or not, and what was closed is not bought back for a while",
     .documents = "none",
     .oracle = "displacement_is_earned",
     .act = "full_book_gives_way",
     .quiet = "full_book_of_young_positions",
     .mutants = "displacement_ignored displacement_unchecked displacement_age_off_by_one "
                "displacement_band_off_by_one displacement_lead_off_by_one "
                "displacement_unknown_is_weak displacement_in_series "
                "displaced_cooldown_off_by_one displaced_bought_back displaced_forgotten"},
    {.id = "log",
     .file = "core/health/log.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "log.rotate_kib log.keep",
     .rule = "each change of mode, act, alert and refusal is a line of log.jsonl; what the disk "
             "refuses "
             "stops nothing, is counted, and told by the next line that it takes; it is rotated "
             "without "
             "a line lost",
     .documents = "log.jsonl",
     .oracle = "log_tells_all",
     .act = "log_lines_lost_are_told",
     .quiet = "log_is_kept_beside_a_full_disk",
     .mutants = "log_loss_untold log_tells_no_mode log_glued_to_a_piece log_overwrites_its_past "
                "log_written_over"},
    {.id = "metrics",
     .file = "core/engine/measure.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "none",
     .rule = "once a cycle, and as the core stops, all that a scraper may know of this life is one "
             "whole text: "
             "requests with and without an answer, ticks, modes, refusals, money; no order and no "
             "symbol by name",
     .documents = "metrics.prom",
     .oracle = "metrics_are_true",
     .act = "metrics_of_a_life_that_stopped",
     .quiet = "metrics_that_no_disk_takes",
     .mutants = "metrics_ignored unanswered_unmeasured order_named_in_metrics"},
    {.id = "drill",
     .file = "core/orders/drill.c",
     .mode = MODE_REDUCE_ONLY,
     .hold = HOLD_LATCHED,
     .settings = "drill.on drill.before_open_s",
     .rule = "before each day, and with each new build or configuration, every latch is tripped in "
             "a shadow of the gateway: one that refuses no entry, or holds an exit in, freezes the "
             "day",
     .documents = "governor_freezes.json",
     .oracle = "latches_are_drilled",
     .act = "latches_drilled_each_day",
     .quiet = "restart_drills_nothing_again",
     .mutants = "drill_ignored drill_fails_in_silence drill_of_yesterday_counts "
                "drill_of_other_limits_counts drill_forgotten_at_restart "
                "drill_trips_the_real_latch"},
    {.id = "message_throttle",
     .file = "core/orders/message_throttle.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "orders.messages_1s orders.messages_60s",
     .rule = "behind so many submits, replaces and cancels of a second or a minute an entry waits "
             "for the next cycle; exits and cancels count and never wait",
     .documents = "none",
     .oracle = "messages_within_their_rate refusal_is_warranted",
     .act = "entries_wait_behind_messages",
     .quiet = "messages_just_within",
     .mutants = "message_throttle_ignored message_throttle_off_by_one message_cancels_uncounted "
                "messages_lost_at_restart exit_bound_by_messages cancel_bound_by_messages"},
    {.id = "universe_guard",
     .file = "core/orders/universe_guard.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "universe.restricted universe.min_price_usd universe.min_dollar_volume_usd "
                 "universe.volume_share universe.max_spread universe.action_days",
     .rule = "a symbol is bought only if the broker takes orders for it, it is listed, not "
             "restricted and not near a corporate action, and its price, dollar volume and spread "
             "keep their limits; what was not read for the session is not bought",
     .documents = "none",
     .oracle = "only_what_may_be_bought refusal_is_warranted",
     .act = "universe_is_kept",
     .quiet = "universe_just_within",
     .mutants = "universe_guard_ignored universe_unknown_bought universe_stale_believed "
                "universe_age_off_by_one universe_untradable_bought universe_otc_bought "
                "universe_restricted_bought universe_action_ignored universe_action_off_by_one "
                "universe_price_off_by_one universe_volume_off_by_one universe_share_off_by_one "
                "universe_spread_off_by_one universe_reject_unheeded exit_bound_by_universe"},
    {.id = "broker_rails",
     .file = "core/risk/broker_rails.c",
     .mode = MODE_NORMAL,
     .hold = HOLD_NONE,
     .settings = "rails.interval_s rails.write risk.gross_exposure",
     .rule = "nothing is bought while the account's configuration at the broker is looser than our "
             "limits "
             "(no_shorting, max_margin_multiplier), suspends trading or was not read; with "
             "rails.write it "
             "is tightened and read back",
     .documents = "none",
     .oracle = "rails_bind_first",
     .act = "rails_drift_stops_entries",
     .quiet = "rails_just_within",
     .mutants = "broker_rails_ignored rails_wait_for_every_exit rails_shorting_ignored "
                "rails_margin_ignored "
                "rails_margin_off_by_one rails_suspension_ignored rails_suspension_unpaged "
                "rails_unknown_believed rails_doubt_ignored rails_age_off_by_one "
                "rails_never_read_again rails_error_taken_for_fit rails_set_unasked "
                "rails_set_counted_unread rails_not_looked_at_again rails_fence_lifted "
                "exit_bound_by_rails "
                "stop_released_while_suspended"},
};

const struct mechanism *mechanism_find(const char *id) {
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        if (strcmp(TABLE[i].id, id) == 0) {
            return &TABLE[i];
        }
    }
    return NULL;
}

const struct mechanism *mechanisms(size_t *count) {
    *count = sizeof TABLE / sizeof TABLE[0];
    return TABLE;
}
