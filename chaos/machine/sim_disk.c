/* sim_disk.c - the disk seam over inodes and names; see sim_disk.h. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>
#include <string.h>

static struct port *self(struct disk *seam) {
    return (struct port *)seam;
}

/* Time passes before the act: what the stage does meanwhile may take the handle away. */
static void charge(struct sim_disk *disk, int64_t low_us, int64_t high_us) {
    if (disk->clock != NULL) {
        const int64_t ns = random_between(&disk->costs, low_us * 1000, high_us * 1000);
        virtual_clock_advance(disk->clock, (struct span){ns});
        age(disk);
    }
}

static void charge_op(struct sim_disk *disk) {
    charge(disk, 5, 40);
}

static void charge_sync(struct sim_disk *disk) {
    charge(disk, 500, 5000);
}

/* --- handles: a number is an index and a generation, so that a stale one is seen --- */

static struct handle *handle_of(struct sim_disk *disk, struct disk_file file) {
    struct handle *handle = &disk->handles[(unsigned)file.handle % SIM_DISK_HANDLES_MAX];
    const bool is_it = file.handle >= 0 && handle->is_open &&
                       handle->generation == file.handle / SIM_DISK_HANDLES_MAX;
    return is_it ? handle : NULL;
}

static struct handle *handle_find(const struct port *port, struct disk_file file) {
    struct handle *handle = handle_of(port->disk, file);
    return handle != NULL && handle->port == port->number ? handle : NULL;
}

static struct handle *handle_take(struct port *port, const char *name, int inode,
                                  struct disk_file *out) {
    struct sim_disk *disk = port->disk;
    for (int i = 0; i < SIM_DISK_HANDLES_MAX; i++) {
        struct handle *handle = &disk->handles[i];
        if (!handle->is_open) {
            const int generation = (handle->generation + 1) & 0x3fffff;
            *handle = (struct handle){.inode = inode,
                                      .port = port->number,
                                      .generation = generation,
                                      .is_open = true,
                                      .name = name_hash(name)};
            inode_ref(disk, inode);
            out->handle = generation * SIM_DISK_HANDLES_MAX + i;
            return handle;
        }
    }
    return NULL;
}

void handle_release(struct sim_disk *disk, struct handle *handle) {
    if (handle->is_open) {
        if (handle->is_lock) {
            inode_at(disk, handle->inode)->lock_handle = NO_HANDLE;
        }
        handle->is_open = false;
        inode_unref(disk, handle->inode);
    }
}

static enum err_code bad_handle(struct err *err) {
    return err_set(err, ERR_IO, "disk: file is not open");
}

static enum err_code missing(const char *name, struct err *err) {
    return err_set(err, ERR_NOT_FOUND, "disk: no '%s'", name);
}

static enum err_code not_found(struct sim_disk *disk, const char *name, struct err *err) {
    know(disk, name_hash(name));
    return missing(name, err);
}

static enum err_code exists(struct sim_disk *disk, const char *name, struct err *err) {
    know(disk, name_hash(name));
    return err_set(err, ERR_EXISTS, "disk: '%s' is already there", name);
}

static enum err_code check_name(const struct sim_disk *disk, const char *name, struct err *err) {
    if (!name_is_valid(name)) {
        return err_set(err, ERR_IO, "disk: bad name '%s'", name);
    }
    return folder_of_exists(disk, name) ? ERR_OK : missing(name, err);
}

/* --- the seam --- */

/* The inode of a name, made if wanted and missing. */
static enum err_code resolve(struct sim_disk *disk, const char *name, unsigned flags, int *out,
                             struct err *err) {
    const enum err_code code = check_name(disk, name, err);
    if (code != ERR_OK) {
        return code;
    }
    int inode = name_present(disk, name);
    const bool creates = (flags & DISK_CREATE) != 0;
    if (inode != NO_INODE && creates && (flags & DISK_EXCLUSIVE) != 0) {
        return exists(disk, name, err);
    }
    if (inode == NO_INODE && !creates) {
        return not_found(disk, name, err);
    }
    if (inode == NO_INODE) {
        if (disk->entry_count >= SIM_DISK_FILES_MAX) {
            return err_set(err, ERR_NO_SPACE, "disk: too many files");
        }
        inode = inode_create(disk);
        names_link(disk, name, inode);
    }
    *out = inode;
    return ERR_OK;
}

