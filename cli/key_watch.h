/* key_watch.h - the host seam of a core whose key pair is in a file: another file there is a wish to reload.
 *
 * It stands before another host, whose wishes come first. The file is looked at (not read) once a second; it has
 * changed when device, inode, size or change time are others, which every writing, renaming, chmod or vanishing
 * makes them. What is still being written is waited for: a change is a wish once the next look sees the same. Each
 * change is one wish, be the new file good or bad. */
#ifndef CLI_KEY_WATCH_H
#define CLI_KEY_WATCH_H

#include "core/world/clock.h"
#include "core/world/host.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#define KEY_WATCH_EVERY SPAN_S(1)

struct key_mark { /* what a file is known by; all zero: there is none */
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec changed;
};

struct key_watch {
    struct host seam;
    struct host *inner;    /* borrowed */
    struct clock *clock;   /* borrowed */
    char path[PATH_MAX];   /* "": nothing is looked at */
    struct key_mark taken; /* as at the last wish, or at the start */
    struct key_mark seen;  /* at the last look */
    struct mono look_at;   /* the next look is due */
    bool has_inner_wish;   /* see key_watch_take_inner_wish() */
};

/* As the file is now counts as taken: call it before the pair is read. An empty path is never looked at. */
void key_watch_init(struct key_watch *watch, struct host *inner, struct clock *clock,
                    const char *path);
/* True, once, if the inner host wished a reload since the last call: then a person wants all to be read again, and
 * not the pair alone. */
bool key_watch_take_inner_wish(struct key_watch *watch);

#endif
