/* test_splits.c - splits: what is due, what it explains to the share, what becomes of cost, prices, marks, stops. */
#include "core/portfolio/closed_trades.h"
#include "core/portfolio/reconcile.h"
#include "core/risk/data_guard.h"
#include "core/risk/repeat_throttle.h"
#include "tests/unit/desk.h"

static struct date today(void) {
    return ny_date(rig_start());
}

static struct broker_action split_of(int64_t new_rate, int64_t old_rate, int days) {
    return (struct broker_action){.day = date_add(today(), days),
                                  .is_split = true,
                                  .new_rate = {new_rate * NANOS},
                                  .old_rate = {old_rate * NANOS}};
}

/* Bought so many days ago, at 100 a share. */
static struct holding *own(struct book *book, int64_t shares, int days) {
    book_apply_fill(book, "AAPL", SIDE_BUY, QTY(shares), USD(100 * shares),
                    utc_add(rig_start(), SPAN_DAYS(-days)), (struct ratio){0});
    return book_find(book, "AAPL");
}

/* --- due --- */

Test(splits, are_due_for_a_position_of_before_their_day_for_a_week) {
    static const struct {
        int bought, day;
        bool is_due;
    } rows[] = {{1, 0, true},   {0, 0, false},  {1, 1, false}, {8, -7, true},
                {9, -8, false}, {1, -1, false}, {2, -1, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct book book = {0};
        struct splits splits = {0};
        struct broker_action action = split_of(2, 1, rows[i].day);
        struct holding *holding = own(&book, 10, rows[i].bought);
        splits_add(&splits, "AAPL", &action);
        splits_mark(&splits, &book, today());
        cr_expect_eq(holding->is_split_due, rows[i].is_due, "row %zu", i);
        splits.count = 0;
        splits_mark(&splits, &book, today());
        cr_expect_not(holding->is_split_due, "forgotten");
    }
}

Test(splits, of_another_symbol_no_rates_or_taken_before_are_none) {
    struct book book = {0};
    struct splits splits = {0};
    struct broker_action action = split_of(2, 1, 0);
    struct holding *holding = own(&book, 10, 3);
    splits_add(&splits, "AAPLX", &action);
    action.is_split = false;
    splits_add(&splits, "AAPL", &action);
    splits_mark(&splits, &book, today());
    cr_expect_not(holding->is_split_due);
    action.is_split = true;
    splits_add(&splits, "AAPL", &action);
    holding->split_day = date_add(today(), -1);
    splits_mark(&splits, &book, today());
    cr_expect(holding->is_split_due);
    holding->split_day = today();
    splits_mark(&splits, &book, today());
    cr_expect_not(holding->is_split_due);
}

Test(splits, of_two_the_older_comes_first_and_a_full_list_takes_no_more) {
    struct book book = {0};
    struct splits splits = {0};
    struct holding *holding = own(&book, 10, 5);
    for (int days = 0; days > -3; days--) {
        struct broker_action action = split_of(2 - days, 1, days);
        splits_add(&splits, "AAPL", &action);
    }
    splits_mark(&splits, &book, today());
    cr_expect_eq(holding->due.new_rate.nanos, 4 * NANOS);
    for (int i = 0; i < 2 * SPLITS_MAX; i++) {
        struct broker_action action = split_of(2, 1, 0);
        splits_add(&splits, "MSFT", &action);
    }
    cr_expect_eq(splits.count, SPLITS_MAX);
}

/* --- what it explains --- */

Test(splits, explain_a_quantity_to_less_than_a_share) {
    static const struct {
        int64_t new_rate, old_rate, was, is_nanos;
        bool explains;
    } rows[] = {{2, 1, 10, 20 * NANOS, true},
                {2, 1, 10, 21 * NANOS, false},
                {2, 1, 10, 19 * NANOS, false},
                {2, 1, 10, 20 * NANOS + 1, false},
                {2, 1, 10, 20 * NANOS - 1, false},
                {1, 10, 25, 2 * NANOS, true},
                {1, 10, 25, 3 * NANOS, true},
                {1, 10, 25, NANOS * 5 / 2, true},
                {1, 10, 25, NANOS * 9 / 4, false},
                {1, 3, 10, 3333333334, true},
                {1, 3, 10, 3333333335, false},
                {1, 10, 25, 4 * NANOS, false},
                {1, 10, 9, 0, true},
                {1, 10, 10, 0, false},
                {3, 2, 7, 10 * NANOS, true},
                {3, 2, 7, 11 * NANOS, true},
                {3, 2, 7, 12 * NANOS, false},
                {2, 1, 10, -20 * NANOS, false},
                {2, 1, -10, -20 * NANOS, false},
                {2, 1, 0, 0, false},
                {INT64_C(9000000), 1, 9000000, 0, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct split split = {.new_rate = {rows[i].new_rate * NANOS},
                              .old_rate = {rows[i].old_rate * NANOS}};
        cr_expect_eq(split_explains(&split, QTY(rows[i].was), (struct qty){rows[i].is_nanos}),
                     rows[i].explains, "row %zu", i);
    }
}

/* One percent either side of 50. */
Test(splits, move_an_average_price_to_a_percent) {
    static const struct {
        int64_t was, is;
        bool moved;
    } rows[] = {{100 * NANOS, 50 * NANOS, true},
                {100 * NANOS, NANOS * 101 / 2, true},
                {100 * NANOS, NANOS * 99 / 2, true},
                {100 * NANOS, NANOS * 101 / 2 + 1, false},
                {100 * NANOS, NANOS * 99 / 2 - 1, false},
                {100 * NANOS, 100 * NANOS, false},
                {0, 0, false},
                {100 * NANOS, 0, false}};
    struct split split = {.new_rate = {2 * NANOS}, .old_rate = {NANOS}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(split_moved(&split, (struct usd){rows[i].was}, (struct usd){rows[i].is}),
                     rows[i].moved, "row %zu", i);
    }
}

/* --- the listing --- */

struct shelf {
    struct rig *rig;
    struct book book;
    struct splits splits;
    struct broker_position listing;
    size_t listed;
    enum in_flight orders;
};

static enum in_flight orders_of(void *context, const char *symbol) {
    (void)symbol;
    return ((const struct shelf *)context)->orders;
}

static struct reconcile_result look(struct shelf *shelf) {
    splits_mark(&shelf->splits, &shelf->book, today());
    return reconcile(&shelf->book, &shelf->listing, shelf->listed, shelf->rig->journal,
                     shelf->rig->world.clock, orders_of, shelf);
}

/* Ten shares of yesterday, and the broker lists so many. */
static struct holding *shelf_of(struct shelf *shelf, int64_t shares, int64_t listed) {
    *shelf = (struct shelf){.rig = rig_create(), .listed = listed > 0};
    strcpy(shelf->listing.symbol, "AAPL");
    shelf->listing.qty = QTY(listed);
    shelf->listing.avg_entry_price =
        listed > 0 ? (struct usd){USD(100 * shares).nanos / listed} : USD(0);
    struct holding *holding = own(&shelf->book, shares, 1);
    holding->high_water = holding->high_noted = USD(120);
    holding->mark = USD(110);
    return holding;
}

Test(splits, are_taken_at_the_first_listing_with_cost_and_prices_of_the_new_shares) {
    struct shelf shelf;
    struct holding *holding = shelf_of(&shelf, 10, 30);
    struct broker_action action = split_of(3, 1, 0);
    splits_add(&shelf.splits, "AAPL", &action);
    struct reconcile_result result = look(&shelf);
    cr_expect_eq(result.splits, 1);
    cr_expect_eq(result.differences, 0);
    cr_expect(holding->is_split && !holding->is_healed && !holding->is_confirmed);
    cr_expect_eq(holding->healed_from.nanos, QTY(10).nanos);
    cr_expect_eq(holding->qty.nanos, QTY(30).nanos);
    cr_expect_eq(holding->cost.nanos, USD(1000).nanos, "ours, not the broker's average");
    cr_expect_eq(holding->high_water.nanos, USD(40).nanos);
    cr_expect_eq(holding->high_noted.nanos, USD(40).nanos);
    cr_expect_eq(holding->mark.nanos, 36666666667);
    cr_expect_eq(holding->initial_qty.nanos, QTY(30).nanos);
    cr_expect_not(holding->is_adopted);
    cr_expect_eq(look(&shelf).splits, 0);
    cr_expect_not(holding->is_split, "told of its own listing alone");
    cr_expect_not(holding->is_split_due);
    rig_destroy(shelf.rig);
}

static enum err_code fold_into(void *context, const struct journal_row *row, struct err *err) {
    return book_fold(context, row, err);
}

Test(splits, are_known_to_the_next_life) {
    struct shelf shelf;
    struct book folded = {0};
    shelf_of(&shelf, 25, 2);
    shelf.listing.avg_entry_price = USD(1000);
    struct broker_action action = split_of(1, 10, 0);
    splits_add(&shelf.splits, "AAPL", &action);
    cr_expect_eq(look(&shelf).splits, 1);
    rig_reopen(shelf.rig);
    own(&folded, 25, 1)->high_water = USD(120);
    cr_assert_eq(journal_read(shelf.rig->journal, 0, fold_into, &folded, NULL), ERR_OK);
    const struct holding *holding = book_find(&folded, "AAPL");
    cr_expect_eq(holding->qty.nanos, QTY(2).nanos);
    cr_expect_eq(holding->cost.nanos, USD(2000).nanos, "half a share was paid out at its cost");
    cr_expect_eq(holding_entry_price(holding).nanos, USD(1000).nanos);
    cr_expect_eq(holding->high_water.nanos, USD(1200).nanos);
    cr_expect_eq(holding->initial_qty.nanos, QTY(2).nanos);
    splits_mark(&shelf.splits, &folded, today());
    cr_expect_not(holding->is_split_due);
    rig_destroy(shelf.rig);
}

Test(splits, that_nobody_announced_explain_nothing) {
    struct shelf shelf;
    struct holding *holding = shelf_of(&shelf, 10, 20);
    shelf.listing.avg_entry_price = USD(1);
    cr_expect_eq(look(&shelf).differences, 1);
    rig_wait(shelf.rig, SPAN_S(15));
    struct reconcile_result result = look(&shelf);
    cr_expect_eq(result.splits, 0);
    cr_expect_eq(result.confirmed, 1);
    cr_expect(holding->is_adopted);
    cr_expect_eq(holding->cost.nanos, USD(20).nanos, "the broker's word");
    struct broker_action action = split_of(2, 1, 0);
    splits_add(&shelf.splits, "AAPL", &action);
    look(&shelf);
    cr_expect_not(holding->is_split_due, "what was taken over since is of new shares");
    rig_destroy(shelf.rig);
}

Test(splits, with_another_quantity_than_announced_explain_nothing) {
    struct shelf shelf;
    shelf_of(&shelf, 10, 20);
    struct broker_action action = split_of(3, 1, 0);
    splits_add(&shelf.splits, "AAPL", &action);
    struct reconcile_result result = look(&shelf);
    cr_expect_eq(result.splits, 0);
    cr_expect_eq(result.differences, 1);
    rig_destroy(shelf.rig);
}

Test(splits, that_no_journal_takes_wait) {
    struct shelf shelf;
    struct holding *holding = shelf_of(&shelf, 10, 20);
    struct broker_action action = split_of(2, 1, 0);
    struct reconcile_result result = {0};
    splits_add(&shelf.splits, "AAPL", &action);
    splits_mark(&shelf.splits, &shelf.book, today());
    result =
        reconcile(&shelf.book, &shelf.listing, 1, NULL, shelf.rig->world.clock, orders_of, &shelf);
    cr_expect_eq(result.splits, 0);
    cr_expect_eq(holding->qty.nanos, QTY(10).nanos);
    rig_destroy(shelf.rig);
}

/* One share at three for two: one share, at another average. */
Test(splits, that_leave_the_quantity_are_taken_by_the_average) {
    for (int moved = 0; moved < 2; moved++) {
        struct shelf shelf;
        struct holding *holding = shelf_of(&shelf, 1, 1);
        struct broker_action action = split_of(3, 2, 0);
        splits_add(&shelf.splits, "AAPL", &action);
        shelf.listing.avg_entry_price = moved ? dollars("66.67") : USD(100);
        shelf.orders = IN_FLIGHT_STOP;
        cr_expect_eq(look(&shelf).differences, moved);
        shelf.orders = IN_FLIGHT_NOTHING;
        cr_expect_eq(look(&shelf).splits, moved);
        cr_expect_eq(holding->qty.nanos, QTY(1).nanos);
        cr_expect_eq(holding->high_water.nanos, moved ? USD(80).nanos : USD(120).nanos);
        cr_expect_eq(holding->is_split_due, moved == 0);
        rig_destroy(shelf.rig);
    }
}

/* Half of it sold by hand on the day of one for two: at the same average, and not told. */
Test(splits, that_no_price_and_no_activity_bear_out_explain_nothing) {
    for (int days = -1; days < 2; days++) {
        struct shelf shelf;
        struct holding *holding = shelf_of(&shelf, 10, days < 1 ? 5 : 0);
        struct broker_action action = split_of(1, days < 1 ? 2 : 20, 0);
        splits_add(&shelf.splits, "AAPL", &action);
        shelf.listing.avg_entry_price = USD(100);
        holding->split_told = date_add(today(), days == 1 ? -1 : days);
        cr_expect_eq(look(&shelf).splits, days == 0, "%d", days);
        rig_wait(shelf.rig, SPAN_S(15));
        struct reconcile_result result = look(&shelf);
        cr_expect_eq(result.splits, 0, "%d", days);
        cr_expect_eq(result.confirmed, days != 0, "%d", days);
        cr_expect_eq(result.vanished, days == 1, "%d", days);
        rig_destroy(shelf.rig);
    }
}

/* Half of it sold looks like one for two: while an order may have done it, and behind one that did, it waits. */
Test(splits, that_a_fill_would_look_like_wait_until_none_can_have_been) {
    static const struct {
        enum in_flight orders;
        int quiet, wait;
    } rows[] = {{IN_FLIGHT_NOTHING, 29, 15}, {IN_FLIGHT_STOP, 30, 15}, {IN_FLIGHT_LISTED, 30, 30}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shelf shelf;
        struct holding *holding = shelf_of(&shelf, 10, 5);
        struct broker_action action = split_of(1, 2, 0);
        shelf.orders = rows[i].orders;
        splits_add(&shelf.splits, "AAPL", &action);
        holding->filled_at = utc_add(rig_now(shelf.rig), SPAN_S(-rows[i].quiet));
        struct reconcile_result result = look(&shelf);
        cr_expect_eq(result.splits, 0, "row %zu", i);
        cr_expect_eq(result.differences, 1, "row %zu", i);
        rig_wait(shelf.rig, (struct span){SPAN_S(rows[i].wait).ns - 1});
        cr_expect_eq(look(&shelf).splits, i == 0, "row %zu", i); /* quiet since, and none at work */
        rig_wait(shelf.rig, (struct span){1});
        cr_expect_eq(look(&shelf).splits, i != 0, "row %zu", i);
        cr_expect_eq(holding->qty.nanos, QTY(5).nanos, "row %zu", i);
        cr_expect_not(holding->is_adopted, "row %zu", i);
        rig_destroy(shelf.rig);
    }
}

/* Nine shares at one for ten are none: gone once they stayed away for 15 s, and no sooner. */
Test(splits, that_leave_less_than_a_share_are_taken_once_it_stays_away) {
    struct shelf shelf;
    struct holding *holding = shelf_of(&shelf, 9, 0);
    holding->split_told = today();
    struct broker_action action = split_of(1, 10, 0);
    splits_add(&shelf.splits, "AAPL", &action);
    cr_expect_eq(look(&shelf).differences, 1);
    rig_wait(shelf.rig, (struct span){SPAN_S(15).ns - 1});
    cr_expect_eq(look(&shelf).splits, 0);
    rig_wait(shelf.rig, (struct span){1});
    struct reconcile_result result = look(&shelf);
    cr_expect_eq(result.splits, 1);
    cr_expect_eq(result.confirmed, 0);
    cr_expect_eq(result.vanished, 0);
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(holding->cost.nanos, 0);
    rig_destroy(shelf.rig);
}

Test(splits, in_a_damaged_row_are_refused_and_of_an_unknown_position_skipped) {
    static const struct {
        const char *body;
        enum err_code code;
    } rows[] = {{"{\"qty\":\"2\",\"cost\":\"1\",\"new\":\"2\",\"old\":\"1\",\"day\":\"2026-09-01\","
                 "\"at\":\"2026-09-01T08:00:00Z\"}",
                 ERR_OK},
                {"{\"qty\":\"2\",\"cost\":\"1\",\"new\":\"0\",\"old\":\"1\",\"day\":\"2026-09-01\","
                 "\"at\":\"2026-09-01T08:00:00Z\"}",
                 ERR_PARSE},
                {"{\"qty\":\"2\",\"cost\":\"1\",\"new\":\"2\",\"old\":\"1\",\"day\":\"x\","
                 "\"at\":\"2026-09-01T08:00:00Z\"}",
                 ERR_PARSE},
                {"{\"qty\":\"2\",\"cost\":\"1\",\"new\":\"2\",\"day\":\"2026-09-01\","
                 "\"at\":\"2026-09-01T08:00:00Z\"}",
                 ERR_PARSE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct book book = {0};
        struct journal_row row = {.seq = 1, .kind = "split", .key = "AAPL", .body = rows[i].body};
        struct err err = {0};
        if (i > 0) {
            own(&book, 1, 1);
        }
        cr_expect_eq(book_fold(&book, &row, &err) == ERR_OK, rows[i].code == ERR_OK, "row %zu", i);
    }
}

/* --- who else counts shares --- */

Test(splits, are_the_same_trade_in_other_shares) {
    for (int is_paid = 0; is_paid < 2; is_paid++) {
        struct closed_trades trades = {0};
        struct journal_row rows[] = {
            {.seq = 1,
             .kind = "fill",
             .key = "a",
             .body = "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\",\"amount\":\"1000\"}"},
            {.seq = 2,
             .kind = "split",
             .key = "AAPL",
             .body = is_paid ? "{\"qty\":\"0\"}" : "{\"qty\":\"20\"}"},
            {.seq = 3,
             .kind = "fill",
             .key = "b",
             .body = "{\"symbol\":\"AAPL\",\"side\":\"sell\",\"qty\":\"20\",\"amount\":\"1100\"}"}};
        for (size_t i = 0; i < 3; i++) {
            closed_trades_take(&trades, &rows[i]);
        }
        cr_assert_eq(trades.count, is_paid ? 0 : 1);
        cr_expect_eq(trades.open_count, 0);
        if (!is_paid) {
            cr_expect_eq(closed_trade_profit(closed_trades_newest(&trades, 0)).nanos,
                         USD(100).nanos);
        }
    }
}

/* --- marks --- */

static bool is_marked(struct desk *desk, const char *price) {
    desk->truth.quotes[0].bid = dollars(price);
    desk->truth.quotes[0].ask = dollars(price);
    desk->truth.quotes[0].at = rig_now(desk->rig);
    desk->truth.trades[0] =
        (struct broker_trade){.is_known = true, .at = rig_now(desk->rig), .price = dollars(price)};
    data_guard_mark(&desk->truth, &desk->book, &desk->config, rig_now(desk->rig));
    return book_find(&desk->book, "AAPL")->has_mark;
}

/* Two for one: 75 is as far from 100 as from 50. One for two: so is 150. */
Test(splits, that_are_due_hold_out_a_price_that_is_nearer_to_theirs) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->mark = USD(100);
    holding->due = (struct split){.new_rate = {2 * NANOS}, .old_rate = {NANOS}};
    cr_expect(is_marked(desk, "50"), "none is due");
    holding->is_split_due = true;
    holding->mark = USD(100);
    cr_expect_not(is_marked(desk, "50"));
    cr_expect_not(is_marked(desk, "74.99"));
    cr_expect_eq(holding->mark.nanos, USD(100).nanos, "and leave the mark as it was");
    cr_expect(is_marked(desk, "75"));
    holding->mark = (struct usd){0};
    cr_expect_not(is_marked(desk, "50"), "without a mark the entry price is it");
    holding->mark = USD(100);
    holding->due.new_rate.nanos = NANOS;
    holding->due.old_rate.nanos = 2 * NANOS;
    cr_expect(is_marked(desk, "149.99"));
    holding->mark = USD(100);
    cr_expect_not(is_marked(desk, "150.01"));
    desk_destroy(desk);
}

/* While nobody could be asked no price is one; one that moves less than the hard stop is, of any shares. */
Test(splits, that_are_awaited_leave_no_mark_and_slight_or_overdue_ones_do) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->mark = USD(100);
    holding->is_split_awaited = true;
    cr_expect_not(is_marked(desk, "100"));
    holding->is_split_awaited = false;
    cr_expect(is_marked(desk, "100"));
    holding->is_split_due = true;
    holding->due = (struct split){.new_rate = {103 * NANOS}, .old_rate = {100 * NANOS}};
    cr_expect(is_marked(desk, "97"), "2.9 %%: slight");
    holding->due.new_rate.nanos = 2 * holding->due.old_rate.nanos;
    holding->mark = USD(100);
    cr_expect_not(is_marked(desk, "50"));
    holding->is_split_overdue = true;
    cr_expect(is_marked(desk, "50"));
    desk_destroy(desk);
}

/* --- stops --- */

static enum err_code fold_orders(void *context, const struct journal_row *row, struct err *err) {
    return orders_fold(context, row, err);
}

Test(splits, make_a_stop_of_before_no_protection_and_a_new_one_takes_its_place) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    desk_tick(desk, 5);
    cr_assert_eq(desk->broker.count, 1);
    cr_expect_not(holding->is_naked && desk->broker.cancels > 0);
    holding->qty = holding->broker_qty = QTY(20);
    orders_split(&desk->orders, "AAPL");
    desk_tick(desk, 5);
    cr_expect(holding->is_naked, "it protects nobody");
    cr_expect_str_eq(desk->broker.orders[0].status, "canceled");
    desk_tick(desk, 5);
    desk_tick(desk, 5);
    cr_assert_eq(desk->broker.count, 2);
    cr_expect_str_eq(desk_last(desk)->qty, "20");
    cr_expect_str_eq(desk_last(desk)->stop, "48.25", "3.5 % below 50");
    cr_expect_str_eq(desk_last(desk)->status, "new");
    desk_destroy(desk);
}

