/* mutant.h - sabotage on demand, in the objects of one test build and nowhere else.
 *
 * A site is one whole line: `MUTATE(name, return ERR_OK);`. Without SEATRIAL_MUTANTS the line does nothing:
 * tests/mutants/inert.sh proves that the shipped objects are, byte for byte, those of a tree without such
 * lines. */
#ifndef CORE_BASE_MUTANT_H
#define CORE_BASE_MUTANT_H

#ifdef SEATRIAL_MUTANTS

#include "core/base/mutant.def"

#include <stdbool.h>
#include <string.h>
#include <time.h>

enum mutant {
    MUTANT_none,
#define X(name, breaks) MUTANT_##name,
    MUTANTS(X)
#undef X
        MUTANT_COUNT
};

/* Two at a time: what weakens the harness is tried on another mutant. MUTANT_none until somebody says
 * otherwise. */
extern enum mutant mutant_active, mutant_beside;
/* By mutant: a site of it was passed, awake or not. MUTANT_COUNT of them, this process's own until
 * somebody puts memory there that outlives it. A run that passes no site of a mutant is the run without. */
extern bool *mutant_passed;

#define MUTANT(name)                                                                               \
    (mutant_passed[MUTANT_##name] = true,                                                          \
     mutant_active == MUTANT_##name || mutant_beside == MUTANT_##name)
#define MUTATE(name, ...)                                                                          \
    if (MUTANT(name)) {                                                                            \
        __VA_ARGS__;                                                                               \
    } else                                                                                         \
        ((void)0)

const char *mutant_name(enum mutant mutant);
const char *mutant_breaks(enum mutant mutant);
bool mutant_find(const char *name, enum mutant *out);

#else

#define MUTATE(name, ...) ((void)0)

#endif

#endif