static enum err_code sim_open(struct disk *seam, const char *name, unsigned flags,
                              struct disk_file *out, struct err *err) {
    struct port *port = self(seam);
    charge_op(port->disk);
    int inode = NO_INODE;
    const enum err_code code = resolve(port->disk, name, flags, &inode, err);
    if (code != ERR_OK) {
        return code;
    }
    struct handle *handle = handle_take(port, name, inode, out);
    if (handle == NULL) {
        return err_set(err, ERR_IO, "disk: too many open files");
    }
    handle->can_write = (flags & DISK_WRITE) != 0;
    handle->appends = (flags & DISK_APPEND) != 0;
    return ERR_OK;
}

static void sim_close(struct disk *seam, struct disk_file file) {
    struct port *port = self(seam);
    struct handle *handle = handle_find(port, file);
    if (handle != NULL) {
        handle_release(port->disk, handle);
    }
}

static enum err_code sim_size(struct disk *seam, struct disk_file file, uint64_t *out,
                              struct err *err) {
    struct port *port = self(seam);
    const struct handle *handle = handle_find(port, file);
    if (handle == NULL) {
        return bad_handle(err);
    }
    *out = inode_at(port->disk, handle->inode)->size;
    return ERR_OK;
}

static enum err_code sim_read_at(struct disk *seam, struct disk_file file, void *bytes, size_t n,
                                 uint64_t offset, size_t *got, struct err *err) {
    struct port *port = self(seam);
    charge_op(port->disk);
    struct handle *handle = handle_find(port, file);
    if (handle == NULL) {
        return bad_handle(err);
    }
    const struct inode *inode = inode_at(port->disk, handle->inode);
    if (!handle->has_read) {
        handle->has_read = true;
        know(port->disk, handle->name);
    }
    const size_t there = offset < inode->size ? inode->size - (size_t)offset : 0;
    const size_t take = there < n ? there : n;
    if (take > 0) {
        memcpy(bytes, inode->bytes + offset, take);
    }
    *got = take;
    return ERR_OK;
}

/* The inode behind a handle that may write up to `end`. */
static enum err_code writable(struct port *port, struct disk_file file, uint64_t end,
                              struct inode **out, struct err *err) {
    charge_op(port->disk);
    const struct handle *handle = handle_find(port, file);
    if (handle == NULL || !handle->can_write) {
        return bad_handle(err);
    }
    if (end > SIM_DISK_FILE_SIZE_MAX) {
        return err_set(err, ERR_NO_SPACE, "disk: file too large");
    }
    *out = inode_at(port->disk, handle->inode);
    return ERR_OK;
}

static enum err_code sim_write_at(struct disk *seam, struct disk_file file, const void *bytes,
                                  size_t n, uint64_t offset, struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    struct inode *inode = NULL;
    const struct handle *handle = handle_find(self(seam), file);
    if (handle != NULL && handle->appends) {
        offset = inode_at(disk, handle->inode)->size;
    }
    const uint64_t end = offset > SIM_DISK_FILE_SIZE_MAX ? offset : offset + n;
    const enum err_code code = writable(self(seam), file, end, &inode, err);
    if (code == ERR_OK && n > 0) {
        inode_write(inode, bytes, n, (size_t)offset, age_of_change(disk));
    }
    return code;
}

static enum err_code sim_truncate(struct disk *seam, struct disk_file file, uint64_t size,
                                  struct err *err) {
    struct inode *inode = NULL;
    const enum err_code code = writable(self(seam), file, size, &inode, err);
    if (code == ERR_OK && size != inode->size) {
        inode_truncate(inode, (size_t)size, age_of_change(self(seam)->disk));
    }
    return code;
}

static enum err_code sim_sync(struct disk *seam, struct disk_file file, struct err *err) {
    struct port *port = self(seam);
    charge_sync(port->disk);
    const struct handle *handle = handle_find(port, file);
    if (handle == NULL) {
        return bad_handle(err);
    }
    inode_sync(inode_at(port->disk, handle->inode));
    if (port->disk->rules.sync_names_file) {
        names_commit_inode(port->disk, handle->inode);
    }
    age_again(port->disk);
    return ERR_OK;
}

