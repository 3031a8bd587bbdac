/* instance.c - lives and ticks of one core process, and how it is wired to the world. */
#include "scenarios/instance.h"

#include "core/base/check.h"
#include "core/base/json.h"
#include "scenarios/exhaust.h"
#include "scenarios/stage_internal.h"

#include <stdio.h>
#include <string.h>

#define REFUSED_STARTS_MAX 5
#define RESTARTED_AFTER SPAN_S(10) /* a refused start, as its supervisor would */
#define RESTARTED_LATER SPAN_S(60)

static bool is_core(const struct instance *instance) {
    return instance->stage->core == instance;
}

static struct utc now_of(const struct instance *instance) {
    return virtual_clock_now(instance->stage->clock);
}

/* --- its voice --- */

/* From now on the run is this one's story; whoever was the core before is told as another. */
static void become_core(struct instance *instance) {
    struct stage *stage = instance->stage;
    struct instance *before = stage->core;
    if (before->engine != NULL) {
        instance_tell(
            before,
            &(struct event){.kind = EVENT_STOP, .at = now_of(instance), .subject = "succeeded"});
    }
    stage->core = instance;
    stage->company.until = now_of(instance);
    logbook_begin(&stage->logbook, instance->disk);
}

static bool broker_knows(const struct broker *broker, const char *client_id) {
    for (size_t i = broker_order_count(broker); i-- > 0;) {
        struct ledger_order order;
        broker_order_at(broker, i, &order);
        if (strcmp(order.client_id, client_id) == 0) {
            return true;
        }
    }
    return false;
}

/* Orders of an instance elsewhere carry ids like ours: the judges must know whose they are. */
static void tell_foreign(const struct instance *instance, const struct event *event) {
    struct stage *stage = instance->stage;
    char id[64] = "";
    cJSON *order = NULL;
    if (json_parse(event->body, event->body_len, &order, NULL) == ERR_OK) {
        (void)!json_copy(order, "client_order_id", id, sizeof id, NULL);
    }
    cJSON_Delete(order);
    if (id[0] != '\0' && !broker_knows(stage->broker, id)) {
        tell_frame(&stage->fanout.seam, "foreign", id);
    }
}

static void tell_as_other(struct voice *voice, const struct event *event) {
    const struct instance *instance = voice->instance;
    struct event told = *event;
    text_clear(&voice->what);
    text_add(&voice->what, event->subject);
    if (event->what != NULL && event->what[0] != '\0') {
        text_add_char(&voice->what, ' ');
        text_add(&voice->what, event->what);
    }
    told.kind = EVENT_OTHER;
    told.subject = event_word(event->kind);
    told.what = text_get(&voice->what);
    told.id = instance->is_elsewhere ? "elsewhere" : "here";
    told.number = (int64_t)instance->process.life;
    observe(&instance->stage->fanout.seam, &told);
}

static void voice_observe(struct observer *observer, const struct event *event) {
    struct voice *voice = (struct voice *)observer;
    struct instance *instance = voice->instance;
    const bool is_younger = instance->process.life > instance->stage->core->process.life;
    const bool has_written = event->kind == EVENT_ROW || event->kind == EVENT_DOCUMENT;
    if (is_younger && has_written && !instance->is_elsewhere) {
        become_core(instance);
    }
    if (is_core(instance)) {
        observe(&instance->stage->fanout.seam, event);
        return;
    }
    if (instance->is_elsewhere && event->kind == EVENT_SEND) {
        tell_foreign(instance, event);
    }
    tell_as_other(voice, event);
}

static const struct observer_ops voice_ops = {voice_observe};

void instance_tell(struct instance *instance, const struct event *event) {
    observe(&instance->voice.seam, event);
}

/* --- the clock of another machine --- */

static struct own_boot *own_boot(struct clock *seam) {
    return (struct own_boot *)seam;
}

static struct utc own_utc(struct clock *seam) {
    return clock_utc(own_boot(seam)->inner);
}

static struct mono own_mono(struct clock *seam) {
    const struct own_boot *boot = own_boot(seam);
    return (struct mono){utc_sub(virtual_clock_now(boot->machine), boot->since).ns};
}

