/* book.c - the fold of fills, and what of it a position may sell. */
#include "core/portfolio/book.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <string.h>

static const struct span REREAD_LASTS = {INT64_C(2000000000)};

/* book->count: none. */
static size_t index_of(const struct book *book, const char *symbol) {
    size_t i = 0;
    while (i < book->count && strcmp(book->items[i].symbol, symbol) != 0) {
        i++;
    }
    return i;
}

struct holding *book_find(struct book *book, const char *symbol) {
    size_t index = index_of(book, symbol);
    return index < book->count ? &book->items[index] : NULL;
}

const struct holding *book_look(const struct book *book, const char *symbol) {
    size_t index = index_of(book, symbol);
    return index < book->count ? &book->items[index] : NULL;
}

static struct utc last_filled(const struct book *book, const char *symbol) {
    struct utc last = {0};
    for (size_t i = 0; i < BOOK_MAX; i++) {
        const struct book_gone *gone = &book->gone[i];
        if (strcmp(gone->symbol, symbol) == 0 && utc_is_before(last, gone->filled_at)) {
            last = gone->filled_at;
        }
    }
    return last;
}

struct holding *book_get(struct book *book, const char *symbol) {
    struct holding *holding = book_find(book, symbol);
    if (holding != NULL || book->count == BOOK_MAX) {
        return holding;
    }
    holding = &book->items[book->count++];
    *holding = (struct holding){0};
    strncpy(holding->symbol, symbol, SYMBOL_MAX - 1);
    holding->filled_at = last_filled(book, holding->symbol);
    return holding;
}

struct qty holding_sellable(const struct holding *holding) {
    return holding->is_listed ? qty_min(holding->broker_qty, holding->qty) : holding->qty;
}

bool holding_is_held(const struct holding *holding) {
    MUTATE(sold_is_asked_as_held, return true);
    return holding->qty.nanos != 0 || (holding->is_listed && !holding->is_spent);
}

struct qty holding_short(const struct holding *holding) {
    if (!holding->is_listed) { /* an empty list is no proof of flat */
        return holding->qty.nanos < 0 ? qty_neg(holding->qty) : (struct qty){0};
    }
    if (holding->broker_qty.nanos >= 0) {
        return (struct qty){0};
    }
    struct qty listed = qty_neg(holding->broker_qty);
    return holding->qty.nanos < 0 ? qty_min(listed, qty_neg(holding->qty)) : listed;
}

bool holding_is_reread(const struct holding *holding, struct mono now) {
    return holding->reread_at.ns != 0 && mono_sub(now, holding->reread_at).ns <= REREAD_LASTS.ns;
}

struct qty holding_coverable(const struct holding *holding, struct mono now) {
    bool is_reread = holding_is_reread(holding, now);
    struct qty said = is_reread ? qty_neg(holding->reread_qty) : (struct qty){0};
    MUTATE(cover_not_reread, said = holding_short(holding));
    struct qty most = qty_min(holding_short(holding), said);
    return most.nanos > 0 && holding->qty.nanos < 0 ? most : (struct qty){0};
}

struct usd holding_entry_price(const struct holding *holding) {
    struct usd price = {0};
    if (usd_per_qty(holding->cost, holding->qty, &price, NULL) != ERR_OK) {
        return (struct usd){0};
    }
    return price;
}

/* Sells reduce cost by the average, so that the entry price of the rest stays. */
static void book_sell(struct holding *holding, struct qty qty) {
    int64_t left = 0;
    struct qty rest = qty_sub(holding->qty, qty);
    if (rest.nanos > 0 && holding->qty.nanos > 0) {
        CHECK(decimal_mul_div(holding->cost.nanos, rest.nanos, holding->qty.nanos, &left, NULL) ==
              ERR_OK);
    }
    holding->cost.nanos = left;
    holding->qty = rest;
}