/* Two good names, and the inode of the first. */
static enum err_code resolve_pair(struct sim_disk *disk, const char *from, const char *to, int *out,
                                  struct err *err) {
    charge_op(disk);
    enum err_code code = check_name(disk, from, err);
    code = code == ERR_OK ? check_name(disk, to, err) : code;
    return code == ERR_OK ? resolve(disk, from, DISK_READ, out, err) : code;
}

static enum err_code sim_rename(struct disk *seam, const char *from, const char *to,
                                struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    int inode = NO_INODE;
    const enum err_code code = resolve_pair(disk, from, to, &inode, err);
    if (code != ERR_OK) {
        return code;
    }
    if (inode != name_present(disk, to)) { /* two names of one file: POSIX does nothing */
        names_rename(disk, from, to);
    }
    return ERR_OK;
}

static enum err_code sim_remove(struct disk *seam, const char *name, struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    charge_op(disk);
    const enum err_code code = check_name(disk, name, err);
    if (code != ERR_OK) {
        return code;
    }
    if (name_present(disk, name) == NO_INODE) {
        return not_found(disk, name, err);
    }
    names_unlink(disk, name);
    return ERR_OK;
}

static enum err_code sim_link(struct disk *seam, const char *from, const char *to,
                              struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    int inode = NO_INODE;
    const enum err_code code = resolve_pair(disk, from, to, &inode, err);
    if (code != ERR_OK) {
        return code;
    }
    if (name_present(disk, to) != NO_INODE) {
        return exists(disk, to, err);
    }
    names_link(disk, to, inode);
    return ERR_OK;
}

static enum err_code sim_sync_dir(struct disk *seam, const char *folder, struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    charge_sync(disk);
    if (!folder_exists(disk, folder)) {
        return missing(folder, err);
    }
    names_commit_folder(disk, folder);
    age_again(disk);
    return ERR_OK;
}

static enum err_code sim_make_dir(struct disk *seam, const char *folder, struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    charge_op(disk);
    if (!name_is_valid(folder) || strchr(folder, '/') != NULL) {
        return err_set(err, ERR_IO, "disk: bad name '%s'", folder);
    }
    if (disk->folder_count == FOLDERS_MAX && !folder_exists(disk, folder)) {
        return err_set(err, ERR_NO_SPACE, "disk: too many folders");
    }
    folder_add(disk, folder);
    return ERR_OK;
}

/* Goes on behind the last name each time, because the visitor may change the disk. */
static enum err_code sim_list(struct disk *seam, const char *folder, disk_visit *visit,
                              void *context, struct err *err) {
    struct sim_disk *disk = self(seam)->disk;
    charge_op(disk);
    if (!folder_exists(disk, folder)) {
        return missing(folder, err);
    }
    char last[DISK_NAME_MAX + 1] = "";
    const size_t skip = folder[0] == '\0' ? 0 : strlen(folder) + 1;
    if (skip > 0) {
        memcpy(last, folder, skip - 1);
        last[skip - 1] = '/';
    }
    for (size_t i = entry_lower_bound(disk, last); i < disk->entry_count;
         i = entry_lower_bound(disk, last)) {
        const struct entry entry = disk->entries[i];
        if (strncmp(entry.name, last, skip) != 0) {
            break;
        }
        if (entry.present != NO_INODE && strchr(entry.name + skip, '/') == NULL) {
            visit(context, entry.name + skip);
        }
        const size_t n = strlen(entry.name); /* the next possible name: this one and a byte 1 */
        memcpy(last, entry.name, n);
        memcpy(last + n, "\x01", 2);
    }
    return ERR_OK;
}

