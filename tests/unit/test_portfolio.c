/* test_portfolio.c - the book as a fold, and reconciliation against the broker's listing. */
#include "core/portfolio/book.h"
#include "core/portfolio/reconcile.h"
#include "tests/unit/rig.h"

static const struct ratio SCORE = {700000000};

static void fill(struct book *book, enum order_side side, int64_t shares, const char *amount) {
    book_apply_fill(book, "AAPL", side, QTY(shares), dollars(amount), rig_start(), SCORE);
}

Test(book, average_cost_is_exact_over_buys_and_sells) {
    struct book book = {0};
    fill(&book, SIDE_BUY, 3, "300.03");
    fill(&book, SIDE_BUY, 7, "707.07");
    struct holding *holding = book_find(&book, "AAPL");
    cr_expect_eq(holding->qty.nanos, QTY(10).nanos);
    cr_expect_eq(holding->cost.nanos, dollars("1007.10").nanos);
    cr_expect_eq(holding_entry_price(holding).nanos, dollars("100.71").nanos);
    fill(&book, SIDE_SELL, 4, "500");
    cr_expect_eq(holding->qty.nanos, QTY(6).nanos);
    cr_expect_eq(holding->cost.nanos, dollars("604.26").nanos, "six tenths stay");
    cr_expect_eq(holding_entry_price(holding).nanos, dollars("100.71").nanos);
    cr_expect_eq(book.cash_flow.nanos, dollars("-507.10").nanos);
}

Test(book, a_flat_position_costs_nothing_and_starts_anew) {
    struct book book = {0};
    fill(&book, SIDE_BUY, 5, "500");
    struct holding *holding = book_find(&book, "AAPL");
    holding->targets_hit = 3;
    holding->high_water = USD(130);
    fill(&book, SIDE_SELL, 5, "600");
    cr_expect_eq(holding->qty.nanos, 0);
    cr_expect_eq(holding->cost.nanos, 0);
    cr_expect_eq(holding_entry_price(holding).nanos, 0);
    fill(&book, SIDE_BUY, 2, "220");
    cr_expect_eq(holding->targets_hit, 0);
    cr_expect_eq(holding->high_water.nanos, 0);
    cr_expect_eq(holding->initial_qty.nanos, QTY(2).nanos);
    cr_expect_eq(holding_entry_price(holding).nanos, USD(110).nanos);
}

/* As live, where a flat holding is swept before its shares come back. */
Test(book, what_is_adopted_behind_a_sold_position_starts_anew) {
    struct book book = {0};
    struct utc later = utc_add(rig_start(), SPAN_HOURS(2));
    char at[UTC_TEXT_MAX];
    char body[160];
    fill(&book, SIDE_BUY, 5, "500");
    struct holding *holding = book_find(&book, "AAPL");
    holding->targets_hit = 3;
    holding->high_water = USD(130);
    fill(&book, SIDE_SELL, 5, "600");
    utc_print(later, at);
    snprintf(body, sizeof body, "{\"qty\":\"2\",\"cost\":\"220\",\"was\":\"0\",\"at\":\"%s\"}", at);
    struct journal_row row = {.kind = "adopt", .key = "AAPL", .body = body};
    cr_assert_eq(book_fold(&book, &row, NULL), ERR_OK);
    cr_expect_eq(holding->entered_at.ns, later.ns);
    cr_expect_eq(holding->targets_hit, 0);
    cr_expect_eq(holding->high_water.nanos, 0);
    cr_expect_eq(holding->initial_qty.nanos, QTY(2).nanos);
}

Test(book, initial_quantity_is_the_most_ever_held) {
    struct book book = {0};
    fill(&book, SIDE_BUY, 4, "400");
    fill(&book, SIDE_BUY, 6, "600");
    fill(&book, SIDE_SELL, 3, "330");
    cr_expect_eq(book_find(&book, "AAPL")->initial_qty.nanos, QTY(10).nanos);
}

