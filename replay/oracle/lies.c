/* lies.c - no_sale_on_a_lie and other_account_untouched: what the broker's view invents must sell nothing,
 * and what belongs to another must not be touched.
 *
 * A lie is a "view." fault, and it lasts 5 s. An exit for a loss (hard_stop) that was decided
 * in it and then sells at the average price of its buys or better had no loss to flee from. A bust is no
 * sale and no buy: it undoes one, and what it gives back cost what it had cost, or by the broker's listing what it
 * was sold for: the dearer counts. Nor is a split: what it leaves cost
 * what was paid before. And who saw the market itself at exits.hard_stop below that cost had his loss, whatever else was
 * a lie: by a quote of both sides that is of these 5 s by its own time, answered within them and bent by no lie.
 * Where a run is about this, any sale sent within a lie breaks it. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span LASTS = {INT64_C(5000000000)};

struct fleeing {
    char symbol[TABLE_NAME_MAX];
    struct qty held;
    struct usd paid; /* for what is held */
    bool is_on_lie;  /* the exit at work was decided in a lie */
    bool is_reported;
};

struct sale {
    char id[TABLE_NAME_MAX]; /* the client's, of its order */
    struct usd cost;         /* of a share, as bought, at its last execution */
};

struct lies {
    struct table symbols, sales;
    struct text quotes;       /* the last answer with quotes */
    struct utc quoted_at;     /* when it came */
    struct utc quote_lied_at; /* a lie about quotes, last; {0} never */
};

static void *lies_create(void) {
    struct lies *judge = judge_alloc(sizeof *judge);
    judge->symbols = table_of(sizeof(struct fleeing));
    judge->sales = table_of(sizeof(struct sale));
    return judge;
}

static void lies_destroy(void *context) {
    struct lies *judge = context;
    table_release(&judge->symbols);
    table_release(&judge->sales);
    text_release(&judge->quotes);
    free(judge);
}

static bool is_within(struct utc lie_at, struct utc at) {
    return lie_at.ns != 0 && utc_sub(at, lie_at).ns < LASTS.ns;
}

/* --- what the market itself said --- */

static void take_quotes(struct lies *judge, const struct event *event) {
    const char *answer = event->body_len == 0 ? NULL : memchr(event->body, '\n', event->body_len);
    if (answer == NULL || event->number != 200 || event->id[0] != '\0' ||
        strstr(event->what, "/quotes/latest") == NULL) {
        return;
    }
    text_clear(&judge->quotes);
    text_add_bytes(&judge->quotes, answer, event->body_len - (size_t)(answer - event->body));
    judge->quoted_at = event->at;
}

static void take_lie(struct lies *judge, const struct event *event) {
    if (begins(event->subject, "view.") && strstr(event->what, "/quotes/latest") != NULL) {
        judge->quote_lied_at = event->at;
    }
}

/* Between bid and ask; false where one is missing, they cross, or the quote is old by its own time. */
static bool middle_of(const cJSON *quote, struct utc now, struct usd *out) {
    struct usd bid = {0};
    struct usd ask = {0};
    struct utc at = {0};
    if (json_decimal_either(quote, "bp", &bid.nanos, NULL) != ERR_OK ||
        json_decimal_either(quote, "ap", &ask.nanos, NULL) != ERR_OK ||
        json_utc(quote, "t", &at, NULL) != ERR_OK || bid.nanos <= 0 || usd_cmp(bid, ask) > 0 ||
        !is_within(at, now)) {
        return false;
    }
    out->nanos = bid.nanos + (ask.nanos - bid.nanos) / 2;
    return true;
}

/* The market was so far below what a share had cost. */
static bool is_true_loss(const struct lies *judge, const struct fleeing *fleeing, struct utc now,
                         struct ratio hard_stop) {
    struct usd average = {0};
    struct usd middle = {0};
    cJSON *root = NULL;
    if (hard_stop.nanos == 0 || !is_within(judge->quoted_at, now) ||
        is_within(judge->quote_lied_at, now) ||
        usd_per_qty(fleeing->paid, fleeing->held, &average, NULL) != ERR_OK ||
        json_parse(text_get(&judge->quotes), judge->quotes.len, &root, NULL) != ERR_OK) {
        return false;
    }
    const cJSON *quotes = json_member(root, "quotes");
    const cJSON *quote = json_member(quotes, fleeing->symbol);
    struct usd lowest = usd_sub(average, usd_scale(average, hard_stop));
    bool is_true = middle_of(quote, now, &middle) && usd_cmp(middle, lowest) <= 0;
    cJSON_Delete(root);
    return is_true;
}

