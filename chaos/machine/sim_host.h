/* sim_host.h - the host seam: wishes come from the plan. */
#ifndef CHAOS_MACHINE_SIM_HOST_H
#define CHAOS_MACHINE_SIM_HOST_H

#include "core/world/host.h"

#include <stdbool.h>

struct sim_host {
    struct host seam;
    bool is_terminating; /* repeats until the next init */
    unsigned reloads;    /* not yet told */
};

/* No wish. Also what a new process gets. */
void sim_host_init(struct sim_host *host);
/* HOST_RELOAD is told once each, before a HOST_TERMINATE made later; that one repeats. */
void sim_host_wish(struct sim_host *host, enum host_wish wish);

#endif
