/* courier.c - which channel gets which alert next, and what a channel's answer means. */
#include "core/courier/courier.h"

#include "core/base/mutant.h"
#include "core/courier/hand.h"
#include "core/courier/message.h"
#include "core/courier/pulse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEVERAL_TEXT 80   /* bytes of each text in a message of several */
#define SEVERAL_BYTES 600 /* then a message of several names no further one */
#define PLUG_AFTER 3      /* refusals of a message of several: then its alerts go one by one */

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
    bool has_lock;
    struct hand hand;
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
    return line->failures < 6 ? SPAN_S(1 << line->failures) : COURIER_BACKOFF_MAX;
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

/* A proxy, or a site that is being repaired, answers in the channel's place, and with 200: no channel says with
 * such a page that it took a message. */
static bool is_web_page(const struct text *body) {
    const char *at = text_get(body);
    at += strspn(at, " \t\r\n");
    return strncasecmp(at, "<html", 5) == 0 || strncasecmp(at, "<!doctype html", 14) == 0;
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
    bool is_page = code == ERR_OK && is_web_page(&courier->response.body);
    bool is_taken = code == ERR_OK && courier->response.status / 100 == 2 && !is_page;
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
        (void)snprintf(line->status.error, sizeof line->status.error, "answered %d%s",
                       courier->response.status, is_page ? ", with a web page" : "");
    } else { /* the seam names the host alone: the rest of a url may be a secret */
        (void)snprintf(line->status.error, sizeof line->status.error, "%s: %.130s",
                       code == ERR_NOT_SENT ? "not reached" : "no answer", err.text);
    }
    fail(courier, line, wait_after(&courier->response, line));
    MUTATE(courier_never_waits, line->not_before = (struct mono){0});
    return false;
}

/* --- what is due on a channel --- */

static void note_outcome(struct courier *courier, size_t channel, struct item *item,
                         bool is_taken) {
    if (is_taken) {
        item->done |= 1U << channel;
        hand_tell(&courier->hand, item);
    } else {
        item->failed[channel] += courier->lines[channel].was_refused;
        MUTATE(courier_plugged, item->failed[channel] = 0);
    }
}

static void tell_item(struct courier *courier, size_t channel, struct item *item) {
    const struct message message = {.severity = item->severity,
                                    .key = item->key,
                                    .text = item->text,
                                    .count = item->count,
                                    .at = item->at};
    note_outcome(courier, channel, item, send_message(courier, channel, &message));
}

/* The one that failed there least, so that a message which is never taken does not plug the line. */
static size_t next_item(const struct courier *courier, size_t channel, const bool *is_in) {
    size_t next = courier->hand.count;
    for (size_t i = 0; i < courier->hand.count; i++) {
        bool is_better =
            next == courier->hand.count ||
            courier->hand.items[i].failed[channel] < courier->hand.items[next].failed[channel];
        next = is_in[i] && is_better ? i : next;
    }
    return next;
}

/* Pages first, each key once with its texts, as many as a reader takes in; is_in keeps those alone. */
static size_t print_several(const struct courier *courier, bool *is_in, struct text *out) {
    bool is_told[COURIER_ITEMS_MAX] = {false};
    size_t named = 0;
    for (int severity = ALERT_PAGE; severity >= ALERT_INFO; severity--) {
        for (size_t i = 0; i < courier->hand.count; i++) {
            const struct item *first = &courier->hand.items[i];
            if (!is_in[i] || is_told[i] || (int)first->severity != severity ||
                out->len > SEVERAL_BYTES) {
                continue;
            }
            text_add_format(out, "%s%s: ", named > 0 ? "; " : "", first->key);
            for (size_t j = i; j < courier->hand.count && (j == i || out->len <= SEVERAL_BYTES);
                 j++) {
                const struct item *item = &courier->hand.items[j];
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
    for (size_t i = 0; i < courier->hand.count; i++) {
        if (is_in[i]) {
            note_outcome(courier, channel, &courier->hand.items[i], is_taken);
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
    for (size_t i = 0; i < courier->hand.count; i++) {
        const struct item *item = &courier->hand.items[i];
        is_in[i] = is_due(courier, channel, item);
        in += is_in[i];
        *most = is_in[i] && item->severity > *most ? item->severity : *most;
    }
    return in;
}

/* Leaves out what was refused there again and again, alone or among others: that goes by itself. */
static size_t leave_out_refused(const struct courier *courier, size_t channel, bool *is_in) {
    size_t in = 0;
    for (size_t i = 0; i < courier->hand.count; i++) {
        is_in[i] = is_in[i] && courier->hand.items[i].failed[channel] < PLUG_AFTER;
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
        bool is_alone = !are_several || courier->hand.items[next].failed[channel] >= PLUG_AFTER;
        is_in[next] = false;
        if (is_alone && may_send(courier, line, courier->hand.items[next].severity)) {
            tell_item(courier, channel, &courier->hand.items[next]);
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
    for (size_t i = courier->hand.count; i-- > 0;) {
        if (is_over(courier, &courier->hand.items[i])) {
            hand_drop(&courier->hand, i);
        }
    }
    hand_settle(&courier->hand);
}

/* --- the core's heart --- */

static void heed_pulse(struct courier *courier) {
    pulse_look(&courier->pulse, courier->world);
    bool is_silent = pulse_is_silent(&courier->pulse, now_of(courier));
    MUTATE(courier_deaf_to_silence, is_silent = false);
    if (is_silent != courier->is_silent) {
        char text[120]; /* another silence is another text, and so another incident */
        (void)snprintf(text, sizeof text, "%s, the last heartbeat was of %s",
                       is_silent ? "nobody watches over positions and orders" : "it lives again",
                       courier->pulse.at[0] != '\0' ? courier->pulse.at : "(none was seen)");
        if (!hand_take_own(&courier->hand, is_silent ? ALERT_PAGE : ALERT_WARN,
                           is_silent ? "core_silent" : "core_back", text)) {
            return; /* said once there is room */
        }
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
    hand_look(&courier->hand);
    heed_pulse(courier);
    serve_channels(courier);
    drop_delivered(courier);
    ping(courier);
}

size_t courier_waiting(const struct courier *courier) {
    return courier->hand.count;
}

bool courier_has_more(const struct courier *courier) {
    return courier->hand.has_more;
}

bool courier_is_blind(const struct courier *courier) {
    return courier->hand.is_blind;
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
    hand_init(&courier->hand, options->world);
    courier->channels = options->channels;
    courier->never_pings = options->never_pings;
    courier->has_lock = !options->only_tests;
    enum err_code code = disk_make_dir(courier->world->disk, "outbox", err);
    if (code == ERR_OK && courier->has_lock) {
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
    if (courier->has_lock) {
        disk_close(courier->world->disk, courier->lock);
    }
    message_release(&courier->request);
    http_response_release(&courier->response);
    free(courier);
}
