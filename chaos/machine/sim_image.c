/* sim_image.c - the disk as stage and operator see it: without time, handles or loss. */
#include "chaos/machine/sim_disk_internal.h"

#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>

bool sim_disk_exists(const struct sim_disk *disk, const char *name) {
    return name_present(disk, name) != NO_INODE;
}

bool sim_disk_read_rest(const struct sim_disk *disk, const char *name, size_t offset,
                        struct text *out) {
    const int number = name_present(disk, name);
    if (number == NO_INODE || inode_at(disk, number)->size < offset) {
        return false;
    }
    const struct inode *inode = inode_at(disk, number);
    if (inode->size > offset) {
        text_add_bytes(out, (const char *)inode->bytes + offset, inode->size - offset);
    }
    return true;
}

int sim_disk_first_byte(const struct sim_disk *disk, const char *name) {
    const int number = name_present(disk, name);
    const struct inode *inode = number == NO_INODE ? NULL : inode_at(disk, number);
    return inode == NULL || inode->size == 0 ? -1 : inode->bytes[0];
}

bool sim_disk_read(const struct sim_disk *disk, const char *name, struct text *out) {
    if (name_present(disk, name) == NO_INODE) {
        return false;
    }
    text_clear(out);
    return sim_disk_read_rest(disk, name, 0, out);
}

bool sim_disk_read_durable(struct sim_disk *disk, const char *name, struct text *out) {
    age(disk);
    const struct entry *entry = entry_find(disk, name);
    if (entry == NULL || entry->durable == NO_INODE) {
        return false;
    }
    inode_durable(inode_at(disk, entry->durable), out);
    return true;
}

void sim_disk_write_raw(struct sim_disk *disk, const char *name, const void *bytes, size_t n) {
    CHECK(name_is_valid(name));
    char folder[DISK_NAME_MAX];
    (void)strcpy(folder, name);
    char *slash = strchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        folder_add(disk, folder);
    }
    int number = name_present(disk, name);
    if (number == NO_INODE) {
        number = inode_create(disk);
        names_link(disk, name, number);
    }
    names_commit(disk, disk->change_count);
    struct inode *inode = inode_at(disk, number);
    inode_forget(inode);
    inode_set_size(inode, 0); /* and no page of it is lost */
    inode_put(inode, bytes, n, 0);
}

bool sim_disk_remove_raw(struct sim_disk *disk, const char *name) {
    if (name_present(disk, name) == NO_INODE) {
        return false;
    }
    names_unlink(disk, name);
    names_commit(disk, disk->change_count);
    return true;
}

void sim_disk_visit_all(const struct sim_disk *disk, disk_visit *visit, void *context) {
    for (size_t i = 0; i < disk->entry_count; i++) {
        if (disk->entries[i].present != NO_INODE) {
            visit(context, disk->entries[i].name);
        }
    }
}

/* --- images --- */

struct image_file {
    char name[DISK_NAME_MAX];
    struct text bytes;
};

struct disk_image {
    struct image_file *files; /* in byte order of names */
    size_t count, cap;
    char folders[FOLDERS_MAX][DISK_NAME_MAX];
    size_t folder_count;
};

struct disk_image *sim_disk_snapshot(struct sim_disk *disk) {
    age(disk);
    struct disk_image *image = calloc(1, sizeof *image);
    CHECK(image != NULL);
    memcpy(image->folders, disk->folders, sizeof image->folders);
    image->folder_count = disk->folder_count;
    for (size_t i = 0; i < disk->entry_count; i++) {
        const struct entry *entry = &disk->entries[i];
        if (entry->durable == NO_INODE) {
            continue;
        }
        image->files = sim_grow(image->files, &image->cap, image->count + 1, sizeof *image->files);
        struct image_file *file = &image->files[image->count++];
        *file = (struct image_file){.bytes = text_limited(SIM_DISK_FILE_SIZE_MAX)};
        (void)strcpy(file->name, entry->name);
        inode_durable(inode_at(disk, entry->durable), &file->bytes);
    }
    return image;
}

void disk_image_destroy(struct disk_image *image) {
    if (image == NULL) {
        return;
    }
    for (size_t i = 0; i < image->count; i++) {
        text_release(&image->files[i].bytes);
    }
    free(image->files);
    free(image);
}

void sim_disk_restore(struct sim_disk *disk, const struct disk_image *image) {
    for (size_t i = 0; i < SIM_DISK_HANDLES_MAX; i++) {
        handle_release(disk, &disk->handles[i]);
    }
    while (disk->entry_count > 0) {
        char name[DISK_NAME_MAX];
        (void)strcpy(name, disk->entries[0].name);
        name_set_present(disk, name, NO_INODE);
        name_set_durable(disk, name, NO_INODE);
    }
    names_forget(disk);
    memcpy(disk->folders, image->folders, sizeof disk->folders);
    disk->folder_count = image->folder_count;
    for (size_t i = 0; i < image->count; i++) {
        const struct image_file *file = &image->files[i];
        sim_disk_write_raw(disk, file->name, text_get(&file->bytes), file->bytes.len);
    }
}

bool disk_name_matches(const char *name, const char *pattern) {
    const size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*') {
        return strncmp(name, pattern, n - 1) == 0;
    }
    return strcmp(name, pattern) == 0;
}

static bool image_has(const struct disk_image *image, const char *name) {
    for (size_t i = 0; i < image->count; i++) {
        if (strcmp(image->files[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static size_t remove_newer(struct sim_disk *disk, const struct disk_image *image,
                           const char *pattern) {
    size_t changed = 0;
    for (size_t i = 0; i < disk->entry_count;) {
        char name[DISK_NAME_MAX];
        (void)strcpy(name, disk->entries[i].name);
        if (disk_name_matches(name, pattern) && !image_has(image, name) &&
            sim_disk_remove_raw(disk, name)) {
            changed++;
            i = 0; /* entries moved */
        } else {
            i++;
        }
    }
    return changed;
}

static bool is_same(const struct sim_disk *disk, const struct image_file *file,
                    struct text *present) {
    return sim_disk_read(disk, file->name, present) && present->len == file->bytes.len &&
           memcmp(text_get(present), text_get(&file->bytes), present->len) == 0;
}

size_t sim_disk_restore_matching(struct sim_disk *disk, const struct disk_image *image,
                                 const char *pattern) {
    size_t changed = remove_newer(disk, image, pattern);
    struct text present = text_limited(SIM_DISK_FILE_SIZE_MAX);
    for (size_t i = 0; i < image->count; i++) {
        const struct image_file *file = &image->files[i];
        if (disk_name_matches(file->name, pattern) && !is_same(disk, file, &present)) {
            sim_disk_remove_raw(disk, file->name); /* an inode of its own: links stay as they are */
            sim_disk_write_raw(disk, file->name, text_get(&file->bytes), file->bytes.len);
            changed++;
        }
    }
    text_release(&present);
    return changed;
}
