/* mechanism.c - `seatrial mechanism`: the table of mechanisms, or the page of one. */
#include "cli/cli.h"
#include "scenarios/catalogue.h"

#include <stdio.h>

int cli_mechanism(int argc, char **argv) {
    const struct cli_option table[] = {{NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("mechanism", err.text);
    }
    if (cli_check_words(&words, 1, &err) != ERR_OK) {
        return cli_usage("mechanism", err.text);
    }
    struct text out = {0};
    if (words.count == 0) {
        catalogue_table(&out);
    } else {
        const struct mechanism *mechanism = mechanism_find(words.words[0]);
        if (mechanism == NULL) {
            (void)err_set(&err, ERR_USAGE, "no mechanism '%s'; without an id all are listed",
                          words.words[0]);
            return cli_usage("mechanism", err.text);
        }
        catalogue_page(mechanism, &out);
    }
    fputs(text_get(&out), stdout);
    text_release(&out);
    return CLI_PASS;
}
