/* result.c - printing results as JSON. */
#include "scenarios/result.h"

#include "scenarios/vocabulary.h"

#include <stdio.h>
#include <string.h>

static const char *const event_words[] = {"acted", "held", "released", "warned", "refused"};
enum { EVENT_WORDS = sizeof event_words / sizeof event_words[0] };

void result_print_mechanisms(const struct collect *collect, struct text *out) {
    bool is_first = true;
    text_add_char(out, '[');
    for (size_t i = 0; i < mechanism_count(); i++) {
        int64_t counts[EVENT_WORDS];
        int64_t sum = 0;
        for (size_t j = 0; j < EVENT_WORDS; j++) {
            char both[WORD_TEXT_MAX];
            snprintf(both, sizeof both, "%s %s", mechanism_id(i), event_words[j]);
            counts[j] = words_get(&collect->mechanisms, both);
            sum += counts[j];
        }
        if (sum == 0) {
            continue;
        }
        text_add(out, is_first ? "{" : ",{");
        is_first = false;
        text_member_string(out, "id", mechanism_id(i));
        for (size_t j = 0; j < EVENT_WORDS; j++) {
            text_member_int(out, event_words[j], counts[j]);
        }
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

void result_print_mechanism_words(const struct collect *collect, struct text *out) {
    text_add_char(out, '[');
    for (size_t i = 0; i < collect->mechanisms.count; i++) {
        char words[WORD_TEXT_MAX + 24];
        snprintf(words, sizeof words, "%s %lld", collect->mechanisms.rows[i].word,
                 (long long)collect->mechanisms.rows[i].count);
        text_add(out, i == 0 ? "" : ",");
        text_add_json_string(out, words);
    }
    text_add_char(out, ']');
}

static void print_counts(const struct stage_result *result, struct text *out) {
    text_member_int(out, "days", result->days);
    text_member_int(out, "ticks", result->ticks);
    text_member_int(out, "orders", result->orders);
    text_member_int(out, "fills", result->fills);
    text_member_int(out, "refusals", result->refusals);
    text_member_decimal(out, "equity_end", result->equity_end.nanos);
    text_member(out, "mechanisms");
    result_print_mechanisms(result->collect, out);
    text_member_int(out, "sim_seconds", result->sim_seconds);
    text_member_string(out, "trace_hash", result->trace_hash);
}

static void print_verdict(const struct stage_result *result, struct text *out) {
    text_member_string(out, "verdict", result->broken == 0 ? "pass" : "fail");
    text_member(out, "broken");
    text_add_char(out, '[');
    text_add(out, text_get(&result->broken_json));
    text_add_char(out, ']');
}

void result_print_run(const struct stage_result *result, const struct scenario *scenario,
                      const char *build, const char *repeat, struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "mode", "sim");
    text_member_int(out, "seed", (int64_t)scenario->seed);
    print_counts(result, out);
    text_member_string(out, "build", build);
    text_member_string(out, "config_hash", result->config_hash);
    text_member_string(out, "repeat", repeat);
    print_verdict(result, out);
    text_add_char(out, '}');
}

/* --- a voyage --- */

static void add_date(struct text *out, const char *key, struct date date) {
    char text[DATE_TEXT_MAX];
    date_print(date, text);
    text_member_string(out, key, text);
}

static void add_list(struct text *out, const char *key, const struct text *items) {
    text_member(out, key);
    text_add_char(out, '[');
    text_add(out, text_get(items));
    text_add_char(out, ']');
}

static void add_point(struct text *out, struct utc at, struct usd amount) {
    text_add(out, text_get(out)[out->len - 1] == '[' ? "[\"" : ",[\"");
    text_add_utc(out, at);
    text_add(out, "\",\"");
    text_add_decimal(out, amount.nanos);
    text_add(out, "\"]");
}

/* Where the day's loss trips: the close of the session before, less the stricter limit. */
static void print_loss_limit(const struct stage_result *result, struct text *out) {
    const struct config *config = &result->config;
    struct usd base = result->equity_start;
    struct usd last = base;
    struct date day = {INT32_MIN};
    text_add(out, "\"daily_loss_at\":[");
    for (size_t i = 0; i < result->collect->equity_count; i++) {
        const struct equity_point *point = &result->collect->equity[i];
        if (ny_date(point->at).days != day.days) {
            day = ny_date(point->at);
            base = last;
            struct usd limit =
                usd_min(config->daily_loss_usd, usd_scale(base, config->daily_loss_share));
            add_point(out, point->at, usd_sub(base, limit));
        }
        last = point->equity;
    }
    text_add_char(out, ']');
}

static void print_drawdown_limit(const struct stage_result *result, struct text *out) {
    struct usd peak = {0};
    text_add(out, ",\"drawdown_at\":[");
    for (size_t i = 0; i < result->collect->equity_count; i++) {
        const struct equity_point *point = &result->collect->equity[i];
        if (usd_cmp(point->equity, peak) > 0) {
            peak = point->equity;
            add_point(out, point->at, usd_sub(peak, usd_scale(peak, result->config.max_drawdown)));
        }
    }
    text_add_char(out, ']');
}

static void print_limits(const struct stage_result *result, struct text *out) {
    const struct config *config = &result->config;
    text_member(out, "limits");
    text_add_char(out, '{');
    print_loss_limit(result, out);
    print_drawdown_limit(result, out);
    text_member_decimal(out, "floor",
                        usd_max(config->equity_floor_usd,
                                usd_scale(result->equity_start, config->equity_floor_share))
                            .nanos);
    text_add_char(out, '}');
}

static void print_equity(const struct collect *collect, struct text *out) {
    text_member(out, "equity");
    text_add_char(out, '[');
    for (size_t i = 0; i < collect->equity_count; i++) {
        text_add(out, i == 0 ? "{" : ",{");
        text_member_utc(out, "t", collect->equity[i].at);
        text_member_decimal(out, "equity", collect->equity[i].equity.nanos);
        text_member_decimal(out, "cash", collect->equity[i].cash.nanos);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_mode(struct text *out, struct utc from, struct utc to, const char *mode,
                       const char *causes) {
    text_add(out, text_get(out)[out->len - 1] == '[' ? "{" : ",{");
    text_member_utc(out, "from", from);
    text_member_utc(out, "to", to);
    text_member_string(out, "mode", mode);
    text_member(out, "causes");
    text_add_char(out, '[');
    if (causes[0] != '\0') {
        text_add_json_string(out, causes);
    }
    text_add(out, "]}");
}

static void print_modes(const struct stage_result *result, struct text *out) {
    const struct collect *collect = result->collect;
    struct utc from = result->start;
    const char *mode = "NORMAL";
    const char *causes = "";
    text_member(out, "modes");
    text_add_char(out, '[');
    for (size_t i = 0; i < collect->mode_count; i++) {
        const struct mark *mark = &collect->modes[i];
        if (utc_is_before(from, mark->at)) {
            print_mode(out, from, mark->at, mode, causes);
        }
        from = mark->at;
        mode = mark->subject;
        causes = mark->why;
    }
    print_mode(out, from, utc_is_before(from, result->end) ? result->end : from, mode, causes);
    text_add_char(out, ']');
}

/* When the latch set by one mark was cleared; {0} if it was not. */
static struct utc cleared_at(const struct collect *collect, size_t set) {
    for (size_t i = set + 1; i < collect->latch_count; i++) {
        if (strcmp(collect->latches[i].what, "clear") == 0 &&
            strcmp(collect->latches[i].subject, collect->latches[set].subject) == 0) {
            return collect->latches[i].at;
        }
    }
    return (struct utc){0};
}

static void print_latches(const struct collect *collect, struct text *out) {
    bool is_first = true;
    text_member(out, "latches");
    text_add_char(out, '[');
    for (size_t i = 0; i < collect->latch_count; i++) {
        const struct mark *mark = &collect->latches[i];
        if (strcmp(mark->what, "set") == 0) {
            text_add(out, is_first ? "{" : ",{");
            is_first = false;
            text_member_string(out, "cause", mark->subject);
            text_member_utc(out, "set", mark->at);
            text_member_utc_or_null(out, "cleared", cleared_at(collect, i));
            text_member_string(out, "why", mark->why);
            text_add_char(out, '}');
        }
    }
    text_add_char(out, ']');
}

static void print_episode(const struct episode *episode, struct text *out) {
    bool is_over = episode->closed_at.ns != 0;
    text_member_string(out, "symbol", episode->symbol);
    text_member_utc(out, "from", episode->opened_at);
    text_member_utc_or_null(out, "to", episode->closed_at);
    text_member_decimal(out, "qty", episode->peak.nanos);
    text_member_utc_or_null(out, "protected_from", episode->first_protected_at);
    text_member_decimal(out, "naked_s", episode->naked.ns);
    if (is_over) {
        text_member_string(out, "exit_reason", episode->end);
        text_member_decimal(out, "pnl", usd_sub(episode->proceeds, episode->cost).nanos);
    } else {
        text_add(out, ",\"exit_reason\":null,\"pnl\":null");
    }
}

static void print_positions(const struct collect *collect, struct text *out) {
    text_member(out, "positions");
    text_add_char(out, '[');
    for (size_t i = 0; i < collect->episode_count; i++) {
        text_add(out, i == 0 ? "{" : ",{");
        print_episode(&collect->episodes[i], out);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_orders(const struct collect *collect, struct text *out) {
    text_member(out, "orders");
    text_add_char(out, '{');
    text_member(out, "by_purpose");
    words_print(&collect->purposes, out);
    text_member(out, "by_state");
    words_print(&collect->states, out);
    text_member(out, "by_refusal");
    words_print(&collect->refusal_codes, out);
    text_add_char(out, '}');
    text_member(out, "exits");
    words_print(&collect->exits, out);
}

static int64_t mechanism_events(const struct collect *collect, size_t index, const char *word) {
    char both[WORD_TEXT_MAX];
    snprintf(both, sizeof both, "%s %s", mechanism_id(index), word);
    return words_get(&collect->mechanisms, both);
}

/* What a mechanism came to, beside how often it did something; most say no more. */
static void print_note(const struct collect *collect, size_t index, struct text *out) {
    const struct collect_learning *learning = &collect->learning;
    struct text note = {0};
    if (strcmp(mechanism_id(index), "learning_guard") == 0 && learning->rows > 0) {
        text_add_format(&note,
                        "%lld steps, %lld taken back; %lld entries admitted, %lld declined; "
                        "thousandths: ",
                        (long long)learning->steps, (long long)learning->reverted,
                        (long long)learning->admitted, (long long)learning->declined);
        for (size_t i = 0; i < learning->part_count; i++) {
            text_add_format(&note, "%s%s %lld", i == 0 ? "" : ", ", learning->parts[i].name,
                            (long long)learning->parts[i].after);
        }
    }
    text_member_string(out, "note", text_get(&note));
    text_release(&note);
}

void result_print_learning(const struct collect *collect, struct text *out) {
    const struct collect_learning *learning = &collect->learning;
    if (learning->rows == 0) {
        return;
    }
    text_member(out, "learning");
    text_add_char(out, '{');
    text_member_int(out, "trades", learning->trades);
    text_member_int(out, "steps", learning->steps);
    text_member_int(out, "kept", learning->kept);
    text_member_int(out, "reverted", learning->reverted);
    text_member_int(out, "admitted", learning->admitted);
    text_member_int(out, "declined", learning->declined);
    text_member(out, "weights");
    text_add_char(out, '[');
    for (size_t i = 0; i < learning->part_count; i++) {
        text_add(out, i == 0 ? "{" : ",{");
        text_member_string(out, "part", learning->parts[i].name);
        text_member_int(out, "before", learning->parts[i].before);
        text_member_int(out, "after", learning->parts[i].after);
        text_add_char(out, '}');
    }
    text_add(out, "]}");
}

static void print_voyage_mechanisms(const struct collect *collect, struct text *out) {
    bool is_first = true;
    text_member(out, "mechanisms");
    text_add_char(out, '[');
    for (size_t i = 0; i < mechanism_count(); i++) {
        int64_t acted = mechanism_events(collect, i, "acted");
        int64_t held = mechanism_events(collect, i, "held");
        int64_t released = mechanism_events(collect, i, "released");
        if (acted + held + released > 0) {
            text_add(out, is_first ? "{" : ",{");
            is_first = false;
            text_member_string(out, "id", mechanism_id(i));
            text_member_int(out, "acted", acted);
            text_member_int(out, "held", held);
            text_member_int(out, "released", released);
            text_member_utc_or_null(out, "first", collect->mechanism_first[i]);
            print_note(collect, i, out);
            text_add_char(out, '}');
        }
    }
    text_add_char(out, ']');
}

static void print_totals(const struct stage_result *result, struct text *out) {
    const struct collect *collect = result->collect;
    text_member(out, "totals");
    text_add_char(out, '{');
    text_member_int(out, "ticks", result->ticks);
    text_member_int(out, "orders", result->orders);
    text_member_int(out, "fills", result->fills);
    text_member_int(out, "refusals", result->refusals);
    text_member_decimal(out, "equity_end", result->equity_end.nanos);
    text_member_int(out, "sim_seconds", result->sim_seconds);
    text_member_string(out, "trace_hash", result->trace_hash);
    text_member_int(out, "requests", collect->requests);
    text_member_int(out, "answer_bytes", collect->answer_bytes);
    text_member_int(out, "filled_entries", collect->filled_entries);
    text_member_int(out, "most_positions", (int64_t)collect->most_positions);
    text_member_int(out, "starts", collect->starts);
    text_member_int(out, "not_shown", collect->dropped);
    text_add_char(out, '}');
}

void result_print_required(struct text *rows, const char *what, int64_t count, int64_t at_least) {
    text_add(rows, rows->len == 0 ? "{" : ",{");
    text_member_string(rows, "what", what);
    text_member_int(rows, "count", count);
    text_member_int(rows, "at_least", at_least);
    text_add_char(rows, '}');
}

void result_print_broken_rows(const struct stage_result *result, struct text *rows) {
    const char *line = text_get(&result->broken_lines);
    while (line[0] != '\0') {
        char what[256];
        size_t n = strcspn(line, "\n");
        snprintf(what, sizeof what, "never: %.*s", (int)(n < 200 ? n : 200), line);
        result_print_required(rows, what, 0, 1);
        line += n + (line[n] == '\n');
    }
}

void result_print_voyage(const struct stage_result *result, const struct scenario *scenario,
                         const char *required, struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "id", scenario->id);
    text_member_string(out, "title", scenario->title);
    add_date(out, "first", result->first_day);
    add_date(out, "last", result->last_day);
    text_member_int(out, "sessions", result->days);
    add_list(out, "closed_days", &result->closed_json);
    add_list(out, "data_ended", &result->ended_json);
    print_equity(result->collect, out);
    print_limits(result, out);
    print_modes(result, out);
    print_latches(result->collect, out);
    text_member(out, "trips");
    text_add(out, result->trips_json.len > 0 ? text_get(&result->trips_json) : "[]");
    text_member_int(out, "trips_not_shown", result->trips_not_shown);
    print_positions(result->collect, out);
    text_add(out, result->exits_json.len > 0 ? "," : "");
    text_add(out, text_get(&result->exits_json));
    print_orders(result->collect, out);
    print_voyage_mechanisms(result->collect, out);
    result_print_learning(result->collect, out);
    add_list(out, "market", &result->market_json);
    print_totals(result, out);
    text_member(out, "required");
    text_add_char(out, '[');
    text_add(out, required);
    text_add(out, "]}");
}
