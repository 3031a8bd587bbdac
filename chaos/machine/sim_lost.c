/* sim_lost.c - what Linux does to dirty pages whose write-back failed: fsync reports it once, the
 * pages count as clean and stay readable, the next fsync succeeds, and a power cut brings the old
 * bytes back. https://lwn.net/Articles/752063/ (errors of fsync, ext4 and xfs).
 *
 * A lost page that is written again is whole on the platter after the next good sync; until then a
 * power cut always takes it back, which is one of the legal fates. Sizes are not lost. */
#include "chaos/machine/sim_disk_internal.h"

#include <string.h>

static bool is_lost(const struct inode *inode, size_t page) {
    bool is_it = false;
    for (size_t i = 0; i < inode->lost_count && !is_it; i++) {
        is_it = inode->lost[i].page == page;
    }
    return is_it;
}

static void lose_page(struct inode *inode, size_t page, const struct text *durable) {
    if (is_lost(inode, page)) {
        return; /* what is on the platter is older still */
    }
    inode->lost =
        sim_grow(inode->lost, &inode->lost_cap, inode->lost_count + 1, sizeof *inode->lost);
    struct lost_page *lost = &inode->lost[inode->lost_count++];
    *lost = (struct lost_page){.page = page};
    const size_t at = page * INODE_PAGE;
    if (at < durable->len) {
        const size_t there = durable->len - at;
        memcpy(lost->platter, durable->data + at, there < INODE_PAGE ? there : INODE_PAGE);
    }
}

void inode_lose(struct inode *inode) {
    struct text durable = text_limited(SIM_DISK_FILE_SIZE_MAX);
    inode_durable(inode, &durable);
    for (size_t i = 0; i < inode->change_count; i++) {
        const struct change *change = &inode->changes[i];
        for (size_t at = change->offset / INODE_PAGE * INODE_PAGE;
             !change->is_truncate && at < change->offset + change->n; at += INODE_PAGE) {
            lose_page(inode, at / INODE_PAGE, &durable);
        }
    }
    inode_forget(inode);
    inode_lost_cut(inode);
    text_release(&durable);
}

/* By one of the oldest n changes. */
static bool is_written(const struct inode *inode, size_t n, size_t page) {
    const size_t from = page * INODE_PAGE;
    bool is_it = false;
    for (size_t i = 0; i < n && !is_it; i++) {
        const struct change *change = &inode->changes[i];
        is_it = !change->is_truncate && change->offset < from + INODE_PAGE &&
                change->offset + change->n > from;
    }
    return is_it;
}

void inode_lost_rewrite(struct inode *inode, size_t n) {
    size_t left = 0;
    for (size_t i = 0; i < inode->lost_count; i++) {
        if (!is_written(inode, n, inode->lost[i].page)) {
            if (left < i) {
                inode->lost[left] = inode->lost[i];
            }
            left++;
        }
    }
    inode->lost_count = left;
}

void inode_lost_show(const struct inode *inode, struct inode *onto) {
    for (size_t i = 0; i < inode->lost_count; i++) {
        const size_t at = inode->lost[i].page * INODE_PAGE;
        if (at < onto->size) {
            const size_t there = onto->size - at;
            inode_put(onto, inode->lost[i].platter, there < INODE_PAGE ? there : INODE_PAGE, at);
        }
    }
}

void inode_lost_cut(struct inode *inode) {
    size_t left = 0;
    for (size_t i = 0; i < inode->lost_count; i++) {
        if (inode->lost[i].page * INODE_PAGE < inode->size) {
            if (left < i) {
                inode->lost[left] = inode->lost[i];
            }
            left++;
        }
    }
    inode->lost_count = left;
}
