/* watch.h - a scenario's own judge: what it expects, and the conditions that must never be.
 *
 * A fold over the events of a run. It reads the ledger's truth (EVENT_LEDGER_*), the core's words about
 * itself, and each request of the core just before it is performed (watch_request). Conditions are
 * judged in every run whether or not the scenario names them; X5 only where it does. */
#ifndef SCENARIOS_WATCH_H
#define SCENARIOS_WATCH_H

#include "core/base/calendar.h"
#include "core/base/text.h"
#include "core/world/http.h"
#include "core/world/observe.h"
#include "scenarios/scenario.h"

struct watch;

/* scenario and calendar are borrowed. Never NULL; owned by the caller. */
struct watch *watch_create(const struct scenario *scenario, const struct calendar *calendar);
void watch_destroy(struct watch *watch);
struct observer *watch_observer(struct watch *watch);

/* The core is about to perform this. */
void watch_request(struct watch *watch, const struct http_request *request, struct utc now);
/* An order of another program: not ours to judge. */
void watch_foreign(struct watch *watch, const char *client_id);
/* A condition that only the stage can see (S23, X6). */
void watch_break(struct watch *watch, enum stage_condition condition, struct utc at,
                 const char *detail);
/* The run is over: judges what only the end can tell. */
void watch_end(struct watch *watch, struct utc at);

/* How many conditions broke, expectations not met included; each as a line in out (may be NULL). */
size_t watch_broken(const struct watch *watch, struct text *out);
/* JSON strings, comma separated: "S1 2022-...: AAPL", "expect daily_loss acted: not seen". */
void watch_print_broken(const struct watch *watch, struct text *out);
const char *watch_mode(const struct watch *watch);

#endif
