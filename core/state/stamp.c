/* stamp.c - instants that outlive a boot. */
#include "core/state/stamp.h"

#include <string.h>

struct stamp stamp_now(const struct world *world) {
    struct stamp stamp = {.mono = clock_mono(world->clock), .wall = clock_utc(world->clock)};
    clock_boot_id(world->clock, stamp.boot);
    return stamp;
}

bool stamp_is_same_boot(const struct stamp *earlier, const struct stamp *later) {
    return earlier->boot[0] != '\0' && strcmp(earlier->boot, later->boot) == 0;
}

struct span stamp_between(const struct stamp *earlier, const struct stamp *later) {
    struct span passed = stamp_is_same_boot(earlier, later) ? mono_sub(later->mono, earlier->mono)
                                                            : utc_sub(later->wall, earlier->wall);
    return passed.ns < 0 ? (struct span){0} : passed;
}

struct span stamp_waited(const struct stamp *earlier, const struct stamp *later,
                         struct utc broker_earlier, struct utc broker_later) {
    struct span passed = stamp_between(earlier, later);
    if (stamp_is_same_boot(earlier, later)) {
        return passed;
    }
    struct span by_broker = utc_sub(broker_later, broker_earlier);
    if (broker_earlier.ns == 0 || broker_later.ns == 0 || by_broker.ns < 0) {
        return (struct span){0};
    }
    return by_broker.ns < passed.ns ? by_broker : passed;
}

void stamp_print(const struct stamp *stamp, struct text *out) {
    text_member_string(out, "boot", stamp->boot);
    text_member_decimal(out, "mono", stamp->mono.ns);
}

struct stamp stamp_read(const cJSON *body, struct utc row_at) {
    struct stamp stamp = {.wall = row_at};
    if (json_decimal_either(body, "mono", &stamp.mono.ns, NULL) == ERR_OK) {
        (void)!json_copy(body, "boot", stamp.boot, sizeof stamp.boot, NULL);
    }
    return stamp;
}
