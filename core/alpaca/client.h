/* client.h - the client's own state and its one way to the wire; private to core/alpaca. */
#ifndef CORE_ALPACA_CLIENT_H
#define CORE_ALPACA_CLIENT_H

#include "core/alpaca/alpaca.h"
#include "core/alpaca/parse.h"
#include "core/alpaca/rate_budget.h"

#define ALPACA_CREDENTIAL_MAX 256
#define ALPACA_PAGES_MAX 200 /* of one call; more is ERR_LIMIT */

/* The last readable answer to one request and what it said: an answer equal in bytes says the same. */
struct memo {
    struct text body; /* owned */
    void *items;      /* owned */
    size_t count;
    bool is_valid;
};

struct alpaca {
    struct world *world;                /* borrowed */
    char key_id[ALPACA_CREDENTIAL_MAX]; /* wiped at destroy */
    char secret[ALPACA_CREDENTIAL_MAX];
    char feed[8];
    struct span read_deadline, submit_deadline, slow_deadline;
    struct rate_budget budget;
    struct breaker_rules breaker_rules;
    struct circuit_breaker breakers[ENDPOINT_COUNT];
    bool is_bars_spared; /* an open breaker of bars keeps no entry back */
    struct alpaca_meter meters[ENDPOINT_COUNT];
    enum alpaca_lane lane;
    bool is_nested; /* legs are asked for inside their parent */
    struct alpaca_reply reply;
    struct alpaca_counts counts;
    struct http_response response;
    enum alpaca_endpoint endpoint; /* of the request being written, as are: */
    struct text path, query, body;
    struct memo account, positions, open_orders;
};

struct call {
    const char *method;
    enum http_host host;
    bool is_change;
    struct span deadline;
    bool has_expiry;
    struct mono expires_at;
};

/* Starts writing a request: path set, query and body empty. */
void client_begin(struct alpaca *alpaca, enum alpaca_endpoint endpoint, const char *path);
/* Appends percent-encoded; letters, digits, '-', '.', '_', '~' stay. */
void text_add_encoded(struct text *text, const char *string);

/* Sends what was written and judges the status as alpaca.h says; the body stays in response until the
 * next call. Text of err does not yet name the request: client_wrap() does. */
enum err_code client_send(struct alpaca *alpaca, const struct call *call, struct err *err) MUST_USE;
/* A read with the deadline of the lane. */
enum err_code client_read(struct alpaca *alpaca, struct err *err) MUST_USE;
/* Puts "METHOD path: " before the text of err, which may be NULL; returns code. */
enum err_code client_wrap(struct alpaca *alpaca, const char *method, enum err_code code,
                          struct err *err);
/* Parses the last body; the tree is the caller's. */
enum err_code client_tree(struct alpaca *alpaca, cJSON **tree, struct err *err) MUST_USE;

#endif
