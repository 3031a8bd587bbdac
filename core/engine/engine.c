/* engine.c - starting and stopping the core, and the loop around its ticks. */
#include "core/engine/engine.h"

#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/orders/protective_stops.h"
#include "core/signals/weighted.h"
#include "core/state/restore.h"
#include "core/state/state_file.h"

#include <stdlib.h>
#include <string.h>

/* Behind closed_trades: the trade that a fill ended is there. */
static void learn(struct engine *engine, const struct journal_row *row) {
    learning_guard_take(&engine->learning, engine->config, &engine->gateway.performance.trades,
                        row);
}

static enum err_code fold(void *context, const struct journal_row *row, struct err *err) {
    struct engine *engine = context;
    enum err_code code = account_fold(engine, row, err);
    code = code == ERR_OK ? book_fold(&engine->book, row, err) : code;
    code = code == ERR_OK ? orders_fold(&engine->orders, row, err) : code;
    if (code == ERR_OK) {
        gateway_fold(&engine->gateway, row);
        learn(engine, row);
        MUTATE(learning_twice_after_restart, engine->learning.is.taken = 0);
    }
    code = code == ERR_OK ? causes_fold(&engine->causes, row, err) : code;
    spin_offs_fold(&engine->spin_offs, row);
    crash_loop_take(&engine->crash_loop, row);
    drill_past_take(&engine->drilled, row);
    MUTATE(drill_forgotten_at_restart, engine->drilled = (struct drill_past){.day = {0}});
    clock_guard_fold(&engine->clock_guard, row);
    kill_switch_fold(&engine->kill, row);
    code = code == ERR_OK ? account_guards_fold(&engine->guards, row, err) : code;
    code = code == ERR_OK ? exits_fold(&engine->exits, row, err) : code;
    code = code == ERR_OK ? equity_steps_fold(&engine->equity_steps, row, err) : code;
    return code == ERR_OK ? flows_fold(engine, row, err) : code;
}

static void wire(struct engine *engine, enum engine_scope scope) {
    causes_init(&engine->causes, engine->world, &engine->log);
    account_guards_init(&engine->guards, engine->config, &engine->causes);
    engine->orders.world = engine->world;
    engine->orders.book = &engine->book;
    engine->orders.log = &engine->log;
    struct gateway *gateway = &engine->gateway; /* zero, and too large to be zeroed again */
    gateway->world = engine->world;
    gateway->config = engine->config;
    gateway->causes = &engine->causes;
    gateway->guards = &engine->guards;
    gateway->book = &engine->book;
    gateway->orders = &engine->orders;
    gateway->truth = &engine->truth;
    gateway->log = &engine->log;
    gateway->only_reduces = scope == ENGINE_SCOPE_REDUCE;
    engine->exits.gateway = &engine->gateway;
}

/* The freeze document changes seldom; this one tells a journal that went back by less than a day. */
static void look_at_metadata(struct engine *engine) {
    struct state_file file = {0};
    if (state_file_load(engine->world, "position_metadata.json", 0, &file, NULL) != ERR_OK) {
        return;
    }
    if (file.condition == STATE_FILE_GOOD) {
        account_recall(engine, file.tree);
    }
    MUTATE(state_regression_ignored, file.condition = STATE_FILE_MISSING);
    if (file.condition == STATE_FILE_GOOD && file.journal_seq > journal_last_seq(engine->journal)) {
        causes_latch(&engine->causes, "state_regression", MODE_REDUCE_ONLY, "core",
                     "the document of positions is newer than the journal");
    }
    state_file_release(&file);
}

static void hear(void *context, const struct journal_row *row) {
    struct engine *engine = context;
    gateway_count(&engine->gateway, row);
    learn(engine, row);
    drill_past_take(&engine->drilled, row);
    (void)!equity_steps_fold(&engine->equity_steps, row, NULL); /* it is the core's own */
    if (strcmp(row->kind, "latch_clear") == 0) { /* starts and ticks were counted as they came */
        crash_loop_take(&engine->crash_loop, row);
    }
}

