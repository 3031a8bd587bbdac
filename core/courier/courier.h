/* courier.h - the second process: takes what the core left in outbox/ to people.
 *
 * It has no broker's key, reads the state directory, and changes nothing in it but that it takes a lock and
 * removes what is delivered. At least once: an alert stays a file until every channel that wants it has
 * it, so a courier that dies tells it again. The same text again is told once in COURIER_REPEAT_*, with its
 * count; what has piled up goes out as one message that names each. An alert that no channel took for
 * COURIER_ESCALATE goes to every channel, whatever its least. What some channel took and another still
 * refuses after COURIER_GIVE_UP is given up there. Both count from when the alert is due.
 *
 * A core whose heartbeat stands still is told as the page "core_silent", by the courier itself; the dead
 * man's url is pinged only while the core's heart is seen to beat, or was stopped by a person. */
#ifndef CORE_COURIER_COURIER_H
#define CORE_COURIER_COURIER_H

#include "core/courier/channels.h"
#include "core/world/world.h"

#define COURIER_LOOK SPAN_S(1)     /* at the outbox */
#define COURIER_DEADLINE SPAN_S(2) /* of one exchange */
#define COURIER_REPEAT_PAGE SPAN_MIN(5)
#define COURIER_REPEAT_WARN SPAN_HOURS(1)
#define COURIER_REPEAT_INFO SPAN_HOURS(24)
#define COURIER_ESCALATE SPAN_MIN(5)
#define COURIER_GIVE_UP SPAN_HOURS(1)
#define COURIER_BACKOFF_MAX SPAN_S(60)
#define COURIER_RETRY_AFTER_MAX SPAN_MIN(5)
#define COURIER_ITEMS_MAX 256          /* in hand; more wait in the outbox */
#define COURIER_UNREADABLE SPAN_MIN(1) /* what the disk refuses for so long is a page */
#define COURIER_SINGLES_MAX 4          /* more at once are one message */
#define COURIER_PAGES_A_MINUTE 20      /* messages of a channel; beyond, they wait to be one */
#define COURIER_OTHERS_A_MINUTE 10

struct courier;

struct courier_options {
    struct world *world;             /* borrowed */
    const struct channels *channels; /* borrowed */
    bool never_pings;                /* one that does not stay cannot tell whether the core lives */
    bool only_tests;                 /* courier_test() alone: beside another courier too */
};

struct courier_status { /* of a channel, for people */
    int64_t delivered, failed;
    char error[160]; /* of the last exchange; "": it was taken */
};

/* ERR_LOCKED: another courier serves this state directory. ERR_IO. */
enum err_code courier_create(const struct courier_options *options, struct courier **out,
                             struct err *err) MUST_USE;
/* Looks, delivers what is due, pings. Takes as long as its exchanges do, each at most COURIER_DEADLINE. */
void courier_step(struct courier *courier);
/* Alerts in hand that are not yet with everybody who wants them. */
size_t courier_waiting(const struct courier *courier);
/* The last look did not take all that lies in the outbox: there is much, or the disk refused. */
bool courier_has_more(const struct courier *courier);
/* The disk refused to list the outbox, or to read a file of it. */
bool courier_is_blind(const struct courier *courier);
struct courier_status courier_status(const struct courier *courier, size_t channel);
/* One message to one channel at once, to see that it arrives. ERR_REFUSED: answered, but not taken. */
enum err_code courier_test(struct courier *courier, size_t channel, struct err *err) MUST_USE;
void courier_destroy(struct courier *courier);

#endif
