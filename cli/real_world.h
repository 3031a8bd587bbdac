/* real_world.h - the live seams of one process, and the credentials that open the broker. */
#ifndef CLI_REAL_WORLD_H
#define CLI_REAL_WORLD_H

#include "cli/credentials.h"
#include "core/base/err.h"
#include "core/config/config.h"
#include "core/world/world.h"

#define REAL_PAPER_URL "https://paper-api.alpaca.markets"

struct real_options {     /* borrowed */
    const char *state;    /* the state directory */
    const char *config;   /* configuration file, or NULL */
    const char *mode;     /* "paper" */
    const char *base_url; /* NULL: what the state says, else Alpaca's paper and data hosts */
    const char *clock;    /* "served"; NULL: what the state says */
    struct credential_source keys;
};

/* broker.json of a state directory: which broker it belongs to. `run` saves it, holding the lease, at
 * each start; every command that acts at a broker reads it. No secret is in it. */
#define BROKER_FILE "broker.json"
struct real_broker {
    char url[256]; /* "": not known */
    bool is_served;
    int64_t pid; /* of the `run` that saved it last */
};

struct real_world { /* zero-initialise; real_world_close() at the end */
    struct world world;
    struct config config;
    struct real_broker broker; /* after real_world_connect() */
    struct credentials credentials;
    struct clock_system *clock;
    struct clock_served *served;
    struct disk_posix *disk;
    struct entropy *entropy;
    struct host_posix *host;
    struct http_curl *curl;
    struct http no_broker; /* answers ERR_NOT_SENT when there are no credentials */
};

/* Clock, disk, entropy and host, and a broker that cannot be reached: enough to leave a command. */
enum err_code real_world_open(struct real_world *real, const char *state, struct err *err) MUST_USE;
/* True if a core has ever run on this folder; creates nothing. */
bool real_state_is_used(const char *state);
/* Missing is no error: url is "" then. ERR_CORRUPT: edited or damaged. */
enum err_code real_broker_load(struct world *world, struct real_broker *out,
                               struct err *err) MUST_USE;
/* By the holder of the lease. */
enum err_code real_broker_save(struct real_world *real, struct err *err) MUST_USE;
/* Adds configuration, credentials and libcurl. ERR_CONFIG (also: the state belongs to another broker),
 * ERR_USAGE (no credentials; a host that is neither paper nor loopback), ERR_CORRUPT (broker.json, and
 * no base URL is said). */
enum err_code real_world_connect(struct real_world *real, const struct real_options *options,
                                 struct err *err) MUST_USE;
/* One read of the trading host, with the credentials; response is the caller's. */
enum err_code real_get(struct real_world *real, const char *path, struct http_response *response,
                       struct err *err) MUST_USE;
/* Wipes the credentials and gives everything back. */
void real_world_close(struct real_world *real);

/* Reads a configuration file over the defaults; faults go to stderr. */
enum err_code real_config(const char *path, struct config *out, struct err *err) MUST_USE;

#endif
