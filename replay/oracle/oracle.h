/* oracle.h - the judges: what must hold whatever goes wrong, each a fold over the observation stream.
 *
 * The oracle is fed every event of a run in order, live by the stage or from a recording, and gives the
 * same verdict bytes both ways. It believes the ledger (EVENT_LEDGER_*) about the broker and the core's
 * events only about what the core meant; what it must know of the run (limits, calendar) comes as
 * EVENT_FRAME. *Broken* is certain. *Maybe* counts what a stated unknown (a late arrival, a lost answer)
 * excuses; the budget is one in a hundred orders judged. An invariant that a frame names under "never"
 * is what the run is about: there nothing is excused. */
#ifndef REPLAY_ORACLE_ORACLE_H
#define REPLAY_ORACLE_ORACLE_H

#include "core/base/text.h"
#include "core/world/observe.h"

/* The closed vocabulary of invariants: id, number in the catalogue of safety (S) and liveness (L) or
 * "", meaning, and why it is waived: "" for those that are judged. Liveness but comes_back is judged
 * only while EVENT_HEALED holds; bounds are virtual time. */
#define ORACLE_INVARIANTS(X)                                                                       \
    X(ORACLE_ONE_ORDER, "one_order_per_intent", "S1",                                              \
      "one order at the broker per client id, and never two live buys of ours in a "               \
      "symbol",                                                                                    \
      "")                                                                                          \
    X(ORACLE_SENT_RESTRICTED, "no_buy_sent_while_restricted", "S2",                                \
      "no buy is sent while a cause of REDUCE_ONLY or HALT holds, whatever crash lies"             \
      " between",                                                                                  \
      "")                                                                                          \
    X(ORACLE_RESTRICTED, "no_entry_while_restricted", "S2",                                        \
      "no buy of ours reaches the broker 5 s into REDUCE_ONLY or HALT", "")                        \
    X(ORACLE_STOPPED, "no_buy_sent_after_a_stop", "S2",                                            \
      "2 s after an operator's freeze or kill no buy is sent until an operator ends that cause",   \
      "")                                                                                          \
    X(ORACLE_LATCHES, "latch_never_lost", "S3",                                                    \
      "the mode never falls below a latch nobody cleared", "")                                     \
    X(ORACLE_LOSS, "no_entry_beyond_the_loss_limit", "S4",                                         \
      "no buy is sent once the ledger's day loss stood at its limit for a minute", "")             \
    X(ORACLE_GUARDS, "guards_trip_at_their_limit", "S4",                                           \
      "daily_loss, equity_floor and max_drawdown latch when two readings in a row reach "          \
      "their limit, and not before; nobody ends daily_loss on its own exchange day, nor "          \
      "equity_floor below its floor and 1 %",                                                      \
      "")                                                                                          \
    X(ORACLE_OPEN_RISK, "open_risk_within_the_loss_limit", "S4",                                   \
      "no buy is sent that takes the day's loss and the stop distances of positions and "          \
      "entries to the day's limit",                                                                \
      "")                                                                                          \
    X(ORACLE_BASELINE, "one_baseline_a_session_day", "S5",                                         \
      "the day's baseline is journaled once per session day, and days only go forward", "")        \
    X(ORACLE_PEAK, "peak_never_falls", "S6",                                                       \
      "the journaled peak never falls, across restarts too, and rises to what two "                \
      "readings showed",                                                                           \
      "")                                                                                          \
    X(ORACLE_POSITIONS, "positions_within_the_cap", "S7",                                          \
      "positions and live entries together never exceed risk.max_positions", "")                   \
    X(ORACLE_ORDER_CAP, "order_within_the_cap", "S7", "no buy is sent above orders.cap_usd", "")   \
    X(ORACLE_SIZE, "entry_within_its_size", "S7",                                                  \
      "no buy is sent above sizing.base_usd, nor 2 % above sizing.equity_share of equity or what " \
      "sizing.risk_budget may lose at the stop",                                                   \
      "")                                                                                          \
    X(ORACLE_GROSS, "gross_within_the_cap", "S7",                                                  \
      "no buy is sent that takes positions and live entries above risk.gross_exposure"             \
      " of equity",                                                                                \
      "")                                                                                          \
    X(ORACLE_RATE, "entries_within_their_rate", "S7",                                              \
      "no more than risk.max_new_per_15min buys are sent in 15 minutes", "")                       \
    X(ORACLE_REPEATS, "repeats_are_latched", "",                                                   \
      "orders.repeats sends, or orders filled, of a symbol and side within "                       \
      "orders.repeat_window_s latch repeat_throttle by the end of the tick, an exit counted "      \
      "once; and nothing less does",                                                               \
      "")                                                                                          \
    X(ORACLE_CRASHES, "crash_loops_are_latched", "",                                               \
      "engine.crash_starts starts with no clean stop before them, or engine.crash_ticks failed "   \
      "ticks, within engine.crash_window_s latch crash_loop_freeze by the end of the tick; and "   \
      "nothing less does, nor a flag that nobody put there",                                       \
      "")                                                                                          \
    X(ORACLE_KILL_TRIPS, "kill_trips_when_due", "",                                                \
      "kill.rejects rejected orders within kill.rejects_window_s, 401 or 403 on two reads for "    \
      "kill.auth_s, no whole truth of the broker for kill.outage_s, or a position that no fill "   \
      "explains fire the kill switch by "                                                          \
      "the end of the tick; and nothing less does",                                                \
      "")                                                                                          \
    X(ORACLE_KILL_COURSE, "kill_runs_its_course", "",                                              \
      "a kill fires by the tick after its cause, pages while it does, is verified by two "         \
      "listings 2 s apart without a buy of ours, cools down for kill.cooldown_s and is armed by "  \
      "two clean readings 10 s apart with nothing else in force; a person's causes are ended by "  \
      "one, and after that; the kill.incidents-th incident of a day needs one",                    \
      "")                                                                                          \
    X(ORACLE_STUCK, "stuck_orders_are_told", "",                                                   \
      "an order that the broker has not taken, or whose cancel does not end, for orders.stuck_s "  \
      "is told within 15 s and two ticks, paged unless it is an entry to be taken, and asked for " \
      "by id; nothing less is, no buy leaves in its symbol meanwhile, and it binds no exit",       \
      "")                                                                                          \
    X(ORACLE_CLOCK, "clock_doubt_is_due", "",                                                      \
      "a step of the wall of more than clock.step_s, two readings of the broker's clock more "     \
      "than clock.agreement_s from it in one direction, a new boot, and a start without a "        \
      "reading that agrees put the wall in doubt by the end of the tick; nothing less does; two "  \
      "readings that agree end it, nothing less does, and a cooldown that began within it then "   \
      "runs again",                                                                                \
      "")                                                                                          \
    X(ORACLE_GROUPS, "groups_within_their_caps", "S7",                                             \
      "no buy is sent that takes positions and live entries of its symbol, its sector or its "     \
      "theme above risk.symbol_limit, sector_limit (sector_unknown) or theme_limit_usd",           \
      "")                                                                                          \
    X(ORACLE_GROUP_REFUSAL, "group_refusal_is_due", "S7",                                          \
      "no buy is refused for the limit of a symbol, a sector or a theme that the largest entry "   \
      "could not reach",                                                                           \
      "")                                                                                          \
    X(ORACLE_CLUSTERS, "clusters_within_their_cap", "S7",                                          \
      "no buy is sent that takes positions and live entries of what moves with its symbol - by "   \
      "its bars above risk.cluster_correlation, by its sector where they say too little, in part " \
      "by issuer and funds - above risk.correlation_limit",                                        \
      "")                                                                                          \
    X(ORACLE_CLUSTER_REFUSAL, "cluster_refusal_is_due", "S7",                                      \
      "no buy is refused for the limit of what moves together that the largest entry could not "   \
      "reach",                                                                                     \
      "")                                                                                          \
    X(ORACLE_VOLUME, "volume_is_latched", "",                                                      \
      "orders, cancels, dollars or round trips of a day or hour that reach a limit of volume.* "   \
      "latch daily_volume by the end of the tick; and nothing less does",                          \
      "")                                                                                          \
    X(ORACLE_PERFORMANCE, "performance_pauses_entries", "",                                        \
      "performance.trades closed trades whose mean profit has a 95 % upper bound below zero, or "  \
      "of which the last lost more than performance.loss_share of equity, pause entries by the "   \
      "end of the tick; nothing less does; no buy is sent for performance.pause_s, none is "       \
      "refused for longer, and no exit at all",                                                    \
      "")                                                                                          \
    X(ORACLE_RAMP, "entries_follow_the_ramp", "",                                                  \
      "with ramp.on no buy costs more than its phase's share, 10, 25, 50, 75 or 100 %, of the "    \
      "largest entry; ramp.days_per_phase clean days in a row, and nothing less, take it one "     \
      "phase further, two readings that show ramp.drawdown from its peak one back; a restart "     \
      "keeps all of it, and no exit is refused for it",                                            \
      "")                                                                                          \
    X(ORACLE_LEARNING, "learning_is_bounded", "",                                                  \
      "with learning.on each trade that closed, priced by fills alone, is learned once, with "     \
      "others to learning.trades at least; a weight moves as they say, by learning.step, within "  \
      "its bounds, the steps of a day within learning.day_cap; as many behind a step keep it or "  \
      "take it back, and two weeks without them may; nothing is learned under REDUCE_ONLY or "     \
      "while prices fail, and what is due within a quarter of an hour of calm",                    \
      "")                                                                                          \
    X(ORACLE_MARGIN, "margin_is_kept", "",                                                         \
      "no buy is sent that would leave less above the maintenance margin than margin.excess of "   \
      "equity, nor near a close one beyond margin.overnight; two readings that show either, or a " \
      "blocked account, hold entries until a minute was good; shortly before a close what is too " \
      "much is sold, the largest first, and nothing else is",                                      \
      "")                                                                                          \
    X(ORACLE_POLLS, "data_polls_are_spaced", "",                                                   \
      "quotes, trades, bars and snapshots that fail are asked for what is not held after 2, 4 "    \
      "and "                                                                                       \
      "so on up to poller.most cycles, less a fifth, and for no more than half of poller.minute "  \
      "or beyond "                                                                                 \
      "poller.day; it is told, and nothing less is held back; what is held is asked for all the "  \
      "same; nothing new is bought 150 s after bars of its symbol were answered",                  \
      "")                                                                                          \
    X(ORACLE_BREAKER, "breaker_stops_calls", "S8",                                                 \
      "while an endpoint fails too often no buy is sent (bars aside while snapshots fill "         \
      "gaps of them), "                                                                            \
      "nothing else of it more than once in 5 s, and truth is asked for all the same; it is "      \
      "told, and only then",                                                                       \
      "")                                                                                          \
    X(ORACLE_DEGRADED_ENTERED, "degraded_is_entered", "S9",                                        \
      "degraded_mode is entered 15 s after account, positions or orders went unanswered for "      \
      "degraded.truth_max_age_s, and undisturbed for nothing else",                                \
      "")                                                                                          \
    X(ORACLE_DEGRADED, "degraded_opens_nothing", "S9",                                             \
      "no buy is sent while degraded_mode holds; that exits may leave then is "                    \
      "exits_leave",                                                                               \
      "")                                                                                          \
    X(ORACLE_SESSION, "entry_in_session", "S10",                                                   \
      "no buy is sent outside the part of a session that session.no_entry_first_s and "            \
      "session.no_entry_last_s leave",                                                             \
      "")                                                                                          \
    X(ORACLE_QUOTES, "entry_on_fresh_quotes", "S10",                                               \
      "no buy is sent on a quote older than data.quote_max_age_s", "")                             \
    X(ORACLE_UNKNOWN, "unknown_settled_first", "S11",                                              \
      "after an order of unknown fate its symbol gets no other order before the fate "             \
      "was asked for, and no buy before it is known or 30 s old",                                  \
      "")                                                                                          \
    X(ORACLE_BOOKS, "books_equal_ledger", "S12",                                                   \
      "after a clean stop, and at the end, the core's filled quantities are the "                  \
      "ledger's",                                                                                  \
      "")                                                                                          \
    X(ORACLE_BOOKED_ONCE, "fill_booked_once", "S12",                                               \
      "never more booked of an order than was executed", "")                                       \
    X(ORACLE_FOREIGN, "foreign_fill_is_told", "S13",                                               \
      "an execution that is none of ours is alerted or latched within 3 min of the "               \
      "core's session time",                                                                       \
      "")                                                                                          \
    X(ORACLE_ADOPTION, "no_true_book_is_replaced", "S13",                                          \
      "a position is adopted only while the core's own count of it differs from the ledger's", "") \
    X(ORACLE_SPLIT, "split_is_explained", "S13",                                                   \
      "a split that was announced, or a spin-off that the broker's activities tell of, is taken "  \
      "as one within 2 min of being told, at the cost it had, and nothing else is",                \
      "")                                                                                          \
    X(ORACLE_STOOD, "adopted_quantity_stood", "S13",                                               \
      "a position is adopted only once its quantity stood at the broker for 15 s", "")             \
    X(ORACLE_HEALED, "adoption_is_told", "S13",                                                    \
      "a position that is adopted is told and paged by its symbol before the tick ends", "")       \
    X(ORACLE_DOCUMENT, "document_not_ahead", "S14",                                                \
      "no document is stamped with a journal row that is not durable, and each is JSON", "")       \
    X(ORACLE_ROWS, "row_never_lost", "S15",                                                        \
      "a journal row that was told durable keeps its number: none is given twice", "")             \
    X(ORACLE_BACKUP, "backup_is_there", "S16",                                                     \
      "what is under backups/ is good, never changes, and stays: every piece of the journal, "     \
      "backup.hourly_keep copies of a document and the last of backup.daily_keep days",            \
      "")                                                                                          \
    X(ORACLE_RECOVERY, "recovery_converges", "S17",                                                \
      "of three lives in a row that nothing disturbs one ends a tick", "")                         \
    X(ORACLE_ONE_WRITER, "one_instance_trades", "S18",                                             \
      "a process that was succeeded, or was not let in, changes nothing at the broker and saves "  \
      "no document",                                                                               \
      "")                                                                                          \
    X(ORACLE_SUCCESSION, "lease_passes_in_time", "S18",                                            \
      "a core that stands still is succeeded 38 to 90 s later by one that tries, and a living "    \
      "core is not",                                                                               \
      "")                                                                                          \
    X(ORACLE_SECRET, "no_secret_told", "S19",                                                      \
      "the planted secret is in no request, row, document, alert or mechanism", "")                \
    X(ORACLE_BOUNDED, "calls_and_alerts_bounded", "S20",                                           \
      "a life sends at most its rate budget of requests in a minute, twice that at "               \
      "its start, and at most 60 alerts",                                                          \
      "")                                                                                          \
    X(ORACLE_DEADLINE, "call_within_its_deadline", "S20",                                          \
      "a request is answered, or known to be unanswered, within the deadline of its kind", "")     \
    X(ORACLE_ORDER_LIFE, "order_life_is_legal", "S21",                                             \
      "an order that is over stays what it became, and its filled quantity never "                 \
      "falls",                                                                                     \
      "")                                                                                          \
    X(ORACLE_AUDIT, "audit_chain_unbroken", "S22", "the audit trail's hash chain is unbroken",     \
      "the audit trail is not built yet")                                                          \
    X(ORACLE_DEAD, "dead_is_silent", "S23", "a core whose world died stops calling it", "")        \
    X(ORACLE_BALANCE, "balance_at_exit", "S24", "memory and descriptors are back at exit",         \
      "no event tells it: the sanitizers' leak check in the tests judges it")                      \
    X(ORACLE_EXITS, "exits_leave", "", "a working exit is over, or paged, within 60 s", "")        \
    X(ORACLE_STOPS, "stop_cancelled_outside_transaction", "",                                      \
      "a stop over a position ends only inside an exit transaction or by an operator", "")         \
    X(ORACLE_REUSE, "id_only_for_the_equal_order", "",                                             \
      "a client order id is sent again only with the same content", "")                            \
    X(ORACLE_NEVER_SHORT, "never_short", "",                                                       \
      "no sale of the core leaves the ledger's position in a symbol below zero", "")               \
    X(ORACLE_NAKED, "naked_is_paged", "",                                                          \
      "no position is unprotected for 70 s of a session without an exit at work or a "             \
      "page",                                                                                      \
      "")                                                                                          \
    X(ORACLE_LIE, "no_sale_on_a_lie", "",                                                          \
      "no loss exit decided within 5 s of a lie of the broker's view, and of no true quote that "  \
      "showed the loss, sells at a gain",                                                          \
      "")                                                                                          \
    X(ORACLE_OTHER_ACCOUNT, "other_account_untouched", "",                                         \
      "after an answer about another account nothing but reads is sent until its own answers, or " \
      "for 5 s",                                                                                   \
      "")                                                                                          \
    X(ORACLE_OVERDUE, "old_positions_leave", "",                                                   \
      "a position older than exits.time_s leaves, or an exit of it is at work, within 2 min of "   \
      "a session in which nothing is disturbed",                                                   \
      "")                                                                                          \
    X(ORACLE_FLATTEN, "flatten_is_obeyed", "",                                                     \
      "10 min of a session after a flatten its positions are gone", "")                            \
    X(ORACLE_COMMANDS, "command_obeyed_once", "",                                                  \
      "what an operator said once is not obeyed again once the tick that obeyed it has ended", "") \
    X(ORACLE_REJECTS, "rejects_are_spaced", "",                                                    \
      "five minutes hold at most 12 rejected exits, and as many stops, of a symbol", "")           \
    X(ORACLE_OCO, "oco_exit_keeps_its_stop", "",                                                   \
      "an exit of all that an OCO of ours guards re-prices its limit and does not cancel its "     \
      "stop, "                                                                                     \
      "but where a re-price was not taken",                                                        \
      "")                                                                                          \
    X(ORACLE_WASH, "no_sale_beside_a_live_buy", "",                                                \
      "no sale is sent while a buy of ours is live in its symbol", "")                             \
    X(ORACLE_COOLDOWN, "cooldown_between_orders", "",                                              \
      "no buy is sent within risk.symbol_cooldown_s of the last order in its symbol, "             \
      "risk.symbol_cooldown_growth times as long behind each further round trip of the day, and "  \
      "from its end too",                                                                          \
      "")                                                                                          \
    X(ORACLE_REFUSALS, "refusal_is_warranted", "",                                                 \
      "an entry that is refused with two numbers lies beyond the bound they name, an exit "        \
      "could pass zero",                                                                           \
      "")                                                                                          \
    X(ORACLE_ALARM, "alarm_has_a_cause", "",                                                       \
      "nothing is said to be lost, spoiled, another's or unexplained where nobody did such a "     \
      "thing",                                                                                     \
      "")                                                                                          \
    X(ORACLE_MESSAGES, "messages_within_their_rate", "",                                           \
      "no buy is sent behind orders.messages_1s submits, replaces and cancels of a second or "     \
      "messages_60s of a minute, and none is held back behind fewer; no exit is at all",           \
      "")                                                                                          \
    X(ORACLE_HEALINGS, "healings_are_due_and_seen", "",                                            \
      "reads of a host that fail for health.reconnect_s get a fresh connection, and another each " \
      "health.again_s, none sooner; none is told as healed before a read was answered",            \
      "")                                                                                          \
    X(ORACLE_DRILLED, "latches_are_drilled", "",                                                   \
      "no buy leaves before every latch was tried for the day, the build and the configuration, "  \
      "and held; nothing is tried twice for them",                                                 \
      "")                                                                                          \
    X(ORACLE_SIGN, "short_is_bought_back", "",                                                     \
      "what an answer shows as short fires the kill switch in its tick and is bought back within " \
      "a minute, to zero and not beyond; nothing of it is sold meanwhile",                         \
      "")                                                                                          \
    X(ORACLE_UNIVERSE, "only_what_may_be_bought", "",                                              \
      "no buy is sent of what the session's answers bar, say too little of, or show as too "       \
      "cheap, too thinly traded or too wide; none is refused so for nothing, or because nobody "   \
      "asked, and no exit is at all",                                                              \
      "")                                                                                          \
    X(ORACLE_RAILS, "rails_bind_first", "",                                                        \
      "no buy is sent while the account's configuration at the broker, by the answers, is looser " \
      "than our limits, suspends trading or is not known; no entry is refused so for nothing and " \
      "no exit at all; it is only tightened, where that is allowed, and no suspension is ended",   \
      "")                                                                                          \
    X(ORACLE_METRICS, "metrics_are_true", "",                                                      \
      "after a graceful stop metrics.prom is there and whole, counts the requests and ticks of "   \
      "that life as they were, and names no order",                                                \
      "")                                                                                          \
    X(ORACLE_DISPLACEMENT, "displacement_is_earned", "",                                           \
      "who is closed for another is as old as displacement.min_age_s, and the other is kept out "  \
      "by max_positions alone; neither took part in another within displacement.cooldown_s, and "  \
      "what was closed is not bought within it",                                                   \
      "")                                                                                          \
    X(ORACLE_MAKER, "entries_are_worked_in_bounds", "",                                            \
      "the orders of an entry that is worked have a limit each and leave behind the end of the "   \
      "one before, with no share held, for no more than was wished, at most execution.tries and, " \
      "with execution.cross, one, within execution.patience_s; one that is late, or of which a "   \
      "part is execution.partial_s old, is cancelled within 15 s and two ticks",                   \
      "")                                                                                          \
    X(ORACLE_SIGNALS, "scores_are_fresh", "",                                                      \
      "with signals.fill_s or signals.cache_s no new entry is sent whose symbol's newest minute, " \
      "by what its source told, is 150 s old: that of bars, or of snapshots, once it is over, "    \
      "while that of bars is "                                                                     \
      "at most signals.fill_s old; that snapshots fill a gap is told by the end of the tick in "   \
      "which they do, and nothing else is",                                                        \
      "")                                                                                          \
    X(ORACLE_CACHE, "cache_never_goes_back", "",                                                   \
      "in signal_cache.json no minute is newer than any its source told, none is older than it "   \
      "was and none that was there is missing, across restarts too",                               \
      "")                                                                                          \
    X(ORACLE_LOG, "log_tells_all", "S20",                                                          \
      "each change of mode, act of a mechanism, alert and refusal is a line of log.jsonl at the "  \
      "end of its tick, or the next line there says how many were lost; each is an object of a "   \
      "known event, a piece only what a lost one left",                                            \
      "")                                                                                          \
    X(ORACLE_L_RECONCILED, "reconciled_after_healing", "L1",                                       \
      "2 min of a session after healing every execution is booked", "")                            \
    X(ORACLE_L_BREAKER, "breaker_closes", "L2", "after healing the circuit breaker closes", "")    \
    X(ORACLE_L_DEGRADED, "degraded_ends", "L3",                                                    \
      "150 s of a session and degraded.clean_s after healing degraded mode is left (half an hour " \
      "more if it flapped)",                                                                       \
      "")                                                                                          \
    X(ORACLE_L_EXITS, "exits_end_after_healing", "L4",                                             \
      "10 min of a session after healing no exit is still open unpaged", "")                       \
    X(ORACLE_COMES_BACK, "comes_back", "L5",                                                       \
      "a core that died or was refused runs again at the end; judged in every run", "")            \
    X(ORACLE_L_BACKUPS, "backups_resume", "L6",                                                    \
      "a row, or a document, older than two of backup.interval_s and 20 min since healing and "    \
      "the core's start has a copy",                                                               \
      "")                                                                                          \
    X(ORACLE_L_PAGED, "trips_are_paged", "L7",                                                     \
      "a latch that sets while healed is paged within 10 s", "")                                   \
    X(ORACLE_DELIVERED, "pages_reach_two_channels", "L7",                                          \
      "with a courier: undisturbed a page is on its way to a channel within 5 s of its tick's "    \
      "end, and 7 min after healing two have it",                                                  \
      "")                                                                                          \
    X(ORACLE_CHANNELS, "channels_are_not_flooded", "S20",                                          \
      "a channel gets at most 20 messages a minute, undisturbed none of them twice in 5 min; "     \
      "that "                                                                                      \
      "the core is silent is told when it is, and the dead man's switch fed while it is not",      \
      "")                                                                                          \
    X(ORACLE_L_CALLS, "calls_calm_after_healing", "L8",                                            \
      "2 min after healing a minute holds, its executions aside, at most twice the requests of "   \
      "the busiest undisturbed one",                                                               \
      "")                                                                                          \
    X(ORACLE_L_KILL, "kill_takes_effect", "L9",                                                    \
      "30 s after a kill or a freeze a running core is in REDUCE_ONLY or HALT, a minute "          \
      "after a kill no entry of ours is live",                                                     \
      "")                                                                                          \
    X(ORACLE_L_REPORT, "day_report_is_made", "L10",                                                \
      "the end-of-day report is made within its time", "the day's report is not built yet")