/* Opens what is durable and folds it. */
static enum err_code open_state(struct engine *engine, struct err *err) {
    enum err_code code = disk_make_dir(engine->world->disk, "inbox", err);
    code = code == ERR_OK ? disk_make_dir(engine->world->disk, "outbox", err) : code;
    if (code == ERR_OK) {
        code = engine->gateway.only_reduces
                   ? lease_acquire_to_reduce(engine->world, &engine->lease, err)
                   : lease_acquire(engine->world, &engine->lease, err);
    }
    code = code == ERR_OK ? restore_check(engine->world, err) : code;
    code = code == ERR_OK
               ? journal_open(engine->world, JOURNAL_FILE, engine->lease, &engine->journal, err)
               : code;
    if (code != ERR_OK) {
        return code;
    }
    /* what a dead process was leaving there; a disk that refuses stops nobody */
    (void)!state_file_sweep(engine->world, "outbox", NULL);
    engine->causes.journal = engine->journal;
    engine->causes.lease = engine->lease;
    engine->orders.journal = engine->journal;
    engine->gateway.journal = engine->journal;
    engine->gateway.lease = engine->lease;
    code = journal_read(engine->journal, 0, fold, engine, err);
    if (code != ERR_OK) {
        return code;
    }
    MUTATE(young_journal_refused, if (utc_sub(clock_utc(engine->world->clock), engine->orders.folded_to).ns < SPAN_MIN(2).ns) return err_set(err, ERR_LOCKED, "the journal was written a moment ago"));
    orders_fold_end(&engine->orders);
    book_sweep(&engine->book);
    journal_listen(engine->journal, hear, engine);
    causes_load(&engine->causes);
    look_at_metadata(engine);
    gateway_latch_due(&engine->gateway); /* an earlier life died before it could */
    clock_guard_start(&engine->clock_guard, &engine->causes); /* before the row of this boot */
    if (engine->clock_guard.is_on) {
        gateway_doubt_clock(&engine->gateway);
    }
    crash_loop_look(&engine->crash_loop, &engine->causes);
    code =
        crash_loop_start(&engine->crash_loop, engine->config, &engine->causes, engine->build, err);
    crash_loop_show(&engine->crash_loop, &engine->causes);
    return code;
}

enum err_code open_broker(const struct engine_options *options, struct alpaca **out,
                          struct err *err) {
    const struct config *config = options->config;
    struct alpaca_options broker = {.world = options->world,
                                    .key_id = options->key_id,
                                    .secret = options->secret,
                                    .feed = config->feed,
                                    .read_deadline = config->deadline_read,
                                    .submit_deadline = config->deadline_submit,
                                    .slow_deadline = config->deadline_slow,
                                    .rate_core = config->rate_core,
                                    .rate_exit = config->rate_exit,
                                    .rate_other = config->rate_other,
                                    .breaker = {.failures = config->breaker_failures,
                                                .pause = config->breaker_open,
                                                .pause_most = config->breaker_open_most}};
    return alpaca_create(&broker, out, err);
}

static void log_start(struct engine *engine) {
    struct text members = {.limit = 1024};
    text_member_string(&members, "build", engine->build);
    text_member_string(&members, "settings", engine->settings_hash);
    text_member_int(&members, "journal_seq", journal_last_seq(engine->journal));
    log_line(&engine->log, "start", text_get(&members));
    text_release(&members);
}

enum err_code engine_create(const struct engine_options *options, struct engine **out,
                            struct err *err) {
    const bool is_live = options->mode == ENGINE_LIVE;
    if (learning_guard_refuse_live(options->config, is_live, err) != ERR_OK ||
        kill_switch_refuse_live(options->config, is_live, err) != ERR_OK ||
        protective_stops_refuse_live(options->config, is_live, err) != ERR_OK) {
        return ERR_CONFIG;
    }
    if (is_live) {
        return err_set(err, ERR_CONFIG, "live trading is refused: its gate does not exist yet");
    }
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return err_set(err, ERR_MEMORY, "out of memory");
    }
    engine->world = options->world;
    engine->settings = *options->config;
    engine->config = &engine->settings;
    config_hash(engine->config, engine->settings_hash);
    engine->mode = options->mode;
    engine->tell = options->tell;
    engine->tell_context = options->tell_context;
    engine->reread = options->reread;
    engine->reread_context = options->reread_context;
    (void)!text_copy(engine->build, sizeof engine->build, options->build, NULL);
    const char *key_id = options->key_id == NULL ? "" : options->key_id;
    hash64_print(hash64(key_id, strlen(key_id), 0), engine->key_hash);
    engine->strategy = weighted_create(engine->config);
    learning_guard_init(&engine->learning, engine->strategy);
    log_init(&engine->log, engine->world, engine->config);
    MUTATE(secret_in_the_log, log_alert(&engine->log, ALERT_INFO, "start", options->secret));
    wire(engine, options->scope);
    enum err_code code = open_state(engine, err);
    code = code == ERR_OK ? open_broker(options, &engine->alpaca, err) : code;
    if (code == ERR_OK &&
        lease_is_lost(engine->lease)) { /* it stood still for a minute meanwhile */
        code = err_set(err, ERR_LOCKED, "the lease was lost to another process during the start");
    }
    engine->gateway.alpaca = engine->alpaca;
    if (code != ERR_OK) {
        observe(engine->world->observer, &(struct event){.kind = EVENT_START,
                                                         .at = clock_utc(engine->world->clock),
                                                         .subject = "refused",
                                                         .what = err == NULL ? "" : err->text});
        engine_destroy(engine);
        return code;
    }
    engine->bars = bars_create(engine->config->symbol_count);
    engine->gateway.bars = engine->bars;
    signals_restore(engine);
    degraded_mode_start(&engine->degraded, &engine->causes, clock_mono(engine->world->clock));
    engine->next_at = clock_utc(engine->world->clock);
    log_start(engine);
    observe(engine->world->observer, &(struct event){.kind = EVENT_START,
                                                     .at = clock_utc(engine->world->clock),
                                                     .subject = "ready"});
    exits_tell_resumed(&engine->exits);
    *out = engine;
    return ERR_OK;
}

