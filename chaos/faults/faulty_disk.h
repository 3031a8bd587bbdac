/* faulty_disk.h - the disk seam with faults: asks the plan, then process and disk.
 *
 * core -> recorder -> faulty_disk -> (process) -> sim_disk. The process is asked by a mortal_disk
 * inside: inner is the bare port. Entities are "verb name": open, read, write, truncate, sync, rename
 * (the new name), remove, link, sync_dir, make_dir, list, lock; sizes and closes never fail. A process
 * that dies at a call meets no other fault there. */
#ifndef CHAOS_FAULTS_FAULTY_DISK_H
#define CHAOS_FAULTS_FAULTY_DISK_H

#include "chaos/faults/plan.h"
#include "chaos/machine/process.h"
#include "chaos/machine/sim_disk.h"
#include "core/world/disk.h"

struct faulty_disk;

/* inner is the port of this process; sim (may be NULL: no power cuts, no old versions) the disk
 * behind it. plan and process may be NULL. All borrowed. Never NULL. */
struct faulty_disk *faulty_disk_create(struct disk *inner, struct sim_disk *sim, struct plan *plan,
                                       struct process *process);
void faulty_disk_destroy(struct faulty_disk *faulty);
/* What the core gets; lives as long as faulty. */
struct disk *faulty_disk_seam(struct faulty_disk *faulty);

/* The power cut that goes with a death: disk.torn if it fires, else `otherwise`. */
void faulty_disk_power_cut(struct faulty_disk *faulty, struct crash_source *otherwise);
/* The stage says that a new process is about to start: disk.old_version strikes now. Returns how
 * many files changed. Keep one faulty_disk over all lives of an instance: it remembers old
 * versions. */
size_t faulty_disk_restart(struct faulty_disk *faulty);
/* Looks whether an instant has come: whose version disk.old_version wants kept, or at which
 * disk.wrong_number strikes. Every effect does this too; the stage calls it once a tick if the core
 * may be idle. */
void faulty_disk_look(struct faulty_disk *faulty);

#endif
