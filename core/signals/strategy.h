/* strategy.h - what a strategy is to the core: a score for a symbol, made from bars.
 *
 * A strategy opines and never acts: whether to enter, hold or leave, how much and at which price are the
 * core's decisions, under its limits. A score is a ratio; higher is better; it depends on the bars and
 * the strategy's own weights alone, so that the same bars always give the same bits.
 *
 * Beside its score by the weights that it was created with it gives the one by what was learned (learning_guard.h),
 * which chooses entries and nothing else: how a holding leaves is judged by the former. */
#ifndef CORE_SIGNALS_STRATEGY_H
#define CORE_SIGNALS_STRATEGY_H

#include "core/signals/bars.h"

#define SCORE_PARTS_MAX 8

struct score_part { /* what made the score: an entry's intent says it, for what is to be learned */
    const char *name; /* static storage */
    struct ratio value;
};

struct score {
    bool is_known; /* false: too few bars; everything else is zero then */
    struct ratio value;
    struct ratio learned; /* the same by the weights of strategy_weigh(); equal to value without */
    struct score_part parts[SCORE_PARTS_MAX];
    size_t part_count;
};

struct strategy;

struct strategy_ops {
    void (*score)(const struct strategy *strategy, const struct bars *bars, size_t index,
                  struct score *out);
    void (*weigh)(struct strategy *strategy, const int64_t *thousandths);
    void (*destroy)(struct strategy *strategy);
};

struct strategy {
    const struct strategy_ops *ops;
    const char *const
        *parts; /* names of its parts, static storage, in the order in which it gives them */
    size_t part_count;
};

/* Scores the symbol with this index. Whether its newest bar is fresh enough is the caller's question
 * (bars_are_fresh()). */
static inline void strategy_score(const struct strategy *strategy, const struct bars *bars,
                                  size_t index, struct score *out) {
    strategy->ops->score(strategy, bars, index, out);
}
/* From now on the weight of each part counts so many thousandths of itself in score.learned: part_count of them, each
 * above zero, in the order of the parts. */
static inline void strategy_weigh(struct strategy *strategy, const int64_t *thousandths) {
    strategy->ops->weigh(strategy, thousandths);
}
static inline void strategy_destroy(struct strategy *strategy) {
    if (strategy != NULL) {
        strategy->ops->destroy(strategy);
    }
}

#endif
