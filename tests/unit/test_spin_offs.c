/* test_spin_offs.c - spin-offs: what a row explains, to the share and once, and what becomes of two costs. */
#include "core/portfolio/closed_trades.h"
#include "core/portfolio/reconcile.h"
#include "tests/unit/desk.h"

static struct date today(void) {
    return ny_date(rig_start());
}

static struct broker_activity row_of(const char *id, const char *symbol, const char *qty) {
    struct broker_activity row = {.type = "SPIN", .at = ny_to_utc(today(), 16, 0)};
    strcpy(row.id, id);
    strcpy(row.symbol, symbol);
    cr_assert_eq(decimal_parse(qty, &row.qty.nanos, NULL), ERR_OK);
    return row;
}

static struct broker_action announced(int days) {
    return (struct broker_action){.day = date_add(today(), days),
                                  .is_spin_off = true,
                                  .new_symbol = "NEWCO",
                                  .new_rate = {NANOS},
                                  .old_rate = {2 * NANOS}};
}

struct shelf {
    struct rig *rig;
    struct book book;
    struct spin_offs spins;
    struct broker_position listing[2];
    size_t listed;
    enum in_flight orders;
};

static enum in_flight orders_of(void *context, const char *symbol) {
    (void)symbol;
    return ((const struct shelf *)context)->orders;
}

static struct reconcile_result look(struct shelf *shelf) {
    for (size_t i = 0; i < shelf->listed; i++) {
        (void)book_get(&shelf->book, shelf->listing[i].symbol);
    }
    spin_offs_mark(&shelf->spins, &shelf->book, today());
    return reconcile(&shelf->book, shelf->listing, shelf->listed, shelf->rig->journal,
                     shelf->rig->world.clock, orders_of, shelf);
}

/* Ten shares of yesterday, at 100; five of another that nobody ordered, at 40. */
static struct holding *shelf_of(struct shelf *shelf) {
    *shelf = (struct shelf){.rig = rig_create(), .listed = 2};
    book_apply_fill(&shelf->book, "AAPL", SIDE_BUY, QTY(10), USD(1000),
                    utc_add(rig_start(), SPAN_DAYS(-1)), (struct ratio){0});
    shelf->listing[0] =
        (struct broker_position){.symbol = "AAPL", .qty = QTY(10), .avg_entry_price = USD(100)};
    shelf->listing[1] =
        (struct broker_position){.symbol = "NEWCO", .qty = QTY(5), .avg_entry_price = USD(40)};
    struct holding *source = book_find(&shelf->book, "AAPL");
    source->high_water = source->high_noted = USD(120);
    source->mark = USD(110);
    return source;
}

static const struct holding *newco(struct shelf *shelf) {
    return book_find(&shelf->book, "NEWCO");
}

Test(spin_offs, are_taken_at_the_first_listing_and_take_their_cost_along) {
    struct shelf shelf;
    struct holding *source = shelf_of(&shelf);
    struct broker_action action = announced(0);
    struct broker_activity row = row_of("1::a", "NEWCO", "5");
    spin_offs_add(&shelf.spins, "AAPL", &action);
    spin_offs_take(&shelf.spins, &row);
    spin_offs_take(&shelf.spins, &row); /* told again by each poll */
    struct reconcile_result result = look(&shelf);
    cr_expect_eq(result.spin_offs, 1);
    cr_expect_eq(result.differences, 0);
    cr_assert_not_null(newco(&shelf));
    cr_expect_eq(newco(&shelf)->qty.nanos, QTY(5).nanos);
    cr_expect_eq(newco(&shelf)->cost.nanos, USD(200).nanos);
    cr_expect(newco(&shelf)->is_spun && !newco(&shelf)->is_healed);
    cr_expect_eq(newco(&shelf)->entered_at.ns, rig_now(shelf.rig).ns);
    cr_expect_eq(source->cost.nanos, USD(800).nanos);
    cr_expect_eq(source->qty.nanos, QTY(10).nanos);
    cr_expect_eq(source->high_water.nanos, USD(100).nanos);
    cr_expect_eq(source->high_noted.nanos, USD(100).nanos);
    cr_expect_eq(source->mark.nanos, USD(90).nanos);
    cr_expect_eq(look(&shelf).spin_offs, 0);
    rig_destroy(shelf.rig);
}

