/* equity_steps.c - cash and equity held against what explains them. */
#include "core/risk/equity_steps.h"

#include "core/base/mutant.h"
#include "core/base/text.h"
#include "core/risk/amount_row.h"

#include <string.h>

static const char ROW[] = "cash";
static const struct span SETTLED = {
    INT64_C(15000000000)}; /* since a fill: both sides have seen it */

/* Of these nothing says what they took or gave in cash. */
static bool is_anothers(const struct journal_row *row) {
    static const char *const kinds[] = {"adopt", "split", "spin", "short"};
    static const char *const causes[] = {"state_regression", "amnesia", "second_writer"};
    return text_is_one_of(row->kind, kinds, sizeof kinds / sizeof kinds[0]) ||
           (strcmp(row->kind, "latch_set") == 0 &&
            text_is_one_of(row->key, causes, sizeof causes / sizeof causes[0]));
}

enum err_code equity_steps_fold(struct equity_steps *steps, const struct journal_row *row,
                                struct err *err) {
    static const char *const kinds[] = {ROW, "flow", "income", "cost"};
    struct usd amount = {0};
    steps->is_unsure = steps->is_unsure || is_anothers(row);
    if (!text_is_one_of(row->kind, kinds, sizeof kinds / sizeof kinds[0])) {
        return ERR_OK;
    }
    enum err_code code = amount_row_read(row, &amount, err);
    if (code != ERR_OK) {
        return code;
    }
    if (strcmp(row->kind, ROW) == 0) {
        steps->anchor = amount;
        steps->is_anchored = true;
        steps->is_unsure = false;
    } else {
        equity_steps_told(steps, amount);
    }
    return ERR_OK;
}

/* At once, for a trade that is under way would keep what was held out. */
void equity_steps_told(struct equity_steps *steps, struct usd amount) {
    steps->told = usd_add(steps->told, amount);
    if ((amount.nanos > 0) == (steps->step.nanos > 0)) {
        bool is_all = usd_cmp(usd_abs(amount), usd_abs(steps->step)) >= 0;
        steps->step = is_all ? (struct usd){0} : usd_sub(steps->step, amount);
    }
}

/* --- one reading --- */

static bool is_settled(const struct book *book, struct utc now) {
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        struct qty listed = holding->is_listed ? holding->broker_qty : (struct qty){0};
        if (holding->differs || qty_cmp(listed, holding->qty) != 0 ||
            utc_sub(now, holding->filled_at).ns < SETTLED.ns) {
            return false;
        }
    }
    return true;
}

/* Cash by booked fills and told activities, from the anchor on. */
static struct usd expected_cash(const struct equity_steps *steps, const struct book *book) {
    return usd_add(steps->anchor, usd_add(book->cash_flow, steps->told));
}

/* What has no mark yet, as what nobody lists behind a restart, counts at its cost: for nothing it would be money. */
static struct usd value_of(const struct book *book) {
    struct usd sum = {0};
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        struct usd price = holding->mark.nanos > 0 ? holding->mark : holding_entry_price(holding);
        struct usd value = {0};
        if (usd_times_qty(price, holding->qty, &value, NULL) == ERR_OK) {
            sum = usd_add(sum, value);
        }
    }
    return sum;
}

static void anchor(struct equity_steps *steps, const struct truth *truth, const struct book *book,
                   struct journal *journal) {
    struct usd anchor =
        usd_sub(usd_sub(truth->account.cash, steps->step), usd_add(book->cash_flow, steps->told));
    if (amount_row_write(journal, ROW, "", anchor)) {
        steps->anchor = anchor;
        steps->is_anchored = true;
        steps->is_unsure = false;
    }
}

/* What both are off by: as much, to a quarter of what is new in it, or there is a trade in it that the book does not know
 * yet, and what was held out before stays. 0 where it is too little to matter. */
static struct usd step_of(struct usd cash_off, struct usd equity_off, struct usd least,
                          struct usd before) {
    struct usd size = usd_abs(cash_off);
    struct usd news = usd_abs(usd_sub(cash_off, before));
    struct usd apart = usd_abs(usd_sub(equity_off, cash_off));
    MUTATE(cash_step_off_by_one, size.nanos++);
    bool is_trade = usd_cmp(news, least) > 0 && apart.nanos > news.nanos / 4;
    MUTATE(bust_is_a_step, is_trade = false);
    if (is_trade) {
        return before;
    }
    return usd_cmp(size, least) <= 0 ? (struct usd){0} : cash_off;
}

void equity_steps_judge(struct equity_steps *steps, const struct truth *truth,
                        const struct book *book, const struct config *config,
                        struct journal *journal, bool is_calm, struct utc now) {
    if (!truth->is_equity_explained) {
        return;
    }
    if (!steps->is_anchored || steps->is_unsure) {
        if (journal != NULL && is_calm && is_settled(book, now)) {
            anchor(steps, truth, book, journal);
        }
        return;
    }
    struct usd cash = expected_cash(steps, book);
    struct usd equity = usd_add(cash, value_of(book));
    struct usd least = usd_scale(truth->account.equity, config->cash_step);
    steps->step = step_of(usd_sub(truth->account.cash, cash),
                          usd_sub(truth->account.equity, equity), least, steps->step);
    MUTATE(equity_step_believed, steps->step.nanos = 0);
}
