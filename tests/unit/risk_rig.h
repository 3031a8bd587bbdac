/* risk_rig.h - a rig with a configuration and a set of causes, for tests of what latches. Header only. */
#ifndef TESTS_UNIT_RISK_RIG_H
#define TESTS_UNIT_RISK_RIG_H

#include "core/config/config.h"
#include "core/risk/causes.h"
#include "tests/unit/rig.h"

struct risk_rig {
    struct rig *rig;
    struct config config;
    struct causes causes;
};

static inline void risk_rig_begin_causes(struct risk_rig *risk) {
    causes_init(&risk->causes, &risk->rig->world, &risk->rig->log);
    risk->causes.journal = risk->rig->journal;
}

static inline void risk_rig_open(struct risk_rig *risk) {
    risk->rig = rig_create();
    risk->config = config_defaults();
    risk_rig_begin_causes(risk);
}

/* What is known of causes goes; the journal stays, to be folded by the caller. */
static inline void risk_rig_forget(struct risk_rig *risk) {
    causes_release(&risk->causes);
    risk_rig_begin_causes(risk);
}

/* Likewise, in a new process over the same disk. */
static inline void risk_rig_restart(struct risk_rig *risk) {
    rig_reopen(risk->rig);
    risk_rig_forget(risk);
}

static inline void risk_rig_close(struct risk_rig *risk) {
    causes_release(&risk->causes);
    rig_destroy(risk->rig);
}

#endif
