/* show.c - step 11 of a tick: documents, view and heartbeat, for people and other processes. */
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/state/state_file.h"

#include <string.h>

/* Saved again with each latch too: when the journal and the freeze document go back together, this stamp is
 * what still tells. */
static void save_metadata(struct engine *engine) {
    struct text *members = &engine->scratch;
    text_clear(members);
    if (engine->account_number[0] != '\0') { /* for a start whose journal was lost */
        text_member_string(members, "account", engine->account_number);
    }
    book_print(&engine->book, members);
    int64_t latch_row = causes_newest_row(&engine->causes);
    if (latch_row > 0) {
        text_member_int(members, "latch_row", latch_row);
    }
    if (engine->journal == NULL ||
        strcmp(text_get(members), text_get(&engine->metadata_saved)) == 0) {
        return;
    }
    engine->metadata_save =
        state_file_save_held(engine->world, engine->lease, "position_metadata.json",
                             journal_last_seq(engine->journal), text_get(members), NULL);
    engine->meters.failed_documents += engine->metadata_save != ERR_OK;
    if (engine->metadata_save == ERR_OK) {
        text_clear(&engine->metadata_saved);
        text_add(&engine->metadata_saved, text_get(members));
    }
}

static void print_positions(const struct engine *engine, struct text *out) {
    text_member(out, "positions");
    text_add_char(out, '[');
    for (size_t i = 0; i < engine->book.count; i++) {
        const struct holding *holding = &engine->book.items[i];
        text_add(out, i > 0 ? ",{" : "{");
        text_member_string(out, "symbol", holding->symbol);
        text_member_decimal(out, "qty", holding->qty.nanos);
        text_member_decimal(out, "broker_qty", holding->broker_qty.nanos);
        text_member_decimal(out, "entry", holding_entry_price(holding).nanos);
        text_member_decimal(out, "mark", holding->mark.nanos);
        text_member_bool(out, "naked", holding->is_naked);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_orders(const struct engine *engine, struct text *out) {
    text_member(out, "orders");
    text_add_char(out, '[');
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        text_add(out, i > 0 ? ",{" : "{");
        text_member_string(out, "id", order->client_id);
        text_member_string(out, "symbol", order->symbol);
        text_member_string(out, "purpose", order_purpose_word(order->purpose));
        text_member_string(out, "state", order_state_word(order->state));
        text_member_decimal(out, "qty", order->qty.nanos);
        text_member_decimal(out, "filled", order->filled.nanos);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

/* Why it trades, or not. */
static void print_outlook(const struct engine *engine, struct text *out) {
    const struct entry_outlook *outlook = &engine->outlook;
    size_t most = 0;
    for (size_t i = 0; i < engine->config->symbol_count; i++) {
        size_t count = bars_in_session(engine->bars, i);
        most = count > most ? count : most;
    }
    text_member_int(out, "universe", (int64_t)engine->config->symbol_count);
    text_member_int(out, "bars", (int64_t)most);
    text_member_int(out, "scored", (int64_t)outlook->scored);
    text_member_int(out, "wanted", (int64_t)outlook->wanted);
    text_member_int(out, "stale", (int64_t)outlook->stale);
    text_member(out, "refusals");
    text_add_char(out, '{');
    for (int i = 0; i < REFUSAL_CODES; i++) {
        if (outlook->refused[i] > 0) {
            text_member_int(out, refusal_word((enum refusal_code)i), outlook->refused[i]);
        }
    }
    text_add_char(out, '}');
    if (outlook->last_at.ns != 0) {
        text_member(out, "last_refusal");
        text_add_char(out, '{');
        text_member_utc(out, "at", outlook->last_at);
        text_member_string(out, "symbol", outlook->last_symbol);
        text_member_string(out, "code", refusal_word(outlook->last.code));
        text_member_string(out, "numbers", outlook->last.numbers);
        text_add_char(out, '}');
    }
}

static void print_trouble(const struct engine *engine, struct text *out) {
    if (engine->trouble.text[0] != '\0') {
        text_member(out, "broker_error");
        text_add_char(out, '{');
        text_member_utc(out, "since", engine->trouble.since);
        text_member_string(out, "text", engine->trouble.text);
        text_add_char(out, '}');
    }
}

/* What ails now, and what was tried on it since the start. */
static void print_ailing(const struct engine *engine, struct text *out) {
    bool is_first = true;
    text_member(out, "ailing");
    text_add_char(out, '[');
    for (int i = 0; i < HEALTH_CHECK_COUNT; i++) {
        const struct health_state *state = &engine->health[i];
        if (state->is_ailing) {
            struct span lasts = mono_sub(clock_mono(engine->world->clock), state->since);
            text_add(out, is_first ? "{" : ",{");
            is_first = false;
            text_member_string(out, "check", health_check_word((enum health_check)i));
            text_member_int(out, "for_s", lasts.ns / NANOS);
            text_member_int(out, "healed", state->healed);
            text_member_int(out, "failed", state->failed);
            text_add_char(out, '}');
        }
    }
    text_add_char(out, ']');
}

static void print_answers(const struct engine *engine, struct text *out) {
    size_t count = engine->answer_count < ANSWERS_KEPT ? engine->answer_count : ANSWERS_KEPT;
    text_member(out, "answers");
    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        text_add(out, i > 0 ? ",{" : "{");
        text_member_string(out, "file", engine->answers[i].file);
        text_member_string(out, "outcome", engine->answers[i].outcome);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

void show_view(struct engine *engine) {
    struct text *view = &engine->scratch;
    text_clear(view);
    text_add_char(view, '{');
    text_member_utc(view, "at", clock_utc(engine->world->clock));
    text_member_int(view, "tick", engine->tick);
    text_member_string(view, "mode", mode_word(causes_mode(&engine->causes)));
    text_member_string(view, "account", engine->account_number);
    text_member_bool(view, "open", engine->truth.is_open);
    text_member_bool(view, "killing", engine->kill.is_firing);
    text_member_string(
        view, "kill_switch",
        kill_phase_word(kill_switch_phase(&engine->kill, &engine->causes, engine->config)));
    text_member_decimal(view, "equity", engine->truth.account.equity.nanos);
    text_member_decimal(view, "peak", engine->guards.peak.nanos);
    if (engine->config->ramp_on) {
        struct ratio share = capital_ramp_share(&engine->gateway.ramp, engine->config);
        text_member_decimal(view, "ramp", share.nanos);
        text_member_int(view, "ramp_streak", engine->gateway.ramp.streak);
    }
    if (engine->config->learning_on) {
        learning_guard_show(&engine->learning, engine->config, view);
    }
    text_member_decimal(view, "baseline", engine->guards.baseline.nanos);
    text_member_int(view, "sent", engine->gateway.sent);
    text_member_int(view, "refused", engine->gateway.refused);
    text_member_string(view, "build", engine->build);
    text_member(view, "causes");
    text_add_char(view, '{');
    causes_print(&engine->causes, view);
    text_add_char(view, '}');
    print_positions(engine, view);
    print_orders(engine, view);
    print_outlook(engine, view);
    print_trouble(engine, view);
    print_ailing(engine, view);
    print_answers(engine, view);
    text_add(view, "}\n");
    (void)!state_file_publish(engine->world, "view.json", text_get(view), view->len, NULL);
}

/* Nobody else writes it. Who watches it counts by its own clock: it wants to know how often it comes. */
static void publish_heartbeat(struct engine *engine, bool is_last) {
    struct text *beat = &engine->scratch;
    const struct span every = step_of(engine);
    text_clear(beat);
    text_add_char(beat, '{');
    text_member_utc(beat, "at", clock_utc(engine->world->clock));
    text_member_int(beat, "tick", engine->tick);
    text_member_int(beat, "mono_ns", clock_mono(engine->world->clock).ns);
    text_member_int(beat, "journal_seq",
                    engine->journal != NULL ? journal_last_seq(engine->journal) : 0);
    text_member_int(beat, "every_s", every.ns > NANOS ? every.ns / NANOS : 1);
    text_member_bool(beat, "stopped", is_last);
    text_add(beat, "}\n");
    (void)!state_file_publish(engine->world, "bot_heartbeat.json", text_get(beat), beat->len, NULL);
}

static void log_mode(struct engine *engine, enum mode mode) {
    MUTATE(log_tells_no_mode, return);
    struct text members = {.limit = 8192};
    text_member_string(&members, "mode", mode_word(mode));
    text_member_string(&members, "before", mode_word(engine->shown_mode));
    text_member(&members, "causes");
    text_add_char(&members, '[');
    for (size_t i = 0; i < engine->causes.count; i++) {
        text_add(&members, i == 0 ? "" : ",");
        text_add_json_string(&members, engine->causes.items[i].name);
    }
    text_add_char(&members, ']');
    log_line(&engine->log, "mode", text_get(&members));
    text_release(&members);
}

void show_mode(struct engine *engine) {
    enum mode mode = causes_mode(&engine->causes);
    if (mode == engine->shown_mode) {
        return;
    }
    struct text *causes = &engine->scratch;
    text_clear(causes);
    causes_print(&engine->causes, causes);
    log_mode(engine, mode);
    observe(engine->world->observer, &(struct event){.kind = EVENT_MODE,
                                                     .at = clock_utc(engine->world->clock),
                                                     .subject = mode_word(mode),
                                                     .what = mode_word(engine->shown_mode),
                                                     .body = text_get(causes),
                                                     .body_len = causes->len});
    engine->shown_mode = mode;
    engine->gateway.rails.is_doubted = true; /* what was read before is asked again */
}

static bool is_any_naked(const struct book *book) {
    for (size_t i = 0; i < book->count; i++) {
        if (book->items[i].is_naked) {
            return true;
        }
    }
    return false;
}

static void show_breakers(struct engine *engine) {
    unsigned tripped = alpaca_tripped_breakers(engine->alpaca);
    for (unsigned changed = tripped ^ engine->breakers_told; changed != 0; changed &= changed - 1) {
        enum alpaca_endpoint endpoint = alpaca_first_endpoint(changed);
        log_mechanism(&engine->log, "circuit_breaker",
                      (tripped >> endpoint & 1) != 0 ? "acted" : "released", "",
                      alpaca_endpoint_word(endpoint), "");
    }
    engine->breakers_told = tripped;
}

/* What the broker's client did by itself, once a tick. */
static void show_client(struct engine *engine) {
    struct alpaca_counts now = alpaca_counts(engine->alpaca);
    struct alpaca_counts *told = &engine->counts_told;
    if (now.past_deadline > told->past_deadline) {
        log_mechanism(&engine->log, "request_deadline", "acted", "", "", "");
    }
    if (now.held_back > told->held_back) {
        log_mechanism(&engine->log, "rate_budget", "held", "", "", "");
    }
    if (now.barred > told->barred) {
        log_mechanism(&engine->log, "circuit_breaker", "held", "", "", "");
    }
    *told = now;
    show_breakers(engine);
}

bool is_in_a_hurry(const struct engine *engine) {
    return exits_are_urgent(&engine->exits) || is_any_naked(&engine->book) ||
           kill_switch_is_young(&engine->kill, clock_mono(engine->world->clock));
}

void show_copy(struct engine *engine) {
    if (!is_in_a_hurry(engine)) {
        save_metadata(engine); /* neither an exit nor a stop waits for a copy */
    }
}

void show_last(struct engine *engine) {
    if (!lease_is_lost(engine->lease)) {
        publish_heartbeat(engine, true);
        show_metrics(engine);
    }
}

void show_state(struct engine *engine) {
    show_mode(engine);
    show_client(engine);
    if (!lease_is_lost(engine->lease)) { /* else the documents are another's */
        causes_save(&engine->causes);
        show_copy(engine);
        if (engine->is_cycle && !is_in_a_hurry(engine)) {
            signals_keep(engine);
        }
        show_view(engine);
        publish_heartbeat(engine, false);
        if (engine->is_cycle) {
            show_metrics(engine);
        }
    }
    observe(engine->world->observer, &(struct event){.kind = EVENT_TICK,
                                                     .at = clock_utc(engine->world->clock),
                                                     .subject = engine->is_cycle ? "cycle" : "tick",
                                                     .number = engine->tick,
                                                     .amount = engine->truth.account.equity});
}