/* By what the journal told before, at one instant or under a wall that was set back. */
Test(splits, make_a_stop_of_before_no_protection_in_the_next_life_by_the_order_of_rows) {
    struct desk *desk = desk_create();
    struct order intent = desk_intent(PURPOSE_STOP, 5);
    (void)desk_hold(desk, "AAPL", 10);
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_OK);
    cr_assert_eq(journal_append(desk->rig->journal, "split", "AAPL", "{}", NULL, NULL), ERR_OK);
    cr_assert_eq(desk_send(desk, &intent, NULL), ERR_OK);
    cr_assert_eq(journal_commit(desk->rig->journal, NULL), ERR_OK);
    struct orders again = {.world = &desk->rig->world, .book = &desk->book};
    cr_assert_eq(journal_read(desk->rig->journal, 0, fold_orders, &again, NULL), ERR_OK);
    cr_assert_eq(again.count, 2);
    cr_expect(again.items[0].is_of_old_shares);
    cr_expect_not(again.items[1].is_of_old_shares);
    desk_destroy(desk);
}

Test(splits, of_before_a_stop_leave_it_alone) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    orders_split(&desk->orders, "AAPL");
    desk_tick(desk, 5);
    desk_tick(desk, 5);
    cr_expect_eq(desk->broker.count, 1);
    cr_expect_str_eq(desk->broker.orders[0].status, "new");
    cr_expect_not(holding->is_naked);
    desk_destroy(desk);
}

