/* messenger.h - the core's courier in the stage: a second process on the same disk, and the servers of its
 * channels.
 *
 * It lives in the same virtual world and dies in it, but takes no time of it: its clock is one of
 * its own that runs ahead while it waits for a channel, so that a hanging channel delays no tick, and it goes
 * on when the world has caught up. Faults reach it as they reach the core: by entity "POST /chat",
 * "remove outbox/...". Its channels are pager (pagerduty), chat (slack), phone (ntfy, from warn on) and hook
 * (json, from info on); /dead is the dead man's switch. */
#ifndef SCENARIOS_MESSENGER_H
#define SCENARIOS_MESSENGER_H

#include "chaos/faults/faulty_disk.h"
#include "chaos/faults/faulty_http.h"
#include "chaos/machine/mortal.h"
#include "chaos/machine/sim_entropy.h"
#include "chaos/machine/sim_host.h"
#include "core/courier/courier.h"
#include "scenarios/stage.h"

struct messenger;
struct stage;

/* Never NULL; owned by the caller. Its process starts at the stage's start. */
struct messenger *messenger_create(struct stage *stage);
void messenger_destroy(struct messenger *messenger);
/* When it has something to do; UTC_NEVER for a NULL messenger. */
struct utc messenger_next_at(const struct messenger *messenger);
/* Does what is due; nothing for NULL. */
void messenger_look(struct messenger *messenger);
/* The machine lost its power, or its processes were ended. */
void messenger_kill(struct messenger *messenger);

#endif