static void take_exit(struct lies *judge, const struct event *event, const struct scene *scene) {
    struct fleeing *fleeing = table_get(&judge->symbols, event->symbol);
    if (is_word(event->what, "decided")) {
        fleeing->is_on_lie = is_word(event->subject, "hard_stop") &&
                             is_within(scene->lie_at, event->at) &&
                             !is_true_loss(judge, fleeing, event->at, scene->limits.hard_stop);
    } else if (is_word(event->what, "over")) {
        fleeing->is_on_lie = false;
    }
}

/* --- what was paid --- */

/* Shares come, or go (sign -1), at a price each. */
static void move(struct fleeing *fleeing, int sign, struct qty qty, struct usd price) {
    struct usd cost = {0};
    (void)!usd_times_qty(price, qty, &cost, NULL);
    fleeing->held = sign > 0 ? qty_add(fleeing->held, qty) : qty_sub(fleeing->held, qty);
    fleeing->paid = sign > 0 ? usd_add(fleeing->paid, cost) : usd_sub(fleeing->paid, cost);
    fleeing->paid = fleeing->held.nanos <= 0 ? (struct usd){0} : fleeing->paid;
}

static void take_sale(struct lies *judge, const struct event *event, struct findings *findings) {
    struct fleeing *fleeing = table_get(&judge->symbols, event->symbol);
    struct sale *sale = table_get(&judge->sales, event->id);
    struct usd average = {0};
    bool is_known = usd_per_qty(fleeing->paid, fleeing->held, &average, NULL) == ERR_OK;
    if (fleeing->is_on_lie && is_known && usd_cmp(event->price, average) >= 0 &&
        !fleeing->is_reported) {
        fleeing->is_reported = true;
        char price[DECIMAL_TEXT_MAX];
        char paid[DECIMAL_TEXT_MAX];
        decimal_print(event->price.nanos, price);
        decimal_print(average.nanos, paid);
        findings_break(findings, ORACLE_LIE, event->at, "%s: sold for a loss at %s, bought at %s",
                       event->symbol, price, paid);
    }
    sale->cost = average;
    move(fleeing, -1, event->qty, average);
}

/* Told as a sale of what there is less of, or a buy: other shares, for which what was paid stays paid. */
static void take_split(struct lies *judge, const struct event *event) {
    move(table_get(&judge->symbols, event->symbol), is_word(event->subject, "sell") ? -1 : 1,
         event->qty, USD(0));
}

/* Told as an execution of the other side. */
static void take_bust(struct lies *judge, const struct event *event, const char *undone) {
    struct fleeing *fleeing = table_get(&judge->symbols, event->symbol);
    const struct sale *sale = table_find(&judge->sales, undone);
    bool was_buy = is_word(event->subject, "sell");
    bool had_cost = !was_buy && sale != NULL;
    move(fleeing, was_buy ? -1 : 1, event->qty,
         had_cost ? usd_max(event->price, sale->cost) : event->price);
}

static void take_fill(struct lies *judge, const struct event *event, struct findings *findings) {
    static const char bust[] = "bust:";
    if (scene_is_bust(event)) {
        take_bust(judge, event, event->id + sizeof bust - 1);
    } else if (scene_is_split(event)) {
        take_split(judge, event);
    } else if (is_word(event->subject, "sell")) {
        take_sale(judge, event, findings);
    } else {
        move(table_get(&judge->symbols, event->symbol), 1, event->qty, event->price);
    }
}

static void lies_observe(void *context, const struct event *event, struct findings *findings) {
    struct lies *judge = context;
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    if (event->kind == EVENT_EXIT) {
        take_exit(judge, event, scene);
    } else if (event->kind == EVENT_HTTP) {
        take_quotes(judge, event);
    } else if (event->kind == EVENT_FAULT) {
        take_lie(judge, event);
    } else if (event->kind == EVENT_LEDGER_FILL) {
        take_fill(judge, event, findings);
    } else if (!is_word(event->subject, "GET") && is_within(scene->other_account_at, event->at)) {
        findings_break(findings, ORACLE_OTHER_ACCOUNT, event->at, "%s %s", event->subject,
                       event->what);
    } else if (scene->is_never[ORACLE_LIE] && sent->is_new && !sent->is_buy && !sent->is_cover &&
               !is_word(sent->type, "stop") && is_within(scene->lie_at, event->at)) {
        findings_break(findings, ORACLE_LIE, event->at, "%s: a sale within the lie", sent->symbol);
    }
}

const struct judge_ops lies_judge = {KIND(EVENT_EXIT) | KIND(EVENT_LEDGER_FILL) | KIND(EVENT_SEND) |
                                         KIND(EVENT_HTTP) | KIND(EVENT_FAULT),
                                     lies_create, lies_observe, lies_destroy};
