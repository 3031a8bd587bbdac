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
#define LOOK_MAX 32       /* files taken in a look */
#define SEVERAL_TEXT 80   /* bytes of each text in a message of several */
#define SEVERAL_BYTES 600 /* then a message of several names no further one */
#define REFUSED_MAX 32    /* files that the disk refuses, remembered */
#define PLUG_AFTER 3      /* refusals of a message of several: then its alerts go one by one */

struct item {                 /* an alert in hand */
    char file[DISK_NAME_MAX]; /* in the outbox; "": the courier's own */
    enum alert_severity severity;
    char key[ALERT_KEY_MAX], text[ALERT_TEXT_MAX], at[UTC_TEXT_MAX];
    int64_t count;
    struct mono taken_at, due_at;
    unsigned done;                 /* a bit for each channel that has it */
    unsigned failed[CHANNELS_MAX]; /* times */
};

struct refused { /* a file that the disk does not let us read */
    char file[DISK_NAME_MAX];
    struct mono since;
};

struct told { /* that a text was told, and when last */
    uint64_t hash;
    struct mono at;
};

struct line { /* of a channel */
    struct mono not_before;
    struct mono sent_at[COURIER_PAGES_A_MINUTE]; /* the last messages, a ring */
    size_t sent;
    int failures;     /* running */
    bool was_refused; /* the last message, by an answer about it and not about the line */
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
    struct refused refused[REFUSED_MAX];
    size_t refused_count;
    bool has_more;    /* than the last look saw */
    bool is_blind;    /* the disk refused something of it */
    bool has_removed; /* since the folder was made durable */
    bool never_pings;
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

static void path_of(const char *file, char out[static DISK_NAME_MAX]) {
    (void)snprintf(out, DISK_NAME_MAX, "outbox/%.120s", file);
}

static void remove_file(struct courier *courier, const char *file) {
    char path[DISK_NAME_MAX];
    if (file[0] != '\0') {
        path_of(file, path);
        (void)!disk_remove(courier->world->disk, path, NULL);
        courier->has_removed = true;
    }
}

/* Not in hand any more, its file stays; what follows moves up. */
static void let_go(struct courier *courier, size_t i) {
    courier->count--;
    memmove(&courier->items[i], &courier->items[i + 1],
            (courier->count - i) * sizeof courier->items[0]);
}

static void drop_item(struct courier *courier, size_t i) {
    remove_file(courier, courier->items[i].file);
    let_go(courier, i);
}

/* A text that waits already is not told twice: the older stays, with its place and its age, and tells the
 * newer's count. */
static bool merge(struct courier *courier, const struct item *newer) {
    for (size_t i = 0; i < courier->count; i++) {
        struct item *older = &courier->items[i];
        if (older->done == 0 && older->severity == newer->severity &&
            strcmp(older->key, newer->key) == 0 && strcmp(older->text, newer->text) == 0) {
            older->count = newer->count;
            memcpy(older->at, newer->at, sizeof older->at);
            remove_file(courier, newer->file);
            return true;
        }
    }
    return false;
}

static bool is_spare(const struct item *item, bool is_page, bool is_done) {
    return (item->severity == ALERT_PAGE) == is_page && (item->done != 0) == is_done;
}

/* The first of a kind; COURIER_ITEMS_MAX if none is in hand. */
static size_t find_spare(const struct courier *courier, bool is_page, bool is_done) {
    size_t i = 0;
    while (i < courier->count && !is_spare(&courier->items[i], is_page, is_done)) {
        i++;
    }
    return i < courier->count ? i : COURIER_ITEMS_MAX;
}

/* A full hand makes room. For a page goes what nobody has and is none: its file stays. For any, what is no page
 * and some channel has. For a page at last one that some channel has. */
static bool make_room(struct courier *courier, bool is_page) {
    if (courier->count < COURIER_ITEMS_MAX) {
        return true;
    }
    size_t spare = is_page ? find_spare(courier, false, false) : COURIER_ITEMS_MAX;
    if (spare < COURIER_ITEMS_MAX) {
        let_go(courier, spare);
        return true;
    }
    spare = find_spare(courier, false, true);
    spare = spare == COURIER_ITEMS_MAX && is_page ? find_spare(courier, true, true) : spare;
    if (spare < COURIER_ITEMS_MAX) {
        drop_item(courier, spare);
    }
    return spare < COURIER_ITEMS_MAX;
}

/* False if there is no room: then it stays where it is. */
static bool take(struct courier *courier, struct item *item) {
    const struct told *told = find_told(courier, hash_of(item));
    item->taken_at = now_of(courier);
    item->due_at = told == NULL ? item->taken_at : mono_add(told->at, repeat_of(item->severity));
    MUTATE(courier_repeats_at_once, item->due_at = item->taken_at);
    MUTATE(courier_never_repeats, if (told != NULL) item->due_at = (struct mono){INT64_MAX});
    if (item->due_at.ns < item->taken_at.ns) {
        item->due_at = item->taken_at;
    }
    if (merge(courier, item)) {
        return true;
    }
    if (!make_room(courier, item->severity == ALERT_PAGE)) {
        return false;
    }
    courier->items[courier->count++] = *item;
    return true;
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

/* An alert of the courier's own; file "" if none is behind it. */
static struct item own_page(struct courier *courier, const char *key, const char *file) {
    struct item item = {.severity = ALERT_PAGE, .count = 1};
    strcpy(item.key, key);
    (void)snprintf(item.file, sizeof item.file, "%.120s", file);
    utc_print(clock_utc(courier->world->clock), item.at);
    return item;
}

/* What cannot be read may have been a page, so it is one. */
static void take_unreadable(struct courier *courier, const char *file) {
    struct item item = own_page(courier, "alert_unreadable", file);
    MUTATE(courier_drops_the_unreadable, remove_file(courier, file); return);
    (void)snprintf(item.text, sizeof item.text, "outbox/%.120s", file);
    courier->has_more |= !take(courier, &item);
}

/* A disk that refuses may give it back: so long it is tried again. */
static void heed_refusal(struct courier *courier, const char *file) {
    struct mono now = now_of(courier);
    courier->has_more = courier->is_blind = true;
    for (size_t i = 0; i < courier->refused_count; i++) {
        struct refused *refused = &courier->refused[i];
        if (strcmp(refused->file, file) == 0) {
            if (mono_sub(now, refused->since).ns >= COURIER_UNREADABLE.ns) {
                *refused = courier->refused[--courier->refused_count];
                take_unreadable(courier, file);
            }
            return;
        }
    }
    if (courier->refused_count < REFUSED_MAX) {
        struct refused *refused = &courier->refused[courier->refused_count++];
        *refused = (struct refused){.since = now};
        (void)snprintf(refused->file, sizeof refused->file, "%.120s", file);
    }
}

static void forget_refusal(struct courier *courier, const char *file) {
    for (size_t i = 0; i < courier->refused_count; i++) {
        if (strcmp(courier->refused[i].file, file) == 0) {
            courier->refused[i] = courier->refused[--courier->refused_count];
            return;
        }
    }
}

static void take_file(struct courier *courier, const char *file) {
    char path[DISK_NAME_MAX];
    struct text bytes = {0};
    struct item item = {.count = 0};
    path_of(file, path);
    enum err_code code = state_file_read(courier->world->disk, path, ALERT_BYTES_MAX, &bytes, NULL);
    bool is_read = code == ERR_OK || code == ERR_LIMIT;
    if (is_read || code == ERR_NOT_FOUND) {
        forget_refusal(courier, file);
    } else {
        heed_refusal(courier, file);
    }
    if (is_read && (code != ERR_OK || !parse_alert(&bytes, &item))) {
        take_unreadable(courier, file);
    } else if (is_read) {
        (void)snprintf(item.file, sizeof item.file, "%.120s", file);
        courier->has_more |= !take(courier, &item);
    }
    text_release(&bytes);
}

struct found { /* names that are not in hand yet */
    const struct courier *courier;
    char names[LOOK_MAX + REFUSED_MAX]
              [DISK_NAME_MAX]; /* those that the disk refuses starve no other */
    size_t count;
    bool has_more;
};

static void found_visit(void *context, const char *name) {
    struct found *found = context;
    size_t n = strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".json") != 0) {
        return; /* a temporary file of the core */
    }
    bool is_full = found->courier->count == COURIER_ITEMS_MAX;
    if (is_full && strstr(name, "-page-") == NULL) { /* a full hand takes pages alone */
        found->has_more = true;
        return;
    }
    for (size_t i = 0; i < found->courier->count; i++) {
        if (strncmp(found->courier->items[i].file, name, 120) == 0) {
            return;
        }
    }
    if (found->count == LOOK_MAX + found->courier->refused_count) {
        found->has_more = true;
        return;
    }
    (void)!text_copy(found->names[found->count++], DISK_NAME_MAX, name, NULL);
}