Test(book, sellable_is_what_listing_and_book_agree_on) {
    static const struct {
        int64_t booked, listed;
        bool is_listed;
        int64_t sellable;
    } cases[] = {
        {10, 10, true, 10}, {10, 6, true, 6}, /* the listing saw a sale first */
        {6, 10, true, 6},                     /* the listing is older than a booked sale */
        {10, 0, true, 0},   {0, 10, true, 0},
        {10, 0, false, 10}, /* an empty list is no proof of flat */
        {10, 6, false, 10}, /* what it said before it lacked the symbol */
        {-5, 0, false, -5}, {3, -2, true, -2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct holding holding = {.qty = QTY(cases[i].booked),
                                  .broker_qty = QTY(cases[i].listed),
                                  .is_listed = cases[i].is_listed};
        cr_expect_eq(holding_sellable(&holding).nanos, QTY(cases[i].sellable).nanos, "%zu", i);
    }
}

Test(book, is_full_at_its_limit_and_says_so) {
    struct book book = {0};
    char symbol[SYMBOL_MAX];
    for (int i = 0; i < BOOK_MAX; i++) {
        snprintf(symbol, sizeof symbol, "S%d", i);
        cr_assert_not_null(book_get(&book, symbol));
    }
    cr_expect_null(book_get(&book, "ONE_MORE"));
    cr_expect_not_null(book_get(&book, "S0"));
}

static enum err_code fold_into(void *context, const struct journal_row *row, struct err *err) {
    return book_fold(context, row, err);
}

static void journal_fill(struct rig *rig, const char *side, const char *qty, const char *amount) {
    char body[200];
    snprintf(body, sizeof body,
             "{\"symbol\":\"AAPL\",\"side\":\"%s\",\"qty\":\"%s\",\"amount\":\"%s\","
             "\"score\":\"0.7\",\"at\":\"2026-09-01T14:00:00Z\"}",
             side, qty, amount);
    cr_assert_eq(journal_append(rig->journal, "fill", "st-1", body, NULL, NULL), ERR_OK);
}

static void expect_equal_books(const struct book *live, const struct book *folded) {
    struct text a = {0};
    struct text b = {0};
    book_print(live, &a);
    book_print(folded, &b);
    cr_expect_str_eq(text_get(&a), text_get(&b));
    cr_expect_eq(live->cash_flow.nanos, folded->cash_flow.nanos);
    for (size_t i = 0; i < live->count; i++) {
        cr_expect_eq(live->items[i].cost.nanos, folded->items[i].cost.nanos);
    }
    text_release(&a);
    text_release(&b);
}

Test(book, folded_from_the_journal_equals_the_live_one) {
    struct rig *rig = rig_create();
    struct book live = {0};
    journal_fill(rig, "buy", "3", "301.11");
    fill(&live, SIDE_BUY, 3, "301.11");
    journal_fill(rig, "buy", "4", "404.44");
    fill(&live, SIDE_BUY, 4, "404.44");
    journal_fill(rig, "sell", "2", "210");
    fill(&live, SIDE_SELL, 2, "210");
    struct holding *holding = book_find(&live, "AAPL");
    holding->high_water = dollars("107.25");
    holding->targets_hit = 1;
    cr_assert_eq(book_note(rig->journal, holding, NULL), ERR_OK);
    holding->high_noted = holding->high_water;
    holding->broker_qty = QTY(9);
    holding->avg_entry = dollars("101.5");
    cr_assert_eq(book_adopt(&live, rig->journal, holding, rig_now(rig), NULL), ERR_OK);
    cr_assert_eq(journal_commit(rig->journal, NULL), ERR_OK);
    rig_reopen(rig);
    struct book folded = {0};
    cr_assert_eq(journal_read(rig->journal, 0, fold_into, &folded, NULL), ERR_OK);
    expect_equal_books(&live, &folded);
    cr_expect_eq(book_find(&folded, "AAPL")->cost.nanos, dollars("913.5").nanos);
    cr_expect(book_find(&folded, "AAPL")->is_adopted);
    rig_destroy(rig);
}

Test(book, is_printed_behind_what_is_there) {
    struct book book = {0};
    struct text text = {0};
    fill(&book, SIDE_BUY, 5, "500");
    text_add(&text, "\"account\":\"1\"");
    book_print(&book, &text);
    cr_expect_not_null(strstr(text_get(&text), "\"account\":\"1\",\n\"AAPL\":{"));
    text_release(&text);
}

Test(book, a_note_never_lowers_the_high_nor_unhits_a_target) {
    struct book book = {0};
    fill(&book, SIDE_BUY, 5, "500");
    struct journal_row row = {.kind = "note", .key = "AAPL"};
    row.body = "{\"high\":\"120\",\"targets\":1}";
    cr_assert_eq(book_fold(&book, &row, NULL), ERR_OK);
    row.body = "{\"high\":\"110\",\"targets\":2}";
    cr_assert_eq(book_fold(&book, &row, NULL), ERR_OK);
    cr_expect_eq(book_find(&book, "AAPL")->high_water.nanos, USD(120).nanos);
    cr_expect_eq(book_find(&book, "AAPL")->targets_hit, 3);
}

Test(book, rows_it_cannot_read_are_errors_and_other_kinds_are_not_its_business) {
    static const char *const bad[] = {"{}", "{\"symbol\":\"A\",\"side\":\"buy\",\"qty\":\"x\"}",
                                      "["};
    struct book book = {0};
    struct err err = {0};
    for (size_t i = 0; i < 3; i++) {
        struct journal_row row = {.seq = 7, .kind = "fill", .key = "k", .body = bad[i]};
        cr_expect_eq(book_fold(&book, &row, &err), ERR_PARSE);
        cr_expect(strstr(err.text, "journal row 7") != NULL, "%s", err.text);
    }
    struct journal_row other = {.kind = "latch_set", .key = "k", .body = "["};
    cr_expect_eq(book_fold(&book, &other, NULL), ERR_OK);
    cr_expect_eq(book.count, 0);
}

/* --- reconciliation --- */

static enum in_flight nothing(void *context, const char *symbol) {
    (void)context;
    (void)symbol;
    return IN_FLIGHT_NOTHING;
}

static enum in_flight listed_order(void *context, const char *symbol) {
    (void)context;
    (void)symbol;
    return IN_FLIGHT_LISTED;
}

static enum in_flight unknown_in_symbol(void *context, const char *symbol) {
    return strcmp(context, symbol) == 0 ? IN_FLIGHT_UNKNOWN : IN_FLIGHT_NOTHING;
}

static struct broker_position listed(const char *symbol, int64_t shares) {
    struct broker_position out = {.qty = QTY(shares),
                                  .qty_available = QTY(shares),
                                  .avg_entry_price = USD(100),
                                  .has_price = true,
                                  .current_price = USD(101)};
    strcpy(out.symbol, symbol);
    return out;
}

static struct reconcile_result look(struct rig *rig, struct book *book,
                                    const struct broker_position *listing, size_t count) {
    return reconcile(book, listing, count, rig->journal, rig->world.clock, nothing, NULL);
}

Test(reconcile, agreement_is_no_difference_and_takes_the_brokers_numbers) {
    struct rig *rig = rig_create();
    struct book book = {0};
    fill(&book, SIDE_BUY, 10, "1000");
    struct broker_position listing = listed("AAPL", 10);
    struct reconcile_result result = look(rig, &book, &listing, 1);
    cr_expect_eq(result.differences, 0);
    const struct holding *holding = book_find(&book, "AAPL");
    cr_expect(holding->is_listed);
    cr_expect_eq(holding->broker_qty.nanos, QTY(10).nanos);
    cr_expect_eq(holding->broker_price.nanos, USD(101).nanos);
    rig_destroy(rig);
}

Test(reconcile, an_order_not_told_of_explains_a_difference_for_its_symbol_alone) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position listing[] = {listed("AAPL", 10), listed("MSFT", 5)};
    struct reconcile_result result = {0};
    for (int i = 0; i < 10; i++) {
        result = reconcile(&book, listing, 2, rig->journal, rig->world.clock, unknown_in_symbol,
                           (void *)(uintptr_t) "AAPL");
        rig_wait(rig, SPAN_S(1));
    }
    cr_expect_eq(result.differences, 1);
    cr_expect_not(book_find(&book, "AAPL")->differs);
    cr_expect(book_find(&book, "MSFT")->differs);
    rig_destroy(rig);
}

