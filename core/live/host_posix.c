/* host_posix.c - sigaction() and three flags.
 *
 * The flags are the only mutable statics of this folder: a signal handler is given nothing but the
 * signal's number, so what it writes must be at a place known at link time. */
#include "core/live/host_posix.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t wants_end;
static volatile sig_atomic_t wants_reload;
static volatile sig_atomic_t is_in_use;

static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
#define WATCHED_COUNT (sizeof watched / sizeof watched[0])

struct host_posix {
    struct host seam;
    struct sigaction before[WATCHED_COUNT];
    size_t taken; /* how many of them are ours */
};

static void on_signal(int number) {
    if (number != SIGHUP) {
        wants_end = 1;
    } else if (!wants_end) {
        wants_reload = 1;
    }
}

static enum host_wish posix_poll(struct host *host) {
    (void)host;
    if (wants_reload) { /* it came before any wish to end */
        wants_reload = 0;
        return HOST_RELOAD;
    }
    return wants_end ? HOST_TERMINATE : HOST_NONE;
}

static const struct host_ops posix_ops = {.poll = posix_poll};

void host_posix_destroy(struct host_posix *host) {
    if (host == NULL) {
        return;
    }
    while (host->taken > 0) {
        host->taken--;
        (void)sigaction(watched[host->taken], &host->before[host->taken], NULL);
    }
    free(host);
    is_in_use = 0;
}

enum err_code host_posix_create(struct host_posix **out, struct err *err) {
    if (is_in_use) {
        return err_set(err, ERR_USAGE, "the signals of this process are already watched");
    }
    struct host_posix *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the host seam");
    }
    host->seam.ops = &posix_ops;
    wants_end = 0;
    wants_reload = 0;
    is_in_use = 1;
    for (; host->taken < WATCHED_COUNT; host->taken++) {
        int number = watched[host->taken];
        struct sigaction action = {.sa_flags = SA_RESTART}; /* a sleep is cut short all the same */
        (void)sigemptyset(&action.sa_mask);
        action.sa_handler = number == SIGPIPE ? SIG_IGN : on_signal;
        if (sigaction(number, &action, &host->before[host->taken]) != 0) {
            enum err_code code = err_set(err, ERR_IO, "signal %d: %s", number, strerror(errno));
            host_posix_destroy(host);
            return code;
        }
    }
    *out = host;
    return ERR_OK;
}

struct host *host_posix_seam(struct host_posix *host) {
    return &host->seam;
}
