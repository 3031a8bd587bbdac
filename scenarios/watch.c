/* watch.c - expectations of one run. */
#include "scenarios/watch.h"

#include "scenarios/vocabulary.h"

#include <string.h>

/* True if something is planned at a time of its own: only what follows it meets an expectation. A
 * command that answers an event ("on") is no such thing: the event itself may be what is expected. */
static bool has_plan(const struct scenario *scenario) {
    bool is_planned = scenario->fault_count > 0;
    for (size_t i = 0; i < scenario->operator_count; i++) {
        is_planned = is_planned || scenario->operators[i].on[0] == '\0';
    }
    return is_planned;
}

static void note_unwanted(struct watch *watch, const struct event *event, const char *mechanism,
                          const char *word) {
    for (size_t i = 0; i < watch->scenario->unwanted_count; i++) {
        const struct scenario_unwanted *unwanted = &watch->scenario->unwanted[i];
        bool is_meant =
            event->kind == EVENT_ALERT
                ? strcmp(unwanted->alert, "any") == 0 || strcmp(unwanted->alert, word) == 0
                : strcmp(unwanted->mechanism, mechanism) == 0 && strcmp(unwanted->event, word) == 0;
        if (is_meant && watch->unwanted_at[i].ns == 0 &&
            !utc_is_before(event->at, watch->unwanted_from[i])) {
            watch->unwanted_at[i] = event->at;
        }
    }
}

static bool does_say(const struct event *event, const char *says) {
    return says[0] == '\0' || (event->body_len > 0 && strstr(event->body, says) != NULL);
}

static void watch_observe(struct observer *observer, const struct event *event) {
    struct watch *watch = (struct watch *)observer;
    const struct scenario *scenario = watch->scenario;
    const char *mechanism = NULL;
    const char *word = NULL;
    bool is_disturbance = event->kind == EVENT_FAULT || event->kind == EVENT_OPERATOR;
    if (is_disturbance && watch->first_disturbance.ns == 0) {
        watch->first_disturbance = event->at;
    }
    if (event->kind == EVENT_ALERT) {
        note_unwanted(watch, event, "", event->what);
    }
    if (!event_mechanism(event, &mechanism, &word)) {
        return;
    }
    note_unwanted(watch, event, mechanism, word);
    if (!watch_has_begun(watch)) {
        return;
    }
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct scenario_expect *expect = &scenario->expects[i];
        bool is_in_time = !expect->has_within || watch->first_disturbance.ns == 0 ||
                          event->at.ns - watch->first_disturbance.ns <= expect->within.ns;
        if (strcmp(expect->mechanism, mechanism) == 0 && strcmp(expect->event, word) == 0 &&
            does_say(event, expect->says) && is_in_time) {
            watch->met_at[i] = watch->is_met[i] ? watch->met_at[i] : event->at;
            watch->is_met[i] = true;
        }
    }
}

static const struct observer_ops watch_ops = {watch_observe};

void watch_init(struct watch *watch, const struct scenario *scenario) {
    *watch =
        (struct watch){.seam = {&watch_ops}, .scenario = scenario, .has_plan = has_plan(scenario)};
}

bool watch_has_begun(const struct watch *watch) {
    return !watch->has_plan || watch->first_disturbance.ns != 0;
}

void watch_allow_until(struct watch *watch, size_t unwanted, struct utc from) {
    watch->unwanted_from[unwanted] = from;
}

size_t watch_missed(const struct watch *watch, struct text *out) {
    size_t count = 0;
    for (size_t i = 0; i < watch->scenario->expect_count; i++) {
        const struct scenario_expect *expect = &watch->scenario->expects[i];
        if (!watch->is_met[i]) {
            count++;
            text_add_format(out, "expected %s %s%s%s: not seen%s\n", expect->mechanism,
                            expect->event, expect->says[0] == '\0' ? "" : " ", expect->says,
                            expect->has_within ? " in time" : "");
        }
    }
    for (size_t i = 0; i < watch->scenario->unwanted_count; i++) {
        const struct scenario_unwanted *unwanted = &watch->scenario->unwanted[i];
        if (watch->unwanted_at[i].ns != 0) {
            count++;
            text_add_format(out, "unwanted %s %s: first at ",
                            unwanted->alert[0] != '\0' ? "alert" : unwanted->mechanism,
                            unwanted->alert[0] != '\0' ? unwanted->alert : unwanted->event);
            text_add_utc(out, watch->unwanted_at[i]);
            text_add_char(out, '\n');
        }
    }
    return count;
}
