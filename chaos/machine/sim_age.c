/* sim_age.c - what the kernel writes back by itself, by age. */
#include "chaos/machine/sim_disk_internal.h"

struct utc age_of_change(struct sim_disk *disk) {
    const struct utc now = disk->clock == NULL ? UTC_NEVER : virtual_clock_now(disk->clock);
    disk->oldest = utc_min(disk->oldest, now);
    return now;
}

/* Logs are in the order of time. What gets no older keeps back what was done behind it: the drive has both. */
static size_t old_bytes(const struct inode *inode, struct utc until) {
    size_t n = 0;
    while (n < inode->change_count && !utc_is_before(until, inode->changes[n].at)) {
        n++;
    }
    return n;
}

static size_t old_names(const struct sim_disk *disk, struct utc until) {
    size_t n = 0;
    while (n < disk->change_count && !utc_is_before(until, disk->changes[n].at)) {
        n++;
    }
    return n;
}

void age_again(struct sim_disk *disk) {
    struct utc oldest = disk->change_count > 0 ? disk->changes[0].at : UTC_NEVER;
    for (size_t i = 0; i < disk->inode_count; i++) {
        const struct inode *inode = &disk->inodes[i];
        oldest = inode->change_count > 0 ? utc_min(oldest, inode->changes[0].at) : oldest;
    }
    disk->oldest = oldest;
}

void age(struct sim_disk *disk) {
    if (disk->clock == NULL || disk->oldest.ns == UTC_NEVER.ns) {
        return;
    }
    const struct utc now = virtual_clock_now(disk->clock);
    const struct utc until = utc_add(now, (struct span){-SIM_DISK_EXPIRES.ns});
    if (utc_is_before(until, disk->oldest)) {
        return;
    }
    for (size_t i = 0; i < disk->inode_count; i++) {
        struct inode *inode = &disk->inodes[i];
        const size_t n = old_bytes(inode, until);
        if (n > 0) {
            inode_write_back(inode, n);
        }
    }
    names_commit(disk, old_names(disk, until));
    age_again(disk);
}
