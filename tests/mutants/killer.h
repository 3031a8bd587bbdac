/* killer.h - one attempt on one mutant by one killer (the grammar is in mutants.c). */
#ifndef TESTS_MUTANTS_KILLER_H
#define TESTS_MUTANTS_KILLER_H

#include "core/base/mutant.h"
#include "core/base/text.h"

#include <stdint.h>

#define KILLER_MAX 512
#define JUDGES_MAX 256

struct attempt {
    char judges
        [JUDGES_MAX]; /* who objected: ids of invariants, "expected", "fault", ..., by commas */
    int64_t cpu_us;   /* of the runs with the mutant */
};

/* Remembers where this program lies: the binaries of `test` lie beside it. */
void killer_open(const char *argv0);
/* True if the mutant is killed; then judges say by whom. With MUTANT_none: true if the run fails. */
bool killer_try(enum mutant mutant, const char *killer, struct attempt *attempt);
/* Takes for known whether the killer's run passes without any mutant. */
void killer_remember(const char *killer, bool is_clean);
/* False if the file cannot be read. */
bool killer_read_file(const char *path, struct text *out);

#endif