static enum err_code fold_into(void *context, const struct journal_row *row, struct err *err) {
    struct shelf *next = context;
    spin_offs_fold(&next->spins, row);
    return book_fold(&next->book, row, err);
}

Test(spin_offs, are_known_to_the_next_life_which_takes_none_again) {
    struct shelf shelf;
    struct shelf next = {.listed = 2};
    shelf_of(&shelf);
    struct broker_action action = announced(0);
    struct broker_activity row = row_of("1::a", "NEWCO", "5");
    spin_offs_add(&shelf.spins, "AAPL", &action);
    spin_offs_take(&shelf.spins, &row);
    cr_expect_eq(look(&shelf).spin_offs, 1);
    rig_reopen(shelf.rig);
    book_apply_fill(&next.book, "AAPL", SIDE_BUY, QTY(10), USD(1000),
                    utc_add(rig_start(), SPAN_DAYS(-1)), (struct ratio){0});
    cr_assert_eq(journal_read(shelf.rig->journal, 0, fold_into, &next, NULL), ERR_OK);
    cr_expect_eq(newco(&next)->qty.nanos, QTY(5).nanos);
    cr_expect_eq(newco(&next)->cost.nanos, USD(200).nanos);
    cr_expect_eq(book_find(&next.book, "AAPL")->cost.nanos, USD(800).nanos);
    next.rig = shelf.rig;
    memcpy(next.listing, shelf.listing, sizeof next.listing);
    next.listing[1].qty = QTY(10); /* somebody bought five more */
    next.listing[1].has_price = true;
    next.listing[1].current_price = USD(40);
    spin_offs_take(&next.spins, &row);
    struct reconcile_result result = look(&next);
    cr_expect_eq(result.spin_offs, 0);
    cr_expect_eq(result.differences, 1);
    rig_destroy(shelf.rig);
}

