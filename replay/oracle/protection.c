/* protection.c - a measure, not an invariant: unprotected dollar-seconds, of the run and of each exit.
 *
 * From the ledger alone, not from the core's word: whole shares held that no live sell stop covers,
 * times the symbol's last execution price, times the time. The core's word says only when an exit began
 * and when it was over; what lay bare between the two is the exit's. It outlives a death: the successor
 * goes on with it. The ledger's word of an instant comes behind the tick, so that each stretch of time is
 * given to the exits of its symbol once it is known, by their times. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct held {
    char symbol[TABLE_NAME_MAX];
    struct qty position;
    struct qty stopped;
    struct usd price;
    struct utc since;
    struct usd sum; /* dollar-seconds up to `since` */
};

enum { EXITS_KEPT = 256 }; /* more than can be under way at once: one a symbol */

struct bare_exit {
    char symbol[TABLE_NAME_MAX], reason[TABLE_NAME_MAX];
    struct utc decided, over; /* over {0}: still under way */
    struct span bare;
    struct usd sum; /* dollar-seconds, as far as the ledger has told */
};

struct protection {
    struct table symbols;
    struct utc now;
    struct bare_exit exits[EXITS_KEPT]; /* in the order in which they began */
    size_t exit_count;
    int64_t exits_not_shown;
    struct usd not_shown_sum;
};

static void *protection_create(void) {
    struct protection *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct held));
    return judge;
}

static void protection_destroy(void *context) {
    struct protection *judge = context;
    table_release(&judge->symbols);
    free(judge);
}

/* What a symbol adds in a time; out of range counts as the most a struct usd holds. */
static struct usd worth(const struct held *held, struct utc from, struct utc to) {
    struct qty naked = qty_sub(qty_whole(held->position), held->stopped);
    struct usd value = {0};
    struct usd out = {0};
    if (naked.nanos <= 0 || to.ns <= from.ns) { /* the wall may step back */
        return out;
    }
    bool is_fit =
        usd_times_qty(held->price, naked, &value, NULL) == ERR_OK &&
        decimal_mul_div(value.nanos, utc_sub(to, from).ns, NANOS, &out.nanos, NULL) == ERR_OK;
    return is_fit ? out : (struct usd){INT64_MAX};
}

static struct usd growth(const struct held *held, struct utc now) {
    return worth(held, held->since, now);
}

static struct usd capped_add(struct usd a, struct usd b) {
    struct usd sum = {0};
    return __builtin_add_overflow(a.nanos, b.nanos, &sum.nanos) ? (struct usd){INT64_MAX} : sum;
}

/* --- exits --- */

/* What of the time up to `now` is the exit's. */
static void attribute(struct bare_exit *exit, const struct held *held, struct utc now) {
    struct utc from = utc_max(held->since, exit->decided);
    struct utc to = exit->over.ns != 0 && utc_is_before(exit->over, now) ? exit->over : now;
    struct usd sum = worth(held, from, to);
    if (sum.nanos > 0) {
        exit->bare.ns += utc_sub(to, from).ns;
        exit->sum = capped_add(exit->sum, sum);
    }
}

/* With what the ledger's last word still adds. */
static struct bare_exit as_of_now(const struct protection *judge, const struct bare_exit *exit) {
    struct bare_exit copy = *exit;
    const struct held *held = table_find(&judge->symbols, exit->symbol);
    if (held != NULL) {
        attribute(&copy, held, judge->now);
    }
    return copy;
}

static struct bare_exit *under_way(struct protection *judge, const char *symbol) {
    for (size_t i = 0; i < judge->exit_count; i++) {
        if (judge->exits[i].over.ns == 0 && is_word(judge->exits[i].symbol, symbol)) {
            return &judge->exits[i];
        }
    }
    return NULL;
}

/* Takes the one that is over and of least dollar-seconds, the oldest of equals, off the list. */
static void drop_least(struct protection *judge) {
    size_t least = judge->exit_count;
    struct usd sum = {0};
    for (size_t i = 0; i < judge->exit_count; i++) {
        struct bare_exit exit = as_of_now(judge, &judge->exits[i]);
        if (exit.over.ns != 0 && (least == judge->exit_count || usd_cmp(exit.sum, sum) < 0)) {
            least = i;
            sum = exit.sum;
        }
    }
    if (least == judge->exit_count) {
        return;
    }
    judge->exits_not_shown++;
    judge->not_shown_sum = capped_add(judge->not_shown_sum, sum);
    judge->exit_count--;
    memmove(&judge->exits[least], &judge->exits[least + 1],
            (judge->exit_count - least) * sizeof judge->exits[0]);
}

