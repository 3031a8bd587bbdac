/* courier.c - what is in hand, which channel gets it next, and what a channel's answer means. */
#include "core/courier/courier.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/courier/message.h"
#include "core/courier/pulse.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALERT_BYTES_MAX 4096
#define REMEMBERED_MAX 256

struct item {                 /* an alert in hand */
    char file[DISK_NAME_MAX]; /* in the outbox; "": the courier's own */
    enum alert_severity severity;
    char key[ALERT_KEY_MAX], text[ALERT_TEXT_MAX], at[UTC_TEXT_MAX];
    int64_t count;
    struct mono taken_at, due_at;
    unsigned done;                 /* a bit for each channel that has it */
    unsigned failed[CHANNELS_MAX]; /* times */
};

struct told { /* that a text was told, and when last */
    uint64_t hash;
    struct mono at;
};

struct line { /* of a channel */
    struct mono not_before;
    struct mono sent_at[COURIER_PAGES_A_MINUTE]; /* the last messages, a ring */
    size_t sent;
    int failures; /* running */
    struct courier_status status;
};

struct courier {
    struct world *world;
    const struct channels *channels;
    struct disk_file lock;
    struct item items[COURIER_ITEMS_MAX]; /* by the name of their file: by time */
    size_t count;
    struct told told[REMEMBERED_MAX];
    size_t told_count;
    struct line lines[CHANNELS_MAX];
    struct pulse pulse;
    bool is_silent; /* told */
    struct mono ping_at;
    struct message_request request;
    struct http_response response;
};

static struct mono now_of(const struct courier *courier) {
    return clock_mono(courier->world->clock);
}

/* id: the channel, or "" */
static void tell(const struct courier *courier, const char *mechanism, const char *what,
                 const char *id) {
    observe(courier->world->observer, &(struct event){.kind = EVENT_MECHANISM,
                                                      .at = clock_utc(courier->world->clock),
                                                      .subject = mechanism,
                                                      .what = what,
                                                      .id = id});
}

/* --- what was told before --- */

static uint64_t hash_of(const struct item *item) {
    return hash64(item->text, strlen(item->text), hash64(item->key, strlen(item->key), 0));
}

static struct span repeat_of(enum alert_severity severity) {
    return severity == ALERT_PAGE   ? COURIER_REPEAT_PAGE
           : severity == ALERT_WARN ? COURIER_REPEAT_WARN
                                    : COURIER_REPEAT_INFO;
}

static struct told *find_told(struct courier *courier, uint64_t hash) {
    for (size_t i = 0; i < courier->told_count; i++) {
        if (courier->told[i].hash == hash) {
            return &courier->told[i];
        }
    }
    return NULL;
}

/* Past the limit the one told longest ago makes room. */
static void remember_told(struct courier *courier, uint64_t hash) {
    struct told *told = find_told(courier, hash);
    if (told == NULL && courier->told_count < REMEMBERED_MAX) {
        told = &courier->told[courier->told_count++];
    }
    if (told == NULL) {
        told = &courier->told[0];
        for (size_t i = 1; i < REMEMBERED_MAX; i++) {
            told = courier->told[i].at.ns < told->at.ns ? &courier->told[i] : told;
        }
    }
    *told = (struct told){hash, now_of(courier)};
}

/* --- taking in hand --- */

static void remove_file(struct courier *courier, const char *name) {
    char path[DISK_NAME_MAX];
    if (name[0] == '\0') {
        return;
    }
    (void)snprintf(path, sizeof path, "outbox/%.110s", name);
    (void)!disk_remove(courier->world->disk, path, NULL);
}

/* Not in hand any more; what follows moves up. */
static void drop_item(struct courier *courier, size_t i) {
    remove_file(courier, courier->items[i].file);
    courier->count--;
    memmove(&courier->items[i], &courier->items[i + 1],
            (courier->count - i) * sizeof courier->items[0]);
}

/* A text that waits already is not told twice: the newer count stands, what of the older was told is told. */
static void merge_older(struct courier *courier, const struct item *newer) {
    for (size_t i = 0; i < courier->count; i++) {
        struct item *older = &courier->items[i];
        if (older->done == 0 && older->severity == newer->severity &&
            strcmp(older->key, newer->key) == 0 && strcmp(older->text, newer->text) == 0) {
            drop_item(courier, i);
            return;
        }
    }
}

