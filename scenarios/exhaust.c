/* exhaust.c - forks, fates, and the pipe on which copies tell what came of them. */
#include "scenarios/exhaust.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "scenarios/stage_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEN_SLOTS ((size_t)1 << 20)
#define SETTLED_AFTER SPAN_S(90) /* liveness bounds of the judges are 60 s */
#define FINDINGS_SHOWN 100

enum telling { TELL_JUDGED, TELL_EQUAL, TELL_CRASHED };

struct told { /* one atomic write: below PIPE_BUF */
    enum telling telling;
    uint64_t effect;
    int site, moment, flight, fate, depth;
    bool is_broken;
    char broken[400];
};

struct place { /* where a copy dies */
    uint64_t effect;
    enum process_site site;
    enum process_moment moment;
    enum fault_flight flight;
};

struct exhaust {
    struct exhaust_options options;
    struct exhaust_report report;
    struct stage *stage;
    struct utc from, until; /* the window, true time */
    uint64_t *seen;         /* shared by all copies */
    int pipe[2];
    int running;  /* copies not yet waited for */
    int depth;    /* 0 in the first run, 1 in a copy, 2 in a copy of a copy */
    bool is_late; /* this copy has done its first whole tick since its death */
    struct place place;
    int fate;
    size_t broken_before; /* lines of the judges that are older than the death */
};

