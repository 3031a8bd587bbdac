/* inert.c - no harness near real orders: what could arm faults from outside is refused by name. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* True for NAME=value of a variable by which another library could come between us and the world. */
static bool could_arm(const char *variable) {
    static const char *const names[] = {"LD_PRELOAD=", "LD_AUDIT="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t n = strlen(names[i]);
        if (strncmp(variable, names[i], n) == 0 && variable[n] != '\0') {
            return true;
        }
    }
    return strncmp(variable, "FIU_", 4) == 0;
}

enum err_code cli_check_inert(const char *mode, struct err *err) {
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        if (could_arm(*variable)) {
            return err_set(err, ERR_CONFIG,
                           "--mode %s is refused while %.*s is set: nothing may come between the "
                           "core and a broker. Unset it",
                           mode, (int)strcspn(*variable, "="), *variable);
        }
    }
    return ERR_OK;
}
