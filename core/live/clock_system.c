/* clock_system.c - clock_gettime(), clock_nanosleep() and the kernel's boot id. */
#include "core/live/clock_system.h"

#include "core/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

struct clock_system {
    struct clock seam;
    char boot_id[CLOCK_BOOT_MAX]; /* read once: it cannot change under a running process */
};

static int64_t now_ns(clockid_t which) {
    struct timespec now;
    CHECK(clock_gettime(which, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct utc system_utc(struct clock *clock) {
    (void)clock;
    return (struct utc){now_ns(CLOCK_REALTIME)};
}

static struct mono system_mono(struct clock *clock) {
    (void)clock;
    return (struct mono){now_ns(CLOCK_BOOTTIME)};
}

static void system_boot_id(struct clock *clock, char out[static CLOCK_BOOT_MAX]) {
    memcpy(out, ((struct clock_system *)clock)->boot_id, CLOCK_BOOT_MAX);
}

static void system_sleep(struct clock *clock, struct span span) {
    (void)clock;
    int64_t ns = span.ns > CLOCK_SLEEP_MAX.ns ? CLOCK_SLEEP_MAX.ns : span.ns;
    if (ns <= 0) {
        return;
    }
    struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
    /* EINTR ends the sleep on purpose: the caller looks at the host next. */
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static const struct clock_ops system_ops = {
    .utc_now = system_utc,
    .mono_now = system_mono,
    .boot_id = system_boot_id,
    .sleep = system_sleep,
};

static enum err_code read_boot_id(char out[static CLOCK_BOOT_MAX], struct err *err) {
    int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_IO, "%s: %s; mount /proc", BOOT_ID_FILE, strerror(errno));
    }
    char id[CLOCK_BOOT_MAX] = {0};
    ssize_t got = read(fd, id, sizeof id - 1);
    (void)close(fd);
    id[strcspn(id, "\n")] = '\0';
    if (got <= 0 || id[0] == '\0') {
        return err_set(err, ERR_IO, "%s is empty; mount /proc", BOOT_ID_FILE);
    }
    memcpy(out, id, sizeof id);
    return ERR_OK;
}

enum err_code clock_system_create(struct clock_system **out, struct err *err) {
    struct clock_system *system = calloc(1, sizeof *system);
    if (system == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the clock");
    }
    system->seam.ops = &system_ops;
    enum err_code code = read_boot_id(system->boot_id, err);
    if (code != ERR_OK) {
        free(system);
        return code;
    }
    *out = system;
    return ERR_OK;
}

void clock_system_destroy(struct clock_system *system) {
    free(system);
}

struct clock *clock_system_seam(struct clock_system *system) {
    return &system->seam;
}