struct exhaust *exhaust_create(const struct exhaust_options *options) {
    struct exhaust *exhaust = calloc(1, sizeof *exhaust);
    CHECK(exhaust != NULL && options->jobs >= 1 && options->shares >= 1);
    exhaust->options = *options;
    exhaust->seen = mmap(NULL, SEEN_SLOTS * sizeof exhaust->seen[0], PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(exhaust->seen != MAP_FAILED);
    CHECK(pipe2(exhaust->pipe, O_CLOEXEC) == 0);
    CHECK(fcntl(exhaust->pipe[0], F_SETFL, O_NONBLOCK) == 0);
    return exhaust;
}

void exhaust_destroy(struct exhaust *exhaust) {
    close(exhaust->pipe[0]);
    close(exhaust->pipe[1]);
    munmap(exhaust->seen, SEEN_SLOTS * sizeof exhaust->seen[0]);
    text_release(&exhaust->report.findings);
    free(exhaust);
}

const struct exhaust_report *exhaust_report(const struct exhaust *exhaust) {
    return &exhaust->report;
}

/* --- telling --- */

static void tell(struct exhaust *exhaust, enum telling telling, const char *broken) {
    struct told told = {.telling = telling,
                        .effect = exhaust->place.effect,
                        .site = exhaust->place.site,
                        .moment = exhaust->place.moment,
                        .flight = exhaust->place.flight,
                        .fate = exhaust->fate,
                        .depth = exhaust->depth,
                        .is_broken = telling == TELL_CRASHED || broken[0] != '\0'};
    snprintf(told.broken, sizeof told.broken, "%s", broken);
    while (write(exhaust->pipe[1], &told, sizeof told) < 0 && errno == EINTR) {
    }
}

static const char *moment_word(const struct told *told) {
    static const char *const flights[] = {"before", "before, lost in flight",
                                          "before, delivered all the same",
                                          "before, delivered late"};
    if (told->moment == PROCESS_AFTER) {
        return "after";
    }
    return flights[told->site == PROCESS_HTTP ? told->flight : 0];
}

static void print_finding(struct text *out, const struct told *told) {
    text_add(out, out->len == 0 ? "{" : ",{");
    text_member_int(out, "effect", (int64_t)told->effect);
    text_member_string(out, "site", told->site == PROCESS_HTTP ? "http" : "disk");
    text_member_string(out, "moment", moment_word(told));
    text_member_int(out, "fate", told->fate);
    text_member_int(out, "depth", told->depth);
    text_member_string(out, "broken", told->broken);
    text_add_char(out, '}');
}

static void hear(struct exhaust *exhaust) {
    struct told told;
    for (ssize_t n = read(exhaust->pipe[0], &told, sizeof told); n == (ssize_t)sizeof told;
         n = read(exhaust->pipe[0], &told, sizeof told)) {
        exhaust->report.equal += told.telling == TELL_EQUAL;
        exhaust->report.runs += told.telling != TELL_EQUAL;
        exhaust->report.crashed += told.telling == TELL_CRASHED;
        exhaust->report.broken += told.is_broken;
        if (told.is_broken && exhaust->report.broken <= FINDINGS_SHOWN) {
            print_finding(&exhaust->report.findings, &told);
        }
    }
}

/* --- states that were judged already, shared by all copies --- */

static uint64_t ledger_hash(const struct broker *broker) {
    uint64_t hash = hash64(&(int64_t){broker_cash(broker).nanos}, sizeof(int64_t), 0);
    for (size_t i = 0; i < broker_order_count(broker); i++) {
        struct ledger_order order;
        broker_order_at(broker, i, &order);
        hash = hash64(order.client_id, strlen(order.client_id), hash);
        hash = hash64(&(int64_t){order.filled_qty.nanos}, sizeof(int64_t), hash);
        hash = hash64(order.status, strlen(order.status), hash);
    }
    return hash;
}

/* What is asked about a state: what follows from a death here with nothing in flight, with a request that
 * arrives (ASK_FLIGHT + how), or from what a fate has left. */
enum { ASK_DEATH, ASK_FATE, ASK_FLIGHT };

/* True if nobody has asked this in this state: marks it. */
static bool is_new(struct exhaust *exhaust, int64_t question) {
    struct stage *stage = exhaust->stage;
    struct hasher *hasher = hasher_create();
    char text[HASH_TEXT_MAX];
    hasher_add_int(hasher, (int64_t)sim_disk_hash(stage->disk));
    hasher_add_int(hasher, (int64_t)ledger_hash(stage->broker));
    hasher_add_int(hasher, (int64_t)late_queue_count(stage->late));
    hasher_add_int(hasher, virtual_clock_now(stage->clock).ns / NANOS);
    hasher_add_int(hasher, exhaust->depth);
    hasher_add_int(hasher, question);
    hasher_print(hasher, text);
    hasher_destroy(hasher);
    uint64_t key = hash64(text, strlen(text), 0) | 1;
    for (size_t i = 0; i < 64; i++) {
        uint64_t *slot = &exhaust->seen[(key + i) % SEEN_SLOTS];
        uint64_t empty = 0;
        if (__atomic_compare_exchange_n(slot, &empty, key, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return true;
        }
        if (empty == key) {
            return false;
        }
    }
    return true; /* crowded: judge it again */
}

/* --- copies --- */

static void wait_for_one(struct exhaust *exhaust) {
    int status = 0;
    pid_t pid = wait(&status);
    if (pid < 0 && errno == EINTR) {
        return;
    }
    exhaust->running--;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        tell(exhaust, TELL_CRASHED, "the copy took its process along");
    }
    if (exhaust->depth == 0) {
        hear(exhaust);
    }
}

static void wait_until_running(struct exhaust *exhaust, int most) {
    while (exhaust->running > most) {
        wait_for_one(exhaust);
    }
}

/* True in the copy. In a copy of its own, only one runs at a time: the jobs are those of the first. */
static bool fork_copy(struct exhaust *exhaust) {
    wait_until_running(exhaust, exhaust->depth == 0 ? exhaust->options.jobs - 1 : 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0) {
        exhaust->running++;
        return false;
    }
    exhaust->running = 0;
    return true;
}

static void die_here(struct exhaust *exhaust, const struct place *place) {
    struct stage *stage = exhaust->stage;
    exhaust->depth++;
    exhaust->place = *place;
    exhaust->is_late = false;
    exhaust->broken_before = oracle_broken(stage->oracle, NULL, 0);
    stage->end = UTC_NEVER; /* set when the fate is known */
    if (place->site == PROCESS_HTTP && place->moment == PROCESS_DURING) {
        faulty_http_force_flight(stage->faulty_http, place->flight);
    }
    process_die_at_effect(&stage->process, stage->process.effects + 1, place->moment);
}

static bool is_explored(const struct exhaust *exhaust) {
    const struct stage *stage = exhaust->stage;
    struct utc now = virtual_clock_now(stage->clock);
    if (exhaust->depth == 0) {
        return !utc_is_before(now, exhaust->from) && utc_is_before(now, exhaust->until);
    }
    return exhaust->depth < exhaust->options.depth && exhaust->fate == 0 && !exhaust->is_late &&
           stage->process.life > 1 && !process_is_dead(&stage->process);
}

/* Called by the process before each effect of the core. */
static void at_effect(void *context, enum process_site site) {
    struct exhaust *exhaust = context;
    static const struct {
        enum process_moment moment;
        enum fault_flight flight;
    } deaths[] = {{PROCESS_BEFORE, FLIGHT_DRAWN},
                  {PROCESS_AFTER, FLIGHT_DRAWN},
                  {PROCESS_DURING, FLIGHT_DELIVERED},
                  {PROCESS_DURING, FLIGHT_LATE}};
    size_t count = site == PROCESS_HTTP ? 4 : 2; /* before is lost in flight too */
    uint64_t effect = exhaust->stage->process.effects_ever + 1;
    if (!is_explored(exhaust) ||
        (exhaust->depth == 0 &&
         effect % (uint64_t)exhaust->options.shares != (uint64_t)exhaust->options.share)) {
        return;
    }
    exhaust->report.effects++;
    for (size_t i = 0; i < count; i++) {
        const struct place place = {effect, site, deaths[i].moment, deaths[i].flight};
        if (deaths[i].moment == PROCESS_BEFORE && !is_new(exhaust, ASK_DEATH)) {
            exhaust->report.equal++; /* it was the death after the effect before */
            continue;
        }
        if (fork_copy(exhaust)) {
            die_here(exhaust, &place);
            return;
        }
    }
    if (exhaust->depth > 0) {
        wait_until_running(exhaust, 0);
    }
}

/* --- the fate of what was un-synced --- */

static void live_on(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    if (!is_new(exhaust, ASK_FATE)) {
        tell(exhaust, TELL_EQUAL, "");
        _exit(0);
    }
    stage->end = utc_add(virtual_clock_now(stage->clock), SETTLED_AFTER);
}

static int64_t question_of(const struct place *place) {
    return place->moment == PROCESS_DURING ? ASK_FLIGHT + (int64_t)place->flight : ASK_DEATH;
}

/* The copy that died divides once more: one for each fate of the disk. Only those come back. */
void exhaust_process_died(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    if (exhaust->depth == 0 || stage->end.ns != UTC_NEVER.ns) {
        return; /* a death of the scenario's own */
    }
    if (exhaust->place.moment != PROCESS_BEFORE && !is_new(exhaust, question_of(&exhaust->place))) {
        tell(exhaust, TELL_EQUAL, "");
        _exit(0);
    }
    struct crash_fates fates =
        crash_fates(stage->scenario->seed, exhaust->place.effect, sim_disk_pending(stage->disk));
    exhaust->fate = 0;
    do {
        sim_disk_ask(stage->disk, &fates.source);
        wait_until_running(exhaust, 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            exhaust->running = 0;
            crash_fates_again(&fates);
            sim_disk_crash(stage->disk, &fates.source);
            live_on(exhaust);
            return;
        }
        exhaust->running++;
        exhaust->fate++;
    } while (crash_fates_next(&fates));
    wait_until_running(exhaust, 0);
    _exit(0);
}

/* --- the stage's calls --- */

void exhaust_begin(struct exhaust *exhaust, struct stage *stage) {
    const struct scenario *scenario = stage->scenario;
    exhaust->stage = stage;
    exhaust->from = stage_when(stage, &scenario->window, stage->start);
    exhaust->until = utc_add(exhaust->from, scenario->window_length);
    stage->end = utc_is_before(exhaust->until, stage->end) ? exhaust->until : stage->end;
    stage->process.at_effect = at_effect;
    stage->process.at_effect_context = exhaust;
}

void exhaust_ticked(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    if (exhaust->depth == 0 || exhaust->is_late || process_is_dead(&stage->process)) {
        return;
    }
    exhaust->is_late = true;
    if (exhaust->options.to_first_tick) {
        exhaust_end(exhaust);
    }
}

/* The judges' lines that are newer than the death. */
void exhaust_end(struct exhaust *exhaust) {
    struct text lines = {0};
    if (exhaust->depth == 0) {
        wait_until_running(exhaust, 0);
        hear(exhaust);
        return;
    }
    if (oracle_broken(exhaust->stage->oracle, NULL, 0) > exhaust->broken_before) {
        oracle_print_broken(exhaust->stage->oracle, &lines);
    }
    tell(exhaust, TELL_JUDGED, text_get(&lines));
    _exit(0);
}
