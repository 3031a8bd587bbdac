/* drill.h - every latch is tripped before the day, in a shadow: a safety that does not act is found on a morning on
 * which nothing depends on it.
 *
 * The shadow has the live configuration and guards, gateway, account and book as they stand, causes of its
 * own that hold nothing, and a world that nothing leaves (sealed.h). In it each latch is brought about in turn - a limit by
 * a reading, a row or a count exactly at it, what only another's deed brings about by its name - and then
 * an entry must be refused for its mode, as it was not before, and an exit must pass unless it is
 * HALT. Nothing is sent, and no real latch is touched. The row `drill` of the journal, key the exchange day,
 * holds the order that was refused for each latch, and the build and configuration that it was tried with.
 *
 * A latch that did not hold is itself a latch, `drill`, REDUCE_ONLY, until an operator ends it; then all of them are
 * tried anew. Our rule: no source but the audited bot, whose every latch read well and held nothing. */
#ifndef CORE_ORDERS_DRILL_H
#define CORE_ORDERS_DRILL_H

#include "core/orders/gateway.h"

#define DRILL_CAUSE "drill"
#define DRILL_WHY_MAX 160

struct drill_shadow;

struct drill_latch {
    const char *cause; /* that must hold behind the trip */
    enum mode mode;    /* that it must demand */
    void (*trip)(struct drill_shadow *shadow, const struct drill_latch *latch);
};

struct drill_report {
    struct text refused;     /* JSON members: of each latch that held, by cause, what was refused */
    size_t held;             /* latches that did */
    char why[DRILL_WHY_MAX]; /* of the first that did not; "" */
};

/* All of them; static storage. */
const struct drill_latch *drill_latches(size_t *count);
/* Tries each. gateway is live and stays as it is; reading is the account's, explained, its equity above zero.
 * The caller releases report->refused. */
void drill_run(const struct gateway *gateway, const struct equity_reading *reading,
               const struct drill_latch *latches, size_t count, struct drill_report *report);
/* Latches DRILL_CAUSE if one did not hold. */
void drill_conclude(const struct drill_report *report, struct causes *causes);

/* Which day, build and configuration the last drill that passed was of. Zero-initialise. */
struct drill_past {
    struct date day;
    char build[40];
    char config[17];
};

/* Takes a row `drill`, at the fold and as it becomes durable. */
void drill_past_take(struct drill_past *past, const struct journal_row *row);
bool drill_past_is(const struct drill_past *past, const struct drill_past *wanted);
/* The body of the row. */
void drill_print(const struct drill_report *report, const struct drill_past *now, struct text *out);

#endif
