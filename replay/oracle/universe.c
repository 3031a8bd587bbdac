/* universe.c - only_what_may_be_bought, the oracle of universe_guard: what the answers of a session say of a symbol
 * decides whether a buy of it leaves, and why an entry is refused.
 *
 * Folded anew from the answers that the life got: assets, daily bars, corporate actions and quotes, and the lists and
 * limits of the frame. What a session goes by was read from an hour before its open on. A buy is judged once, as it
 * first leaves: what is sent again under its id was decided then. Behind an order that the broker would not take (422)
 * what is known of its symbol is in doubt until the next answer about it: nothing is bought on it.
 * Nothing is read of it while an exit is at work, for exits wait for nothing: a tick with one counts for none to be late.
 * The mean of volumes is held to NEAR, which is how far two ways of rounding it may lie apart. A wall that was stepped
 * lets the core take one session for another. The ledger has no word on it: both clocks are the answers'. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "universe_guard";
static const struct span BEFORE_OPEN = {INT64_C(3600000000000)};
static const struct span READ_WITHIN = {INT64_C(900000000000)};
enum { SESSIONS = 20, GAP_MAX = 7, NEAR = 25 };

struct stock {
    char symbol[TABLE_NAME_MAX];
    bool is_restricted, is_exiting;
    struct utc asset_at; /* {0}: not known */
    bool is_doubted, is_tradable, is_otc;
    int64_t dollars[SESSIONS]; /* a ring */
    int64_t sessions;
    struct date last;
    bool has_action;
    struct date action; /* the nearest to the session that it was read for */
    char bought_as[TABLE_NAME_MAX];
};

struct universe {
    struct table stocks;
    struct utc volumes_at, actions_at;
    struct text quotes;  /* the last answer */
    struct text volumes; /* a page of daily bars, for when a buy asks: most lives buy nothing */
    struct utc page_at;
    struct date page_day;
    struct two_clocks clocks;
    int exiting;          /* symbols with an exit at work */
    bool was_exiting;     /* likewise, since looked_at */
    struct utc looked_at; /* the last tick's end, or a refusal in this one */
    struct span calm;     /* of ticks without an exit at work, of what counts for late */
};

static void *universe_create(void) {
    struct universe *judge = judge_alloc(sizeof *judge);
    judge->stocks = table_of(sizeof(struct stock));
    return judge;
}

static void universe_destroy(void *context) {
    struct universe *judge = context;
    table_release(&judge->stocks);
    text_release(&judge->quotes);
    text_release(&judge->volumes);
    free(judge);
}

/* --- answers --- */

static bool is_fresh(const struct scene *scene, struct utc at) {
    return at.ns != 0 && scene->has_session &&
           !utc_is_before(at, utc_add(scene->session.open, (struct span){-BEFORE_OPEN.ns}));
}

/* Weekdays from one to the other, both taken back from a weekend to its Friday. */
static int weekdays_between(struct date one, struct date other) {
    struct date from = one.days < other.days ? one : other;
    struct date to = one.days < other.days ? other : one;
    int count = 0;
    while (date_weekday(from) > 4) {
        from = date_add(from, -1);
    }
    while (date_weekday(to) > 4) {
        to = date_add(to, -1);
    }
    for (struct date day = from; day.days < to.days; day = date_add(day, 1)) {
        count += date_weekday(day) <= 4;
    }
    return count;
}

static void take_asset(struct universe *judge, const struct event *event, const cJSON *tree) {
    struct stock *stock = table_get(&judge->stocks, event->what + strlen("/v2/assets/"));
    const char *status = "";
    const char *exchange = "";
    const char *class = "";
    const char *symbol = "";
    bool is_tradable = false;
    bool is_known = event->number == 404;
    if (event->number == 200 && json_string(tree, "status", &status, NULL) == ERR_OK &&
        json_string(tree, "exchange", &exchange, NULL) == ERR_OK &&
        json_string(tree, "class", &class, NULL) == ERR_OK &&
        json_string(tree, "symbol", &symbol, NULL) == ERR_OK && is_word(symbol, stock->symbol)) {
        is_known = json_bool(tree, "tradable", &is_tradable, NULL) == ERR_OK;
    }
    if (is_known) {
        stock->asset_at = event->at;
        stock->is_doubted = false;
        stock->is_tradable =
            is_tradable && is_word(status, "active") && is_word(class, "us_equity");
        stock->is_otc = is_word(exchange, "OTC");
    }
}