static void take(struct courier *courier, struct item *item) {
    const struct told *told = find_told(courier, hash_of(item));
    item->taken_at = now_of(courier);
    item->due_at = told == NULL ? item->taken_at : mono_add(told->at, repeat_of(item->severity));
    MUTATE(courier_repeats_at_once, item->due_at = item->taken_at);
    MUTATE(courier_never_repeats, if (told != NULL) item->due_at = (struct mono){INT64_MAX});
    merge_older(courier, item);
    if (courier->count < COURIER_ITEMS_MAX) {
        courier->items[courier->count++] = *item;
    }
}

static bool severity_of(const char *word, enum alert_severity *out) {
    for (int i = ALERT_INFO; i <= ALERT_PAGE; i++) {
        if (strcmp(word, alert_severity_word((enum alert_severity)i)) == 0) {
            *out = (enum alert_severity)i;
            return true;
        }
    }
    return false;
}

static bool parse_alert(const struct text *bytes, struct item *out) {
    char severity[8] = "";
    cJSON *tree = NULL;
    bool is_whole = json_parse(text_get(bytes), bytes->len, &tree, NULL) == ERR_OK &&
                    json_copy(tree, "severity", severity, sizeof severity, NULL) == ERR_OK &&
                    severity_of(severity, &out->severity) &&
                    json_copy(tree, "key", out->key, sizeof out->key, NULL) == ERR_OK &&
                    json_copy(tree, "text", out->text, sizeof out->text, NULL) == ERR_OK &&
                    json_copy(tree, "at", out->at, sizeof out->at, NULL) == ERR_OK &&
                    json_int(tree, "count", &out->count, NULL) == ERR_OK;
    cJSON_Delete(tree);
    return is_whole;
}

/* What cannot be read may have been a page, so it is one. A read that fails is tried again. */
static void take_file(struct courier *courier, const char *name) {
    char path[DISK_NAME_MAX];
    struct text bytes = {0};
    struct item item = {.severity = ALERT_PAGE, .count = 1};
    (void)snprintf(path, sizeof path, "outbox/%.110s", name);
    enum err_code code = state_file_read(courier->world->disk, path, ALERT_BYTES_MAX, &bytes, NULL);
    if (code == ERR_OK || code == ERR_LIMIT) {
        if (code != ERR_OK || !parse_alert(&bytes, &item)) {
            item = (struct item){.severity = ALERT_PAGE, .count = 1};
            MUTATE(courier_drops_the_unreadable, remove_file(courier, name); text_release(&bytes); return);
            strcpy(item.key, "alert_unreadable");
            (void)snprintf(item.text, sizeof item.text, "outbox/%.110s", name);
            utc_print(clock_utc(courier->world->clock), item.at);
        }
        (void)snprintf(item.file, sizeof item.file, "%.110s", name);
        take(courier, &item);
    }
    text_release(&bytes);
}

struct found { /* names that are not in hand yet */
    const struct courier *courier;
    char names[32][DISK_NAME_MAX]; /* a look takes so many; the rest waits for the next */
    size_t count;
};

static void found_visit(void *context, const char *name) {
    struct found *found = context;
    size_t n = strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".json") != 0 ||
        found->count == sizeof found->names / sizeof found->names[0]) {
        return; /* a temporary file of the core, or no room */
    }
    for (size_t i = 0; i < found->courier->count; i++) {
        if (strncmp(found->courier->items[i].file, name, 110) == 0) {
            return;
        }
    }
    (void)!text_copy(found->names[found->count++], DISK_NAME_MAX, name, NULL);
}

static void look_at_outbox(struct courier *courier) {
    struct found found = {.courier = courier, .count = 0};
    (void)!disk_list(courier->world->disk, "outbox", found_visit, &found, NULL);
    for (size_t i = 0; i < found.count && courier->count < COURIER_ITEMS_MAX; i++) {
        take_file(courier, found.names[i]);
    }
}

/* --- who gets what --- */