Test(reconcile, shares_nothing_explains_are_adopted_after_exactly_15_s) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position listing = listed("AAPL", 10);
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    rig_wait(rig, (struct span){SPAN_S(15).ns - 1});
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    cr_expect_eq(book_find(&book, "AAPL")->qty.nanos, 0);
    cr_expect_eq(rig->pages, 0);
    rig_wait(rig, (struct span){1});
    struct reconcile_result result = look(rig, &book, &listing, 1);
    cr_expect_eq(result.confirmed, 1);
    cr_expect_eq(result.vanished, 0);
    cr_expect(book_find(&book, "AAPL")->is_confirmed);
    const struct holding *holding = book_find(&book, "AAPL");
    cr_expect_eq(holding->qty.nanos, QTY(10).nanos);
    cr_expect_eq(holding->cost.nanos, USD(1000).nanos);
    cr_expect(holding->is_adopted);
    cr_expect_eq(look(rig, &book, &listing, 1).differences, 0);
    rig_reopen(rig);
    struct book folded = {0};
    cr_assert_eq(journal_read(rig->journal, 0, fold_into, &folded, NULL), ERR_OK);
    cr_expect_eq(book_find(&folded, "AAPL")->qty.nanos, QTY(10).nanos);
    rig_destroy(rig);
}

