/* smart_poller.c - intervals that double, and two budgets (smart_poller.h). */
#include "core/alpaca/smart_poller.h"

#include "core/base/mutant.h"

static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span DAY = {INT64_C(86400000000000)};

const char *poll_line_word(enum poll_line line) {
    static const char *const words[] = {"quotes", "trades", "bars", "snapshots"};
    return words[line];
}

const char *poll_hold_word(enum poll_hold hold) {
    static const char *const words[] = {"free", "failed", "minute", "day"};
    return words[hold];
}

/* --- budgets --- */

static bool is_spent(const struct poll_window *window, int64_t most, struct mono now) {
    MUTATE(poller_minute_off_by_one, most++);
    return window->count >= most &&
           mono_sub(now, window->at[(window->count - most) % POLL_MINUTE_MAX]).ns < MINUTE.ns;
}

static void spend(struct poll_window *window, int64_t requests, struct mono at) {
    for (int64_t i = 0; i < requests; i++) {
        window->at[window->count++ % POLL_MINUTE_MAX] = at;
    }
}

static bool is_new_day(const struct smart_poller *poller, struct mono now) {
    return poller->day_count == 0 || mono_sub(now, poller->day_began).ns >= DAY.ns;
}

static void count(struct smart_poller *poller, int64_t requests, bool is_spare, struct mono at) {
    spend(&poller->all, requests, at);
    if (is_spare) {
        spend(&poller->spare, requests, at);
    }
    if (is_new_day(poller, at)) {
        poller->day_began = at;
        poller->day_count = 0;
    }
    poller->day_count += requests;
}

static enum poll_hold ask_budgets(const struct smart_poller *poller, const struct config *config,
                                  struct mono now) {
    bool is_half_spent = is_spent(&poller->spare, config->poller_minute / 2, now);
    MUTATE(poller_keeps_no_half, is_half_spent = false);
    if (is_half_spent || is_spent(&poller->all, config->poller_minute, now)) {
        return POLL_MINUTE;
    }
    MUTATE(poller_day_ignored, return POLL_FREE);
    bool is_day_spent = poller->day_count >= config->poller_day && !is_new_day(poller, now);
    return is_day_spent ? POLL_DAY : POLL_FREE;
}

/* Of so many in a minute. */
static int64_t left(const struct poll_window *window, int64_t most, struct mono now) {
    int64_t used = 0;
    while (used < window->count && used < most &&
           mono_sub(now, window->at[(window->count - used - 1) % POLL_MINUTE_MAX]).ns < MINUTE.ns) {
        used++;
    }
    return most - used;
}

int64_t smart_poller_pages(const struct smart_poller *poller, const struct config *config,
                           struct mono now) {
    int64_t spare = left(&poller->spare, config->poller_minute / 2, now);
    int64_t all = left(&poller->all, config->poller_minute, now);
    int64_t pages = spare < all ? spare : all;
    return pages > 1 ? pages : 1;
}

/* --- intervals --- */

enum poll_hold smart_poller_holds(const struct smart_poller *poller, enum poll_line line,
                                  const struct config *config, struct mono now) {
    MUTATE(smart_poller_ignored, return POLL_FREE);
    return read_backoff_is_due(&poller->backoffs[line], now) ? ask_budgets(poller, config, now)
                                                             : POLL_BACKOFF;
}

void smart_poller_start(struct smart_poller *poller, enum poll_line line, struct mono now) {
    read_backoff_start(&poller->backoffs[line], now);
}

/* Told by a host that answers: of one of the symbols, perhaps; or of so many that the budget did not last. */
static bool is_of_spare(const struct poll_outcome *outcome) {
    int status = outcome->reply->status;
    bool is_cut = outcome->reply->is_held_back && outcome->requests > 0;
    return outcome->code != ERR_OK && outcome->is_spare && (is_cut || (status > 0 && status < 500));
}

bool smart_poller_asks_apart(const struct poll_outcome *outcome) {
    return is_of_spare(outcome) && outcome->reply->status != 429 && !outcome->reply->is_held_back;
}

/* What is held is asked each tick: it makes no wait longer than the rest's own failures do, and answers for the
 * rest only where the host was at fault. */
static bool is_no_news(struct smart_poller *poller, enum poll_line line,
                       const struct poll_outcome *outcome) {
    struct read_backoff *backoff = &poller->backoffs[line];
    if (outcome->is_spare || backoff->failures == 0) {
        return false;
    }
    if (outcome->code == ERR_OK) {
        return poller->is_of_spare[line];
    }
    read_backoff_heed(backoff, outcome->reply);
    return true;
}

enum poll_news smart_poller_note(struct smart_poller *poller, enum poll_line line,
                                 const struct config *config, const struct poll_outcome *outcome,
                                 struct entropy *entropy) {
    struct read_backoff *backoff = &poller->backoffs[line];
    /* a page that was held back behind others is no request that was not made */
    struct alpaca_reply reply = *outcome->reply;
    reply.is_held_back &= outcome->requests == 0;
    int64_t most = config->poller_most;
    const int failures = backoff->failures;
    /* a host counts a request when it comes there, which is by its answer at the latest */
    int64_t at = outcome->reply->last_byte_at.ns;
    at = at > backoff->started_at.ns ? at : backoff->started_at.ns;
    count(poller, outcome->requests, outcome->is_spare, (struct mono){at});
    if (is_no_news(poller, line, outcome)) {
        return POLL_SAME;
    }
    MUTATE(poller_stays_slow, if (outcome->code == ERR_OK) return POLL_SAME);
    MUTATE(poller_without_most, most *= 64);
    /* at 1 it never doubles, and a wait of no length leaves only what the broker itself asks for */
    struct span first = {most > 1 ? 2 * config->cycle.ns : 0};
    struct span longest = {most > 1 ? most * config->cycle.ns : 0};
    read_backoff_note(backoff, outcome->code, &reply, first, longest, entropy);
    if (backoff->failures == 0) {
        poller->is_hurried[line] = poller->is_of_spare[line] = false;
        return failures > 0 ? POLL_BACK : POLL_SAME;
    }
    if (!reply.is_held_back) {
        poller->is_of_spare[line] = is_of_spare(outcome);
    }
    return failures == 0 ? POLL_SLOWED : POLL_SAME;
}

void smart_poller_hurry(struct smart_poller *poller, struct mono now) {
    for (int i = 0; i < POLL_LINES; i++) {
        struct read_backoff *backoff = &poller->backoffs[i];
        if (backoff->failures > 0 && !poller->is_hurried[i]) {
            MUTATE(poller_hurries_for_ever, read_backoff_hurry(backoff, now); continue);
            poller->is_hurried[i] = true;
            read_backoff_hurry(backoff, now);
        }
    }
}
