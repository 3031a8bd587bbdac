/* sim_host.c - see sim_host.h. */
#include "chaos/machine/sim_host.h"

static enum host_wish poll_wish(struct host *seam) {
    struct sim_host *host = (struct sim_host *)seam;
    if (host->reloads > 0) {
        host->reloads--;
        return HOST_RELOAD;
    }
    return host->is_terminating ? HOST_TERMINATE : HOST_NONE;
}

static const struct host_ops ops = {.poll = poll_wish};

void sim_host_init(struct sim_host *host) {
    *host = (struct sim_host){.seam = {&ops}};
}

void sim_host_wish(struct sim_host *host, enum host_wish wish) {
    switch (wish) {
    case HOST_NONE:
        break;
    case HOST_TERMINATE:
        host->is_terminating = true;
        break;
    case HOST_RELOAD:
        if (!host->is_terminating) { /* who was told to go need not read again */
            host->reloads++;
        }
        break;
    }
}