/* Each of two, by itself; and only in the tick of the listing that did it. */
Test(reconcile, what_was_taken_over_says_so_until_the_next_listing) {
    struct rig *rig = rig_create();
    struct book book = {0};
    fill(&book, SIDE_BUY, 4, "400");
    struct broker_position listing[] = {listed("AAPL", 10), listed("MSFT", 3)};
    rig_wait(rig, SPAN_S(30)); /* behind the fill */
    cr_expect_eq(look(rig, &book, listing, 2).confirmed, 0);
    cr_expect_not(book_find(&book, "AAPL")->is_healed);
    rig_wait(rig, SPAN_S(15));
    cr_expect_eq(look(rig, &book, listing, 2).confirmed, 2);
    cr_expect(book_find(&book, "AAPL")->is_healed);
    cr_expect_eq(book_find(&book, "AAPL")->healed_from.nanos, QTY(4).nanos);
    cr_expect(book_find(&book, "MSFT")->is_healed);
    cr_expect_eq(book_find(&book, "MSFT")->healed_from.nanos, 0);
    cr_expect_eq(look(rig, &book, listing, 2).confirmed, 0);
    cr_expect_not(book_find(&book, "AAPL")->is_healed);
    rig_destroy(rig);
}

Test(reconcile, a_wall_that_is_set_back_holds_up_no_adoption) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position listing = listed("AAPL", 4);
    fill(&book, SIDE_BUY, 10, "1000");
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    virtual_clock_set_offset(rig->clock, SPAN_S(-5909)); /* swarm 3813: untold for 20 minutes */
    rig_wait(rig, SPAN_S(29));
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    rig_wait(rig, SPAN_S(1));
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 1);
    rig_destroy(rig);
}

Test(reconcile, beside_a_listed_order_a_difference_stands_for_exactly_30_s) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct reconcile_result result = {0};
    struct broker_position listing = listed("AAPL", 4);
    fill(&book, SIDE_BUY, 10, "1000");
    const struct span steps[] = {{0}, {SPAN_S(30).ns - 1}, {1}};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(result.confirmed, 0);
        rig_wait(rig, steps[i]);
        result = reconcile(&book, &listing, 1, rig->journal, rig->world.clock, listed_order, NULL);
    }
    cr_expect_eq(result.confirmed, 1);
    cr_expect_eq(book_find(&book, "AAPL")->qty.nanos, QTY(4).nanos);
    rig_destroy(rig);
}

