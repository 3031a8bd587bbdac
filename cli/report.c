/* report.c - `seatrial report`: a result file as HTML, JUnit, JSON or markdown. */
#include "cli/cli.h"
#include "reports/result.h"
#include "scenarios/host_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RESULT_FILE_MAX ((size_t)512 << 20)

static enum err_code print_report(const char *format, const cJSON *tree, struct text *out,
                                  struct err *err) {
    if (strcmp(format, "html") == 0) {
        return report_html(tree, out, err);
    }
    if (strcmp(format, "junit") == 0) {
        return report_junit(tree, out, err);
    }
    if (strcmp(format, "json") == 0) {
        return report_json(tree, out, err);
    }
    if (strcmp(format, "markdown") == 0) {
        return report_markdown(tree, out, err);
    }
    return err_set(err, ERR_USAGE, "--format is html, junit, json or markdown");
}

static enum err_code make_report(const char *from, const char *format, const char *to,
                                 struct err *err) {
    struct text bytes = {0};
    struct text report = {.limit = RESULT_FILE_MAX};
    cJSON *tree = NULL;
    struct stat status;
    char path[PATH_MAX];
    enum err_code code = ERR_OK;
    if (stat(from, &status) == 0 && S_ISDIR(status.st_mode)) {
        code = cli_join(path, sizeof path, from, "result.json", err);
        from = path;
    }
    if (code == ERR_OK) {
        code = host_file_read(from, RESULT_FILE_MAX, &bytes, err);
    }
    if (code == ERR_OK) {
        code = json_parse(text_get(&bytes), bytes.len, &tree, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s: no result", from);
    }
    if (code == ERR_OK) {
        code = print_report(format, tree, &report, err);
        code = code == ERR_OK || code == ERR_USAGE ? code : err_wrap(err, "%s", from);
    }
    if (code == ERR_OK && to != NULL) {
        code = cli_write_file(to, text_get(&report), report.len, err);
    } else if (code == ERR_OK) {
        fwrite(text_get(&report), 1, report.len, stdout);
    }
    cJSON_Delete(tree);
    text_release(&bytes);
    text_release(&report);
    return code;
}

int cli_report(int argc, char **argv) {
    const char *format = "html";
    const char *out = NULL;
    const struct cli_option table[] = {
        {"--format", CLI_WORD, &format}, {"--out", CLI_WORD, &out}, {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("report", err.text);
    }
    if (words.count == 0) {
        return cli_usage("report", "needs one result file or folder");
    }
    if (cli_check_words(&words, 1, &err) != ERR_OK) {
        return cli_usage("report", err.text);
    }
    return make_report(words.words[0], format, out, &err) == ERR_OK ? CLI_PASS : cli_fail(&err);
}
