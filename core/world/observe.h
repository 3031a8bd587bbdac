/* observe.h - the record of what happens, and its sink.
 *
 * The core and the taps around it tell what they did; judges, recorder, trace hash and reports listen.
 * Observing never fails and never changes what the core does. An event borrows its strings for the
 * call. Members that mean nothing for a kind are zero or "". */
#ifndef CORE_WORLD_OBSERVE_H
#define CORE_WORLD_OBSERVE_H

#include "core/base/decimal.h"
#include "core/base/utc.h"

#include <stdbool.h>
#include <stddef.h>

/* kind, word, what the members hold */
#define EVENT_KINDS(X)                                                                             \
    X(EVENT_HTTP, "http",                                                                          \
      "subject METHOD, what path?query, id error word or '', number status, "                      \
      "body request LF answer, as the core saw it")                                                \
    X(EVENT_SEND, "send",                                                                          \
      "a request of the core is about to leave: subject METHOD, what path?query, "                 \
      "number its process's life, body request")                                                   \
    X(EVENT_ROW, "row", "a journal row became durable: subject kind, id key, number seq, body")    \
    X(EVENT_DOCUMENT, "document",                                                                  \
      "a document was written: subject name, number journal row of its stamp, body content")       \
    X(EVENT_MECHANISM, "mechanism", "subject mechanism id, what event word, symbol, body numbers") \
    X(EVENT_MODE, "mode", "effective mode changed: subject new mode, what old mode, body causes")  \
    X(EVENT_REFUSAL, "refusal", "an intent was refused: subject code, symbol, id, body numbers")   \
    X(EVENT_ORDER, "order",                                                                        \
      "the core's view of an order moved: subject purpose, what state, "                           \
      "symbol, id, qty filled, price average, body order as JSON")                                 \
    X(EVENT_EXIT, "exit",                                                                          \
      "an exit transaction moved: subject reason, what phase (resumed: a start found it), "        \
      "symbol, qty")                                                                               \
    X(EVENT_PROTECTION, "protection", "what protected|naked|not_due, symbol, qty, price stop")     \
    X(EVENT_TICK, "tick", "a tick ended: subject kind, number tick number, amount equity as seen") \
    X(EVENT_START, "start", "a core started: subject ready|refused, what reason")                  \
    X(EVENT_STOP, "stop",                                                                          \
      "a core stopped: subject clean|dead|succeeded (it may come back, as other), what "           \
      "does_not_stop if the dead went on calling")                                                 \
    X(EVENT_FAULT, "fault", "a fault fired: subject point, what parameters")                       \
    X(EVENT_OPERATOR, "operator",                                                                  \
      "subject verb, what cause, id who, amount of a deposit or withdrawal")                       \
    X(EVENT_ALERT, "alert", "subject severity, what key, body text")                               \
    X(EVENT_COPY, "copy",                                                                          \
      "truth of the disk at a tick's end, a start and the run's end: subject there|gone, what "    \
      "name of a file in backups/, body its content")                                              \
    X(EVENT_LEDGER_ORDER, "ledger_order",                                                          \
      "truth at the broker: subject side, what status, symbol, "                                   \
      "id client order id, qty filled, price average, number "                                     \
      "ordered quantity nanos, body type; of a leg TYPE of ID, the order it was "                  \
      "sent with, behind waiting until the exchange watches it")                                   \
    X(EVENT_LEDGER_FILL, "ledger_fill",                                                            \
      "truth: subject side, symbol, id client order id (of a leg that of the order "               \
      "it was sent with), qty, "                                                                   \
      "price of this execution")                                                                   \
    X(EVENT_LEDGER_EQUITY, "ledger_equity", "truth at a tick: amount equity, price cash")          \
    X(EVENT_FRAME, "frame",                                                                        \
      "what a judge must know of the run: subject key (a setting, never, closed, foreign, "        \
      "not_foreign, sector, theme, issuer, funds or restricted SYMBOL, spun_off: SYMBOL of "       \
      "which shares of another are given at this instant, halt_cancels: SYMBOL of which a "        \
      "stop is cancelled at this instant because it is halted, courier: on, metrics: "             \
      "read where they are looked at behind each stop, reload: bad where that is no "              \
      "configuration, wall: its seconds ahead of true time), what value")                          \
    X(EVENT_HEALED, "healed", "faults have stopped; the next EVENT_FAULT ends it")                 \
    X(EVENT_PAUSE, "pause", "the core's process stands still: subject begin|end")                  \
    X(EVENT_OTHER, "other",                                                                        \
      "told by a process that is not the run's core: subject the kind's word, what the told "      \
      "subject and what, id here (on the core's state directory) or elsewhere, number its life, "  \
      "symbol, amounts and body as told")                                                          \
    X(EVENT_METRICS, "metrics",                                                                    \
      "truth of the disk after a graceful stop: body metrics.prom as it lies there")               \
    X(EVENT_LOG, "log",                                                                            \
      "truth of the disk at a tick's end and a graceful stop: body the lines that log.jsonl "      \
      "gained")                                                                                    \
    X(EVENT_COURIER, "courier", "the courier's process: subject started|dead")                     \
    X(EVENT_DELIVERY, "delivery",                                                                  \
      "truth: a message reached the server of a channel, and that took it: subject channel, "      \
      "what METHOD, number nanoseconds after `at` that it came, body as sent")                     \
    X(EVENT_END, "end", "the run is over: subject up|stopped|down (and should not be)")

enum event_kind {
#define X(kind, word, members) kind,
    EVENT_KINDS(X)
#undef X
};

struct event {
    enum event_kind kind;
    struct utc at; /* wall time of the world, virtual or real */
    const char *subject;
    const char *what;
    const char *symbol;
    const char *id;
    int64_t number;
    struct qty qty;
    struct usd price;
    struct usd amount;
    const char *body; /* JSON, or as the kind says */
    size_t body_len;
};

struct observer;

struct observer_ops {
    void (*observe)(struct observer *observer, const struct event *event);
};

struct observer {
    const struct observer_ops *ops;
};

/* Tells one event; a NULL observer hears nothing. NULL strings are told as "". */
void observe(struct observer *observer, const struct event *event);

/* The word of a kind ("ledger_fill"); static storage. */
const char *event_word(enum event_kind kind);

#endif
