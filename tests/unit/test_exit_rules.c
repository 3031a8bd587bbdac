/* test_exit_rules.c - every exit rule at its exact threshold, their order, and what decides nothing. */
#include "core/orders/exit_rules.h"
#include "tests/unit/rig.h"

/* Entry 100, hard 3 %, trailing 1.5 %, targets 2, 5, 10 %, decay 0.4, 4 h, 12 days. */

struct exit_case {
    const char *mark, *high;
    unsigned hit;
    int64_t age_s;
    const char *score; /* NULL: unknown; the entry's was 1 */
    const char *reason;
    const char *qty; /* of a part; NULL for all */
};

Test(exit_rules, each_at_its_exact_threshold_and_one_step_beside) {
    static const struct exit_case cases[] = {
        {"97.000000001", "0", 0, 0, NULL, "", NULL},
        {"97", "0", 0, 0, NULL, "hard_stop", NULL},
        {"99.9775", "101.5", 0, 0, NULL, "trailing", NULL},
        {"99.977500001", "101.5", 0, 0, NULL, "", NULL},
        {"99.9", "101.499999999", 0, 0, NULL, "", NULL},
        {"101.999999999", "101.99", 0, 0, NULL, "", NULL},
        {"102", "102", 0, 0, NULL, "target", "3"},
        {"102", "102", 1, 0, NULL, "", NULL},
        {"105", "105", 1, 0, NULL, "target", "3"},
        {"110", "110", 3, 0, NULL, "target", NULL},
        {"110", "110", 0, 0, NULL, "target", NULL},
        {"100", "0", 0, 0, "0.4", "decay", NULL},
        {"100", "0", 0, 0, "0.400000001", "", NULL},
        {"100", "0", 0, 14400, NULL, "time", NULL},
        {"100", "0", 0, 14399, NULL, "", NULL},
        /* the order of priority */
        {"97", "101.5", 0, 14400, "0", "hard_stop", NULL},
        {"99", "101.5", 0, 14400, "0", "trailing", NULL},
        {"102", "102", 0, 14400, "0", "target", "3"},
        {"100", "0", 0, 14400, "0", "decay", NULL},
    };
    struct config config = config_defaults();
    config.decay = (struct ratio){400000000};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct exit_case *c = &cases[i];
        struct holding holding = {.symbol = "AAPL",
                                  .qty = QTY(10),
                                  .cost = USD(1000),
                                  .initial_qty = QTY(10),
                                  .entered_at = rig_start(),
                                  .high_water = dollars(c->high),
                                  .targets_hit = c->hit,
                                  .entry_score = {NANOS},
                                  .has_mark = true,
                                  .mark = dollars(c->mark)};
        struct ratio score = {c->score == NULL ? 0 : dollars(c->score).nanos};
        struct exit_wish wish = exit_rules(
            &holding, &config, utc_add(rig_start(), SPAN_S(c->age_s)), c->score != NULL, score);
        cr_expect_eq(wish.is_wished, c->reason[0] != '\0', "case %zu", i);
        cr_expect_str_eq(wish.is_wished ? wish.reason : "", c->reason, "case %zu", i);
        cr_expect_eq(wish.is_part, c->qty != NULL, "case %zu", i);
        if (c->qty != NULL) {
            cr_expect_eq(wish.qty.nanos, dollars(c->qty).nanos, "case %zu", i);
        }
    }
}

/* By the other rules nothing can be said of it. */
Test(exit_rules, what_cost_nothing_leaves_by_its_time) {
    struct config config = config_defaults();
    for (int cost = -1; cost <= 0; cost++) {
        struct holding holding = {.qty = QTY(10),
                                  .cost = {cost * USD(1).nanos},
                                  .initial_qty = QTY(10),
                                  .entered_at = rig_start(),
                                  .has_mark = true,
                                  .mark = USD(100)};
        struct utc end = utc_add(rig_start(), config.time_exit);
        struct exit_wish wish = exit_rules(&holding, &config, end, false, (struct ratio){0});
        cr_expect_str_eq(wish.is_wished ? wish.reason : "", "time");
        end = utc_add(end, SPAN_S(-1));
        cr_expect_not(exit_rules(&holding, &config, end, false, (struct ratio){0}).is_wished);
    }
}

Test(exit_rules, stale_needs_its_days_and_its_band) {
    struct config config = config_defaults();
    config.time_exit = SPAN_DAYS(90);
    static const char *const marks[] = {"98", "97.5", "101.9"};
    for (int days = 11; days <= 12; days++) {
        for (size_t i = 0; i < 3; i++) {
            struct holding holding = {.qty = QTY(10),
                                      .cost = USD(1000),
                                      .initial_qty = QTY(10),
                                      .entered_at = rig_start(),
                                      .has_mark = true,
                                      .mark = dollars(marks[i])};
            config.stale_band = (struct ratio){20000000};
            struct exit_wish wish = exit_rules(
                &holding, &config, utc_add(rig_start(), SPAN_DAYS(days)), false, (struct ratio){0});
            cr_expect_eq(wish.is_wished, days == 12 && i != 1, "%d days at %s", days, marks[i]);
        }
    }
}

Test(exit_rules, without_a_trusted_mark_shares_or_a_cost_no_price_decides) {
    struct config config = config_defaults();
    config.time_exit = SPAN_DAYS(100);
    const struct holding good = {.qty = QTY(10),
                                 .cost = USD(1000),
                                 .has_mark = true,
                                 .mark = USD(1),
                                 .entered_at = rig_start()};
    for (int i = 0; i < 5; i++) {
        struct holding holding = good;
        holding.has_mark = i != 1;
        holding.qty = i == 2 ? QTY(0) : i == 3 ? QTY(-10) : holding.qty;
        holding.cost = i == 3 ? USD(-1000) : i == 4 ? USD(0) : holding.cost; /* 3: short */
        cr_expect_eq(exit_rules(&holding, &config, utc_add(rig_start(), SPAN_DAYS(99)), true,
                                (struct ratio){0})
                         .is_wished,
                     i == 0, "%d", i);
    }
}

Test(exit_rules, time_needs_no_mark) {
    struct config config = config_defaults();
    const struct holding holding = {.qty = QTY(10), .cost = USD(1000), .entered_at = rig_start()};
    for (int64_t early = 0; early < 2; early++) {
        struct utc now = utc_add(rig_start(), (struct span){config.time_exit.ns - early});
        struct exit_wish wish = exit_rules(&holding, &config, now, true, (struct ratio){0});
        cr_expect_eq(wish.is_wished, early == 0);
        cr_expect(early != 0 || strcmp(wish.reason, "time") == 0);
    }
}

Test(exit_rules, a_position_of_unknown_score_never_decays) {
    struct config config = config_defaults();
    config.decay = (struct ratio){400000000};
    struct holding holding = {.qty = QTY(10),
                              .cost = USD(1000),
                              .initial_qty = QTY(10),
                              .has_mark = true,
                              .mark = USD(100),
                              .entered_at = rig_start()};
    for (int known = 0; known < 2; known++) {
        holding.entry_score = (struct ratio){known == 0 ? 0 : 1};
        cr_expect_eq(
            exit_rules(&holding, &config, rig_start(), true, (struct ratio){-NANOS}).is_wished,
            known == 1);
    }
}
