/* mutant.c - the table of sabotages; empty in every build but that of the mutants. */
#include "core/base/mutant.h"

#ifdef SEATRIAL_MUTANTS

#include <string.h>

enum mutant mutant_active = MUTANT_none;
enum mutant mutant_beside = MUTANT_none;

static bool passed_here[MUTANT_COUNT];
bool *mutant_passed = passed_here;

static const char *const names[] = {"none",
#define X(name, breaks) #name,
                                    MUTANTS(X)
#undef X
};

static const char *const meanings[] = {"nothing",
#define X(name, breaks) breaks,
                                       MUTANTS(X)
#undef X
};

const char *mutant_name(enum mutant mutant) {
    return names[mutant];
}

const char *mutant_breaks(enum mutant mutant) {
    return meanings[mutant];
}

bool mutant_find(const char *name, enum mutant *out) {
    for (int i = 0; i < MUTANT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum mutant)i;
            return true;
        }
    }
    return false;
}

#else

extern int mutant_none_here; /* a translation unit holds at least one declaration */

#endif
