/* bars_json.c - reads Alpaca's bars, as the single and the multi endpoint of /v2/stocks print them.
 */
#include "broker_sim/market/bar_set.h"

#include "core/base/json.h"

static enum err_code read_bar(const cJSON *item, struct market_bar *out, struct err *err) {
    struct market_bar bar = {0};
    enum err_code code = ERR_OK;
    if ((code = json_utc(item, "t", &bar.at, err)) != ERR_OK ||
        (code = json_decimal_either(item, "o", &bar.open.nanos, err)) != ERR_OK ||
        (code = json_decimal_either(item, "h", &bar.high.nanos, err)) != ERR_OK ||
        (code = json_decimal_either(item, "l", &bar.low.nanos, err)) != ERR_OK ||
        (code = json_decimal_either(item, "c", &bar.close.nanos, err)) != ERR_OK ||
        (code = json_int(item, "v", &bar.volume, err)) != ERR_OK) {
        return code;
    }
    if (!json_is_null(item, "vw") &&
        (code = json_decimal_either(item, "vw", &bar.vwap.nanos, err)) != ERR_OK) {
        return code;
    }
    if (!json_is_null(item, "n") && (code = json_int(item, "n", &bar.trades, err)) != ERR_OK) {
        return code;
    }
    *out = bar;
    return ERR_OK;
}

static enum err_code read_series(struct bar_set *set, const char *symbol, const cJSON *bars,
                                 struct err *err) {
    struct bar_series *series = NULL;
    enum err_code code = bar_set_begin(set, symbol, &series, err);
    if (code != ERR_OK) {
        return code;
    }
    if (!cJSON_IsArray(bars)) {
        return err_set(err, ERR_PARSE, "the bars of %s are no array; fetch the file again", symbol);
    }
    size_t index = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, bars) {
        struct market_bar bar;
        code = read_bar(item, &bar, err);
        if (code == ERR_OK) {
            code = bar_set_add(set, series, bar, err);
        }
        if (code != ERR_OK) {
            err_wrap(err, "bar %zu of %s (from 0)", index, symbol);
            return code;
        }
        index++;
    }
    return ERR_OK;
}

/* {"bars":{"AAPL":[...],...}} */
static enum err_code read_multi(struct bar_set *set, const cJSON *bars, struct err *err) {
    const cJSON *symbol = NULL;
    cJSON_ArrayForEach(symbol, bars) {
        enum err_code code = read_series(set, symbol->string, symbol, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

/* {"bars":[...],"symbol":"AAPL"} */
static enum err_code read_single(struct bar_set *set, const cJSON *tree, const cJSON *bars,
                                 struct err *err) {
    const char *symbol = NULL;
    enum err_code code = json_string(tree, "symbol", &symbol, err);
    return code == ERR_OK ? read_series(set, symbol, bars, err) : code;
}

enum err_code bars_read_json(struct bar_set *set, const char *content, size_t n, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = json_parse(content, n, &tree, err);
    if (code != ERR_OK) {
        err_wrap(err, "damaged or truncated, fetch it again");
        return code;
    }
    const cJSON *bars = json_member(tree, "bars");
    if (cJSON_IsObject(bars)) {
        code = read_multi(set, bars, err);
    } else if (cJSON_IsArray(bars)) {
        code = read_single(set, tree, bars, err);
    } else {
        code = err_set(err, ERR_PARSE,
                       "has no \"bars\", neither an array nor an object; save the answer "
                       "of /v2/stocks/bars as it comes");
    }
    cJSON_Delete(tree);
    return code;
}
