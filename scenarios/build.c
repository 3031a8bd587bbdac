/* build.c - putting a world together, and taking it apart in reverse. */
#include "core/base/check.h"
#include "core/risk/broker_rails.h"
#include "scenarios/replay_file.h"
#include "scenarios/stage_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code stage_build_market(struct stage *stage, struct err *err) {
    const struct scenario *scenario = stage->scenario;
    const char *path = stage->options->data_path;
    struct date first = scenario->has_start ? scenario->start : date_from_civil(2024, 3, 4);
    if (path == NULL && scenario_is_drawn(scenario)) {
        enum err_code code = market_synthetic(scenario->seed, (size_t)scenario->synthetic_symbols,
                                              first, scenario->days, &stage->market, err);
        if (code == ERR_OK && strcmp(scenario->set, "quiet") == 0) {
            market_quieten(stage->market);
        }
        return code;
    }
    char folder[4096];
    int n = path != NULL
                ? snprintf(folder, sizeof folder, "%s", path)
                : snprintf(folder, sizeof folder, "%s/%s", stage->options->data_dir, scenario->set);
    if (n < 0 || (size_t)n >= sizeof folder) {
        return err_set(err, ERR_LIMIT, "the path of the data folder is too long");
    }
    return market_load(folder, scenario->seed, &stage->market, err);
}

/* Sessions of the run, and with them its first and last instant. */
enum err_code stage_build_sessions(struct stage *stage, struct err *err) {
    const struct scenario *scenario = stage->scenario;
    const struct calendar *calendar = market_calendar(stage->market);
    struct date first = scenario->has_start ? scenario->start : market_first_date(stage->market);
    struct date last_known = market_last_date(stage->market);
    struct session session;
    struct session last;
    int days = 0;
    if (!calendar_current_or_next(calendar, ny_to_utc(first, 0, 0), &session)) {
        return err_set(err, ERR_RANGE, "no session on or after the start");
    }
    stage->first_session = session;
    do {
        last = session;
        days++;
    } while ((scenario->days == 0 || days < scenario->days) &&
             calendar_next(calendar, last.close, &session) && session.date.days <= last_known.days);
    if (stage->first_session.date.days > last_known.days || days < scenario->days) {
        return err_set(err, ERR_RANGE, "the data has %d sessions from the start, %d are wanted",
                       days, scenario->days);
    }
    stage->start = utc_add(stage->first_session.open, SPAN_MIN(-30));
    stage->end = utc_add(last.close, SPAN_MIN(30));
    return ERR_OK;
}

static enum err_code build_universe(struct stage *stage, struct err *err) {
    struct config *config = &stage->config;
    if (config->symbol_count == 0) {
        size_t count = market_symbol_count(stage->market);
        CHECK(count <= CONFIG_SYMBOLS_MAX); /* the market refuses more */
        for (size_t i = 0; i < count; i++) {
            enum err_code code = text_copy(config->symbols[i], CONFIG_SYMBOL_MAX,
                                           market_symbol(stage->market, i), err);
            if (code != ERR_OK) {
                return err_wrap(err, "symbol '%s'", market_symbol(stage->market, i));
            }
            config->symbol_count = i + 1;
        }
    }
    for (size_t i = 0; i < config->symbol_count; i++) {
        if (market_find(stage->market, config->symbols[i]) < 0) {
            size_t count = market_symbol_count(stage->market);
            return err_set(err, ERR_CONFIG, "the market has no symbol '%s': it has %s to %s",
                           config->symbols[i], market_symbol(stage->market, 0),
                           market_symbol(stage->market, count - 1));
        }
    }
    struct text faults = {0};
    enum err_code code = config_check(config, &faults, err);
    if (code != ERR_OK) {
        code = err_set(err, ERR_CONFIG, "%s", text_get(&faults));
    }
    text_release(&faults);
    return code;
}

