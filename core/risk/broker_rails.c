/* broker_rails.c - what the account's configuration must be, and what is missing of it. */
#include "core/risk/broker_rails.h"

#include "core/base/mutant.h"

#include <stdio.h>
#include <string.h>

static const char MECHANISM[] = "broker_rails";
enum { BELIEVED_INTERVALS = 2 };

int rails_margin(struct ratio gross_exposure) {
    MUTATE(rails_margin_off_by_one, gross_exposure.nanos++);
    return gross_exposure.nanos <= NANOS ? 1 : gross_exposure.nanos <= 2 * NANOS ? 2 : 4;
}

static bool is_margin_loose(const struct broker_configuration *told, const struct config *config) {
    MUTATE(rails_margin_ignored, return false);
    return told->max_margin_multiplier > rails_margin(config->gross_exposure);
}

static bool is_shorting_loose(const struct broker_configuration *told) {
    MUTATE(rails_shorting_ignored, return false);
    return !told->no_shorting; /* a long-only book */
}

bool rails_are_loose(const struct broker_configuration *told, const struct config *config) {
    return is_margin_loose(told, config) || is_shorting_loose(told);
}

bool broker_rails_are_due(const struct broker_rails *rails, const struct config *config,
                          struct mono now) {
    struct span age = mono_sub(now, rails->read_at);
    MUTATE(rails_never_read_again, return !rails->is_known);
    return !rails->is_known || rails->is_doubted || age.ns >= config->rails_interval.ns;
}

static bool is_unknown(const struct broker_rails *rails, const struct config *config,
                       struct mono now, char why[static RAILS_WHY_MAX]) {
    struct span age = mono_sub(now, rails->read_at);
    MUTATE(rails_unknown_believed, return false);
    MUTATE(rails_doubt_ignored, if (rails->is_known && age.ns <= BELIEVED_INTERVALS * config->rails_interval.ns) return false);
    MUTATE(rails_age_off_by_one, age.ns++);
    bool is_old = age.ns > BELIEVED_INTERVALS * config->rails_interval.ns;
    const char *text = !rails->is_known    ? "the account's configuration was not read yet"
                       : rails->is_doubted ? "the account's configuration was not read since "
                                             "the mode or the account changed"
                       : is_old            ? "the account's configuration was read too long ago"
                                           : "";
    snprintf(why, RAILS_WHY_MAX, "%s", text);
    return text[0] != '\0';
}

/* What to set, and where; false if nothing. */
static bool say_flaw(const struct broker_configuration *told, const struct config *config,
                     char why[static RAILS_WHY_MAX]) {
    char margin[64] = "";
    bool is_suspended = told->is_suspended;
    MUTATE(rails_suspension_ignored, is_suspended = false);
    if (is_suspended) {
        snprintf(why, RAILS_WHY_MAX,
                 "trading is suspended: who set suspend_trade at Alpaca takes it back there");
        return true;
    }
    if (!rails_are_loose(told, config)) {
        return false;
    }
    if (is_margin_loose(told, config)) {
        snprintf(margin, sizeof margin, "max_margin_multiplier %d to %d",
                 told->max_margin_multiplier, rails_margin(config->gross_exposure));
    }
    bool is_shorting = is_shorting_loose(told);
    snprintf(why, RAILS_WHY_MAX, "at Alpaca, in the account's configuration, set %s%s%s",
             is_shorting ? "no_shorting to true" : "", is_shorting && margin[0] != '\0' ? ", " : "",
             margin);
    return true;
}

bool broker_rails_refuse(const struct broker_rails *rails, const struct config *config,
                         struct mono now, char why[static RAILS_WHY_MAX]) {
    MUTATE(broker_rails_ignored, return false);
    return is_unknown(rails, config, now, why) || say_flaw(&rails->told, config, why);
}

static void tell(struct broker_rails *rails, struct log *log, bool is_flawed, const char *why) {
    struct text members = {.limit = 512};
    text_member_string(&members, "why", why);
    if (is_flawed) {
        log_mechanism(log, MECHANISM, "acted", "", "", text_get(&members));
        log_alert(log, ALERT_WARN, MECHANISM, why);
    } else if (rails->is_flawed) {
        log_mechanism(log, MECHANISM, "released", "", "", "");
        log_alert_over(log, MECHANISM);
    }
    rails->is_flawed = is_flawed;
    text_release(&members);
}

void broker_rails_take(struct broker_rails *rails, const struct config *config, struct log *log,
                       const struct broker_configuration *told, struct mono now) {
    char why[RAILS_WHY_MAX] = "";
    bool is_other = !rails->is_known || memcmp(&rails->told, told, sizeof *told) != 0;
    rails->told = *told;
    rails->is_known = true;
    rails->is_doubted = false;
    rails->read_at = now;
    bool is_flawed = say_flaw(told, config, why);
    if (is_other || is_flawed != rails->is_flawed) {
        tell(rails, log, is_flawed, why);
    }
}
