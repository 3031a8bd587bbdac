/* decimal.c - parsing, printing and the one rounding of exact decimals. */
#include "core/base/decimal.h"

#include "core/base/check.h"

#include <math.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

enum err_code decimal_parse(const char *text, int64_t *nanos, struct err *err) {
    const char *s = text;
    bool is_negative = *s == '-';
    s += is_negative;
    if (!is_digit(*s)) {
        return err_set(err, ERR_PARSE, "'%.40s' is not a decimal", text);
    }
    uint64_t value = 0;
    int decimals = -1; /* -1 until the point */
    for (; *s != '\0'; s++) {
        if (*s == '.' && decimals < 0 && is_digit(s[1])) {
            decimals = 0;
            continue;
        }
        if (!is_digit(*s)) {
            return err_set(err, ERR_PARSE, "'%.40s' is not a decimal", text);
        }
        if (decimals >= 9) {
            if (*s != '0') {
                return err_set(err, ERR_PARSE, "'%.40s' has more than nine decimals", text);
            }
            continue;
        }
        decimals += decimals >= 0;
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value)) {
            return err_set(err, ERR_RANGE, "'%.40s' is too large", text);
        }
    }
    for (int k = decimals < 0 ? 0 : decimals; k < 9; k++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value)) {
            return err_set(err, ERR_RANGE, "'%.40s' is too large", text);
        }
    }
    if (value > INT64_MAX) {
        return err_set(err, ERR_RANGE, "'%.40s' is too large", text);
    }
    *nanos = is_negative ? -(int64_t)value : (int64_t)value;
    return ERR_OK;
}

/* Writes an unsigned number, returns its length. */
static int print_unsigned(uint64_t value, char *out) {
    char digits[20];
    int n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (int i = 0; i < n; i++) {
        out[i] = digits[n - 1 - i];
    }
    return n;
}

int decimal_print(int64_t nanos, char out[static DECIMAL_TEXT_MAX]) {
    uint64_t magnitude = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    int n = 0;
    if (nanos < 0) {
        out[n++] = '-';
    }
    n += print_unsigned(magnitude / (uint64_t)NANOS, out + n);
    uint64_t fraction = magnitude % (uint64_t)NANOS;
    if (fraction > 0) {
        out[n++] = '.';
        for (uint64_t unit = (uint64_t)NANOS / 10; fraction > 0; unit /= 10) {
            out[n++] = (char)('0' + fraction / unit);
            fraction %= unit;
        }
    }
    out[n] = '\0';
    return n;
}

/* numerator / denominator rounded half to even; denominator > 0. */
static __int128 round_half_even(__int128 numerator, __int128 denominator) {
    __int128 quotient = numerator / denominator;
    __int128 remainder = numerator % denominator;
    __int128 twice = 2 * (remainder < 0 ? -remainder : remainder);
    bool is_away = twice > denominator || (twice == denominator && quotient % 2 != 0);
    if (is_away) {
        quotient += numerator < 0 ? -1 : 1;
    }
    return quotient;
}

int decimal_print_places(int64_t nanos, int places, char out[static DECIMAL_TEXT_MAX]) {
    CHECK(places >= 0 && places <= 9);
    int64_t unit = 1;
    for (int i = places; i < 9; i++) {
        unit *= 10;
    }
    __int128 scaled = round_half_even(nanos, unit); /* in units of 10^-places */
    uint64_t magnitude = (uint64_t)(scaled < 0 ? -scaled : scaled);
    uint64_t whole = magnitude;
    uint64_t divisor = (uint64_t)(NANOS / unit);
    whole /= divisor;
    uint64_t fraction = magnitude % divisor;
    int n = 0;
    if (scaled < 0) {
        out[n++] = '-';
    }
    n += print_unsigned(whole, out + n);
    if (places > 0) {
        out[n++] = '.';
        for (uint64_t digit = divisor / 10; digit > 0; digit /= 10) {
            out[n++] = (char)('0' + fraction / digit % 10);
        }
    }
    out[n] = '\0';
    return n;
}

enum err_code decimal_from_double(double value, int64_t *nanos, struct err *err) {
    if (!(fabs(value) < 9.2e9)) {
        return err_set(err, ERR_RANGE, "%g is not an amount", value);
    }
    *nanos = llround(value * 1e6) * 1000;
    return ERR_OK;
}

enum err_code decimal_mul_div(int64_t a, int64_t b, int64_t c, int64_t *out, struct err *err) {
    CHECK(c != 0);
    __int128 product = (__int128)a * b;
    __int128 divisor = c;
    if (divisor < 0) {
        product = -product;
        divisor = -divisor;
    }
    __int128 rounded = round_half_even(product, divisor);
    if (rounded > INT64_MAX || rounded < INT64_MIN) {
        return err_set(err, ERR_RANGE, "a product of decimals is out of range");
    }
    *out = (int64_t)rounded;
    return ERR_OK;
}

enum err_code usd_parse(const char *text, struct usd *out, struct err *err) {
    return decimal_parse(text, &out->nanos, err);
}

enum err_code ratio_parse(const char *text, struct ratio *out, struct err *err) {
    return decimal_parse(text, &out->nanos, err);
}

enum err_code usd_times_qty(struct usd price, struct qty qty, struct usd *out, struct err *err) {
    return decimal_mul_div(price.nanos, qty.nanos, NANOS, &out->nanos, err);
}

enum err_code usd_per_qty(struct usd amount, struct qty qty, struct usd *out, struct err *err) {
    if (qty.nanos == 0) {
        return err_set(err, ERR_RANGE, "an average price of zero shares");
    }
    return decimal_mul_div(amount.nanos, NANOS, qty.nanos, &out->nanos, err);
}

enum err_code usd_times_ratio(struct usd amount, struct ratio ratio, struct usd *out,
                              struct err *err) {
    return decimal_mul_div(amount.nanos, ratio.nanos, NANOS, &out->nanos, err);
}

enum err_code usd_over_usd(struct usd part, struct usd whole, struct ratio *out, struct err *err) {
    if (whole.nanos == 0) {
        return err_set(err, ERR_RANGE, "a share of zero");
    }
    return decimal_mul_div(part.nanos, NANOS, whole.nanos, &out->nanos, err);
}

enum err_code qty_affordable(struct usd amount, struct usd price, struct qty *out,
                             struct err *err) {
    if (price.nanos <= 0) {
        return err_set(err, ERR_RANGE, "a price that is not above zero");
    }
    int64_t whole = amount.nanos / price.nanos;
    if (whole > INT64_MAX / NANOS || whole < INT64_MIN / NANOS) {
        return err_set(err, ERR_RANGE, "a quantity out of range");
    }
    *out = (struct qty){whole * NANOS};
    return ERR_OK;
}

struct usd usd_mul(struct usd price, struct qty qty) {
    struct usd out = {0};
    CHECK(usd_times_qty(price, qty, &out, NULL) == ERR_OK);
    return out;
}

struct usd usd_scale(struct usd amount, struct ratio ratio) {
    struct usd out = {0};
    CHECK(usd_times_ratio(amount, ratio, &out, NULL) == ERR_OK);
    return out;
}

struct ratio usd_ratio(struct usd part, struct usd whole) {
    struct ratio out = {0};
    CHECK(usd_over_usd(part, whole, &out, NULL) == ERR_OK);
    return out;
}

struct usd usd_floor(struct usd amount, struct usd tick) {
    CHECK(tick.nanos > 0);
    int64_t rest = amount.nanos % tick.nanos;
    return (struct usd){amount.nanos - (rest < 0 ? rest + tick.nanos : rest)};
}
