/* exits.c - exits_leave: from "releasing" (the market trades, the core means to sell) an exit is over,
 * or a person was paged about it, within 60 s.
 *
 * Over is the core's word, or the ledger's: as much sold since as was meant, or flat. (With its journal
 * down a core sells and cannot book; its own word then comes when the disk is back.) Only the ledger's is an
 * act; by the core's alone, or a page, it was due, and nothing more.
 * "decided" waits for an open market and starts no clock; going back to it ends the clock, because
 * protection rests again. What the ledger did within a tick is told after the tick, by its own time: a
 * verdict waits for it. A dead process cannot leave: its clocks end with it and its successor's
 * "releasing" starts a new one. Under HALT nothing is sent by design: a maybe. */
#include "core/base/mutant.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "exit_execution";
static const struct span MOST = {INT64_C(60000000000)};

struct leaving {
    char symbol[TABLE_NAME_MAX];
    bool is_open;
    struct utc since;
    struct qty meant; /* to sell, as the core said */
    struct qty sold;  /* by the ledger since `since` */
    struct qty position;
    bool was_halted;
    bool is_said; /* over, by the core; the ledger may yet tell of its sale, behind the tick */
    struct two_clocks clocks;
};

struct exits {
    struct table symbols;
    size_t open;
    bool is_halted;
    struct utc tick_at; /* the last, not yet judged; {0}: none */
};

static void *exits_create(void) {
    struct exits *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct leaving));
    return judge;
}

static void exits_destroy(void *context) {
    struct exits *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

static void close_one(struct exits *judge, struct leaving *leaving) {
    judge->open -= leaving->is_open;
    leaving->is_open = false;
    leaving->is_said = false;
    leaving->clocks = (struct two_clocks){0};
}

/* By the ledger. */
static bool has_left(const struct leaving *leaving) {
    return leaving->position.nanos <= 0 || qty_cmp(leaving->sold, leaving->meant) >= 0;
}

/* It left; or somebody said so, or that it cannot. */
static void end_one(struct exits *judge, struct leaving *leaving, struct utc at,
                    struct findings *findings) {
    if (leaving->is_open) {
        struct score *score = findings_score(findings, MECHANISM);
        clocks_known(&leaving->clocks, score, leaving->clocks.true_at, true);
        if (has_left(leaving)) {
            (void)clocks_act(&leaving->clocks, score, at);
        }
    }
    close_one(judge, leaving);
}

/* As of the last tick, once. */
static void judge_time(struct exits *judge, struct findings *findings) {
    const struct utc at = judge->tick_at;
    judge->tick_at = (struct utc){0};
    for (size_t i = 0; at.ns != 0 && judge->open > 0 && i < judge->symbols.count; i++) {
        struct leaving *leaving = table_at(&judge->symbols, i);
        const struct utc up_since = findings->scene->up_since; /* it may have stood still */
        struct utc since = utc_is_before(leaving->since, up_since) ? up_since : leaving->since;
        if (leaving->is_said) {
            end_one(judge, leaving, at, findings);
        }
        if (!leaving->is_open || utc_sub(at, since).ns <= MOST.ns) {
            continue;
        }
        close_one(judge, leaving);
        if (leaving->was_halted) {
            findings_excuse(findings, ORACLE_EXITS, at, "%s: halted", leaving->symbol);
        } else {
            score_passed(findings_score(findings, MECHANISM), at);
            findings_break(findings, ORACLE_EXITS, at,
                           "%s: still there 60 s after the exit began, and nobody was paged",
                           leaving->symbol);
        }
    }
}

static void take_phase(struct exits *judge, const struct event *event, struct findings *findings) {
    struct leaving *leaving = table_get(&judge->symbols, event->symbol);
    if (strcmp(event->what, "releasing") == 0) {
        close_one(judge, leaving);
        leaving->is_open = true;
        leaving->since = event->at;
        clocks_true(&leaving->clocks, event->at, true, (struct usd){0});
        leaving->meant = event->qty;
        leaving->sold = (struct qty){0};
        leaving->was_halted = judge->is_halted;
        judge->open++;
    } else if (is_word(event->what, "over")) {
        leaving->is_said = leaving->is_open;
        if (has_left(leaving)) {
            end_one(judge, leaving, event->at, findings);
        }
    } else if (!is_word(event->what, "working") && !is_word(event->what, "resumed")) {
        /* back to decided */
        close_one(judge, leaving);
    }
}

/* A page about exits, or one whose text is the symbol, tells a person. */
static bool is_told(const struct leaving *leaving, const struct event *event) {
    bool is_page = event->kind == EVENT_ALERT && is_word(event->subject, "page");
    return is_page && leaving->is_open &&
           (strstr(event->body, leaving->symbol) != NULL || strncmp(event->what, "exit", 4) == 0);
}

static bool is_any_told(const struct exits *judge, const struct event *event) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        if (is_told(table_at(&judge->symbols, i), event)) {
            return true;
        }
    }
    return false;
}

