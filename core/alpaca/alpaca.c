/* alpaca.c - the life of the client, and one exchange: budget, headers, deadline, status. */
#include "core/alpaca/alpaca.h"

#include "core/alpaca/client.h"
#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>

/* A NULL or empty credential sends an empty header: the broker says 401, which the caller must see. */
static enum err_code copy_options(struct alpaca *alpaca, const struct alpaca_options *options,
                                  struct err *err) {
    const char *key_id = options->key_id == NULL ? "" : options->key_id;
    const char *secret = options->secret == NULL ? "" : options->secret;
    if (strlen(key_id) >= sizeof alpaca->key_id || strlen(secret) >= sizeof alpaca->secret) {
        return err_set(err, ERR_USAGE, "a credential is longer than %d characters",
                       ALPACA_CREDENTIAL_MAX - 1);
    }
    const char *feed = options->feed == NULL ? "" : options->feed;
    if (strcmp(feed, "sip") != 0 && strcmp(feed, "iex") != 0) {
        return err_set(err, ERR_USAGE, "feed '%.20s' is neither sip nor iex", feed);
    }
    if (options->read_deadline.ns <= 0 || options->submit_deadline.ns <= 0 ||
        options->slow_deadline.ns <= 0) {
        return err_set(err, ERR_USAGE, "a deadline is not above zero");
    }
    memcpy(alpaca->key_id, key_id, strlen(key_id) + 1);
    memcpy(alpaca->secret, secret, strlen(secret) + 1);
    memcpy(alpaca->feed, feed, strlen(feed) + 1);
    alpaca->world = options->world;
    alpaca->read_deadline = options->read_deadline;
    alpaca->submit_deadline = options->submit_deadline;
    alpaca->slow_deadline = options->slow_deadline;
    alpaca->breaker_rules = options->breaker;
    const int64_t rates[RATE_LANES] = {[ALPACA_LANE_CORE] = options->rate_core,
                                       [ALPACA_LANE_EXIT] = options->rate_exit,
                                       [ALPACA_LANE_OTHER] = options->rate_other};
    return rate_budget_init(&alpaca->budget, rates, err);
}

static bool memo_init(struct memo *memo, size_t count, size_t item_size) {
    memo->items = calloc(count, item_size);
    memo->body = text_limited(HTTP_BODY_MAX);
    return memo->items != NULL;
}

enum err_code alpaca_create(const struct alpaca_options *options, struct alpaca **out,
                            struct err *err) {
    CHECK(options->world != NULL);
    struct alpaca *alpaca = calloc(1, sizeof *alpaca);
    if (alpaca == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for the broker client");
    }
    enum err_code code = copy_options(alpaca, options, err);
    if (code != ERR_OK) {
        alpaca_destroy(alpaca);
        return code;
    }
    if (!memo_init(&alpaca->account, 1, sizeof(struct broker_account)) ||
        !memo_init(&alpaca->positions, ALPACA_POSITIONS_MAX, sizeof(struct broker_position)) ||
        !memo_init(&alpaca->open_orders, ALPACA_ORDERS_MAX, sizeof(struct broker_order))) {
        alpaca_destroy(alpaca);
        return err_set(err, ERR_MEMORY, "no memory for the broker client");
    }
    http_response_clear(&alpaca->response);
    *out = alpaca;
    return ERR_OK;
}

static void memo_release(struct memo *memo) {
    text_release(&memo->body);
    free(memo->items);
}

void alpaca_destroy(struct alpaca *alpaca) {
    if (alpaca == NULL) {
        return;
    }
    rate_budget_release(&alpaca->budget);
    memo_release(&alpaca->account);
    memo_release(&alpaca->positions);
    memo_release(&alpaca->open_orders);
    http_response_release(&alpaca->response);
    text_release(&alpaca->path);
    text_release(&alpaca->query);
    text_release(&alpaca->body);
    explicit_bzero(alpaca, sizeof *alpaca);
    free(alpaca);
}

static void take_key(struct alpaca *alpaca, const char *key_id, const char *secret) {
    explicit_bzero(alpaca->key_id, sizeof alpaca->key_id);
    explicit_bzero(alpaca->secret, sizeof alpaca->secret);
    memcpy(alpaca->key_id, key_id, strlen(key_id) + 1);
    memcpy(alpaca->secret, secret, strlen(secret) + 1);
}

