/* sweep.c - the parent: hands out seeds, gathers records, replaces workers. */
#include "scenarios/sweep/sweep.h"

#include "core/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORD_MAX ((size_t)1 << 20)

struct worker {
    pid_t pid;  /* 0: none */
    int socket; /* ours */
    bool is_busy;
    uint64_t seed;
    int64_t since_s;
};

struct sweep {
    const struct sweep_options *options;
    struct totals *totals;
    struct worker workers[SWEEP_JOBS_MAX];
    uint64_t next;
    int64_t wanted, done;
    int file; /* -1: none */
};

static int64_t now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec;
}

/* --- whole messages over a socket pair or into a file --- */

static bool write_all(int file, const void *bytes, size_t n) {
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(file, at, n);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        at += written;
        n -= (size_t)written;
    }
    return true;
}

static bool read_all(int file, void *bytes, size_t n) {
    char *at = bytes;
    while (n > 0) {
        ssize_t got = read(file, at, n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        n -= (size_t)got;
    }
    return true;
}

/* --- a worker's life --- */

static void work(int socket, const struct seed_options *options) {
    uint64_t seed = 0;
    struct text record = text_limited(RECORD_MAX);
    while (read_all(socket, &seed, sizeof seed)) {
        text_clear(&record);
        seed_run(options, seed, &record);
        uint32_t n = (uint32_t)record.len;
        if (!write_all(socket, &n, sizeof n) || !write_all(socket, text_get(&record), n)) {
            break;
        }
    }
    text_release(&record);
}

static enum err_code start_worker(struct sweep *sweep, struct worker *worker, struct err *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return err_set(err, ERR_IO, "socketpair: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int number = errno;
        close(pair[0]);
        close(pair[1]);
        return err_set(err, ERR_IO, "fork: %s", strerror(number));
    }
    if (pid == 0) {
        signal(SIGINT, SIG_IGN); /* the parent lets a seed end */
        close(pair[0]);
        for (size_t i = 0; i < SWEEP_JOBS_MAX; i++) {
            if (sweep->workers[i].pid != 0) {
                close(sweep->workers[i].socket); /* or a dead parent would leave us waiting */
            }
        }
        work(pair[1], &sweep->options->seed);
        _exit(0);
    }
    close(pair[1]);
    *worker = (struct worker){.pid = pid, .socket = pair[0]};
    return ERR_OK;
}

static void end_worker(struct worker *worker, bool is_killed) {
    int status = 0;
    if (worker->pid == 0) {
        return;
    }
    if (is_killed) {
        kill(worker->pid, SIGKILL);
    }
    close(worker->socket);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    *worker = (struct worker){0};
}

/* --- records --- */

static enum err_code take(struct sweep *sweep, const struct text *record, struct err *err) {
    struct text line = {0};
    text_add(&line, text_get(record));
    text_add_char(&line, '\n');
    enum err_code code = totals_add(sweep->totals, text_get(record), record->len, err);
    if (code == ERR_OK && sweep->file >= 0 && !write_all(sweep->file, text_get(&line), line.len)) {
        code = err_set(err, ERR_IO, "%s: %s", sweep->options->records, strerror(errno));
    }
    text_release(&line);
    sweep->done++;
    if (sweep->options->progress != NULL) {
        sweep->options->progress(sweep->options->context,
                                 (int)(sweep->done * 1000 / sweep->wanted));
    }
    return code;
}

/* The worker is gone with its seed: that is the seed's record. */
static enum err_code lose(struct sweep *sweep, struct worker *worker, const char *verdict,
                          struct err *err) {
    struct text record = {0};
    seed_lost(&sweep->options->seed, worker->seed, verdict,
              strcmp(verdict, "hang") == 0 ? "the run did not end in time"
                                           : "the run took its process along",
              &record);
    end_worker(worker, true);
    enum err_code code = take(sweep, &record, err);
    text_release(&record);
    return code;
}

static enum err_code receive(struct sweep *sweep, struct worker *worker, struct err *err) {
    uint32_t n = 0;
    struct text record = text_limited(RECORD_MAX);
    if (!read_all(worker->socket, &n, sizeof n) || !text_reserve(&record, n)) {
        return lose(sweep, worker, "crash", err);
    }
    char *bytes = malloc(n + 1);
    CHECK(bytes != NULL);
    bool is_whole = read_all(worker->socket, bytes, n);
    text_add_bytes(&record, bytes, is_whole ? n : 0);
    free(bytes);
    worker->is_busy = false;
    enum err_code code = is_whole ? take(sweep, &record, err) : lose(sweep, worker, "crash", err);
    text_release(&record);
    return code;
}

/* --- handing out --- */

static bool is_ours(const struct sweep_options *options, uint64_t seed) {
    return seed % (uint64_t)options->shards == (uint64_t)options->shard;
}

/* The next seed that nobody has run; false when there is none. */
static bool next_seed(struct sweep *sweep, uint64_t *seed) {
    while (sweep->next <= sweep->options->last) {
        *seed = sweep->next++;
        if (is_ours(sweep->options, *seed) && !totals_has(sweep->totals, *seed)) {
            return true;
        }
    }
    return false;
}

static int64_t count_wanted(const struct sweep *sweep) {
    int64_t wanted = 0;
    for (uint64_t seed = sweep->options->first; seed <= sweep->options->last; seed++) {
        wanted += is_ours(sweep->options, seed) && !totals_has(sweep->totals, seed);
    }
    return wanted;
}

static bool is_interrupted(const struct sweep *sweep) {
    return sweep->options->is_interrupted != NULL && sweep->options->is_interrupted();
}

static enum err_code hand_out(struct sweep *sweep, size_t *busy, struct err *err) {
    *busy = 0;
    for (int i = 0; i < sweep->options->jobs; i++) {
        struct worker *worker = &sweep->workers[i];
        if (!worker->is_busy && !is_interrupted(sweep) && next_seed(sweep, &worker->seed)) {
            uint64_t seed = worker->seed;
            if (worker->pid == 0 && start_worker(sweep, worker, err) != ERR_OK) {
                return err->code;
            }
            worker->seed = seed;
            worker->since_s = now_s();
            worker->is_busy = true;
            (void)write_all(worker->socket, &seed, sizeof seed); /* a dead one is seen by poll */
        }
        *busy += worker->is_busy;
    }
    return ERR_OK;
}

static enum err_code gather(struct sweep *sweep, struct err *err) {
    struct pollfd polls[SWEEP_JOBS_MAX];
    enum err_code code = ERR_OK;
    for (int i = 0; i < sweep->options->jobs; i++) {
        struct worker *worker = &sweep->workers[i];
        polls[i] = (struct pollfd){.fd = worker->is_busy ? worker->socket : -1, .events = POLLIN};
    }
    (void)poll(polls, (nfds_t)sweep->options->jobs, 1000);
    for (int i = 0; i < sweep->options->jobs && code == ERR_OK; i++) {
        struct worker *worker = &sweep->workers[i];
        if (worker->is_busy && polls[i].revents != 0) {
            code = receive(sweep, worker, err);
        } else if (worker->is_busy && now_s() - worker->since_s > sweep->options->hang_s) {
            code = lose(sweep, worker, "hang", err);
        }
    }
    return code;
}

/* --- the file --- */

static void print_head(const struct sweep_options *options, struct text *out) {
    text_add_char(out, '{');
    text_member_string(out, "sweep", chaos_mode_word(options->seed.mode));
    text_member_int(out, "days", options->seed.days);
    text_member_string(out, "build", options->seed.build);
    text_add(out, "}\n");
}

static enum err_code read_lines(FILE *file, struct totals *totals, struct text *head, long *good,
                                struct err *err) {
    enum err_code code = ERR_OK;
    char *line = NULL;
    size_t cap = 0;
    *good = 0;
    for (ssize_t n = getline(&line, &cap, file); n > 0 && line[n - 1] == '\n' && code == ERR_OK;
         n = getline(&line, &cap, file)) {
        if (*good == 0 && head->len == 0) {
            text_add_bytes(head, line, (size_t)n);
        } else if (*good == 0) {
            code = strcmp(text_get(head), line) == 0
                       ? ERR_OK
                       : err_set(err, ERR_CONFIG, "it is of another sweep: %.*s (not of %.*s)",
                                 (int)n - 1, line, (int)head->len - 1, text_get(head));
        } else {
            code = totals_add(totals, line, (size_t)n - 1, err);
        }
        *good += n;
    }
    free(line);
    return code;
}

enum err_code sweep_read(const char *path, struct totals *totals, struct text *head,
                         struct err *err) {
    struct text own = {0};
    long good = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    enum err_code code = read_lines(file, totals, head == NULL ? &own : head, &good, err);
    fclose(file);
    text_release(&own);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "%s", path);
}

