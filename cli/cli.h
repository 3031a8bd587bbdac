/* cli.h - what the subcommands share: exit codes, options, output, progress.
 *
 * stdout is data, stderr is progress and log. A subcommand gets the words behind its name. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/base/err.h"
#include "core/base/text.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_exit {
    CLI_PASS = 0,
    CLI_FINDING = 1, /* the core failed a scenario, an invariant, a score */
    CLI_USAGE = 2,
    CLI_CONFIG = 3,      /* configuration or scenario invalid; live refused */
    CLI_ENVIRONMENT = 4, /* disk, network, permission */
    CLI_CORRUPT = 5,     /* state corrupt, refused */
    CLI_LOCKED = 6,
    CLI_HUNG = 10, /* these three: what `status` found */
    CLI_DEAD = 11,
    CLI_NEVER_STARTED = 12,
    CLI_HARNESS = 70, /* the harness itself failed */
};

enum cli_kind { CLI_FLAG, CLI_WORD, CLI_NUMBER };

struct cli_option {   /* a row of a subcommand's table; ends with name NULL */
    const char *name; /* "--seed" */
    enum cli_kind kind;
    void *target; /* bool, const char *, int64_t */
};

#define CLI_OPTIONS_MAX 32 /* of one subcommand */
#define CLI_WORDS_MAX 256

struct cli_words { /* what is left beside the options */
    const char *words[CLI_WORDS_MAX];
    size_t count;
};

/* Reads "--name value", "--name=value" and flags, each once. ERR_USAGE names the word. */
enum err_code cli_parse(int argc, char **argv, const struct cli_option *options,
                        struct cli_words *words, struct err *err) MUST_USE;
/* ERR_USAGE names the first word past the most that the command takes: nothing said is ignored. */
enum err_code cli_check_words(const struct cli_words *words, size_t most, struct err *err) MUST_USE;
/* ERR_NOT_FOUND if a folder of market sets was said and is not there. NULL: none was said. */
enum err_code cli_check_data(const char *said, struct err *err) MUST_USE;

/* ERR_CONFIG while LD_PRELOAD, LD_AUDIT or any FIU_* is set: paper and live runs start in an
 * environment by which nobody can arm a fault (docs/chaos.md). Exits by hand (kill, flatten) do not
 * ask. */
enum err_code cli_check_inert(const char *mode, struct err *err) MUST_USE;

/* The exit code that belongs to an error. */
int cli_exit_of(enum err_code code);
/* Prints "seatrial: text" to stderr and returns the error's exit code. */
int cli_fail(const struct err *err);
/* Prints usage trouble and how to get help. */
int cli_usage(const char *command, const char *text);

/* Writes a whole file atomically (temp and rename); folders of its path are made. ERR_IO names it. */
enum err_code cli_write_file(const char *path, const char *bytes, size_t n,
                             struct err *err) MUST_USE;
enum err_code cli_make_dirs(const char *path, struct err *err) MUST_USE;
/* The folders above a file. */
enum err_code cli_make_parents(const char *path, struct err *err) MUST_USE;
struct suite;
/* A scenario file, or all of a folder: one that has none is ERR_NOT_FOUND. */
enum err_code cli_add_scenarios(struct suite *suite, const char *path, struct err *err) MUST_USE;
/* "folder/name" in a caller's field. ERR_LIMIT. */
enum err_code cli_join(char *field, size_t size, const char *folder, const char *name,
                       struct err *err) MUST_USE;

/* Finds "data", "scenarios/library" ...: below the working directory, else beside or above the program
 * (build tree), else in its installed share. False if none is there. */
bool cli_find(const char *name, char *field, size_t size);

/* "2/8": share 2 of 8, counted from 0. False for anything else; then both are unchanged. */
bool cli_parse_share(const char *word, int *share, int *shares);
/* The folder of the market sets: what was said, else where cli_find() sees it (written to found). */
const char *cli_data_dir(const char *said, char found[static PATH_MAX]);

/* A bar on a terminal, silence elsewhere. */
struct cli_progress {
    bool is_terminal;
    const char *label;
    int last;
};
void cli_progress_start(struct cli_progress *progress, const char *label);
void cli_progress_tell(void *context, int done_permille);
void cli_progress_end(struct cli_progress *progress);
/* True if stdout may have colour: a terminal, NO_COLOR unset. */
bool cli_has_colour(void);

/* Wall and CPU seconds, compiler and host: never part of a result. */
struct cli_timer {
    int64_t wall_ns, cpu_ns;
};
struct cli_timer cli_timer_start(void);
/* The run.json members since start. */
void cli_timer_print(const struct cli_timer *start, struct text *out);

/* The hash of the source tree this program was built from. */
const char *cli_build(void);

typedef int cli_main(int argc, char **argv);
cli_main cli_run, cli_serve, cli_scenario, cli_status, cli_freeze, cli_resume, cli_kill,
    cli_flatten, cli_state, cli_config, cli_report, cli_score, cli_mechanism, cli_certify,
    cli_chaos, cli_exhaust, cli_courier, cli_fence;

#endif
