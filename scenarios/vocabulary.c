/* vocabulary.c - the tables behind vocabulary.h, and their look-up. */
#include "scenarios/vocabulary.h"

#include <string.h>

static const char *const mechanisms[] = {
    "operator_freeze",
    "crash_loop_freeze",
    "kill_switch",
    "daily_loss",
    "equity_floor",
    "max_drawdown",
    "capital_ramp",
    "performance_breaker",
    "broker_rails",
    "margin_guard",
    "daily_volume",
    "position_sign",
    "amnesia",
    "state_regression",
    "request_deadline",
    "retry_backoff",
    "smart_poller",
    "circuit_breaker",
    "rate_budget",
    "degraded_mode",
    "data_guard",
    "clock_guard",
    "order_idempotency",
    "order_validation",
    "price_collar",
    "message_throttle",
    "repeat_throttle",
    "reduce_only",
    "maker_execution",
    "exit_execution",
    "stuck_orders",
    "protective_stops",
    "max_positions",
    "position_sizing",
    "gross_exposure",
    "symbol_limit",
    "theme_limit",
    "sector_limit",
    "correlation_limit",
    "symbol_cooldown",
    "displacement",
    "session_gate",
    "universe_guard",
    "atomic_state",
    "state_backup",
    "reconciliation",
    "divergence_heal",
    "single_instance",
    "signal_cache",
    "learning_guard",
    "heartbeat",
    "health_supervisor",
    "alerts",
    "metrics",
    "log",
    "drill",
    "credentials",
    "config_validation",
    "startup_contract",
    "dashboard",
    "live_gate",
    "supervisor",
    "dead_man",
    "ab_deploy",
    "paper_validation",
    "second_writer",
};

static const char *const events[] = {"acted", "held", "released", "warned", "refused"};

static const char *const command_words[] = {
#define X(command, word, meaning, parameters) word,
    STAGE_COMMANDS(X)
#undef X
};

static int find_word(const char *const *words, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool mechanism_is_known(const char *id) {
    return find_word(mechanisms, mechanism_count(), id) >= 0;
}

size_t mechanism_count(void) {
    return sizeof mechanisms / sizeof mechanisms[0];
}

const char *mechanism_id(size_t index) {
    return mechanisms[index];
}

bool mechanism_event_is_known(const char *word) {
    return find_word(events, sizeof events / sizeof events[0], word) >= 0;
}

bool stage_command_find(const char *word, enum stage_command *out) {
    int index = find_word(command_words, STAGE_COMMAND_COUNT, word);
    if (index >= 0) {
        *out = (enum stage_command)index;
    }
    return index >= 0;
}

const char *stage_command_word(enum stage_command command) {
    return command_words[command];
}