static bool take_day(struct stock *stock, const cJSON *bar, struct date day) {
    static const char *const prices[] = {"o", "h", "l", "c"};
    int64_t nanos[4] = {0};
    int64_t volume = 0;
    struct utc at = {0};
    for (int i = 0; i < 4; i++) {
        if (json_decimal_either(bar, prices[i], &nanos[i], NULL) != ERR_OK || nanos[i] <= 0) {
            return false;
        }
    }
    if (nanos[1] < nanos[2] || json_decimal_either(bar, "v", &volume, NULL) != ERR_OK ||
        volume < 0 || json_utc(bar, "t", &at, NULL) != ERR_OK) {
        return false;
    }
    if (ny_date(at).days < day.days) {
        int64_t shares = volume / NANOS;
        stock->dollars[stock->sessions++ % SESSIONS] =
            (int64_t)((__int128)nanos[3] * shares / NANOS);
        stock->last = ny_date(at);
    }
    return true;
}

static bool take_days(struct universe *judge, const cJSON *tree, struct date day) {
    const cJSON *bars = json_member(tree, "bars");
    if (bars != NULL && !cJSON_IsNull(bars) && !cJSON_IsObject(bars)) {
        return false;
    }
    for (const cJSON *list = bars == NULL ? NULL : bars->child; list != NULL; list = list->next) {
        if (cJSON_IsNull(list)) {
            continue;
        }
        if (!cJSON_IsArray(list)) {
            return false;
        }
        struct stock *stock = table_get(&judge->stocks, list->string);
        for (const cJSON *bar = list->child; bar != NULL; bar = bar->next) {
            if (!take_day(stock, bar, day)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_date(const cJSON *action, const char *key, struct date *out) {
    const char *text = "";
    return json_string(action, key, &text, NULL) == ERR_OK && date_parse(text, out, NULL) == ERR_OK;
}

static bool take_action(struct universe *judge, const cJSON *action, struct date day) {
    struct date date = {0};
    if (!read_date(action, "ex_date", &date) && !read_date(action, "effective_date", &date) &&
        !read_date(action, "process_date", &date)) {
        return false;
    }
    for (const cJSON *member = action->child; member != NULL; member = member->next) {
        const char *ending = strstr(member->string, "symbol");
        if (ending == NULL || !is_word(ending, "symbol") || !cJSON_IsString(member)) {
            continue;
        }
        struct stock *stock = table_get(&judge->stocks, member->valuestring);
        if (!stock->has_action ||
            weekdays_between(date, day) < weekdays_between(stock->action, day)) {
            stock->has_action = true;
            stock->action = date;
        }
    }
    return true;
}

static bool take_actions(struct universe *judge, const cJSON *tree, struct date day) {
    const cJSON *kinds = json_member(tree, "corporate_actions");
    if (!cJSON_IsObject(kinds)) {
        return false;
    }
    for (const cJSON *kind = kinds->child; kind != NULL; kind = kind->next) {
        for (const cJSON *action = kind->child; action != NULL; action = action->next) {
            if (!take_action(judge, action, day)) {
                return false;
            }
        }
    }
    return true;
}

/* True behind the last page. */
static bool is_last_page(const cJSON *tree) {
    return json_is_null(tree, "next_page_token");
}

static bool is_volumes(const char *what) {
    return strncmp(what, "/v2/stocks/bars?", 16) == 0 && strstr(what, "timeframe=1Day") != NULL;
}

static bool is_actions(const char *what) {
    return strncmp(what, "/v1/corporate-actions?", 22) == 0;
}

/* What was known before is forgotten as a reading begins. */
static void begin_reading(struct universe *judge, const char *what) {
    bool forgets_volumes = is_volumes(what) && strstr(what, "page_token=") == NULL;
    bool forgets_actions = is_actions(what) && strstr(what, "page_token=") == NULL;
    if (forgets_volumes) {
        judge->volumes_at = (struct utc){0};
        text_clear(&judge->volumes);
    }
    judge->actions_at = forgets_actions ? (struct utc){0} : judge->actions_at;
    for (size_t i = 0; (forgets_volumes || forgets_actions) && i < judge->stocks.count; i++) {
        struct stock *stock = table_at(&judge->stocks, i);
        stock->sessions = forgets_volumes ? 0 : stock->sessions;
        stock->has_action = stock->has_action && !forgets_actions;
    }
}

static void read_volumes(struct universe *judge) {
    cJSON *tree = NULL;
    if (judge->volumes.len > 0 &&
        json_parse(text_get(&judge->volumes), judge->volumes.len, &tree, NULL) == ERR_OK) {
        bool is_whole = take_days(judge, tree, judge->page_day) && is_last_page(tree);
        judge->volumes_at = is_whole ? judge->page_at : judge->volumes_at;
    }
    text_clear(&judge->volumes);
    cJSON_Delete(tree);
}

static void keep_volumes(struct universe *judge, const struct event *event, const char *answer,
                         size_t n, struct date day) {
    read_volumes(judge); /* the page before */
    text_add_bytes(&judge->volumes, answer, n);
    judge->page_at = event->at;
    judge->page_day = day;
}

static void read_answer(struct universe *judge, const struct event *event,
                        const struct scene *scene) {
    const cJSON *tree = scene_answer(scene, event);
    if (strncmp(event->what, "/v2/assets/", 11) == 0) {
        if (tree != NULL || event->number == 404) {
            take_asset(judge, event, tree);
        }
    } else if (tree != NULL) {
        bool is_whole = take_actions(judge, tree, scene->session.date) && is_last_page(tree);
        judge->actions_at = is_whole ? event->at : judge->actions_at;
    }
}

static void take_answer(struct universe *judge, const struct event *event,
                        const struct scene *scene) {
    const char *answer = memchr(event->body, '\n', event->body_len);
    bool is_of_order = is_word(event->subject, "POST") && is_word(event->what, "/v2/orders");
    if (is_of_order && event->number == 422 && scene->sent.is_buy &&
        strstr(event->body, "must be unique") == NULL) { /* that is of its id */
        struct stock *stock = table_get(&judge->stocks, scene->sent.symbol);
        stock->is_doubted = true;
    }
    if (answer == NULL || event->id[0] != '\0' || !is_word(event->subject, "GET")) {
        return;
    }
    answer++;
    size_t n = event->body_len - (size_t)(answer - event->body);
    if (event->number == 200 && strncmp(event->what, "/v2/stocks/quotes/latest?", 25) == 0) {
        text_clear(&judge->quotes);
        text_add_bytes(&judge->quotes, answer, n);
    } else if (event->number == 200 && is_volumes(event->what)) {
        keep_volumes(judge, event, answer, n, scene->session.date);
    } else if (strncmp(event->what, "/v2/assets/", 11) == 0 ||
               (event->number == 200 && is_actions(event->what))) {
        read_answer(judge, event, scene);
    }
}

/* --- what may be bought --- */

static bool mean_of(const struct stock *stock, struct date day, int64_t *dollars) {
    int64_t count = stock->sessions < SESSIONS ? stock->sessions : SESSIONS;
    int gap = day.days - stock->last.days;
    __int128 sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += stock->dollars[i];
    }
    *dollars = (int64_t)(sum / SESSIONS); /* a session without a bar had no trade */
    return count > 0 && gap >= 1 && gap <= GAP_MAX;
}

/* Of what the answers did not say; "" if they said all. */
static const char *unread(const struct universe *judge, const struct scene *scene,
                          const struct stock *stock) {
    int64_t dollars = 0;
    return !is_fresh(scene, stock->asset_at)                ? "its asset was not read"
           : !is_fresh(scene, judge->volumes_at)            ? "volumes were not read"
           : !is_fresh(scene, judge->actions_at)            ? "actions were not read"
           : !mean_of(stock, scene->session.date, &dollars) ? "no volume of late is known"
                                                            : "";
}

static const char *barred(const struct scene *scene, const struct stock *stock) {
    bool is_near = stock->has_action && weekdays_between(stock->action, scene->session.date) <=
                                            scene->limits.universe_action_days;
    return stock->is_restricted  ? "restricted"
           : !stock->is_tradable ? "not tradable"
           : stock->is_otc       ? "over the counter"
           : is_near             ? "near a corporate action"
                                 : "";
}

/* Ask less bid over their middle is above the limit, in the last answer; false where it says nothing. */
static bool is_wide(const struct universe *judge, const struct scene *scene, const char *symbol) {
    cJSON *tree = NULL;
    int64_t bid = 0;
    int64_t ask = 0;
    if (json_parse(text_get(&judge->quotes), judge->quotes.len, &tree, NULL) != ERR_OK) {
        return false;
    }
    const cJSON *quote = json_member(json_member(tree, "quotes"), symbol);
    bool is_told = cJSON_IsObject(quote) &&
                   json_decimal_either(quote, "bp", &bid, NULL) == ERR_OK &&
                   json_decimal_either(quote, "ap", &ask, NULL) == ERR_OK && bid > 0 && ask >= bid;
    struct usd middle = {bid + (ask - bid) / 2};
    bool is_beyond = is_told && ask - bid > usd_scale(middle, scene->limits.universe_spread).nanos;
    cJSON_Delete(tree);
    return is_beyond;
}

/* By the mean and so many dollars more: NEAR where it must surely lie below, -NEAR where it may. */
static bool is_below_volume(const struct scene *scene, const struct stock *stock, int64_t near) {
    int64_t dollars = 0;
    return mean_of(stock, scene->session.date, &dollars) &&
           dollars + near < scene->limits.universe_volume.nanos / NANOS;
}

static bool is_above_share(const struct scene *scene, const struct stock *stock, struct usd cost,
                           int64_t near) {
    int64_t dollars = 0;
    int64_t most = INT64_C(9000000000);
    bool is_known = mean_of(stock, scene->session.date, &dollars);
    struct usd mean = {(dollars + near < most ? dollars + near : most) * NANOS};
    return is_known && usd_cmp(cost, usd_scale(mean, scene->limits.universe_share)) > 0;
}

/* Why it may not be bought at a limit; "" if it may. */
static const char *flaw_of(const struct universe *judge, const struct scene *scene,
                           const struct stock *stock, struct usd limit, struct usd cost) {
    const char *why = unread(judge, scene, stock);
    why = why[0] != '\0' ? why : barred(scene, stock);
    return why[0] != '\0'                                     ? why
           : usd_cmp(limit, scene->limits.universe_price) < 0 ? "too cheap"
           : is_below_volume(scene, stock, NEAR)              ? "too little is traded"
           : is_above_share(scene, stock, cost, NEAR)         ? "too much of what is traded"
           : is_wide(judge, scene, stock->symbol)             ? "its spread is wide"
                                                              : "";
}

/* --- judging --- */

/* Each order is a case of its own: what was due of the one before is over. */
static void look(struct universe *judge, struct score *score, struct utc now, bool is_due) {
    judge->clocks = (struct two_clocks){0};
    clocks_true(&judge->clocks, now, is_due, (struct usd){0});
    clocks_known(&judge->clocks, score, now, is_due);
}

static void judge_buy(struct universe *judge, const struct event *event,
                      struct findings *findings) {
    const struct scene *scene = findings->scene;
    const struct scene_sent *sent = &scene->sent;
    read_volumes(judge);
    struct stock *stock = table_get(&judge->stocks, sent->symbol);
    struct score *score = findings_score(findings, MECHANISM);
    struct usd cost = {0};
    bool is_again = is_word(stock->bought_as, sent->id);
    (void)!text_copy(stock->bought_as, sizeof stock->bought_as, sent->id, NULL);
    (void)!usd_times_qty(sent->limit, sent->qty, &cost, NULL);
    if (is_again || scene->is_stepped) {
        return;
    }
    const char *why = stock->is_doubted ? "nobody asked behind a refusal"
                                        : flaw_of(judge, scene, stock, sent->limit, cost);
    look(judge, score, event->at, why[0] != '\0');
    if (why[0] != '\0') {
        score->missed++;
        score->risky++;
        findings_break(findings, ORACLE_UNIVERSE, event->at, "%s: a buy, and %s", sent->symbol,
                       why);
    }
}

/* True if what the code names holds by the answers; of prices it tells the numbers itself, and another judge
 * compares them. */
static bool is_warranted(const struct universe *judge, const struct scene *scene,
                         const struct stock *stock, const char *code) {
    struct usd largest = usd_min(scene->limits.base, scene->limits.order_cap);
    return is_word(code, "UNIVERSE_UNKNOWN")
               ? stock->is_doubted || unread(judge, scene, stock)[0] != '\0'
           : is_word(code, "UNIVERSE_BARRED") ? barred(scene, stock)[0] != '\0'
           : is_word(code, "LOW_VOLUME")      ? is_below_volume(scene, stock, -NEAR)
           : is_word(code, "VOLUME_SHARE")    ? is_above_share(scene, stock, largest, -NEAR)
           : is_word(code, "WIDE_SPREAD")     ? is_wide(judge, scene, stock->symbol)
                                              : true;
}

/* Of whole ticks: one read is due in each. A start, a fault and an open begin it anew. */
static void count_calm(struct universe *judge, const struct scene *scene) {
    struct utc since = utc_max(scene->up_since, utc_max(scene->fault_at, scene->session.open));
    struct utc from = utc_max(since, judge->looked_at);
    judge->calm = utc_is_before(judge->looked_at, since) ? (struct span){0} : judge->calm;
    if (!judge->was_exiting && utc_is_before(from, scene->now)) {
        judge->calm.ns += utc_sub(scene->now, from).ns;
    }
    judge->was_exiting = judge->exiting > 0;
    judge->looked_at = scene->now;
}

/* What a life took over is decided, and not at work before it says so. */
static void take_exit(struct universe *judge, const struct event *event) {
    struct stock *stock = table_get(&judge->stocks, event->symbol);
    bool is_exiting = is_word(event->what, "releasing") || is_word(event->what, "working");
    judge->exiting += is_exiting - stock->is_exiting;
    judge->was_exiting |= is_exiting;
    stock->is_exiting = is_exiting;
}

/* Asked for in time: in a quarter of an hour of a session, a life and undisturbed weather, of ticks without an exit at
 * work, all was read. */
static bool is_late(struct universe *judge, const struct scene *scene, const struct stock *stock) {
    bool is_read = is_fresh(scene, stock->asset_at) && is_fresh(scene, judge->volumes_at) &&
                   is_fresh(scene, judge->actions_at);
    count_calm(judge, scene);
    return !is_read && scene->has_session && !scene->is_locked_out &&
           judge->calm.ns > READ_WITHIN.ns;
}

static bool is_code(const char *word) {
    static const char *const codes[] = {"UNIVERSE_UNKNOWN", "UNIVERSE_BARRED", "LOW_PRICE",
                                        "LOW_VOLUME",       "VOLUME_SHARE",    "WIDE_SPREAD"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (is_word(word, codes[i])) {
            return true;
        }
    }
    return false;
}

static void judge_refusal(struct universe *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (!is_word(event->what, "entry")) {
        findings_break(findings, ORACLE_UNIVERSE, event->at, "%s: an exit is held to %s",
                       event->symbol, event->subject);
        return;
    }
    read_volumes(judge);
    const struct stock *stock = table_get(&judge->stocks, event->symbol);
    struct score *score = findings_score(findings, MECHANISM);
    bool is_due = is_warranted(judge, scene, stock, event->subject);
    if (scene->is_stepped) {
        return;
    }
    look(judge, score, event->at, is_due);
    if (!clocks_act(&judge->clocks, score, event->at)) {
        findings_break(findings, ORACLE_UNIVERSE, event->at, "%s: %s for nothing, %.60s",
                       event->symbol, event->subject, event->body);
    } else if (is_word(event->subject, "UNIVERSE_UNKNOWN") && is_late(judge, scene, stock)) {
        findings_break(findings, ORACLE_UNIVERSE, event->at, "%s: nobody asks, %.60s",
                       event->symbol, event->body);
    }
}

/* The list is told as a whole, again behind a reload. */
static void take_frame(struct universe *judge, const struct event *event) {
    if (is_word(event->subject, "restricted")) {
        for (size_t i = 0; i < judge->stocks.count; i++) {
            struct stock *stock = table_at(&judge->stocks, i);
            stock->is_restricted = false;
        }
    } else if (strncmp(event->subject, "restricted ", 11) == 0) {
        struct stock *stock = table_get(&judge->stocks, event->subject + 11);
        stock->is_restricted = true;
    }
}

static void take_life(struct universe *judge) {
    begin_reading(judge, "/v2/stocks/bars?timeframe=1Day");
    begin_reading(judge, "/v1/corporate-actions?");
    for (size_t i = 0; i < judge->stocks.count; i++) {
        struct stock *stock = table_at(&judge->stocks, i);
        stock->asset_at = (struct utc){0};
        stock->is_doubted = stock->is_exiting = false;
    }
    judge->exiting = 0;
    judge->was_exiting = false;
    text_clear(&judge->quotes);
    judge->clocks = (struct two_clocks){0};
}

static void universe_observe(void *context, const struct event *event, struct findings *findings) {
    struct universe *judge = context;
    const struct scene *scene = findings->scene;
    if (event->kind == EVENT_FRAME) {
        take_frame(judge, event);
    } else if (event->kind == EVENT_START) {
        take_life(judge);
    } else if (event->kind == EVENT_SEND) {
        begin_reading(judge, event->what);
        if (scene->sent.is_new && scene->sent.is_buy && scene->limits.universe_spread.nanos > 0) {
            judge_buy(judge, event, findings);
        }
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, scene);
    } else if (event->kind == EVENT_EXIT) {
        take_exit(judge, event);
    } else if (event->kind == EVENT_TICK) {
        count_calm(judge, scene);
    } else if (is_code(event->subject)) {
        judge_refusal(judge, event, findings);
    }
}

const struct judge_ops universe_judge = {KIND(EVENT_FRAME) | KIND(EVENT_START) | KIND(EVENT_SEND) |
                                             KIND(EVENT_HTTP) | KIND(EVENT_REFUSAL) |
                                             KIND(EVENT_EXIT) | KIND(EVENT_TICK),
                                         universe_create, universe_observe, universe_destroy};
