/* state_rig.h - a world whose every disk and entropy call can be told to fail, another process on the same
 * disk, and the loop that makes each call of a piece of work fail in turn. Header only. */
#ifndef TESTS_TORTURE_STATE_RIG_H
#define TESTS_TORTURE_STATE_RIG_H

#include "chaos/machine/sim_disk.h"
#include "chaos/machine/sim_entropy.h"
#include "core/state/inbox.h"
#include "core/state/journal.h"
#include "core/state/lease.h"
#include "core/state/state_document.h"
#include "core/state/state_file.h"
#include "tests/torture/failing_disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 2000 /* no work here needs as many */

struct rig {
    struct sim_disk *disk;
    struct virtual_clock *clock;
    struct sim_entropy entropy;
    struct failing_disk failing;
    struct world world; /* through the failing disk */
    struct world sound; /* another process, same disk */
    struct err err;
    bool is_new_boot;
};

static inline void start(struct rig *rig) {
    *rig = (struct rig){0};
    rig->disk = sim_disk_create(1, disk_rules_of(DISK_PROFILE_STRICT), NULL);
    rig->clock = virtual_clock_create((struct utc){INT64_C(1788269400) * 1000000000}, "test");
    sim_entropy_init(&rig->entropy, 1, "core", 0);
    failing_disk_init(&rig->failing, sim_disk_port(rig->disk, 0), &rig->entropy.seam);
    rig->world = (struct world){.clock = virtual_clock_seam(rig->clock),
                                .disk = &rig->failing.seam,
                                .entropy = &rig->failing.entropy};
    rig->sound = rig->world;
    rig->sound.disk = sim_disk_port(rig->disk, 1);
    rig->sound.entropy = &rig->entropy.seam;
}

static inline void stop(struct rig *rig) {
    cr_expect_eq(rig->failing.open_handles, 0, "a handle stayed open");
    sim_disk_destroy(rig->disk);
    virtual_clock_destroy(rig->clock);
}

/* What is not durable is gone; so are all handles. */
static inline void power_cut(struct rig *rig) {
    struct disk_image *image = sim_disk_snapshot(rig->disk);
    sim_disk_restore(rig->disk, image);
    disk_image_destroy(image);
    rig->failing.open_handles = 0;
}

static inline void pass(struct rig *rig, int seconds) {
    virtual_clock_advance(rig->clock, SPAN_S(seconds));
}

/* One piece of work: prepares, arms itself, works, disarms, judges. */
typedef void trial(struct rig *rig, int n, bool is_persistent, enum err_code code);

/* Runs a trial with its n-th call failing until none fails; at least `least` calls are expected. */
static inline void torture(trial *run, int least) {
    static const enum err_code codes[] = {ERR_IO, ERR_NO_SPACE};
    for (int i = 0; i < 4; i++) {
        int n = 1;
        for (bool has_failed = true; has_failed && n < CALLS_MAX; n++) {
            struct rig rig;
            start(&rig);
            run(&rig, n, i % 2 == 1, codes[i / 2]);
            has_failed = rig.failing.failures > 0;
            stop(&rig);
        }
        cr_expect_geq(n - 2, least, "only %d calls could fail", n - 2);
        cr_expect_lt(n, CALLS_MAX);
    }
}

static inline void arm(struct rig *rig, int n, bool is_persistent, enum err_code code) {
    failing_disk_arm(&rig->failing, n, is_persistent, code);
}

static inline void disarm(struct rig *rig) {
    rig->failing.fail_at = 0; /* calls and failures stay to be read */
}

static inline bool is_disk_error(enum err_code code) {
    return code == ERR_IO || code == ERR_NO_SPACE;
}

/* Document a.json holding one number, by process 0. */
static inline enum err_code save(struct rig *rig, int number) {
    char members[40];
    snprintf(members, sizeof members, "\"number\":%d", number);
    return state_file_save(&rig->world, "a.json", number, members, &rig->err);
}

/* The number in a generation; 0 if it is missing, -1 if it is anything but good. */
static inline int number_in(struct rig *rig, int generation) {
    struct state_file file = {0};
    int64_t number = -1;
    cr_assert_eq(state_file_load(&rig->sound, "a.json", generation, &file, &rig->err), ERR_OK);
    if (file.condition == STATE_FILE_GOOD) {
        cr_assert_eq(json_int(file.tree, "number", &number, &rig->err), ERR_OK);
    } else if (file.condition == STATE_FILE_MISSING) {
        number = 0;
    }
    state_file_release(&file);
    return (int)number;
}

#endif
