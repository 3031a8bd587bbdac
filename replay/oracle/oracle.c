/* oracle.c - the table of judges, and their verdict. */
#include "replay/oracle/oracle.h"

#include "replay/oracle/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDING_TEXT_MAX 160

static const struct judge_ops *const JUDGES[] = {
    &one_order_judge,     &books_judge,      &never_short_judge, &restricted_judge,
    &entries_judge,       &limits_judge,     &ids_judge,         &unknowns_judge,
    &journal_judge,       &lives_judge,      &order_life_judge,  &loudness_judge,
    &foreign_judge,       &stops_judge,      &exits_judge,       &latches_judge,
    &naked_judge,         &lies_judge,       &flatten_judge,     &healing_judge,
    &rejects_judge,       &refusals_judge,   &rates_judge,       &guards_judge,
    &alarms_judge,        &succession_judge, &adoption_judge,    &stopped_judge,
    &overdue_judge,       &deadlines_judge,  &degraded_judge,    &commands_judge,
    &breaker_judge,       &repeats_judge,    &groups_judge,      &clusters_judge,
    &volume_judge,        &crashes_judge,    &messages_judge,    &stuck_judge,
    &clocks_judge,        &kill_trips_judge, &kills_judge,       &backups_judge,
    &delivery_judge,      &metrics_judge,    &drills_judge,      &healings_judge,
    &performance_judge,   &universe_judge,   &lines_judge,       &displacing_judge,
    &position_sign_judge, &ramp_judge,       &margin_judge,      &rails_judge,
    &polls_judge,         &maker_judge,      &splits_judge,      &signals_judge,
    &learning_judge,      &oco_judge,        &duties_judge, /* behind all that object */
    &trips_judge,                                           /* and behind all that count */
    &protection_judge,
};
enum { JUDGE_COUNT = sizeof JUDGES / sizeof JUDGES[0], PROTECTION = JUDGE_COUNT - 1 };

static const struct {
    const char *id, *number, *meaning, *waiver;
} INVARIANTS[] = {
#define X(invariant, id, number, meaning, waiver) [invariant] = {id, number, meaning, waiver},
    ORACLE_INVARIANTS(X)
#undef X
};

struct finding {
    enum oracle_invariant invariant;
    struct utc at;
    char text[FINDING_TEXT_MAX];
};

struct oracle {
    struct observer seam; /* first */
    void *judges[JUDGE_COUNT];
    struct {
        size_t count;
        uint8_t judges[JUDGE_COUNT];
    } asking[EVENT_END + 1]; /* for events of a kind, in the table's order */
    struct scene scene;
    struct finding items[ORACLE_FINDINGS_MAX];
    struct findings findings;
};

static void add_finding(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                        const char *format, va_list list) {
    findings->breaks[invariant]++;
    if (findings->count == ORACLE_FINDINGS_MAX) {
        findings->not_shown++;
        return;
    }
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){.invariant = invariant, .at = at};
    vsnprintf(finding->text, sizeof finding->text, format, list);
}

void findings_break(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                    const char *format, ...) {
    va_list list;
    va_start(list, format);
    add_finding(findings, invariant, at, format, list);
    va_end(list);
}

void findings_excuse(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                     const char *format, ...) {
    if (!findings->scene->is_never[invariant] || findings->is_unforeseen) {
        findings->maybe++;
        return;
    }
    va_list list;
    va_start(list, format);
    add_finding(findings, invariant, at, format, list);
    va_end(list);
}

struct score *findings_score(struct findings *findings, const char *mechanism) {
    return table_get(&findings->scores, mechanism);
}

static void hear(struct oracle *oracle, size_t judge) {
    for (int kind = 0; kind <= EVENT_END; kind++) {
        if ((JUDGES[judge]->kinds & KIND(kind)) != 0) {
            oracle->asking[kind].judges[oracle->asking[kind].count++] = (uint8_t)judge;
        }
    }
}

static void seam_observe(struct observer *observer, const struct event *event) {
    oracle_observe((struct oracle *)observer, event);
}

static const struct observer_ops SEAM = {seam_observe};

struct observer *oracle_observer(struct oracle *oracle) {
    return &oracle->seam;
}

struct oracle *oracle_create(void) {
    struct oracle *oracle = judge_alloc(sizeof *oracle);
    oracle->seam.ops = &SEAM;
    scene_init(&oracle->scene);
    oracle->findings.scene = &oracle->scene;
    oracle->findings.items = oracle->items;
    oracle->findings.scores = table_of(sizeof(struct score));
    for (size_t i = 0; i < JUDGE_COUNT; i++) {
        oracle->judges[i] = JUDGES[i]->create();
        hear(oracle, i);
    }
    return oracle;
}

void oracle_destroy(struct oracle *oracle) {
    if (oracle == NULL) {
        return;
    }
    for (size_t i = 0; i < JUDGE_COUNT; i++) {
        JUDGES[i]->destroy(oracle->judges[i]);
    }
    table_release(&oracle->findings.scores);
    trips_release(&oracle->findings.trips);
    scene_release(&oracle->scene);
    free(oracle);
}

/* Recordings and tests may leave strings out; the judges need not know. */
static const char *or_empty(const char *string) {
    return string == NULL ? "" : string;
}

