/* mortal.h - wrappers that let a process die: clock, entropy, host and disk ask struct process
 * first.
 *
 * Zero-initialise nothing: the init function fills the struct; `seam` is what the core gets. All
 * pointers are borrowed. (http is wrapped by chaos/faults/faulty_http.h, which owns requests in
 * flight; process death on the disk also comes through here when faulty_disk wraps this.) */
#ifndef CHAOS_MACHINE_MORTAL_H
#define CHAOS_MACHINE_MORTAL_H

#include "chaos/machine/process.h"
#include "core/world/clock.h"
#include "core/world/disk.h"
#include "core/world/entropy.h"
#include "core/world/host.h"
#include "core/world/observe.h"

struct mortal_clock { /* stands still in death; a sleep of the dead moves nothing */
    struct clock seam;
    struct clock *inner;
    struct process *process;
    struct utc last_utc; /* last readings, repeated when dead */
    struct mono last_mono;
    char boot_id[CLOCK_BOOT_MAX];
};
void mortal_clock_init(struct mortal_clock *mortal, struct clock *inner, struct process *process);

struct mortal_entropy {
    struct entropy seam;
    struct entropy *inner;
    struct process *process;
};
void mortal_entropy_init(struct mortal_entropy *mortal, struct entropy *inner,
                         struct process *process);

struct mortal_host {
    struct host seam;
    struct host *inner;
    struct process *process;
};
void mortal_host_init(struct mortal_host *mortal, struct host *inner, struct process *process);

struct mortal_disk {
    struct disk seam;
    struct disk *inner;
    struct process *process;
};
void mortal_disk_init(struct mortal_disk *mortal, struct disk *inner, struct process *process);

/* What a process says of itself, while it lives: the dead unwind in silence. Told with the true time of
 * process->clock, so that a core whose wall clock lies does not move what listeners measure. */
struct mortal_observer {
    struct observer seam;
    struct observer *inner;
    const struct process *process;
};
void mortal_observer_init(struct mortal_observer *mortal, struct observer *inner,
                          const struct process *process);

#endif
