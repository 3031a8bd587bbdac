/* crew.c - who works where, in memory that all share, and the one that waits for them. */
#include "scenarios/crew.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "scenarios/rewind.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AT_TURN_NS 200000

struct worker {
    int64_t place; /* the last that it has taken */
    int64_t after; /* the last that anybody had taken then */
    bool is_over;
};

struct shared {
    int64_t taken, turn; /* the last place that was taken; the last whose turn was passed on */
    struct worker workers[CREW_MAX];
    char errands[]; /* errand_size each */
};

struct crew { /* each process its own */
    struct crew_plan plan;
    struct shared *shared;
    int self; /* of a worker: its number */
    bool is_given_up;
};

static void *errand_of(const struct crew *crew, int i) {
    return crew->shared->errands + (size_t)i * crew->plan.errand_size;
}

void *crew_errand(const struct crew *crew) {
    return errand_of(crew, crew->self);
}

/* --- a worker --- */

static struct worker *worker_of(const struct crew *crew) {
    return &crew->shared->workers[crew->self];
}

bool crew_takes(struct crew *crew, int64_t place) {
    struct worker *worker = worker_of(crew);
    int64_t taken = __atomic_load_n(&crew->shared->taken, __ATOMIC_SEQ_CST);
    if (worker->place == place) {
        return true; /* begun by one that this one replaces */
    }
    while (taken < place) {
        if (__atomic_compare_exchange_n(&crew->shared->taken, &taken, place, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            memset(crew_errand(crew), 0, crew->plan.errand_size);
            *worker = (struct worker){.place = place, .after = taken};
            return true;
        }
    }
    return false;
}

void crew_wait_turn(const struct crew *crew) {
    const int64_t after = worker_of(crew)->after;
    while (__atomic_load_n(&crew->shared->turn, __ATOMIC_SEQ_CST) < after) {
        (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_AT_TURN_NS}, NULL);
    }
}

void crew_pass_turn(struct crew *crew) {
    const struct worker *worker = worker_of(crew);
    int64_t before = worker->after;
    (void)__atomic_compare_exchange_n(&crew->shared->turn, &before, worker->place, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void crew_over(struct crew *crew) {
    worker_of(crew)->is_over = true;
    _exit(0);
}

/* --- who waits for them --- */

struct running {
    pid_t pid;     /* 0: over */
    int end;       /* readable when it has ended */
    uint64_t work; /* what had been done when it was set to work */
};

static uint64_t work_of(const struct crew *crew, int i) {
    const int64_t place = crew->shared->workers[i].place;
    return hash64(errand_of(crew, i), crew->plan.errand_size, (uint64_t)place);
}

/* True in the copy. */
static bool set_to_work(struct crew *crew, int i, struct running *running) {
    const uint64_t work = work_of(crew, i);
    const pid_t pid = rewind_fork();
    if (pid != 0) {
        *running = (struct running){pid, pidfd_open(pid, 0), work};
        CHECK(running->end >= 0);
        return false;
    }
    crew->self = i;
    return true;
}

/* Until one says something or has ended. */
static void wait_for_news(const struct crew *crew, const struct running *running) {
    struct pollfd news[CREW_MAX + 1];
    const int count = crew->plan.size;
    for (int i = 0; i < count; i++) { /* poll() ignores what is below 0 */
        const int end = running[i].pid == 0 ? -1 : running[i].end;
        news[i] = (struct pollfd){.fd = end, .events = POLLIN};
    }
    news[count] = (struct pollfd){.fd = crew->plan.news, .events = POLLIN};
    (void)poll(news, (nfds_t)count + 1, -1);
}

static void hear(const struct crew *crew) {
    if (crew->plan.news >= 0) {
        crew->plan.hear(crew->plan.context);
    }
}

static bool has_ended(struct running *running, int *status) {
    const pid_t pid = running->pid == 0 ? 0 : waitpid(running->pid, status, WNOHANG);
    CHECK(pid >= 0 || errno == EINTR);
    if (pid <= 0) {
        return false;
    }
    close(running->end);
    running->pid = 0;
    return true;
}

/* What it has said belongs to it, and is heard before it is replaced. True in a copy. */
static bool look_at(struct crew *crew, int i, struct running *running) {
    int status = 0;
    if (!has_ended(running, &status)) {
        return false;
    }
    hear(crew);
    if (status != 0) {
        crew->is_given_up |=
            !crew->plan.ended_badly(crew->plan.context, errand_of(crew, i), status);
    }
    if (crew->is_given_up || crew->shared->workers[i].is_over) {
        return false;
    }
    CHECK(work_of(crew, i) != running->work); /* else it would go on for ever */
    return set_to_work(crew, i, running);
}

static bool are_all_over(const struct crew *crew, const struct running *running) {
    int over = 0;
    for (int i = 0; i < crew->plan.size; i++) {
        over += running[i].pid == 0;
    }
    return over == crew->plan.size;
}

static void end_all(struct crew *crew, struct running *running) {
    for (int i = 0; i < crew->plan.size; i++) {
        if (running[i].pid != 0) {
            (void)kill(running[i].pid, SIGKILL);
            (void)waitpid(running[i].pid, NULL, 0);
            close(running[i].end);
        }
    }
    hear(crew);
}

/* The one reader of the news never stands in a wait for one of them: who finds its pipe full does not end.
 * True in a copy. */
static bool wait_for_all(struct crew *crew, struct running *running) {
    while (!are_all_over(crew, running) && !crew->is_given_up) {
        wait_for_news(crew, running);
        hear(crew);
        for (int i = 0; i < crew->plan.size; i++) {
            if (look_at(crew, i, &running[i])) {
                return true;
            }
        }
    }
    end_all(crew, running);
    return false;
}

struct crew *crew_work(const struct crew_plan *plan) {
    struct running running[CREW_MAX] = {{0}};
    CHECK(plan->size >= 1 && plan->size <= CREW_MAX);
    const size_t size = sizeof(struct shared) + (size_t)plan->size * plan->errand_size;
    struct crew *crew = calloc(1, sizeof *crew);
    CHECK(crew != NULL);
    *crew = (struct crew){.plan = *plan, .shared = rewind_keep(size)};
    for (int i = 0; i < plan->size; i++) {
        if (set_to_work(crew, i, &running[i])) {
            return crew;
        }
    }
    if (wait_for_all(crew, running)) {
        return crew;
    }
    CHECK(munmap(crew->shared, size) == 0);
    free(crew);
    return NULL;
}
