/* test_displacement.c - who gives way: each bound at its edge, what is unknown, what was a moment ago, a restart, and that
 * nothing is closed for an entry that another check refuses. */
#include "core/orders/displacement.h"
#include "tests/unit/desk.h"

struct full_book {
    struct desk *desk;
    struct holding *held; /* MSFT, which may give way */
    struct order intent;  /* AAPL */
    struct score scores[2];
};

static void hear(void *context, const struct journal_row *row) {
    struct desk *desk = context;
    displaced_take(&desk->gateway.displaced, &desk->config, row);
}

/* At every bound: exactly 4 h old, 1 % up, 0.3 weaker now, 0.4 at its entry. */
static struct full_book create(void) {
    struct full_book full = {.desk = desk_create()};
    struct desk *desk = full.desk;
    desk->config.symbol_count = 2;
    strcpy(desk->config.symbols[1], "MSFT");
    desk->config.max_positions = 1;
    desk->config.displacement_on = 1;
    full.held = desk_hold(desk, "MSFT", 10);
    full.held->entered_at = utc_add(rig_now(desk->rig), SPAN_S(-14400));
    full.held->has_mark = true;
    full.held->mark = USD(101);
    full.held->entry_score = (struct ratio){NANOS / 2};
    full.intent = desk_intent(PURPOSE_ENTRY, 5);
    full.intent.score = (struct ratio){NANOS / 10 * 9};
    full.scores[1] = (struct score){.is_known = true, .value = {NANOS / 10 * 6}};
    journal_listen(desk->rig->journal, hear, desk);
    return full;
}

static bool consider(struct full_book *full) {
    return displacement_consider(&full->desk->exits, &full->intent, full->scores);
}