enum oracle_invariant {
#define X(invariant, id, number, meaning, waiver) invariant,
    ORACLE_INVARIANTS(X)
#undef X
        ORACLE_INVARIANT_COUNT
};

/* Findings kept; further ones are counted alone. */
#define ORACLE_FINDINGS_MAX 256
/* Maybes per thousand orders judged, over a run that is long enough or over many: more is a finding. */
#define ORACLE_MAYBE_PERMILLE 10
/* Below so many orders the budget says nothing: one excuse among twenty is no rate. */
#define ORACLE_BUDGET_ORDERS_MIN 1000
/* The secret that the stage gives its core, planted to be searched for. */
#define ORACLE_PLANTED_SECRET "SIM-SECRET"

struct oracle;

/* Never NULL; owned by the caller. */
struct oracle *oracle_create(void);
void oracle_destroy(struct oracle *oracle);
/* Judges one event. Events come in the order in which they happened; nothing of it is kept. */
void oracle_observe(struct oracle *oracle, const struct event *event);
/* The same as an observer, for a fan-out or a world. Lives as long as the oracle. */
struct observer *oracle_observer(struct oracle *oracle);
/* Appends {"broken":[{"id","at","text"}...],"not_shown":n,"maybe":n,"orders":n,
 * "scores":[...],"trips":[...],"trips_not_shown":n,"unprotected_dollar_seconds":"...",
 * "naked_exits":[...],"naked_exits_not_shown":n,"naked_exits_not_shown_dollar_seconds":"..."} of everything so far;
 * judging may go on. Scores: of each mechanism with an oracle of its own, see score.h. Orders: of ours, by the
 * ledger. Unprotected dollar-seconds: whole shares of the ledger's position that no live sell stop at
 * the broker covers, times the last execution's price, times seconds; open intervals count up to the
 * last event. */
