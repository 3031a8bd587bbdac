/* rig.h - a small world for tests of the core: a disk in memory, a clock that only moves when told, a
 * journal on them, and an observer that counts alerts. Header only; NULL http. */
#ifndef TESTS_UNIT_RIG_H
#define TESTS_UNIT_RIG_H

#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/virtual_clock.h"
#include "core/health/log.h"
#include "core/state/journal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rig {
    struct observer observer; /* first: the seam */
    struct world world;
    struct virtual_clock *clock;
    struct sim_disk *disk;
    struct sim_entropy entropy;
    struct log log;
    struct config config; /* of the log: tests change it in place */
    struct journal *journal;
    int pages, warnings;
    int settled; /* orders whose fate became known */
    char last_alert[64];
    char last_refusal[200]; /* "WORD: what was compared" */
};

static inline void rig_observe(struct observer *observer, const struct event *event) {
    struct rig *rig = (struct rig *)observer;
    if (event->kind == EVENT_REFUSAL) {
        snprintf(rig->last_refusal, sizeof rig->last_refusal, "%s: %s", event->subject,
                 event->body);
    }
    rig->settled +=
        event->kind == EVENT_MECHANISM && strcmp(event->subject, "order_idempotency") == 0;
    if (event->kind != EVENT_ALERT) {
        return;
    }
    rig->pages += strcmp(event->subject, "page") == 0;
    rig->warnings += strcmp(event->subject, "warn") == 0;
    (void)!text_copy(rig->last_alert, sizeof rig->last_alert, event->what, NULL);
}

static const struct observer_ops RIG_OBSERVER = {rig_observe};

/* 2026-09-01 10:00 New York, a Tuesday: inside a session. */
static inline struct utc rig_start(void) {
    return ny_to_utc(date_from_civil(2026, 9, 1), 10, 0);
}

static inline void rig_open_journal(struct rig *rig) {
    struct err err = {0};
    cr_assert_eq(journal_open(&rig->world, "journal.db", NULL, &rig->journal, &err), ERR_OK, "%s",
                 err.text);
}

static inline struct rig *rig_create(void) {
    struct rig *rig = calloc(1, sizeof *rig);
    cr_assert_not_null(rig);
    rig->clock = virtual_clock_create(rig_start(), "rig");
    rig->disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_KIND), NULL);
    sim_entropy_init(&rig->entropy, 1, "rig", 0);
    rig->observer.ops = &RIG_OBSERVER;
    rig->world = (struct world){.clock = virtual_clock_seam(rig->clock),
                                .disk = sim_disk_port(rig->disk, 0),
                                .entropy = &rig->entropy.seam,
                                .observer = &rig->observer};
    rig->config = config_defaults();
    log_init(&rig->log, &rig->world, &rig->config);
    rig_open_journal(rig);
    return rig;
}

static inline void rig_destroy(struct rig *rig) {
    journal_close(rig->journal);
    log_release(&rig->log);
    sim_disk_destroy(rig->disk);
    virtual_clock_destroy(rig->clock);
    free(rig);
}

/* A new process over the same disk. */
static inline void rig_reopen(struct rig *rig) {
    journal_close(rig->journal);
    rig->journal = NULL;
    rig_open_journal(rig);
}

static inline struct utc rig_now(const struct rig *rig) {
    return virtual_clock_now(rig->clock);
}

static inline void rig_wait(struct rig *rig, struct span span) {
    virtual_clock_advance(rig->clock, span);
}

struct rig_alert { /* the newest in the outbox whose key it is */
    const struct sim_disk *disk;
    char end[80];
    struct text content; /* "": none */
    int count;
};

static inline void rig_alert_visit(void *context, const char *name) {
    struct rig_alert *alert = context;
    size_t n = strlen(name);
    size_t end = strlen(alert->end);
    if (strncmp(name, "outbox/", 7) == 0 && n > end &&
        strcmp(name + n - end, alert->end) == 0) { /* names come by time */
        alert->count++;
        (void)!sim_disk_read(alert->disk, name, &alert->content);
    }
}

/* How many alerts of a key the outbox holds, and the newest in `out` (cleared first; may be NULL). */
static inline int rig_outbox(const struct sim_disk *disk, const char *key, struct text *out) {
    struct rig_alert alert = {.disk = disk};
    snprintf(alert.end, sizeof alert.end, "-%s.json", key);
    sim_disk_visit_all(disk, rig_alert_visit, &alert);
    if (out != NULL) {
        text_clear(out);
        text_add(out, text_get(&alert.content));
    }
    text_release(&alert.content);
    return alert.count;
}

/* Parses a decimal of the test's own text. */
static inline struct usd dollars(const char *text) {
    struct usd out = {0};
    cr_assert_eq(usd_parse(text, &out, NULL), ERR_OK);
    return out;
}

#endif
