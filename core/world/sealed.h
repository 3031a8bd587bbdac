/* sealed.h - a world that nothing leaves: its clock stands where its owner sets it, its disk, network and
 * entropy refuse, its host wishes nothing and nobody listens. What the core does in it, it does for itself. */
#ifndef CORE_WORLD_SEALED_H
#define CORE_WORLD_SEALED_H

#include "core/world/world.h"

struct sealed_world {
    struct world world; /* borrowed by those who live in it; observer: NULL */
    struct clock clock; /* first of its owner's time: */
    struct utc utc;
    struct mono mono;
    struct disk disk;
    struct http http;
    struct entropy entropy;
    struct host host;
};

/* Both clocks stand there. The world points into itself: it may not be moved. */
void sealed_world_init(struct sealed_world *sealed, struct utc utc, struct mono mono);
void sealed_world_advance(struct sealed_world *sealed, struct span span);

#endif
