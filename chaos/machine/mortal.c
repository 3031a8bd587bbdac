/* mortal.c - see mortal.h. */
#include "chaos/machine/mortal.h"

#include <string.h>

static bool is_alive(struct process *process) {
    return process_enter(process, PROCESS_LOOK) == PROCESS_ALIVE;
}

/* --- clock: the dead read what they last read --- */

static struct utc clock_mortal_utc(struct clock *seam) {
    struct mortal_clock *mortal = (struct mortal_clock *)seam;
    if (is_alive(mortal->process)) {
        mortal->last_utc = clock_utc(mortal->inner);
    }
    return mortal->last_utc;
}

static struct mono clock_mortal_mono(struct clock *seam) {
    struct mortal_clock *mortal = (struct mortal_clock *)seam;
    if (is_alive(mortal->process)) {
        mortal->last_mono = clock_mono(mortal->inner);
    }
    return mortal->last_mono;
}

static void clock_mortal_boot_id(struct clock *seam, char out[static CLOCK_BOOT_MAX]) {
    struct mortal_clock *mortal = (struct mortal_clock *)seam;
    if (is_alive(mortal->process)) {
        clock_boot_id(mortal->inner, mortal->boot_id);
    }
    memcpy(out, mortal->boot_id, CLOCK_BOOT_MAX);
}

static void clock_mortal_sleep(struct clock *seam, struct span span) {
    struct mortal_clock *mortal = (struct mortal_clock *)seam;
    if (is_alive(mortal->process)) {
        clock_sleep(mortal->inner, span);
    }
}

static const struct clock_ops clock_mortal_ops = {.utc_now = clock_mortal_utc,
                                                  .mono_now = clock_mortal_mono,
                                                  .boot_id = clock_mortal_boot_id,
                                                  .sleep = clock_mortal_sleep};

void mortal_clock_init(struct mortal_clock *mortal, struct clock *inner, struct process *process) {
    *mortal =
        (struct mortal_clock){.seam = {&clock_mortal_ops}, .inner = inner, .process = process};
    mortal->last_utc = clock_utc(inner);
    mortal->last_mono = clock_mono(inner);
    clock_boot_id(inner, mortal->boot_id);
}

/* --- entropy and host --- */

static enum err_code entropy_mortal_fill(struct entropy *seam, void *bytes, size_t n,
                                         struct err *err) {
    struct mortal_entropy *mortal = (struct mortal_entropy *)seam;
    if (!is_alive(mortal->process)) {
        return err_set(err, ERR_IO, "no entropy");
    }
    return entropy_fill(mortal->inner, bytes, n, err);
}

static const struct entropy_ops entropy_mortal_ops = {.fill = entropy_mortal_fill};

void mortal_entropy_init(struct mortal_entropy *mortal, struct entropy *inner,
                         struct process *process) {
    *mortal =
        (struct mortal_entropy){.seam = {&entropy_mortal_ops}, .inner = inner, .process = process};
}

static enum host_wish host_mortal_poll(struct host *seam) {
    struct mortal_host *mortal = (struct mortal_host *)seam;
    return is_alive(mortal->process) ? host_poll(mortal->inner) : HOST_TERMINATE;
}

static const struct host_ops host_mortal_ops = {.poll = host_mortal_poll};

void mortal_host_init(struct mortal_host *mortal, struct host *inner, struct process *process) {
    *mortal = (struct mortal_host){.seam = {&host_mortal_ops}, .inner = inner, .process = process};
}

/* --- observer: no call of the world, so not counted as one --- */

static void observer_mortal_observe(struct observer *seam, const struct event *event) {
    struct mortal_observer *mortal = (struct mortal_observer *)seam;
    if (process_is_dead(mortal->process)) {
        return;
    }
    struct event told = *event;
    told.at = virtual_clock_now(mortal->process->clock);
    observe(mortal->inner, &told);
}

static const struct observer_ops observer_ops = {observer_mortal_observe};

void mortal_observer_init(struct mortal_observer *mortal, struct observer *inner,
                          const struct process *process) {
    *mortal = (struct mortal_observer){.seam = {&observer_ops}, .inner = inner, .process = process};
}
