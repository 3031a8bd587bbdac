/* drill.c - the shadow, the trips, and what must be refused behind each. */
#include "core/orders/drill.h"

#include "core/base/check.h"
#include "core/base/mutant.h"
#include "core/orders/position_sign.h"
#include "core/orders/validation.h"
#include "core/risk/crash_loop_freeze.h"
#include "core/risk/kill_switch.h"
#include "core/world/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct drill_shadow {
    struct sealed_world sealed;
    struct log log;
    struct causes causes;
    struct account_guards guards;
    struct book book;       /* one share, to be sold */
    struct orders orders;   /* none */
    struct gateway gateway; /* a copy: its pointers are the live ones but for those above */
    const struct gateway *live;
    struct equity_reading reading;
};

static const struct span APART = {INT64_C(61000000000)}; /* two readings confirm in any session */

/* --- the shadow --- */

/* As before each trip: nothing holds, nothing was counted. */
static void calm(struct drill_shadow *shadow) {
    shadow->causes.count = 0;
    shadow->guards = *shadow->live->guards;
    shadow->guards.causes = &shadow->causes;
    shadow->guards.loss = shadow->guards.floor = shadow->guards.drawdown = (struct guard_step){0};
    memset(&shadow->gateway.volume, 0, sizeof shadow->gateway.volume);
    memset(&shadow->gateway.repeats, 0, sizeof shadow->gateway.repeats);
}

static struct drill_shadow *shadow_create(const struct gateway *live,
                                          const struct equity_reading *reading) {
    struct drill_shadow *shadow = calloc(1, sizeof *shadow);
    CHECK(shadow != NULL);
    shadow->live = live;
    shadow->reading = *reading;
    /* what was paid in moves limits and readings alike */
    shadow->reading.flows_today = shadow->reading.flows_ever = (struct usd){0};
    /* a moment on: a clock at 0 says "never" */
    sealed_world_init(&shadow->sealed, reading->at,
                      mono_add(clock_mono(live->world->clock), SPAN_S(1)));
    log_init(&shadow->log, &shadow->sealed.world, live->config);
    causes_init(&shadow->causes, &shadow->sealed.world, &shadow->log);
    shadow->gateway = *live;
    shadow->gateway.causes = &shadow->causes;
    MUTATE(drill_trips_the_real_latch, shadow->gateway.causes = live->causes);
    shadow->gateway.guards = &shadow->guards;
    shadow->gateway.book = &shadow->book;
    shadow->gateway.orders = &shadow->orders;
    shadow->orders.world = &shadow->sealed.world;
    shadow->orders.book = &shadow->book;
    struct holding *holding = book_get(&shadow->book, live->config->symbols[0]);
    CHECK(holding != NULL);
    holding->qty = holding->broker_qty = QTY(1);
    holding->is_listed = true;
    calm(shadow);
    return shadow;
}

static void shadow_destroy(struct drill_shadow *shadow) {
    causes_release(&shadow->causes);
    log_release(&shadow->log);
    free(shadow);
}

/* --- trips --- */

/* What another's deed brings about: a person's, a second writer's, a disk's. */
static void trip_by_name(struct drill_shadow *shadow, const struct drill_latch *latch) {
    causes_latch(shadow->gateway.causes, latch->cause, latch->mode, "drill", "tried");
}

/* Two readings, a stated time apart. */
static void read_twice(struct drill_shadow *shadow, struct usd equity) {
    struct equity_reading *reading = &shadow->reading;
    const struct equity_reading kept = *reading;
    reading->is_trusted = true;
    reading->equity = equity;
    account_guards_judge(&shadow->guards, reading);
    reading->at = utc_add(reading->at, APART);
    account_guards_judge(&shadow->guards, reading);
    *reading = kept;
}

/* Today's baseline or, while the day has none, what the account is worth now. */
static void trip_loss(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct account_guards *guards = &shadow->guards;
    (void)latch;
    if (guards->baseline_day.days != shadow->reading.exchange_day.days) {
        guards->baseline_day = shadow->reading.exchange_day;
        guards->baseline = shadow->reading.equity;
    }
    read_twice(shadow, usd_sub(guards->baseline, daily_loss_limit(guards)));
}

