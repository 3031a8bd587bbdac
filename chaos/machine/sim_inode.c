/* sim_inode.c - the bytes of a file, and how to take its un-synced changes back.
 *
 * The present bytes are kept whole; the durable ones are the present less the undo log, so that a
 * write costs its own bytes twice and a sync costs nothing. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>
#include <string.h>

void *sim_grow(void *array, size_t *cap, size_t need, size_t element_size) {
    if (need <= *cap) {
        return array;
    }
    size_t cap_new = *cap == 0 ? 16 : *cap;
    while (cap_new < need) {
        cap_new *= 2;
    }
    void *grown = realloc(array, cap_new * element_size);
    CHECK(grown != NULL);
    *cap = cap_new;
    return grown;
}

int inode_create(struct sim_disk *disk) {
    size_t i = 0;
    while (i < disk->inode_count && disk->inodes[i].refs > 0) {
        i++;
    }
    if (i == disk->inode_count) {
        disk->inodes = sim_grow(disk->inodes, &disk->inode_cap, i + 1, sizeof *disk->inodes);
        disk->inodes[i] = (struct inode){0};
        disk->inode_count++;
    }
    disk->inodes[i].lock_handle = NO_HANDLE;
    return (int)i;
}

void inode_ref(struct sim_disk *disk, int inode) {
    if (inode != NO_INODE) {
        disk->inodes[inode].refs++;
    }
}

void inode_unref(struct sim_disk *disk, int number) {
    if (number == NO_INODE) {
        return;
    }
    struct inode *inode = &disk->inodes[number];
    CHECK(inode->refs > 0);
    if (--inode->refs == 0) {
        inode->size = 0;
        inode->lost_count = 0;
        inode_forget(inode);
    }
}

void inode_touch(struct inode *inode, size_t from, size_t to) {
    const size_t end = (to + INODE_PAGE - 1) / INODE_PAGE;
    if (end > inode->page_count) {
        inode->page_hash =
            sim_grow(inode->page_hash, &inode->page_cap, end, sizeof *inode->page_hash);
        memset(inode->page_hash + inode->page_count, 0,
               (end - inode->page_count) * sizeof *inode->page_hash);
        inode->page_count = end;
    }
    for (size_t i = from / INODE_PAGE; i < end; i++) {
        inode->page_hash[i] = 0;
    }
}

void inode_set_size(struct inode *inode, size_t size) {
    if (size > inode->size) {
        inode->bytes = sim_grow(inode->bytes, &inode->cap, size, 1);
        memset(inode->bytes + inode->size, 0, size - inode->size);
        inode_touch(inode, inode->size, size);
    } else if (size < inode->size) {
        inode_touch(inode, size, inode->size);
    }
    inode->size = size;
    inode_lost_cut(inode);
}

/* True if the bytes are there already: to write them again would change nothing, and in a copy of this
 * process (scenarios/exhaust.c) cost a page each. */
static bool has_bytes(const struct inode *inode, const void *bytes, size_t n, size_t offset) {
    return offset + n <= inode->size && memcmp(inode->bytes + offset, bytes, n) == 0;
}

void inode_put(struct inode *inode, const void *bytes, size_t n, size_t offset) {
    if (n == 0 || has_bytes(inode, bytes, n, offset)) {
        return;
    }
    if (offset > inode->size) {
        inode_set_size(inode, offset);
    }
    inode->bytes = sim_grow(inode->bytes, &inode->cap, offset + n, 1);
    memcpy(inode->bytes + offset, bytes, n);
    inode_touch(inode, offset, offset + n);
    if (offset + n > inode->size) {
        inode->size = offset + n;
    }
}

