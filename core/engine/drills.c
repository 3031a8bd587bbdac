/* drills.c - when the latches are drilled: once an exchange day, from drill.before_open_s before its open, and again with
 * another build or configuration, as soon as the account was read; at the latest in the tick of the day's
 * first entry, which needs the account too. Its row is durable before that tick decides. While the journal
 * takes none there are no entries, and no drill. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

static const char MECHANISM[] = "drill";

static struct drill_past wanted_now(const struct engine *engine) {
    struct drill_past wanted = {.day = engine->truth.day};
    memcpy(wanted.build, engine->build, sizeof wanted.build);
    config_hash(engine->config, wanted.config);
    return wanted;
}

static bool is_near(const struct engine *engine) {
    const struct truth *truth = &engine->truth;
    const struct span to_open = utc_sub(truth->session.open, clock_utc(engine->world->clock));
    return truth->day.days != 0 && to_open.ns <= engine->config->drill_lead.ns;
}

/* The account that its limits are held against is there, and ours. */
static bool is_ready(const struct engine *engine) {
    const struct truth *truth = &engine->truth;
    return truth->has_account && truth->account.equity.nanos > 0 && !is_elsewhere(engine) &&
           !engine->gateway.is_journal_down;
}

static bool is_due(const struct engine *engine) {
    MUTATE(drill_ignored, return false);
    if (!engine->config->drill_on || engine->gateway.only_reduces || engine->is_stopping ||
        !is_near(engine) || !is_ready(engine) || causes_has(&engine->causes, DRILL_CAUSE)) {
        return false;
    }
    const struct drill_past wanted = wanted_now(engine);
    return !drill_past_is(&engine->drilled, &wanted);
}

static void note(struct engine *engine, const struct drill_report *report) {
    const struct drill_past now = wanted_now(engine);
    struct text body = {.limit = 10240};
    char day[DATE_TEXT_MAX];
    date_print(now.day, day);
    drill_print(report, &now, &body);
    if (journal_append(engine->journal, "drill", day, text_get(&body), NULL, NULL) == ERR_OK) {
        (void)!journal_commit(engine->journal, NULL);
    }
    text_release(&body);
    struct text members = {.limit = 512};
    text_member_int(&members, "held", (int64_t)report->held);
    text_member_string(&members, "failed", report->why);
    log_mechanism(&engine->log, MECHANISM, "acted", "", day, text_get(&members));
    text_release(&members);
}

void drill_step(struct engine *engine) {
    if (!is_due(engine)) {
        return;
    }
    size_t count = 0;
    const struct drill_latch *latches = drill_latches(&count);
    const struct equity_reading reading = reading_now(engine);
    struct drill_report report;
    drill_run(&engine->gateway, &reading, latches, count, &report);
    note(engine, &report);
    drill_conclude(&report, &engine->causes);
    text_release(&report.refused);
}
