/* verify.h - the proof that a run is a function of its file: it is run twice, and every event of the
 * second must be the first's. Where they part, the first differing event is named. */
#ifndef SCENARIOS_SWEEP_VERIFY_H
#define SCENARIOS_SWEEP_VERIFY_H

#include "core/base/text.h"
#include "core/world/observe.h"

struct verifier;

/* Passes each event on to inner (borrowed; may be NULL). Never NULL; owned by the caller. */
struct verifier *verifier_create(struct observer *inner);
void verifier_destroy(struct verifier *verifier);
struct observer *verifier_observer(struct verifier *verifier);
/* The second run begins; its events are compared, and not passed on. */
void verifier_again(struct verifier *verifier);
/* True if both runs had the same events; else appends "event N: ..." of the first that differs. */
bool verifier_agrees(const struct verifier *verifier, struct text *out);

#endif
