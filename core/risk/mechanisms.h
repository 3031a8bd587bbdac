/* mechanisms.h - the table of every safety mechanism that exists: its id, where it lives, what mode it
 * can demand, how that ends, and the settings it obeys. Reports, scenarios and tests use these ids. */
#ifndef CORE_RISK_MECHANISMS_H
#define CORE_RISK_MECHANISMS_H

#include "core/risk/causes.h"

enum mechanism_hold { HOLD_NONE, HOLD_LATCHED, HOLD_WHILE_TRUE };

struct mechanism {
    const char *id;
    const char *file;
    enum mode mode;           /* the most it demands; NORMAL for one that only refuses or shapes */
    enum mechanism_hold hold; /* how the demand ends */
    const char *settings;     /* config keys, blank-separated; "" for none */
    const char *rule;         /* one sentence */
};

/* All of them, in the order of docs; *count entries, static storage. */
const struct mechanism *mechanisms(size_t *count);

#endif
