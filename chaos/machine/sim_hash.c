/* sim_hash.c - one number for all that a power cut could ever tell apart.
 *
 * The present bytes and the log of un-synced changes say what is durable and what pends. Bytes are
 * hashed by page and remembered, so that a call costs what changed since the last one. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"

#include <string.h>

static uint64_t page_hash(struct inode *inode, size_t page) {
    uint64_t *known = &inode->page_hash[page];
    if (*known == 0) {
        const size_t at = page * INODE_PAGE;
        const size_t there = inode->size - at;
        *known = hash64(inode->bytes + at, there < INODE_PAGE ? there : INODE_PAGE, page) | 1;
    }
    return *known;
}

static uint64_t mix_change(uint64_t hash, const struct change *change) {
    hash = random_mix(hash, change->is_truncate);
    hash = random_mix(hash, change->offset);
    hash = random_mix(hash, change->n);
    hash = random_mix(hash, change->undo_n);
    return random_mix(hash, change->old_size);
}

static uint64_t inode_hash(struct inode *inode) {
    uint64_t hash = random_mix(inode->size, inode->change_count);
    const size_t pages = (inode->size + INODE_PAGE - 1) / INODE_PAGE;
    CHECK(pages <= inode->page_count);
    for (size_t i = 0; i < pages; i++) {
        hash = random_mix(hash, page_hash(inode, i));
    }
    for (size_t i = 0; i < inode->change_count; i++) {
        hash = mix_change(hash, &inode->changes[i]);
    }
    if (inode->undo_len > 0) {
        hash = hash64(inode->undo, inode->undo_len, hash);
    }
    for (size_t i = 0; i < inode->lost_count; i++) {
        hash = random_mix(hash, inode->lost[i].page);
        hash = hash64(inode->lost[i].platter, INODE_PAGE, hash);
    }
    return hash;
}

/* An inode is numbered by its first appearance, and its bytes are hashed there: two names of one
 * file are not two files of equal bytes. */
static uint64_t mix_inode(struct sim_disk *disk, uint64_t hash, int number, unsigned *marks) {
    if (number == NO_INODE) {
        return random_mix(hash, 0);
    }
    struct inode *inode = inode_at(disk, number);
    if (inode->mark == 0) {
        inode->mark = ++*marks;
        hash = random_mix(hash, inode_hash(inode));
    }
    return random_mix(hash, inode->mark);
}

static uint64_t mix_text(uint64_t hash, const char *text) {
    return hash64(text, strlen(text) + 1, hash);
}

uint64_t sim_disk_hash(struct sim_disk *disk) {
    uint64_t hash = disk->folder_count;
    unsigned marks = 0;
    age(disk);
    for (size_t i = 0; i < disk->inode_count; i++) {
        disk->inodes[i].mark = 0;
    }
    for (size_t i = 0; i < disk->folder_count; i++) {
        hash = mix_text(hash, disk->folders[i]);
    }
    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct entry *entry = &disk->entries[i];
        hash = mix_text(hash, entry->name);
        hash = mix_inode(disk, hash, entry->present, &marks);
        hash = mix_inode(disk, hash, entry->durable, &marks);
    }
    for (size_t i = 0; i < disk->change_count; i++) {
        const struct name_change *change = &disk->changes[i];
        hash = random_mix(hash, (uint64_t)change->kind);
        hash = mix_text(mix_text(hash, change->name), change->to);
        hash = mix_inode(disk, hash, change->inode, &marks);
    }
    return hash;
}

uint64_t sim_disk_hash_known(struct sim_disk *disk) {
    uint64_t hash = 0;
    unsigned marks = 0;
    for (size_t i = 0; i < disk->inode_count; i++) {
        disk->inodes[i].mark = 0;
    }
    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct entry *entry = &disk->entries[i];
        if (known_find(disk, entry->hash) != NULL) {
            hash = random_mix(hash, entry->hash);
            hash = mix_inode(disk, hash, entry->durable, &marks);
        }
    }
    return hash;
}
