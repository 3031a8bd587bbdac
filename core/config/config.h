/* config.h - one typed table of settings: config.def is the table, struct config its values.
 *
 * A configuration file is a JSON object: "universe": ["AAPL", ...], "universe.restricted": likewise, "data.feed": "sip" | "iex",
 * "risk.groups_file": a path, and the table's keys, flat ("risk.max_positions": 6). Money and ratios are JSON strings or numbers. Unknown
 * keys, wrong types, values out of range and broken cross-checks are all reported at once. */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/decimal.h"
#include "core/base/err.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/utc.h"
#include "core/config/groups.h"

#define CONFIG_SYMBOLS_MAX 128
#define CONFIG_SYMBOL_MAX 16

/* A bar tells of its minute for 90 s behind its end, so for this long from its start. */
#define BAR_FRESH SPAN_S(150)

struct config {
    char symbols[CONFIG_SYMBOLS_MAX][CONFIG_SYMBOL_MAX];
    size_t symbol_count;
    char restricted[CONFIG_SYMBOLS_MAX]
                   [CONFIG_SYMBOL_MAX]; /* never bought; of the universe or not */
    size_t restricted_count;
    char feed[8];
    char groups_file
        [GROUPS_PATH_MAX]; /* "": the groups compiled in; else whoever applies it reads it */
    struct groups groups;
#define CONFIG_USD(field, ...) struct usd field;
#define CONFIG_RATIO(field, ...) struct ratio field;
#define CONFIG_INT(field, ...) int64_t field;
#define CONFIG_SPAN_S(field, ...) struct span field;
#define CONFIG_BOOL(field, ...) bool field;
#include "core/config/config.def"
#undef CONFIG_USD
#undef CONFIG_RATIO
#undef CONFIG_INT
#undef CONFIG_SPAN_S
#undef CONFIG_BOOL
};

/* Every default, no symbols, feed "sip", the groups compiled in. */
struct config config_defaults(void);
/* Applies the members of a JSON object to *config. ERR_CONFIG with every fault, one a line, in
 * faults ("sizing.base_usd: 0 is below 1"); then *config is unchanged. */
enum err_code config_apply(struct config *config, const cJSON *object, struct text *faults,
                           struct err *err) MUST_USE;
/* The cross-checks alone; same reporting. An empty universe is a fault, and so are groups that are not
 * those of risk.groups_file. */
enum err_code config_check(const struct config *config, struct text *faults,
                           struct err *err) MUST_USE;
/* Prints every setting as JSON with value, default, unit, range, safer direction and meaning. */
void config_print(const struct config *config, struct text *out);
/* One setting in words. ERR_NOT_FOUND names the nearest keys. */
enum err_code config_explain(const struct config *config, const char *key, struct text *out,
                             struct err *err) MUST_USE;
/* 16 hex digits over every effective value: two runs with the same hash had the same limits. */
void config_hash(const struct config *config, char out[static 17]);

#endif
