/* messenger.c - see messenger.h. */
#include "scenarios/messenger.h"

#include "core/base/check.h"
#include "scenarios/stage_internal.h"

#include <stdlib.h>
#include <string.h>

#define COURIER_PORT 3 /* of the disk: behind the core, the operator and the second instance */
#define IDLE_LOOK SPAN_S(10)
#define RESTARTED_AFTER SPAN_S(5)

/* Two that take pages alone, and of the rest the words of docs/operator.md. */
static const char CHANNELS[] =
    "{\"name\":\"sea\",\"channels\":["
    "{\"name\":\"pager\",\"shape\":\"pagerduty\",\"url\":\"https://pager.example/pager\","
    "\"token\":\"SIM-ROUTING\",\"least\":\"page\"},"
    "{\"name\":\"chat\",\"shape\":\"slack\",\"url\":\"https://chat.example/chat\","
    "\"least\":\"page\"},"
    "{\"name\":\"phone\",\"shape\":\"ntfy\",\"url\":\"https://phone.example/phone\","
    "\"least\":\"warn\"},"
    "{\"name\":\"hook\",\"shape\":\"json\",\"url\":\"https://hook.example/hook\","
    "\"token\":\"SIM-BEARER\",\"least\":\"info\"}],"
    "\"dead_man\":{\"url\":\"https://dead.example/dead\",\"every_s\":60}}";

struct messenger {
    struct stage *stage;
    struct virtual_clock *clock; /* its own: never behind the stage's after a look */
    struct http servers;         /* first byte to last in a moment; what they got is told */
    struct late_queue *late;
    struct process process;
    struct faulty_disk *disk;
    struct faulty_http *http;
    struct mortal_clock mortal_clock;
    struct mortal_entropy mortal_entropy;
    struct mortal_host mortal_host;
    struct mortal_observer mortal_observer;
    struct sim_entropy entropy;
    struct sim_host host;
    struct observer ear; /* an alert wakes it */
    struct world world;
    struct channels channels;
    struct courier *courier; /* NULL: dead */
    struct utc next_at;
};

/* --- the channels' servers --- */

#define SERVER_TAKES SPAN_MS(60) /* there and back */

static struct messenger *of_servers(struct http *seam) {
    return (struct messenger *)((char *)seam - offsetof(struct messenger, servers));
}

static enum err_code servers_perform(struct http *seam, const struct http_request *request,
                                     struct span deadline, struct http_response *response,
                                     struct err *err) {
    struct messenger *messenger = of_servers(seam);
    (void)deadline;
    (void)err;
    virtual_clock_advance(messenger->clock, SERVER_TAKES);
    http_response_clear(response);
    response->status = 200;
    text_add(&response->body, "ok");
    const struct utc now = virtual_clock_now(messenger->stage->clock);
    const struct span ahead = utc_sub(virtual_clock_now(messenger->clock), now);
    observe(&messenger->stage->fanout.seam, &(struct event){.kind = EVENT_DELIVERY,
                                                            .at = now,
                                                            .subject = request->path + 1,
                                                            .what = request->method,
                                                            .number = ahead.ns,
                                                            .body = request->body,
                                                            .body_len = request->body_len});
    return ERR_OK;
}

static const struct http_ops servers_ops = {.perform = servers_perform};

/* --- its process --- */

static void tell(struct messenger *messenger, const char *word) {
    observe(&messenger->stage->fanout.seam,
            &(struct event){.kind = EVENT_COURIER,
                            .at = virtual_clock_now(messenger->stage->clock),
                            .subject = word});
}

static void bury(struct messenger *messenger) {
    if (messenger->courier != NULL) {
        courier_destroy(messenger->courier);
        messenger->courier = NULL;
        tell(messenger, "dead");
    }
    sim_disk_process_died(messenger->stage->disk, COURIER_PORT);
    messenger->next_at = utc_add(virtual_clock_now(messenger->stage->clock), RESTARTED_AFTER);
}

void messenger_kill(struct messenger *messenger) {
    if (messenger != NULL) {
        process_kill(&messenger->process);
        bury(messenger);
    }
}

static void start(struct messenger *messenger) {
    const struct courier_options options = {.world = &messenger->world,
                                            .channels = &messenger->channels};
    process_start(&messenger->process, messenger->stage->clock);
    if (courier_create(&options, &messenger->courier, NULL) != ERR_OK) {
        messenger->courier = NULL;
        bury(messenger);
        return;
    }
    tell(messenger, "started");
}