Test(reconcile, a_sold_position_that_a_late_listing_brings_back_is_not_believed_for_30_s) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position late = listed("AAPL", 10);
    fill(&book, SIDE_BUY, 10, "1000");
    fill(&book, SIDE_SELL, 10, "1000");
    (void)look(rig, &book, NULL, 0);
    cr_expect_null(book_find(&book, "AAPL"), "it is gone");
    rig_wait(rig, SPAN_S(5));
    (void)look(rig, &book, &late, 1);
    rig_wait(rig, (struct span){SPAN_S(25).ns - 1});
    cr_expect_eq(look(rig, &book, &late, 1).confirmed, 0);
    rig_wait(rig, (struct span){1});
    cr_expect_eq(look(rig, &book, &late, 1).confirmed, 1);
    rig_destroy(rig);
}

Test(reconcile, a_difference_that_moves_is_counted_anew) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position listing = listed("AAPL", 14);
    fill(&book, SIDE_BUY, 10, "1000");
    rig_wait(rig, SPAN_S(30));
    (void)look(rig, &book, &listing, 1);
    rig_wait(rig, SPAN_S(14));
    fill(&book, SIDE_BUY, 2, "200"); /* the same distance again, both moved: an order at work */
    listing = listed("AAPL", 16);
    (void)look(rig, &book, &listing, 1);
    rig_wait(rig, SPAN_S(14));
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    rig_wait(rig, SPAN_S(1));
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 1);
    rig_destroy(rig);
}

Test(reconcile, no_listing_is_believed_over_a_fill_of_the_last_30_s) {
    struct rig *rig = rig_create();
    struct book book = {0};
    struct broker_position listing = listed("AAPL", 10);
    book_apply_fill(&book, "AAPL", SIDE_BUY, QTY(10), USD(1000), rig_now(rig), (struct ratio){0});
    rig_wait(rig, SPAN_S(60));
    book_apply_fill(&book, "AAPL", SIDE_SELL, QTY(4), USD(400), rig_now(rig), (struct ratio){0});
    (void)look(rig, &book, &listing, 1); /* older than the sale */
    rig_wait(rig, (struct span){SPAN_S(30).ns - 1});
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 0);
    rig_wait(rig, (struct span){1});
    cr_expect_eq(look(rig, &book, &listing, 1).confirmed, 1);
    rig_destroy(rig);
}

Test(reconcile, an_agreement_in_between_starts_the_wait_anew) {
    struct rig *rig = rig_create();
    struct book book = {0};
    fill(&book, SIDE_BUY, 10, "1000");
    struct broker_position more = listed("AAPL", 12);
    struct broker_position same = listed("AAPL", 10);
    (void)look(rig, &book, &more, 1);
    rig_wait(rig, SPAN_S(10));
    (void)look(rig, &book, &same, 1);
    rig_wait(rig, SPAN_S(10));
    cr_expect_eq(look(rig, &book, &more, 1).confirmed, 0);
    cr_expect_eq(book_find(&book, "AAPL")->qty.nanos, QTY(10).nanos);
    rig_destroy(rig);
}

Test(reconcile, a_vanished_position_is_paged_and_never_dropped) {
    struct rig *rig = rig_create();
    struct book book = {0};
    fill(&book, SIDE_BUY, 10, "1000");
    struct reconcile_result result = {0};
    for (int i = 0; i < 100; i++) {
        result = look(rig, &book, NULL, 0);
        rig_wait(rig, SPAN_S(5));
    }
    cr_expect_eq(result.confirmed, 1);
    cr_expect_eq(result.vanished, 1);
    cr_assert_not_null(book_find(&book, "AAPL"));
    cr_expect_eq(book_find(&book, "AAPL")->qty.nanos, QTY(10).nanos);
    cr_expect_eq(book_find(&book, "AAPL")->cost.nanos, USD(1000).nanos);
    rig_destroy(rig);
}

Test(reconcile, a_flat_holding_goes_only_when_the_broker_agrees) {
    struct rig *rig = rig_create();
    struct book book = {0};
    fill(&book, SIDE_BUY, 10, "1000");
    fill(&book, SIDE_SELL, 10, "1100");
    struct broker_position listing = listed("AAPL", 10);
    (void)look(rig, &book, &listing, 1);
    cr_expect_not_null(book_find(&book, "AAPL"));
    (void)look(rig, &book, NULL, 0);
    cr_expect_null(book_find(&book, "AAPL"));
    rig_destroy(rig);
}
