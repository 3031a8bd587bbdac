/* entropy_system.h - the kernel's random bytes behind the entropy seam. */
#ifndef CORE_LIVE_ENTROPY_SYSTEM_H
#define CORE_LIVE_ENTROPY_SYSTEM_H

#include "core/base/err.h"
#include "core/world/entropy.h"

/* Owned by the caller. ERR_MEMORY. */
enum err_code entropy_system_create(struct entropy **out, struct err *err) MUST_USE;
void entropy_system_destroy(struct entropy *entropy);

#endif
