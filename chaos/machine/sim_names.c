/* sim_names.c - what names mean, now and after a power cut. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"

#include <string.h>

bool name_is_valid(const char *name) {
    const size_t n = strlen(name);
    const char *slash = strchr(name, '/');
    return n > 0 && n < DISK_NAME_MAX && name[0] != '/' && name[n - 1] != '/' &&
           strstr(name, "..") == NULL && (slash == NULL || strchr(slash + 1, '/') == NULL);
}

bool folder_exists(const struct sim_disk *disk, const char *folder) {
    bool is_there = folder[0] == '\0';
    for (size_t i = 0; i < disk->folder_count && !is_there; i++) {
        is_there = strcmp(disk->folders[i], folder) == 0;
    }
    return is_there;
}

static size_t folder_length(const char *name) {
    const char *slash = strchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name);
}

static void folder_of(const char *name, char out[static DISK_NAME_MAX]) {
    const size_t n = folder_length(name);
    memcpy(out, name, n);
    out[n] = '\0';
}

bool folder_of_exists(const struct sim_disk *disk, const char *name) {
    char folder[DISK_NAME_MAX];
    folder_of(name, folder);
    return folder_exists(disk, folder);
}

void folder_add(struct sim_disk *disk, const char *folder) {
    if (!folder_exists(disk, folder)) {
        CHECK(disk->folder_count < FOLDERS_MAX);
        (void)strcpy(disk->folders[disk->folder_count++], folder);
    }
}

size_t entry_lower_bound(const struct sim_disk *disk, const char *name) {
    size_t low = 0;
    size_t high = disk->entry_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(disk->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct entry *entry_find(const struct sim_disk *disk, const char *name) {
    const size_t i = entry_lower_bound(disk, name);
    const bool is_it = i < disk->entry_count && strcmp(disk->entries[i].name, name) == 0;
    return is_it ? &disk->entries[i] : NULL;
}

int name_present(const struct sim_disk *disk, const char *name) {
    const struct entry *entry = entry_find(disk, name);
    return entry == NULL ? NO_INODE : entry->present;
}

static struct entry *entry_make(struct sim_disk *disk, const char *name) {
    const size_t i = entry_lower_bound(disk, name);
    if (i < disk->entry_count && strcmp(disk->entries[i].name, name) == 0) {
        return &disk->entries[i];
    }
    disk->entries =
        sim_grow(disk->entries, &disk->entry_cap, disk->entry_count + 1, sizeof *disk->entries);
    memmove(&disk->entries[i + 1], &disk->entries[i],
            (disk->entry_count - i) * sizeof *disk->entries);
    disk->entry_count++;
    disk->entries[i] =
        (struct entry){.present = NO_INODE, .durable = NO_INODE, .hash = name_hash(name)};
    (void)strcpy(disk->entries[i].name, name);
    return &disk->entries[i];
}

static void entry_drop_if_empty(struct sim_disk *disk, struct entry *entry) {
    if (entry->present == NO_INODE && entry->durable == NO_INODE) {
        const size_t i = (size_t)(entry - disk->entries);
        disk->entry_count--;
        memmove(entry, entry + 1, (disk->entry_count - i) * sizeof *entry);
    }
}

/* No meaning of a name that has none changes nothing, and makes no entry. */
static void set_meaning(struct sim_disk *disk, const char *name, int inode, bool is_durable) {
    struct entry *entry = inode == NO_INODE ? entry_find(disk, name) : entry_make(disk, name);
    if (entry == NULL) {
        return;
    }
    int *meaning = is_durable ? &entry->durable : &entry->present;
    inode_ref(disk, inode);
    inode_unref(disk, *meaning);
    *meaning = inode;
    entry_drop_if_empty(disk, entry);
}

void name_set_present(struct sim_disk *disk, const char *name, int inode) {
    set_meaning(disk, name, inode, false);
}

void name_set_durable(struct sim_disk *disk, const char *name, int inode) {
    set_meaning(disk, name, inode, true);
}