void oracle_observe(struct oracle *oracle, const struct event *event) {
    struct event told = *event;
    told.subject = or_empty(told.subject);
    told.what = or_empty(told.what);
    told.symbol = or_empty(told.symbol);
    told.id = or_empty(told.id);
    told.body_len = told.body == NULL ? 0 : told.body_len;
    told.body = or_empty(told.body);
    scene_observe(&oracle->scene, &told);
    for (size_t i = 0; i < oracle->asking[told.kind].count; i++) {
        size_t judge = oracle->asking[told.kind].judges[i];
        JUDGES[judge]->observe(oracle->judges[judge], &told, &oracle->findings);
    }
    scene_leave(&oracle->scene);
}

void oracle_verdict(const struct oracle *oracle, struct text *out) {
    const struct findings *findings = &oracle->findings;
    text_add(out, "{\"broken\":[");
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        text_add(out, i == 0 ? "{" : ",{");
        text_member_string(out, "id", INVARIANTS[finding->invariant].id);
        text_member_utc(out, "at", finding->at);
        text_member_string(out, "text", finding->text);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
    text_member_int(out, "not_shown", findings->not_shown);
    text_member_int(out, "maybe", findings->maybe);
    text_member_int(out, "orders", oracle->scene.judged);
    text_member(out, "scores");
    scores_print(&findings->scores, out);
    text_member(out, "trips");
    oracle_print_trips(oracle, out);
    text_member_int(out, "trips_not_shown", oracle_trips_not_shown(oracle));
    text_member_decimal(out, "unprotected_dollar_seconds",
                        protection_dollar_seconds(oracle->judges[PROTECTION]).nanos);
    oracle_print_naked_exits(oracle, out);
    text_add_char(out, '}');
}

void oracle_print_naked_exits(const struct oracle *oracle, struct text *out) {
    protection_print_exits(oracle->judges[PROTECTION], out);
}

void oracle_print_trips(const struct oracle *oracle, struct text *out) {
    trips_print(&oracle->findings.trips, out);
}

int64_t oracle_trips_not_shown(const struct oracle *oracle) {
    return oracle->findings.trips.not_shown;
}

size_t oracle_print_misjudged(const struct oracle *oracle, struct text *out) {
    const struct table *scores = &oracle->findings.scores;
    size_t count = 0;
    for (size_t i = 0; i < scores->count; i++) {
        const struct score *score = table_at(scores, i);
        if (score->missed + score->unfounded > 0) {
            text_add_format(out, "scored %s: %lld missed, %lld false\n", score->mechanism,
                            (long long)score->missed, (long long)score->unfounded);
            count++;
        }
    }
    return count;
}

size_t oracle_broken(const struct oracle *oracle, const char *ids[], size_t max) {
    size_t count = 0;
    for (size_t i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        if (oracle->findings.breaks[i] == 0) {
            continue;
        }
        if (count < max) {
            ids[count] = INVARIANTS[i].id;
        }
        count++;
    }
    return count;
}

/* The finding that broke an invariant once more after it had broken so often; NULL: not kept. */
static const struct finding *finding_after(const struct findings *findings, int invariant,
                                           int64_t breaks) {
    for (size_t i = 0; i < findings->count; i++) {
        if ((int)findings->items[i].invariant == invariant && breaks-- == 0) {
            return &findings->items[i];
        }
    }
    return NULL;
}

void oracle_breaks(const struct oracle *oracle, int64_t out[static ORACLE_INVARIANT_COUNT]) {
    memcpy(out, oracle->findings.breaks, sizeof oracle->findings.breaks);
}

void oracle_print_broken_since(const struct oracle *oracle,
                               const int64_t since[static ORACLE_INVARIANT_COUNT],
                               struct text *out) {
    const struct findings *findings = &oracle->findings;
    for (int i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        const struct finding *first = finding_after(findings, i, since[i]);
        if (findings->breaks[i] == since[i]) {
            continue;
        }
        text_add(out, INVARIANTS[i].id);
        if (first != NULL) {
            text_add_char(out, ' ');
            text_add_utc(out, first->at);
            text_add_format(out, " %s", first->text);
        }
        text_add_format(out, " (%lld times)\n", (long long)(findings->breaks[i] - since[i]));
    }
}

void oracle_print_broken(const struct oracle *oracle, struct text *out) {
    static const int64_t never[ORACLE_INVARIANT_COUNT] = {0};
    oracle_print_broken_since(oracle, never, out);
}

void oracle_take_unforeseen(struct oracle *oracle) {
    oracle->findings.is_unforeseen = true;
}

int64_t oracle_maybes(const struct oracle *oracle) {
    return oracle->findings.maybe;
}

int64_t oracle_orders(const struct oracle *oracle) {
    return oracle->scene.judged;
}

bool oracle_is_over_budget(int64_t maybes, int64_t orders) {
    return orders >= ORACLE_BUDGET_ORDERS_MIN && maybes * 1000 > orders * ORACLE_MAYBE_PERMILLE;
}

const char *oracle_invariant_id(enum oracle_invariant invariant) {
    return INVARIANTS[invariant].id;
}

const char *oracle_invariant_meaning(enum oracle_invariant invariant) {
    return INVARIANTS[invariant].meaning;
}

const char *oracle_invariant_number(enum oracle_invariant invariant) {
    return INVARIANTS[invariant].number;
}

const char *oracle_invariant_waiver(enum oracle_invariant invariant) {
    return INVARIANTS[invariant].waiver;
}

bool oracle_invariant_find(const char *id, enum oracle_invariant *out) {
    for (size_t i = 0; i < ORACLE_INVARIANT_COUNT; i++) {
        if (strcmp(INVARIANTS[i].id, id) == 0) {
            *out = (enum oracle_invariant)i;
            return true;
        }
    }
    return false;
}