static void take_page(struct exits *judge, const struct event *event, struct findings *findings) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        struct leaving *leaving = table_at(&judge->symbols, i);
        if (is_told(leaving, event)) {
            end_one(judge, leaving, event->at, findings);
        }
    }
}

/* Told behind the tick that is not yet judged, and no news after it. */
static bool is_of_tick(const struct exits *judge, const struct event *event) {
    return event->kind == EVENT_ALERT
               ? !is_any_told(judge, event)
               : event->kind == EVENT_LEDGER_FILL && !utc_is_before(judge->tick_at, event->at);
}

static void take_fill(struct exits *judge, const struct event *event, struct findings *findings) {
    struct leaving *leaving = table_get(&judge->symbols, event->symbol);
    bool is_sale = strcmp(event->subject, "sell") == 0;
    leaving->position =
        is_sale ? qty_sub(leaving->position, event->qty) : qty_add(leaving->position, event->qty);
    leaving->sold = is_sale ? qty_add(leaving->sold, event->qty) : leaving->sold;
    if (has_left(leaving)) {
        end_one(judge, leaving, event->at, findings);
    }
}

static void close_all(struct exits *judge) {
    for (size_t i = 0; i < judge->symbols.count; i++) {
        close_one(judge, table_at(&judge->symbols, i));
    }
}

static void take_mode(struct exits *judge, const struct event *event) {
    judge->is_halted = strcmp(event->subject, "HALT") == 0;
    for (size_t i = 0; judge->is_halted && i < judge->symbols.count; i++) {
        struct leaving *leaving = table_at(&judge->symbols, i);
        leaving->was_halted = true;
    }
}

static void exits_observe(void *context, const struct event *event, struct findings *findings) {
    struct exits *judge = context;
    bool is_end = event->kind == EVENT_STOP || event->kind == EVENT_START;
    if (!is_of_tick(judge, event)) {
        judge_time(judge, findings);
    }
    if (event->kind == EVENT_EXIT) {
        take_phase(judge, event, findings);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, findings);
    } else if (event->kind == EVENT_ALERT) {
        take_page(judge, event, findings);
    } else if (event->kind == EVENT_MODE) {
        take_mode(judge, event);
    } else if (is_end) {
        close_all(judge);
        judge->is_halted = false;
    }
    if (judge->open > 0 && event->kind == EVENT_TICK) { /* a core tells at the end of its tick */
        judge->tick_at = event->at;
    }
}

const struct judge_ops exits_judge = {
    KIND(EVENT_EXIT) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_ALERT) | KIND(EVENT_MODE) |
        KIND(EVENT_STOP) | KIND(EVENT_START) | KIND(EVENT_TICK) | KIND(EVENT_LEDGER_EQUITY),
    exits_create, exits_observe, exits_destroy};
