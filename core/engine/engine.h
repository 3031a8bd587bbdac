/* engine.h - the core as a whole: start it in a world, let it tick, stop it.
 *
 * The engine borrows the world. Live, engine_run() owns the loop; in simulation
 * the stage calls engine_tick() at engine_next_at(). A world that goes dead makes every call fail in
 * an ordinary way; the engine then unwinds and is destroyed. */
#ifndef CORE_ENGINE_ENGINE_H
#define CORE_ENGINE_ENGINE_H

#include "core/config/config.h"
#include "core/world/world.h"

enum engine_mode { ENGINE_SIM, ENGINE_PAPER, ENGINE_LIVE };

/* REDUCE: an operator's command in place of a core that is dead or hangs. It enters nothing, cancels
 * what entries there are, and takes the lease of a living holder as lease_acquire_to_reduce() does. */
enum engine_scope { ENGINE_SCOPE_ALL, ENGINE_SCOPE_REDUCE };

struct engine_news { /* what a person may change while the core runs */
    struct config config;
    char key_id[256], secret[256];
    bool
        is_again; /* told to who reads: what was read last was not taken yet, for want of an answer */
};

/* Reads configuration and credentials again; the configuration comes as the one in force, and stays it if
 * nothing is written there. On failure faults may hold them all, one a line. */
typedef enum err_code engine_reread(void *context, struct engine_news *out, struct text *faults,
                                    struct err *err);

/* The broker's trouble in words when it begins or changes, "" when it is over. */
typedef void engine_tell(void *context, const char *trouble);

struct engine_options {
    struct world *world;
    const struct config *config; /* copied */
    enum engine_mode mode;
    enum engine_scope scope;
    const char *key_id;
    const char *secret;
    const char *build; /* hash of the source tree, told in the view */
    engine_tell *tell; /* NULL: nobody listens */
    void *tell_context;
    engine_reread *reread; /* NULL: nothing can be read again */
    void *reread_context;
};

struct engine_totals { /* since this start */
    int64_t ticks;
    int64_t orders; /* intents sent */
    int64_t refusals;
    int64_t entries_cancelled; /* as the broker confirmed */
    int64_t entries_live;      /* now: the broker has not said that they are over */
    int64_t fills;             /* orders whose filled quantity grew, each growth once */
};

struct engine;

/* Verifies the state directory, takes the lease, folds the journal. It does not need the broker: an
 * unreachable broker is degraded mode, not a failed start. ERR_LOCKED, ERR_CORRUPT, ERR_IO, ERR_CONFIG. */
enum err_code engine_create(const struct engine_options *options, struct engine **out,
                            struct err *err) MUST_USE;
/* Does everything that is due now. Never fails: what goes wrong is a mode, a latch, an alert. */
void engine_tick(struct engine *engine);
/* When the next tick is due, by the wall clock; after a tick, always later than now. */
struct utc engine_next_at(const struct engine *engine);
/* Between ticks: takes what waits in the inbox; true if a tick should come at once. */
bool engine_look(struct engine *engine);
/* Graceful stop: cancels entries, verifies, leaves protection, saves, records a clean stop. */
void engine_stop(struct engine *engine);
/* Renews the lease. ERR_LOCKED: another process took it while this one hung; it must end, and write
 * nothing more. engine_run() asks before each turn. */
enum err_code engine_keep(struct engine *engine, struct err *err) MUST_USE;
/* Takes over what `reread` brings, all of it or nothing: an invalid configuration, another universe or
 * feed, other rates and deadlines, or a key of another account are refused with an alert. True if taken. */
bool engine_reload(struct engine *engine);
/* True if a reload whose key the broker did not answer for is to be tried again now. */
bool engine_owes_reload(const struct engine *engine);
struct engine_totals engine_totals(const struct engine *engine);
/* The live loop: tick, then inbox and host every 250 ms, until told to terminate; then it has stopped.
 * ERR_LOCKED: another process took the lease while this one hung; nothing more was written. */
enum err_code engine_run(struct engine *engine, struct err *err) MUST_USE;
/* Frees; without engine_stop() before, the next start knows that this one ended uncleanly. */
void engine_destroy(struct engine *engine);

#endif
