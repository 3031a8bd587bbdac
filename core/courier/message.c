/* message.c - the four shapes. */
#include "core/courier/message.h"

#include "core/base/hash.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 8192

/* "[page] desk-1: naked_position: AAPL (57 times, last at ...)" */
static void print_line(struct text *out, const struct channels *channels,
                       const struct message *message) {
    text_add_format(out, "[%s] %s: %s: %s", alert_severity_word(message->severity), channels->name,
                    message->key, message->text);
    if (message->count > 1) {
        text_add_format(out, " (%lld times)", (long long)message->count);
    }
    text_add_format(out, ", %s", message->at);
}

static void print_json(struct text *out, const struct channels *channels,
                       const struct message *message) {
    text_add_char(out, '{');
    text_member_string(out, "source", "seatrial");
    text_member_string(out, "name", channels->name);
    text_member_string(out, "severity", alert_severity_word(message->severity));
    text_member_string(out, "key", message->key);
    text_member_string(out, "text", message->text);
    text_member_int(out, "count", message->count);
    text_member_string(out, "at", message->at);
    text_add_char(out, '}');
}

static void print_slack(struct text *out, const char *line) {
    text_add_char(out, '{');
    text_member_string(out, "text", line);
    text_add_char(out, '}');
}

/* Events API v2: the severities are critical, error, warning and info. A key whose incident is open is not
 * rung again: so the text is in it, for another position without a stop is another incident. */
static void print_pagerduty(struct text *out, const struct channels *channels,
                            const struct channel *channel, const struct message *message,
                            const char *line) {
    static const char *const words[] = {"info", "warning", "critical"};
    char dedup_key[CHANNEL_NAME_MAX + ALERT_KEY_MAX + 24];
    (void)snprintf(dedup_key, sizeof dedup_key, "%s/%s/%016llx", channels->name, message->key,
                   (unsigned long long)hash64(message->text, strlen(message->text), 0));
    text_add_char(out, '{');
    text_member_string(out, "routing_key", channel->token);
    text_member_string(out, "event_action", "trigger");
    text_member_string(out, "dedup_key", dedup_key);
    text_member(out, "payload");
    text_add_char(out, '{');
    text_member_string(out, "summary", line);
    text_member_string(out, "source", channels->name);
    text_member_string(out, "severity", words[message->severity]);
    text_member_string(out, "timestamp", message->at);
    text_add(out, "}}");
}

/* A header carries one line of plain ASCII. */
static void add_plain(struct text *out, const char *words) {
    for (; *words != '\0'; words++) {
        text_add_char(out, *words >= 0x20 && *words < 0x7f ? *words : '?');
    }
}

static void add_header(struct message_request *out, const char *name, const char *value) {
    out->headers[out->request.header_count++] = (struct http_header){name, value};
}

static void head_ntfy(const struct channels *channels, const struct message *message,
                      struct message_request *out) {
    static const char *const priorities[] = {"2", "4", "5"};
    text_clear(&out->title);
    add_plain(&out->title, channels->name);
    text_add(&out->title, ": ");
    add_plain(&out->title, message->key);
    add_header(out, "Title", text_get(&out->title));
    add_header(out, "Priority", priorities[message->severity]);
    add_header(out, "Content-Type", "text/plain; charset=utf-8");
}

static struct http_request request_to(const struct channel_url *url, const char *method) {
    return (struct http_request){.method = method,
                                 .host = HTTP_ELSEWHERE,
                                 .origin = url->origin,
                                 .path = url->path,
                                 .query = url->query,
                                 .body = ""};
}

void message_print(const struct channels *channels, const struct channel *channel,
                   const struct message *message, struct message_request *out) {
    struct text line = {.limit = 1000}; /* PagerDuty takes 1,024 of a summary */
    print_line(&line, channels, message);
    text_clear(&out->body);
    (void)text_reserve(&out->body, MESSAGE_BYTES); /* grown later, it would leave a token behind */
    out->request = request_to(&channel->url, "POST");
    out->request.is_change = true;
    switch (channel->shape) {
    case CHANNEL_SLACK:
        print_slack(&out->body, text_get(&line));
        break;
    case CHANNEL_PAGERDUTY:
        print_pagerduty(&out->body, channels, channel, message, text_get(&line));
        break;
    case CHANNEL_NTFY:
        text_add(&out->body, text_get(&line));
        head_ntfy(channels, message, out);
        break;
    case CHANNEL_JSON:
    case CHANNEL_SHAPES:
        print_json(&out->body, channels, message);
        break;
    }
    if (channel->token[0] != '\0' && channel->shape != CHANNEL_PAGERDUTY) {
        text_clear(&out->bearer);
        text_add_format(&out->bearer, "Bearer %s", channel->token);
        add_header(out, "Authorization", text_get(&out->bearer));
    }
    out->request.headers = out->headers;
    out->request.body = text_get(&out->body);
    out->request.body_len = out->body.len;
    text_release(&line);
}

struct http_request message_ping(const struct channels *channels) {
    return request_to(&channels->dead_man, "GET");
}

void message_release(struct message_request *request) {
    text_wipe(&request->body);
    text_wipe(&request->bearer);
    text_release(&request->title);
}
