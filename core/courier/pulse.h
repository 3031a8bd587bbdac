/* pulse.h - the core's heartbeat, as another process sees it.
 *
 * By the clock of the looker alone: a heart beats when bot_heartbeat.json has changed, not when the
 * time inside it is young, for the core may live by another clock (--clock served). */
#ifndef CORE_COURIER_PULSE_H
#define CORE_COURIER_PULSE_H

#include "core/world/world.h"

#define PULSE_GRACE SPAN_S(10)       /* behind three beats: a tick may take seconds */
#define PULSE_STOPPED SPAN_HOURS(24) /* behind that nobody is sure that a stop is meant */
#define PULSE_UNSEEN SPAN_MIN(5)     /* so long may no heartbeat be there: it is not made durable */

struct pulse {
    struct mono seen_at; /* the last change, or the first look */
    uint64_t hash;
    char at[UTC_TEXT_MAX]; /* of the last beat, by the core's clock; "" unknown */
    struct span every;     /* between two beats, as the core said */
    bool is_known;         /* a heartbeat was read */
    bool has_beaten;       /* and changed since: the core lives, or did when that was seen */
    bool is_stopped;       /* the core ended by itself, as it was told to */
};

void pulse_init(struct pulse *pulse, struct mono now);
void pulse_look(struct pulse *pulse, struct world *world);
/* Three beats stayed out, or none was seen for PULSE_UNSEEN: a power cut takes the file along, and nobody may
 * have started the core. One that was stopped is not silent. */
bool pulse_is_silent(const struct pulse *pulse, struct mono now);
/* A person stopped it within the last day, or its heart was seen to beat and is not silent. */
bool pulse_is_well(const struct pulse *pulse, struct mono now);
struct span pulse_age(const struct pulse *pulse, struct mono now);

#endif