static void trip_floor(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct account_guards *guards = &shadow->guards;
    (void)latch;
    if (!guards->has_go_live) {
        guards->has_go_live = true;
        guards->go_live = shadow->reading.equity;
    }
    const struct usd share = usd_scale(guards->go_live, guards->config->equity_floor_share);
    const struct usd floor = usd_max(guards->config->equity_floor_usd, share);
    read_twice(shadow, usd_sub(floor, (struct usd){1}));
}

static void trip_drawdown(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct account_guards *guards = &shadow->guards;
    (void)latch;
    if (!guards->has_peak || guards->peak.nanos <= 0) {
        guards->has_peak = true;
        guards->peak = shadow->reading.equity;
    }
    const struct usd fall = usd_scale(guards->peak, guards->config->max_drawdown);
    read_twice(shadow, usd_sub(guards->peak, fall));
}

static struct journal_row row_of(const struct drill_shadow *shadow, const char *kind,
                                 const char *key, const char *body) {
    return (struct journal_row){.at = shadow->sealed.utc, .kind = kind, .key = key, .body = body};
}

/* One fill of all that a day may see, at an equity with which no legal share of it overflows. */
static void trip_volume(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct daily_volume *volume = &shadow->gateway.volume;
    const struct config *config = shadow->gateway.config;
    struct text body = {.limit = 512};
    (void)latch;
    volume->equity = USD(100000);
    text_add(&body, "{\"symbol\":\"DRILL\",\"side\":\"buy\",\"qty\":\"1\"");
    text_member_decimal(&body, "amount", usd_scale(volume->equity, config->volume_day_share).nanos);
    text_add_char(&body, '}');
    const struct journal_row row = row_of(shadow, "fill", "drill", text_get(&body));
    daily_volume_take(volume, config, &row);
    daily_volume_step(volume, shadow->gateway.causes);
    text_release(&body);
}

static void trip_repeats(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct repeat_throttle *repeats = &shadow->gateway.repeats;
    (void)latch;
    for (int64_t i = 0; i < shadow->gateway.config->repeats; i++) {
        char key[32];
        snprintf(key, sizeof key, "drill-%lld", (long long)i);
        const struct journal_row row = row_of(shadow, "intent", key,
                                              "{\"symbol\":\"DRILL\",\"side\":\"buy\","
                                              "\"purpose\":\"entry\",\"replaces\":\"\"}");
        repeat_throttle_take(repeats, shadow->gateway.config, &row);
    }
    repeat_throttle_step(repeats, shadow->gateway.causes);
}

static void trip_rejects(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct kill_rejects rejects = {.count = 0};
    (void)latch;
    for (int64_t i = 0; i < shadow->gateway.config->kill_rejects; i++) {
        kill_rejects_note(&rejects, shadow->sealed.mono);
    }
    kill_rejects_step(&rejects, shadow->gateway.causes, shadow->gateway.config);
}

static void trip_auth(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct kill_trips trips = {.unclean_since = {0}};
    const struct config *config = shadow->gateway.config;
    (void)latch;
    for (int time = 0; time < 2; time++) {
        kill_trips_note_read(&trips, 0, 401, shadow->sealed.mono);
        kill_trips_note_read(&trips, 1, 403, shadow->sealed.mono);
        kill_trips_step(&trips, shadow->gateway.causes, config, true, false);
        sealed_world_advance(&shadow->sealed, config->kill_auth);
    }
}

static void trip_outage(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct kill_trips trips = {.unclean_since = {0}};
    const struct config *config = shadow->gateway.config;
    (void)latch;
    for (int time = 0; time < 2; time++) {
        kill_trips_step(&trips, shadow->gateway.causes, config, false, false);
        sealed_world_advance(&shadow->sealed, config->kill_outage);
    }
}

static void trip_crash_loop(struct drill_shadow *shadow, const struct drill_latch *latch) {
    struct crash_loop loop = {.is_running = false};
    (void)latch;
    for (int64_t i = 0; i < shadow->gateway.config->crash_ticks; i++) {
        crash_loop_tick(&loop, shadow->gateway.config, shadow->gateway.causes, "drill");
    }
}

