/* sim_refusal.h - why Alpaca says no: HTTP status, code, message and extra members (alpaca-api.md
 * 2). */
#ifndef BROKER_SIM_EXCHANGE_SIM_REFUSAL_H
#define BROKER_SIM_EXCHANGE_SIM_REFUSAL_H

#include "broker_sim/exchange/sim_order.h"

#define SIM_REFUSAL_MEMBERS_MAX 5
#define SIM_RELATED_MAX 16

struct sim_refusal {
    int status;
    int code; /* 0: the body has no code */
    char message[256];
    struct {
        const char *name; /* static */
        char value[64];
    } members[SIM_REFUSAL_MEMBERS_MAX];
    size_t member_count;
    bool has_related; /* related_orders is told */
    const struct sim_order *related[SIM_RELATED_MAX];
    size_t related_count;
};

/* Fills a refusal and returns false, so that a check can say `return sim_refuse(...)`. */
bool sim_refuse(struct sim_refusal *refusal, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void sim_refusal_add(struct sim_refusal *refusal, const char *name, const char *value);
void sim_refusal_add_decimal(struct sim_refusal *refusal, const char *name, int64_t nanos);

#endif
