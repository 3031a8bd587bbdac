/* schedule.c - see schedule.h. */
#include "chaos/faults/schedule.h"

#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>

void schedule_release(struct schedule *schedule) {
    free(schedule->lines);
    *schedule = (struct schedule){0};
}

enum err_code schedule_add(struct schedule *schedule, const struct fault_fired *line,
                           struct err *err) {
    if (schedule->count == SCHEDULE_LINES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d lines in a schedule", SCHEDULE_LINES_MAX);
    }
    if (schedule->count > 0 && line->tick < schedule->lines[schedule->count - 1].fired.tick) {
        return err_set(err, ERR_USAGE, "tick %lld comes after tick %lld", (long long)line->tick,
                       (long long)schedule->lines[schedule->count - 1].fired.tick);
    }
    if (schedule->count == schedule->cap) {
        schedule->cap = schedule->cap == 0 ? 64 : schedule->cap * 2;
        schedule->lines = realloc(schedule->lines, schedule->cap * sizeof *schedule->lines);
        CHECK(schedule->lines != NULL);
    }
    schedule->lines[schedule->count++] = (struct schedule_line){.fired = *line};
    return ERR_OK;
}

void schedule_set_tick(struct schedule *schedule, int64_t tick) {
    while (schedule->first < schedule->count &&
           schedule->lines[schedule->first].fired.tick < tick) {
        schedule->first++;
    }
    schedule->end = schedule->first;
    while (schedule->end < schedule->count && schedule->lines[schedule->end].fired.tick == tick) {
        schedule->end++;
    }
}

const struct schedule_line *schedule_take(struct schedule *schedule, enum fault_point point,
                                          size_t only, const char *entity, uint64_t ordinal) {
    for (size_t i = schedule->first; i < schedule->end; i++) {
        struct schedule_line *line = &schedule->lines[i];
        if (!line->is_done && line->fired.point == point && line->fired.ordinal == ordinal &&
            (only == PLAN_ANY_FAULT || line->fired.fault == only) &&
            strncmp(line->fired.entity, entity, sizeof line->fired.entity - 1) == 0) {
            line->is_done = true;
            return line;
        }
    }
    return NULL;
}