void engine_destroy(struct engine *engine) {
    if (engine == NULL) {
        return;
    }
    alpaca_destroy(engine->alpaca);
    backup_release(&engine->backups.copies);
    journal_close(engine->journal);
    lease_release(engine->lease);
    bars_destroy(engine->bars);
    signal_cache_destroy(engine->signals);
    strategy_destroy(engine->strategy);
    causes_release(&engine->causes);
    log_release(&engine->log);
    text_release(&engine->metadata_saved);
    text_release(&engine->scratch);
    free(engine);
}

void engine_tick(struct engine *engine) {
    cycle_tick(engine);
}

/* A wall clock that was set back would have us wait until it shows that time again. */
struct utc engine_next_at(const struct engine *engine) {
    struct utc now = clock_utc(engine->world->clock);
    MUTATE(next_tick_by_old_wall, return engine->next_at);
    return utc_is_before(now, engine->scheduled_at) ? now : engine->next_at;
}

bool engine_look(struct engine *engine) {
    (void)!lease_renew(engine->lease, NULL); /* between idle ticks too; a loss shows in the next */
    bool has_command = false;
    if (inbox_has_command(engine->world, &has_command, NULL) == ERR_OK && has_command) {
        engine->next_at = clock_utc(engine->world->clock);
    }
    return has_command;
}

void engine_stop(struct engine *engine) {
    engine->is_stopping = true;
    struct mono deadline = mono_add(clock_mono(engine->world->clock), SPAN_S(8));
    for (;;) {
        engine->full_due = (struct utc){0};
        cycle_tick(engine);
        bool has_entry = false;
        for (size_t i = 0; i < engine->orders.count; i++) {
            const struct order *order = &engine->orders.items[i];
            has_entry |= order->side == SIDE_BUY && !gateway_is_cover(&engine->gateway, order);
        }
        if (!has_entry || clock_mono(engine->world->clock).ns >= deadline.ns) {
            break;
        }
        for (int i = 0; i < 4; i++) {
            clock_sleep(engine->world->clock, CLOCK_SLEEP_MAX);
        }
    }
    if (journal_append(engine->journal, "stop", "clean", "{}", NULL, NULL) == ERR_OK) {
        (void)!journal_commit(engine->journal, NULL);
    }
    if (!engine->gateway.only_reduces) { /* who stands in for a core says nothing of its heart */
        show_last(engine);
    }
    log_line(&engine->log, "stop", "");
    observe(engine->world->observer, &(struct event){.kind = EVENT_STOP,
                                                     .at = clock_utc(engine->world->clock),
                                                     .subject = "clean"});
}

static int64_t live_entries(const struct engine *engine) {
    int64_t live = 0;
    for (size_t i = 0; i < engine->orders.count; i++) {
        const struct order *order = &engine->orders.items[i];
        live += order->side == SIDE_BUY && !order_is_over(order) &&
                !gateway_is_cover(&engine->gateway, order);
    }
    return live;
}

struct engine_totals engine_totals(const struct engine *engine) {
    return (struct engine_totals){.ticks = engine->tick,
                                  .orders = engine->gateway.sent,
                                  .refusals = engine->gateway.refused,
                                  .entries_cancelled = engine->orders.entries_cancelled,
                                  .entries_live = live_entries(engine),
                                  .fills = engine->orders.fills};
}

/* Reads the document too: a successor that took a lease not yet due for renewal is seen at once. */
enum err_code engine_keep(struct engine *engine, struct err *err) {
    enum err_code code = lease_renew(engine->lease, err);
    return code == ERR_OK && lease_check(engine->lease, err) == ERR_LOCKED ? ERR_LOCKED : code;
}

enum err_code engine_run(struct engine *engine, struct err *err) {
    for (;;) {
        if (engine_keep(engine, err) == ERR_LOCKED) {
            return ERR_LOCKED; /* not even a line: the directory is another's */
        }
        enum host_wish wish = host_poll(engine->world->host);
        if (wish == HOST_TERMINATE) {
            engine_stop(engine);
            return ERR_OK;
        }
        if (wish == HOST_RELOAD || engine_owes_reload(engine)) {
            (void)engine_reload(engine);
        }
        engine_look(engine);
        struct span wait = utc_sub(engine_next_at(engine), clock_utc(engine->world->clock));
        if (wait.ns <= 0) {
            engine_tick(engine);
            continue;
        }
        clock_sleep(engine->world->clock, wait.ns < CLOCK_SLEEP_MAX.ns ? wait : CLOCK_SLEEP_MAX);
    }
}
