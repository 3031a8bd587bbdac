/* faulty_http.h - the http seam with faults: a wrapper that asks process and plan, then the world.
 *
 * One exchange meets at most one transport fault, the first that fires in the order of points.def;
 * views change answers with status 200 and may come together. The dead get ERR_NOT_SENT. A request
 * in flight at death (PROCESS_CRASH_DURING) is lost, delivered, or delivered up to 30 s later. */
#ifndef CHAOS_FAULTS_FAULTY_HTTP_H
#define CHAOS_FAULTS_FAULTY_HTTP_H

#include "chaos/faults/late_queue.h"
#include "chaos/faults/plan.h"
#include "chaos/machine/process.h"
#include "core/world/http.h"

#define FAULTY_HTTP_FLIGHT_MAX SPAN_S(30)

struct faulty_http;

/* All pointers are borrowed; plan, process and late may be NULL (no faults; immortal; late requests
 * are lost). clock is where waiting for a deadline is spent. Never NULL. */
struct faulty_http *faulty_http_create(struct http *inner, struct plan *plan,
                                       struct process *process, struct virtual_clock *clock,
                                       struct late_queue *late);
void faulty_http_destroy(struct faulty_http *faulty);
/* From inside the process's at_effect: the fate of the request that is about to be in flight. */
void faulty_http_force_flight(struct faulty_http *faulty, enum fault_flight flight);
/* What the core gets; lives as long as faulty. */
struct http *faulty_http_seam(struct faulty_http *faulty);

#endif
