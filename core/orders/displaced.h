/* displaced.h - who took part in a displacement, and when: its cooldowns, folded from rows `displaced`. */
#ifndef CORE_ORDERS_DISPLACED_H
#define CORE_ORDERS_DISPLACED_H

#include "core/config/config.h"
#include "core/state/journal.h"

#define DISPLACED_ROW "displaced" /* key: who was closed; body {"for": candidate} */

struct displaced {                      /* zero-initialise; by index of the universe */
    struct utc at[CONFIG_SYMBOLS_MAX];  /* {0}: never */
    bool is_victim[CONFIG_SYMBOLS_MAX]; /* else it was the candidate */
};

/* Takes a row, live and behind a restart; other kinds, and symbols that are no longer of the universe, are passed by. */
void displaced_take(struct displaced *displaced, const struct config *config,
                    const struct journal_row *row);
/* True for less than displacement.cooldown_s since then; *since: how long ago. A wall that was set back waits longer. */
bool displaced_cools(const struct displaced *displaced, const struct config *config, int index,
                     struct utc now, struct span *since);

#endif