static void own_boot_id(struct clock *seam, char out[static CLOCK_BOOT_MAX]) {
    (void)snprintf(out, CLOCK_BOOT_MAX, "elsewhere-%lld", (long long)own_boot(seam)->since.ns);
}

static void own_sleep(struct clock *seam, struct span span) {
    clock_sleep(own_boot(seam)->inner, span);
}

static const struct clock_ops own_ops = {
    .utc_now = own_utc, .mono_now = own_mono, .boot_id = own_boot_id, .sleep = own_sleep};

static struct clock *clock_for(struct instance *instance) {
    struct stage *stage = instance->stage;
    if (!instance->is_elsewhere) {
        return virtual_clock_seam(stage->clock);
    }
    instance->own_boot = (struct own_boot){.seam = {&own_ops},
                                           .inner = virtual_clock_seam(stage->clock),
                                           .machine = stage->clock,
                                           .since = now_of(instance)};
    return &instance->own_boot.seam;
}

/* --- wiring --- */

static void wire_disk(struct instance *instance) {
    struct stage *stage = instance->stage;
    if (instance->is_elsewhere) {
        const struct disk_rules rules = disk_rules_of(DISK_PROFILE_STRICT);
        instance->own_disk = sim_disk_create(stage->scenario->seed + 1, rules, stage->clock);
    }
    instance->disk = instance->is_elsewhere ? instance->own_disk : stage->disk;
    instance->faulty_disk =
        faulty_disk_create(sim_disk_port(instance->disk, instance->port), instance->disk,
                           instance->is_elsewhere ? NULL : stage->plan, &instance->process);
}

static void wire(struct instance *instance) {
    struct stage *stage = instance->stage;
    struct process *process = &instance->process;
    struct clock *clock = clock_for(instance);
    sim_http_init(&instance->sim_http, stage->broker, stage->clock, clock, stage->scenario->seed);
    mortal_clock_init(&instance->mortal_clock, clock, process);
    sim_entropy_init(&instance->entropy, stage->scenario->seed, "core", 1);
    mortal_entropy_init(&instance->mortal_entropy, &instance->entropy.seam, process);
    sim_host_init(&instance->host);
    mortal_host_init(&instance->mortal_host, &instance->host.seam, process);
    wire_disk(instance);
    instance->faulty_http =
        faulty_http_create(&instance->sim_http.seam, instance->is_elsewhere ? NULL : stage->plan,
                           process, stage->clock, stage->late);
    instance->voice = (struct voice){.seam = {&voice_ops}, .instance = instance};
    mortal_observer_init(&instance->mortal_observer, &instance->voice.seam, process);
    tap_init(&instance->tap, faulty_http_seam(instance->faulty_http), &instance->mortal_clock.seam,
             &instance->mortal_observer.seam, process);
    instance->world = (struct world){.clock = &instance->mortal_clock.seam,
                                     .http = &instance->tap.seam,
                                     .disk = faulty_disk_seam(instance->faulty_disk),
                                     .entropy = &instance->mortal_entropy.seam,
                                     .host = &instance->mortal_host.seam,
                                     .observer = &instance->mortal_observer.seam};
}

void instance_open(struct instance *instance, struct stage *stage, unsigned port,
                   bool is_elsewhere) {
    *instance = (struct instance){.stage = stage,
                                  .port = is_elsewhere ? 0 : port,
                                  .is_elsewhere = is_elsewhere,
                                  .restart_at = UTC_NEVER};
    process_start(&instance->process, stage->clock);
    instance->process.at_effect = company_at_effect;
    instance->process.at_effect_context = instance;
    wire(instance);
}

static void end_engine(struct instance *instance) {
    if (instance->engine == NULL) {
        return;
    }
    struct engine_totals *totals = &instance->stage->totals;
    const struct engine_totals life = engine_totals(instance->engine);
    totals->ticks += life.ticks;
    totals->orders += life.orders;
    totals->refusals += life.refusals;
    totals->fills += life.fills;
    if (!exhaust_is_copy(instance->stage->options->exhaust)) {
        engine_destroy(instance->engine);
    }
    instance->engine = NULL;
}

