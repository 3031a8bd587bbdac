/* cli.c - options, files, progress: what every subcommand needs. */
#include "cli/cli.h"

#include "build_hash.h"
#include "core/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* --- options --- */

static const struct cli_option *find_option(const struct cli_option *options, const char *word,
                                            size_t n) {
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == n && strncmp(options->name, word, n) == 0) {
            return options;
        }
    }
    return NULL;
}

static enum err_code set_option(const struct cli_option *option, const char *value,
                                struct err *err) {
    char *end = NULL;
    if (option->kind == CLI_WORD) {
        *(const char **)option->target = value;
        return ERR_OK;
    }
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        return err_set(err, ERR_USAGE, "%s: '%s' is not a number", option->name, value);
    }
    *(int64_t *)option->target = number;
    return ERR_OK;
}

/* What was said already, by where it goes: `--seed` and `--seeds` of chaos are one option. */
struct said {
    const void *targets[CLI_OPTIONS_MAX];
    size_t count;
};

static enum err_code say_once(struct said *said, const struct cli_option *option, struct err *err) {
    for (size_t i = 0; i < said->count; i++) {
        if (said->targets[i] == option->target) {
            return err_set(err, ERR_USAGE, "%s is given twice", option->name);
        }
    }
    CHECK(said->count < CLI_OPTIONS_MAX);
    said->targets[said->count++] = option->target;
    return ERR_OK;
}

static enum err_code parse_option(int argc, char **argv, int *i, const struct cli_option *options,
                                  struct said *said, struct err *err) {
    const char *word = argv[*i];
    size_t n = strcspn(word, "=");
    const struct cli_option *option = find_option(options, word, n);
    if (option == NULL) {
        return err_set(err, ERR_USAGE, "unknown option '%s'", word);
    }
    if (say_once(said, option, err) != ERR_OK) {
        return ERR_USAGE;
    }
    if (option->kind == CLI_FLAG) {
        *(bool *)option->target = true;
        return word[n] == '\0' ? ERR_OK
                               : err_set(err, ERR_USAGE, "%s takes no value", option->name);
    }
    if (word[n] == '=') {
        return set_option(option, word + n + 1, err);
    }
    if (*i + 1 >= argc) {
        return err_set(err, ERR_USAGE, "%s needs a value", option->name);
    }
    return set_option(option, argv[++*i], err);
}

enum err_code cli_parse(int argc, char **argv, const struct cli_option *options,
                        struct cli_words *words, struct err *err) {
    struct said said = {0};
    words->count = 0;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (parse_option(argc, argv, &i, options, &said, err) != ERR_OK) {
                return ERR_USAGE;
            }
        } else if (words->count == CLI_WORDS_MAX) {
            return err_set(err, ERR_USAGE, "more than %d words", CLI_WORDS_MAX);
        } else {
            words->words[words->count++] = argv[i];
        }
    }
    return ERR_OK;
}

enum err_code cli_check_words(const struct cli_words *words, size_t most, struct err *err) {
    return words->count <= most
               ? ERR_OK
               : err_set(err, ERR_USAGE, "'%s' is one word too many", words->words[most]);
}

enum err_code cli_check_data(const char *said, struct err *err) {
    struct stat status;
    if (said == NULL || strcmp(said, "synthetic") == 0 || stat(said, &status) == 0) {
        return ERR_OK;
    }
    return err_set(err, ERR_NOT_FOUND, "--data %s: %s", said, strerror(errno));
}

bool cli_parse_share(const char *word, int *share, int *shares) {
    char rest = 0;
    int i = 0;
    int n = 0;
    if (sscanf(word, "%9d/%9d%c", &i, &n, &rest) != 2 || n < 1 || i < 0 || i >= n) {
        return false;
    }
    *share = i;
    *shares = n;
    return true;
}

/* --- exits --- */

int cli_exit_of(enum err_code code) {
    switch (code) {
    case ERR_OK:
        return CLI_PASS;
    case ERR_USAGE:
        return CLI_USAGE;
    case ERR_CONFIG:
    case ERR_PARSE:
    case ERR_RANGE:
    case ERR_REFUSED:
        return CLI_CONFIG;
    case ERR_CORRUPT:
        return CLI_CORRUPT;
    case ERR_LOCKED:
        return CLI_LOCKED;
    case ERR_IO:
    case ERR_NO_SPACE:
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_NOT_SENT:
    case ERR_UNKNOWN:
        return CLI_ENVIRONMENT;
    case ERR_LIMIT:
    case ERR_FAILED:
    case ERR_MEMORY:
        return CLI_HARNESS;
    }
    return CLI_HARNESS;
}

int cli_fail(const struct err *err) {
    fprintf(stderr, "seatrial: %s\n", err->text);
    return cli_exit_of(err->code);
}

int cli_usage(const char *command, const char *text) {
    fprintf(stderr, "seatrial %s: %s\nTry: seatrial %s --help\n", command, text, command);
    return CLI_USAGE;
}

/* --- files --- */

enum err_code cli_join(char *field, size_t size, const char *folder, const char *name,
                       struct err *err) {
    int n = snprintf(field, size, "%s/%s", folder, name);
    return n < 0 || (size_t)n >= size ? err_set(err, ERR_LIMIT, "%s: path too long", folder)
                                      : ERR_OK;
}