static bool has_bit(unsigned bits, size_t i) {
    return (bits >> i & 1) != 0;
}

static bool wants(const struct courier *courier, size_t channel, const struct item *item) {
    bool is_escalated =
        item->done == 0 && mono_sub(now_of(courier), item->taken_at).ns >= COURIER_ESCALATE.ns;
    MUTATE(courier_never_escalates, is_escalated = false);
    return item->severity >= courier->channels->items[channel].least || is_escalated;
}

static bool is_due(const struct courier *courier, size_t channel, const struct item *item) {
    return !has_bit(item->done, channel) && item->due_at.ns <= now_of(courier).ns &&
           wants(courier, channel, item);
}

static bool is_over(const struct courier *courier, const struct item *item) {
    bool is_everywhere = true;
    for (size_t i = 0; i < courier->channels->count; i++) {
        is_everywhere &= has_bit(item->done, i) || !wants(courier, i, item);
    }
    MUTATE(one_channel_suffices, is_everywhere = item->done != 0);
    bool is_old = mono_sub(now_of(courier), item->taken_at).ns >= COURIER_GIVE_UP.ns;
    return item->done != 0 && (is_everywhere || is_old);
}

/* --- an exchange --- */

static void fail(struct courier *courier, struct line *line, struct span wait) {
    line->failures++;
    line->status.failed++;
    line->not_before = mono_add(now_of(courier), wait);
}

/* 1, 2, 4, ... up to a minute. */
static struct span backoff_of(const struct line *line) {
    struct span wait = line->failures < 6 ? SPAN_S(1 << line->failures) : COURIER_BACKOFF_MAX;
    return wait;
}

static struct span wait_after(const struct http_response *response, const struct line *line) {
    struct span wait = backoff_of(line);
    if (response->status == 429 && response->retry_after_s > 0) {
        wait = response->retry_after_s > COURIER_RETRY_AFTER_MAX.ns / NANOS
                   ? COURIER_RETRY_AFTER_MAX
                   : SPAN_S(response->retry_after_s);
    }
    return wait;
}

/* True if the channel took it. What its server said is not kept: it may repeat what we sent. */
static bool send_message(struct courier *courier, size_t channel, const struct message *message) {
    struct line *line = &courier->lines[channel];
    struct err err = {0};
    message_print(courier->channels, &courier->channels->items[channel], message,
                  &courier->request);
    enum err_code code = http_perform(courier->world->http, &courier->request.request,
                                      COURIER_DEADLINE, &courier->response, &err);
    message_release(&courier->request);
    line->sent_at[line->sent++ % COURIER_PAGES_A_MINUTE] = now_of(courier);
    bool is_taken = code == ERR_OK && courier->response.status / 100 == 2;
    MUTATE(courier_believes_any_answer, is_taken = code == ERR_OK);
    tell(courier, "alerts", is_taken ? "acted" : "held", courier->channels->items[channel].name);
    if (is_taken) {
        line->failures = 0;
        line->status.delivered++;
        line->status.error[0] = '\0';
        return true;
    }
    if (code == ERR_OK) {
        (void)snprintf(line->status.error, sizeof line->status.error, "answered %d",
                       courier->response.status);
    } else { /* its text holds the url, which may be a secret */
        (void)snprintf(line->status.error, sizeof line->status.error, "%s",
                       code == ERR_NOT_SENT ? "not reached" : "no answer");
    }
    fail(courier, line, wait_after(&courier->response, line));
    MUTATE(courier_never_waits, line->not_before = (struct mono){0});
    return false;
}

/* --- what is due on a channel --- */

static void tell_item(struct courier *courier, size_t channel, struct item *item) {
    const struct message message = {.severity = item->severity,
                                    .key = item->key,
                                    .text = item->text,
                                    .count = item->count,
                                    .at = item->at};
    if (send_message(courier, channel, &message)) {
        item->done |= 1U << channel;
        remember_told(courier, hash_of(item));
    } else {
        item->failed[channel]++;
        MUTATE(courier_plugged, item->failed[channel] = 0);
    }
}