static void begin_exit(struct protection *judge, const struct event *event) {
    if (judge->exit_count == EXITS_KEPT) {
        drop_least(judge);
    }
    if (judge->exit_count == EXITS_KEPT) {
        return;
    }
    struct bare_exit *exit = &judge->exits[judge->exit_count++];
    *exit = (struct bare_exit){.decided = event->at};
    (void)!text_copy(exit->symbol, sizeof exit->symbol, event->symbol, NULL);
    (void)!text_copy(exit->reason, sizeof exit->reason, event->subject, NULL);
}

static void take_phase(struct protection *judge, const struct event *event) {
    struct bare_exit *exit = under_way(judge, event->symbol);
    bool is_over = is_word(event->what, "over");
    if (exit == NULL && !is_over) {
        begin_exit(judge, event);
    } else if (exit != NULL && is_over) {
        exit->over = utc_max(event->at, exit->decided);
    }
}

static void settle(struct protection *judge, struct held *held, const char *symbol,
                   struct utc now) {
    for (size_t i = 0; i < judge->exit_count; i++) {
        if (is_word(judge->exits[i].symbol, symbol)) {
            attribute(&judge->exits[i], held, now);
        }
    }
    held->sum = capped_add(held->sum, growth(held, now));
    held->since = now;
}

/* --- the ledger --- */

/* The scene has folded the event: what was true before it counts up to now. */
static void take(struct protection *judge, const struct event *event, const struct scene *scene) {
    struct held *held = table_get(&judge->symbols, event->symbol);
    const struct scene_symbol *symbol = scene_symbol(scene, event->symbol);
    settle(judge, held, event->symbol, event->at);
    held->position = symbol->qty;
    held->stopped = symbol->stopped;
    held->price = symbol->price;
}

static void protection_observe(void *context, const struct event *event,
                               struct findings *findings) {
    struct protection *judge = context;
    if (event->kind == EVENT_EXIT) {
        take_phase(judge, event);
        return;
    }
    judge->now.ns = event->at.ns > judge->now.ns ? event->at.ns : judge->now.ns;
    if (event->kind == EVENT_LEDGER_FILL || event->kind == EVENT_LEDGER_ORDER) {
        take(judge, event, findings->scene);
    }
}

struct usd protection_dollar_seconds(const void *context) {
    const struct protection *judge = context;
    struct usd sum = {0};
    for (size_t i = 0; i < judge->symbols.count; i++) {
        const struct held *held = table_at(&judge->symbols, i);
        sum = capped_add(sum, capped_add(held->sum, growth(held, judge->now)));
    }
    return sum;
}

static void print_exit(const struct bare_exit *exit, struct text *out) {
    text_add(out, text_get(out)[out->len - 1] == '[' ? "{" : ",{");
    text_member_string(out, "symbol", exit->symbol);
    text_member_string(out, "reason", exit->reason);
    text_member_utc(out, "decided", exit->decided);
    text_member_utc_or_null(out, "over", exit->over);
    text_member_decimal(out, "bare_s", exit->bare.ns);
    text_member_decimal(out, "dollar_seconds", exit->sum.nanos);
    text_add_char(out, '}');
}

void protection_print_exits(const void *context, struct text *out) {
    const struct protection *judge = context;
    text_member(out, "naked_exits");
    text_add_char(out, '[');
    for (size_t i = 0; i < judge->exit_count; i++) {
        struct bare_exit exit = as_of_now(judge, &judge->exits[i]);
        print_exit(&exit, out);
    }
    text_add_char(out, ']');
    text_member_int(out, "naked_exits_not_shown", judge->exits_not_shown);
    text_member_decimal(out, "naked_exits_not_shown_dollar_seconds", judge->not_shown_sum.nanos);
}

const struct judge_ops protection_judge = {
    KIND(EVENT_LEDGER_FILL) | KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_LEDGER_EQUITY) |
        KIND(EVENT_TICK) | KIND(EVENT_EXIT) | KIND(EVENT_END),
    protection_create, protection_observe, protection_destroy};
