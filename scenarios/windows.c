/* windows.c - what matters in a run, and the minutes around it. */
#include "scenarios/windows.h"

#include "core/base/check.h"
#include "scenarios/stage.h"
#include "scenarios/vocabulary.h"

#include <stddef.h>
#include <string.h>

#define LENGTH SPAN_S(60)
#define LEAD SPAN_S(5)
#define MET_LEAD SPAN_S(15) /* what led to it is worth a death too */

static bool is_latch(const struct event *event) {
    return event->kind == EVENT_MECHANISM && strcmp(event->what, "acted") == 0 &&
           strstr(event->body, "\"latched\":true") != NULL;
}

static void note_latch(struct matters *matters, const struct event *event) {
    const struct scenario *scenario = matters->watch.scenario;
    const char *mechanism = NULL;
    const char *word = NULL;
    CHECK(event_mechanism(event, &mechanism, &word));
    for (size_t i = 0; i < scenario->expect_count; i++) {
        if (matters->latched_at[i].ns == 0 &&
            strcmp(scenario->expects[i].mechanism, mechanism) == 0) {
            matters->latched_at[i] = event->at;
        }
    }
}

static void matters_observe(struct observer *observer, const struct event *event) {
    struct matters *matters = (struct matters *)((char *)observer - offsetof(struct matters, seam));
    observe(&matters->watch.seam, event);
    if (event->kind == EVENT_LEDGER_ORDER) {
        matters->order = utc_min(matters->order, event->at);
    } else if (watch_has_begun(&matters->watch) && is_latch(event)) {
        note_latch(matters, event);
    }
}

static const struct observer_ops matters_ops = {matters_observe};

void matters_init(struct matters *matters, const struct scenario *scenario) {
    *matters = (struct matters){.seam = {&matters_ops}, .order = UTC_NEVER};
    watch_init(&matters->watch, scenario);
}

/* --- the minutes around it --- */

static struct utc begin_of(const struct window *window) {
    return window->from.at;
}

static struct utc end_of(const struct window *window) {
    return utc_add(begin_of(window), window->length);
}

static struct window window_between(struct utc from, struct utc until) {
    return (struct window){{.kind = WHEN_UTC, .at = from}, {until.ns - from.ns}};
}

static bool is_outside(const struct window *window, struct utc at) {
    return utc_is_before(at, begin_of(window)) || !utc_is_before(at, end_of(window));
}

/* The earliest of those that were and are not in the window; UTC_NEVER if there is none. */
static struct utc first_outside(const struct window *window, const struct utc *at, size_t count) {
    struct utc first = UTC_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (at[i].ns != 0 && is_outside(window, at[i])) {
            first = utc_min(first, at[i]);
        }
    }
    return first;
}

/* The minute around it, but for what the first window has of that. */
static struct window beside(const struct window *first, struct utc at) {
    const struct utc from = {at.ns - MET_LEAD.ns};
    const struct utc until = utc_add(from, LENGTH);
    return utc_is_before(at, begin_of(first))
               ? window_between(from, utc_min(until, begin_of(first)))
               : window_between(utc_max(from, end_of(first)), until);
}

enum err_code matters_windows(const struct matters *matters, struct windows *out, struct err *err) {
    const struct watch *watch = &matters->watch;
    const size_t count = watch->scenario->expect_count;
    const struct utc at =
        watch->first_disturbance.ns != 0 ? watch->first_disturbance : matters->order;
    if (at.ns == UTC_NEVER.ns) {
        return err_set(err, ERR_RANGE, "nothing happens in it: name a window");
    }
    const struct utc from = {at.ns - LEAD.ns};
    struct window *first = &out->window[0];
    *first = window_between(from, utc_add(from, LENGTH));
    struct utc met = first_outside(first, matters->latched_at, count);
    if (met.ns == UTC_NEVER.ns) {
        met = first_outside(first, watch->met_at, count);
    }
    out->count = 1;
    if (met.ns != UTC_NEVER.ns) {
        out->window[out->count++] = beside(first, met);
    }
    return ERR_OK;
}

enum err_code windows_find(const struct scenario *scenario, const char *data_dir, const char *build,
                           struct windows *out, struct err *err) {
    if (scenario->window_length.ns != 0) {
        *out = (struct windows){{{scenario->window, scenario->window_length}}, 1};
        return ERR_OK;
    }
    struct matters matters;
    struct stage_result result = {0};
    matters_init(&matters, scenario);
    const struct stage_options options = {.scenario = scenario,
                                          .data_dir = data_dir,
                                          .build = build,
                                          .observer = &matters.seam,
                                          .without_judges = true};
    enum err_code code = stage_run(&options, &result, err);
    code = code == ERR_OK ? matters_windows(&matters, out, err) : code;
    stage_result_release(&result);
    return code;
}
