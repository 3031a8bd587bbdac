/* served.h - a scenario for `seatrial serve`: its market, its account, and the faults that happen at a
 * broker's door, acted out on a real connection.
 *
 * What belongs to the core's own process (its death, its disk, its clock), what happens before a connection, and
 * what changes orders or prices past the ledger cannot be done from here: such a scenario is refused
 * with every reason at once. Its operator's commands, `config`, `expect` and `never`
 * are the core's and its judges'; commands that move the account are refused, because the served ledger
 * keeps requests only. Fault times count in served time, spans from the account's first start;
 * `count` and `nth` begin anew when a server is started again. */
#ifndef SCENARIOS_SERVED_H
#define SCENARIOS_SERVED_H

#include "broker_sim/serve/serve.h"
#include "core/world/observe.h"
#include "scenarios/scenario.h"

struct served_scenario;

/* Builds the market. The scenario is borrowed, data_dir holds the sets' folders. ERR_CONFIG with every
 * objection in faults, one a line; ERR_NOT_FOUND, ERR_PARSE, ERR_RANGE (market). */
enum err_code served_scenario_create(const struct scenario *scenario, const char *data_dir,
                                     struct served_scenario **out, struct text *faults,
                                     struct err *err) MUST_USE;
/* Before the market's server goes away serve_set_door(serve, NULL), then this. */
void served_scenario_destroy(struct served_scenario *served);

/* Borrowed from served. */
struct market *served_scenario_market(struct served_scenario *served);
struct broker_options served_scenario_account(const struct served_scenario *served);

/* Arms the faults at the door of this server (serve_set_door). The observer (may be NULL) is told each that
 * fires. At most once. ERR_CONFIG, ERR_IO. */
enum err_code served_scenario_arm(struct served_scenario *served, struct serve *serve,
                                  struct observer *observer, struct err *err) MUST_USE;

#endif
