/* key_watch.c - see key_watch.h. */
#include "cli/key_watch.h"

#include <stdio.h>

static struct key_mark look(const char *path) {
    struct stat status;
    if (path[0] == '\0' || stat(path, &status) != 0) {
        return (struct key_mark){0};
    }
    return (struct key_mark){.device = status.st_dev,
                             .inode = status.st_ino,
                             .size_bytes = status.st_size,
                             .changed = status.st_ctim};
}

static bool is_same(const struct key_mark *a, const struct key_mark *b) {
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* True if a change has come to rest that no wish has told yet. */
static bool has_changed(struct key_watch *watch) {
    struct mono now = clock_mono(watch->clock);
    if (watch->path[0] == '\0' || now.ns < watch->look_at.ns) {
        return false;
    }
    struct key_mark mark = look(watch->path);
    bool is_at_rest = is_same(&mark, &watch->seen);
    watch->seen = mark;
    watch->look_at = mono_add(now, KEY_WATCH_EVERY);
    if (!is_at_rest || is_same(&mark, &watch->taken)) {
        return false;
    }
    watch->taken = mark;
    return true;
}

static enum host_wish watch_poll(struct host *host) {
    struct key_watch *watch = (struct key_watch *)host;
    enum host_wish wish = host_poll(watch->inner);
    if (wish == HOST_RELOAD) { /* it reads the file as it is now */
        watch->has_inner_wish = true;
        watch->taken = look(watch->path);
    } else if (wish == HOST_NONE && has_changed(watch)) {
        wish = HOST_RELOAD;
    }
    return wish;
}

static const struct host_ops watch_ops = {.poll = watch_poll};

void key_watch_init(struct key_watch *watch, struct host *inner, struct clock *clock,
                    const char *path) {
    *watch = (struct key_watch){.seam = {&watch_ops},
                                .inner = inner,
                                .clock = clock,
                                .look_at = mono_add(clock_mono(clock), KEY_WATCH_EVERY)};
    (void)snprintf(watch->path, sizeof watch->path, "%s", path);
    watch->taken = look(watch->path);
    watch->seen = watch->taken;
}

bool key_watch_take_inner_wish(struct key_watch *watch) {
    bool has = watch->has_inner_wish;
    watch->has_inner_wish = false;
    return has;
}
