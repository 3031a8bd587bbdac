/* scenario.h - a scenario file: a run, said in JSON. docs/scenarios.md describes every member.
 *
 * Parsing checks everything and reports all faults at once, one a line, each with its JSON path
 * ("faults[0].point: no fault point 'http.answer_lots'"). Unknown members are faults. Times are
 * RFC 3339, or "day 2 10:31:00": New York's clock on the run's second session. Spans are "90s", "15m",
 * "2h" or a number of seconds. */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H

#include "chaos/faults/plan.h"
#include "core/base/calendar.h"
#include "core/config/config.h"
#include "core/state/inbox.h"
#include "replay/oracle/oracle.h"
#include "scenarios/vocabulary.h"

#define SCENARIO_ID_MAX 64
#define SCENARIO_TITLE_MAX 160
#define SCENARIO_SOURCE_MAX 320
#define SCENARIO_WORD_MAX 48
#define SCENARIO_OPERATOR_MAX 64
#define SCENARIO_EXPECT_MAX 32
#define SCENARIO_DAYS_MAX 2600
#define SCENARIO_TEXT_MAX 2048
#define SCENARIO_SPAN_MAX_S (INT64_C(86400) * 366)
#define SCENARIO_WINDOW_MAX SPAN_S(60)
#define SCENARIO_SCHEDULE_MAX 8192

enum when_kind {
    WHEN_START,        /* nothing said: from the start */
    WHEN_UTC,          /* an instant */
    WHEN_SESSION,      /* New York time of the nth session */
    WHEN_AFTER,        /* a span after the start, or after what `on` names */
    WHEN_NEXT_SESSION, /* operator rules: New York time of the next session that opens after the event */
};

struct when {
    enum when_kind kind;
    struct utc at;
    int day;                 /* from 1 */
    struct span time_of_day; /* New York's wall clock */
    struct span after;
};

struct scenario_fault {
    struct when from, until; /* until.kind WHEN_START: none */
    struct fault fault;      /* without its times */
};

struct scenario_line { /* of a schedule: what is to fire */
    int64_t tick;
    uint64_t ordinal;
    size_t fault; /* index in faults */
    char entity[FAULT_TARGET_MAX];
};

struct scenario_operator {
    enum stage_command command;
    struct when when;
    char on[SCENARIO_WORD_MAX];       /* mechanism whose event starts it; "" for none */
    char on_event[SCENARIO_WORD_MAX]; /* "acted" */
    char cause[INBOX_CAUSE_MAX];      /* freeze, resume; symbol of flatten and foreign_order */
    char by[48];
    char why[200];
    bool is_halt;
    bool stays_down;   /* kill -9 */
    struct usd amount; /* deposit, withdraw */
    struct qty qty;    /* foreign_order */
    char document[DISK_NAME_MAX];
    char text[SCENARIO_TEXT_MAX];
    bool is_key_wrong;
    bool is_removed;
    int64_t keep_bytes; /* -1: replaced by text */
};

struct scenario_expect {
    char mechanism[SCENARIO_WORD_MAX];
    char event[SCENARIO_WORD_MAX];
    char says[SCENARIO_WORD_MAX]; /* what its body holds; "": anything */
    bool has_within;
    struct span within; /* of the first fault or operator command; of the start if there is none */
};

struct scenario_unwanted { /* a mechanism, or an alert, that must stay quiet */
    char mechanism[SCENARIO_WORD_MAX];
    char event[SCENARIO_WORD_MAX];
    char alert[SCENARIO_WORD_MAX]; /* its key, or "any"; "": a mechanism */
    struct when from;              /* of the start if not given */
};

struct scenario { /* owned by the caller, plain memory; large: keep it off the stack */
    char id[SCENARIO_ID_MAX];
    char title[SCENARIO_TITLE_MAX];
    char source[SCENARIO_SOURCE_MAX];
    uint64_t seed;
    bool has_start;
    struct date start;           /* first session on or after it */
    int days;                    /* 0: every session of the set */
    char set[SCENARIO_WORD_MAX]; /* "stocks-2022-03", "etfs-2019-12", "synthetic" or "quiet" */
    int64_t synthetic_symbols;
    struct usd cash;
    int64_t multiplier;
    bool may_be_short;   /* account.shorting: off */
    bool is_shortable;   /* the account's configuration does not forbid it */
    bool is_suspended;   /* from the start */
    int64_t margin_most; /* its max_margin_multiplier; 0: what the gross limit needs */
    bool has_partial_fill_chance, has_late_reject_chance;
    struct ratio partial_fill_chance, late_reject_chance;
    struct config config; /* symbol_count 0: every symbol of the market */
    struct scenario_fault faults[PLAN_FAULTS_MAX];
    size_t fault_count;
    bool is_replay; /* a schedule was given: nothing fires but its lines */
    struct scenario_line schedule[SCENARIO_SCHEDULE_MAX];
    size_t schedule_count;
    struct scenario_operator operators[SCENARIO_OPERATOR_MAX];
    size_t operator_count;
    struct scenario_expect expects[SCENARIO_EXPECT_MAX];
    size_t expect_count;
    struct scenario_unwanted unwanted[SCENARIO_EXPECT_MAX];
    size_t unwanted_count;
    bool is_never[ORACLE_INVARIANT_COUNT]; /* all are judged; of these nothing is excused */
    bool has_restart_delay;
    struct span restart_delay;
    bool is_new_boot;          /* a restart comes with a new boot */
    struct when window;        /* for exhaust */
    struct span window_length; /* 0: none */
    bool has_courier;          /* alerts are delivered, and judged */
    bool may_miss;             /* faults may find no occasion: a drawn file */
    bool is_power_cut;         /* a death takes the un-synced bytes along; default true */
};

/* Every default: set synthetic, 8 symbols, 1 day, 100,000 USD, multiplier 2. */
void scenario_init(struct scenario *scenario);
/* True if its bars are drawn by its seed: no file has them. */
bool scenario_is_drawn(const struct scenario *scenario);
/* Parses a whole file's text. ERR_CONFIG with every fault in faults; then *out is unchanged. */
enum err_code scenario_parse(const char *bytes, size_t n, struct scenario *out, struct text *faults,
                             struct err *err) MUST_USE;
/* The same for a cJSON tree, which stays the caller's. */
enum err_code scenario_from_json(const cJSON *tree, struct scenario *out, struct text *faults,
                                 struct err *err) MUST_USE;

/* Reads "day N H:M[:S]", RFC 3339, or (if allowed) "next session H:M". ERR_PARSE. */
enum err_code when_parse(const char *text, struct when *out, struct err *err) MUST_USE;
/* Reads "90s", "15m", "2h". ERR_PARSE; ERR_RANGE beyond SCENARIO_SPAN_MAX_S. */
enum err_code span_parse(const char *text, struct span *out, struct err *err) MUST_USE;

#endif
