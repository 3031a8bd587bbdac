/* json.h - reading JSON through cJSON, with errors that name the key; writing goes through text.h.
 *
 * A reader names a member of an object: "qty: '1x' is not a decimal". The caller adds the place with
 * err_wrap() ("answer of GET /v2/account: ..."). Trading decimals are JSON strings, market data
 * prices JSON numbers (alpaca-api.md, fact 1); the *_either readers take both. No tree outlives what
 * it was parsed for, a function or the event that judges look at: nothing keeps a cJSON pointer across a
 * seam call. */
#ifndef CORE_BASE_JSON_H
#define CORE_BASE_JSON_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/base/utc.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Parses n bytes, nothing but white space behind the value. The tree is owned by the caller
 * (cJSON_Delete). ERR_PARSE names line and column. */
enum err_code json_parse(const char *bytes, size_t n, cJSON **out, struct err *err) MUST_USE;

/* The member, or NULL; names are case-sensitive. */
const cJSON *json_member(const cJSON *object, const char *key);

/* A member that must be there and have the type; the result lives as long as the tree. */
enum err_code json_string(const cJSON *object, const char *key, const char **out,
                          struct err *err) MUST_USE;
enum err_code json_bool(const cJSON *object, const char *key, bool *out, struct err *err) MUST_USE;
/* A whole JSON number within +-2^53. */
enum err_code json_int(const cJSON *object, const char *key, int64_t *out,
                       struct err *err) MUST_USE;
enum err_code json_array(const cJSON *object, const char *key, const cJSON **out,
                         struct err *err) MUST_USE;
/* A decimal in a JSON string, exact. */
enum err_code json_usd(const cJSON *object, const char *key, struct usd *out,
                       struct err *err) MUST_USE;
enum err_code json_qty(const cJSON *object, const char *key, struct qty *out,
                       struct err *err) MUST_USE;
/* A decimal in a JSON string or number (market data; configuration), as nanos. */
enum err_code json_decimal_either(const cJSON *object, const char *key, int64_t *nanos,
                                  struct err *err) MUST_USE;
/* An RFC 3339 string. */
enum err_code json_utc(const cJSON *object, const char *key, struct utc *out,
                       struct err *err) MUST_USE;
/* Copies a string member into a fixed field. */
enum err_code json_copy(const cJSON *object, const char *key, char *field, size_t field_size,
                        struct err *err) MUST_USE;

/* Deletes a tree that held a secret: cJSON frees without wiping. NULL is no tree. */
void json_wipe(cJSON *tree);

/* True if the member is absent or null. */
bool json_is_null(const cJSON *object, const char *key);

/* Prints a tree with sorted keys and no white space: the canonical form of requests in the trace. */
void json_print_sorted(const cJSON *value, struct text *out);

#endif
