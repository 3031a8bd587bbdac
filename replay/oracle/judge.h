/* judge.h - what the judges share: how they report, and records by name. For this room only.
 *
 * A judge is a row of the table in oracle.c: a fold with its own state. It reports a thing once: the
 * first event that breaks an invariant for a symbol or an order. */
#ifndef REPLAY_ORACLE_JUDGE_H
#define REPLAY_ORACLE_JUDGE_H

#include "replay/oracle/oracle.h"

struct findings;

/* What a judge says; the text names symbol or order and the numbers compared. */
void findings_break(struct findings *findings, enum oracle_invariant invariant, struct utc at,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* It looks broken, and a stated unknown may be why. */
void findings_maybe(struct findings *findings);

struct judge_ops {
    void *(*create)(void); /* never NULL */
    void (*observe)(void *judge, const struct event *event, struct findings *findings);
    void (*destroy)(void *judge);
};

extern const struct judge_ops one_order_judge;
extern const struct judge_ops books_judge;
extern const struct judge_ops never_short_judge;
extern const struct judge_ops restricted_judge;
extern const struct judge_ops stops_judge;
extern const struct judge_ops exits_judge;
extern const struct judge_ops latches_judge;
extern const struct judge_ops protection_judge;
/* Up to the last event that the judge saw, in dollar-seconds. */
struct usd protection_dollar_seconds(const void *judge);

/* Records of one size by name, in the order in which the names came; they begin with the name. A
 * pointer to a record holds until the next table_get(). */
#define TABLE_NAME_MAX 64

struct table {
    char *records;
    size_t record_size, count, cap;
    size_t *slots; /* open addressing; 0 is free, else index + 1 */
    size_t slot_count;
};

struct table table_of(size_t record_size);
void table_release(struct table *table);
/* The record of a name, zeroed if new. Names are cut at TABLE_NAME_MAX - 1. */
void *table_get(struct table *table, const char *name);
/* The record, or NULL. */
void *table_find(const struct table *table, const char *name);
void *table_at(const struct table *table, size_t index);

/* malloc of zeroed bytes that never fails: out of memory aborts. */
void *judge_alloc(size_t size_bytes);
/* An id of ours: "st-...". */
bool is_our_id(const char *client_id);
/* A status after which an order is no more. */
bool is_over_word(const char *status);

#endif