Test(splits, that_a_price_shows_and_no_listing_put_off_a_stop_until_they_are_overdue) {
    struct desk *desk = desk_create();
    struct holding *holding = desk_hold(desk, "AAPL", 10);
    holding->is_split_due = holding->is_new_price = true;
    holding->due = (struct split){.new_rate = {NANOS}, .old_rate = {2 * NANOS}};
    desk_tick(desk, 5);
    cr_expect_eq(desk->broker.count, 0);
    cr_expect(holding->is_naked, "and that is told as ever");
    holding->is_new_price = false;
    holding->is_split_awaited = true;
    desk_tick(desk, 5);
    cr_expect_eq(desk->broker.count, 0, "nor where nobody could be asked yet");
    holding->is_split_awaited = false;
    holding->is_split_due = false;
    desk_tick(desk, 5);
    desk_tick(desk, 5);
    cr_assert_eq(desk->broker.count, 1);
    cr_expect_str_eq(desk_last(desk)->stop, "96.5");
    desk_destroy(desk);
}

/* Without a price, and once overdue: what is true of old shares and of new ones. */
Test(splits, that_are_due_leave_the_lower_stop_of_the_smaller_quantity) {
    static const struct {
        int64_t new_rate, old_rate;
        const char *stop, *qty;
        bool is_overdue;
    } rows[] = {{1, 2, "96.5", "5", false},
                {2, 1, "48.25", "10", false},
                {2, 1, "48.25", "10", true},
                {103, 100, "96.5", "10", false}, /* moves less than the hard stop */
                {1031, 1000, "93.59", "10", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        struct holding *holding = desk_hold(desk, "AAPL", 10);
        holding->is_split_due = true;
        holding->is_split_overdue = holding->is_new_price = holding->has_mark = rows[i].is_overdue;
        holding->mark = USD(50);
        holding->due = (struct split){.new_rate = {rows[i].new_rate * NANOS},
                                      .old_rate = {rows[i].old_rate * NANOS}};
        desk_tick(desk, 5);
        desk_tick(desk, 5);
        desk_tick(desk, 5);
        cr_assert_eq(desk->broker.count, 1, "row %zu", i);
        cr_expect_str_eq(desk_last(desk)->stop, rows[i].stop, "row %zu", i);
        cr_expect_str_eq(desk_last(desk)->qty, rows[i].qty, "row %zu", i);
        desk_destroy(desk);
    }
}