void instance_close(struct instance *instance) {
    if (instance->stage == NULL) {
        return;
    }
    process_kill(&instance->process);
    end_engine(instance);
    sim_disk_process_died(instance->disk, instance->port);
    text_release(&instance->voice.what);
    tap_release(&instance->tap);
    faulty_http_destroy(instance->faulty_http);
    faulty_disk_destroy(instance->faulty_disk);
    if (instance->own_disk != NULL) {
        sim_disk_destroy(instance->own_disk);
    }
    *instance = (struct instance){0};
}

/* --- lives --- */

/* Another process on the same machine, be it between two lives or in the middle of its start. */
static struct instance *housemate(const struct instance *instance) {
    struct instance *instances = instance->stage->instances;
    struct instance *other = &instances[instance == &instances[0] ? 1 : 0];
    return other->stage != NULL && !other->is_elsewhere && !instance->is_elsewhere ? other : NULL;
}

/* The same, if it has started; NULL for none. */
static struct instance *neighbour(const struct instance *instance) {
    struct instance *other = housemate(instance);
    return other != NULL && other->engine != NULL ? other : NULL;
}

/* What the disk keeps of a process that is dead; a power cut ends its machine. */
static void lose(struct instance *instance) {
    struct stage *stage = instance->stage;
    struct instance *other = housemate(instance);
    if (instance->is_elsewhere || !stage->scenario->is_power_cut) {
        sim_disk_process_died(instance->disk, instance->port);
        return;
    }
    struct crash_seeded fates = crash_seeded(stage->scenario->seed, stage->life);
    faulty_disk_power_cut(instance->faulty_disk, &fates.source);
    if (other != NULL) {
        process_kill(&other->process);
    }
    messenger_kill(stage->messenger);
}

/* The process is dead: its memory goes, and what the disk had not made durable. */
static void bury(struct instance *instance) {
    struct stage *stage = instance->stage;
    struct utc now = now_of(instance);
    end_engine(instance);
    bool does_not_stop = process_does_not_stop(&instance->process);
    if (stage->options->exhaust != NULL && is_core(instance)) {
        exhaust_process_died(stage->options->exhaust);
    }
    lose(instance);
    instance_tell(instance, &(struct event){.kind = EVENT_STOP,
                                            .at = now,
                                            .subject = "dead",
                                            .what = does_not_stop ? "does_not_stop" : ""});
    instance->restart_at =
        instance->stays_down ? UTC_NEVER : utc_add(now, stage_restart_delay(stage));
    instance->is_stopping = false;
}

/* A new process on what the old one left. */
static void new_life(struct instance *instance) {
    struct stage *stage = instance->stage;
    const bool is_first = instance->lives++ == 0;
    stage->life++;
    instance->restart_at = UTC_NEVER;
    if (stage->life == 1) {
        return;
    }
    if (!is_first && stage->scenario->is_new_boot && neighbour(instance) == NULL &&
        !instance->is_elsewhere) {
        virtual_clock_reboot(stage->clock);
    }
    (void)faulty_disk_restart(instance->faulty_disk);
    process_start(&instance->process, stage->clock);
    instance->process.life = stage->life;
    sim_entropy_init(&instance->entropy, stage->scenario->seed, "core", stage->life);
    sim_host_init(&instance->host);
}

static void start(struct instance *instance) {
    struct stage *stage = instance->stage;
    const struct stage_key key = stage_key(stage);
    struct engine_options options = {.world = &instance->world,
                                     .config = &stage->config,
                                     .mode = ENGINE_SIM,
                                     .key_id = key.key_id,
                                     .secret = key.secret,
                                     .build = stage->options->build,
                                     .reread = stage_reread,
                                     .reread_context = stage};
    struct err err = {0};
    new_life(instance);
    if (is_core(instance)) {
        stage_tell_copies(stage, true);
        logbook_begin(&stage->logbook, instance->disk);
    }
    if (engine_create(&options, &instance->engine, &err) == ERR_OK) {
        instance->refused_starts = 0;
        return;
    }
    instance->engine = NULL;
    if (process_is_dead(&instance->process)) {
        bury(instance);
        return;
    }
    /* what the environment refused (a full disk, a lease held: exit codes 4, 6) may pass: its supervisor
     * goes on, slower */
    bool is_last = ++instance->refused_starts >= REFUSED_STARTS_MAX;
    if (!is_core(instance) || !is_last) {
        instance->restart_at = utc_add(now_of(instance), RESTARTED_AFTER);
    } else if (err.code == ERR_IO || err.code == ERR_NO_SPACE || err.code == ERR_LOCKED) {
        instance->restart_at = utc_add(now_of(instance), RESTARTED_LATER);
    } else {
        instance->has_given_up = true;
    }
    sim_disk_process_died(instance->disk, instance->port);
}