/* The one that failed there least, so that a message which is never taken does not plug the line. */
static size_t next_item(const struct courier *courier, size_t channel, const bool *is_in) {
    size_t next = courier->count;
    for (size_t i = 0; i < courier->count; i++) {
        bool is_better = next == courier->count ||
                         courier->items[i].failed[channel] < courier->items[next].failed[channel];
        next = is_in[i] && is_better ? i : next;
    }
    return next;
}

/* Each key once, pages first, as many as fit. */
static void print_digest(const struct courier *courier, const bool *is_in, struct text *out) {
    bool is_told[COURIER_ITEMS_MAX] = {false};
    size_t named = 0;
    size_t left = 0;
    for (int severity = ALERT_PAGE; severity >= ALERT_INFO; severity--) {
        for (size_t i = 0; i < courier->count; i++) {
            const struct item *item = &courier->items[i];
            if (!is_in[i] || is_told[i] || (int)item->severity != severity) {
                continue;
            }
            size_t same = 0;
            for (size_t j = i; j < courier->count; j++) {
                bool is_same = is_in[j] && strcmp(courier->items[j].key, item->key) == 0;
                is_told[j] |= is_same;
                same += is_same;
            }
            if (out->len < 500) {
                text_add_format(out, "%s%s", named++ > 0 ? ", " : "", item->key);
                if (same > 1) {
                    text_add_format(out, " (%zu)", same);
                }
            } else {
                left++;
            }
        }
    }
    if (left > 0) {
        text_add_format(out, " and %zu more", left);
    }
}

/* All that has piled up, in one message: nobody reads a hundred. */
static void tell_digest(struct courier *courier, size_t channel, enum alert_severity most,
                        const bool *is_in, size_t in) {
    char at[UTC_TEXT_MAX];
    struct text text = {.limit = 800};
    text_add_format(&text, "%zu alerts: ", in);
    print_digest(courier, is_in, &text);
    utc_print(clock_utc(courier->world->clock), at);
    const struct message message = {
        .severity = most, .key = "several", .text = text_get(&text), .count = 1, .at = at};
    if (send_message(courier, channel, &message)) {
        for (size_t i = 0; i < courier->count; i++) {
            if (is_in[i]) {
                courier->items[i].done |= 1U << channel;
                remember_told(courier, hash_of(&courier->items[i]));
            }
        }
    }
    text_release(&text);
}

/* Not asked back yet, and not told so much within a minute that nobody could read it. */
static bool may_send(const struct courier *courier, const struct line *line,
                     enum alert_severity severity) {
    const size_t most = severity == ALERT_PAGE ? COURIER_PAGES_A_MINUTE : COURIER_OTHERS_A_MINUTE;
    struct mono now = now_of(courier);
    size_t lately = 0;
    for (size_t i = 0; i < line->sent && i < COURIER_PAGES_A_MINUTE; i++) {
        lately += mono_sub(now, line->sent_at[i]).ns < SPAN_MIN(1).ns;
    }
    MUTATE(courier_without_limit, lately = 0);
    return line->not_before.ns <= now.ns && lately < most;
}

static void serve_channel(struct courier *courier, size_t channel) {
    bool is_in[COURIER_ITEMS_MAX] = {false};
    struct line *line = &courier->lines[channel];
    size_t in = 0;
    enum alert_severity most = ALERT_INFO;
    for (size_t i = 0; i < courier->count; i++) {
        is_in[i] = is_due(courier, channel, &courier->items[i]);
        in += is_in[i];
        most = is_in[i] && courier->items[i].severity > most ? courier->items[i].severity : most;
    }
    bool is_digest = in > COURIER_SINGLES_MAX;
    MUTATE(courier_never_digests, is_digest = false);
    if (is_digest && may_send(courier, line, most)) {
        tell_digest(courier, channel, most, is_in, in);
    }
    for (; !is_digest && in > 0; in--) {
        size_t next = next_item(courier, channel, is_in);
        is_in[next] = false;
        if (may_send(courier, line, courier->items[next].severity)) {
            tell_item(courier, channel, &courier->items[next]);
        }
    }
}

