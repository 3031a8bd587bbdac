/* test_margin_guard.c - each bound at its exact number and one step beside it, what holds and what ends it, what is sold
 * and what never is, and what an entry is asked. */
#include "core/risk/margin_guard.h"
#include "tests/unit/desk.h"

struct fixture {
    struct desk *desk;
    struct margin_guard guard;
    struct margin_reading reading;
};

/* 100,000 of equity, 200,000 held, 60,000 of them maintenance; an hour before the close. */
static struct fixture create(void) {
    struct fixture fixture = {.desk = desk_create()};
    fixture.reading = (struct margin_reading){.is_trusted = true,
                                              .equity = USD(100000),
                                              .has_maintenance = true,
                                              .maintenance = USD(60000),
                                              .gross = USD(200000),
                                              .is_open = true,
                                              .to_close = SPAN_S(3600)};
    return fixture;
}

static struct margin_wish read_after(struct fixture *fixture, struct span wait) {
    struct desk *desk = fixture->desk;
    rig_wait(desk->rig, wait);
    fixture->reading.at = rig_now(desk->rig);
    return margin_guard_judge(&fixture->guard, &desk->causes, &desk->config, &fixture->reading);
}

static struct margin_wish read_twice(struct fixture *fixture) {
    (void)read_after(fixture, SPAN_S(5));
    return read_after(fixture, SPAN_S(5));
}

static bool is_held(const struct fixture *fixture) {
    return causes_has(&fixture->desk->causes, MARGIN_CAUSE);
}

/* --- what is bad --- */