void oracle_verdict(const struct oracle *oracle, struct text *out);
/* Appends those trips: each time that a mechanism restricted the core, and what its oracle says of it; see trips.h. */
void oracle_print_trips(const struct oracle *oracle, struct text *out);
/* How many more there were than it keeps. */
int64_t oracle_trips_not_shown(const struct oracle *oracle);
/* Appends the members "naked_exits":[{"symbol","reason","decided":t,"over":t|null,"bare_s","dollar_seconds"}...],
 * "naked_exits_not_shown":n,"naked_exits_not_shown_dollar_seconds". Each exit, from the core's `decided` to its
 * `over`, in that order: for how many seconds of it something lay bare, and what of the unprotected
 * dollar-seconds is its own. Beyond 256 those of least dollar-seconds are left out. */
void oracle_print_naked_exits(const struct oracle *oracle, struct text *out);
/* Appends a line "scored MECHANISM: N missed, N false" for each mechanism of which that is not 0 and 0; how many. */
size_t oracle_print_misjudged(const struct oracle *oracle, struct text *out);
/* Distinct invariants that broke, in the order of the table above: how many, and up to max of their
 * ids in ids (may be NULL with max 0). Ids are static storage. */
size_t oracle_broken(const struct oracle *oracle, const char *ids[], size_t max);
/* One line for each of those: id, first time, first text, how often. */
void oracle_print_broken(const struct oracle *oracle, struct text *out);
/* How often each has broken so far; and the lines of what has broken since. */
void oracle_breaks(const struct oracle *oracle, int64_t out[static ORACLE_INVARIANT_COUNT]);
void oracle_print_broken_since(const struct oracle *oracle,
                               const int64_t since[static ORACLE_INVARIANT_COUNT],
                               struct text *out);
/* From now on the run is another than its file foresaw: the unknowns that its "never" rules out are
 * there again, and what they excuse is a maybe, as in a run that names no "never". What breaks, breaks. */
void oracle_take_unforeseen(struct oracle *oracle);
/* Maybes and orders judged so far, for the budget of many runs together. */
int64_t oracle_maybes(const struct oracle *oracle);
int64_t oracle_orders(const struct oracle *oracle);
/* True if so many maybes are more than the budget allows. */
bool oracle_is_over_budget(int64_t maybes, int64_t orders);

const char *oracle_invariant_id(enum oracle_invariant invariant);
const char *oracle_invariant_meaning(enum oracle_invariant invariant);
/* "S12", "L3", or "" for one of the design's own. */
const char *oracle_invariant_number(enum oracle_invariant invariant);
/* Why it is not judged; "" if it is. */
const char *oracle_invariant_waiver(enum oracle_invariant invariant);
/* False for a word outside the vocabulary; then *out is unchanged. */
bool oracle_invariant_find(const char *id, enum oracle_invariant *out);

#endif
