/* hand.h - the alerts that the courier has in hand, and how they come there from outbox/ and go. For this room only.
 *
 * An alert in hand is a file still: it is removed when it is dropped. The hand holds COURIER_ITEMS_MAX; what has no
 * room stays in the outbox, and a full hand looks for pages alone. */
#ifndef CORE_COURIER_HAND_H
#define CORE_COURIER_HAND_H

#include "core/courier/courier.h"

#define HAND_TOLD_MAX 256   /* texts that were told, remembered */
#define HAND_REFUSED_MAX 32 /* files that the disk refuses, remembered */

struct item {                 /* an alert in hand */
    char file[DISK_NAME_MAX]; /* in the outbox; "": the courier's own */
    enum alert_severity severity;
    char key[ALERT_KEY_MAX], text[ALERT_TEXT_MAX], at[UTC_TEXT_MAX];
    int64_t count;
    struct mono due_at;
    unsigned done;                 /* a bit for each channel that has it */
    unsigned failed[CHANNELS_MAX]; /* times */
};

struct refused { /* a file that the disk does not let us read */
    char file[DISK_NAME_MAX];
    struct mono since;
};

struct told { /* that a text was told, and when last */
    uint64_t hash;
    struct mono at;
};

struct hand { /* hand_init() */
    struct world *world;
    struct item items[COURIER_ITEMS_MAX]; /* as they came */
    size_t count;
    struct told told[HAND_TOLD_MAX];
    size_t told_count;
    struct refused refused[HAND_REFUSED_MAX];
    size_t refused_count;
    bool has_more;    /* than the last look took */
    bool is_blind;    /* the disk refused something of it */
    bool has_removed; /* since the folder was made durable */
};

void hand_init(struct hand *hand, struct world *world);
/* Takes what is new in the outbox. What cannot be read is a page of its own, if the disk refuses it only after
 * COURIER_UNREADABLE. */
void hand_look(struct hand *hand);
/* An alert of the courier's own. False if there is no room. */
bool hand_take_own(struct hand *hand, enum alert_severity severity, const char *key,
                   const char *text);
/* A channel has it: its text is news again after its COURIER_REPEAT. */
void hand_tell(struct hand *hand, const struct item *item);
/* Done with: its file goes. What follows moves up. */
void hand_drop(struct hand *hand, size_t i);
/* Makes durable that files went: else a power cut brings back what was told. */
void hand_settle(struct hand *hand);

#endif