Test(margin_guard, an_excess_below_a_fifth_of_equity_holds_and_a_fifth_does_not) {
    static const struct {
        const char *maintenance;
        bool is_held;
    } rows[] = {{"80000", false},
                {"80000.000000001", true},
                {"100000", true},
                {"900000", true},
                {"0", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create();
        fixture.reading.maintenance = dollars(rows[i].maintenance);
        (void)read_twice(&fixture);
        cr_expect_eq(is_held(&fixture), rows[i].is_held, "%s", rows[i].maintenance);
        cr_expect_eq(fixture.desk->rig->pages, rows[i].is_held);
        cr_expect_eq(causes_mode(&fixture.desk->causes),
                     rows[i].is_held ? MODE_REDUCE_ONLY : MODE_NORMAL);
        desk_destroy(fixture.desk);
    }
}

Test(margin_guard, gross_above_what_may_be_held_overnight_holds_in_the_last_half_hour) {
    static const struct {
        const char *gross;
        int64_t to_close_ns;
        bool is_open, is_held;
    } rows[] = {{"200000.000000001", INT64_C(1800000000000), true, true},
                {"200000", INT64_C(1800000000000), true, false},
                {"200000.000000001", INT64_C(1800000000001), true, false},
                {"200000.000000001", 1, true, true},
                {"200000.000000001", 0, true, false},
                {"200000.000000001", INT64_C(1800000000000), false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create();
        fixture.reading.gross = dollars(rows[i].gross);
        fixture.reading.to_close.ns = rows[i].to_close_ns;
        fixture.reading.is_open = rows[i].is_open;
        (void)read_twice(&fixture);
        cr_expect_eq(is_held(&fixture), rows[i].is_held, "row %zu", i);
        desk_destroy(fixture.desk);
    }
}

Test(margin_guard, a_block_and_a_maintenance_margin_that_is_not_told_hold) {
    for (int how = 0; how < 3; how++) {
        struct fixture fixture = create();
        fixture.reading.is_blocked = how == 0;
        fixture.reading.is_trusted = how != 0;
        fixture.reading.has_maintenance = how != 1;
        fixture.reading.maintenance.nanos = how == 2 ? -1 : 0;
        fixture.reading.to_close = SPAN_S(60);
        struct margin_wish wish = read_twice(&fixture);
        cr_expect(is_held(&fixture), "%d", how);
        cr_expect_not(wish.is_gross || wish.is_excess, "nothing is sold for it");
        desk_destroy(fixture.desk);
    }
}

Test(margin_guard, one_reading_holds_nothing_nor_do_two_within_5_s) {
    struct fixture fixture = create();
    fixture.reading.maintenance = USD(90000);
    (void)read_after(&fixture, SPAN_S(5));
    cr_expect_not(is_held(&fixture));
    (void)read_after(&fixture, (struct span){INT64_C(4999999999)});
    cr_expect_not(is_held(&fixture));
    (void)read_after(&fixture, (struct span){1});
    cr_expect(is_held(&fixture));
    desk_destroy(fixture.desk);
}

Test(margin_guard, a_reading_that_marks_do_not_explain_is_neither_good_nor_bad) {
    struct fixture fixture = create();
    fixture.reading.maintenance = USD(90000);
    fixture.reading.is_trusted = false;
    fixture.reading.to_close = SPAN_S(60);
    fixture.reading.gross = USD(900000);
    for (int i = 0; i < 20; i++) {
        struct margin_wish wish = read_after(&fixture, SPAN_S(5));
        cr_expect_not(wish.is_gross || wish.is_excess);
    }
    cr_expect_not(is_held(&fixture));
    fixture.reading.is_trusted = true;
    (void)read_twice(&fixture);
    cr_expect(is_held(&fixture));
    fixture.reading = (struct margin_reading){.equity = USD(100000), .has_maintenance = true};
    for (int i = 0; i < 20; i++) {
        (void)read_after(&fixture, SPAN_S(5));
    }
    cr_expect(is_held(&fixture), "it ends by good readings alone");
    desk_destroy(fixture.desk);
}

/* --- the end --- */

static struct fixture create_held(void) {
    struct fixture fixture = create();
    fixture.reading.maintenance = USD(90000);
    (void)read_twice(&fixture);
    cr_assert(is_held(&fixture));
    return fixture;
}

Test(margin_guard, it_ends_after_a_minute_a_quarter_above_the_limit) {
    static const struct {
        const char *maintenance;
        bool is_held;
    } rows[] = {{"75000", false}, {"75000.000000001", true}};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture = create_held();
        fixture.reading.maintenance = dollars(rows[i].maintenance);
        (void)read_after(&fixture, SPAN_S(5));
        (void)read_after(&fixture, (struct span){INT64_C(59999999999)});
        cr_expect(is_held(&fixture));
        (void)read_after(&fixture, (struct span){1});
        cr_expect_eq(is_held(&fixture), rows[i].is_held);
        desk_destroy(fixture.desk);
    }
}

Test(margin_guard, a_bad_reading_begins_the_minute_anew) {
    struct fixture fixture = create_held();
    fixture.reading.maintenance = USD(0);
    (void)read_after(&fixture, SPAN_S(5));
    (void)read_after(&fixture, SPAN_S(50));
    fixture.reading.maintenance = USD(90000);
    (void)read_after(&fixture, SPAN_S(5));
    fixture.reading.maintenance = USD(0);
    (void)read_after(&fixture, SPAN_S(5));
    (void)read_after(&fixture, SPAN_S(59));
    cr_expect(is_held(&fixture));
    (void)read_after(&fixture, SPAN_S(1));
    cr_expect_not(is_held(&fixture));
    (void)read_twice(&fixture);
    cr_expect_not(is_held(&fixture));
    desk_destroy(fixture.desk);
}

Test(margin_guard, of_the_night_it_ends_a_twentieth_below_and_behind_the_close) {
    static const struct {
        const char *gross;
        bool is_open, is_held;
    } rows[] = {
        {"190000", true, false}, {"190000.000000001", true, true}, {"900000", false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create();
        fixture.reading.to_close = SPAN_S(1000);
        fixture.reading.gross = USD(210000);
        (void)read_twice(&fixture);
        cr_assert(is_held(&fixture));
        fixture.reading.gross = dollars(rows[i].gross);
        fixture.reading.is_open = rows[i].is_open;
        (void)read_after(&fixture, SPAN_S(5));
        (void)read_after(&fixture, SPAN_S(60));
        cr_expect_eq(is_held(&fixture), rows[i].is_held, "row %zu", i);
        desk_destroy(fixture.desk);
    }
}

/* --- what is sold --- */

Test(margin_guard, what_is_too_much_is_sold_from_a_quarter_of_an_hour_before_the_close_on) {
    static const struct {
        int64_t to_close_ns;
        bool is_sold;
    } rows[] = {{INT64_C(900000000000), true},
                {INT64_C(900000000001), false},
                {1, true},
                {0, false},
                {-1, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture = create();
        fixture.reading.to_close.ns = rows[i].to_close_ns;
        fixture.reading.gross = USD(230000);
        struct margin_wish wish = read_twice(&fixture);
        cr_expect_eq(wish.is_gross, rows[i].is_sold, "row %zu", i);
        cr_expect_not(wish.is_excess);
        cr_expect(!wish.is_gross || wish.over.nanos == USD(30000).nanos);
        desk_destroy(fixture.desk);
    }
}

Test(margin_guard, nothing_is_sold_by_one_reading_nor_by_one_behind_a_block) {
    struct fixture fixture = create();
    fixture.reading.to_close = SPAN_S(300);
    fixture.reading.is_blocked = true;
    (void)read_twice(&fixture);
    fixture.reading.is_blocked = false;
    fixture.reading.gross = USD(230000);
    cr_expect_not(read_after(&fixture, SPAN_S(5)).is_gross);
    cr_expect(read_after(&fixture, SPAN_S(5)).is_gross);
    desk_destroy(fixture.desk);
}

Test(margin_guard, an_excess_too_small_before_the_close_sells_and_at_noon_only_holds) {
    for (int is_near = 0; is_near < 2; is_near++) {
        struct fixture fixture = create();
        fixture.reading.to_close = is_near ? SPAN_S(900) : SPAN_S(7200);
        fixture.reading.maintenance = USD(81000);
        cr_expect_eq(read_twice(&fixture).is_excess, is_near);
        cr_expect(is_held(&fixture));
        desk_destroy(fixture.desk);
    }
}

/* --- what an entry is asked --- */

static struct refusal refused(struct desk *desk) {
    struct refusal refusal = {0};
    struct order intent = desk_intent(PURPOSE_ENTRY, 10); /* 1,000 USD */
    (void)check_intent(&desk->gateway, &intent, false, &refusal);
    return refusal;
}

Test(margin_guard, an_entry_leaves_its_excess_with_half_of_what_works_taken_off) {
    static const struct {
        const char *maintenance, *word, *numbers;
    } rows[] = {{"79500", "none", ""},
                {"79500.000000001", "MARGIN_EXCESS", "19999.999999999 against 20000"},
                {"200000", "MARGIN_EXCESS", "-100500 against 20000"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        desk->truth.account.maintenance_margin = dollars(rows[i].maintenance);
        struct refusal refusal = refused(desk);
        cr_expect_str_eq(refusal_word(refusal.code), rows[i].word, "row %zu: %s", i,
                         refusal.numbers);
        cr_expect_str_eq(refusal.numbers, rows[i].numbers);
        desk_destroy(desk);
    }
}

Test(margin_guard, an_entry_beside_one_that_works_has_both_taken_off) {
    struct desk *desk = desk_create();
    struct order *live = NULL;
    struct order other = desk_intent(PURPOSE_ENTRY, 10);
    strcpy(other.symbol, "MSFT");
    cr_assert_eq(orders_add(&desk->orders, desk->truth.day, &other, &live, NULL), ERR_OK);
    desk->truth.account.maintenance_margin = USD(79000);
    cr_expect_str_eq(refusal_word(refused(desk).code), "none");
    desk->truth.account.maintenance_margin.nanos++;
    cr_expect_str_eq(refusal_word(refused(desk).code), "MARGIN_EXCESS");
    desk_destroy(desk);
}

Test(margin_guard, an_entry_without_a_maintenance_margin_is_refused) {
    struct desk *desk = desk_create();
    desk->truth.account.has_maintenance = false;
    struct refusal refusal = refused(desk);
    cr_expect_str_eq(refusal_word(refusal.code), "MARGIN_EXCESS");
    cr_expect_str_eq(refusal.numbers, "the maintenance margin is not known");
    desk_destroy(desk);
}

Test(margin_guard, near_the_close_an_entry_counts_for_the_night) {
    static const struct {
        int64_t to_close_s, over_nanos;
        const char *word;
    } rows[] = {{1800, 0, "none"},
                {1800, 1, "OVERNIGHT_GROSS"},
                {1801, 1, "none"},
                {301, 1, "OVERNIGHT_GROSS"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        desk_hold(desk, "MSFT", 1990); /* at 100: 199,000 of 200,000 */
        desk->config.gross_exposure = (struct ratio){4 * NANOS};
        desk->config.open_risk_factor = (struct ratio){0};
        desk->config.correlation_limit = desk->config.sector_limit = (struct ratio){4 * NANOS};
        desk->config.sector_unknown = (struct ratio){4 * NANOS};
        desk->truth.account.equity.nanos -= rows[i].over_nanos;
        desk->truth.session.close = utc_add(rig_now(desk->rig), SPAN_S(rows[i].to_close_s));
        struct refusal refusal = refused(desk);
        cr_expect_str_eq(refusal_word(refusal.code), rows[i].word, "row %zu: %s", i,
                         refusal.numbers);
        desk_destroy(desk);
    }
}

Test(margin_guard, an_exit_is_asked_none_of_it) {
    struct desk *desk = desk_create();
    struct refusal refusal = {0};
    desk_hold(desk, "AAPL", 5000);
    desk->truth.account.maintenance_margin = USD(900000);
    desk->truth.session.close = utc_add(rig_now(desk->rig), SPAN_S(60));
    causes_hold(&desk->causes, MARGIN_CAUSE, MODE_REDUCE_ONLY, "");
    struct order all = desk_intent(PURPOSE_EXIT, 5000);
    cr_expect_eq(check_intent(&desk->gateway, &all, true, &refusal), REFUSED_NONE);
    struct order stop = desk_intent(PURPOSE_STOP, 5000);
    cr_expect_eq(check_intent(&desk->gateway, &stop, true, &refusal), REFUSED_NONE);
    desk_destroy(desk);
}
