/* exhaust.c - the deaths of each effect and their fates, and the pipe on which copies tell. */
#include "scenarios/exhaust.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "scenarios/crew.h"
#include "scenarios/rewind.h"
#include "scenarios/stage_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEN_SLOTS ((size_t)1 << 20)
#define SETTLED_AFTER SPAN_S(90) /* liveness bounds of the judges are 60 s */
/* A fault that would last for hours is over by then, so that a life does not: what a mechanism waits for with
 * patience comes within it. */
#define CALM_AFTER SPAN_S(600)
#define FINDINGS_SHOWN 100
/* A page that comes from the kernel or goes back to it is a fault, and dear: a copy has room at the end of
 * its heap for all that it will want, and keeps it. */
#define ROOM (8 * 1024 * 1024)
#define LARGE_BLOCK (32 * 1024 * 1024)
_Static_assert(EXHAUST_JOBS_MAX <= CREW_MAX, "a job is a worker");
#define FATES_MAX (CRASH_FATES_ALL_MAX + CRASH_FATES_REST)
#define DEATHS_MAX 4       /* at one effect */
#define FATE_UNKNOWN (-1)  /* of a death that is asked of */
#define NAMES_MAX 64       /* of files, that one effect's lives look into */
#define ROUND_OF_ASKING 16 /* more than there are questions */

/* What a copy says: that it works at an EFFECT; of a death, that it is new, and all its fates are tried (WHOLE) or
 * some (DRAWN); what came of a life: JUDGED, EQUAL, CRASHED. A death that is asked of once more may have been
 * WHOLE for want of knowledge (FEWER). */
enum telling {
    TELL_EFFECT,
    TELL_WHOLE,
    TELL_DRAWN,
    TELL_FEWER,
    TELL_JUDGED,
    TELL_EQUAL,
    TELL_CRASHED
};

struct place { /* where a core dies */
    uint64_t effect;
    enum process_site site;
    enum process_moment moment;
    enum fault_flight flight;
    int depth, fate;
};

struct told { /* one atomic write */
    enum telling telling;
    struct place place;
    int count; /* of EQUAL: so many; of JUDGED: maybes */
    bool is_broken;
    char broken[400];
};
_Static_assert(sizeof(struct told) <= PIPE_BUF, "copies write at once: a telling must stay whole");

/* What a copy does at an effect: at first it dies each death and asks what is new about it, then it lives each life
 * that is worth living. Between them it returns to the effect; this it keeps. A life may look into a file of whose
 * name nobody knew that it matters: then all is asked once more, its fates too. */
struct agenda {
    struct place place; /* of what goes on */
    uint64_t names[NAMES_MAX];
    size_t name_count, names_known; /* learnt; of these, when the present round began */
    int64_t round;
    size_t deaths, asked;
    bool is_whole[DEATHS_MAX];
    size_t lives, lived;
    struct life {
        struct place place;
        struct crash_fates fates;
    } life[DEATHS_MAX * FATES_MAX];
};

struct exhaust {
    struct exhaust_options options;
    struct exhaust_report report;
    struct stage *stage;
    struct utc run_ends;        /* the scenario's own */
    struct utc from, until;     /* the window, true time */
    uint64_t *seen;             /* shared by all copies */
    struct rewind_pages *pages; /* likewise */
    int pipe[2];                /* [0]: the first run's alone, -1 in copies */
    struct crew *crew;          /* NULL: the first run */
    int crew_depth;             /* of the run that this crew goes along with */
    int explored_depth;         /* a crew has been there: of this run, -1 for none */
    struct rewind *rewind;      /* to the effect at which this copy works */
    bool is_late;               /* this copy has done its first whole tick since its death */
    struct place
        place; /* of its death; depth 0 in the first run and along with it, 2 in a copy of a copy */
    int64_t breaks[ORACLE_INVARIANT_COUNT]; /* at that death: what broke before is not its doing */
    int64_t maybes;                         /* likewise */
};

struct exhaust *exhaust_create(const struct exhaust_options *options) {
    struct exhaust *exhaust = calloc(1, sizeof *exhaust);
    CHECK(exhaust != NULL && options->jobs >= 1 && options->jobs <= EXHAUST_JOBS_MAX &&
          options->shares >= 1);
    exhaust->options = *options;
    exhaust->explored_depth = -1;
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK);
    exhaust->seen = rewind_keep(SEEN_SLOTS * sizeof exhaust->seen[0]);
    exhaust->pages = rewind_pages_create(options->by_forks);
    CHECK(pipe2(exhaust->pipe, O_CLOEXEC) == 0);
    CHECK(fcntl(exhaust->pipe[0], F_SETFL, O_NONBLOCK) == 0);
    return exhaust;
}

