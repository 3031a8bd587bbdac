/* host_posix.h - signals behind the host seam.
 *
 * SIGTERM and SIGINT wish the end, SIGHUP a reload; SIGPIPE is ignored. Signals are the process's, so
 * at most one of these exists at a time. Several SIGHUPs not yet told count as one, and one that
 * comes after a wish to end is not told. */
#ifndef CORE_LIVE_HOST_POSIX_H
#define CORE_LIVE_HOST_POSIX_H

#include "core/base/err.h"
#include "core/world/host.h"

struct host_posix;

/* Takes over the signals. Owned by the caller. ERR_USAGE if there is one already, ERR_IO. */
enum err_code host_posix_create(struct host_posix **out, struct err *err) MUST_USE;
/* Gives the signals back to whoever had them. */
void host_posix_destroy(struct host_posix *host);
/* Lives as long as host. */
struct host *host_posix_seam(struct host_posix *host);

#endif
