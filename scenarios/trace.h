/* trace.h - the trace hash: 128 bits over the canonical record of every event of a run.
 *
 * A record is kind, time, subject, what, symbol, id, number, qty, price, amount and body, each string
 * with its length, numbers as eight bytes little endian, so that no two different records have the
 * same bytes. The request body of an HTTP event is hashed with sorted keys, the answer as served. */
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
