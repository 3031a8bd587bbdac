/* exit_rules.c - the rules in their order; the first that applies decides. */
#include "core/orders/exit_rules.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

static struct exit_wish all(const char *reason) {
    return (struct exit_wish){.is_wished = true, .reason = reason};
}

static struct usd raised(struct usd price, struct ratio by) {
    return usd_add(price, usd_scale(price, by));
}

static struct usd lowered(struct usd price, struct ratio by) {
    return usd_sub(price, usd_scale(price, by));
}

static bool is_trailed(const struct holding *holding, const struct config *config,
                       struct usd entry) {
    return usd_cmp(holding->high_water, raised(entry, config->trailing)) >= 0 &&
           usd_cmp(holding->mark, lowered(holding->high_water, config->trailing)) <= 0;
}

/* The highest target reached and not yet hit; targets below it are hit with it. */
static struct exit_wish target_wish(const struct holding *holding, const struct config *config,
                                    struct usd entry) {
    const struct ratio gains[] = {config->target_1, config->target_2, config->target_3};
    const struct ratio shares[] = {config->target_share_1, config->target_share_2};
    for (unsigned k = 3; k-- > 0;) {
        unsigned bit = 1u << k;
        if ((holding->targets_hit & bit) != 0 ||
            usd_cmp(holding->mark, raised(entry, gains[k])) < 0) {
            continue;
        }
        struct exit_wish wish = all("target");
        wish.target = (bit << 1) - 1;
        if (k == 2) {
            return wish;
        }
        int64_t part = 0;
        CHECK(decimal_mul_div(holding->initial_qty.nanos, shares[k].nanos, NANOS, &part, NULL) ==
              ERR_OK); /* a share is at most 1 */
        wish.is_part = true;
        wish.qty = qty_min(qty_whole((struct qty){part}), holding->qty);
        return wish;
    }
    return (struct exit_wish){0};
}

static bool is_decayed(const struct holding *holding, const struct config *config,
                       struct ratio score) {
    if (holding->entry_score.nanos <= 0) {
        return false;
    }
    struct usd least =
        usd_scale((struct usd){holding->entry_score.nanos}, config->decay); /* a ratio of a ratio */
    return score.nanos <= least.nanos;
}

static struct exit_wish time_wish(const struct holding *holding, const struct config *config,
                                  struct utc now) {
    struct span age = utc_sub(now, holding->entered_at);
    MUTATE(time_exit_skipped, age.ns = 0);
    return age.ns >= config->time_exit.ns ? all("time") : (struct exit_wish){0};
}

struct exit_wish exit_rules(const struct holding *holding, const struct config *config,
                            struct utc now, bool is_score_known, struct ratio score) {
    struct usd entry = holding_entry_price(holding);
    if (holding->qty.nanos <= 0) {
        return (struct exit_wish){0};
    }
    if (!holding->has_mark || entry.nanos <= 0) { /* what cost nothing is held no longer for it */
        return time_wish(holding, config, now);
    }
    if (usd_cmp(holding->mark, lowered(entry, config->hard_stop)) <= 0) {
        return all("hard_stop");
    }
    if (is_trailed(holding, config, entry)) {
        return all("trailing");
    }
    struct exit_wish target = target_wish(holding, config, entry);
    if (target.is_wished) {
        return target;
    }
    if (is_score_known && is_decayed(holding, config, score)) {
        return all("decay");
    }
    struct exit_wish time = time_wish(holding, config, now);
    if (time.is_wished) {
        return time;
    }
    struct span age = utc_sub(now, holding->entered_at);
    bool is_flat =
        usd_cmp(usd_abs(usd_sub(holding->mark, entry)), usd_scale(entry, config->stale_band)) <= 0;
    if (age.ns >= SPAN_DAYS(config->stale_days).ns && is_flat) {
        return all("stale");
    }
    return (struct exit_wish){0};
}