/* kill.divergence may be off; then what remains of it is its name. */
static void trip_divergence(struct drill_shadow *shadow, const struct drill_latch *latch) {
    if (shadow->gateway.config->kill_divergence) {
        kill_trips_diverged(shadow->gateway.causes, shadow->gateway.config, "tried");
    } else {
        trip_by_name(shadow, latch);
    }
}

static void trip_sign(struct drill_shadow *shadow, const struct drill_latch *latch) {
    (void)latch;
    position_sign_latch(shadow->gateway.causes, "drill", QTY(-1));
}

static const struct drill_latch LATCHES[] = {
    {"operator_freeze", MODE_HALT, trip_by_name},
    {CRASH_LOOP_CAUSE, MODE_REDUCE_ONLY, trip_crash_loop},
    {KILL_OPERATOR, MODE_REDUCE_ONLY, trip_by_name},
    {KILL_REPEATED, MODE_REDUCE_ONLY, trip_by_name},
    {KILL_REJECTS, MODE_REDUCE_ONLY, trip_rejects},
    {KILL_AUTH, MODE_REDUCE_ONLY, trip_auth},
    {KILL_OUTAGE, MODE_REDUCE_ONLY, trip_outage},
    {KILL_DIVERGENCE, MODE_REDUCE_ONLY, trip_divergence},
    {"daily_loss", MODE_REDUCE_ONLY, trip_loss},
    {"equity_floor", MODE_REDUCE_ONLY, trip_floor},
    {"max_drawdown", MODE_REDUCE_ONLY, trip_drawdown},
    {"daily_volume", MODE_REDUCE_ONLY, trip_volume},
    {"amnesia", MODE_REDUCE_ONLY, trip_by_name},
    {"state_regression", MODE_REDUCE_ONLY, trip_by_name},
    {"second_writer", MODE_HALT, trip_by_name},
    {POSITION_SIGN_CAUSE, MODE_REDUCE_ONLY, trip_sign},
    {"repeat_throttle", MODE_REDUCE_ONLY, trip_repeats},
    {"journal_down", MODE_REDUCE_ONLY, trip_by_name},
    {"wrong_account", MODE_HALT, trip_by_name},
    {"lease_lost", MODE_HALT, trip_by_name},
    {"freezes_unreadable", MODE_REDUCE_ONLY, trip_by_name},
    {"freezes_missing", MODE_REDUCE_ONLY, trip_by_name},
    {"unknown_causes", MODE_REDUCE_ONLY, trip_by_name},
    {"too_many_causes", MODE_HALT, trip_by_name},
    {DRILL_CAUSE, MODE_REDUCE_ONLY, trip_by_name},
};

const struct drill_latch *drill_latches(size_t *count) {
    *count = sizeof LATCHES / sizeof LATCHES[0];
    return LATCHES;
}

/* --- what must be refused --- */

/* The smallest order that there is; of an entry only its mode is asked about. */
static enum refusal_code ask(const struct drill_shadow *shadow, enum order_purpose purpose,
                             struct refusal *refusal) {
    struct order intent = {
        .type = ORDER_LIMIT, .tif = TIF_DAY, .purpose = purpose, .reason = "drill"};
    intent.side = purpose == PURPOSE_EXIT ? SIDE_SELL : SIDE_BUY;
    intent.qty = QTY(1);
    intent.limit_price = USD(1);
    memcpy(intent.symbol, shadow->gateway.config->symbols[0], sizeof intent.symbol);
    const bool is_exit = intent_is_exit(&shadow->gateway, &intent);
    return check_intent(&shadow->gateway, &intent, is_exit, refusal);
}

static bool is_for_the_mode(enum refusal_code code) {
    return code == REFUSED_MODE || code == REFUSED_HALT;
}

/* Leaves the cause alone in the set: what a reading at one limit brings about beside it proves nothing. NULL:
 * it is not there. */
static const struct cause *alone(struct causes *causes, const char *name) {
    for (size_t i = 0; i < causes->count; i++) {
        if (strcmp(causes->items[i].name, name) == 0) {
            causes->items[0] = causes->items[i];
            causes->count = 1;
            return &causes->items[0];
        }
    }
    return NULL;
}