/* Exactly, or the whole shares of it: a fraction is paid out. */
Test(spin_offs, explain_a_gain_to_the_share) {
    static const struct {
        const char *told;
        int64_t listed;
        bool explains;
    } rows[] = {{"5", 5 * NANOS, true},   {"5", 6 * NANOS, false},    {"5", 4 * NANOS, false},
                {"5.6", 5 * NANOS, true}, {"5.6", 6 * NANOS, false},  {"5.6", NANOS * 28 / 5, true},
                {"5", -5 * NANOS, false}, {"5", 5 * NANOS + 1, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shelf shelf;
        shelf_of(&shelf);
        struct broker_activity row = row_of("1::a", "NEWCO", rows[i].told);
        spin_offs_take(&shelf.spins, &row);
        shelf.listing[1].qty.nanos = rows[i].listed;
        cr_expect_eq(look(&shelf).spin_offs, rows[i].explains, "row %zu", i);
        rig_destroy(shelf.rig);
    }
}

/* No row, one that was undone, of another symbol or type, too old, or no price: announced or not. */
Test(spin_offs, that_no_row_tells_explain_nothing) {
    for (int kind = 0; kind < 6; kind++) {
        struct shelf shelf;
        struct holding *source = shelf_of(&shelf);
        struct broker_action action = announced(0);
        struct broker_activity row = row_of("1::a", kind == 1 ? "OTHER" : "NEWCO", "5");
        spin_offs_add(&shelf.spins, "AAPL", &action);
        row.at = kind == 3 ? utc_add(row.at, SPAN_DAYS(-SPIN_DUE_DAYS - 1)) : row.at;
        strcpy(row.type, kind == 2 ? "SPLIT" : "SPIN");
        if (kind > 0) {
            spin_offs_take(&shelf.spins, &row);
        }
        if (kind == 4) {
            row.is_canceled = true;
            spin_offs_take(&shelf.spins, &row);
        }
        shelf.listing[1].avg_entry_price = kind == 5 ? USD(0) : USD(40);
        cr_expect_eq(look(&shelf).spin_offs, 0, "kind %d", kind);
        rig_wait(shelf.rig, SPAN_S(15));
        cr_expect_eq(look(&shelf).confirmed, 1, "kind %d", kind);
        cr_expect(newco(&shelf)->is_healed);
        cr_expect_eq(source->cost.nanos, USD(1000).nanos);
        rig_destroy(shelf.rig);
    }
}

/* Announced of a stock that is not held, that was bought since, or for another week: the shares are explained, and
 * whose they were is not known. */
Test(spin_offs, that_nothing_links_move_no_cost) {
    for (int kind = 0; kind < 4; kind++) {
        struct shelf shelf;
        struct holding *source = shelf_of(&shelf);
        struct broker_action action = announced(kind == 2 ? 1 : kind == 3 ? -8 : 0);
        struct broker_activity row = row_of("1::a", "NEWCO", "5");
        if (kind != 0) {
            spin_offs_add(&shelf.spins, kind == 1 ? "MSFT" : "AAPL", &action);
        }
        spin_offs_take(&shelf.spins, &row);
        cr_expect_eq(look(&shelf).spin_offs, 1, "kind %d", kind);
        cr_expect_eq(newco(&shelf)->cost.nanos, USD(200).nanos);
        cr_expect_eq(source->cost.nanos, USD(1000).nanos, "kind %d", kind);
        rig_destroy(shelf.rig);
    }
}

/* Of ten shares four were sold before the gift shows, or it is worth more than its source, or nobody tells for how many
 * it is given: the source keeps a cost above zero, and that of the shares that left. */
Test(spin_offs, move_the_cost_of_what_is_held_and_never_all_of_it) {
    static const struct {
        int64_t held, cost, price, new_rate, source_rate, moved;
        bool is_unlinked;
    } rows[] = {{10, 1000, 40, 1, 2, 200, false},  {6, 600, 40, 1, 2, 120, false},
                {1, 100, 40, 1, 2, 20, false},     {12, 1200, 40, 1, 2, 200, false},
                {10, 1000, 199, 1, 2, 995, false}, {10, 1000, 200, 1, 2, 0, true},
                {10, 1000, 4000, 1, 2, 0, true},   {10, 1000, 40, 0, 2, 0, true},
                {10, 1000, 40, 1, 0, 0, true},     {10, 1000, 40, 1, INT64_MAX / NANOS, 0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shelf shelf;
        struct holding *source = shelf_of(&shelf);
        struct broker_action action = announced(0);
        struct broker_activity row = row_of("1::a", "NEWCO", "5");
        source->qty = shelf.listing[0].qty = QTY(rows[i].held);
        source->cost = USD(rows[i].cost);
        shelf.listing[1].avg_entry_price = USD(rows[i].price);
        action.new_rate.nanos = rows[i].new_rate * NANOS;
        action.old_rate.nanos = rows[i].source_rate * NANOS;
        spin_offs_add(&shelf.spins, "AAPL", &action);
        spin_offs_take(&shelf.spins, &row);
        cr_expect_eq(look(&shelf).spin_offs, 1, "row %zu", i);
        cr_expect_eq(newco(&shelf)->cost.nanos, 5 * rows[i].price * NANOS, "row %zu", i);
        cr_expect_eq(newco(&shelf)->is_spin_unlinked, rows[i].is_unlinked, "row %zu", i);
        cr_expect_eq(source->cost.nanos, (rows[i].cost - rows[i].moved) * NANOS, "row %zu", i);
        rig_destroy(shelf.rig);
    }
}

/* A row of the next day, taken in the night before it, explains no second gain on that day, nor in the next life. */
Test(spin_offs, are_taken_once_though_their_day_is_the_next) {
    struct shelf shelf;
    shelf_of(&shelf);
    struct broker_activity row = row_of("1::a", "NEWCO", "3");
    struct broker_activity later = row_of("1::b", "NEWCO", "2");
    later.at = utc_add(later.at, SPAN_DAYS(1));
    spin_offs_take(&shelf.spins, &later);
    spin_offs_take(&shelf.spins, &row); /* the newest need not be the last */
    cr_expect_eq(look(&shelf).spin_offs, 1);
    cr_expect_eq(newco(&shelf)->spin.day.days, today().days + 1);
    rig_reopen(shelf.rig);
    struct shelf next = {.rig = shelf.rig, .listed = 2};
    cr_assert_eq(journal_read(shelf.rig->journal, 0, fold_into, &next, NULL), ERR_OK);
    memcpy(next.listing, shelf.listing, sizeof next.listing);
    next.listing[1].qty = QTY(7);
    next.listing[1].has_price = true;
    next.listing[1].current_price = USD(40);
    spin_offs_take(&next.spins, &later);
    cr_expect_eq(look(&next).spin_offs, 0);
    cr_expect_eq(newco(&next)->qty.nanos, QTY(5).nanos);
    rig_destroy(shelf.rig);
}

Test(spin_offs, of_an_absurd_quantity_are_no_rows) {
    struct spin_offs spins = {0};
    struct broker_activity row = row_of("1::a", "NEWCO", "5");
    row.qty.nanos = SPIN_ROW_QTY_MAX + 1;
    spin_offs_take(&spins, &row);
    cr_expect_eq(spins.row_count, 0);
    row.qty.nanos = SPIN_ROW_QTY_MAX;
    spin_offs_take(&spins, &row);
    cr_expect_eq(spins.row_count, 1);
}

/* What an order of ours may have bought waits for that order. */
Test(spin_offs, beside_an_order_that_may_fill_wait) {
    struct shelf shelf;
    shelf_of(&shelf);
    struct broker_activity row = row_of("1::a", "NEWCO", "5");
    spin_offs_take(&shelf.spins, &row);
    shelf.orders = IN_FLIGHT_UNKNOWN;
    cr_expect_eq(look(&shelf).spin_offs, 0);
    shelf.orders = IN_FLIGHT_LISTED;
    cr_expect_eq(look(&shelf).spin_offs, 0);
    shelf.orders = IN_FLIGHT_NOTHING;
    cr_expect_eq(look(&shelf).spin_offs, 1);
    rig_destroy(shelf.rig);
}

Test(spin_offs, lists_that_are_full_forget_the_oldest_row_and_link_no_more) {
    struct spin_offs spins = {0};
    for (int i = 0; i < 2 * SPIN_ROWS_MAX; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "%d", i);
        struct broker_activity row = row_of(id, "NEWCO", "5");
        struct broker_action action = announced(0);
        spin_offs_take(&spins, &row);
        spin_offs_add(&spins, "AAPL", &action);
    }
    cr_expect_eq(spins.row_count, SPIN_ROWS_MAX);
    cr_expect_str_eq(spins.rows[SPIN_ROWS_MAX - 1].id, "127");
    cr_expect_eq(spins.count, SPIN_OFFS_MAX);
}

/* Bought for 1,000, of which 200 left with what was given; sold for 790: 10 were lost, not 210. */
Test(spin_offs, are_no_trade_and_no_loss_of_their_source) {
    static const struct {
        const char *kind, *key, *body;
    } rows[] = {
        {"fill", "st-1",
         "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\",\"amount\":\"1000\"}"},
        {"spin", "NEWCO",
         "{\"qty\":\"5\",\"cost\":\"200\",\"was\":\"0\",\"moved\":\"200\",\"source\":\"AAPL\"}"},
        {"fill", "st-2",
         "{\"symbol\":\"NEWCO\",\"side\":\"sell\",\"qty\":\"5\",\"amount\":\"300\"}"},
        {"fill", "st-3",
         "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"10\",\"amount\":\"790\"}"}};
    struct closed_trades *trades = calloc(1, sizeof *trades);
    cr_assert_not_null(trades);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct journal_row row = {
            .seq = (int64_t)i + 1, .kind = rows[i].kind, .key = rows[i].key, .body = rows[i].body};
        closed_trades_take(trades, &row);
    }
    cr_assert_eq(trades->count, 1);
    cr_expect_eq(closed_trade_profit(closed_trades_newest(trades, 0)).nanos, USD(-10).nanos);
    free(trades);
}
