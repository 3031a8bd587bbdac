/* reload.c - another configuration, or another key of the same account, without a restart.
 *
 * All of it or nothing: what is invalid, or would need a restart, leaves everything as it was and is
 * told. A key is tried at the broker first, so that a rotation never ends in another account. Where the
 * broker did not answer for it, or was not asked, all of it is tried again: the old key may be dead. */
#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/engine/core.h"
#include "core/orders/protective_stops.h"

#include <string.h>

/* What only a restart may change: it lives in more places than the settings. NULL: nothing. */
static const char *needs_restart(const struct config *is, const struct config *wanted) {
    if (is->symbol_count != wanted->symbol_count ||
        memcmp(is->symbols, wanted->symbols, sizeof is->symbols) != 0) {
        return "universe";
    }
    if (strcmp(is->feed, wanted->feed) != 0) {
        return "data.feed";
    }
    bool is_same_pace = is->rate_core == wanted->rate_core && is->rate_exit == wanted->rate_exit &&
                        is->rate_other == wanted->rate_other &&
                        is->deadline_read.ns == wanted->deadline_read.ns &&
                        is->deadline_submit.ns == wanted->deadline_submit.ns &&
                        is->deadline_slow.ns == wanted->deadline_slow.ns;
    return is_same_pace ? NULL : "broker.rate_* and broker.deadline_*";
}

static enum err_code read_news(struct engine *engine, bool is_again, struct engine_news *news,
                               struct text *faults, struct err *err) {
    if (engine->reread == NULL) {
        return err_set(err, ERR_CONFIG, "nothing can be read again in this run");
    }
    news->config = *engine->config;
    news->is_again = is_again;
    enum err_code code = engine->reread(engine->reread_context, news, faults, err);
    code = code == ERR_OK ? config_check(&news->config, faults, err) : code;
    code = code == ERR_OK
               ? learning_guard_refuse_live(&news->config, engine->mode == ENGINE_LIVE, err)
               : code;
    code = code == ERR_OK
               ? protective_stops_refuse_live(&news->config, engine->mode == ENGINE_LIVE, err)
               : code;
    code = code == ERR_OK ? kill_switch_refuse_live(&news->config, engine->mode == ENGINE_LIVE, err)
                          : code;
    MUTATE(bad_reload_taken, code = ERR_OK);
    const char *fixed = code == ERR_OK ? needs_restart(engine->config, &news->config) : NULL;
    return fixed == NULL ? code
                         : err_set(err, ERR_CONFIG, "%s: changes with a restart only", fixed);
}

/* True if the broker has said what the key is: not this account's, or none. */
static bool is_answered(enum err_code code, int status) {
    return code == ERR_USAGE ||
           (code == ERR_REFUSED && (status == 200 || status == 401 || status == 403));
}

static enum err_code take_key(struct engine *engine, const struct engine_news *news,
                              struct err *err) {
    if (alpaca_has_key(engine->alpaca, news->key_id, news->secret)) {
        return ERR_OK;
    }
    read_backoff_start(&engine->reload.backoff, clock_mono(engine->world->clock));
    enum err_code code =
        alpaca_change_key(engine->alpaca, news->key_id, news->secret, engine->account_number, err);
    note_backoff(engine, &engine->reload.backoff, code);
    engine->reload.is_owed =
        code != ERR_OK && !is_answered(code, alpaca_reply(engine->alpaca)->status);
    MUTATE(key_tried_once, engine->reload.is_owed = false);
    if (code == ERR_OK) {
        kill_trips_note_key(&engine->kill_trips, clock_mono(engine->world->clock));
        hash64_print(hash64(news->key_id, strlen(news->key_id), 0), engine->key_hash);
    }
    log_mechanism(&engine->log, "credentials", code == ERR_OK ? "acted" : "held", "", "", "");
    return code;
}

static void refuse(struct engine *engine, bool is_key, const struct text *faults,
                   const struct err *err) {
    struct text why = {.limit = 1024};
    text_add(&why, err->text);
    if (faults->len > 0) {
        text_add_format(&why, ": %.700s", text_get(faults));
    }
    text_add(&why, engine->reload.is_owed ? "; it is tried again" : "");
    if (!is_key) { /* of a key credentials has said it */
        log_mechanism(&engine->log, "config_validation", "held", "", "reload", "");
    }
    log_alert(&engine->log, ALERT_WARN, "reload_refused", text_get(&why));
    text_release(&why);
}

bool engine_owes_reload(const struct engine *engine) {
    return engine->reload.is_owed &&
           read_backoff_is_due(&engine->reload.backoff, clock_mono(engine->world->clock));
}

bool engine_reload(struct engine *engine) {
    struct engine_news news = {0};
    struct text faults = {.limit = 4096};
    struct err err = {0};
    bool was_owed = engine->reload.is_owed;
    engine->reload.is_owed = false;
    enum err_code code = read_news(engine, was_owed, &news, &faults, &err);
    bool is_read = code == ERR_OK;
    code = is_read ? take_key(engine, &news, &err) : code;
    if (code == ERR_OK) {
        char hash[17];
        engine->settings = news.config;
        alpaca_spare_bars(engine->alpaca,
                          engine->is_filling && engine->config->signals_fill.ns > 0);
        config_hash(engine->config, hash);
        memcpy(engine->settings_hash, hash, sizeof engine->settings_hash);
        log_mechanism(&engine->log, "config_validation", "acted", "", hash, "");
    } else if (!was_owed || !engine->reload.is_owed) { /* told once for all its tries */
        refuse(engine, is_read, &faults, &err);
    }
    explicit_bzero(&news, sizeof news);
    text_release(&faults);
    return code == ERR_OK;
}