/* Logs a change whose old bytes are [from, from + n). */
static void log_change(struct inode *inode, struct change change, size_t from, size_t n) {
    inode->changes = sim_grow(inode->changes, &inode->change_cap, inode->change_count + 1,
                              sizeof *inode->changes);
    inode->undo = sim_grow(inode->undo, &inode->undo_cap, inode->undo_len + n, 1);
    change.old_size = inode->size;
    change.undo_at = inode->undo_len;
    change.undo_n = n;
    if (n > 0) {
        memcpy(inode->undo + inode->undo_len, inode->bytes + from, n);
    }
    inode->undo_len += n;
    inode->changes[inode->change_count++] = change;
}

/* The kernel does not keep changes back for ever. */
static void keep_small(struct inode *inode) {
    if (inode->change_count >= SIM_DISK_PENDING_MAX || inode->undo_len >= SIM_DISK_UNDO_MAX) {
        inode_write_back(inode, inode->change_count);
    }
}

void inode_write(struct inode *inode, const void *bytes, size_t n, size_t offset, struct utc at) {
    keep_small(inode);
    size_t overwritten = offset < inode->size ? inode->size - offset : 0;
    if (overwritten > n) {
        overwritten = n;
    }
    if (n > 0 && has_bytes(inode, bytes, n, offset)) {
        overwritten = 0; /* nothing to undo */
    }
    log_change(inode, (struct change){.offset = offset, .n = n, .at = at}, offset, overwritten);
    inode_put(inode, bytes, n, offset);
}

void inode_truncate(struct inode *inode, size_t size, struct utc at) {
    keep_small(inode);
    const size_t cut = size < inode->size ? inode->size - size : 0;
    log_change(inode, (struct change){.is_truncate = true, .offset = size, .at = at}, size, cut);
    inode_set_size(inode, size);
}

void inode_forget(struct inode *inode) {
    inode->change_count = 0;
    inode->undo_len = 0;
}

void inode_write_back(struct inode *inode, size_t n) {
    const size_t left = inode->change_count - n;
    inode_lost_rewrite(inode, n);
    if (left == 0) {
        inode_forget(inode);
        return;
    }
    const size_t undone = inode->changes[n].undo_at; /* bytes that no undo needs any more */
    memmove(inode->changes, inode->changes + n, left * sizeof inode->changes[0]);
    if (inode->undo_len > undone) { /* a file that only grew has nothing to undo, and no buffer */
        memmove(inode->undo, inode->undo + undone, inode->undo_len - undone);
    }
    for (size_t i = 0; i < left; i++) {
        inode->changes[i].undo_at -= undone;
    }
    inode->change_count = left;
    inode->undo_len -= undone;
}

void inode_sync(struct inode *inode) {
    MUTATE(machine_sync_is_nothing, return);
    inode_write_back(inode, inode->change_count);
}

void inode_undo(struct inode *inode, const struct change *change) {
    if (change->undo_n > 0) { /* never beyond cap: the bytes were there */
        memcpy(inode->bytes + change->offset, inode->undo + change->undo_at, change->undo_n);
    } else if (!change->is_truncate && change->offset + change->n <= change->old_size) {
        inode->size = change->old_size;
        return; /* it wrote what was there */
    }
    const bool is_below = change->offset < change->old_size;
    const size_t beyond = is_below ? change->old_size : change->offset;
    inode_touch(inode, is_below ? change->offset : change->old_size,
                change->is_truncate ? beyond : change->offset + change->n);
    inode->size = change->old_size;
}

void inode_durable(const struct inode *inode, struct text *out) {
    struct inode copy = {.undo = inode->undo, .size = inode->size};
    copy.bytes = sim_grow(NULL, &copy.cap, inode->cap + 1, 1);
    if (inode->size > 0) {
        memcpy(copy.bytes, inode->bytes, inode->size);
    }
    for (size_t i = inode->change_count; i > 0; i--) {
        inode_undo(&copy, &inode->changes[i - 1]);
    }
    inode_lost_show(inode, &copy);
    text_clear(out);
    text_add_bytes(out, copy.bytes, copy.size);
    free(copy.bytes);
    free(copy.page_hash);
}
