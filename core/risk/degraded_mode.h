/* degraded_mode.h - REDUCE_ONLY while the broker's truth is old; ends after three clean
 * reconciliations over degraded.clean_s; more than four times in an hour holds it for 30 minutes. */
#ifndef CORE_RISK_DEGRADED_MODE_H
#define CORE_RISK_DEGRADED_MODE_H

#include "core/config/config.h"
#include "core/risk/causes.h"

struct degraded_mode {
    bool is_on;
    struct mono since;
    struct mono clean_since;
    int clean_count;
    struct mono flaps[5]; /* starts of the last five */
    size_t flap_next;
    bool is_alerted, is_paged;
};

/* The core starts degraded: nothing is known yet. */
void degraded_mode_start(struct degraded_mode *mode, struct causes *causes, struct mono now);
/* One tick: truth_age is of the oldest of account, positions and orders; is_clean: all three came in
 * this tick and were reconciled. */
void degraded_mode_judge(struct degraded_mode *mode, struct causes *causes,
                         const struct config *config, struct span truth_age, bool is_clean,
                         struct mono now);

#endif
