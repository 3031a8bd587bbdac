/* sea_cash.c - dividends come and fees go. */
#include "scenarios/sea_internal.h"

#define A_SHARE ((struct ratio){NANOS})
#define FEE ((struct ratio){25 * NANOS})

static bool is_cash(const struct fault *fault) {
    return fault->point == POINT_ASSET_DIVIDEND || fault->point == POINT_ACCOUNT_FEE;
}

static void post(struct sea *sea, const struct swell *swell) {
    if (swell->fault->point == POINT_ASSET_DIVIDEND) {
        const struct usd per_share = {fault_factor(swell->fault, A_SHARE).nanos};
        broker_pay_dividend(sea->broker, swell->symbol, per_share);
    } else {
        broker_charge(sea->broker, (struct usd){fault_factor(swell->fault, FEE).nanos});
    }
}

void sea_post_cash(struct sea *sea) {
    for (size_t i = 0; i < sea->count; i++) {
        struct swell *swell = &sea->swells[i];
        if (is_cash(swell->fault) && !swell->is_done) {
            swell->is_done = true;
            broker_advance_to(sea->broker, virtual_clock_now(sea->clock));
            post(sea, swell);
        }
    }
}
