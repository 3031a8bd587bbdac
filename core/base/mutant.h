/* mutant.h - sabotage on demand, in the objects of one test build and nowhere else.
 *
 * A site is one whole line: `if (MUTANT(name)) return ERR_OK;`. Without SEATRIAL_MUTANTS the word is the
 * constant 0 and the line compiles to nothing: tests/mutants/inert.sh proves that the shipped objects are,
 * byte for byte, those of a tree without such lines. */
#ifndef CORE_BASE_MUTANT_H
#define CORE_BASE_MUTANT_H

#ifdef SEATRIAL_MUTANTS

#include "core/base/mutant.def"

#include <stdbool.h>

enum mutant {
    MUTANT_none,
#define X(name, breaks) MUTANT_##name,
    MUTANTS(X)
#undef X
        MUTANT_COUNT
};

extern enum mutant mutant_active; /* MUTANT_none until somebody says otherwise */

#define MUTANT(name) (mutant_active == MUTANT_##name)

const char *mutant_name(enum mutant mutant);
const char *mutant_breaks(enum mutant mutant);
bool mutant_find(const char *name, enum mutant *out);

#else

#define MUTANT(name) 0

#endif

#endif
