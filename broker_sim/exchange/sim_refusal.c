/* sim_refusal.c - filling refusals. */
#include "broker_sim/exchange/sim_refusal.h"

#include "core/base/check.h"

#include <stdarg.h>
#include <stdio.h>

bool sim_refuse(struct sim_refusal *refusal, int status, int code, const char *format, ...) {
    *refusal = (struct sim_refusal){.status = status, .code = code};
    va_list args;
    va_start(args, format);
    vsnprintf(refusal->message, sizeof refusal->message, format, args);
    va_end(args);
    return false;
}

void sim_refusal_add(struct sim_refusal *refusal, const char *name, const char *value) {
    CHECK(refusal->member_count < SIM_REFUSAL_MEMBERS_MAX);
    size_t i = refusal->member_count++;
    refusal->members[i].name = name;
    snprintf(refusal->members[i].value, sizeof refusal->members[i].value, "%s", value);
}

void sim_refusal_add_decimal(struct sim_refusal *refusal, const char *name, int64_t nanos) {
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(nanos, digits);
    sim_refusal_add(refusal, name, digits);
}
