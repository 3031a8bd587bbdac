/* lease.h - one trader per state directory.
 *
 * A liveness lock (flock, gone with its process) and a lease document (epoch, holder, renewed_at,
 * LEASE_S seconds) guarded by a second lock. Liveness lock free = the holder is dead: take over at
 * once. Holder alive but the lease stale for LEASE_S + 35 s: raise the epoch and take over; the old
 * holder finds the raised epoch at its next lease_check() and must not act again. Who only reduces
 * need not wait those 35 s: what the old holder may still have on the wire is in the journal, counts
 * as unknown, and an order that could oversell with it is refused. */
#ifndef CORE_STATE_LEASE_H
#define CORE_STATE_LEASE_H

#include "core/world/world.h"

#define LEASE_S 15

struct lease;

/* Takes the lease and the liveness lock. ERR_LOCKED says who holds it and since when. Owned. */
enum err_code lease_acquire(struct world *world, struct lease **out, struct err *err) MUST_USE;
/* The same for a process that only reduces: a living holder's lease passes when stale for LEASE_S. */
enum err_code lease_acquire_to_reduce(struct world *world, struct lease **out,
                                      struct err *err) MUST_USE;
/* Writes renewed_at if a third of the term has passed. ERR_LOCKED if the epoch is another's. */
enum err_code lease_renew(struct lease *lease, struct err *err) MUST_USE;
/* Re-reads the epoch: ERR_OK only if it is ours and less than LEASE_S / 2 has passed since renewal
 * on the monotonic clock. ERR_LOCKED: it is another's, for good, or may be: the document is damaged and the
 * last renewal LEASE_S ago. ERR_IO: it is ours as far as one can see, but old, or damaged a moment ago, or the disk does not answer (a slow
 * disk, a long stop): no ground for what a successor might do too, nor to give up. Cheap: one small read. */
enum err_code lease_check(struct lease *lease, struct err *err) MUST_USE;
/* The same, however old the renewal: what one must know before one writes to a file just opened by its
 * name. It may be a successor's; a file opened before the epoch was raised is fenced off instead. */
enum err_code lease_confirm(struct lease *lease, struct err *err) MUST_USE;
/* True, for good, once another process has taken it. Reads only if it was not renewed for LEASE_S,
 * before which nobody takes it: after a long stop in the middle of a tick. NULL is never lost. */
bool lease_is_lost(struct lease *lease);
int64_t lease_epoch(const struct lease *lease);
/* Gives it back; never fails. NULL is fine. */
void lease_release(struct lease *lease);
/* True if some process holds the liveness lock of this state directory. */
enum err_code lease_is_alive(struct world *world, bool *out, struct err *err) MUST_USE;

#endif