bool alpaca_has_key(const struct alpaca *alpaca, const char *key_id, const char *secret) {
    return strcmp(alpaca->key_id, key_id) == 0 && strcmp(alpaca->secret, secret) == 0;
}

enum err_code alpaca_change_key(struct alpaca *alpaca, const char *key_id, const char *secret,
                                const char *number, struct err *err) {
    char old_key_id[ALPACA_CREDENTIAL_MAX];
    char old_secret[ALPACA_CREDENTIAL_MAX];
    struct broker_account account = {0};
    if (strlen(key_id) >= ALPACA_CREDENTIAL_MAX || strlen(secret) >= ALPACA_CREDENTIAL_MAX) {
        return err_set(err, ERR_USAGE, "a credential is longer than %d characters",
                       ALPACA_CREDENTIAL_MAX - 1);
    }
    memcpy(old_key_id, alpaca->key_id, sizeof old_key_id);
    memcpy(old_secret, alpaca->secret, sizeof old_secret);
    take_key(alpaca, key_id, secret);
    enum err_code code = alpaca_get_account(alpaca, &account, err);
    if (code == ERR_OK && number[0] != '\0' && strcmp(account.number, number) != 0) {
        code = err_set(err, ERR_REFUSED, "the key is of account %s, this state belongs to %s",
                       account.number, number);
    }
    MUTATE(key_unverified, code = ERR_OK);
    if (code != ERR_OK) {
        take_key(alpaca, old_key_id, old_secret);
    }
    explicit_bzero(old_key_id, sizeof old_key_id);
    explicit_bzero(old_secret, sizeof old_secret);
    return code;
}

const struct alpaca_reply *alpaca_reply(const struct alpaca *alpaca) {
    return &alpaca->reply;
}

const struct alpaca_meter *alpaca_meter(const struct alpaca *alpaca,
                                        enum alpaca_endpoint endpoint) {
    return &alpaca->meters[endpoint];
}

struct alpaca_counts alpaca_counts(const struct alpaca *alpaca) {
    return alpaca->counts;
}

unsigned alpaca_open_breakers(struct alpaca *alpaca) {
    struct mono now = clock_mono(alpaca->world->clock);
    unsigned open = 0;
    for (unsigned i = 0; i < ENDPOINT_COUNT; i++) {
        bool is_guarded = i == ENDPOINT_ASSETS || i == ENDPOINT_CORPORATE_ACTIONS ||
                          i == ENDPOINT_CONFIGURATION || i == ENDPOINT_SNAPSHOTS ||
                          (i == ENDPOINT_BARS && alpaca->is_bars_spared);
        open |= !is_guarded && breaker_is_open(&alpaca->breakers[i], now) ? 1u << i : 0;
    }
    return open;
}

void alpaca_spare_bars(struct alpaca *alpaca, bool is_spared) {
    alpaca->is_bars_spared = is_spared;
}

unsigned alpaca_tripped_breakers(const struct alpaca *alpaca) {
    unsigned tripped = 0;
    for (unsigned i = 0; i < ENDPOINT_COUNT; i++) {
        tripped |= alpaca->breakers[i].state != BREAKER_CLOSED ? 1u << i : 0;
    }
    return tripped;
}

void alpaca_set_lane(struct alpaca *alpaca, enum alpaca_lane lane) {
    alpaca->lane = lane;
}

void client_begin(struct alpaca *alpaca, enum alpaca_endpoint endpoint, const char *path) {
    alpaca->endpoint = endpoint;
    text_clear(&alpaca->path);
    text_clear(&alpaca->query);
    text_clear(&alpaca->body);
    text_add(&alpaca->path, path);
}

void text_add_encoded(struct text *text, const char *string) {
    static const char digits[] = "0123456789ABCDEF";
    for (const char *s = string; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
        if (is_plain) {
            text_add_char(text, (char)c);
        } else {
            const char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
            text_add_bytes(text, encoded, sizeof encoded);
        }
    }
}

