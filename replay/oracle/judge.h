/* judge.h - what the judges share: how they report, what they may know, and records by name. For this
 * room only.
 *
 * A judge is a row of the table in oracle.c: a fold with its own state, told only the kinds of event it
 * asks for. It reports a thing once: the first event that breaks an invariant for a symbol or an order. */
#ifndef REPLAY_ORACLE_JUDGE_H
#define REPLAY_ORACLE_JUDGE_H

#include "replay/oracle/oracle.h"
#include "replay/oracle/scene.h"
#include "replay/oracle/score.h"
#include "replay/oracle/trips.h"

struct finding;

struct findings {
    const struct scene *scene; /* as the event being judged left it */
    struct finding *items;
    size_t count;
    int64_t not_shown;
    int64_t maybe;
    bool is_unforeseen; /* something befell the run of which its file knows nothing */
    int64_t breaks[ORACLE_INVARIANT_COUNT];
    struct table scores; /* struct score by mechanism */
    struct trips trips;
};

/* What a judge says; the text names symbol or order and the numbers compared. */
void findings_break(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* It looks broken, and a stated unknown may be why; broken all the same where the run is about it, as
 * long as what befalls it is what its file foresaw. */
void findings_excuse(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Of a mechanism, zeroed if new; until the next call. */
struct score *findings_score(struct findings *findings, const char *mechanism);

#define KIND(kind) (UINT32_C(1) << (kind))

struct judge_ops {
    uint32_t kinds;        /* KIND() of the events it is told */
    void *(*create)(void); /* never NULL */
    void (*observe)(void *judge, const struct event *event, struct findings *findings);
    void (*destroy)(void *judge);
};

extern const struct judge_ops one_order_judge, books_judge, never_short_judge, restricted_judge,
    entries_judge, limits_judge, ids_judge, unknowns_judge, journal_judge, lives_judge,
    order_life_judge, loudness_judge, foreign_judge, stops_judge, exits_judge, latches_judge,
    naked_judge, lies_judge, flatten_judge, healing_judge, protection_judge, rejects_judge,
    refusals_judge, rates_judge, guards_judge, alarms_judge, succession_judge, adoption_judge,
    stopped_judge, overdue_judge, deadlines_judge, degraded_judge, commands_judge, breaker_judge,
    backups_judge, repeats_judge, groups_judge, clusters_judge, volume_judge, crashes_judge,
    messages_judge, stuck_judge, clocks_judge, kill_trips_judge, kills_judge, delivery_judge,
    metrics_judge, drills_judge, healings_judge, performance_judge, universe_judge, lines_judge,
    displacing_judge, position_sign_judge, ramp_judge, margin_judge, rails_judge, polls_judge,
    maker_judge, splits_judge, signals_judge, learning_judge, oco_judge, duties_judge, trips_judge;

/* Up to the last event that the judge saw, in dollar-seconds. */
struct usd protection_dollar_seconds(const void *judge);
/* Appends the members of oracle_print_naked_exits(). */
void protection_print_exits(const void *judge, struct text *out);

#endif
