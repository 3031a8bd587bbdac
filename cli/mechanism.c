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
    if (words.count > 1) {
        return cli_usage("mechanism", "takes one id, or none");
    }
    struct text out = {0};
    if (words.count == 0) {
        catalogue_table(&out);
    } else {
        const struct mechanism *mechanism = mechanism_find(words.words[0]);
        if (mechanism == NULL) {
            return cli_usage("mechanism", "no mechanism of that id; without one, all are listed");
        }
        catalogue_page(mechanism, &out);
    }
    fputs(text_get(&out), stdout);
    text_release(&out);
    return CLI_PASS;
}
