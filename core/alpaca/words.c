/* words.c - the words of the wire for sides, types, times in force and statuses. */
#include "core/alpaca/alpaca.h"
#include "core/base/check.h"

const char *broker_status_word(enum broker_status status) {
    static const char *const words[] = {
#define X(status, word, is_terminal) [status] = word,
        BROKER_STATUSES(X)
#undef X
    };
    CHECK(status >= STATUS_NEW && status <= STATUS_OTHER);
    return words[status];
}

bool broker_status_is_terminal(enum broker_status status) {
    static const bool terminal[] = {
#define X(status, word, is_terminal) [status] = is_terminal,
        BROKER_STATUSES(X)
#undef X
    };
    CHECK(status >= STATUS_NEW && status <= STATUS_OTHER);
    return terminal[status];
}

const char *order_side_word(enum order_side side) {
    return side == SIDE_BUY ? "buy" : "sell";
}

const char *order_type_word(enum order_type type) {
    static const char *const words[] = {[ORDER_MARKET] = "market",
                                        [ORDER_LIMIT] = "limit",
                                        [ORDER_STOP] = "stop",
                                        [ORDER_STOP_LIMIT] = "stop_limit",
                                        [ORDER_TYPE_OTHER] = "?"};
    CHECK(type >= ORDER_MARKET && type <= ORDER_TYPE_OTHER);
    return words[type];
}

const char *order_tif_word(enum order_tif tif) {
    static const char *const words[] = {
        [TIF_DAY] = "day", [TIF_GTC] = "gtc", [TIF_IOC] = "ioc", [TIF_OTHER] = "?"};
    CHECK(tif >= TIF_DAY && tif <= TIF_OTHER);
    return words[tif];
}

const char *alpaca_endpoint_word(enum alpaca_endpoint endpoint) {
    static const char *const words[] = {
#define X(name, word) [name] = word,
        ALPACA_ENDPOINTS(X)
#undef X
    };
    CHECK(endpoint >= ENDPOINT_SUBMIT && endpoint < ENDPOINT_COUNT);
    return words[endpoint];
}

enum alpaca_endpoint alpaca_first_endpoint(unsigned mask) {
    CHECK(mask != 0 && mask < 1u << ENDPOINT_COUNT);
    return (enum alpaca_endpoint)__builtin_ctz(mask);
}
