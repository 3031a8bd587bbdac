/* healing.c - the checks of health_supervisor, made behind all that a full tick asks, and its own healings. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

static const char MECHANISM[] = "health_supervisor";

/* --- checks --- */

/* Of reads alone: what changes something goes out on a connection of its own. */
static bool is_read_of(enum alpaca_endpoint endpoint, enum health_check check) {
    bool is_data = endpoint >= ENDPOINT_QUOTES;
    bool is_change =
        endpoint == ENDPOINT_SUBMIT || endpoint == ENDPOINT_REPLACE || endpoint == ENDPOINT_CANCEL;
    return !is_change && is_data == (check == HEALTH_DATA);
}

/* By what was counted since the last look: one answer is enough, whatever it says but 5xx. */
static enum health_news look_at_line(struct engine *engine, enum health_check check) {
    struct line_seen *seen = &engine->lines[check];
    struct line_seen now = {0};
    for (int i = 0; i < ENDPOINT_COUNT; i++) {
        const struct alpaca_meter *meter = alpaca_meter(engine->alpaca, (enum alpaca_endpoint)i);
        if (is_read_of((enum alpaca_endpoint)i, check)) {
            now.failed += meter->failed;
            now.answered += meter->requests - meter->failed;
        }
    }
    bool is_answered = now.answered > seen->answered;
    bool has_failed = now.failed > seen->failed;
    *seen = now;
    return is_answered ? HEALTH_WELL : has_failed ? HEALTH_AILING : HEALTH_NO_NEWS;
}

static enum health_news look(struct engine *engine, enum health_check check) {
    switch (check) {
    case HEALTH_BROKER:
    case HEALTH_DATA:
        return look_at_line(engine, check);
    case HEALTH_LOG:
        return log_is_kept(&engine->log) ? HEALTH_WELL : HEALTH_AILING;
    case HEALTH_JOURNAL:
        return engine->gateway.is_journal_down ? HEALTH_AILING : HEALTH_WELL;
    case HEALTH_CHECK_COUNT:
        break;
    }
    return HEALTH_NO_NEWS;
}

/* --- steps --- */

static void tell(struct engine *engine, enum health_check check, const char *what,
                 enum health_step step) {
    const struct health_state *state = &engine->health[check];
    struct text members = {.limit = 512};
    text_member_string(&members, "step", health_step_word(step));
    text_member_int(&members, "healed", state->healed);
    text_member_int(&members, "failed", state->failed);
    log_mechanism(&engine->log, MECHANISM, what, "", health_check_word(check), text_get(&members));
    text_release(&members);
}

static void take(struct engine *engine, enum health_check check, enum health_step step) {
    if (step == HEALTH_ALERT) {
        log_alert(&engine->log, ALERT_PAGE, "log_not_kept",
                  "log.jsonl takes no line: what happens is told nowhere but in the view");
        return;
    }
    if (check == HEALTH_LOG) {
        log_reopen(&engine->log);
        return;
    }
    MUTATE(reconnects_in_name_only, return);
    http_reconnect(engine->world->http);
    /* or its proof would wait as long as they do */
    struct mono now = clock_mono(engine->world->clock);
    if (check == HEALTH_DATA) {
        smart_poller_hurry(&engine->poller, now);
        return;
    }
    for (int i = 0; i < READS_BACKED_OFF; i++) {
        read_backoff_hurry(&engine->reads[i], now);
    }
}

static void step_check(struct engine *engine, enum health_check check) {
    struct health_state *state = &engine->health[check];
    const struct health_row row = health_row_of(check, engine->config);
    const struct mono now = clock_mono(engine->world->clock);
    if (!health_is_due(state, &row, now)) {
        return;
    }
    const enum health_news news = look(engine, check);
    const enum health_outcome outcome = health_note(state, news, now);
    if (outcome != HEALING_NONE) {
        tell(engine, check, outcome == HEALING_HELPED ? "released" : "held", HEALTH_RECONNECT);
    }
    enum health_step step = HEALTH_NOTHING;
    while (news == HEALTH_AILING && (step = health_next(state, &row, now)) != HEALTH_NOTHING) {
        take(engine, check, step);
        tell(engine, check, "acted", step);
    }
}

void healing_step(struct engine *engine) {
    for (int i = 0; i < HEALTH_CHECK_COUNT; i++) {
        step_check(engine, (enum health_check)i);
    }
}
