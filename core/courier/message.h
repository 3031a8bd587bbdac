/* message.h - an alert in the words of a channel. */
#ifndef CORE_COURIER_MESSAGE_H
#define CORE_COURIER_MESSAGE_H

#include "core/courier/channels.h"
#include "core/world/http.h"

#define MESSAGE_HEADERS_MAX 4

struct message { /* what is told; borrowed */
    enum alert_severity severity;
    const char *key; /* what a pager merges by */
    const char *text;
    int64_t count;  /* times raised since the core's start */
    const char *at; /* RFC 3339 */
};

struct message_request { /* zero-initialise; message_release() */
    struct text body;
    struct text title, bearer;
    struct http_header headers[MESSAGE_HEADERS_MAX];
    struct http_request request; /* points into this struct and the channel */
};

/* Any 2xx that is no web page means that the channel took it. */
void message_print(const struct channels *channels, const struct channel *channel,
                   const struct message *message, struct message_request *out);
/* A GET of the dead man's url. */
struct http_request message_ping(const struct channels *channels);
/* Wipes what held a token. */
void message_release(struct message_request *request);

#endif
