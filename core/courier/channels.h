/* channels.h - where alerts go: the courier's own file, which holds secrets and no broker's key.
 *
 * {"name": "desk-1",                          what messages call this bot; at most 31 bytes
 *  "channels": [                              two at least that take pages, on different hosts
 *    {"name": "pager", "shape": "pagerduty", "url": "https://events.pagerduty.com/v2/enqueue",
 *     "token": "ROUTING KEY", "least": "page"},
 *    {"name": "chat", "shape": "slack", "url": "https://hooks.slack.com/services/...", "least": "page"},
 *    {"name": "phone", "shape": "ntfy", "url": "https://ntfy.sh/TOPIC", "least": "warn"},
 *    {"name": "hook", "shape": "json", "url": "https://...", "token": "BEARER", "least": "info"}],
 *  "dead_man": {"url": "https://hc-ping.com/...", "every_s": 60}}        optional
 *
 * "least" is the least severity that a channel takes. A Slack URL is a secret itself. URLs are https, or
 * http to this machine. What each service takes: Slack "Sending messages using incoming webhooks",
 * PagerDuty "Events API v2", ntfy "Publishing", as of 2026. */
#ifndef CORE_COURIER_CHANNELS_H
#define CORE_COURIER_CHANNELS_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/base/utc.h"
#include "core/health/alerts.h"

#define CHANNELS_MAX 8
#define CHANNELS_FILE_MAX ((size_t)64 << 10)
#define CHANNEL_NAME_MAX 32
#define CHANNEL_URL_MAX 512

enum channel_shape { CHANNEL_JSON, CHANNEL_SLACK, CHANNEL_PAGERDUTY, CHANNEL_NTFY, CHANNEL_SHAPES };
const char *channel_shape_word(enum channel_shape shape);

struct channel_url {
    char origin[256]; /* "https://host:port" as said */
    char path[CHANNEL_URL_MAX], query[CHANNEL_URL_MAX];
};

struct channel {
    char name[CHANNEL_NAME_MAX];
    enum channel_shape shape;
    struct channel_url url;
    char token[256]; /* "": none */
    enum alert_severity least;
};

struct channels {
    char name[CHANNEL_NAME_MAX];
    struct channel items[CHANNELS_MAX];
    size_t count;
    bool has_dead_man;
    struct channel_url dead_man;
    struct span dead_man_every;
};

/* ERR_CONFIG: each fault is a line of faults, naming member and remedy; out is then unchanged. Values
 * of urls and tokens are in no line. */
enum err_code channels_parse(const char *bytes, size_t n, struct channels *out, struct text *faults,
                             struct err *err) MUST_USE;
/* Wipes urls and tokens. */
void channels_wipe(struct channels *channels);

#endif