/* A position begins: nothing of the one before in the symbol stays, whether it was swept or, as while rows
 * are folded, was not. */
static void begin(struct holding *holding, struct utc at, struct ratio score) {
    holding->entered_at = at;
    holding->entry_score = score;
    holding->targets_hit = 0;
    holding->initial_qty = (struct qty){0};
    holding->high_water = (struct usd){0};
    holding->high_noted = (struct usd){0};
    holding->is_adopted = false;
    holding->cost = (struct usd){0};
}

/* A purchase of what is short brings it nearer to zero; what goes beyond is a position that begins. */
static void book_cover(struct holding *holding, struct qty qty, struct usd amount, struct utc at,
                       struct ratio score) {
    struct qty rest = qty_add(holding->qty, qty);
    struct usd left = {0};
    if (rest.nanos < 0) {
        CHECK(decimal_mul_div(holding->cost.nanos, rest.nanos, holding->qty.nanos, &left.nanos,
                              NULL) == ERR_OK);
    } else {
        begin(holding, at, score);
        CHECK(decimal_mul_div(amount.nanos, rest.nanos, qty.nanos, &left.nanos, NULL) == ERR_OK);
    }
    holding->cost = left;
    holding->qty = rest;
    holding->initial_qty = rest.nanos > 0 ? rest : holding->initial_qty;
}

void book_apply_fill(struct book *book, const char *symbol, enum order_side side, struct qty qty,
                     struct usd amount, struct utc at, struct ratio score) {
    book->cash_flow =
        side == SIDE_BUY ? usd_sub(book->cash_flow, amount) : usd_add(book->cash_flow, amount);
    struct holding *holding = book_get(book, symbol);
    if (holding == NULL) {
        return; /* a full book: reconciliation finds the difference */
    }
    holding->filled_at = at;
    if (side == SIDE_SELL) {
        book_sell(holding, qty);
        return;
    }
    if (holding->qty.nanos < 0) {
        book_cover(holding, qty, amount, at, score);
        return;
    }
    if (holding->qty.nanos == 0) {
        begin(holding, at, score);
    }
    holding->qty = qty_add(holding->qty, qty);
    holding->cost = usd_add(holding->cost, amount);
    if (qty_cmp(holding->qty, holding->initial_qty) > 0) {
        holding->initial_qty = holding->qty;
    }
}

/* The quantity moves without a fill; what is left is worth the price. */
static void shift(struct holding *holding, struct qty by, struct usd price) {
    holding->qty = qty_add(holding->qty, by);
    holding->is_adopted = true;
    if (usd_times_qty(price, holding->qty, &holding->cost, NULL) != ERR_OK) {
        holding->cost = (struct usd){0};
    }
}

void book_take_short(struct holding *holding) {
    struct qty by = qty_sub(holding->broker_qty, holding->qty);
    shift(holding, by, holding->avg_entry);
    holding->unnoted = qty_add(holding->unnoted, by);
    holding->differs = false;
}

void book_note_shorts(struct book *book, struct journal *journal) {
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        struct text body = {0};
        if (holding->unnoted.nanos == 0 || journal == NULL) {
            continue;
        }
        text_add_char(&body, '{');
        text_member_decimal(&body, "by", holding->unnoted.nanos);
        text_member_decimal(&body, "price", holding->avg_entry.nanos);
        text_add_char(&body, '}');
        if (journal_append(journal, "short", holding->symbol, text_get(&body), NULL, NULL) ==
            ERR_OK) {
            holding->unnoted = (struct qty){0};
        }
        text_release(&body);
    }
}

