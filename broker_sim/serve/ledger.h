/* ledger.h - the account of a served broker on disk: an anchor and the changing requests, in order.
 *
 * ledger.json holds the anchor: served start, wall start, speed, seed, market. requests.log holds one
 * line per changing request: 16 hex digits (XXH64 of the rest, chained to the line before), a blank,
 * JSON. The broker is deterministic, so that replaying the lines gives the account back; each line
 * keeps the answer's status and hash, and a replay that differs is an error, not a guess. Nothing
 * secret is stored. */
#ifndef BROKER_SIM_SERVE_LEDGER_H
#define BROKER_SIM_SERVE_LEDGER_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/utc.h"
#include "core/world/disk.h"
#include "core/world/http.h"

#define LEDGER_LOG_MAX ((size_t)512 << 20) /* bytes of requests.log; ERR_LIMIT beyond */
#define LEDGER_MARKET_MAX 512

struct ledger_anchor {
    struct utc served; /* the broker's time ... */
    struct utc wall;   /* ... at this wall time */
    struct ratio speed;
    uint64_t seed;
    char market[LEDGER_MARKET_MAX]; /* words that name the market data */
};

struct ledger_entry { /* borrowed for the call */
    struct utc at;    /* served time at which it was handled */
    const char *method, *path, *query, *body;
    int status;
    uint64_t answer_hash;
};

/* Replays one entry; the ledger adds file and line to an error. */
typedef enum err_code ledger_replay(void *context, const struct ledger_entry *entry,
                                    struct err *err);

struct ledger;

/* Opens the ledger on a disk (borrowed), made with *anchor if there is none. Else *anchor becomes the
 * stored one, which must agree in speed, seed and market (ERR_CONFIG). Every line is replayed; a torn last
 * line is dropped, which *dropped_bytes tells. Takes the ledger's lock (ERR_LOCKED). Owned.
 * ERR_CORRUPT names file and line. */
enum err_code ledger_open(struct disk *disk, struct ledger_anchor *anchor, ledger_replay *replay,
                          void *context, size_t *dropped_bytes, struct ledger **out,
                          struct err *err) MUST_USE;
/* Appends one entry; durable on return. After an error the ledger must not be used any more. */
enum err_code ledger_append(struct ledger *ledger, const struct ledger_entry *entry,
                            struct err *err) MUST_USE;
void ledger_close(struct ledger *ledger);

#endif
