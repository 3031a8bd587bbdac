/* refusals.c - refusal_is_warranted: what is refused with two numbers lies beyond the bound that it names.
 *
 * A limit that binds at its bound, where it should bind beyond it, costs an entry and nothing else: no
 * other judge would see it. And an exit may be refused for numbers alone if it could pass zero: one that
 * could not was held in by a rule made for entries, and one that could only because its own stop rests
 * was not released first. The numbers are the core's own; that entries beyond a
 * limit do not leave is for the judges of sends. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

enum relation { ABOVE, BELOW, AT_LEAST, AT_MOST };

/* Why an order may be refused, and how the first number then stands to the second. */
static const struct rule {
    const char *code;
    enum relation relation;
    bool is_of_exits;
} RULES[] = {
    {"STALE_QUOTE", ABOVE, false},
    {"COLLAR", ABOVE, false},
    {"ORDER_CAP", ABOVE, false},
    {"MIN_NOTIONAL", BELOW, false},
    {"BUYING_POWER", ABOVE, false},
    {"MAX_POSITIONS", AT_LEAST, false},
    {"ENTRY_RATE", AT_LEAST, false},
    {"GROSS_EXPOSURE", ABOVE, false},
    {"OPEN_RISK", AT_LEAST, false},
    {"SYMBOL_COOLDOWN", BELOW, false},
    {"SESSION", AT_MOST, false},
    {"NOT_REDUCING", ABOVE, true},
    {"SYMBOL_LIMIT", ABOVE, false},
    {"SECTOR_LIMIT", ABOVE, false},
    {"THEME_LIMIT", ABOVE, false},
    {"CORRELATION_LIMIT", ABOVE, false},
    {"ORDER_STUCK", AT_LEAST, false},
    {"PERFORMANCE", BELOW, false},
    {"RAMP", BELOW, false},
    {"MARGIN_EXCESS", BELOW, false},
    {"OVERNIGHT_GROSS", ABOVE, false},
    {"LOW_PRICE", BELOW, false},
    {"LOW_VOLUME", BELOW, false},
    {"VOLUME_SHARE", ABOVE, false},
    {"WIDE_SPREAD", ABOVE, false},
};

/* "12.5 against 10"; false where no two numbers are named. */
static bool read_numbers(const char *text, int64_t *is, int64_t *bound) {
    static const char against[] = " against ";
    char first[DECIMAL_TEXT_MAX] = "";
    const char *at = strstr(text, against);
    size_t n = at == NULL ? sizeof first : (size_t)(at - text);
    if (n >= sizeof first) {
        return false;
    }
    memcpy(first, text, n);
    return decimal_parse(first, is, NULL) == ERR_OK &&
           decimal_parse(at + sizeof against - 1, bound, NULL) == ERR_OK;
}

static bool holds(enum relation relation, int64_t is, int64_t bound) {
    switch (relation) {
    case ABOVE:
        return is > bound;
    case BELOW:
        return is < bound;
    case AT_LEAST:
        return is >= bound;
    case AT_MOST:
        break;
    }
    return is <= bound;
}

/* What of the numbers is on sale for no other reason than that the position is protected. */
static bool is_held_by_its_stop(const struct event *event, const struct findings *findings,
                                int64_t is, int64_t bound) {
    const struct scene_symbol *symbol = scene_symbol(findings->scene, event->symbol);
    return is_word(event->subject, "NOT_REDUCING") && symbol->stopped.nanos > 0 &&
           is - symbol->stopped.nanos <= bound;
}

static void *refusals_create(void) {
    return judge_alloc(1); /* it remembers nothing */
}

static void refusals_observe(void *context, const struct event *event, struct findings *findings) {
    (void)context;
    int64_t is = 0;
    int64_t bound = 0;
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        bool is_it = is_word(event->subject, RULES[i].code) &&
                     is_word(event->what, "entry") != RULES[i].is_of_exits;
        if (is_it && read_numbers(event->body, &is, &bound) &&
            (!holds(RULES[i].relation, is, bound) ||
             is_held_by_its_stop(event, findings, is, bound))) {
            findings_break(findings, ORACLE_REFUSALS, event->at, "%s: %s, %.60s", event->symbol,
                           event->subject, event->body);
        }
    }
}

const struct judge_ops refusals_judge = {KIND(EVENT_REFUSAL), refusals_create, refusals_observe,
                                         free};
