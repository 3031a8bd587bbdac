/* sim_crash.c - process death and power cut: every un-synced change meets its fate. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>
#include <string.h>

void sim_disk_process_died(struct sim_disk *disk, unsigned port) {
    for (size_t i = 0; i < SIM_DISK_HANDLES_MAX; i++) {
        if (disk->handles[i].port == port) {
            handle_release(disk, &disk->handles[i]);
        }
    }
}

static unsigned ask(struct crash_source *source, enum crash_question question, unsigned options,
                    bool matters) {
    const unsigned answer = options < 2 ? 0 : source->choose(source, question, options, matters);
    CHECK(answer < options || options == 0);
    return answer;
}

/* Undoes all un-synced changes and saves what they wrote, in the order of the log. */
static uint8_t *take_back(struct inode *inode) {
    size_t total = 1;
    for (size_t i = 0; i < inode->change_count; i++) {
        total += inode->changes[i].n;
    }
    uint8_t *written = malloc(total);
    CHECK(written != NULL);
    size_t at = total - 1;
    for (size_t i = inode->change_count; i > 0; i--) {
        const struct change *change = &inode->changes[i - 1];
        at -= change->n;
        if (change->n > 0) {
            memcpy(written + at, inode->bytes + change->offset, change->n);
        }
        inode_undo(inode, change);
    }
    return written;
}

/* Sector boundaries strictly inside a write: where it can tear. */
static unsigned cuts_of(const struct change *change) {
    const size_t first = change->offset / SIM_DISK_SECTOR;
    const size_t last = (change->offset + change->n - 1) / SIM_DISK_SECTOR;
    return (unsigned)(last - first);
}

struct decision { /* what becomes of one change */
    enum crash_fate fate;
    size_t kept; /* bytes of a torn write that came */
};

/* A write inside one sector cannot tear. */
static struct decision decision_of(const struct change *change, enum crash_fate fate,
                                   struct crash_source *source, bool matters) {
    struct decision decision = {.fate = fate};
    if ((fate == CRASH_TORN || fate == CRASH_ZEROS) && cuts_of(change) > 0) {
        const unsigned at = ask(source, CRASH_ASK_TORN_AT, cuts_of(change), matters);
        const size_t cut = (change->offset / SIM_DISK_SECTOR + 1 + at) * SIM_DISK_SECTOR;
        decision.kept = cut - change->offset;
    }
    return decision;
}

static void apply(struct inode *inode, const struct change *change, const uint8_t *bytes,
                  struct decision decision) {
    const size_t end = change->offset + change->n;
    switch (decision.fate) {
    case CRASH_KEPT:
        if (change->is_truncate) {
            inode_set_size(inode, change->offset);
        } else {
            inode_put(inode, bytes, change->n, change->offset);
        }
        break;
    case CRASH_DROPPED:
        break;
    case CRASH_TORN:
    case CRASH_ZEROS:
        inode_put(inode, bytes, decision.kept, change->offset);
        if (decision.fate == CRASH_ZEROS && end > inode->size) {
            inode_set_size(inode, end); /* the size came, the bytes did not */
        }
        break;
    }
}

/* Any subset: each change has a fate of its own. */
static enum crash_fate fate_of_any(const struct sim_disk *disk, const struct change *change,
                                   struct crash_source *source, bool matters) {
    if (change->is_truncate) {
        return ask(source, CRASH_ASK_TRUNCATE, 2, matters) == 0 ? CRASH_KEPT : CRASH_DROPPED;
    }
    return (enum crash_fate)ask(source, CRASH_ASK_WRITE, disk->rules.has_zeros ? 4 : 3, matters);
}

/* In order: what is older than the cut is kept, what is newer is dropped, the cut itself may tear.
 */
static enum crash_fate fate_in_order(const struct sim_disk *disk, const struct change *change,
                                     size_t i, size_t kept, struct crash_source *source,
                                     bool matters) {
    if (i != kept || change->is_truncate) {
        return i < kept ? CRASH_KEPT : CRASH_DROPPED;
    }
    const unsigned cut = ask(source, CRASH_ASK_CUT_WRITE, disk->rules.has_zeros ? 3 : 2, matters);
    return (enum crash_fate)(CRASH_DROPPED + cut);
}

/* What becomes of each change, put into decisions; NULL: only ask. */
static void decide_inode(const struct sim_disk *disk, const struct inode *inode,
                         struct decision *decisions, struct crash_source *source) {
    const size_t count = inode->change_count;
    if (count == 0) {
        return;
    }
    const bool is_any = disk->rules.bytes_any;
    const bool matters = inode->matters;
    const size_t kept =
        is_any ? 0 : ask(source, CRASH_ASK_BYTES_KEPT, (unsigned)count + 1, matters);
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &inode->changes[i];
        const enum crash_fate fate = is_any ? fate_of_any(disk, change, source, matters)
                                            : fate_in_order(disk, change, i, kept, source, matters);
        const struct decision decision = decision_of(change, fate, source, matters);
        if (decisions != NULL) {
            decisions[i] = decision;
        }
    }
}