struct utc messenger_next_at(const struct messenger *messenger) {
    return messenger == NULL ? UTC_NEVER : messenger->next_at;
}

/* Its looks come each second; those that would find nothing are spared. */
static void plan_next(struct messenger *messenger) {
    struct utc now =
        utc_max(virtual_clock_now(messenger->clock), virtual_clock_now(messenger->stage->clock));
    bool is_idle =
        courier_waiting(messenger->courier) == 0 && !courier_has_more(messenger->courier);
    messenger->next_at = utc_add(now, is_idle ? IDLE_LOOK : COURIER_LOOK);
}

void messenger_look(struct messenger *messenger) {
    if (messenger == NULL ||
        utc_is_before(virtual_clock_now(messenger->stage->clock), messenger->next_at)) {
        return;
    }
    virtual_clock_advance_to(messenger->clock, virtual_clock_now(messenger->stage->clock));
    (void)late_queue_deliver_due(messenger->late, virtual_clock_now(messenger->clock));
    if (messenger->courier == NULL) {
        start(messenger);
    }
    if (messenger->courier != NULL) {
        courier_step(messenger->courier);
        plan_next(messenger);
    }
    if (process_is_dead(&messenger->process)) {
        bury(messenger);
    }
}

/* --- life --- */

static void hear(struct observer *observer, const struct event *event) {
    struct messenger *messenger =
        (struct messenger *)((char *)observer - offsetof(struct messenger, ear));
    if (event->kind == EVENT_ALERT && messenger->courier != NULL) {
        struct utc soon = utc_add(virtual_clock_now(messenger->stage->clock), COURIER_LOOK);
        messenger->next_at = utc_min(messenger->next_at, soon);
    }
}

static const struct observer_ops ear_ops = {hear};

static void wire(struct messenger *messenger) {
    struct stage *stage = messenger->stage;
    struct process *process = &messenger->process;
    const uint64_t seed = stage->scenario->seed;
    messenger->servers.ops = &servers_ops;
    messenger->ear.ops = &ear_ops;
    messenger->late = late_queue_create(&messenger->servers);
    mortal_clock_init(&messenger->mortal_clock, virtual_clock_seam(messenger->clock), process);
    sim_entropy_init(&messenger->entropy, seed, "courier", 1);
    mortal_entropy_init(&messenger->mortal_entropy, &messenger->entropy.seam, process);
    sim_host_init(&messenger->host);
    mortal_host_init(&messenger->mortal_host, &messenger->host.seam, process);
    mortal_observer_init(&messenger->mortal_observer, &stage->fanout.seam, process);
    messenger->disk = faulty_disk_create(sim_disk_port(stage->disk, COURIER_PORT), stage->disk,
                                         stage->plan, process);
    messenger->http = faulty_http_create(&messenger->servers, stage->plan, process,
                                         messenger->clock, messenger->late);
    messenger->world = (struct world){.clock = &messenger->mortal_clock.seam,
                                      .http = faulty_http_seam(messenger->http),
                                      .disk = faulty_disk_seam(messenger->disk),
                                      .entropy = &messenger->mortal_entropy.seam,
                                      .host = &messenger->mortal_host.seam,
                                      .observer = &messenger->mortal_observer.seam};
}

struct messenger *messenger_create(struct stage *stage) {
    struct text faults = {0};
    struct messenger *messenger = calloc(1, sizeof *messenger);
    CHECK(messenger != NULL);
    messenger->stage = stage;
    messenger->clock = virtual_clock_create(stage->start, "courier");
    messenger->next_at = stage->start;
    CHECK(channels_parse(CHANNELS, strlen(CHANNELS), &messenger->channels, &faults, NULL) ==
          ERR_OK);
    text_release(&faults);
    wire(messenger);
    fanout_add(&stage->fanout, &messenger->ear);
    return messenger;
}

void messenger_destroy(struct messenger *messenger) {
    if (messenger == NULL) {
        return;
    }
    process_kill(&messenger->process);
    courier_destroy(messenger->courier);
    faulty_http_destroy(messenger->http);
    faulty_disk_destroy(messenger->disk);
    late_queue_destroy(messenger->late);
    virtual_clock_destroy(messenger->clock);
    free(messenger);
}
