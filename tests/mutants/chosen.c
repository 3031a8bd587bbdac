/* chosen.c - linked into the test binaries of the mutants build: SEATRIAL_MUTANT names the one awake. */
#include "core/base/check.h"
#include "core/base/mutant.h"

#include <stdlib.h>

__attribute__((constructor)) static void choose(void) {
    const char *name = getenv("SEATRIAL_MUTANT");
    CHECK(name == NULL || mutant_find(name, &mutant_active));
}