/* Opens the records for appending, behind what an earlier sweep left there. */
static enum err_code open_records(struct sweep *sweep, struct err *err) {
    const char *path = sweep->options->records;
    struct text head = {0};
    long good = 0;
    enum err_code code = ERR_OK;
    print_head(sweep->options, &head);
    FILE *file = fopen(path, "a+");
    if (file == NULL) {
        code = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    } else {
        rewind(file);
        code = read_lines(file, sweep->totals, &head, &good, err);
        sweep->file = dup(fileno(file));
        fclose(file);
    }
    if (code == ERR_OK && (ftruncate(sweep->file, good) != 0 ||
                           (good == 0 && !write_all(sweep->file, text_get(&head), head.len)))) {
        code = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    } else if (code != ERR_OK && file != NULL) {
        code = err_wrap(err, "%s: choose another --out, or remove it", path);
    }
    text_release(&head);
    return code;
}

enum err_code sweep_run(const struct sweep_options *options, struct totals *totals, bool *is_whole,
                        struct err *err) {
    struct sweep sweep = {.options = options, .totals = totals, .next = options->first, .file = -1};
    enum err_code code = ERR_OK;
    size_t busy = 0;
    CHECK(options->jobs >= 1 && options->jobs <= SWEEP_JOBS_MAX && options->shards >= 1);
    signal(SIGPIPE, SIG_IGN);
    if (options->records != NULL) {
        code = open_records(&sweep, err);
    }
    sweep.wanted = count_wanted(&sweep);
    if (code == ERR_OK && options->records != NULL && options->found != NULL) {
        options->found(options->records, totals_count(totals), sweep.wanted);
    }
    do {
        code = code == ERR_OK ? hand_out(&sweep, &busy, err) : code;
        code = code == ERR_OK && busy > 0 ? gather(&sweep, err) : code;
    } while (code == ERR_OK && busy > 0);
    for (size_t i = 0; i < SWEEP_JOBS_MAX; i++) {
        end_worker(&sweep.workers[i], code != ERR_OK);
    }
    if (sweep.file >= 0) {
        close(sweep.file);
    }
    *is_whole = sweep.done == sweep.wanted;
    return code;
}