/* What the disk refused and somebody else removed since. */
static void forget_old_refusals(struct courier *courier) {
    for (size_t i = courier->refused_count; i-- > 0;) {
        struct span age = mono_sub(now_of(courier), courier->refused[i].since);
        if (age.ns >= 2 * COURIER_UNREADABLE.ns) {
            courier->refused[i] = courier->refused[--courier->refused_count];
        }
    }
}

static void look_at_outbox(struct courier *courier) {
    forget_old_refusals(courier);
    struct found found = {.courier = courier, .count = 0};
    enum err_code code = disk_list(courier->world->disk, "outbox", found_visit, &found, NULL);
    courier->has_more = found.has_more || code != ERR_OK;
    courier->is_blind = code != ERR_OK;
    for (size_t i = 0; i < found.count; i++) {
        take_file(courier, found.names[i]);
    }
}

/* --- who gets what --- */

static bool has_bit(unsigned bits, size_t i) {
    return (bits >> i & 1) != 0;
}

/* How long it has been waiting to be taken. */
static struct span due_for(const struct courier *courier, const struct item *item) {
    return mono_sub(now_of(courier), item->due_at);
}

static bool wants(const struct courier *courier, size_t channel, const struct item *item) {
    bool is_escalated = item->done == 0 && due_for(courier, item).ns >= COURIER_ESCALATE.ns;
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
    bool is_old = due_for(courier, item).ns >= COURIER_GIVE_UP.ns;
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
    int status = code == ERR_OK ? courier->response.status : 0;
    line->was_refused = status == 400 || status == 413 || status == 415 || status == 422;
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
        item->failed[channel] += courier->lines[channel].was_refused;
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

/* Pages first, each key once with its texts, as many as a reader takes in; is_in keeps those alone. */
static size_t print_several(const struct courier *courier, bool *is_in, struct text *out) {
    bool is_told[COURIER_ITEMS_MAX] = {false};
    size_t named = 0;
    for (int severity = ALERT_PAGE; severity >= ALERT_INFO; severity--) {
        for (size_t i = 0; i < courier->count; i++) {
            const struct item *first = &courier->items[i];
            if (!is_in[i] || is_told[i] || (int)first->severity != severity ||
                out->len > SEVERAL_BYTES) {
                continue;
            }
            text_add_format(out, "%s%s: ", named > 0 ? "; " : "", first->key);
            for (size_t j = i; j < courier->count && (j == i || out->len <= SEVERAL_BYTES); j++) {
                const struct item *item = &courier->items[j];
                if (is_in[j] && !is_told[j] && strcmp(item->key, first->key) == 0) {
                    text_add(out, j > i ? ", " : "");
                    text_add_bytes(out, item->text, text_fit(item->text, SEVERAL_TEXT));
                    is_told[j] = true;
                    named++;
                }
            }
        }
    }
    memcpy(is_in, is_told, sizeof is_told);
    return named;
}

/* What has piled up, in one message: nobody reads a hundred. What it does not name waits for the next. */
static void tell_several(struct courier *courier, size_t channel, enum alert_severity most,
                         bool *is_in) {
    char at[UTC_TEXT_MAX];
    struct text names = {0};
    struct text text = {0};
    size_t named = print_several(courier, is_in, &names);
    text_add_format(&text, "%zu alerts: %s", named, text_get(&names));
    utc_print(clock_utc(courier->world->clock), at);
    const struct message message = {
        .severity = most, .key = "several", .text = text_get(&text), .count = 1, .at = at};
    bool is_taken = send_message(courier, channel, &message);
    for (size_t i = 0; i < courier->count; i++) {
        struct item *item = &courier->items[i];
        if (is_in[i] && is_taken) {
            item->done |= 1U << channel;
            remember_told(courier, hash_of(item));
        } else if (is_in[i]) {
            item->failed[channel] += courier->lines[channel].was_refused;
        }
    }
    text_release(&names);
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

/* What is due there; the worst of it in `most`. */
static size_t find_due(const struct courier *courier, size_t channel, bool *is_in,
                       enum alert_severity *most) {
    size_t in = 0;
    for (size_t i = 0; i < courier->count; i++) {
        const struct item *item = &courier->items[i];
        is_in[i] = is_due(courier, channel, item);
        in += is_in[i];
        *most = is_in[i] && item->severity > *most ? item->severity : *most;
    }
    return in;
}

/* Leaves out what was refused there again and again, alone or among others: that goes by itself. */
static size_t leave_out_refused(const struct courier *courier, size_t channel, bool *is_in) {
    size_t in = 0;
    for (size_t i = 0; i < courier->count; i++) {
        is_in[i] = is_in[i] && courier->items[i].failed[channel] < PLUG_AFTER;
        in += is_in[i];
    }
    return in;
}

static void serve_channel(struct courier *courier, size_t channel) {
    bool is_in[COURIER_ITEMS_MAX] = {false};
    bool is_plain[COURIER_ITEMS_MAX];
    struct line *line = &courier->lines[channel];
    enum alert_severity most = ALERT_INFO;
    size_t in = find_due(courier, channel, is_in, &most);
    memcpy(is_plain, is_in, sizeof is_plain);
    bool are_several = leave_out_refused(courier, channel, is_plain) > COURIER_SINGLES_MAX;
    MUTATE(courier_never_digests, are_several = false);
    if (are_several && may_send(courier, line, most)) {
        tell_several(courier, channel, most, is_plain);
    }
    for (; in > 0; in--) {
        size_t next = next_item(courier, channel, is_in);
        bool is_alone = !are_several || courier->items[next].failed[channel] >= PLUG_AFTER;
        is_in[next] = false;
        if (is_alone && may_send(courier, line, courier->items[next].severity)) {
            tell_item(courier, channel, &courier->items[next]);
        }
    }
}

static size_t next_channel(const struct courier *courier, unsigned served) {
    size_t next = CHANNELS_MAX;
    for (size_t i = 0; i < courier->channels->count; i++) {
        bool is_better =
            next == CHANNELS_MAX || courier->lines[i].failures < courier->lines[next].failures;
        next = !has_bit(served, i) && is_better ? i : next;
    }
    return next;
}

/* Who takes messages comes first. Two that hang, or one that hung before, are as much as a step has time
 * for: who else fails is asked in the next. */
static void serve_channels(struct courier *courier) {
    unsigned served = 0;
    int failed = 0;
    for (size_t n = 0; n < courier->channels->count && failed < 2; n++) {
        size_t next = next_channel(courier, served);
        int64_t before = courier->lines[next].status.failed;
        if (failed > 0 && courier->lines[next].failures > 0) {
            return;
        }
        served |= 1U << next;
        serve_channel(courier, next);
        failed += courier->lines[next].status.failed > before;
    }
}

static void drop_delivered(struct courier *courier) {
    for (size_t i = courier->count; i-- > 0;) {
        if (is_over(courier, &courier->items[i])) {
            drop_item(courier, i);
        }
    }
    if (courier->has_removed) { /* else a power cut brings back what was told */
        courier->has_removed = disk_sync_dir(courier->world->disk, "outbox", NULL) != ERR_OK;
    }
}

/* --- the core's heart --- */

static void heed_pulse(struct courier *courier) {
    pulse_look(&courier->pulse, courier->world);
    bool is_silent = pulse_is_silent(&courier->pulse, now_of(courier));
    MUTATE(courier_deaf_to_silence, is_silent = false);
    if (is_silent && !courier->is_silent) {
        struct item item = own_page(courier, "core_silent", "");
        (void)snprintf(item.text, sizeof item.text, "no heartbeat for %lld s",
                       (long long)(pulse_age(&courier->pulse, now_of(courier)).ns / NANOS));
        if (!take(courier, &item)) {
            return; /* said once there is room */
        }
    }
    if (is_silent != courier->is_silent) {
        tell(courier, "heartbeat", is_silent ? "acted" : "released", "");
    }
    courier->is_silent = is_silent;
}

static void ping(struct courier *courier) {
    const struct channels *channels = courier->channels;
    bool is_well = pulse_is_well(&courier->pulse, now_of(courier)) && !courier->never_pings;
    MUTATE(dead_man_pinged_anyway, is_well = true);
    if (!channels->has_dead_man || !is_well || now_of(courier).ns < courier->ping_at.ns) {
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

bool courier_has_more(const struct courier *courier) {
    return courier->has_more;
}

bool courier_is_blind(const struct courier *courier) {
    return courier->is_blind;
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
    courier->never_pings = options->never_pings;
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
