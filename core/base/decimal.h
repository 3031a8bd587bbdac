/* decimal.h - exact money, shares and ratios: 64-bit counts of nanos (1e-9).
 *
 * Each is its own struct, so that price + qty does not compile. Range: +-9.2e9 units. Sums are
 * CHECKed by the caller's limits (no sum of two valid amounts of this program comes near the edge);
 * products and quotients go through 128 bits, round half to even, once, and return ERR_RANGE. */
#ifndef CORE_BASE_DECIMAL_H
#define CORE_BASE_DECIMAL_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define NANOS INT64_C(1000000000)

struct usd { /* an amount, or the price of one share */
    int64_t nanos;
};

struct qty { /* shares, signed: negative is short */
    int64_t nanos;
};

struct ratio { /* a plain number: 0.03 is 3 % */
    int64_t nanos;
};

#define USD(whole) ((struct usd){(int64_t)(whole)*NANOS})
#define QTY(whole) ((struct qty){(int64_t)(whole)*NANOS})

/* Large enough for every printed decimal and its NUL. */
#define DECIMAL_TEXT_MAX 32

/* Parses "-12.5" exactly into nanos: optional '-', digits, optional '.' and digits; no exponent, no
 * blanks. ERR_PARSE for another shape or for non-zero digits beyond the ninth decimal, ERR_RANGE. */
enum err_code decimal_parse(const char *text, int64_t *nanos, struct err *err) MUST_USE;

/* Prints without trailing zeros: "231.05", "1", "-0.5". Returns the length. */
int decimal_print(int64_t nanos, char out[static DECIMAL_TEXT_MAX]);

/* As decimal_print() with exactly `places` decimals (0 to 9), rounded half to even. */
int decimal_print_places(int64_t nanos, int places, char out[static DECIMAL_TEXT_MAX]);

/* A JSON number to nanos, exact to six decimals below 1e9. ERR_RANGE for NaN, infinity, too large. */
enum err_code decimal_from_double(double value, int64_t *nanos, struct err *err) MUST_USE;

/* a * b / c in 128 bits, rounded half to even: the one rounding of this program. c must not be 0. */
enum err_code decimal_mul_div(int64_t a, int64_t b, int64_t c, int64_t *out,
                              struct err *err) MUST_USE;

enum err_code usd_parse(const char *text, struct usd *out, struct err *err) MUST_USE;
enum err_code ratio_parse(const char *text, struct ratio *out, struct err *err) MUST_USE;

/* price x qty. */
enum err_code usd_times_qty(struct usd price, struct qty qty, struct usd *out,
                            struct err *err) MUST_USE;
/* amount / qty: an average price. ERR_RANGE when qty is zero. */
enum err_code usd_per_qty(struct usd amount, struct qty qty, struct usd *out,
                          struct err *err) MUST_USE;
/* amount x ratio. */
enum err_code usd_times_ratio(struct usd amount, struct ratio ratio, struct usd *out,
                              struct err *err) MUST_USE;
/* part / whole. ERR_RANGE when whole is zero. */
enum err_code usd_over_usd(struct usd part, struct usd whole, struct ratio *out,
                           struct err *err) MUST_USE;
/* amount / price, rounded towards zero to whole shares. ERR_RANGE unless price > 0. */
enum err_code qty_affordable(struct usd amount, struct usd price, struct qty *out,
                             struct err *err) MUST_USE;

/* As the functions above, for operands whose size the caller has bounded: CHECKs the range. */
struct usd usd_mul(struct usd price, struct qty qty);
struct usd usd_scale(struct usd amount, struct ratio ratio);
struct ratio usd_ratio(struct usd part, struct usd whole); /* whole != 0 */

/* Rounds down (towards minus infinity) to a multiple of tick (> 0). */
struct usd usd_floor(struct usd amount, struct usd tick);

static inline struct usd usd_add(struct usd a, struct usd b) {
    return (struct usd){a.nanos + b.nanos};
}
static inline struct usd usd_sub(struct usd a, struct usd b) {
    return (struct usd){a.nanos - b.nanos};
}
static inline struct usd usd_neg(struct usd a) {
    return (struct usd){-a.nanos};
}
static inline struct usd usd_abs(struct usd a) {
    return a.nanos < 0 ? usd_neg(a) : a;
}
static inline struct usd usd_min(struct usd a, struct usd b) {
    return a.nanos < b.nanos ? a : b;
}
static inline struct usd usd_max(struct usd a, struct usd b) {
    return a.nanos > b.nanos ? a : b;
}
/* <0, 0, >0 as a is below, equal to, above b. */
static inline int usd_cmp(struct usd a, struct usd b) {
    return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}
static inline struct qty qty_add(struct qty a, struct qty b) {
    return (struct qty){a.nanos + b.nanos};
}
static inline struct qty qty_sub(struct qty a, struct qty b) {
    return (struct qty){a.nanos - b.nanos};
}
static inline struct qty qty_neg(struct qty a) {
    return (struct qty){-a.nanos};
}
static inline struct qty qty_abs(struct qty a) {
    return a.nanos < 0 ? qty_neg(a) : a;
}
static inline struct qty qty_min(struct qty a, struct qty b) {
    return a.nanos < b.nanos ? a : b;
}
static inline int qty_cmp(struct qty a, struct qty b) {
    return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}
/* Whole shares, towards zero. */
static inline struct qty qty_whole(struct qty a) {
    return (struct qty){a.nanos / NANOS * NANOS};
}
/* For statistics and charts only; never decides an amount. */
static inline double usd_to_double(struct usd a) {
    return (double)a.nanos / 1e9;
}

#endif
