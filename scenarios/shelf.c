/* shelf.c - see shelf.h. */
#include "scenarios/shelf.h"

#include <string.h>

static const char folder[] = "backups/";

static bool is_copy(const char *name) {
    size_t n = strlen(name);
    return strncmp(name, folder, sizeof folder - 1) == 0 &&
           !(n > 4 && strcmp(name + n - 4, ".tmp") == 0);
}

static void take(void *context, const char *name) {
    if (is_copy(name)) {
        text_add_bytes(context, name, strlen(name) + 1);
    }
}

static void tell(struct shelf *shelf, const struct sim_disk *disk, const char *name, struct utc at,
                 struct observer *observer) {
    struct event event = {
        .kind = EVENT_COPY, .at = at, .subject = "gone", .what = name + sizeof folder - 1};
    if (disk != NULL && sim_disk_read(disk, name, &shelf->content)) {
        event.subject = "there";
        event.body = text_get(&shelf->content);
        event.body_len = shelf->content.len;
    }
    observe(observer, &event);
}

static bool is_among(const struct text *names, const char *name) {
    return memmem(text_get(names), names->len, name, strlen(name) + 1) != NULL;
}

/* The name before one of the list; NULL at its begin. */
static const char *before(const struct text *names, const char *name) {
    if (name == names->data) {
        return NULL;
    }
    const char *end = name - 1;
    const char *nul = memrchr(names->data, '\0', (size_t)(end - names->data));
    return nul == NULL ? names->data : nul + 1;
}

void shelf_look(struct shelf *shelf, const struct sim_disk *disk, bool is_whole, struct utc at,
                struct observer *observer) {
    text_clear(&shelf->now);
    sim_disk_visit_all(disk, take, &shelf->now);
    const struct text *now = &shelf->now;
    const struct text *told = &shelf->names;
    if (!is_whole && now->len == told->len &&
        memcmp(text_get(now), text_get(told), now->len) == 0) {
        return;
    }
    for (size_t i = 0; i < now->len; i += strlen(now->data + i) + 1) {
        if (is_whole || !is_among(told, now->data + i)) {
            tell(shelf, disk, now->data + i, at, observer);
        }
    }
    const char *end = told->len == 0 ? NULL : told->data + told->len;
    for (const char *name = end == NULL ? NULL : before(told, end); name != NULL;
         name = before(told, name)) {
        if (!is_among(now, name)) {
            tell(shelf, NULL, name, at, observer);
        }
    }
    struct text swap = shelf->names;
    shelf->names = shelf->now;
    shelf->now = swap;
}

void shelf_release(struct shelf *shelf) {
    text_release(&shelf->names);
    text_release(&shelf->now);
    text_release(&shelf->content);
}