static enum err_code fold_fill(struct book *book, const struct journal_row *row, const cJSON *body,
                               struct err *err) {
    const char *symbol = NULL;
    const char *side = NULL;
    struct qty qty = {0};
    struct usd amount = {0};
    struct utc at = {0};
    int64_t score = 0;
    if (json_string(body, "symbol", &symbol, err) != ERR_OK ||
        json_string(body, "side", &side, err) != ERR_OK ||
        json_qty(body, "qty", &qty, err) != ERR_OK ||
        json_usd(body, "amount", &amount, err) != ERR_OK ||
        json_utc(body, "at", &at, err) != ERR_OK ||
        json_decimal_either(body, "score", &score, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (fill)", (long long)row->seq);
    }
    book_apply_fill(book, symbol, strcmp(side, "buy") == 0 ? SIDE_BUY : SIDE_SELL, qty, amount, at,
                    (struct ratio){score});
    return ERR_OK;
}

static enum err_code holding_of_row(struct book *book, const struct journal_row *row,
                                    struct holding **out, struct err *err) {
    struct holding *holding = book_get(book, row->key);
    if (holding == NULL) {
        return err_set(err, ERR_LIMIT, "journal row %lld: more than %d positions",
                       (long long)row->seq, BOOK_MAX);
    }
    *out = holding;
    return ERR_OK;
}

/* What a row says is held: it begins with it where nothing was. */
static void take_over(struct holding *holding, struct qty qty, struct usd cost, struct utc at) {
    if (holding->qty.nanos <= 0) {
        begin(holding, at, (struct ratio){0});
    }
    holding->qty = qty;
    holding->cost = cost;
    holding->is_adopted = true;
    holding->split_day = ny_date(at);
    if (qty_cmp(qty, holding->initial_qty) > 0) {
        holding->initial_qty = qty;
    }
}

static enum err_code fold_adopt(struct book *book, const struct journal_row *row, const cJSON *body,
                                struct err *err) {
    struct qty qty = {0};
    struct usd cost = {0};
    struct utc at = {0};
    if (json_qty(body, "qty", &qty, err) != ERR_OK ||
        json_usd(body, "cost", &cost, err) != ERR_OK || json_utc(body, "at", &at, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (adopt)", (long long)row->seq);
    }
    struct holding *holding = NULL;
    if (holding_of_row(book, row, &holding, err) != ERR_OK) {
        return ERR_LIMIT;
    }
    take_over(holding, qty, cost, at);
    holding->unnoted = (struct qty){0};
    return ERR_OK;
}

/* What is remembered of price and size, in new shares. A number beyond its range is forgotten. */
static void rescale(struct holding *holding, const struct split *split) {
    struct usd *prices[] = {&holding->high_water, &holding->high_noted, &holding->mark};
    MUTATE(split_keeps_old_prices, return);
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        if (split_price(split, *prices[i], prices[i], NULL) != ERR_OK) {
            *prices[i] = (struct usd){0};
        }
    }
    if (split_qty(split, holding->initial_qty, &holding->initial_qty, NULL) != ERR_OK) {
        holding->initial_qty = holding->qty;
    }
    holding->initial_qty = qty_whole(holding->initial_qty);
}

static enum err_code read_split(const cJSON *body, struct split *split, struct err *err) {
    const char *day = NULL;
    if (json_decimal_either(body, "new", &split->new_rate.nanos, err) != ERR_OK ||
        json_decimal_either(body, "old", &split->old_rate.nanos, err) != ERR_OK ||
        json_string(body, "day", &day, err) != ERR_OK) {
        return ERR_PARSE;
    }
    if (split->new_rate.nanos <= 0 || split->old_rate.nanos <= 0) {
        return err_set(err, ERR_PARSE, "a rate is not above zero");
    }
    return date_parse(day, &split->day, err);
}

static enum err_code fold_split(struct book *book, const struct journal_row *row, const cJSON *body,
                                struct err *err) {
    struct split split = {0};
    struct qty qty = {0};
    struct usd cost = {0};
    if (read_split(body, &split, err) != ERR_OK || json_qty(body, "qty", &qty, err) != ERR_OK ||
        json_usd(body, "cost", &cost, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (split)", (long long)row->seq);
    }
    struct holding *holding = book_find(book, row->key);
    if (holding == NULL) {
        return ERR_OK; /* of a position that the rows before do not know */
    }
    holding->qty = qty;
    holding->cost = cost;
    holding->split_day = split.day;
    holding->is_split_due = false;
    rescale(holding, &split);
    return ERR_OK;
}

/* The source of a spin-off: what was given away is worth that much of each of its shares. */
static void shrink(struct holding *source, struct usd moved) {
    struct usd *prices[] = {&source->high_water, &source->high_noted, &source->mark};
    struct usd part = {0};
    source->cost = usd_max(usd_sub(source->cost, moved), USD(0));
    if (usd_per_qty(moved, source->qty, &part, NULL) != ERR_OK) {
        part = USD(0);
    }
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        *prices[i] = usd_max(usd_sub(*prices[i], part), USD(0));
    }
}

static enum err_code fold_spin_off(struct book *book, const struct journal_row *row,
                                   const cJSON *body, struct err *err) {
    struct qty qty = {0};
    struct usd cost = {0};
    struct usd moved = {0};
    struct utc at = {0};
    const char *source = NULL;
    if (json_qty(body, "qty", &qty, err) != ERR_OK ||
        json_usd(body, "cost", &cost, err) != ERR_OK || json_utc(body, "at", &at, err) != ERR_OK ||
        json_usd(body, "moved", &moved, err) != ERR_OK ||
        json_string(body, "source", &source, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (spin)", (long long)row->seq);
    }
    struct holding *holding = NULL;
    if (holding_of_row(book, row, &holding, err) != ERR_OK) {
        return ERR_LIMIT;
    }
    take_over(holding, qty, cost, at);
    holding->is_spin_due = false;
    struct holding *from = book_find(book, source);
    if (from != NULL && from->qty.nanos > 0) {
        shrink(from, moved);
    }
    return ERR_OK;
}

static enum err_code fold_note(struct book *book, const struct journal_row *row, const cJSON *body,
                               struct err *err) {
    struct usd high = {0};
    int64_t targets = 0;
    if (json_usd(body, "high", &high, err) != ERR_OK ||
        json_int(body, "targets", &targets, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (note)", (long long)row->seq);
    }
    struct holding *holding = book_find(book, row->key);
    if (holding != NULL) {
        holding->high_water = usd_max(holding->high_water, high);
        holding->high_noted = holding->high_water;
        holding->targets_hit |= (unsigned)targets;
    }
    return ERR_OK;
}

/* By how much, and at what price: a fill may stand before it. */
static enum err_code fold_short(struct book *book, const struct journal_row *row, const cJSON *body,
                                struct err *err) {
    struct qty by = {0};
    struct usd price = {0};
    if (json_qty(body, "by", &by, err) != ERR_OK ||
        json_usd(body, "price", &price, err) != ERR_OK) {
        return err_wrap(err, "journal row %lld (short)", (long long)row->seq);
    }
    struct holding *holding = NULL;
    if (holding_of_row(book, row, &holding, err) != ERR_OK) {
        return ERR_LIMIT;
    }
    shift(holding, by, price);
    return ERR_OK;
}

enum err_code book_fold(struct book *book, const struct journal_row *row, struct err *err) {
    static const struct {
        const char *kind;
        enum err_code (*fold)(struct book *book, const struct journal_row *row, const cJSON *body,
                              struct err *err);
    } folds[] = {{"fill", fold_fill},   {"adopt", fold_adopt}, {"note", fold_note},
                 {"short", fold_short}, {"split", fold_split}, {"spin", fold_spin_off}};
    size_t i = 0;
    while (i < sizeof folds / sizeof folds[0] && strcmp(row->kind, folds[i].kind) != 0) {
        i++;
    }
    MUTATE(short_lost_at_restart, if (strcmp(row->kind, "short") == 0) return ERR_OK);
    if (i == sizeof folds / sizeof folds[0]) {
        return ERR_OK;
    }
    cJSON *body = NULL;
    enum err_code code = json_parse(row->body, strlen(row->body), &body, err);
    if (code != ERR_OK) {
        return err_wrap(err, "journal row %lld", (long long)row->seq);
    }
    code = folds[i].fold(book, row, body, err);
    cJSON_Delete(body);
    return code;
}

enum err_code book_note(struct journal *journal, const struct holding *holding, struct err *err) {
    struct text body = {0};
    text_add_char(&body, '{');
    text_member_decimal(&body, "high", holding->high_water.nanos);
    text_member_int(&body, "targets", holding->targets_hit);
    text_add_char(&body, '}');
    enum err_code code =
        journal_append(journal, "note", holding->symbol, text_get(&body), NULL, err);
    text_release(&body);
    return code;
}

/* Journals and commits a row of the symbol, then folds it. */
static enum err_code take_row(struct book *book, struct journal *journal, const char *kind,
                              const char *symbol, const struct text *body, struct err *err) {
    enum err_code code = journal_append(journal, kind, symbol, text_get(body), NULL, err);
    code = code == ERR_OK ? journal_commit(journal, err) : code;
    if (code == ERR_OK) {
        struct journal_row row = {.kind = kind, .key = symbol, .body = text_get(body)};
        code = book_fold(book, &row, err);
    }
    return code;
}

static void put_change(struct text *body, const struct holding *holding, struct usd cost,
                       struct utc now) {
    text_add_char(body, '{');
    text_member_decimal(body, "qty", holding->broker_qty.nanos);
    text_member_decimal(body, "cost", cost.nanos);
    text_member_decimal(body, "was", holding->qty.nanos);
    text_member_utc(body, "at", now);
}

enum err_code book_adopt(struct book *book, struct journal *journal, struct holding *holding,
                         struct utc now, struct err *err) {
    struct usd cost = {0};
    if (usd_times_qty(holding->avg_entry, holding->broker_qty, &cost, err) != ERR_OK) {
        return err_wrap(err, "%s", holding->symbol);
    }
    struct text body = {0};
    put_change(&body, holding, cost, now);
    text_add_char(&body, '}');
    enum err_code code = take_row(book, journal, "adopt", holding->symbol, &body, err);
    text_release(&body);
    return code;
}

/* The price of a share moves by the rates alone: what was paid out, or rounded up, moves the cost. */
static enum err_code cost_behind(const struct holding *holding, struct usd *out, struct err *err) {
    struct qty exact = {0};
    if (split_qty(&holding->due, holding->qty, &exact, err) != ERR_OK) {
        return ERR_RANGE;
    }
    if (exact.nanos == 0) {
        return err_set(err, ERR_RANGE, "%s: nothing is left of it", holding->symbol);
    }
    return decimal_mul_div(holding->cost.nanos, holding->broker_qty.nanos, exact.nanos, &out->nanos,
                           err);
}

enum err_code book_split(struct book *book, struct journal *journal, struct holding *holding,
                         struct utc now, struct err *err) {
    const struct split *due = &holding->due;
    struct usd cost = {0};
    char day[DATE_TEXT_MAX];
    if (cost_behind(holding, &cost, err) != ERR_OK) {
        return ERR_RANGE;
    }
    struct text body = {0};
    date_print(due->day, day);
    put_change(&body, holding, cost, now);
    text_member_decimal(&body, "new", due->new_rate.nanos);
    text_member_decimal(&body, "old", due->old_rate.nanos);
    text_member_string(&body, "day", day);
    text_add_char(&body, '}');
    enum err_code code = take_row(book, journal, "split", holding->symbol, &body, err);
    text_release(&body);
    return code;
}

/* What was sold of the source before the gift shows left with its own part of the cost: what moves is of the part that
 * is still held. 0: unlinked, for nobody tells that part, or no cost would be left, by which no exit can be judged. */
static struct usd spun_from(const struct holding *source, const struct spin_due *spin,
                            struct qty gain, struct usd worth) {
    struct qty entitled = {0};
    struct usd moved = worth;
    if (source == NULL || spin->new_rate.nanos <= 0 ||
        decimal_mul_div(gain.nanos, spin->source_rate.nanos, spin->new_rate.nanos, &entitled.nanos,
                        NULL) != ERR_OK ||
        entitled.nanos <= 0) {
        return USD(0);
    }
    if (source->qty.nanos < entitled.nanos &&
        decimal_mul_div(worth.nanos, source->qty.nanos, entitled.nanos, &moved.nanos, NULL) !=
            ERR_OK) {
        return USD(0);
    }
    return moved.nanos < source->cost.nanos ? moved : USD(0);
}

static void put_spin(struct text *body, const struct holding *holding, const char *source,
                     struct usd moved) {
    char day[DATE_TEXT_MAX];
    date_print(holding->spin.day, day);
    text_member_decimal(body, "moved", moved.nanos);
    text_member_string(body, "source", source);
    text_member_string(body, "day", day);
    text_add_char(body, '}');
}

enum err_code book_spin_off(struct book *book, struct journal *journal, struct holding *holding,
                            struct utc now, struct err *err) {
    struct qty gain = qty_sub(holding->broker_qty, holding->qty);
    struct usd worth = {0};
    struct usd price = spin_price(holding);
    if (price.nanos <= 0) {
        return err_set(err, ERR_RANGE, "%s: nobody tells its price", holding->symbol);
    }
    if (usd_times_qty(price, gain, &worth, err) != ERR_OK) {
        return err_wrap(err, "%s", holding->symbol);
    }
    struct text body = {0};
    const struct holding *source = book_find(book, holding->spin.source);
    struct usd moved = spun_from(source, &holding->spin, gain, worth);
    bool is_linked = moved.nanos > 0;
    MUTATE(spin_cost_stays, moved = USD(0));
    put_change(&body, holding, usd_add(holding->cost, worth), now);
    put_spin(&body, holding, is_linked ? source->symbol : "", moved);
    enum err_code code = take_row(book, journal, "spin", holding->symbol, &body, err);
    holding->is_spin_unlinked = source != NULL && !is_linked;
    text_release(&body);
    return code;
}

void book_sweep(struct book *book) {
    size_t kept = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        bool is_told_naked = holding->is_naked;     /* somebody still has to say it ended */
        bool is_owed = holding->unnoted.nanos != 0; /* the journal has still to be told */
        if (holding->qty.nanos != 0 || holding->is_listed || is_told_naked || is_owed) {
            book->items[kept++] = *holding;
        } else if (holding->filled_at.ns != 0) {
            struct book_gone *gone = &book->gone[book->gone_next++ % BOOK_MAX];
            memcpy(gone->symbol, holding->symbol, sizeof gone->symbol);
            gone->filled_at = holding->filled_at;
        }
    }
    book->count = kept;
}

void book_print(const struct book *book, struct text *out) {
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        if (out->len > 0) {
            text_add(out, ",\n");
        }
        text_add_json_string(out, holding->symbol);
        text_add(out, ":{");
        text_member_decimal(out, "qty", holding->qty.nanos);
        text_member_decimal(out, "entry_price", holding_entry_price(holding).nanos);
        text_member_decimal(out, "initial_qty", holding->initial_qty.nanos);
        text_member_utc(out, "entered_at", holding->entered_at);
        text_member_decimal(out, "high_water", holding->high_noted.nanos);
        text_member_int(out, "targets_hit", holding->targets_hit);
        text_member_decimal(out, "entry_score", holding->entry_score.nanos);
        text_member_bool(out, "adopted", holding->is_adopted);
        text_add_char(out, '}');
    }
}