/* As who trades long alone, and within the gross limit, sets it; the file may say otherwise. */
static struct sim_configuration stage_configuration(const struct stage *stage) {
    const struct scenario *scenario = stage->scenario;
    int64_t most = scenario->margin_most;
    return (struct sim_configuration){.no_shorting = !scenario->is_shortable,
                                      .suspend_trade = scenario->is_suspended,
                                      .max_margin_multiplier =
                                          most != 0 ? (int)most
                                                    : rails_margin(stage->config.gross_exposure)};
}

struct broker_options stage_broker_options(const struct stage *stage) {
    const struct scenario *scenario = stage->scenario;
    struct broker_options options = broker_options_paper(scenario->seed, stage->start);
    options.cash = scenario->cash;
    options.multiplier = (int)scenario->multiplier;
    options.may_be_short = scenario->may_be_short;
    options.configuration = stage_configuration(stage);
    options.account_number = "SIM000001";
    if (scenario->has_partial_fill_chance) {
        options.partial_fill_chance = scenario->partial_fill_chance;
    }
    if (scenario->has_late_reject_chance) {
        options.late_reject_chance = scenario->late_reject_chance;
    }
    return options;
}

static enum err_code build_broker(struct stage *stage, struct err *err) {
    struct broker_options options = stage_broker_options(stage);
    options.observer = &stage->fanout.seam;
    return broker_create(stage->market, &options, &stage->broker, err);
}

static struct fault_time fault_time(const struct stage *stage, const struct when *when) {
    return when->kind == WHEN_AFTER ? fault_after(when->after)
                                    : fault_at(stage_when(stage, when, stage->start));
}

