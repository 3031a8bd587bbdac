/* serve.h - the simulated Alpaca over HTTP, for any client: one base URL for trading and data.
 *
 * One thread, one poll loop, 127.0.0.1 only; a request whose Host header is not a loopback name is
 * refused (a web page cannot reach the account through a name of its own). Served time = anchor + speed x
 * wall time. Every answer carries X-Seatrial-Speed, X-Seatrial-Time and a Date of served time. With a
 * ledger every changing request is durable before its answer, so that a killed server comes back
 * with the same account, and served time has run on while it was dead. */
#ifndef BROKER_SIM_SERVE_SERVE_H
#define BROKER_SIM_SERVE_SERVE_H

#include "broker_sim/api/broker.h"
#include "core/world/clock.h"
#include "core/world/disk.h"
#include "core/world/host.h"
#include "core/world/http.h"

#define SERVE_BODY_MAX ((size_t)1 << 20) /* of a request; 413 beyond */
#define SERVE_HEADERS_MAX 64
#define SERVE_CONNECTIONS_MAX 64

#define SERVE_SILENCE SPAN_S(30) /* served time until a connection without an answer closes */

struct serve;

/* What becomes of one request's answer. */
enum serve_manner {
    SERVE_ANSWER,  /* it is sent */
    SERVE_SILENT,  /* no byte of it, and the connection closes after SERVE_SILENCE */
    SERVE_HANG_UP, /* no byte of it, and the connection closes at once */
    SERVE_CUT,     /* the connection closes in the middle of its body */
};

/* What may stand between the wire and serve_broker(): a world in which answers are lost or wrong. */
struct serve_door {
    const struct serve_door_ops *ops;
};
struct serve_door_ops {
    /* Served time goes on; what the door held back until now may go to the broker. */
    void (*advance)(struct serve_door *door, struct utc now);
    /* Handles one request, at the broker or not. *hold (0 at the call) is served time until a
     * SERVE_ANSWER leaves. */
    enum serve_manner (*handle)(struct serve_door *door, const struct http_request *request,
                                struct http_response *response, struct span *hold);
};

struct serve_options { /* all pointers borrowed, and outlive the server */
    uint16_t port;     /* 0: any, see serve_port() */
    struct market *market;
    const char *market_name;      /* kept in the ledger: "synthetic:50" or a folder */
    struct broker_options broker; /* start is the served time at the first start of a ledger */
    struct ratio speed;           /* zero means 1 */
    struct clock *clock;          /* its wall time drives served time */
    struct disk *ledger;          /* rooted at the ledger's folder; NULL: forget all at the end */
    const char *token; /* changing requests must bring it as X-Seatrial-Token; NULL: the account's
                          secret, which the broker asks for, is token enough */
};

/* Binds, and replays the ledger. Owned by the caller. ERR_IO (port), ERR_RANGE (speed), and what
 * ledger_open() and broker_create() say. */
enum err_code serve_create(const struct serve_options *options, struct serve **out,
                           struct err *err) MUST_USE;
void serve_destroy(struct serve *serve);
uint16_t serve_port(const struct serve *serve);
/* Bytes of a torn last line that the start dropped from the ledger; 0 for none. */
size_t serve_dropped_bytes(const struct serve *serve);
struct utc serve_now(const struct serve *serve);
/* The served time at the first start of this account. */
struct utc serve_start(const struct serve *serve);

/* The broker behind the server: handles a request at served time and makes it durable if it changed
 * something. Lives as long as the server. Errors are the ledger's and end the service. */
struct http *serve_broker(struct serve *serve);
/* Requests go through the door from now on; borrowed, and taken away (NULL) before it goes. */
void serve_set_door(struct serve *serve, struct serve_door *door);

/* Answers requests until the host says terminate. An error of the ledger ends it too: the request it
 * met gets no answer. ERR_IO, ERR_NO_SPACE, ERR_LIMIT. */
enum err_code serve_run(struct serve *serve, struct host *host, struct err *err) MUST_USE;
/* One turn of the loop: waits at most timeout for something to do. Same errors. */
enum err_code serve_step(struct serve *serve, struct span timeout, struct err *err) MUST_USE;

#endif
