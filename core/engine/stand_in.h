/* stand_in.h - what an operator's kill does at the broker while the core hangs.
 *
 * No lease, no journal, no memory: it asks for the open orders and cancels by id those of ours that
 * can add risk. It sends nothing and touches no sale, so that the core, whenever it wakes, finds only
 * what its own kill would have done; the command in the inbox binds it before its next effect. */
#ifndef CORE_ENGINE_STAND_IN_H
#define CORE_ENGINE_STAND_IN_H

#include "core/alpaca/alpaca.h"
#include "core/engine/engine.h"

struct stand_in_sight { /* sum over all looks */
    char cancelled[ALPACA_ORDERS_MAX][CLIENT_ID_MAX];
    size_t cancelled_count; /* distinct orders whose cancel the broker took; the rest is not kept */
    size_t live;            /* entries in the last look */
    size_t sales;           /* of ours in the last look: stops and exits, left alone */
};

struct stand_in;

/* account is the number the state belongs to, or "" if it is not known; then no account is refused.
 * ERR_CONFIG when the credentials open another; what alpaca_get_account() returns. Owned. */
enum err_code stand_in_create(const struct engine_options *options, const char *account,
                              struct stand_in **out, struct err *err) MUST_USE;
void stand_in_destroy(struct stand_in *stand_in);
/* Lists once and asks for the cancels. ERR_OK: the listing came; sight is then of now. */
enum err_code stand_in_look(struct stand_in *stand_in, struct err *err) MUST_USE;
const struct stand_in_sight *stand_in_sight(const struct stand_in *stand_in);

#endif