static void crash_inode(struct inode *inode, const struct decision *decisions) {
    if (inode->change_count == 0 && inode->lost_count == 0) {
        return;
    }
    uint8_t *written = take_back(inode);
    const uint8_t *bytes = written;
    for (size_t i = 0; i < inode->change_count; i++) {
        apply(inode, &inode->changes[i], bytes, decisions[i]);
        bytes += inode->changes[i].n;
    }
    free(written);
    inode_forget(inode);
    inode_lost_show(inode, inode);
    inode->lost_count = 0;
}

/* In order: behind the last that matters and is kept, and before the next. */
static size_t names_kept_in_order(const struct sim_disk *disk, struct crash_source *source) {
    unsigned mattering = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        mattering += known_sees(disk, &disk->changes[i]);
    }
    unsigned kept = ask(source, CRASH_ASK_NAMES_KEPT, mattering + 1, true);
    size_t from = 0;
    for (; kept > 0; from++) {
        kept -= known_sees(disk, &disk->changes[from]);
    }
    unsigned others = 0;
    while (from + others < disk->change_count && !known_sees(disk, &disk->changes[from + others])) {
        others++;
    }
    return from + ask(source, CRASH_ASK_NAMES_KEPT, others + 1, false);
}

/* Names first: they say whose bytes matter. From the newest change on: behind one that is kept nobody sees
 * what was before. */
static void decide_names(struct sim_disk *disk, struct crash_source *source) {
    known_begin(disk);
    const bool is_any = disk->rules.names_any;
    const size_t kept = is_any ? 0 : names_kept_in_order(disk, source);
    for (size_t i = disk->change_count; i > 0; i--) {
        struct name_change *change = &disk->changes[i - 1];
        change->is_kept =
            is_any ? ask(source, CRASH_ASK_NAME, 2, known_sees(disk, change)) == 0 : i - 1 < kept;
        if (change->is_kept) {
            known_settle(disk, change);
        }
    }
    known_end(disk);
}

/* Puts what becomes of all bytes into decisions; NULL: only ask. */
static void decide(struct sim_disk *disk, struct decision *decisions, struct crash_source *source) {
    unsigned next = 0;
    decide_names(disk, source);
    for (size_t i = 0; i < disk->inode_count; i++) {
        struct inode *inode = &disk->inodes[i];
        inode->mark = next;
        decide_inode(disk, inode, decisions == NULL ? NULL : decisions + next, source);
        next += (unsigned)inode->change_count;
    }
}

void sim_disk_ask(struct sim_disk *disk, struct crash_source *source) {
    age(disk);
    if (!disk->rules.keeps_all) {
        decide(disk, NULL, source);
    }
}

struct crash_fates sim_disk_fates(struct sim_disk *disk, uint64_t seed, uint64_t crash_number) {
    struct crash_fates fates = crash_fates(seed, crash_number, true);
    int count = 0;
    do {
        sim_disk_ask(disk, &fates.source);
        count++;
    } while (fates.is_all && count <= CRASH_FATES_ALL_MAX && crash_fates_next(&fates));
    return crash_fates(seed, crash_number, fates.is_all && count <= CRASH_FATES_ALL_MAX);
}

void sim_disk_crash(struct sim_disk *disk, struct crash_source *source) {
    MUTATE(machine_keeps_everything, sim_disk_flush(disk));
    age(disk);
    if (disk->rules.keeps_all) {
        sim_disk_flush(disk);
    }
    for (size_t i = 0; i < SIM_DISK_HANDLES_MAX; i++) {
        handle_release(disk, &disk->handles[i]);
    }
    struct decision *decisions = malloc((sim_disk_pending(disk) + 1) * sizeof *decisions);
    CHECK(decisions != NULL);
    decide(disk, decisions, source);
    known_guess(disk);
    for (size_t i = 0; i < disk->change_count; i++) {
        if (disk->changes[i].is_kept) {
            names_apply(disk, &disk->changes[i]);
        }
    }
    names_forget(disk); /* what no name means any more has no bytes to lose */
    for (size_t i = 0; i < disk->inode_count; i++) {
        crash_inode(&disk->inodes[i], decisions + disk->inodes[i].mark);
    }
    free(decisions);
}

void sim_disk_flush(struct sim_disk *disk) {
    for (size_t i = 0; i < disk->inode_count; i++) {
        disk->inodes[i].lost_count = 0; /* a clean shutdown is no fault */
        inode_forget(&disk->inodes[i]);
    }
    names_commit(disk, disk->change_count);
}

size_t sim_disk_pending(struct sim_disk *disk) {
    age(disk);
    size_t pending = disk->change_count;
    for (size_t i = 0; i < disk->inode_count; i++) {
        pending += disk->inodes[i].change_count;
    }
    return pending;
}