static void log_change(struct sim_disk *disk, enum name_change_kind kind, const char *name,
                       const char *to, int inode) {
    if (disk->change_count >= SIM_DISK_PENDING_MAX) {
        names_commit(disk, disk->change_count);
    }
    disk->changes =
        sim_grow(disk->changes, &disk->change_cap, disk->change_count + 1, sizeof *disk->changes);
    struct name_change *change = &disk->changes[disk->change_count++];
    change->kind = kind;
    change->inode = inode;
    change->at = age_of_change(disk);
    change->hashes[0] = name_hash(name);
    change->hashes[1] = name_hash(to);
    (void)strcpy(change->name, name);
    (void)strcpy(change->to, to);
    inode_ref(disk, inode);
}

void names_link(struct sim_disk *disk, const char *name, int inode) {
    log_change(disk, NAME_LINK, name, "", inode);
    name_set_present(disk, name, inode);
}

void names_unlink(struct sim_disk *disk, const char *name) {
    log_change(disk, NAME_UNLINK, name, "", NO_INODE);
    name_set_present(disk, name, NO_INODE);
}

void names_rename(struct sim_disk *disk, const char *from, const char *to) {
    const int inode = name_present(disk, from);
    log_change(disk, NAME_RENAME, from, to, inode);
    name_set_present(disk, to, inode);
    name_set_present(disk, from, NO_INODE);
}

void names_apply(struct sim_disk *disk, const struct name_change *change) {
    switch (change->kind) {
    case NAME_LINK:
        name_set_durable(disk, change->name, change->inode);
        break;
    case NAME_UNLINK:
        name_set_durable(disk, change->name, NO_INODE);
        break;
    case NAME_RENAME:
        name_set_durable(disk, change->to, change->inode);
        name_set_durable(disk, change->name, NO_INODE);
        break;
    }
}

static bool is_of_folder(const struct name_change *change, const char *folder) {
    char in[DISK_NAME_MAX];
    folder_of(change->kind == NAME_RENAME ? change->to : change->name, in);
    return strcmp(in, folder) == 0;
}

/* Makes the first n changes durable that are of the folder (NULL: any), keeping the rest in order.
 */
static void commit(struct sim_disk *disk, size_t n, const char *folder) {
    size_t left = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        struct name_change *change = &disk->changes[i];
        if (i < n && (folder == NULL || is_of_folder(change, folder))) {
            names_apply(disk, change);
            inode_unref(disk, change->inode);
        } else {
            if (left < i) {
                disk->changes[left] = *change;
            }
            left++;
        }
    }
    disk->change_count = left;
}

void names_commit(struct sim_disk *disk, size_t n) {
    commit(disk, n, NULL);
}

/* Ordered disks have one log for all folders: what is older goes first. */
void names_commit_folder(struct sim_disk *disk, const char *folder) {
    if (disk->rules.names_any) {
        commit(disk, disk->change_count, folder);
    } else {
        commit(disk, disk->change_count, NULL);
    }
}

void names_hold_folder(struct sim_disk *disk, const char *folder) {
    for (size_t i = 0; i < disk->change_count; i++) {
        if (is_of_folder(&disk->changes[i], folder)) {
            disk->changes[i].at = UTC_NEVER;
        }
    }
}

void names_commit_inode(struct sim_disk *disk, int inode) {
    size_t n = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        if (disk->changes[i].inode == inode) {
            n = i + 1;
        }
    }
    if (n > 0) {
        commit(disk, n, NULL);
    }
}

void names_forget(struct sim_disk *disk) {
    for (size_t i = 0; i < disk->change_count; i++) {
        inode_unref(disk, disk->changes[i].inode);
    }
    disk->change_count = 0;
    for (size_t i = disk->entry_count; i > 0; i--) { /* from behind: an empty entry goes away */
        struct entry *entry = &disk->entries[i - 1];
        inode_ref(disk, entry->durable);
        inode_unref(disk, entry->present);
        entry->present = entry->durable;
        entry_drop_if_empty(disk, entry);
    }
}
