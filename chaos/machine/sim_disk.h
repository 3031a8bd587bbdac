/* sim_disk.h - a disk in memory that knows what is durable, and forgets the rest in a power cut.
 *
 * Names map to inodes. An inode has its present bytes and an undo log of every change since its
 * last sync; names have a present and a durable meaning and a log of changes since the last sync of
 * their folder. A rename is one change. Folders are durable at once. The kernel writes back by
 * itself what is SIM_DISK_EXPIRES old in true time, oldest first and a file's bytes before the names
 * of that age, and what exceeds SIM_DISK_PENDING_MAX changes of a file or of all names, or
 * SIM_DISK_UNDO_MAX undo bytes.
 *
 * profile  | bytes of a file un-synced     | names un-synced        | sync of a new file
 * strict   | any subset, each torn or zero | any subset             | leaves its name un-synced
 * ordered  | the oldest n, then one cut    | the oldest n, globally | makes its name durable, with
 *          |                               |                        | every older change of a name
 * kind     | all kept                      | all kept               | -
 *
 * What becomes of a change matters if anybody may see it: a name is known once somebody has read from
 * a file of that name, or looked for it in vain. A change of a known name matters unless a later one of the
 * same name came through; bytes matter of the file that a known name then means.
 *
 * Several processes may use one disk, each through its own port: handles and locks belong to it. */
#ifndef CHAOS_MACHINE_SIM_DISK_H
#define CHAOS_MACHINE_SIM_DISK_H

#include "chaos/machine/crash_source.h"
#include "chaos/machine/virtual_clock.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/world/disk.h"

enum disk_profile { DISK_PROFILE_STRICT, DISK_PROFILE_ORDERED, DISK_PROFILE_KIND };

/* What a power cut may do: a profile is a set of these rules. */
struct disk_rules {
    bool keeps_all;       /* nothing un-synced is ever lost */
    bool bytes_any;       /* any subset of a file's changes, else the oldest n */
    bool names_any;       /* any subset of changes of names, else the oldest n */
    bool sync_names_file; /* the sync of a file makes its new name durable */
    bool has_zeros;       /* CRASH_ZEROS may happen */
};
struct disk_rules disk_rules_of(enum disk_profile profile);

#define SIM_DISK_FILES_MAX 4096
#define SIM_DISK_HANDLES_MAX 256
#define SIM_DISK_PORTS_MAX 8
#define SIM_DISK_FILE_SIZE_MAX ((uint64_t)256 << 20) /* ERR_NO_SPACE beyond */
#define SIM_DISK_PENDING_MAX 1024
#define SIM_DISK_UNDO_MAX ((size_t)4 << 20)
/* Linux: vm.dirty_expire_centisecs 3000 for bytes (Documentation/admin-guide/sysctl/vm.rst), as long at most
 * for names (xfs: fs.xfs.xfssyncd_centisecs 3000, btrfs: commit=30, ext4: commit=5). */
#define SIM_DISK_EXPIRES SPAN_S(30)
#define SIM_DISK_SECTOR 512

struct sim_disk;

struct disk_hashes { /* see sim_disk_hash() */
    uint64_t all;
    uint64_t
        known; /* of known names and the durable bytes of their files alone, once nothing pends */
};

/* An empty disk. With a clock every call of a port takes time, drawn from the seed: 5 to 40 us, a
 * sync 0.5 to 5 ms, and what is un-synced gets old; NULL: neither. Never NULL; owned by the caller. */
struct sim_disk *sim_disk_create(uint64_t seed, struct disk_rules rules,
                                 struct virtual_clock *clock);
void sim_disk_destroy(struct sim_disk *disk);
/* The same disk once more, with all that pends and no handles, locks or clock: to crash one and go
 * on with the other. Owned by the caller. */
struct sim_disk *sim_disk_clone(const struct sim_disk *disk);

/* The seam of process number `port` (0 to SIM_DISK_PORTS_MAX - 1). Lives as long as the disk. */
struct disk *sim_disk_port(struct sim_disk *disk, unsigned port);

/* A process died: its handles and locks are gone, the kernel's memory and so all content stays. */
void sim_disk_process_died(struct sim_disk *disk, unsigned port);
/* The power went: as above for all ports, and every un-synced change meets its fate. What is left
 * is durable. */