enum err_code stage_build_plan(struct stage *stage, struct err *err) {
    const struct scenario *scenario = stage->scenario;
    stage->plan = plan_create(scenario->seed, stage->clock, &stage->fanout.seam);
    for (size_t i = 0; i < scenario->fault_count; i++) {
        struct fault fault = scenario->faults[i].fault;
        fault.from = fault_time(stage, &scenario->faults[i].from);
        fault.has_until = scenario->faults[i].until.kind != WHEN_START;
        if (fault.has_until) {
            fault.until = fault_time(stage, &scenario->faults[i].until);
        }
        if (plan_add(stage->plan, &fault, err) != ERR_OK) {
            return err_wrap(err, "faults[%zu]", i);
        }
    }
    if (scenario->is_replay) {
        const enum err_code code = replay_plan(scenario, stage->plan, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return chaos_arm(stage->plan, stage->clock, err);
}

/* --- time --- */

static void clock_moved(void *context, struct utc now) {
    struct stage *stage =
        context; /* who needs the broker moves it first: most advances need nothing */
    sea_look(stage->sea);
    frame_tell_wall(stage);
    if (!utc_is_before(now, late_queue_next_at(stage->late))) {
        (void)late_queue_deliver_due(stage->late, now);
    }
    if (!utc_is_before(now, operator_next_at(stage))) {
        operator_run_due(stage, now);
    }
}

static struct utc clock_next_at(void *context) {
    const struct stage *stage = context;
    struct utc late = late_queue_next_at(stage->late);
    struct utc operator= operator_next_at(stage);
    struct utc sea = sea_next_at(stage->sea);
    struct utc first = utc_is_before(late, operator) ? late : operator;
    return utc_is_before(sea, first) ? sea : first;
}

/* --- seams --- */

static void build_machine(struct stage *stage) {
    uint64_t seed = stage->scenario->seed;
    char name[32];
    snprintf(name, sizeof name, "seed-%llu", (unsigned long long)seed);
    stage->clock = virtual_clock_create(stage->start, name);
    stage->disk = sim_disk_create(seed, disk_rules_of(DISK_PROFILE_STRICT), stage->clock);
}

static void build_seams(struct stage *stage) {
    direct_http_init(&stage->direct, stage->broker, stage->clock);
    stage->late = late_queue_create(&stage->direct.seam);
    stage->sea = sea_create(stage->plan, stage->clock, stage->market, stage->broker);
    stage->core = &stage->instances[0];
    instance_open(stage->core, stage, 0, false);
    stage->core->process.befall = company_befall;
    stage->core->process.befall_context = stage->core;
    sim_entropy_init(&stage->operator_entropy, stage->scenario->seed, "operator", 1);
    sim_host_init(&stage->operator_host);
    stage->operator_world = (struct world){.clock = virtual_clock_seam(stage->clock),
                                           .http = &stage->direct.seam,
                                           .disk = sim_disk_port(stage->disk, 1),
                                           .entropy = &stage->operator_entropy.seam,
                                           .host = &stage->operator_host.seam};
}

static void build_observers(struct stage *stage) {
    const struct calendar *calendar = market_calendar(stage->market);
    fanout_init(&stage->fanout);
    trace_init(&stage->trace);
    stage->collect = malloc(sizeof *stage->collect);
    CHECK(stage->collect != NULL);
    collect_init(stage->collect, calendar);
    watch_init(&stage->watch, stage->scenario);
    for (size_t i = 0; i < stage->scenario->unwanted_count; i++) {
        const struct when *from = &stage->scenario->unwanted[i].from;
        watch_allow_until(&stage->watch, i, stage_when(stage, from, stage->start));
    }
    stage->oracle = oracle_create();
    operator_rules_init(stage);
    fanout_add(&stage->fanout, &stage->trace.seam);
    if (!stage->options->without_judges) {
        fanout_add(&stage->fanout, &stage->collect->seam);
        fanout_add(&stage->fanout, &stage->watch.seam);
        fanout_add(&stage->fanout, oracle_observer(stage->oracle));
    }
    fanout_add(&stage->fanout, stage->options->observer);
    fanout_add(&stage->fanout, &stage->rules); /* last: it may act, and tell while it is told */
}

enum err_code stage_build(struct stage *stage, struct err *err) {
    stage->scenario = stage->options->scenario;
    stage->config = stage->scenario->config;
    enum err_code code = stage_build_market(stage, err);
    if (code == ERR_OK) {
        code = stage_build_sessions(stage, err);
    }
    if (code == ERR_OK) {
        code = build_universe(stage, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    build_observers(stage);
    build_machine(stage);
    code = build_broker(stage, err);
    if (code == ERR_OK) {
        code = stage_build_plan(stage, err);
    }
    if (code == ERR_OK) {
        code = operator_plan(stage, err);
    }
    if (code == ERR_OK) {
        build_seams(stage);
        stage->messenger = stage->scenario->has_courier ? messenger_create(stage) : NULL;
        const struct virtual_clock_hook hook = {clock_moved, clock_next_at, stage};
        virtual_clock_set_hook(stage->clock, &hook);
    }
    return code;
}

void stage_release(struct stage *stage) {
    if (stage->clock != NULL) {
        virtual_clock_set_hook(stage->clock, NULL);
    }
    for (size_t i = 0; i < sizeof stage->instances / sizeof stage->instances[0]; i++) {
        instance_close(&stage->instances[i]);
    }
    messenger_destroy(stage->messenger);
    if (stage->late != NULL) {
        late_queue_destroy(stage->late);
    }
    sea_destroy(stage->sea);
    if (stage->plan != NULL) {
        chaos_disarm(stage->plan);
        plan_destroy(stage->plan);
    }
    if (stage->disk != NULL) {
        shelf_release(&stage->shelf);
        logbook_release(&stage->logbook);
        sim_disk_destroy(stage->disk);
    }
    if (stage->broker != NULL) {
        broker_destroy(stage->broker);
    }
    if (stage->clock != NULL) {
        virtual_clock_destroy(stage->clock);
        oracle_destroy(stage->oracle);
        trace_release(&stage->trace);
    }
    if (stage->collect != NULL) {
        collect_release(stage->collect);
        free(stage->collect);
    }
    if (stage->market != NULL) {
        market_destroy(stage->market);
    }
}
