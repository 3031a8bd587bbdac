/* stage.c - the event loop, and what came of it. */
#include "scenarios/stage.h"

#include "core/base/check.h"
#include "scenarios/exhaust.h"
#include "scenarios/replay_file.h"
#include "scenarios/stage_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY SPAN_MS(250)

/* --- what instances need --- */

struct span stage_restart_delay(const struct stage *stage) {
    struct random random = random_stream(stage->scenario->seed, "restart", stage->life, 0, 0);
    int64_t drawn_ms = random_between(&random, 1000, 10000);
    return stage->scenario->has_restart_delay ? stage->scenario->restart_delay : SPAN_MS(drawn_ms);
}

void stage_tell_equity(struct stage *stage) {
    struct utc now = virtual_clock_now(stage->clock);
    broker_advance_to(stage->broker, now);
    observe(&stage->fanout.seam, &(struct event){.kind = EVENT_LEDGER_EQUITY,
                                                 .at = now,
                                                 .amount = broker_equity(stage->broker),
                                                 .price = broker_cash(stage->broker)});
}

void stage_tell_copies(struct stage *stage, bool is_whole) {
    shelf_look(&stage->shelf, stage->disk, is_whole, virtual_clock_now(stage->clock),
               &stage->fanout.seam);
}

void stage_next_tick(struct stage *stage, struct instance *instance) {
    stage->tick++;
    instance->sim_http.tick = stage->tick;
    instance->sim_http.ordinal = 0;
    plan_set_tick(stage->plan, stage->tick);
}

/* --- time --- */

/* Moves time towards `at`; stops earlier where the core has something to look at. */
static void wait_until(struct stage *stage, struct utc at) {
    struct utc operator= operator_next_at(stage);
    struct utc stop = at;
    if (stage->is_woken) {
        stop = utc_add(virtual_clock_now(stage->clock), LOOK_EVERY);
    } else if (utc_is_before(operator, at)) {
        stop = utc_add(operator, LOOK_EVERY);
    }
    virtual_clock_advance_to(stage->clock, utc_is_before(stop, at) ? stop : at);
    broker_advance_to(stage->broker, virtual_clock_now(stage->clock));
}

/* Nobody runs: to the next start, and there is nothing that anybody could look at. */
static void wait_for_start(struct stage *stage, struct instance *instance, struct utc end) {
    struct utc at = utc_min(instance->restart_at, end);
    struct utc operator= operator_next_at(stage);
    wait_until(stage,
               utc_min(at, operator.ns == UTC_NEVER.ns ? at : utc_add(operator, SPAN_MS(1))));
    stage->is_woken = false;
    if (!utc_is_before(virtual_clock_now(stage->clock), instance->restart_at)) {
        instance_act(instance);
    }
}

void stage_step(struct stage *stage, struct instance *instance, struct utc end) {
    if (instance->engine == NULL) {
        wait_for_start(stage, instance, end);
        return;
    }
    struct utc next = instance_next_at(instance);
    wait_until(stage, utc_min(next, end));
    if (utc_is_before(virtual_clock_now(stage->clock), next)) {
        instance_look(instance);
    } else {
        instance_act(instance);
    }
}

static void tell_progress(const struct stage *stage, int *told) {
    int64_t done = virtual_clock_now(stage->clock).ns - stage->start.ns;
    int permille = (int)(done / ((stage->end.ns - stage->start.ns) / 1000 + 1));
    if (stage->options->progress != NULL && permille != *told) {
        *told = permille;
        stage->options->progress(stage->options->progress_context, permille);
    }
}

