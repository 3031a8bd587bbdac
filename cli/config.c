/* config.c - `seatrial config`: check a file, show or explain the settings. */
#include "cli/cli.h"
#include "cli/real_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check(const struct config *config, const char *path) {
    struct text faults = {0};
    struct err err = {0};
    char hash[17];
    int status = CLI_PASS;
    if (config_check(config, &faults, &err) != ERR_OK) {
        fputs(text_get(&faults), stderr);
        status = cli_fail(&err);
    } else {
        config_hash(config, hash);
        printf("%s: good, config_hash %s\n", path, hash);
    }
    text_release(&faults);
    return status;
}

static int print(const struct config *config, const char *key) {
    struct text out = {0};
    struct err err = {0};
    int status = CLI_PASS;
    if (key == NULL) {
        config_print(config, &out);
    } else if (config_explain(config, key, &out, &err) != ERR_OK) {
        status = cli_fail(&err);
        status = err.code == ERR_NOT_FOUND ? CLI_USAGE : status;
    }
    fputs(text_get(&out), stdout);
    if (out.len > 0 && out.data[out.len - 1] != '\n') {
        putchar('\n');
    }
    text_release(&out);
    return status;
}

int cli_config(int argc, char **argv) {
    const char *path = NULL;
    const struct cli_option table[] = {{"--config", CLI_WORD, &path}, {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("config", err.text);
    }
    const char *verb = words.count > 0 ? words.words[0] : "";
    const char *word = words.count > 1 ? words.words[1] : NULL;
    bool is_check = strcmp(verb, "check") == 0;
    bool is_explain = strcmp(verb, "explain") == 0;
    if (!is_check && !is_explain && strcmp(verb, "show") != 0) {
        return cli_usage("config", "check, show or explain?");
    }
    if (cli_check_words(&words, 2, &err) != ERR_OK) {
        return cli_usage("config", err.text);
    }
    if (!is_explain && word != NULL && path != NULL) {
        return cli_usage("config", "one file: FILE or --config FILE, not both");
    }
    path = is_explain || word == NULL ? path : word; /* check and show take the file either way */
    if (is_check && path == NULL) {
        return cli_usage("config", "check needs a file");
    }
    struct config *config = calloc(1, sizeof *config);
    int status = config == NULL ? CLI_HARNESS : CLI_PASS;
    if (config != NULL && real_config(path, config, &err) != ERR_OK) {
        status = cli_fail(&err);
    } else if (config != NULL) {
        status = is_check ? check(config, path) : print(config, is_explain ? word : NULL);
    }
    free(config);
    return status;
}
