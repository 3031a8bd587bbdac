/* parse.h - from JSON trees of the wire to checked structs; private to core/alpaca.
 *
 * One pass over an object's members against a table of fields. A null member is an absent one. What is
 * required and absent, or has the wrong type, is ERR_PARSE naming the key; the caller adds the place. */
#ifndef CORE_ALPACA_PARSE_H
#define CORE_ALPACA_PARSE_H

#include "core/alpaca/alpaca.h"
#include "core/base/json.h"

enum field_kind {
    FIELD_COPY,     /* string into a char array; too long is an error */
    FIELD_COPY_CUT, /* the same, cut to what fits */
    FIELD_WORD,     /* const char * into the tree */
    FIELD_USD, /* decimal string or number; decimals beyond the ninth are cut: averages have them */
    FIELD_QTY, /* decimal string or number, exact */
    FIELD_UTC,
    FIELD_DATE,
    FIELD_BOOL,
    FIELD_COUNT, /* a number >= 0, as int64_t, fractions cut */
    FIELD_TREE,  /* const cJSON * */
};

struct field {
    const char *key;
    enum field_kind kind;
    bool is_required;
    size_t offset;
    size_t size; /* of a char array */
    size_t flag; /* offset of a bool that becomes true when the member is there */
    bool has_flag;
};

#define FIELD(type, member, key_, kind_, required_)                                                \
    {                                                                                              \
        .key = key_, .kind = kind_, .is_required = required_, .offset = offsetof(type, member),    \
        .size = sizeof(((type *)NULL)->member)                                                     \
    }
#define FIELD_FLAGGED(type, member, flag_, key_, kind_)                                            \
    {                                                                                              \
        .key = key_, .kind = kind_, .offset = offsetof(type, member),                              \
        .size = sizeof(((type *)NULL)->member), .has_flag = true, .flag = offsetof(type, flag_)    \
    }

#define FIELDS_MAX 32

/* Fills out, a zeroed struct of the table's type; tables in the wire's order are fastest. After an
 * error out holds any part of it. */
enum err_code parse_object(const cJSON *object, const struct field *fields, size_t count, void *out,
                           struct err *err) MUST_USE;

enum err_code parse_account(const cJSON *tree, struct broker_account *out,
                            struct err *err) MUST_USE;
enum err_code parse_configuration(const cJSON *tree, struct broker_configuration *out,
                                  struct err *err) MUST_USE;
enum err_code parse_clock(const cJSON *tree, struct broker_clock *out, struct err *err) MUST_USE;
enum err_code parse_session(const cJSON *tree, struct session *out, struct err *err) MUST_USE;
enum err_code parse_position(const cJSON *tree, struct broker_position *out,
                             struct err *err) MUST_USE;
enum err_code parse_order(const cJSON *tree, struct broker_order *out, struct err *err) MUST_USE;
enum err_code parse_activity(const cJSON *tree, struct broker_activity *out,
                             struct err *err) MUST_USE;
enum err_code parse_asset(const cJSON *tree, struct broker_asset *out, struct err *err) MUST_USE;
/* The day from which on a corporate action has made the stock another. */
enum err_code parse_action_day(const cJSON *tree, struct date *out, struct err *err) MUST_USE;
enum err_code parse_quote(const cJSON *tree, struct broker_quote *out, struct err *err) MUST_USE;
enum err_code parse_trade(const cJSON *tree, struct broker_trade *out, struct err *err) MUST_USE;
enum err_code parse_bar(const cJSON *tree, struct broker_bar *out, struct err *err) MUST_USE;

#endif
