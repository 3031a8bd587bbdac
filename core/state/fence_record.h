/* fence_record.h - the durable proof that a suspension of trading at the broker is this tool's own.
 *
 * `seatrial fence` sets suspend_trade of an account, which says of itself neither who set it nor when. So that no
 * suspension is ended which this tool never set, each fence leaves a document beside no journal, in a folder of its own:
 * fence-ACCOUNT.json. Its life, each step durable before the request that it speaks of leaves:
 *
 *   setting   trading was not suspended, and we are about to ask for it
 *   set       it was asked for, taken (2xx), and read back: the one state from which it may be lifted
 *   lifting   an operator's name and reason are noted, and we are about to ask for its end
 *   lifted    read back: it is over
 *
 * A request whose fate is not known leaves `setting` or `lifting`: whose the suspension is then cannot be told any more, and a
 * person ends it at the broker. A document that is missing, edited, damaged, of another account or of another host
 * proves nothing. */
#ifndef CORE_STATE_FENCE_RECORD_H
#define CORE_STATE_FENCE_RECORD_H

#include "core/state/state_file.h"

enum fence_state { FENCE_SETTING, FENCE_SET, FENCE_LIFTING, FENCE_LIFTED };

struct fence_record {
    enum fence_state state;
    char account[32]; /* its number: letters and digits */
    char url[256];    /* of the trading host */
    char by[48], why[200];
    struct utc at;
};

/* Saves it over the one before. ERR_IO, ERR_NO_SPACE, ERR_LOCKED; ERR_USAGE: no account number, or an odd one. */
enum err_code fence_record_save(struct world *world, const struct fence_record *record,
                                struct err *err) MUST_USE;
/* ERR_OK if the record proves that a fence of ours stands at this account and host. ERR_REFUSED says why not. */
enum err_code fence_record_prove(struct world *world, const char *account, const char *url,
                                 struct fence_record *out, struct err *err) MUST_USE;

#endif
