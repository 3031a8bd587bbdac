/* real_world.h - the live seams of one process, and the credentials that open the broker. */
#ifndef CLI_REAL_WORLD_H
#define CLI_REAL_WORLD_H

#include "cli/credentials.h"
#include "core/base/err.h"
#include "core/config/config.h"
#include "core/world/world.h"

struct real_options {     /* borrowed */
    const char *state;    /* the state directory */
    const char *config;   /* configuration file, or NULL */
    const char *mode;     /* "paper" */
    const char *base_url; /* NULL: Alpaca's paper and data hosts */
    const char *key_file; /* NULL: the environment */
    const char *clock;    /* "served", or NULL */
};

struct real_world { /* zero-initialise; real_world_close() at the end */
    struct world world;
    struct config config;
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
/* Adds configuration, credentials and libcurl. ERR_CONFIG, ERR_USAGE (no credentials; a host that is
 * neither paper nor loopback). */
enum err_code real_world_connect(struct real_world *real, const struct real_options *options,
                                 struct err *err) MUST_USE;
/* Wipes the credentials and gives everything back. */
void real_world_close(struct real_world *real);

/* Reads a configuration file over the defaults; faults go to stderr. */
enum err_code real_config(const char *path, struct config *out, struct err *err) MUST_USE;

#endif
