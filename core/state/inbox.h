/* inbox.h - commands that other processes leave for the core: one file each, in inbox/.
 *
 * Names are "<utc ns>-<nonce>.<verb>", written by temp, fsync, rename, fsync of inbox/, so that they
 * sort by time and a torn or empty one still says freeze or kill by its name alone. Content:
 * {"cause","by","why","halt"}; absent members are empty. */
#ifndef CORE_STATE_INBOX_H
#define CORE_STATE_INBOX_H

#include "core/world/world.h"

enum inbox_verb { INBOX_FREEZE, INBOX_KILL, INBOX_RESUME, INBOX_FLATTEN };

#define INBOX_CAUSE_MAX 48
#define INBOX_MAX 64 /* commands taken per look; more stay for the next */

struct inbox_command {
    char file[DISK_NAME_MAX]; /* "inbox/..." for inbox_remove() */
    enum inbox_verb verb;
    bool is_readable;            /* else the members below are empty: freeze and kill still bind */
    char cause[INBOX_CAUSE_MAX]; /* freeze, resume: which cause; flatten: symbol or "" for all */
    char by[48];
    char why[200];
    bool is_halt; /* freeze --halt */
};

/* The word of a verb: "freeze". Static storage. */
const char *inbox_verb_word(enum inbox_verb verb);
/* Leaves a command and names its file. cause is [a-z0-9_.:-]+ or "" : ERR_USAGE else;
 * a flatten's symbol may have capitals. */
enum err_code inbox_write(struct world *world, struct inbox_command *command,
                          struct err *err) MUST_USE;
/* *out: this command has not been taken yet. */
enum err_code inbox_is_waiting(struct world *world, const char *file, bool *out,
                               struct err *err) MUST_USE;
/* Reads up to INBOX_MAX commands, oldest first. Files of other shapes are ignored. A missing inbox/
 * is empty. ERR_IO if the folder cannot be listed. */
enum err_code inbox_read(struct world *world, struct inbox_command commands[static INBOX_MAX],
                         size_t *count, struct err *err) MUST_USE;
enum err_code inbox_remove(struct world *world, const char *file, struct err *err) MUST_USE;
/* *out: any command waits. One listing, nothing is opened. */
enum err_code inbox_has_command(struct world *world, bool *out, struct err *err) MUST_USE;
/* *out: a freeze or kill waits. One listing, nothing is opened: looked at before every effect. */
enum err_code inbox_has_stop(struct world *world, bool *out, struct err *err) MUST_USE;

#endif
