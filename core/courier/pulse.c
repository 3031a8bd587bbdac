/* pulse.c - see pulse.h. */
#include "core/courier/pulse.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/state/state_file.h"

#include <string.h>

#define HEARTBEAT_MAX 4096
#define EVERY_MOST_S 86400

void pulse_init(struct pulse *pulse, struct mono now) {
    *pulse = (struct pulse){.seen_at = now};
}

/* What cannot be read is no beat: then what was said before stands. */
void pulse_look(struct pulse *pulse, struct world *world) {
    struct text bytes = {0};
    cJSON *tree = NULL;
    int64_t every_s = 0;
    bool is_stopped = false;
    bool is_good =
        state_file_read(world->disk, "bot_heartbeat.json", HEARTBEAT_MAX, &bytes, NULL) == ERR_OK &&
        json_parse(text_get(&bytes), bytes.len, &tree, NULL) == ERR_OK &&
        json_int(tree, "every_s", &every_s, NULL) == ERR_OK &&
        json_bool(tree, "stopped", &is_stopped, NULL) == ERR_OK && every_s > 0 &&
        every_s <= EVERY_MOST_S;
    uint64_t hash = hash64(text_get(&bytes), bytes.len, 0);
    char at[UTC_TEXT_MAX] = "";
    (void)!json_copy(tree, "at", at, sizeof at, NULL);
    if (is_good && (!pulse->is_known || hash != pulse->hash)) {
        *pulse = (struct pulse){.seen_at = clock_mono(world->clock),
                                .hash = hash,
                                .every = SPAN_S(every_s),
                                .is_known = true,
                                .has_beaten = pulse->is_known,
                                .is_stopped = is_stopped};
        memcpy(pulse->at, at, sizeof at);
    }
    cJSON_Delete(tree);
    text_release(&bytes);
}

struct span pulse_age(const struct pulse *pulse, struct mono now) {
    return mono_sub(now, pulse->seen_at);
}

bool pulse_is_silent(const struct pulse *pulse, struct mono now) {
    int64_t most_ns = pulse->is_known ? 3 * pulse->every.ns + PULSE_GRACE.ns : PULSE_UNSEEN.ns;
    return !pulse->is_stopped && pulse_age(pulse, now).ns > most_ns;
}

bool pulse_is_well(const struct pulse *pulse, struct mono now) {
    return pulse->is_stopped ? pulse_age(pulse, now).ns <= PULSE_STOPPED.ns
                             : pulse->has_beaten && !pulse_is_silent(pulse, now);
}
