/* displacement.c - who may be closed for whom. */
#include "core/orders/displacement.h"

#include "core/base/mutant.h"
#include "core/orders/validation.h"

static const char MECHANISM[] = "displacement";

/* --- the weakest --- */

static bool is_within_band(const struct holding *holding, const struct config *config) {
    struct usd entry = holding_entry_price(holding);
    struct usd moved = usd_abs(usd_sub(holding->mark, entry));
    MUTATE(displacement_band_off_by_one, moved.nanos++);
    return holding->has_mark && entry.nanos > 0 &&
           usd_cmp(moved, usd_scale(entry, config->displacement_band)) <= 0;
}

static bool is_old(const struct holding *holding, const struct config *config, struct utc now) {
    struct span age = utc_sub(now, holding->entered_at);
    MUTATE(displacement_age_off_by_one, age.ns--);
    return holding->entered_at.ns != 0 && age.ns >= config->displacement_min_age.ns;
}

/* By the higher of what it scores and what it was entered for: a score that fell for a moment is no weakness. */
static bool is_outscored(const struct holding *holding, const struct config *config,
                         const struct score *score, struct ratio candidate) {
    bool is_known = score->is_known && holding->entry_score.nanos > 0;
    MUTATE(displacement_unknown_is_weak, is_known = true);
    int64_t best = score->value.nanos > holding->entry_score.nanos ? score->value.nanos
                                                                   : holding->entry_score.nanos;
    MUTATE(displacement_lead_off_by_one, best++);
    return is_known && candidate.nanos - best >= config->displacement_lead.nanos;
}

static bool may_be_closed(const struct exits *exits, const struct holding *holding, int index,
                          const struct order *intent, const struct score *score) {
    const struct gateway *gateway = exits->gateway;
    struct utc now = clock_utc(gateway->world->clock);
    struct span since;
    return index >= 0 && holding->qty.nanos > 0 && !holding->differs && !holding->is_adopted &&
           !displaced_cools(&gateway->displaced, gateway->config, index, now, &since) &&
           is_old(holding, gateway->config, now) && is_within_band(holding, gateway->config) &&
           is_outscored(holding, gateway->config, score, intent->score);
}

/* The lowest score now, of two equal ones the one that is held for longer; NULL for none. */
static const struct holding *weakest(const struct exits *exits, const struct order *intent,
                                     const struct score *scores) {
    const struct book *book = exits->gateway->book;
    const struct holding *found = NULL;
    int64_t lowest = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct holding *holding = &book->items[i];
        int index = universe_find(exits->gateway->config, holding->symbol);
        if (!may_be_closed(exits, holding, index, intent, &scores[index < 0 ? 0 : index])) {
            continue;
        }
        int64_t score = scores[index].value.nanos;
        bool is_older = found != NULL && score == lowest &&
                        utc_is_before(holding->entered_at, found->entered_at);
        if (found == NULL || score < lowest || is_older) {
            found = holding;
            lowest = score;
        }
    }
    return found;
}

/* --- the decision --- */

static enum err_code note(struct exits *exits, const struct holding *victim,
                          const struct order *intent) {
    struct journal *journal = exits->gateway->journal;
    struct text body = {.limit = 256};
    text_add_char(&body, '{');
    text_member_string(&body, "for", intent->symbol);
    text_member_decimal(&body, "score", intent->score.nanos);
    text_add_char(&body, '}');
    enum err_code code = journal == NULL ? ERR_IO
                                         : journal_append(journal, DISPLACED_ROW, victim->symbol,
                                                          text_get(&body), NULL, NULL);
    text_release(&body);
    return code == ERR_OK ? journal_commit(journal, NULL) : code;
}

static bool would_pass(const struct gateway *gateway, const struct order *intent) {
    struct refusal refusal;
    MUTATE(displacement_unchecked, return true);
    return check_with_one_fewer(gateway, intent, &refusal) == REFUSED_NONE;
}

bool displacement_consider(struct exits *exits, const struct order *intent,
                           const struct score *scores) {
    struct gateway *gateway = exits->gateway;
    const struct config *config = gateway->config;
    struct span since;
    bool cools = displaced_cools(&gateway->displaced, config, universe_find(config, intent->symbol),
                                 clock_utc(gateway->world->clock), &since);
    MUTATE(displacement_in_series, cools = false);
    if (!config->displacement_on || cools || exits->count > 0 || !would_pass(gateway, intent)) {
        return false;
    }
    MUTATE(displacement_ignored, return false);
    const struct holding *victim = weakest(exits, intent, scores);
    if (victim == NULL || note(exits, victim, intent) != ERR_OK) {
        return false;
    }
    log_mechanism(gateway->log, MECHANISM, "acted", victim->symbol, intent->symbol, "");
    exits_decide(exits, victim, PURPOSE_EXIT, (struct qty){0}, "displaced");
    return true;
}
