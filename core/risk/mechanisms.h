/* mechanisms.h - the table of every safety mechanism that exists: its id, where it lives, what mode it
 * can demand, how that ends, the settings it obeys, and what shows that it acts. Reports, scenarios and
 * tests use these ids; a test fails where a column is empty or points nowhere. */
#ifndef CORE_RISK_MECHANISMS_H
#define CORE_RISK_MECHANISMS_H

#include "core/risk/causes.h"

enum mechanism_hold {
    HOLD_NONE,
    HOLD_LATCHED,      /* a person ends it */
    HOLD_WHILE_TRUE,   /* its cause ends it */
    HOLD_WITH_PROCESS, /* nobody ends it: a latch in no journal, of a process that must go */
};

struct mechanism {
    const char *id;
    const char *file;
    enum mode mode;           /* the most it demands; NORMAL for one that only refuses or shapes */
    enum mechanism_hold hold; /* how the demand ends */
    const char *settings;     /* config keys, blank-separated as all that follow; "none" */
    const char *rule;         /* one sentence */
    const char *documents;    /* of the state directory in which it shows; "none" */
    const char *oracle;       /* ids of the invariants that judge it */
    const char *act, *quiet;  /* scenarios of the library: where it must act, where it must not */
    const char *mutants;      /* sabotages of it, the first of which switches it off */
};

/* All of them, in the order of docs; *count entries, static storage. */
const struct mechanism *mechanisms(size_t *count);
/* The one of this id; NULL for none. */
const struct mechanism *mechanism_find(const char *id);

#endif