static enum err_code sim_lock(struct disk *seam, const char *name, struct disk_file *out,
                              struct err *err) {
    struct port *port = self(seam);
    charge_op(port->disk);
    int number = NO_INODE;
    const enum err_code code = resolve(port->disk, name, DISK_WRITE | DISK_CREATE, &number, err);
    if (code != ERR_OK) {
        return code;
    }
    struct inode *inode = inode_at(port->disk, number);
    MUTATE(machine_locks_never_refuse, inode->lock_handle = NO_HANDLE);
    if (inode->lock_handle != NO_HANDLE) {
        return err_set(err, ERR_LOCKED, "disk: '%s' is locked", name);
    }
    struct handle *handle = handle_take(port, name, number, out);
    if (handle == NULL) {
        return err_set(err, ERR_IO, "disk: too many open files");
    }
    handle->can_write = true;
    handle->is_lock = true;
    inode->lock_handle = out->handle;
    return ERR_OK;
}

static const struct disk_ops sim_disk_ops = {.open = sim_open,
                                             .close = sim_close,
                                             .size = sim_size,
                                             .read_at = sim_read_at,
                                             .write_at = sim_write_at,
                                             .truncate = sim_truncate,
                                             .sync = sim_sync,
                                             .rename = sim_rename,
                                             .remove = sim_remove,
                                             .link = sim_link,
                                             .sync_dir = sim_sync_dir,
                                             .make_dir = sim_make_dir,
                                             .list = sim_list,
                                             .lock = sim_lock};

/* --- life --- */

struct disk_rules disk_rules_of(enum disk_profile profile) {
    switch (profile) {
    case DISK_PROFILE_STRICT:
        return (struct disk_rules){.bytes_any = true, .names_any = true, .has_zeros = true};
    case DISK_PROFILE_ORDERED:
        return (struct disk_rules){.sync_names_file = true, .has_zeros = true};
    case DISK_PROFILE_KIND:
        break;
    }
    return (struct disk_rules){.keeps_all = true, .sync_names_file = true};
}

struct sim_disk *sim_disk_create(uint64_t seed, struct disk_rules rules,
                                 struct virtual_clock *clock) {
    struct sim_disk *disk = calloc(1, sizeof *disk);
    CHECK(disk != NULL);
    disk->rules = rules;
    disk->clock = clock;
    disk->costs = random_stream(seed, "disk.cost", 0, 0, 0);
    disk->oldest = UTC_NEVER;
    for (unsigned i = 0; i < SIM_DISK_PORTS_MAX; i++) {
        disk->ports[i] = (struct port){.seam = {&sim_disk_ops}, .disk = disk, .number = i};
    }
    return disk;
}

void sim_disk_destroy(struct sim_disk *disk) {
    if (disk == NULL) {
        return;
    }
    for (size_t i = 0; i < disk->inode_count; i++) {
        free(disk->inodes[i].bytes);
        free(disk->inodes[i].changes);
        free(disk->inodes[i].undo);
        free(disk->inodes[i].page_hash);
        free(disk->inodes[i].lost);
    }
    free(disk->inodes);
    free(disk->entries);
    free(disk->changes);
    free(disk->known);
    free(disk->known_slots);
    free(disk->unseen);
    free(disk);
}

static void *copy_array(const void *array, size_t count, size_t element_size) {
    if (count == 0) {
        return NULL;
    }
    void *copy = malloc(count * element_size);
    CHECK(copy != NULL);
    memcpy(copy, array, count * element_size);
    return copy;
}

static void clone_inode(struct inode *inode) {
    inode->bytes = copy_array(inode->bytes, inode->cap, 1); /* an undo may need what was cut off */
    inode->changes = copy_array(inode->changes, inode->change_count, sizeof *inode->changes);
    inode->change_cap = inode->change_count;
    inode->undo = copy_array(inode->undo, inode->undo_len, 1);
    inode->undo_cap = inode->undo_len;
    inode->page_hash = copy_array(inode->page_hash, inode->page_count, sizeof *inode->page_hash);
    inode->page_cap = inode->page_count;
    inode->lost = copy_array(inode->lost, inode->lost_count, sizeof *inode->lost);
    inode->lost_cap = inode->lost_count;
}

