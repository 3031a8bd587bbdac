/* clock_served.c - another clock, anchored and sped up. */
#include "core/live/clock_served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONO_EPOCH_NS (INT64_C(1) << 52)

struct clock_served {
    struct clock seam;
    struct clock *inner;
    struct utc served; /* the anchor: this served time ... */
    struct utc wall;   /* ... was at this wall time */
    struct ratio speed;
    int64_t mono_epoch; /* multiples of MONO_EPOCH_NS that served monotonic time leaves out */
};

/* Out of range means a wall clock decades away from the anchor; the edge is then as good as any. */
static int64_t scale(int64_t ns, int64_t numerator, int64_t denominator) {
    int64_t out = ns < 0 ? INT64_MIN / 4 : INT64_MAX / 4;
    (void)!decimal_mul_div(ns, numerator, denominator, &out, NULL);
    return out;
}

static struct utc served_utc(struct clock *clock) {
    struct clock_served *self = (struct clock_served *)clock;
    struct span since = utc_sub(clock_utc(self->inner), self->wall);
    return utc_add(self->served, (struct span){scale(since.ns, self->speed.nanos, NANOS)});
}

static struct mono served_mono(struct clock *clock) {
    struct clock_served *self = (struct clock_served *)clock;
    int64_t ns = clock_mono(self->inner).ns - self->mono_epoch * MONO_EPOCH_NS;
    return (struct mono){scale(ns, self->speed.nanos, NANOS)};
}

static void served_boot_id(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    struct clock_served *self = (struct clock_served *)clock;
    char boot[CLOCK_BOOT_MAX];
    clock_boot_id(self->inner, boot);
    (void)snprintf(out, CLOCK_BOOT_MAX, "%.36s.%u", boot, (unsigned)self->mono_epoch % 100u);
}

static void served_sleep(struct clock *clock, struct span span) {
    struct clock_served *self = (struct clock_served *)clock;
    clock_sleep(self->inner, (struct span){scale(span.ns, NANOS, self->speed.nanos)});
}

static const struct clock_ops served_ops = {
    .utc_now = served_utc,
    .mono_now = served_mono,
    .boot_id = served_boot_id,
    .sleep = served_sleep,
};

enum err_code clock_served_create(struct clock *inner, struct utc served, struct utc wall,
                                  struct ratio speed, struct clock_served **out, struct err *err) {
    if (speed.nanos < CLOCK_SERVED_SPEED_MIN.nanos || speed.nanos > CLOCK_SERVED_SPEED_MAX.nanos) {
        return err_set(err, ERR_RANGE, "a served clock runs at 0.001 to 1000 times wall time");
    }
    struct clock_served *clock = calloc(1, sizeof *clock);
    if (clock == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the served clock");
    }
    *clock = (struct clock_served){
        .seam = {&served_ops},
        .inner = inner,
        .served = served,
        .wall = wall,
        .speed = speed,
        .mono_epoch = clock_mono(inner).ns / MONO_EPOCH_NS,
    };
    *out = clock;
    return ERR_OK;
}

void clock_served_destroy(struct clock_served *clock) {
    free(clock);
}

struct clock *clock_served_seam(struct clock_served *clock) {
    return &clock->seam;
}