/* Of a book of its own. */
#define EXPECT(is_closed, change)                                                                  \
    do {                                                                                           \
        struct full_book full = create();                                                          \
        change;                                                                                    \
        cr_expect_eq(consider(&full), is_closed, "%s", #change);                                   \
        cr_expect_eq(exits_find(&full.desk->exits, "MSFT") != NULL, is_closed, "%s", #change);     \
        desk_destroy(full.desk);                                                                   \
    } while (0)

Test(displacement, closes_at_its_bounds_and_not_a_step_beyond) {
    EXPECT(true, (void)0);
    EXPECT(false, full.held->entered_at.ns++);
    EXPECT(false, full.held->mark = dollars("101.000000001"));
    EXPECT(true, full.held->mark = USD(99));
    EXPECT(false, full.held->mark = dollars("98.999999999"));
    EXPECT(false, full.scores[1].value.nanos++);
    EXPECT(false, full.held->entry_score.nanos = NANOS / 10 * 6 + 1);
    EXPECT(true, full.held->entry_score.nanos = NANOS / 10 * 6);
    EXPECT(false, full.desk->config.displacement_on = 0);
}

Test(displacement, who_is_unknown_stays) {
    EXPECT(false, full.scores[1].is_known = false);
    EXPECT(false, full.held->entry_score.nanos = 0);
    EXPECT(false, full.held->has_mark = false);
    EXPECT(false, full.held->entered_at.ns = 0);
    EXPECT(false, full.held->cost = USD(0));
    EXPECT(false, full.held->is_adopted = true);
    EXPECT(false, full.held->differs = true);
    EXPECT(false, strcpy(full.desk->config.symbols[1], "NVDA"));
}

/* With room there is nobody to close, and what another check refuses is refused with one position fewer too. */
Test(displacement, closes_for_none_that_another_check_refuses) {
    EXPECT(false, full.intent.limit_price = USD(103));
    EXPECT(false, full.desk->truth.account.buying_power = USD(500));
    EXPECT(false, full.desk->truth.is_open = false);
    EXPECT(false, full.desk->config.max_new_per_15min = 0);
    EXPECT(false, full.intent.qty = QTY(0));
    EXPECT(false, causes_latch(&full.desk->causes, "max_drawdown", MODE_REDUCE_ONLY, "core", ""));
    EXPECT(false, full.desk->gateway.is_journal_down = true);
    EXPECT(false, full.desk->config.max_positions = 0); /* one fewer is not enough */
}

Test(displacement, waits_while_any_exit_is_at_work_or_its_row_cannot_be_written) {
    EXPECT(false, {
        full.desk->exits.count = 1;
        strcpy(full.desk->exits.plans[0].symbol, "NVDA");
    });
    EXPECT(false, full.desk->gateway.journal = NULL);
}

Test(displacement, closes_the_weakest_and_of_two_equal_ones_the_older) {
    struct full_book full = create();
    struct desk *desk = full.desk;
    struct score scores[4] = {full.scores[0], full.scores[1], full.scores[1], full.scores[1]};
    static const char *const more[] = {"NVDA", "TSLA"};
    for (int i = 0; i < 2; i++) {
        struct holding *holding = desk_hold(desk, more[i], 10);
        strcpy(desk->config.symbols[2 + i], more[i]);
        holding->entered_at = utc_add(rig_now(desk->rig), SPAN_S(-15000));
        holding->has_mark = true;
        holding->mark = USD(100);
        holding->entry_score = (struct ratio){NANOS / 2};
    }
    desk->config.symbol_count = 4;
    desk->config.max_positions = 3;
    book_find(&desk->book, "TSLA")->entered_at.ns--;
    cr_assert(displacement_consider(&desk->exits, &full.intent, scores));
    cr_expect_not_null(exits_find(&desk->exits, "TSLA"));
    desk->exits.count = 0;
    memset(&desk->gateway.displaced, 0, sizeof desk->gateway.displaced);
    scores[1].value.nanos--;
    cr_assert(displacement_consider(&desk->exits, &full.intent, scores));
    cr_expect_not_null(exits_find(&desk->exits, "MSFT"));
    desk_destroy(desk);
}

/* --- cooldowns --- */

static enum refusal_code refusal_of(struct full_book *full, const char *symbol) {
    struct desk *desk = full->desk;
    struct refusal refusal;
    struct order intent = full->intent;
    strcpy(intent.symbol, symbol);
    return check_intent(&desk->gateway, &intent, false, &refusal);
}

Test(displacement, what_was_closed_is_not_bought_back_to_the_last_nanosecond) {
    struct full_book full = create();
    struct desk *desk = full.desk;
    cr_assert(consider(&full));
    desk->exits.count = 0;
    full.held->qty = full.held->broker_qty = QTY(0); /* gone */
    full.held->is_listed = false;
    desk->config.displacement_cooldown = SPAN_S(3600);
    struct utc at = desk->gateway.displaced.at[1];
    rig_wait(desk->rig, (struct span){SPAN_S(3600).ns - 1 - utc_sub(rig_now(desk->rig), at).ns});
    desk_truth(desk);
    cr_expect_eq(refusal_of(&full, "MSFT"), REFUSED_DISPLACED);
    cr_expect_neq(refusal_of(&full, "AAPL"), REFUSED_DISPLACED, "who came is free to be bought");
    rig_wait(desk->rig, (struct span){1});
    desk_truth(desk);
    cr_expect_neq(refusal_of(&full, "MSFT"), REFUSED_DISPLACED);
    desk_destroy(desk);
}

Test(displacement, neither_takes_part_in_another_before_the_cooldown_is_over_nor_behind_a_restart) {
    for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
        struct full_book full = create();
        struct desk *desk = full.desk;
        cr_assert(consider(&full));
        desk->exits.count = 0;
        if (is_restarted) {
            memset(&desk->gateway.displaced, 0, sizeof desk->gateway.displaced);
            struct journal_row row = {.at = rig_now(desk->rig),
                                      .kind = "displaced",
                                      .key = "MSFT",
                                      .body = "{\"for\":\"AAPL\",\"score\":\"0.9\"}"};
            displaced_take(&desk->gateway.displaced, &desk->config, &row);
        }
        cr_expect_not(consider(&full), "the candidate, and who stays");
        desk->gateway.displaced.at[0].ns = 0;
        cr_expect_not(consider(&full), "who stays alone");
        desk->gateway.displaced.at[0] = desk->gateway.displaced.at[1];
        desk->gateway.displaced.at[1].ns = 0;
        cr_expect_not(consider(&full), "the candidate alone");
        desk->gateway.displaced.at[0].ns = 0;
        cr_expect(consider(&full));
        desk_destroy(desk);
    }
}

Test(displacement, an_absurd_row_is_of_nobody) {
    static const char *const bodies[] = {"", "{}", "[]", "{\"for\":7}", "{\"for\":\"NOBODY\"}"};
    struct full_book full = create();
    struct displaced *displaced = &full.desk->gateway.displaced;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct journal_row row = {
            .at = rig_now(full.desk->rig), .kind = "displaced", .key = "OTHER", .body = bodies[i]};
        displaced_take(displaced, &full.desk->config, &row);
    }
    cr_expect(displaced->at[0].ns == 0 && displaced->at[1].ns == 0);
    cr_expect(consider(&full));
    desk_destroy(full.desk);
}