void sim_disk_crash(struct sim_disk *disk, struct crash_source *source);
/* Everything becomes durable: a clean shutdown. */
void sim_disk_flush(struct sim_disk *disk);
/* Number of un-synced changes, of bytes and of names. */
size_t sim_disk_pending(struct sim_disk *disk);
/* Asks what sim_disk_crash() would ask now, in its order, and changes nothing: how a caller that
 * forks learns which answers there are. */
void sim_disk_ask(struct sim_disk *disk, struct crash_source *source);
/* The fates of a search at this instant: asks as often as it takes to see whether they can all be taken. */
struct crash_fates sim_disk_fates(struct sim_disk *disk, uint64_t seed, uint64_t crash_number);
/* Names (hashes) that somebody looked into although the power cut before had taken their fate for one that
 * nobody sees, up to `most` of them: if there are any, not all that matters was asked for. Returns how many. */
size_t sim_disk_surprises(const struct sim_disk *disk, uint64_t *names, size_t most);
/* Somebody will look into them: from here on their fate is asked for. */
void sim_disk_know(struct sim_disk *disk, const uint64_t *names, size_t count);
/* The hashes that sim_disk_crash() would leave; nothing changes. */
struct disk_hashes sim_disk_hashes_after(struct sim_disk *disk, struct crash_source *source);
/* One number for the durable content, the names and every un-synced change: equal numbers, equal
 * futures after any crash. Not in it: handles, locks, the clock. Costs what changed since the last
 * call, not the size of the disk. */
uint64_t sim_disk_hash(struct sim_disk *disk);

/* What goes wrong with a disk, for chaos/faults. A handle that is not open changes nothing. */

/* Time passes inside a call; nothing without a clock. */
void sim_disk_stall(struct sim_disk *disk, struct span span);
/* A sync of the file failed, as Linux fails: its un-synced pages count as clean and stay readable,
 * the next sync succeeds, and a power cut brings the old bytes back, unless they were written again
 * and synced. The file's size stays. */
void sim_disk_lose(struct sim_disk *disk, struct disk_file file);
/* A sync of the file, or of a folder, said ok and did nothing: what it should have made durable is clean to
 * the kernel, lies in a cache of the drive's own and gets no older. Only a later sync brings it out. */
void sim_disk_lie(struct sim_disk *disk, struct disk_file file);
void sim_disk_lie_of_folder(struct sim_disk *disk, const char *folder);
/* Flips one bit where it lies, for good. False: beyond the end. */
bool sim_disk_rot(struct sim_disk *disk, struct disk_file file, uint64_t offset, unsigned bit);

/* For stage, operator and tests; none takes time or needs a handle. */

/* The present content of a file, put into `out` (cleared first). False: no such name. */
bool sim_disk_read(const struct sim_disk *disk, const char *name, struct text *out);
/* The same from an offset on, put behind what is in `out`. False also where the file ends before it. */
bool sim_disk_read_rest(const struct sim_disk *disk, const char *name, size_t offset,
                        struct text *out);
/* The first byte alone, of a file of any size; -1: no such name, or nothing in it. */
int sim_disk_first_byte(const struct sim_disk *disk, const char *name);
/* The durable content: what is there if all un-synced changes are dropped. */
bool sim_disk_read_durable(struct sim_disk *disk, const char *name, struct text *out);
/* A hand edit: replaces the file's bytes in place, or makes the file; durable at once. */
void sim_disk_write_raw(struct sim_disk *disk, const char *name, const void *bytes, size_t n);
/* A hand removal, durable at once. False: no such name. */
bool sim_disk_remove_raw(struct sim_disk *disk, const char *name);
bool sim_disk_exists(const struct sim_disk *disk, const char *name);
/* Visits every present name of all folders in byte order, whole names. */
void sim_disk_visit_all(const struct sim_disk *disk, disk_visit *visit, void *context);

/* The durable image, by name. Owned by the caller. */
struct disk_image;
struct disk_image *sim_disk_snapshot(struct sim_disk *disk);
void disk_image_destroy(struct disk_image *image);
/* Puts the whole disk back to an image; all handles are gone. */
void sim_disk_restore(struct sim_disk *disk, const struct disk_image *image);
/* True if a name fits a pattern: exactly, or up to a final '*'. */
bool disk_name_matches(const char *name, const char *pattern);
/* Puts back every name that matches: names that the image lacks are
 * removed. Durable at once. Returns how many names changed. */
size_t sim_disk_restore_matching(struct sim_disk *disk, const struct disk_image *image,
                                 const char *pattern);

#endif
