/* never_short.c - never_short: no execution of the core's own leaves an account short that starts flat. The bust of
 * a purchase whose shares are sold, or somebody else's sale, may, where the account can be short; what follows is
 * short_is_bought_back's. The core's sale of what is short already breaks it. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct position {
    char symbol[TABLE_NAME_MAX];
    struct qty qty;
    bool is_reported;
};

static void *never_short_create(void) {
    struct table *positions = judge_alloc(sizeof *positions);
    *positions = table_of(sizeof(struct position));
    return positions;
}

static void never_short_destroy(void *context) {
    table_release(context);
    free(context);
}

static void never_short_observe(void *context, const struct event *event,
                                struct findings *findings) {
    struct position *position = table_get(context, event->symbol);
    position->qty = strcmp(event->subject, "sell") == 0 ? qty_sub(position->qty, event->qty)
                                                        : qty_add(position->qty, event->qty);
    bool is_sale = is_word(event->subject, "sell") && scene_is_ours(findings->scene, event->id);
    if (is_sale && position->qty.nanos < 0 && !position->is_reported) {
        position->is_reported = true;
        char is[DECIMAL_TEXT_MAX];
        decimal_print(position->qty.nanos, is);
        findings_break(findings, ORACLE_NEVER_SHORT, event->at, "%s: %s shares after %s",
                       event->symbol, is, event->id);
    }
}

const struct judge_ops never_short_judge = {KIND(EVENT_LEDGER_FILL), never_short_create,
                                            never_short_observe, never_short_destroy};