void exhaust_destroy(struct exhaust *exhaust) {
    close(exhaust->pipe[0]);
    close(exhaust->pipe[1]);
    munmap(exhaust->seen, SEEN_SLOTS * sizeof exhaust->seen[0]);
    rewind_pages_destroy(exhaust->pages);
    text_release(&exhaust->report.findings);
    free(exhaust);
}

const struct exhaust_report *exhaust_report(const struct exhaust *exhaust) {
    return &exhaust->report;
}

/* --- telling --- */

static const char *moment_word(const struct place *place) {
    static const char *const flights[] = {"before", "before, lost in flight",
                                          "before, delivered all the same",
                                          "before, delivered late"};
    if (place->moment == PROCESS_AFTER) {
        return "after";
    }
    return flights[place->site == PROCESS_HTTP ? place->flight : FLIGHT_DRAWN];
}

static void print_finding(struct text *out, const struct told *told) {
    text_add(out, out->len == 0 ? "{" : ",{");
    text_member_int(out, "effect", (int64_t)told->place.effect);
    text_member_string(out, "site", told->place.site == PROCESS_HTTP ? "http" : "disk");
    text_member_string(out, "moment", moment_word(&told->place));
    text_member_int(out, "fate", told->place.fate);
    text_member_int(out, "depth", told->place.depth);
    text_member_string(out, "broken", told->broken);
    text_add_char(out, '}');
}

static void book(struct exhaust *exhaust, const struct told *told) {
    struct exhaust_report *report = &exhaust->report;
    report->effects += told->telling == TELL_EFFECT;
    report->deaths += told->telling == TELL_WHOLE || told->telling == TELL_DRAWN;
    report->whole += (told->telling == TELL_WHOLE) - (told->telling == TELL_FEWER);
    report->equal += told->telling == TELL_EQUAL ? told->count : 0;
    report->excused += told->telling == TELL_JUDGED ? told->count : 0;
    report->runs += told->telling == TELL_JUDGED || told->telling == TELL_CRASHED;
    report->crashed += told->telling == TELL_CRASHED;
    report->broken += told->is_broken;
    if (told->is_broken && report->broken <= FINDINGS_SHOWN) {
        print_finding(&report->findings, told);
    }
}

static void send_told(struct exhaust *exhaust, const struct told *told) {
    ssize_t n = 0;
    if (exhaust->crew == NULL) {
        book(exhaust, told);
        return;
    }
    do {
        n = write(exhaust->pipe[1], told, sizeof *told);
    } while (n < 0 && errno == EINTR);
    CHECK(n == (ssize_t)sizeof *told);
}

static void tell_counted(struct exhaust *exhaust, enum telling telling, const struct place *place,
                         const char *broken, int count) {
    struct told told = {
        .telling = telling, .place = *place, .count = count, .is_broken = broken[0] != '\0'};
    snprintf(told.broken, sizeof told.broken, "%s", broken);
    send_told(exhaust, &told);
}

static void tell(struct exhaust *exhaust, enum telling telling, const struct place *place,
                 const char *broken) {
    tell_counted(exhaust, telling, place, broken, 0);
}

static void tell_equal(struct exhaust *exhaust, int count) {
    send_told(exhaust, &(struct told){.telling = TELL_EQUAL, .count = count});
}

