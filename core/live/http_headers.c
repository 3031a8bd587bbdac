/* http_headers.c - a table of the headers that mean something to us. */
#include "core/live/http_headers.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 256

/* A plain decimal number that fits; else out is unchanged. An HTTP date in Retry-After ends here. */
static void take_number(const char *value, int64_t *out) {
    int64_t number = 0;
    size_t n = strspn(value, "0123456789");
    if (n == 0 || n > 15 || value[n] != '\0') {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        number = number * 10 + (value[i] - '0');
    }
    *out = number;
}

static void take_request_id(struct http_response *response, const char *value) {
    size_t n = strlen(value);
    for (size_t i = 0; i < n; i++) {
        if (value[i] <= 0x20 || value[i] >= 0x7f) {
            return;
        }
    }
    if (n < sizeof response->request_id) {
        memcpy(response->request_id, value, n + 1);
    }
}

static void take_date(struct http_response *response, const char *value) {
    time_t seconds = curl_getdate(value, NULL);
    if (seconds > 0 && seconds < INT64_MAX / NANOS) {
        response->has_date = true;
        response->date = (struct utc){(int64_t)seconds * NANOS};
    }
}

static void take_value(struct http_headers *headers, const char *name, const char *value) {
    struct http_response *response = headers->response;
    if (strcasecmp(name, "X-Request-ID") == 0) {
        take_request_id(response, value);
    } else if (strcasecmp(name, "Retry-After") == 0) {
        take_number(value, &response->retry_after_s);
    } else if (strcasecmp(name, "X-RateLimit-Limit") == 0) {
        take_number(value, &response->rate_limit);
    } else if (strcasecmp(name, "X-RateLimit-Remaining") == 0) {
        take_number(value, &response->rate_limit_remaining);
    } else if (strcasecmp(name, "X-RateLimit-Reset") == 0) {
        take_number(value, &response->rate_limit_reset_s);
    } else if (strcasecmp(name, "Date") == 0) {
        take_date(response, value);
    } else if (strcasecmp(name, "Content-Length") == 0 ||
               (strcasecmp(name, "Transfer-Encoding") == 0 && strcasecmp(value, "chunked") == 0)) {
        headers->has_length = true;
    }
}

static void take_served(struct http_headers *headers, const char *name, const char *value,
                        struct utc wall) {
    if (strcasecmp(name, "X-Seatrial-Speed") == 0) {
        headers->has_speed = ratio_parse(value, &headers->served.speed, NULL) == ERR_OK &&
                             headers->served.speed.nanos > 0;
    } else if (strcasecmp(name, "X-Seatrial-Time") == 0) {
        headers->has_time = utc_parse(value, &headers->served.time, NULL) == ERR_OK;
        headers->served.wall = wall;
    }
    headers->served.is_known = headers->has_speed && headers->has_time;
}

static void forget(struct http_headers *headers) {
    struct http_response *response = headers->response;
    http_response_clear(response);
    *headers = (struct http_headers){.response = response};
}

void http_headers_line(struct http_headers *headers, const char *line, size_t n, struct utc wall) {
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        forget(headers);
        return;
    }
    const char *colon = memchr(line, ':', n);
    if (colon == NULL || (size_t)(colon - line) >= VALUE_MAX) {
        return;
    }
    char name[VALUE_MAX];
    memcpy(name, line, (size_t)(colon - line));
    name[colon - line] = '\0';
    const char *from = colon + 1;
    const char *to = line + n;
    while (from < to && (*from == ' ' || *from == '\t')) {
        from++;
    }
    while (to > from && strchr(" \t\r\n", to[-1]) != NULL) {
        to--;
    }
    if ((size_t)(to - from) >= VALUE_MAX) {
        return;
    }
    char value[VALUE_MAX];
    memcpy(value, from, (size_t)(to - from));
    value[to - from] = '\0';
    take_value(headers, name, value);
    take_served(headers, name, value, wall);
}