enum err_code cli_make_dirs(const char *path, struct err *err) {
    char folder[PATH_MAX];
    if (strlen(path) >= sizeof folder) {
        return err_set(err, ERR_LIMIT, "%s: path too long", path);
    }
    strcpy(folder, path); /* NOLINT: measured just above */
    for (char *slash = folder + 1;; slash++) {
        slash += strcspn(slash, "/");
        char was = *slash;
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
        }
        if (was == '\0') {
            return ERR_OK;
        }
        *slash = was;
    }
}

enum err_code cli_make_parents(const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    if (slash == NULL || slash == path) {
        return ERR_OK;
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return cli_make_dirs(folder, err);
}

/* 0, or the number of what went wrong. */
static int write_whole(const char *path, const char *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return errno;
    }
    int number = fwrite(bytes, 1, n, file) == n ? 0 : errno;
    if (fclose(file) != 0 && number == 0) {
        number = errno;
    }
    return number;
}

enum err_code cli_write_file(const char *path, const char *bytes, size_t n, struct err *err) {
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.tmp", path) >= (int)sizeof temp) {
        return err_set(err, ERR_LIMIT, "%s: path too long", path);
    }
    enum err_code code = cli_make_parents(path, err);
    if (code != ERR_OK) {
        return code;
    }
    int number = write_whole(temp, bytes, n);
    if (number == 0 && rename(temp, path) != 0) {
        number = errno;
    }
    if (number != 0) {
        (void)unlink(temp);
        return err_set(err, ERR_IO, "%s: %s", path, strerror(number));
    }
    return ERR_OK;
}

static bool is_there(char *field, size_t size, const char *folder, const char *middle,
                     const char *name) {
    struct stat status;
    int n = snprintf(field, size, "%s%s/%s", folder, middle, name);
    return n > 0 && (size_t)n < size && stat(field, &status) == 0;
}

bool cli_find(const char *name, char *field, size_t size) {
    static const char *const middles[] = {"", "/..", "/../..", "/../share/seatrial"};
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (is_there(field, size, ".", "", name)) {
        snprintf(field, size, "%s", name);
        return true;
    }
    if (n <= 0) {
        return false;
    }
    program[n] = '\0';
    const char *folder = dirname(program);
    for (size_t i = 0; i < sizeof middles / sizeof middles[0]; i++) {
        if (is_there(field, size, folder, middles[i], name)) {
            return true;
        }
    }
    return false;
}

const char *cli_data_dir(const char *said, char found[static PATH_MAX]) {
    if (said != NULL) {
        return said;
    }
    if (!cli_find("data", found, PATH_MAX)) {
        strcpy(found, "data"); /* NOLINT: fits; a synthetic market needs none */
    }
    return found;
}

/* --- progress --- */

bool cli_has_colour(void) {
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}

void cli_progress_start(struct cli_progress *progress, const char *label) {
    *progress = (struct cli_progress){
        .is_terminal = isatty(STDERR_FILENO) != 0, .label = label, .last = -1};
    if (!progress->is_terminal) {
        fprintf(stderr, "%s\n", label);
    }
}

void cli_progress_tell(void *context, int done_permille) {
    struct cli_progress *progress = context;
    char bar[41];
    if (!progress->is_terminal || done_permille / 5 == progress->last) {
        return;
    }
    progress->last = done_permille / 5;
    for (int i = 0; i < 40; i++) {
        bar[i] = i * 25 < done_permille ? '#' : '.';
    }
    bar[40] = '\0';
    fprintf(stderr, "\r%-28.28s [%s] %3d %%", progress->label, bar, done_permille / 10);
    fflush(stderr);
}

void cli_progress_end(struct cli_progress *progress) {
    if (progress->is_terminal) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
}

/* --- the machine --- */

static int64_t read_clock(clockid_t id) {
    struct timespec now = {0};
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct cli_timer cli_timer_start(void) {
    return (struct cli_timer){read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

void cli_timer_print(const struct cli_timer *start, struct text *out) {
    struct cli_timer now = cli_timer_start();
    struct utsname host = {0};
    char finished[32];
    time_t wall = time(NULL);
    struct tm day;
    gmtime_r(&wall, &day);
    strftime(finished, sizeof finished, "%Y-%m-%dT%H:%M:%SZ", &day);
    uname(&host);
    text_add_format(out, "{\"wall_seconds\":%.3f,\"cpu_seconds\":%.3f",
                    (double)(now.wall_ns - start->wall_ns) / 1e9,
                    (double)(now.cpu_ns - start->cpu_ns) / 1e9);
    text_member_string(out, "finished_at", finished);
    text_member_string(out, "version", SEATRIAL_VERSION);
    text_member_string(out, "compiler", __VERSION__);
    text_member_string(out, "host", host.nodename);
    text_member_string(out, "system", host.release);
    text_member_string(out, "machine", host.machine);
    text_member_int(out, "jobs", 1);
    text_add(out, "}\n");
}

const char *cli_build(void) {
    return SEATRIAL_BUILD_HASH;
}
