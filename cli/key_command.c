/* key_command.c - see key_command.h. */
#include "cli/key_command.h"

#include "core/base/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLANKS " \t\n"

struct command {
    char line[KEY_COMMAND_MAX];             /* cut into words */
    char *words[KEY_COMMAND_WORDS_MAX + 1]; /* NULL at the end */
    pid_t pid;                              /* 0: not running */
    int out;                                /* our end of its output; -1: closed */
    int64_t until_ns;                       /* monotonic */
};

static int64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOS + now.tv_nsec;
}

static int left_ms(const struct command *command) {
    int64_t left = (command->until_ns - now_ns()) / (NANOS / 1000);
    return left > 0 ? (int)left : 0;
}

/* --- the line --- */

static enum err_code split(struct command *command, const char *line, struct err *err) {
    size_t count = 0;
    char *rest = NULL;
    if (strlen(line) >= sizeof command->line) {
        return err_set(err, ERR_CONFIG, "--key-command: longer than %zu bytes",
                       sizeof command->line - 1);
    }
    if (strpbrk(line, "\"'\\`") != NULL) {
        return err_set(err, ERR_CONFIG,
                       "--key-command: no shell reads it, so a quote or a backslash means nothing; "
                       "write a script");
    }
    strcpy(command->line, line); /* NOLINT: it fits */
    for (char *word = strtok_r(command->line, BLANKS, &rest); word != NULL;
         word = strtok_r(NULL, BLANKS, &rest)) {
        if (count == KEY_COMMAND_WORDS_MAX) {
            return err_set(err, ERR_CONFIG, "--key-command: more than %d words",
                           KEY_COMMAND_WORDS_MAX);
        }
        command->words[count++] = word;
    }
    return count > 0 && command->words[0][0] == '/'
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "--key-command: its first word is an absolute path");
}

/* --- the process --- */

/* Signals as a program expects them: we ignore SIGPIPE, and what is ignored stays so. Its own group, so that what it
 * starts ends with it. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    int trouble = posix_spawnattr_setsigdefault(attributes, &all);
    trouble = trouble == 0 ? posix_spawnattr_setsigmask(attributes, &none) : trouble;
    trouble = trouble == 0 ? posix_spawnattr_setpgroup(attributes, 0) : trouble;
    return trouble == 0 ? posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF |
                                                                   POSIX_SPAWN_SETSIGMASK |
                                                                   POSIX_SPAWN_SETPGROUP)
                        : trouble;
}

/* Standard error too: what a vault's client says there may end in our log. */
static int set_files(posix_spawn_file_actions_t *files, int out) {
    int trouble = posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    if (trouble == 0) {
        trouble = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    if (trouble == 0) {
        trouble = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    return trouble == 0 ? posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1)
                        : trouble;
}

static int spawn(struct command *command, int out) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    int trouble = posix_spawnattr_init(&attributes);
    if (trouble != 0) {
        return trouble;
    }
    trouble = posix_spawn_file_actions_init(&files);
    if (trouble == 0) {
        trouble = set_attributes(&attributes);
        trouble = trouble == 0 ? set_files(&files, out) : trouble;
        if (trouble == 0) {
            trouble = posix_spawn(&command->pid, command->words[0], &files, &attributes,
                                  command->words, environ);
        }
        (void)posix_spawn_file_actions_destroy(&files);
    }
    (void)posix_spawnattr_destroy(&attributes);
    command->pid = trouble == 0 ? command->pid : 0;
    return trouble;
}

static enum err_code start(struct command *command, struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_set(err, ERR_IO, "--key-command: pipe: %s", strerror(errno));
    }
    command->until_ns = now_ns() + (int64_t)KEY_COMMAND_TIMEOUT_MS * (NANOS / 1000);
    command->out = ends[0];
    int trouble = spawn(command, ends[1]);
    (void)close(ends[1]);
    return trouble == 0 ? ERR_OK
                        : err_set(err, ERR_CONFIG, "--key-command: %s cannot be started: %s",
                                  command->words[0], strerror(trouble));
}

static enum err_code too_late(const struct command *command, struct err *err) {
    return err_set(err, ERR_CONFIG, "--key-command: %s was not done within %d s", command->words[0],
                   KEY_COMMAND_TIMEOUT_MS / 1000);
}

/* Until it closes its output: whoever holds that open is waited for. */
static enum err_code drain(struct command *command, char *bytes, size_t size, size_t *n,
                           struct err *err) {
    for (*n = 0; *n < size;) {
        struct pollfd look = {.fd = command->out, .events = POLLIN};
        int wait_ms = left_ms(command);
        int found = wait_ms > 0 ? poll(&look, 1, wait_ms) : 0;
        if (wait_ms == 0) {
            return too_late(command, err);
        }
        ssize_t got = found > 0 ? read(command->out, bytes + *n, size - *n) : -1;
        if (got == 0) {
            return ERR_OK;
        }
        if (found > 0 && got < 0 && errno != EINTR) {
            return err_set(err, ERR_IO, "--key-command: %s", strerror(errno));
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    return err_set(err, ERR_CONFIG, "--key-command: %s printed more than %zu bytes",
                   command->words[0], size - 1);
}

static enum err_code judge(const struct command *command, const siginfo_t *gone, struct err *err) {
    if (gone->si_code != CLD_EXITED) {
        return err_set(err, ERR_CONFIG, "--key-command: %s was ended by signal %d",
                       command->words[0], gone->si_status);
    }
    return gone->si_status == 0
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "--key-command: %s failed with exit code %d",
                         command->words[0], gone->si_status);
}

/* It has closed its output; it may take its time to leave. It is not reaped yet: its number names its group. */
static enum err_code finish(const struct command *command, struct err *err) {
    const struct timespec pause = {.tv_nsec = 5000000};
    siginfo_t gone = {0};
    while (waitid(P_PID, (id_t)command->pid, &gone, WEXITED | WNOHANG | WNOWAIT) == 0) {
        if (gone.si_pid == command->pid) {
            return judge(command, &gone, err);
        }
        if (left_ms(command) == 0) {
            return too_late(command, err);
        }
        (void)nanosleep(&pause, NULL);
    }
    return err_set(err, ERR_IO, "--key-command: how %s ended is not known: %s", command->words[0],
                   strerror(errno));
}

/* Nothing of its group outlives the call. */
static void put_away(const struct command *command) {
    if (command->out >= 0) {
        (void)close(command->out);
    }
    if (command->pid > 0) {
        (void)kill(-command->pid, SIGKILL);
        while (waitpid(command->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

enum err_code key_command_run(const char *line, char *bytes, size_t size, size_t *n,
                              struct err *err) {
    struct command command = {.out = -1};
    enum err_code code = split(&command, line, err);
    code = code == ERR_OK ? start(&command, err) : code;
    code = code == ERR_OK ? drain(&command, bytes, size, n, err) : code;
    code = code == ERR_OK ? finish(&command, err) : code;
    put_away(&command);
    return code;
}
