/* spare.c - the libraries of a running program, and who needs whom. */
#include "scenarios/spare.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OBJECTS_MAX 128

struct objects {
    const struct link_map *map[OBJECTS_MAX]; /* [0]: the program */
    bool serves_network[OBJECTS_MAX], serves_others[OBJECTS_MAX];
    size_t count;
};

static bool is_network(const char *name) {
    return strncmp(name, "libcurl", 7) == 0 || strncmp(name, "libmicrohttpd", 13) == 0;
}

static const char *file_of(const struct link_map *map) {
    const char *slash = strrchr(map->l_name, '/');
    return slash == NULL ? map->l_name : slash + 1;
}

static const char *strings_of(const struct link_map *map) {
    for (const ElfW(Dyn) *entry = map->l_ld; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_STRTAB) { /* some loaders leave it as it is in the file */
            const uintptr_t at = entry->d_un.d_ptr;
            return (const char *)(at < map->l_addr ? at + map->l_addr : at);
        }
    }
    return NULL;
}

static size_t find(const struct objects *objects, const char *name) {
    size_t i = 0;
    while (i < objects->count && strcmp(file_of(objects->map[i]), name) != 0) {
        i++;
    }
    return i;
}

/* Marks what object i needs, and what that needs. */
static void mark_needed(const struct objects *objects, size_t i, bool *marks) {
    const struct link_map *map = objects->map[i];
    const char *strings = strings_of(map);
    for (const ElfW(Dyn) *entry = map->l_ld; strings != NULL && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag != DT_NEEDED) {
            continue;
        }
        const char *name = strings + entry->d_un.d_val;
        const size_t needed = find(objects, name);
        const bool is_way_out = i == 0 && is_network(name);
        if (needed < objects->count && !is_way_out && !marks[needed]) {
            marks[needed] = true;
            mark_needed(objects, needed, marks);
        }
    }
}

/* What nobody is known to need (the program, the kernel's, what was preloaded) stays, with all it needs. */
static void mark(struct objects *objects) {
    for (size_t i = 0; i < objects->count; i++) {
        if (is_network(file_of(objects->map[i])) && !objects->serves_network[i]) {
            objects->serves_network[i] = true;
            mark_needed(objects, i, objects->serves_network);
        }
    }
    for (size_t i = 0; i < objects->count; i++) {
        if (!objects->serves_network[i]) {
            objects->serves_others[i] = true;
            mark_needed(objects, i, objects->serves_others);
        }
    }
}

static int advise(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    const int *advice = context;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        const uintptr_t from = (info->dlpi_addr + part->p_vaddr) / page * page;
        const uintptr_t to = info->dlpi_addr + part->p_vaddr + part->p_memsz;
        if (part->p_type == PT_LOAD) { /* refused: copies have more to carry */
            (void)madvise((void *)from, to - from, *advice);
        }
    }
    return 0;
}

struct chosen {
    const struct objects *objects;
    int advice;
};

static int advise_if_spare(struct dl_phdr_info *info, size_t size, void *context) {
    struct chosen *chosen = context;
    const struct objects *objects = chosen->objects;
    for (size_t i = 0; i < objects->count; i++) {
        const struct link_map *map = objects->map[i];
        if (map->l_addr == info->dlpi_addr && strcmp(map->l_name, info->dlpi_name) == 0 &&
            objects->serves_network[i] && !objects->serves_others[i]) {
            return advise(info, size, &chosen->advice);
        }
    }
    return 0;
}

void spare_network(bool is_spared) {
    struct objects objects = {.count = 0};
    struct chosen chosen = {&objects, is_spared ? MADV_DONTFORK : MADV_DOFORK};
    for (const struct link_map *map = _r_debug.r_map; map != NULL && objects.count < OBJECTS_MAX;
         map = map->l_next) {
        objects.map[objects.count++] = map;
    }
    if (objects.count < OBJECTS_MAX) { /* else some would not be seen to be needed */
        mark(&objects);
        (void)dl_iterate_phdr(advise_if_spare, &chosen);
    }
}
