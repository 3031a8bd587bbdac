/* sim_known.c - which names anybody has looked into: what becomes of any other is not seen. */
#include "chaos/machine/sim_disk_internal.h"
#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>

uint64_t name_hash(const char *name) {
    return hash64(name, strlen(name), 0);
}

/* The slot of a known name, or the free one where it would go. */
static size_t slot_of(const struct sim_disk *disk, uint64_t hash) {
    size_t slot = hash & (disk->known_slot_count - 1);
    while (disk->known_slots[slot] != 0 && disk->known[disk->known_slots[slot] - 1].hash != hash) {
        slot = (slot + 1) & (disk->known_slot_count - 1);
    }
    return slot;
}

struct known *known_find(const struct sim_disk *disk, uint64_t hash) {
    if (disk->known_slot_count == 0) {
        return NULL;
    }
    size_t index = disk->known_slots[slot_of(disk, hash)];
    return index == 0 ? NULL : &disk->known[index - 1];
}

/* A power of two of slots. */
static void make_slots(struct sim_disk *disk) {
    disk->known_slot_count = disk->known_slot_count == 0 ? 256 : 2 * disk->known_slot_count;
    free(disk->known_slots);
    disk->known_slots = calloc(disk->known_slot_count, sizeof *disk->known_slots);
    CHECK(disk->known_slots != NULL);
    for (size_t i = 0; i < disk->known_count; i++) {
        disk->known_slots[slot_of(disk, disk->known[i].hash)] = i + 1;
    }
}

static bool is_unseen(const struct sim_disk *disk, uint64_t hash) {
    bool is_it = false;
    for (size_t i = 0; i < disk->unseen_count && !is_it; i++) {
        is_it = disk->unseen[i] == hash;
    }
    return is_it;
}

void know(struct sim_disk *disk, uint64_t hash) {
    if (known_find(disk, hash) == NULL) {
        disk->known =
            sim_grow(disk->known, &disk->known_cap, disk->known_count + 1, sizeof *disk->known);
        disk->known[disk->known_count++] = (struct known){.hash = hash};
        if (2 * disk->known_count >= disk->known_slot_count) {
            make_slots(disk);
        } else {
            disk->known_slots[slot_of(disk, hash)] = disk->known_count;
        }
    }
}

void known_begin(struct sim_disk *disk) {
    for (size_t i = 0; i < disk->known_count; i++) {
        disk->known[i].is_settled = false;
    }
}

/* The known names of a change: a rename may have two. */
static size_t names_of(const struct sim_disk *disk, const struct name_change *change,
                       struct known *out[2]) {
    size_t count = 0;
    for (size_t i = 0; i < (change->kind == NAME_RENAME ? 2 : 1); i++) {
        out[count] = known_find(disk, change->hashes[i]);
        count += out[count] != NULL;
    }
    return count;
}

bool known_sees(const struct sim_disk *disk, const struct name_change *change) {
    struct known *names[2];
    bool is_seen = false;
    for (size_t i = names_of(disk, change, names); i > 0; i--) {
        is_seen |= !names[i - 1]->is_settled;
    }
    return is_seen;
}

void known_settle(struct sim_disk *disk, const struct name_change *change) {
    struct known *names[2];
    const bool is_rename = change->kind == NAME_RENAME;
    for (size_t i = names_of(disk, change, names); i > 0; i--) {
        struct known *name = names[i - 1];
        if (!name->is_settled) {
            const bool is_old_name = is_rename && name->hash == change->hashes[0];
            name->is_settled = true;
            name->inode = is_old_name ? NO_INODE : change->inode;
        }
    }
}

static void mark(struct sim_disk *disk, int inode) {
    if (inode != NO_INODE) {
        inode_at(disk, inode)->matters = true;
    }
}

void known_end(struct sim_disk *disk) {
    for (size_t i = 0; i < disk->inode_count; i++) {
        disk->inodes[i].matters = false;
    }
    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct known *name = known_find(disk, disk->entries[i].hash);
        if (name != NULL && !name->is_settled) {
            mark(disk, disk->entries[i].durable);
        }
    }
    for (size_t i = 0; i < disk->known_count; i++) {
        if (disk->known[i].is_settled) {
            mark(disk, disk->known[i].inode);
        }
    }
}

static void guess(struct sim_disk *disk, uint64_t hash) {
    if (known_find(disk, hash) == NULL && !is_unseen(disk, hash)) {
        disk->unseen =
            sim_grow(disk->unseen, &disk->unseen_cap, disk->unseen_count + 1, sizeof *disk->unseen);
        disk->unseen[disk->unseen_count++] = hash;
    }
}

void known_guess(struct sim_disk *disk) {
    disk->unseen_count = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        guess(disk, disk->changes[i].hashes[0]);
        if (disk->changes[i].kind == NAME_RENAME) {
            guess(disk, disk->changes[i].hashes[1]);
        }
    }
    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct entry *entry = &disk->entries[i];
        if (entry->present != NO_INODE && inode_at(disk, entry->present)->change_count > 0) {
            guess(disk, entry->hash);
        }
    }
}

size_t sim_disk_surprises(const struct sim_disk *disk, uint64_t *names, size_t most) {
    size_t count = 0;
    for (size_t i = 0; i < disk->unseen_count && count < most; i++) {
        if (known_find(disk, disk->unseen[i]) != NULL) {
            names[count++] = disk->unseen[i];
        }
    }
    return count;
}

void sim_disk_know(struct sim_disk *disk, const uint64_t *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        know(disk, names[i]);
    }
}
