/* tally.h - round trips of an exchange day in each symbol, by the core's own rows: what was held is sold, or
 * taken over at nothing by a sale. For this room only. */
#ifndef REPLAY_ORACLE_TALLY_H
#define REPLAY_ORACLE_TALLY_H

#include "core/base/json.h"
#include "replay/oracle/scene.h"
#include "replay/oracle/table.h"

struct tally { /* a symbol; in a table_of() */
    char symbol[TABLE_NAME_MAX];
    struct qty held;
    int64_t trips;
    struct utc ended; /* the newest of them */
};

/* Another day, or an operator granted the day anew. */
void tally_forget_trips(struct table *tallies);
/* Takes a row; body: its content. The symbol whose round trip it ended, until the next row; or NULL. */
const struct tally *tally_take(struct table *tallies, const struct event *event, const cJSON *body);

#endif
