/* score.c - `seatrial score`: a recording, judged as the run was. */
#include "cli/cli.h"
#include "replay/oracle/oracle.h"
#include "replay/recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum err_code judge_file(const char *path, struct oracle *oracle, struct err *err) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    enum err_code code = recording_read(file, oracle_observer(oracle), NULL, err);
    (void)fclose(file);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "%s", path);
}

int cli_score(int argc, char **argv) {
    const struct cli_option table[] = {{NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("score", err.text);
    }
    if (words.count == 0) {
        return cli_usage("score", "needs one recording");
    }
    if (cli_check_words(&words, 1, &err) != ERR_OK) {
        return cli_usage("score", err.text);
    }
    struct oracle *oracle = oracle_create();
    int status = CLI_PASS;
    if (judge_file(words.words[0], oracle, &err) != ERR_OK) {
        status = cli_fail(&err);
    } else {
        struct text verdict = {0};
        oracle_verdict(oracle, &verdict);
        puts(text_get(&verdict));
        text_release(&verdict);
        status = oracle_broken(oracle, NULL, 0) == 0 ? CLI_PASS : CLI_FINDING;
    }
    oracle_destroy(oracle);
    return status;
}
