/* drills.c - when the latches are drilled: once an exchange day, from drill.before_open_s before its open, and at once with
 * another build or other settings; as soon as the account that their limits are held against is known. Nothing is
 * entered before the row of a drill that held is durable: a journal that does not take it is lost. An exit
 * that is at work goes first. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <string.h>

static const char MECHANISM[] = "drill";

static struct drill_past wanted_now(const struct engine *engine) {
    struct drill_past wanted = {.day = engine->truth.day};
    memcpy(wanted.build, engine->build, sizeof wanted.build);
    memcpy(wanted.config, engine->settings_hash, sizeof wanted.config);
    return wanted;
}

bool drill_is_done(const struct engine *engine) {
    const struct drill_past wanted = wanted_now(engine);
    return !engine->config->drill_on || drill_past_is(&engine->drilled, &wanted);
}

static bool is_near(const struct engine *engine) {
    const struct truth *truth = &engine->truth;
    const struct span to_open = utc_sub(truth->session.open, clock_utc(engine->world->clock));
    bool is_other = strcmp(engine->drilled.build, engine->build) != 0 ||
                    strcmp(engine->drilled.config, engine->settings_hash) != 0;
    return truth->day.days != 0 && (is_other || to_open.ns <= engine->config->drill_lead.ns);
}

/* The account is known as an entry needs it, and ours; the row can be written; nobody has to hurry out. */
static bool is_ready(const struct engine *engine) {
    const struct truth *truth = &engine->truth;
    const struct span age = mono_sub(clock_mono(engine->world->clock), truth->account_at);
    bool is_known = truth->has_account && truth->is_equity_explained &&
                    truth->account.equity.nanos > 0 && age.ns <= engine->config->truth_max_age.ns &&
                    !is_elsewhere(engine);
    bool may_write = !engine->gateway.is_journal_down && !lease_is_lost(engine->lease);
    return is_known && may_write && !exits_are_urgent(&engine->exits);
}

static bool is_due(const struct engine *engine) {
    MUTATE(drill_ignored, return false);
    return !drill_is_done(engine) && !engine->gateway.only_reduces && !engine->is_stopping &&
           is_near(engine) && is_ready(engine) && !causes_has(&engine->causes, DRILL_CAUSE);
}

/* One that failed is told by its latch. */
static void tell(struct engine *engine, const struct drill_report *report, const char *day) {
    struct text members = {.limit = 512};
    text_member_int(&members, "held", (int64_t)report->held);
    log_mechanism(&engine->log, MECHANISM, "released", "", day, text_get(&members));
    text_release(&members);
}

static void note(struct engine *engine, const struct drill_report *report) {
    const struct drill_past now = wanted_now(engine);
    struct text body = {.limit = 10240};
    char day[DATE_TEXT_MAX];
    date_print(now.day, day);
    drill_print(report, &now, &body);
    if (journal_append(engine->journal, "drill", day, text_get(&body), NULL, NULL) == ERR_OK &&
        journal_commit(engine->journal, NULL) == ERR_OK) {
        if (report->why[0] == '\0') {
            tell(engine, report, day);
        }
    } else {
        gateway_lose_journal(&engine->gateway, "the journal does not take the drill");
    }
    text_release(&body);
}

/* Behind what asks and what leaves, before entries. */
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