static void loop(struct stage *stage) {
    int told = -1;
    bool is_up = false;
    stage->core->restart_at = stage->start;
    frame_tell(stage);
    while (utc_is_before(virtual_clock_now(stage->clock), stage->end)) {
        frame_heal(stage);
        struct utc next = utc_min(company_next_at(stage), messenger_next_at(stage->messenger));
        stage_step(stage, stage->core, utc_min(next, stage->end));
        company_look(stage);
        messenger_look(stage->messenger);
        tell_progress(stage, &told);
    }
    company_end(stage);
    const struct instance *core = stage->core;
    if (core->engine != NULL) {
        instance_stop(stage->core);
        is_up = true;
    }
    stage_tell_equity(stage);
    stage_tell_copies(stage, true);
    bool is_down = core->has_given_up || (!core->stays_down && core->restart_at.ns != UTC_NEVER.ns);
    observe(&stage->fanout.seam, &(struct event){.kind = EVENT_END,
                                                 .at = stage->end,
                                                 .subject = is_up     ? "up"
                                                            : is_down ? "down"
                                                                      : "stopped"});
}

/* --- the result --- */

static void tell_unfired(struct stage_result *out, const char *line) {
    text_add_format(&out->broken_lines, "%s\n", line);
    out->unfired++;
}

/* Of a schedule each line, else each fault. */
static void judge_faults(const struct stage *stage, struct stage_result *out) {
    const struct scenario *scenario = stage->scenario;
    char line[160];
    if (scenario->may_miss) {
        return;
    }
    for (size_t i = 0; i < scenario->schedule_count; i++) {
        if (!plan_replay_fired(stage->plan, i)) {
            snprintf(line, sizeof line, "schedule[%zu] never fired", i);
            tell_unfired(out, line);
        }
    }
    for (size_t i = 0; i < plan_count(stage->plan) && !scenario->is_replay; i++) {
        size_t fired = 0;
        for (size_t j = 0; j < plan_fired_count(stage->plan); j++) {
            fired += plan_fired(stage->plan, j)->fault == i;
        }
        if (fired == 0) {
            snprintf(line, sizeof line, "faults[%zu] %s never fired", i,
                     fault_point_name(plan_fault(stage->plan, i)->point));
            tell_unfired(out, line);
        }
    }
    out->broken += out->unfired;
}

static void count_sessions(const struct stage *stage, struct stage_result *out) {
    const struct calendar *calendar = market_calendar(stage->market);
    struct session session = stage->first_session;
    out->first_day = session.date;
    do {
        out->days++;
        out->sim_seconds += (session.close.ns - session.open.ns) / NANOS;
        out->last_day = session.date;
    } while (calendar_next(calendar, session.close, &session) &&
             utc_is_before(session.open, stage->end));
}

/* Closes of every session and symbol, for the report's picture of the market. */
static void print_market(const struct stage *stage, struct text *out) {
    const struct calendar *calendar = market_calendar(stage->market);
    for (size_t i = 0; i < stage->config.symbol_count; i++) {
        int symbol = market_find(stage->market, stage->config.symbols[i]);
        struct session session = stage->first_session;
        text_add(out, i == 0 ? "{" : ",{");
        text_member_string(out, "symbol", stage->config.symbols[i]);
        text_add(out, ",\"series\":[");
        do {
            struct market_bar bar;
            if (market_daily_bar(stage->market, (size_t)symbol, session.date, stage->end, &bar)) {
                text_add(out, text_get(out)[out->len - 1] == '[' ? "[\"" : ",[\"");
                text_add_utc(out, session.close);
                text_add(out, "\",\"");
                text_add_decimal(out, bar.close.nanos);
                text_add(out, "\"]");
            }
        } while (calendar_next(calendar, session.close, &session) &&
                 utc_is_before(session.open, stage->end));
        text_add(out, "]}");
    }
}

/* Days that only this set's calendar closes, and symbols whose data ends before the run. */
static void print_gaps(const struct stage *stage, struct stage_result *out) {
    const struct calendar *calendar = market_calendar(stage->market);
    char date[DATE_TEXT_MAX];
    for (size_t i = 0; i < calendar->extra_count; i++) {
        if (calendar->extra_closed[i].days > out->first_day.days &&
            calendar->extra_closed[i].days < out->last_day.days) {
            date_print(calendar->extra_closed[i], date);
            text_add(&out->closed_json, out->closed_json.len == 0 ? "" : ",");
            text_add_json_string(&out->closed_json, date);
        }
    }
    for (size_t i = 0; i < market_symbol_count(stage->market); i++) {
        struct date last = market_symbol_last_date(stage->market, i);
        if (last.days < out->last_day.days) {
            date_print(last, date);
            text_add(&out->ended_json, out->ended_json.len == 0 ? "{" : ",{");
            text_member_string(&out->ended_json, "symbol", market_symbol(stage->market, i));
            text_member_string(&out->ended_json, "date", date);
            text_add_char(&out->ended_json, '}');
        }
    }
}