/* What a scraper would find of a life that ended by itself. */
static void tell_metrics(struct instance *instance) {
    struct text content = {0};
    if (sim_disk_read(instance->disk, "metrics.prom", &content)) {
        instance_tell(instance, &(struct event){.kind = EVENT_METRICS,
                                                .at = now_of(instance),
                                                .body = text_get(&content),
                                                .body_len = content.len});
    }
    text_release(&content);
}

static void tell_log(struct instance *instance) {
    if (is_core(instance)) {
        logbook_look(&instance->stage->logbook, instance->disk, now_of(instance),
                     &instance->voice.seam);
    }
}

void instance_stop(struct instance *instance) {
    engine_stop(instance->engine);
    if (process_is_dead(&instance->process)) {
        bury(instance);
        return;
    }
    tell_metrics(instance);
    tell_log(instance);
    end_engine(instance);
    instance->is_stopping = false;
    sim_disk_process_died(instance->disk, instance->port);
}

bool instance_is_fenced(const struct instance *instance) {
    return engine_keep(instance->engine, NULL) == ERR_LOCKED;
}

/* --- ticks --- */

struct utc instance_next_at(const struct instance *instance) {
    if (instance->engine == NULL) {
        return instance->restart_at;
    }
    struct utc wall_ahead = {virtual_clock_offset(instance->stage->clock).ns};
    return (struct utc){engine_next_at(instance->engine).ns - wall_ahead.ns};
}

static void after_call(struct instance *instance) {
    if (process_is_dead(&instance->process)) {
        bury(instance);
    } else if (instance->is_stopping) {
        instance_stop(instance);
    }
}

/* As engine_run() does before each turn. */
static void hear_host(struct instance *instance) {
    bool is_told = host_poll(&instance->mortal_host.seam) == HOST_RELOAD ||
                   engine_owes_reload(instance->engine);
    if (is_told && engine_reload(instance->engine) && is_core(instance)) {
        stage_reloaded(instance->stage);
    }
}

static void tick(struct instance *instance) {
    struct stage *stage = instance->stage;
    stage_next_tick(stage, instance);
    hear_host(instance);
    stage->is_woken = false;
    faulty_disk_look(instance->faulty_disk);
    broker_advance_to(stage->broker, now_of(instance));
    sea_tick(stage->sea);
    engine_tick(instance->engine);
    stage_tell_equity(stage);
    if (is_core(instance) && !process_is_dead(&instance->process)) {
        stage_tell_copies(stage, false); /* else what is left of it is told at the next start */
        tell_log(instance);
    }
    if (stage->options->exhaust != NULL && is_core(instance)) {
        exhaust_ticked(stage->options->exhaust);
    }
    after_call(instance);
}

/* Between ticks the core looks at its inbox every 250 ms; the stage spares it the looks that would
 * find nothing. */
void instance_look(struct instance *instance) {
    instance->stage->is_woken = false;
    if (process_is_dead(&instance->process) || instance->is_stopping) {
        after_call(instance);
        return;
    }
    hear_host(instance);
    if (process_is_dead(&instance->process)) {
        after_call(instance);
    } else if (engine_look(instance->engine) && !process_is_dead(&instance->process)) {
        tick(instance);
    } else {
        after_call(instance);
    }
}

void instance_act(struct instance *instance) {
    if (instance->engine == NULL) {
        start(instance);
    } else {
        tick(instance);
    }
}