/* All but the bytes of files. */
static void clone_frame(const struct sim_disk *disk, struct sim_disk *clone) {
    *clone = *disk;
    clone->clock = NULL;
    for (unsigned i = 0; i < SIM_DISK_PORTS_MAX; i++) {
        clone->ports[i].disk = clone;
    }
    clone->inodes = copy_array(disk->inodes, disk->inode_count, sizeof *disk->inodes);
    clone->inode_cap = disk->inode_count;
    clone->entries = copy_array(disk->entries, disk->entry_count, sizeof *disk->entries);
    clone->entry_cap = disk->entry_count;
    clone->changes = copy_array(disk->changes, disk->change_count, sizeof *disk->changes);
    clone->change_cap = disk->change_count;
    clone->known = copy_array(disk->known, disk->known_count, sizeof *disk->known);
    clone->known_cap = disk->known_count;
    clone->known_slots =
        copy_array(disk->known_slots, disk->known_slot_count, sizeof *disk->known_slots);
    clone->unseen = copy_array(disk->unseen, disk->unseen_count, sizeof *disk->unseen);
    clone->unseen_cap = disk->unseen_count;
}

struct sim_disk *sim_disk_clone(const struct sim_disk *disk) {
    struct sim_disk *clone = malloc(sizeof *clone);
    CHECK(clone != NULL);
    clone_frame(disk, clone);
    for (size_t i = 0; i < disk->inode_count; i++) {
        clone_inode(&clone->inodes[i]);
    }
    for (size_t i = 0; i < SIM_DISK_HANDLES_MAX; i++) {
        handle_release(clone, &clone->handles[i]);
    }
    return clone;
}

static bool is_changed_by_crash(const struct inode *inode) {
    return inode->change_count > 0 || inode->lost_count > 0;
}

/* A crash of a clone that has the bytes of its own only where the crash may change them. */
struct disk_hashes sim_disk_hashes_after(struct sim_disk *disk, struct crash_source *source) {
    static const struct inode nothing;
    struct sim_disk *clone = malloc(sizeof *clone);
    CHECK(clone != NULL);
    age(disk);
    clone_frame(disk, clone);
    for (size_t i = 0; i < disk->inode_count; i++) {
        if (is_changed_by_crash(&disk->inodes[i])) {
            clone_inode(&clone->inodes[i]);
        }
    }
    sim_disk_crash(clone, source);
    const struct disk_hashes hashes = {sim_disk_hash(clone), sim_disk_hash_known(clone)};
    for (size_t i = 0; i < disk->inode_count; i++) {
        if (!is_changed_by_crash(&disk->inodes[i])) {
            clone->inodes[i] = nothing; /* the other's */
        }
    }
    sim_disk_destroy(clone);
    return hashes;
}

struct disk *sim_disk_port(struct sim_disk *disk, unsigned port) {
    CHECK(port < SIM_DISK_PORTS_MAX);
    return &disk->ports[port].seam;
}

/* --- damage --- */

void sim_disk_stall(struct sim_disk *disk, struct span span) {
    if (disk->clock != NULL) {
        virtual_clock_advance(disk->clock, span);
    }
}

void sim_disk_lose(struct sim_disk *disk, struct disk_file file) {
    const struct handle *handle = handle_of(disk, file);
    age(disk);
    if (handle != NULL) {
        inode_lose(inode_at(disk, handle->inode));
    }
}

void sim_disk_lie(struct sim_disk *disk, struct disk_file file) {
    const struct handle *handle = handle_of(disk, file);
    age(disk);
    if (handle != NULL) {
        struct inode *inode = inode_at(disk, handle->inode);
        for (size_t i = 0; i < inode->change_count; i++) {
            inode->changes[i].at = UTC_NEVER;
        }
    }
}

void sim_disk_lie_of_folder(struct sim_disk *disk, const char *folder) {
    age(disk);
    names_hold_folder(disk, folder);
}

bool sim_disk_rot(struct sim_disk *disk, struct disk_file file, uint64_t offset, unsigned bit) {
    const struct handle *handle = handle_of(disk, file);
    struct inode *inode = handle == NULL ? NULL : inode_at(disk, handle->inode);
    if (inode == NULL || offset >= inode->size) {
        return false;
    }
    inode->bytes[offset] ^= (uint8_t)(1U << (bit & 7));
    inode_touch(inode, (size_t)offset, (size_t)offset + 1);
    return true;
}
