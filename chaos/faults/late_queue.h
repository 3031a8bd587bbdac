/* late_queue.h - requests that are still on their way to the broker after their sender gave up or
 * died.
 *
 * Belongs to the world, not to a process: one queue is shared by all instances and outlives them.
 * The stage asks next_at() and calls deliver_due(); `target` handles a request at once, at the
 * broker, and should take no time. Answers go nowhere. */
#ifndef CHAOS_FAULTS_LATE_QUEUE_H
#define CHAOS_FAULTS_LATE_QUEUE_H

#include "chaos/machine/virtual_clock.h"
#include "core/world/http.h"

#define LATE_QUEUE_MAX 1024

struct late_queue;

/* target is borrowed. Never NULL; owned by the caller. */
struct late_queue *late_queue_create(struct http *target);
void late_queue_destroy(struct late_queue *queue);

/* Copies a request to arrive at an instant. Its expiry is dropped: its first byte has left. False
 * (and the request is lost) when the queue is full. */
bool late_queue_add(struct late_queue *queue, const struct http_request *request, struct utc at);
/* When the next one arrives; UTC_NEVER for none. */
struct utc late_queue_next_at(const struct late_queue *queue);
/* Delivers all that are due at or before now, by time, then by order of sending. Returns how many.
 */
size_t late_queue_deliver_due(struct late_queue *queue, struct utc now);
size_t late_queue_count(const struct late_queue *queue);

#endif
