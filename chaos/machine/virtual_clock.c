/* virtual_clock.c - see virtual_clock.h. */
#include "chaos/machine/virtual_clock.h"

#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdio.h>
#include <stdlib.h>

struct virtual_clock {
    struct clock seam; /* first: the seam's pointer is ours */
    struct utc now;
    struct utc booted_at;
    struct span offset;
    struct virtual_clock_hook hook;
    struct span nested; /* moved inside the hook, owed to the outer advance */
    unsigned boots;
    bool is_moving;
    char boot_name[CLOCK_BOOT_MAX / 2];
};

static struct utc seam_utc(struct clock *seam) {
    const struct virtual_clock *clock = (const struct virtual_clock *)seam;
    return utc_add(clock->now, clock->offset);
}

static struct mono seam_mono(struct clock *seam) {
    const struct virtual_clock *clock = (const struct virtual_clock *)seam;
    MUTATE(machine_clock_slides_back, return (struct mono){clock->booted_at.ns - clock->now.ns});
    return (struct mono){utc_sub(clock->now, clock->booted_at).ns};
}

static void seam_boot_id(struct clock *seam, char out[static CLOCK_BOOT_MAX]) {
    const struct virtual_clock *clock = (const struct virtual_clock *)seam;
    (void)snprintf(out, CLOCK_BOOT_MAX, "%s-boot-%u", clock->boot_name, clock->boots);
}

static void seam_sleep(struct clock *seam, struct span span) {
    const struct span longest = CLOCK_SLEEP_MAX;
    if (span.ns > longest.ns) {
        span = longest;
    }
    if (span.ns > 0) {
        virtual_clock_advance((struct virtual_clock *)seam, span);
    }
}

static const struct clock_ops seam_ops = {
    .utc_now = seam_utc, .mono_now = seam_mono, .boot_id = seam_boot_id, .sleep = seam_sleep};

struct virtual_clock *virtual_clock_create(struct utc start, const char *boot_name) {
    struct virtual_clock *clock = calloc(1, sizeof *clock);
    CHECK(clock != NULL);
    clock->seam.ops = &seam_ops;
    clock->now = start;
    clock->booted_at = start;
    clock->boots = 1;
    (void)snprintf(clock->boot_name, sizeof clock->boot_name, "%s", boot_name);
    return clock;
}

void virtual_clock_destroy(struct virtual_clock *clock) {
    free(clock);
}

struct clock *virtual_clock_seam(struct virtual_clock *clock) {
    return &clock->seam;
}

void virtual_clock_set_hook(struct virtual_clock *clock, const struct virtual_clock_hook *hook) {
    clock->hook = hook == NULL ? (struct virtual_clock_hook){0} : *hook;
}

struct utc virtual_clock_now(const struct virtual_clock *clock) {
    return clock->now;
}

/* Stands at `at`, lets the world act, and returns the time that took. */
static struct span stop_at(struct virtual_clock *clock, struct utc at) {
    if (utc_is_before(clock->now, at)) {
        clock->now = at;
    }
    clock->nested = (struct span){0};
    clock->is_moving = true;
    clock->hook.moved(clock->hook.context, clock->now);
    clock->is_moving = false;
    return clock->nested;
}

static struct utc next_stop(const struct virtual_clock *clock) {
    return clock->hook.next_at == NULL ? UTC_NEVER : clock->hook.next_at(clock->hook.context);
}

/* Moves to `end` through all stops; a sliding end goes back by what the stops took. */
static void move_to(struct virtual_clock *clock, struct utc end, bool is_sliding) {
    if (clock->is_moving || clock->hook.moved == NULL) {
        if (utc_is_before(clock->now, end)) {
            clock->nested.ns += utc_sub(end, clock->now).ns;
            clock->now = end;
        }
        return;
    }
    int stalls = 0;
    struct utc last = {INT64_MIN};
    for (struct utc next = next_stop(clock); next.ns <= end.ns; next = next_stop(clock)) {
        const struct utc stop = utc_is_before(next, clock->now) ? clock->now : next;
        stalls = stop.ns == last.ns ? stalls + 1 : 0;
        CHECK(stalls < VIRTUAL_CLOCK_STALL_MAX);
        last = stop;
        const struct span took = stop_at(clock, stop);
        if (is_sliding) {
            end = utc_add(end, took);
        }
    }
    if (utc_is_before(clock->now, end)) {
        (void)stop_at(clock, end);
    }
}

void virtual_clock_advance(struct virtual_clock *clock, struct span span) {
    CHECK(span.ns >= 0);
    move_to(clock, utc_add(clock->now, span), true);
}

void virtual_clock_advance_to(struct virtual_clock *clock, struct utc at) {
    move_to(clock, at, false);
}

void virtual_clock_set_offset(struct virtual_clock *clock, struct span offset) {
    clock->offset = offset;
}

struct span virtual_clock_offset(const struct virtual_clock *clock) {
    return clock->offset;
}

void virtual_clock_reboot(struct virtual_clock *clock) {
    clock->booted_at = clock->now;
    clock->boots++;
}
