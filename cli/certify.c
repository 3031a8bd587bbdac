/* certify.c - `seatrial certify`: run everything, write result.json, junit.xml, run.json, index.html. */
#include "scenarios/certify.h"
#include "cli/cli.h"
#include "reports/result.h"

#include <limits.h>
#include <stdio.h>

static void tell_begin(void *context, const char *what) {
    struct cli_progress *progress = context;
    cli_progress_end(progress);
    cli_progress_start(progress, what);
}

static enum err_code write_in(const char *folder, const char *name, const struct text *content,
                              struct err *err) {
    char path[PATH_MAX];
    if (cli_join(path, sizeof path, folder, name, err) != ERR_OK) {
        return err->code;
    }
    return cli_write_file(path, text_get(content), content->len, err);
}

static enum err_code write_reports(const char *folder, const cJSON *tree, struct err *err) {
    struct text html = {.limit = (size_t)256 << 20};
    struct text junit = {0};
    enum err_code code = report_html(tree, &html, err);
    if (code == ERR_OK) {
        code = report_junit(tree, &junit, err);
    }
    if (code == ERR_OK) {
        code = write_in(folder, "index.html", &html, err);
    }
    if (code == ERR_OK) {
        code = write_in(folder, "junit.xml", &junit, err);
    }
    text_release(&html);
    text_release(&junit);
    return code;
}

static enum err_code write_all(const char *folder, const struct text *result,
                               const struct cli_timer *timer, struct err *err) {
    cJSON *tree = NULL;
    struct text machine = {0};
    cli_timer_print(timer, &machine);
    fputs(text_get(&machine), stderr);
    enum err_code code = write_in(folder, "result.json", result, err);
    if (code == ERR_OK) {
        code = write_in(folder, "run.json", &machine, err);
    }
    if (code == ERR_OK) {
        code = json_parse(text_get(result), result->len, &tree, err);
    }
    if (code == ERR_OK) {
        code = write_reports(folder, tree, err);
    }
    if (code == ERR_OK) {
        struct result_summary summary = result_summarise(tree);
        printf("%d voyages, %d of %d required cells filled, %d of %d scenarios passed, "
               "%d mechanisms acted\n",
               summary.voyages, summary.cells - summary.cells_failed, summary.cells,
               summary.scenarios - summary.scenarios_failed, summary.scenarios,
               summary.mechanisms_acted);
    }
    cJSON_Delete(tree);
    text_release(&machine);
    return code;
}

static enum err_code find_inputs(struct certify_options *options, char data[static PATH_MAX],
                                 char voyage[static PATH_MAX], char library[static PATH_MAX],
                                 struct err *err) {
    if (options->data_dir == NULL && !cli_find("data", data, PATH_MAX)) {
        return err_set(err, ERR_NOT_FOUND, "no data folder here or beside the program: --data DIR");
    }
    if (!cli_find("scenarios/certify.json", voyage, PATH_MAX) ||
        !cli_find("scenarios/library", library, PATH_MAX)) {
        return err_set(err, ERR_NOT_FOUND, "no scenarios folder here or beside the program");
    }
    options->data_dir = options->data_dir == NULL ? data : options->data_dir;
    options->voyage_file = voyage;
    return ERR_OK;
}

int cli_certify(int argc, char **argv) {
    const char *out = "out/certify";
    bool is_quick = false;
    struct cli_progress progress = {0};
    struct certify_options options = {.build = cli_build(),
                                      .progress = cli_progress_tell,
                                      .begin = tell_begin,
                                      .context = &progress};
    const struct cli_option table[] = {{"--out", CLI_WORD, &out},
                                       {"--data", CLI_WORD, &options.data_dir},
                                       {"--quick", CLI_FLAG, &is_quick},
                                       {NULL, CLI_FLAG, NULL}};
    char data[PATH_MAX], voyage[PATH_MAX], library[PATH_MAX];
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("certify", err.text);
    }
    struct text result = {.limit = (size_t)256 << 20};
    bool is_passed = false;
    struct cli_timer timer = cli_timer_start();
    fprintf(stderr, "seatrial: two voyages%s: one to three minutes\n",
            is_quick ? "" : ", then every scenario");
    enum err_code code = cli_check_data(options.data_dir, &err);
    code = code == ERR_OK ? find_inputs(&options, data, voyage, library, &err) : code;
    options.library_dir = is_quick ? NULL : library;
    if (code == ERR_OK) {
        code = cli_make_dirs(out, &err);
    }
    if (code == ERR_OK) {
        code = certify_run(&options, &result, &is_passed, &err);
        cli_progress_end(&progress);
    }
    if (code == ERR_OK) {
        code = write_all(out, &result, &timer, &err);
    }
    text_release(&result);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    printf("%s: %s/index.html\n", is_passed ? "passed" : "FAILED", out);
    return is_passed ? CLI_PASS : CLI_FINDING;
}