/* NULL: the latch held, and refusal tells how. */
static const char *try_latch(struct drill_shadow *shadow, const struct drill_latch *latch,
                             struct refusal *refusal) {
    struct refusal exit = {.code = REFUSED_NONE};
    if (is_for_the_mode(ask(shadow, PURPOSE_ENTRY, refusal))) {
        return "refused before it was tripped";
    }
    latch->trip(shadow, latch);
    const struct cause *cause = alone(shadow->gateway.causes, latch->cause);
    if (cause == NULL || !cause->is_latched) {
        return "did not latch at its limit";
    }
    if (cause->mode < latch->mode) {
        return "demands too little";
    }
    if (!is_for_the_mode(ask(shadow, PURPOSE_ENTRY, refusal))) {
        return "latched, and an entry would have passed";
    }
    bool is_held_in = ask(shadow, PURPOSE_EXIT, &exit) != REFUSED_NONE;
    return latch->mode < MODE_HALT && is_held_in ? "holds an exit in" : NULL;
}

static void report_latch(struct drill_report *report, const struct drill_latch *latch,
                         const struct refusal *refusal, const char *fault) {
    if (fault == NULL) {
        char text[sizeof refusal->numbers + 32];
        snprintf(text, sizeof text, "%s, %s", refusal_word(refusal->code), refusal->numbers);
        text_member_string(&report->refused, latch->cause, text);
        report->held++;
    } else if (report->why[0] == '\0') {
        snprintf(report->why, sizeof report->why, "%s %s", latch->cause, fault);
    }
}

void drill_run(const struct gateway *gateway, const struct equity_reading *reading,
               const struct drill_latch *latches, size_t count, struct drill_report *report) {
    struct drill_shadow *shadow = shadow_create(gateway, reading);
    *report = (struct drill_report){.refused = {.limit = 8192}};
    for (size_t i = 0; i < count; i++) {
        struct refusal refusal = {.code = REFUSED_NONE};
        calm(shadow);
        const char *fault = try_latch(shadow, &latches[i], &refusal);
        report_latch(report, &latches[i], &refusal, fault);
    }
    shadow_destroy(shadow);
}

void drill_conclude(const struct drill_report *report, struct causes *causes) {
    MUTATE(drill_fails_in_silence, return);
    if (report->why[0] != '\0') {
        causes_latch(causes, DRILL_CAUSE, MODE_REDUCE_ONLY, "core", report->why);
    }
}

/* --- its row --- */

void drill_print(const struct drill_report *report, const struct drill_past *now,
                 struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "build", now->build);
    text_member_string(out, "config", now->config);
    text_member_string(out, "failed", report->why);
    text_add(out, ",\"refused\":{");
    text_add(out, text_get(&report->refused));
    text_add(out, "}}");
}

/* One that failed is as good as none: the next is due as soon as its latch is ended. */
void drill_past_take(struct drill_past *past, const struct journal_row *row) {
    struct drill_past next = {.day = {0}};
    const char *build = "";
    const char *config = "";
    const char *failed = "";
    cJSON *body = NULL;
    if (strcmp(row->kind, "drill") != 0) {
        return;
    }
    *past = next;
    if (json_parse(row->body, strlen(row->body), &body, NULL) != ERR_OK) {
        return;
    }
    if (json_string(body, "build", &build, NULL) == ERR_OK &&
        json_string(body, "config", &config, NULL) == ERR_OK &&
        json_string(body, "failed", &failed, NULL) == ERR_OK && failed[0] == '\0' &&
        date_parse(row->key, &next.day, NULL) == ERR_OK &&
        text_copy(next.build, sizeof next.build, build, NULL) == ERR_OK &&
        text_copy(next.config, sizeof next.config, config, NULL) == ERR_OK) {
        *past = next;
    }
    cJSON_Delete(body);
}

bool drill_past_is(const struct drill_past *past, const struct drill_past *wanted) {
    bool is_day = past->day.days == wanted->day.days;
    bool is_config = strcmp(past->config, wanted->config) == 0;
    MUTATE(drill_of_yesterday_counts, is_day = past->day.days != 0);
    MUTATE(drill_of_other_limits_counts, is_config = true);
    return is_day && is_config && strcmp(past->build, wanted->build) == 0;
}