enum err_code client_wrap(struct alpaca *alpaca, const char *method, enum err_code code,
                          struct err *err) {
    (void)err_wrap(err, "%s %s", method, text_get(&alpaca->path));
    return code;
}

/* Code and message of an error body, where it has them: proxies answer with HTML. */
static void read_error_body(struct alpaca *alpaca) {
    const struct text *body = &alpaca->response.body;
    cJSON *tree = NULL;
    if (json_parse(text_get(body), body->len, &tree, NULL) != ERR_OK) {
        return;
    }
    if (cJSON_IsObject(tree)) {
        int64_t code = 0;
        if (json_int(tree, "code", &code, NULL) == ERR_OK) {
            alpaca->reply.code = code;
        }
        const char *message = "";
        const char *other = "";
        alpaca->reply.is_wash = json_string(tree, "existing_order_id", &other, NULL) == ERR_OK;
        if (json_string(tree, "message", &message, NULL) == ERR_OK) {
            size_t n = strnlen(message, sizeof alpaca->reply.message - 1);
            memcpy(alpaca->reply.message, message, n);
            alpaca->reply.message[n] = '\0';
            alpaca->reply.is_by_user =
                alpaca->reply.status == 403 && strstr(message, "rejected by user request") != NULL;
        }
    }
    cJSON_Delete(tree);
}

/* What a status outside 2xx means. Only a 4xx says that a change did not happen; 408 is a timeout. */
static enum err_code judge(struct alpaca *alpaca, const struct call *call, struct err *err) {
    int status = alpaca->reply.status;
    enum err_code code = ERR_REFUSED;
    read_error_body(alpaca);
    if (status == 404) {
        code = ERR_NOT_FOUND;
    } else if (call->is_change && (status < 400 || status == 408 || status > 499)) {
        code = ERR_UNKNOWN;
    }
    MUTATE(server_error_is_refusal, code = code == ERR_UNKNOWN ? ERR_REFUSED : code);
    const char *message = alpaca->reply.message;
    return err_set(err, code, "HTTP %d, code %lld%s%s", status, (long long)alpaca->reply.code,
                   message[0] == '\0' ? "" : ": ", message);
}

static enum err_code perform(struct alpaca *alpaca, const struct call *call, struct err *err) {
    const struct http_header headers[] = {{"APCA-API-KEY-ID", alpaca->key_id},
                                          {"APCA-API-SECRET-KEY", alpaca->secret},
                                          {"Content-Type", "application/json"}};
    const struct http_request request = {.method = call->method,
                                         .host = call->host,
                                         .path = text_get(&alpaca->path),
                                         .query = text_get(&alpaca->query),
                                         .headers = headers,
                                         .header_count = alpaca->body.len > 0 ? 3 : 2,
                                         .body = text_get(&alpaca->body),
                                         .body_len = alpaca->body.len,
                                         .is_change = call->is_change,
                                         .has_expiry = call->has_expiry,
                                         .expires_at = call->expires_at};
    struct span deadline = call->deadline;
    MUTATE(deadline_ignored, deadline = SPAN_S(60));
    return http_perform(alpaca->world->http, &request, deadline, &alpaca->response, err);
}

/* Exits, stops and cancels have the lane of the exits; what reads changes nothing. */
static enum err_code ask_breaker(struct alpaca *alpaca, const struct call *call, struct mono now,
                                 struct err *err) {
    bool is_vital = !call->is_change || alpaca->lane == ALPACA_LANE_EXIT;
    unsigned open = is_vital ? 0 : alpaca_open_breakers(alpaca);
    if (open == 0 && breaker_may_try(&alpaca->breakers[alpaca->endpoint], is_vital, now)) {
        return ERR_OK;
    }
    alpaca->reply.is_held_back = true;
    alpaca->counts.barred++;
    open |= open == 0 ? 1u << alpaca->endpoint : 0;
    return err_set(err, ERR_NOT_SENT, "the circuit breaker of %s is open",
                   alpaca_endpoint_word(alpaca_first_endpoint(open)));
}

