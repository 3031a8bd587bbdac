/* weighted.h - the built-in strategy: momentum, mean reversion, breakout and volume, each squashed into
 * (-1, 1), averaged with the weights of the configuration ("strategy.weight_*").
 *
 * It needs WEIGHTED_BARS_MIN bars of one session. Its gains are tuned so that the default weights pass
 * the default threshold in a few percent of minutes of real stocks (the numbers stand in weighted.c). */
#ifndef CORE_SIGNALS_WEIGHTED_H
#define CORE_SIGNALS_WEIGHTED_H

#include "core/config/config.h"
#include "core/signals/strategy.h"

#define WEIGHTED_BARS_MIN 31

/* Weights are copied. Owned by the caller: strategy_destroy(). Out of memory aborts. */
struct strategy *weighted_create(const struct config *config);

#endif
