/* trace.h - the trace hash: 128 bits over the canonical record of every event of a run.
 *
 * A record is kind, time, subject, what, symbol, id, number, qty, price, amount and body, each string
 * with its length, numbers as eight bytes little endian, so that no two different records have the
 * same bytes. An HTTP event's query and request body are hashed sorted, the answer as served. Not
 * hashed is what only prepares the judges or says a thing twice: EVENT_FRAME, EVENT_SEND, EVENT_HEALED. */
#ifndef SCENARIOS_TRACE_H
#define SCENARIOS_TRACE_H

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/world/observe.h"

struct trace { /* trace_init() and trace_release() */
    struct observer seam;
    struct hasher *hasher;
    struct text sorted; /* scratch */
    int64_t events;
};

void trace_init(struct trace *trace);
void trace_release(struct trace *trace);
void trace_print(const struct trace *trace, char out[static HASH_TEXT_MAX]);

#endif
