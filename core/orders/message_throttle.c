/* message_throttle.c - two sliding windows over one ring of stamps. */
#include "core/orders/message_throttle.h"

#include "core/base/mutant.h"

#include <string.h>

static const struct span SECOND = {INT64_C(1000000000)};
static const struct span MINUTE = {INT64_C(60000000000)};

void message_throttle_take(struct message_throttle *throttle, struct mono at) {
    throttle->sent[throttle->count++ % MESSAGES_MAX] = at;
}

void message_throttle_fold(struct message_throttle *throttle, const struct journal_row *row,
                           struct utc now, struct mono now_mono) {
    bool is_cancel =
        strcmp(row->kind, "order") == 0 && strstr(row->body, "\"state\":\"canceled\"") != NULL;
    int64_t age_ns = utc_sub(now, row->at).ns;
    MUTATE(messages_lost_at_restart, return);
    if ((is_cancel || strcmp(row->kind, "intent") == 0) && age_ns < MINUTE.ns) {
        age_ns = age_ns < 0 ? 0 : age_ns;
        message_throttle_take(throttle, (struct mono){now_mono.ns - age_ns});
    }
}

static struct message_window window_of(const struct message_throttle *throttle, struct span span,
                                       int64_t most, struct mono now) {
    struct message_window window = {.span = span, .most = most};
    size_t kept = throttle->count < MESSAGES_MAX ? throttle->count : MESSAGES_MAX;
    for (size_t i = 0; i < kept; i++) {
        window.count += mono_sub(now, throttle->sent[i]).ns < span.ns;
    }
    return window;
}

bool message_window_is_full(const struct message_window *window) {
    MUTATE(message_throttle_ignored, return false);
    MUTATE(message_throttle_off_by_one, return window->count > window->most);
    return window->count >= window->most;
}

struct message_window message_throttle_look(const struct message_throttle *throttle,
                                            const struct config *config, struct mono now) {
    struct message_window second = window_of(throttle, SECOND, config->messages_1s, now);
    struct message_window minute = window_of(throttle, MINUTE, config->messages_60s, now);
    return message_window_is_full(&second) ? second : minute;
}