static void judge(struct stage *stage, struct stage_result *out) {
    out->broken = oracle_broken(stage->oracle, NULL, 0);
    oracle_print_broken(stage->oracle, &out->broken_lines);
    out->broken += watch_missed(&stage->watch, &out->broken_lines);
    if (stage->options->are_scores_kept) {
        out->broken += oracle_print_misjudged(stage->oracle, &out->broken_lines);
    }
    oracle_verdict(stage->oracle, &out->verdict_json);
    oracle_print_trips(stage->oracle, &out->trips_json);
    oracle_print_naked_exits(stage->oracle, &out->exits_json);
    out->trips_not_shown = oracle_trips_not_shown(stage->oracle);
    out->maybes = oracle_maybes(stage->oracle);
    out->judged = oracle_orders(stage->oracle);
}

/* The broken lines as JSON strings, comma separated. */
static void print_broken(struct stage_result *out) {
    const char *line = text_get(&out->broken_lines);
    while (line[0] != '\0') {
        size_t n = strcspn(line, "\n");
        struct text one = {0};
        text_add_bytes(&one, line, n);
        text_add(&out->broken_json, out->broken_json.len == 0 ? "" : ",");
        text_add_json_string(&out->broken_json, text_get(&one));
        text_release(&one);
        line += n + (line[n] == '\n');
    }
}

static void result_of(struct stage *stage, struct stage_result *out) {
    *out = (struct stage_result){.collect = stage->collect,
                                 .config = stage->config,
                                 .ticks = stage->totals.ticks,
                                 .orders = (int64_t)broker_order_count(stage->broker),
                                 .fills = broker_fill_count(stage->broker),
                                 .refusals = stage->collect->refusals,
                                 .equity_start = stage->scenario->cash,
                                 .equity_end = broker_equity(stage->broker)};
    stage->collect->calendar = NULL; /* the market goes, the numbers stay */
    trace_print(&stage->trace, out->trace_hash);
    config_hash(&stage->config, out->config_hash);
    count_sessions(stage, out);
    if (!stage->options->without_judges) {
        judge(stage, out);
    }
    judge_faults(stage, out);
    print_broken(out);
    replay_print(stage->plan, &out->schedule_json);
    print_market(stage, &out->market_json);
    print_gaps(stage, out);
    out->start = stage->start;
    out->end = stage->end;
    stage->collect = NULL;
}

enum err_code stage_run(const struct stage_options *options, struct stage_result *out,
                        struct err *err) {
    struct stage *stage = calloc(1, sizeof *stage);
    if (stage == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for a stage");
    }
    stage->options = options;
    enum err_code code = stage_build(stage, err);
    if (code == ERR_OK) {
        if (options->exhaust != NULL) {
            exhaust_begin(options->exhaust, stage);
        }
        loop(stage);
        if (options->exhaust != NULL) {
            exhaust_end(options->exhaust);
        }
        result_of(stage, out);
        if (options->at_end != NULL) {
            options->at_end(options->at_end_context, stage->disk);
        }
    }
    stage_release(stage);
    free(stage);
    return code;
}

void stage_result_release(struct stage_result *result) {
    if (result->collect != NULL) {
        collect_release(result->collect);
        free(result->collect);
    }
    text_release(&result->broken_lines);
    text_release(&result->broken_json);
    text_release(&result->schedule_json);
    text_release(&result->market_json);
    text_release(&result->verdict_json);
    text_release(&result->trips_json);
    text_release(&result->exits_json);
    text_release(&result->closed_json);
    text_release(&result->ended_json);
    *result = (struct stage_result){0};
}