static void hear(void *context) {
    struct exhaust *exhaust = context;
    struct told told;
    while (read(exhaust->pipe[0], &told, sizeof told) == (ssize_t)sizeof told) {
        book(exhaust, &told);
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
static bool is_new(struct exhaust *exhaust, int64_t question, uint64_t disk) {
    struct stage *stage = exhaust->stage;
    struct hasher *hasher = hasher_create();
    char text[HASH_TEXT_MAX];
    hasher_add_int(hasher, (int64_t)disk);
    hasher_add_int(hasher, (int64_t)ledger_hash(stage->broker));
    hasher_add_int(hasher, (int64_t)late_queue_count(stage->late));
    hasher_add_int(hasher, virtual_clock_now(stage->clock).ns / NANOS);
    hasher_add_int(hasher, exhaust->place.depth);
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

static struct agenda *agenda_of(const struct exhaust *exhaust) {
    return crew_errand(exhaust->crew);
}

static bool is_new_death(struct exhaust *exhaust, int64_t question) {
    const int64_t round = agenda_of(exhaust)->round;
    return is_new(exhaust, question + round * ROUND_OF_ASKING, sim_disk_hash(exhaust->stage->disk));
}

/* --- copies --- */

/* What ended with this status, and not well. */
static void tell_crash(struct exhaust *exhaust, const struct place *place, int status) {
    char why[64] = "hang";
    if (WIFEXITED(status)) {
        snprintf(why, sizeof why, "the copy ended with %d", WEXITSTATUS(status));
    } else if (WTERMSIG(status) != SIGALRM) {
        snprintf(why, sizeof why, "the copy died of signal %d", WTERMSIG(status));
    }
    tell(exhaust, TELL_CRASHED, place, why);
}

/* What the file says "never" of, it says of its own day, on which nobody dies here: behind the death the
 * judges excuse what they excuse in a sweep, no more. */
static void die_here(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    const struct place *place = &exhaust->place;
    exhaust->is_late = false;
    oracle_breaks(stage->oracle, exhaust->breaks);
    exhaust->maybes = oracle_maybes(stage->oracle);
    oracle_take_unforeseen(stage->oracle);
    stage->end = UTC_NEVER; /* set when the fate is known */
    if (place->site == PROCESS_HTTP && place->moment == PROCESS_DURING) {
        faulty_http_force_flight(stage->core->faulty_http, place->flight);
    }
    process_die_next(&stage->core->process, place->moment);
}

/* The deaths of an effect, in the order in which they are asked of. */
static const struct {
    enum process_moment moment;
    enum fault_flight flight;
} deaths[DEATHS_MAX] = {{PROCESS_BEFORE, FLIGHT_DRAWN}, /* lost in flight too */
                        {PROCESS_AFTER, FLIGHT_DRAWN},
                        {PROCESS_DURING, FLIGHT_DELIVERED},
                        {PROCESS_DURING, FLIGHT_LATE}};

/* The death before an effect was, unless something has changed between, the death after the effect before. */
static void skip_if_known(struct exhaust *exhaust) {
    struct agenda *agenda = agenda_of(exhaust);
    if (agenda->asked == 0 && !is_new_death(exhaust, ASK_DEATH)) {
        tell_equal(exhaust, 1);
        agenda->asked++;
    }
}

static bool is_asked(const struct agenda *agenda) {
    return agenda->asked == agenda->deaths;
}

static bool is_round_over(const struct agenda *agenda) {
    return is_asked(agenda) && agenda->lived == agenda->lives;
}

static bool is_done(const struct agenda *agenda) {
    return is_round_over(agenda) && agenda->names_known == agenda->name_count;
}

/* Within a round nobody learns: what the fates of its lives answer depends on what is asked. */
static void begin_round_if_due(struct agenda *agenda) {
    if (is_round_over(agenda)) {
        agenda->names_known = agenda->name_count;
        agenda->round++;
        agenda->asked = agenda->lives = agenda->lived = 0;
    }
}

static void step_agenda(struct agenda *agenda) {
    CHECK(!is_done(agenda));
    if (agenda->place.fate == FATE_UNKNOWN) {
        agenda->asked++;
    } else {
        agenda->lived++;
    }
}

/* A finding; what is left of the agenda is another's. If nothing is, the run itself ends so, without a death: it comes
 * to that too, and nobody goes along with it any further. */
static bool end_badly(void *context, void *errand, int status) {
    struct agenda *agenda = errand;
    const bool is_of_a_death = !is_done(agenda);
    tell_crash(context, &agenda->place, status);
    if (is_of_a_death) {
        step_agenda(agenda);
    }
    return is_of_a_death;
}

/* The next death to be asked of, or the next life. */
static void take_next(struct exhaust *exhaust) {
    struct agenda *agenda = agenda_of(exhaust);
    alarm(EXHAUST_HANG_S); /* until it is told what came of it */
    exhaust->place = agenda->place;
    sim_disk_know(exhaust->stage->disk, agenda->names, agenda->names_known);
    skip_if_known(exhaust);
    if (!is_asked(agenda)) {
        exhaust->place.fate = FATE_UNKNOWN;
        exhaust->place.moment = deaths[agenda->asked].moment;
        exhaust->place.flight = deaths[agenda->asked].flight;
    } else {
        exhaust->place = agenda->life[agenda->lived].place;
    }
    agenda->place = exhaust->place;
    die_here(exhaust);
}

/* Once for all who work here, however often one is replaced. */
static void begin_here(struct exhaust *exhaust, uint64_t effect, enum process_site site) {
    struct agenda *agenda = agenda_of(exhaust);
    if (agenda->deaths > 0) {
        return;
    }
    crew_wait_turn(exhaust->crew); /* of equal deaths the earliest is explored */
    agenda->place = (struct place){
        .effect = effect, .site = site, .depth = exhaust->place.depth + 1, .fate = FATE_UNKNOWN};
    agenda->deaths = site == PROCESS_HTTP ? DEATHS_MAX : 2;
    if (exhaust->place.depth == 0) {
        tell(exhaust, TELL_EFFECT, &agenda->place, "");
    }
}

/* Returns in who dies here, and when all is done in who goes along. */
static void work_here(struct exhaust *exhaust) {
    struct agenda *agenda = agenda_of(exhaust);
    int status = 0;
    rewind_mark(exhaust->rewind);
    for (;;) {
        if (is_asked(agenda)) {
            crew_pass_turn(exhaust->crew);
        }
        if (is_done(agenda)) {
            return;
        }
        begin_round_if_due(agenda);
        if (rewind_set_out(exhaust->rewind, &status)) {
            take_next(exhaust);
            return;
        }
        if (status != 0) {
            (void)end_badly(exhaust, agenda, status);
        }
    }
}

static bool goes_along(const struct exhaust *exhaust) {
    return exhaust->crew != NULL && exhaust->crew_depth == exhaust->place.depth;
}

/* True in who goes along with this run; in the run itself once it is explored. The jobs are those of the first;
 * along with a copy there is one at a time. */
static bool send_crew(struct exhaust *exhaust) {
    const bool is_first = exhaust->place.depth == 0;
    const struct crew_plan plan = {.size = is_first ? exhaust->options.jobs : 1,
                                   .errand_size = sizeof(struct agenda),
                                   .news = is_first ? exhaust->pipe[0] : -1,
                                   .hear = hear,
                                   .ended_badly = end_badly,
                                   .context = exhaust};
    void *volatile room = malloc(ROOM); /* volatile: else a compiler sees that nobody needs it */
    free(room);
    alarm(0);
    struct crew *crew = crew_work(&plan);
    if (crew == NULL) {
        exhaust->explored_depth = exhaust->place.depth;
        if (!is_first) {
            rewind_has_forked(exhaust->rewind);
            alarm(EXHAUST_HANG_S);
        }
        return false;
    }
    if (is_first) {
        close(exhaust->pipe[0]);
        exhaust->pipe[0] = -1;
        signal(SIGALRM, SIG_DFL);
    }
    exhaust->crew = crew;
    exhaust->crew_depth = exhaust->place.depth;
    exhaust->rewind = rewind_create(exhaust->pages);
    return true;
}

static bool is_explored(const struct exhaust *exhaust, uint64_t effect) {
    const struct stage *stage = exhaust->stage;
    const struct exhaust_options *options = &exhaust->options;
    struct utc now = virtual_clock_now(stage->clock);
    if (exhaust->explored_depth == exhaust->place.depth) {
        return false;
    }
    if (exhaust->place.depth == 0) {
        return !utc_is_before(now, exhaust->from) && utc_is_before(now, exhaust->until) &&
               effect % (uint64_t)options->shares == (uint64_t)options->share;
    }
    return exhaust->place.depth < options->depth && exhaust->place.fate == 0 && !exhaust->is_late &&
           stage->core->process.life > 1 && !process_is_dead(&stage->core->process);
}

void exhaust_at_effect(struct exhaust *exhaust, enum process_site site) {
    const uint64_t effect = exhaust->stage->core->process.effects_ever + 1;
    if (!is_explored(exhaust, effect) || (!goes_along(exhaust) && !send_crew(exhaust))) {
        return;
    }
    alarm(0); /* those that it waits for may hang */
    if (crew_takes(exhaust->crew, (int64_t)effect)) {
        begin_here(exhaust, effect, site);
        work_here(exhaust);
    }
    if (goes_along(exhaust)) {
        alarm(EXHAUST_HANG_S); /* until the next effect */
    }
}

/* --- the fate of what was un-synced --- */

static int64_t question_of(const struct place *place) {
    return place->moment == PROCESS_DURING ? ASK_FLIGHT + (int64_t)place->flight : ASK_DEATH;
}

/* It waits for its effect, whenever that comes, and a process that stands still is not judged. */
static bool will_stand_still(const struct stage *stage, const struct fault *fault) {
    return (fault->point == POINT_PROCESS_HANG || fault->point == POINT_PROCESS_PAUSE) &&
           plan_point_fired(stage->plan, fault->point) == 0;
}

/* The end of a fault, and of what it put off; one without an end of its own that still waits is met once the
 * core is up, at the latest for as long as it lasts. */
static struct utc over_at(const struct stage *stage, const struct fault *fault, struct utc up) {
    const struct utc from = plan_from(stage->plan, fault);
    const struct utc last = fault->has_until ? plan_until(stage->plan, fault)
                            : will_stand_still(stage, fault)
                                ? utc_add(utc_max(from, up), SETTLED_AFTER)
                                : from;
    return utc_add(last, fault->delay);
}

/* What begins before the end puts it off until it is over; true if it did. */
static bool put_off(struct utc *end, struct utc from, struct utc over) {
    bool is_later = utc_is_before(from, *end) && utc_is_before(*end, over);
    *end = is_later ? over : *end;
    return is_later;
}

/* A while behind the death and the start that follows, and behind every fault that is at work until then:
 * what is still broken cannot be judged as healed. A later fault is at work too if it begins before the
 * end. Beyond the run, which ends behind a close, for no longer than the while. */
static struct utc settled_at(const struct exhaust *exhaust, struct utc up) {
    const struct stage *stage = exhaust->stage;
    const struct utc last = utc_max(exhaust->run_ends, utc_add(up, SETTLED_AFTER));
    struct utc end = utc_add(up, SETTLED_AFTER);
    bool is_longer = true;
    while (is_longer) {
        is_longer = false;
        for (size_t i = 0; i < plan_count(stage->plan); i++) {
            const struct fault *fault = plan_fault(stage->plan, i);
            const struct utc over = utc_add(over_at(stage, fault, up), SETTLED_AFTER);
            is_longer |= put_off(&end, plan_from(stage->plan, fault), over);
        }
        for (size_t i = 0; i < stage->due_count; i++) { /* an operator may kill the core too */
            const struct utc at = stage->due[i].at;
            const struct utc over = utc_add(utc_add(at, stage_restart_delay(stage)), SETTLED_AFTER);
            is_longer |= put_off(&end, at, over);
        }
    }
    return utc_min(end, last);
}

/* The disk meets its fate; the rest of the life behind it is the copy's to live. */
static void meet(struct exhaust *exhaust, struct crash_fates *fates) {
    struct stage *stage = exhaust->stage;
    crash_fates_again(fates);
    sim_disk_crash(stage->disk, &fates->source);
    const struct utc up = utc_add(virtual_clock_now(stage->clock), stage_restart_delay(stage));
    plan_calm(stage->plan, utc_add(up, CALM_AFTER));
    stage->end = settled_at(exhaust, up);
}

struct tried { /* of one death: what its fates leave of all that anybody may see */
    uint64_t known[FATES_MAX];
    size_t count;
};

/* Fates that differ in nothing but what nobody may see are tried CRASH_FATES_REST times. */
static bool is_worth_it(struct exhaust *exhaust, struct tried *tried, struct crash_fates *fates) {
    const struct disk_hashes hashes = sim_disk_hashes_after(exhaust->stage->disk, &fates->source);
    bool is_tried = false;
    for (size_t i = 0; i < tried->count && fates->index >= CRASH_FATES_REST; i++) {
        is_tried |= tried->known[i] == hashes.known;
    }
    CHECK(tried->count < sizeof tried->known / sizeof tried->known[0]);
    tried->known[tried->count++] = hashes.known;
    return !is_tried && is_new(exhaust, ASK_FATE, hashes.all);
}

/* The fates that leave something new go onto the agenda; returns how many do not. */
static int find_fates(struct exhaust *exhaust, struct crash_fates *fates) {
    struct agenda *agenda = agenda_of(exhaust);
    struct tried tried = {.count = 0};
    int equal = 0;
    do {
        if (is_worth_it(exhaust, &tried, fates)) {
            struct life *life = &agenda->life[agenda->lives++];
            *life = (struct life){exhaust->place, *fates};
            life->place.fate = (int)fates->index;
        } else {
            equal++;
        }
    } while (crash_fates_next(fates));
    return equal;
}

static void tell_death(struct exhaust *exhaust, bool is_whole) {
    struct agenda *agenda = agenda_of(exhaust);
    bool *was_whole = &agenda->is_whole[agenda->asked];
    if (agenda->round == 0) {
        tell(exhaust, is_whole ? TELL_WHOLE : TELL_DRAWN, &exhaust->place, "");
        *was_whole = is_whole;
    } else if (*was_whole && !is_whole) {
        tell(exhaust, TELL_FEWER, &exhaust->place, "");
        *was_whole = false;
    }
}

/* What a death here would leave, if that is new; nobody lives on. */
_Noreturn static void ask(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    const struct place *place = &exhaust->place;
    alarm(0);
    if (place->moment != PROCESS_BEFORE && !is_new_death(exhaust, question_of(place))) {
        tell_equal(exhaust, 1);
    } else {
        struct crash_fates fates =
            sim_disk_fates(stage->disk, stage->scenario->seed, place->effect);
        tell_death(exhaust, fates.is_all);
        const int equal = find_fates(exhaust, &fates);
        tell_equal(exhaust, equal);
    }
    step_agenda(agenda_of(exhaust));
    rewind_back(exhaust->rewind);
}

void exhaust_process_died(struct exhaust *exhaust) {
    if (exhaust->place.depth == 0 || exhaust->stage->end.ns != UTC_NEVER.ns) {
        return; /* a death of the scenario's own */
    }
    if (exhaust->place.fate == FATE_UNKNOWN) {
        ask(exhaust);
    }
    struct agenda *agenda = agenda_of(exhaust);
    meet(exhaust, &agenda->life[agenda->lived].fates);
}

/* --- the stage's calls --- */

void exhaust_begin(struct exhaust *exhaust, struct stage *stage) {
    const struct scenario *scenario = stage->scenario;
    exhaust->stage = stage;
    exhaust->from = stage_when(stage, &scenario->window, stage->start);
    exhaust->until = utc_add(exhaust->from, scenario->window_length);
    exhaust->run_ends = stage->end;
    stage->end = utc_min(exhaust->until, stage->end);
}

bool exhaust_is_copy(const struct exhaust *exhaust) {
    return exhaust != NULL && exhaust->place.depth > 0;
}

void exhaust_ticked(struct exhaust *exhaust) {
    struct stage *stage = exhaust->stage;
    if (exhaust->place.depth == 0 || exhaust->is_late || process_is_dead(&stage->core->process)) {
        return;
    }
    if (goes_along(exhaust)) {
        crew_over(exhaust->crew); /* recovered: no more deaths */
    }
    exhaust->is_late = true;
    if (exhaust->options.to_first_tick) {
        exhaust_end(exhaust);
    }
}

static bool has_name(const struct agenda *agenda, uint64_t name) {
    for (size_t i = 0; i < agenda->name_count; i++) {
        if (agenda->names[i] == name) {
            return true;
        }
    }
    return false;
}

/* The names that this life looked into unforeseen: false where they have no room. */
static bool learn(struct exhaust *exhaust) {
    struct agenda *agenda = agenda_of(exhaust);
    uint64_t names[NAMES_MAX];
    const size_t count = sim_disk_surprises(exhaust->stage->disk, names, NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (has_name(agenda, names[i])) {
            continue;
        }
        if (agenda->name_count == NAMES_MAX) {
            return false;
        }
        agenda->names[agenda->name_count++] = names[i];
    }
    return true;
}

void exhaust_end(struct exhaust *exhaust) {
    struct text lines = {0};
    if (goes_along(exhaust)) {
        crew_over(exhaust->crew);
    }
    if (exhaust->place.depth == 0) {
        return;
    }
    alarm(0);
    oracle_print_broken_since(exhaust->stage->oracle, exhaust->breaks, &lines);
    if (!learn(exhaust)) {
        text_add(&lines, "exhaust: a file was read whose fates had not all been tried\n");
    }
    const int64_t excused = oracle_maybes(exhaust->stage->oracle) - exhaust->maybes;
    tell_counted(exhaust, TELL_JUDGED, &exhaust->place, text_get(&lines), (int)excused);
    step_agenda(agenda_of(exhaust)); /* of a death, if the run was over before it came to that */
    rewind_back(exhaust->rewind);
}