/* Who answered last comes first, so that one that hangs keeps nobody waiting. */
static void serve_channels(struct courier *courier) {
    unsigned served = 0;
    for (size_t n = 0; n < courier->channels->count; n++) {
        size_t next = CHANNELS_MAX;
        for (size_t i = 0; i < courier->channels->count; i++) {
            bool is_better =
                next == CHANNELS_MAX || courier->lines[i].failures < courier->lines[next].failures;
            next = !has_bit(served, i) && is_better ? i : next;
        }
        served |= 1U << next;
        serve_channel(courier, next);
    }
}

static void drop_delivered(struct courier *courier) {
    size_t before = courier->count;
    for (size_t i = courier->count; i-- > 0;) {
        if (is_over(courier, &courier->items[i])) {
            drop_item(courier, i);
        }
    }
    if (courier->count < before) { /* else a power cut brings back what was told */
        (void)!disk_sync_dir(courier->world->disk, "outbox", NULL);
    }
}

/* --- the core's heart --- */

static void heed_pulse(struct courier *courier) {
    pulse_look(&courier->pulse, courier->world);
    bool is_silent = pulse_is_silent(&courier->pulse, now_of(courier));
    MUTATE(courier_deaf_to_silence, is_silent = false);
    if (is_silent && !courier->is_silent) {
        struct item item = {.severity = ALERT_PAGE, .key = "core_silent", .count = 1};
        (void)snprintf(item.text, sizeof item.text, "no heartbeat for %lld s",
                       (long long)(pulse_age(&courier->pulse, now_of(courier)).ns / NANOS));
        utc_print(clock_utc(courier->world->clock), item.at);
        take(courier, &item);
    }
    if (is_silent != courier->is_silent) {
        tell(courier, "heartbeat", is_silent ? "acted" : "released", "");
    }
    courier->is_silent = is_silent;
}

static void ping(struct courier *courier) {
    const struct channels *channels = courier->channels;
    bool is_dead = courier->is_silent || !courier->pulse.is_known;
    MUTATE(dead_man_pinged_anyway, is_dead = false);
    if (!channels->has_dead_man || is_dead || now_of(courier).ns < courier->ping_at.ns) {
        return;
    }
    const struct http_request request = message_ping(channels);
    (void)!http_perform(courier->world->http, &request, COURIER_DEADLINE, &courier->response, NULL);
    courier->ping_at = mono_add(now_of(courier), channels->dead_man_every);
}

/* --- life --- */

void courier_step(struct courier *courier) {
    look_at_outbox(courier);
    heed_pulse(courier);
    serve_channels(courier);
    drop_delivered(courier);
    ping(courier);
}

size_t courier_waiting(const struct courier *courier) {
    return courier->count;
}

struct courier_status courier_status(const struct courier *courier, size_t channel) {
    return courier->lines[channel].status;
}

enum err_code courier_test(struct courier *courier, size_t channel, struct err *err) {
    char at[UTC_TEXT_MAX];
    utc_print(clock_utc(courier->world->clock), at);
    const struct message message = {.severity = ALERT_INFO,
                                    .key = "courier_test",
                                    .text = "if you read this, the channel works",
                                    .count = 1,
                                    .at = at};
    if (send_message(courier, channel, &message)) {
        return ERR_OK;
    }
    return err_set(err, ERR_REFUSED, "%s", courier->lines[channel].status.error);
}

enum err_code courier_create(const struct courier_options *options, struct courier **out,
                             struct err *err) {
    struct courier *courier = calloc(1, sizeof *courier);
    if (courier == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for a courier");
    }
    courier->world = options->world;
    courier->channels = options->channels;
    enum err_code code = disk_make_dir(courier->world->disk, "outbox", err);
    if (code == ERR_OK) {
        code = disk_lock(courier->world->disk, "courier.lock", &courier->lock, err);
        code = code == ERR_LOCKED ? err_set(err, code, "another courier serves this state") : code;
    }
    if (code != ERR_OK) {
        free(courier);
        return code;
    }
    pulse_init(&courier->pulse, now_of(courier));
    *out = courier;
    return ERR_OK;
}

void courier_destroy(struct courier *courier) {
    if (courier == NULL) {
        return;
    }
    disk_close(courier->world->disk, courier->lock);
    message_release(&courier->request);
    http_response_release(&courier->response);
    free(courier);
}
