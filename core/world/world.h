/* world.h - everything the core may touch. Owned by whoever built it; the core borrows it. */
#ifndef CORE_WORLD_WORLD_H
#define CORE_WORLD_WORLD_H

#include "core/world/clock.h"
#include "core/world/disk.h"
#include "core/world/entropy.h"
#include "core/world/host.h"
#include "core/world/http.h"
#include "core/world/observe.h"

struct world {
    struct clock *clock;
    struct http *http;
    struct disk *disk;
    struct entropy *entropy;
    struct host *host;
    struct observer *observer; /* may be NULL */
};

#endif
