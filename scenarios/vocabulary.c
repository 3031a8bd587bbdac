/* vocabulary.c - the tables behind vocabulary.h, and their look-up. */
#include "scenarios/vocabulary.h"

#include "core/base/check.h"
#include "core/risk/mechanisms.h"

#include <string.h>

static const struct {
    const char *word, *mechanism;
} refusals[] = {
#define REFUSAL(code, word, mechanism, binds, meaning) {word, mechanism},
#include "core/orders/refusal.def"
#undef REFUSAL
};

static const char *const events[] = {"acted", "held", "released", "explained", "warned", "refused"};

static const char *const command_words[] = {
#define X(command, word, meaning, parameters) word,
    STAGE_COMMANDS(X)
#undef X
};

static int find_word(const char *const *words, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            return (int)i;
        }
    }
    return -1;
}

size_t mechanism_count(void) {
    size_t count = 0;
    (void)mechanisms(&count);
    return count;
}

const char *mechanism_id(size_t index) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    CHECK(index < count);
    return table[index].id;
}

bool mechanism_is_known(const char *id) {
    return mechanism_find(id) != NULL;
}

const char *refusal_mechanism(const char *word) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (strcmp(refusals[i].word, word) == 0) {
            return refusals[i].mechanism;
        }
    }
    return "";
}

bool event_mechanism(const struct event *event, const char **mechanism, const char **word) {
    if (event->kind == EVENT_MECHANISM) {
        const struct mechanism *known = mechanism_find(event->subject);
        *mechanism = known == NULL ? "operator_freeze" : known->id;
        *word = event->what;
        return true;
    }
    if (event->kind == EVENT_REFUSAL) {
        *mechanism = refusal_mechanism(event->subject);
        *word = "held";
        return (*mechanism)[0] != '\0';
    }
    if (event->kind == EVENT_HTTP && event->number == 422 &&
        strstr(event->body, "client_order_id must be unique") != NULL) {
        *mechanism = "order_idempotency"; /* the broker refused the second use of an id */
        *word = "held";
        return true;
    }
    if (event->kind == EVENT_METRICS) { /* a life that ended as told left its numbers */
        *mechanism = "metrics";
        *word = "acted";
        return true;
    }
    if (event->kind == EVENT_EXIT && strcmp(event->what, "decided") == 0) {
        *mechanism = "exit_execution";
        *word = "acted";
        return true;
    }
    if (event->kind == EVENT_PROTECTION && strcmp(event->what, "protected") == 0) {
        *mechanism = "protective_stops";
        *word = "acted";
        return true;
    }
    return false;
}

bool mechanism_event_is_known(const char *word) {
    return find_word(events, sizeof events / sizeof events[0], word) >= 0;
}

bool stage_command_find(const char *word, enum stage_command *out) {
    int index = find_word(command_words, STAGE_COMMAND_COUNT, word);
    if (index >= 0) {
        *out = (enum stage_command)index;
    }
    return index >= 0;
}

const char *stage_command_word(enum stage_command command) {
    return command_words[command];
}