/* A refusal by the clock before the first byte is no failure of the broker. */
static void tell_breaker(struct alpaca *alpaca, const struct call *call, enum err_code code,
                         struct mono now) {
    bool is_expired = code == ERR_NOT_SENT && call->has_expiry && now.ns >= call->expires_at.ns;
    bool is_failure = code != ERR_OK || alpaca->response.status >= 500;
    MUTATE(breaker_counts_refusals, is_failure = is_failure || alpaca->response.status >= 400);
    if (!is_expired) {
        breaker_note(&alpaca->breakers[alpaca->endpoint], &alpaca->breaker_rules, is_failure, now);
    }
}

static void measure(struct alpaca *alpaca, enum err_code code, struct span took) {
    struct alpaca_meter *meter = &alpaca->meters[alpaca->endpoint];
    int status = code == ERR_OK ? alpaca->response.status : 0;
    MUTATE(unanswered_unmeasured, if (code != ERR_OK) return);
    meter->requests++;
    meter->failed += code != ERR_OK || status >= 500;
    meter->refused += status >= 400 && status <= 499;
    histogram_note(&meter->seconds, &HISTOGRAM_SECONDS, took.ns);
}

enum err_code client_send(struct alpaca *alpaca, const struct call *call, struct err *err) {
    struct clock *clock = alpaca->world->clock;
    struct mono now = clock_mono(clock);
    alpaca->reply = (struct alpaca_reply){.last_byte_at = now, .retry_after_s = -1};
    http_response_clear(&alpaca->response);
    if (text_finish(&alpaca->path, err) != ERR_OK || text_finish(&alpaca->query, err) != ERR_OK ||
        text_finish(&alpaca->body, err) != ERR_OK) {
        return err_set(err, ERR_NOT_SENT, "no memory to write the request");
    }
    if (ask_breaker(alpaca, call, now, err) != ERR_OK) { /* first: what is barred spends nothing */
        return ERR_NOT_SENT;
    }
    if (rate_budget_take(&alpaca->budget, alpaca->lane, now, err) != ERR_OK) {
        alpaca->reply.is_held_back = true;
        alpaca->counts.held_back++;
        return ERR_NOT_SENT;
    }
    breaker_try(&alpaca->breakers[alpaca->endpoint], now);
    enum err_code code = perform(alpaca, call, err);
    MUTATE(unbounded_retry, for (int i = 0; code != ERR_OK && i < 500; i++) code = perform(alpaca, call, err));
    struct mono began = now;
    now = clock_mono(clock);
    alpaca->reply.last_byte_at = now;
    measure(alpaca, code, mono_sub(now, began));
    tell_breaker(alpaca, call, code, now);
    if (code != ERR_OK) {
        alpaca->counts.past_deadline += mono_sub(now, began).ns >= call->deadline.ns;
        MUTATE(clock_watched, for (int i = 0; i < 20000 && mono_sub(clock_mono(clock), now).ns < SPAN_S(1).ns; i++) continue);
        return code;
    }
    alpaca->reply.status = alpaca->response.status;
    alpaca->reply.retry_after_s = alpaca->response.retry_after_s;
    if (alpaca->reply.status == 429) {
        rate_budget_throttle(&alpaca->budget, alpaca->lane, now, alpaca->response.retry_after_s);
    }
    bool is_good = alpaca->reply.status >= 200 && alpaca->reply.status <= 299;
    return is_good ? ERR_OK : judge(alpaca, call, err);
}

enum err_code client_read(struct alpaca *alpaca, struct err *err) {
    /* of snapshots, an entry waits for the answer */
    bool is_slow = alpaca->lane == ALPACA_LANE_OTHER && alpaca->endpoint != ENDPOINT_SNAPSHOTS;
    const struct call call = {.method = "GET",
                              .host =
                                  alpaca->endpoint >= ENDPOINT_QUOTES ? HTTP_DATA : HTTP_TRADING,
                              .deadline = is_slow ? alpaca->slow_deadline : alpaca->read_deadline};
    enum err_code code = client_send(alpaca, &call, err);
    return code == ERR_OK ? ERR_OK : client_wrap(alpaca, "GET", code, err);
}

enum err_code client_tree(struct alpaca *alpaca, cJSON **tree, struct err *err) {
    const struct text *body = &alpaca->response.body;
    return json_parse(text_get(body), body->len, tree, err);
}
