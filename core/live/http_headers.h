/* http_headers.h - reads an answer's header lines as they arrive. Names are matched whatever their case;
 * what does not parse counts as absent. */
#ifndef CORE_LIVE_HTTP_HEADERS_H
#define CORE_LIVE_HTTP_HEADERS_H

#include "core/live/http_curl.h"

struct http_headers {
    struct http_response *response; /* borrowed; gets the seam's fields */
    struct http_served served;      /* is_known only when both headers came */
    bool has_speed, has_time;
    bool has_length; /* Content-Length, or chunks: the end of the body can be told */
};

/* Takes one line of n bytes, with or without its end. A status line forgets the lines before it (an
 * interim 1xx answer). wall is the time of arrival. */
void http_headers_line(struct http_headers *headers, const char *line, size_t n, struct utc wall);

#endif
