/* stamp.h - an instant that a journal row keeps for a later life: boot, monotonic and wall time.
 *
 * Within a boot the monotonic clock says what has passed since; from one boot to another only the wall can,
 * and one that was set back counts as no time at all. */
#ifndef CORE_STATE_STAMP_H
#define CORE_STATE_STAMP_H

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/world/world.h"

struct stamp {
    char boot[CLOCK_BOOT_MAX]; /* "": not told, equal to no other */
    struct mono mono;
    struct utc wall;
};

struct stamp stamp_now(const struct world *world);
/* Both of one boot. */
bool stamp_is_same_boot(const struct stamp *earlier, const struct stamp *later);
/* What has passed from one to the other; never below zero. */
struct span stamp_between(const struct stamp *earlier, const struct stamp *later);
/* The same where a wrong wall must not shorten it: from one boot to another by the wall or by the broker's clock,
 * as he told it at either instant, whichever says less; no time at all while he did not ({0}). */
struct span stamp_waited(const struct stamp *earlier, const struct stamp *later,
                         struct utc broker_earlier, struct utc broker_later);
/* Members "boot" and "mono" of an object that is open; the row's own time is the wall. */
void stamp_print(const struct stamp *stamp, struct text *out);
/* A body that does not say, as those of old journals, is of another boot. */
struct stamp stamp_read(const cJSON *body, struct utc row_at);

#endif
