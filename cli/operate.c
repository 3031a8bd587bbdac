/* operate.c - freeze, resume, kill, flatten: the operator's commands.
 *
 * Each is first left in the inbox: a running core takes it at its next look, a hung one before its next
 * effect, a dead one at its next start. Then, where that is not enough:
 *
 * core    | freeze       | resume           | kill                      | flatten
 * running | taken        | taken            | taken                     | taken
 * hung    | binds on     | waits            | after 15 s entries are    | after 15 s entries are cancelled,
 *         | waking       |                  | cancelled here; it binds  | then the lease is taken and the
 *         |              |                  | the core on waking        | exits are done here
 * dead    | binds at the | lease taken and  | lease taken and           | lease taken and done here
 *         | next start   | done here        | done here                 |
 *
 * Two writers: beside a hung core, kill takes neither lease nor journal and only cancels entries, which
 * the core may do at the same time. Flatten sells, so it must be the one writer: it raises the lease's
 * epoch, and the core, whenever it wakes, finds that at its next send or cancel and leaves with 6. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "core/engine/stand_in.h"
#include "core/live/clock_system.h"
#include "core/state/inbox.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTCOME_WITHIN SPAN_S(5) /* of being taken: the core shows its view at once */
#define REACH_WITHIN SPAN_S(20)  /* until the broker must have answered */
#define REACH_AGAIN SPAN_S(2)
#define TELL_EVERY SPAN_S(10)
#define VIEW_MAX ((size_t)4 << 20)
#define TAKEN_WITHIN SPAN_S(2)  /* freeze and resume need no more than to lie there */
#define REST_OF_WAIT SPAN_S(13) /* kill and flatten: 15 s in all, then the core counts as hung */
/* With the 15 s before it as long as a request of the hung core may take to arrive (30 s), and its
 * deadline (5 s). */
#define LATE_WITHIN SPAN_S(20)
#define CLEAR_FOR SPAN_S(2)
#define ACT_WITHIN SPAN_S(90)
#define ACT_TICKS_MIN 3

struct operation {
    const char *command;
    enum inbox_verb verb;
    const char *word; /* cause or symbol, "" for none */
    const char *by, *why;
    struct real_options real;
    bool is_halt, is_new;
    char file[DISK_NAME_MAX];   /* of the command in the inbox */
    bool is_refused;            /* by who took it */
    char trouble[ERR_TEXT_MAX]; /* the broker's, "" for none */
};

static bool is_taken(struct world *world, const struct operation *operation) {
    bool is_waiting = true;
    return inbox_is_waiting(world, operation->file, &is_waiting, NULL) == ERR_OK && !is_waiting;
}

/* Waits for a living core to take the command. */
static bool wait_until_taken(struct world *world, const struct operation *operation,
                             struct span within) {
    struct mono start = clock_mono(world->clock);
    while (mono_sub(clock_mono(world->clock), start).ns < within.ns &&
           host_poll(world->host) != HOST_TERMINATE) {
        if (is_taken(world, operation)) {
            return true;
        }
        clock_sleep(world->clock, SPAN_MS(50));
    }
    return false;
}

/* --- what the view says --- */

/* The view as a tree of the caller's, or NULL. */
static cJSON *read_view(struct world *world) {
    struct text view = {0};
    cJSON *tree = NULL;
    if (state_file_read(world->disk, "view.json", VIEW_MAX, &view, NULL) == ERR_OK) {
        (void)!json_parse(text_get(&view), view.len, &tree, NULL);
    }
    text_release(&view);
    return tree;
}

/* Items of a list whose member is the word; all of them for "". */
static int count_items(const cJSON *view, const char *list, const char *key, const char *word) {
    int count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(view, list)) {
        const cJSON *member = json_member(item, key);
        count +=
            word[0] == '\0' || (cJSON_IsString(member) && strcmp(member->valuestring, word) == 0);
    }
    return count;
}

/* Taken; after a kill or flatten no live entry, after a flatten no position that was meant. */
static bool is_done(struct world *world, const struct operation *operation) {
    cJSON *view = read_view(world);
    bool is_flatten = operation->verb == INBOX_FLATTEN;
    int entries = count_items(view, "orders", "purpose", "entry");
    int positions = count_items(view, "positions", "symbol", operation->word);
    bool is_over =
        view != NULL && is_taken(world, operation) && !cJSON_IsTrue(json_member(view, "killing")) &&
        (entries == 0 || operation->verb == INBOX_RESUME) && (positions == 0 || !is_flatten);
    cJSON_Delete(view);
    return is_over;
}

/* --- what became of the command --- */

static void print_latched(const cJSON *view) {
    const cJSON *item = NULL;
    int count = 0;
    cJSON_ArrayForEach(item, json_member(view, "causes")) {
        if (cJSON_IsTrue(json_member(item, "latched"))) {
            fprintf(stderr, "%s %s", count++ == 0 ? "; latched:" : ",", item->string);
        }
    }
    fprintf(stderr, "%s\n", count == 0 ? "; nothing is latched" : "");
}

static void print_held(const cJSON *view) {
    const cJSON *item = NULL;
    int count = 0;
    cJSON_ArrayForEach(item, json_member(view, "positions")) {
        const cJSON *symbol = json_member(item, "symbol");
        fprintf(stderr, "%s %s", count++ == 0 ? "; held:" : ",",
                cJSON_IsString(symbol) ? symbol->valuestring : "?");
    }
    fprintf(stderr, "%s\n", count == 0 ? "; nothing is held" : "");
}

/* The answer to our command in a view, or NULL. */
static const char *find_answer(const cJSON *view, const char *file) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(view, "answers")) {
        const cJSON *name = json_member(item, "file");
        const cJSON *outcome = json_member(item, "outcome");
        if (cJSON_IsString(name) && cJSON_IsString(outcome) &&
            strcmp(name->valuestring, file) == 0) {
            return outcome->valuestring;
        }
    }
    return NULL;
}

/* True if the core, or we in its place, said no: told then, with what there is to choose from. */
static bool is_answer_no(const struct operation *operation, const cJSON *view,
                         const char *outcome) {
    bool is_resume = operation->verb == INBOX_RESUME;
    if (is_resume ? strcmp(outcome, "resumed") == 0 : strncmp(outcome, "refused", 7) != 0) {
        return false;
    }
    fprintf(stderr, "seatrial: %s: %s", operation->command, outcome);
    (is_resume ? print_latched : print_held)(view);
    return true;
}

/* Of a command that was taken: waits for what became of it, and tells it. */
static enum err_code tell_taken(struct real_world *real, struct operation *operation,
                                const char *by, struct err *err) {
    struct clock *clock = clock_system_seam(real->clock);
    struct mono start = clock_mono(clock);
    for (;;) {
        cJSON *view = read_view(&real->world);
        const char *outcome = find_answer(view, operation->file);
        if (outcome != NULL) {
            operation->is_refused = is_answer_no(operation, view, outcome);
            if (!operation->is_refused) {
                printf("%s: taken%s: %s\n", operation->command, by, outcome);
            }
        }
        cJSON_Delete(view);
        if (outcome != NULL) {
            return ERR_OK;
        }
        if (mono_sub(clock_mono(clock), start).ns >= OUTCOME_WITHIN.ns) {
            bool is_stop = operation->verb == INBOX_FREEZE || operation->verb == INBOX_KILL;
            printf("%s: taken%s\n", operation->command, by);
            return is_stop ? ERR_OK /* it binds, whatever the view says */
                           : err_set(err, ERR_UNKNOWN,
                                     "%s: what became of it is not shown: see status and log.jsonl",
                                     operation->command);
        }
        clock_sleep(clock, SPAN_MS(50));
    }
}

/* --- acting without the core --- */

static void note_trouble(void *context, const char *trouble) {
    struct operation *operation = context;
    snprintf(operation->trouble, sizeof operation->trouble, "%s", trouble);
    fprintf(stderr, "%s: broker: %s\n", operation->command,
            trouble[0] == '\0' ? "answers again" : trouble);
}

static struct engine_options stand_in_options(struct real_world *real,
                                              struct operation *operation) {
    return (struct engine_options){.world = &real->world,
                                   .config = &real->config,
                                   .mode = ENGINE_PAPER,
                                   .scope = ENGINE_SCOPE_REDUCE,
                                   .key_id = real->credentials.key_id,
                                   .secret = real->credentials.secret,
                                   .build = cli_build(),
                                   .tell = note_trouble,
                                   .tell_context = operation};
}

/* Ticks until the order is carried out; true if it was in time. */
static bool tick_until_done(struct real_world *real, struct operation *operation,
                            struct engine *engine) {
    struct clock *clock = real->world.clock;
    struct clock *real_clock = clock_system_seam(real->clock);
    struct mono start = clock_mono(clock);
    struct mono told = clock_mono(real_clock);
    int ticks = 0;
    while (mono_sub(clock_mono(clock), start).ns <= ACT_WITHIN.ns &&
           host_poll(real->world.host) != HOST_TERMINATE) {
        if (engine_look(engine) || !utc_is_before(clock_utc(clock), engine_next_at(engine))) {
            engine_tick(engine);
            ticks++;
        }
        if (mono_sub(clock_mono(real_clock), told).ns >= TELL_EVERY.ns) {
            struct engine_totals totals = engine_totals(engine);
            told = clock_mono(real_clock);
            fprintf(stderr, "%s: %lld cancels confirmed, %lld entries still live\n",
                    operation->command, (long long)totals.entries_cancelled,
                    (long long)totals.entries_live);
        }
        if (ticks >= ACT_TICKS_MIN && is_done(&real->world, operation)) {
            return true;
        }
        clock_sleep(clock, CLOCK_SLEEP_MAX);
    }
    return false;
}

/* The whole engine in the core's place, by its own lease: it obeys the inbox like any core. */
static enum err_code act(struct real_world *real, struct operation *operation,
                         struct engine_totals *totals, struct err *err) {
    struct engine *engine = NULL;
    struct engine_options options = stand_in_options(real, operation);
    enum err_code code = engine_create(&options, &engine, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_reached = tick_until_done(real, operation, engine);
    engine_stop(engine);
    *totals = engine_totals(engine);
    engine_destroy(engine);
    return is_reached
               ? ERR_OK
               : err_set(err, ERR_UNKNOWN,
                         "%s: not finished in time at %s: %lld cancels confirmed, %lld NOT "
                         "confirmed, %lld orders sent; the next start goes on%s%s",
                         operation->command, real->broker.url, (long long)totals->entries_cancelled,
                         (long long)totals->entries_live, (long long)totals->orders,
                         operation->trouble[0] != '\0' ? "; last: " : "", operation->trouble);
}

static void tell_act(const struct operation *operation, const struct engine_totals *totals,
                     const char *how) {
    printf("%s: done, %s: %lld entries cancelled (confirmed), %lld orders sent, %lld fills\n",
           operation->command, how, (long long)totals->entries_cancelled, (long long)totals->orders,
           (long long)totals->fills);
}

/* Entries that the core last showed as live. */
static int live_in_view(struct world *world) {
    cJSON *view = read_view(world);
    int count = count_items(view, "orders", "purpose", "entry");
    cJSON_Delete(view);
    return count;
}

static enum err_code left(struct real_world *real, const struct operation *operation,
                          enum err_code code, struct err *err) {
    char cancels[48] = "";
    int live = code == ERR_OK ? 0 : live_in_view(&real->world);
    if (operation->verb != INBOX_RESUME && live > 0) {
        snprintf(cancels, sizeof cancels, ", %d cancel%s NOT confirmed", live,
                 live == 1 ? "" : "s");
    }
    return code == ERR_OK ? ERR_OK
                          : err_wrap(err, "%s: left in the inbox, nothing done at the broker%s",
                                     operation->command, cancels);
}

static enum err_code open_stand_in(struct real_world *real, struct operation *operation,
                                   struct stand_in **out, struct err *err) {
    struct engine_options options = stand_in_options(real, operation);
    cJSON *view = read_view(&real->world);
    const cJSON *account = json_member(view, "account");
    const char *number = cJSON_IsString(account) ? account->valuestring : "";
    if (number[0] == '\0') { /* what is asked for is safety: it is not held up by a missing guard */
        fprintf(stderr, "%s: account not checked: view.json %s\n", operation->command,
                view == NULL ? "unreadable" : "names none");
    }
    enum err_code code = stand_in_create(&options, number, out, err);
    cJSON_Delete(view);
    return code == ERR_OK ? code : err_wrap(err, "%s", real->broker.url);
}

/* Until the broker answers with our account: an engine in front of a broker that never will is a minute
 * and a half of silence. What no repetition mends ends at once. */
static enum err_code reach_broker(struct real_world *real, struct operation *operation,
                                  struct err *err) {
    struct clock *clock = clock_system_seam(real->clock);
    struct mono start = clock_mono(clock);
    fprintf(stderr, "%s: no core runs; acting at %s\n", operation->command, real->broker.url);
    for (;;) {
        struct stand_in *stand_in = NULL;
        enum err_code code = open_stand_in(real, operation, &stand_in, err);
        stand_in_destroy(stand_in);
        struct span waited = mono_sub(clock_mono(clock), start);
        if (code == ERR_OK || code == ERR_CONFIG || code == ERR_REFUSED ||
            waited.ns >= REACH_WITHIN.ns || host_poll(real->world.host) == HOST_TERMINATE) {
            return code;
        }
        fprintf(stderr, "%s: %s; trying for %lld s more\n", operation->command, err->text,
                (long long)((REACH_WITHIN.ns - waited.ns) / SPAN_S(1).ns));
        for (int64_t slept = 0; slept < REACH_AGAIN.ns; slept += CLOCK_SLEEP_MAX.ns) {
            clock_sleep(clock, CLOCK_SLEEP_MAX);
        }
    }
}

static enum err_code without_core(struct real_world *real, struct operation *operation,
                                  struct err *err) {
    struct engine_totals totals = {0};
    if (operation->verb == INBOX_FREEZE) {
        fprintf(stderr, "seatrial: no core runs here; the freeze binds from its next start\n");
        return ERR_OK;
    }
    enum err_code code =
        left(real, operation, real_world_connect(real, &operation->real, err), err);
    if (code == ERR_OK && operation->verb != INBOX_RESUME) {
        code = left(real, operation, reach_broker(real, operation, err), err);
    }
    if (code == ERR_OK) {
        code = act(real, operation, &totals, err);
    }
    if (code == ERR_OK) {
        code = tell_taken(real, operation, " without a running core", err);
    }
    if (code == ERR_OK && !operation->is_refused) {
        tell_act(operation, &totals, "without a running core");
    }
    return code;
}

/* --- beside a hung core --- */

/* Looks until no entry has been live for CLEAR_FOR and at_least has passed. *is_awake: the core has
 * taken the command meanwhile, and cancels itself. */
static enum err_code cancel_entries(struct real_world *real, const struct operation *operation,
                                    struct stand_in *stand_in, struct span at_least, bool *is_awake,
                                    struct err *err) {
    struct clock *clock = real->world.clock;
    const struct stand_in_sight *sight = stand_in_sight(stand_in);
    struct mono start = clock_mono(clock);
    struct mono live_at = start;
    for (;;) {
        struct mono now = clock_mono(clock);
        struct span age = mono_sub(now, start);
        enum err_code code = stand_in_look(stand_in, err);
        live_at = code != ERR_OK || sight->live > 0 ? now : live_at;
        *is_awake = is_taken(&real->world, operation);
        if (*is_awake || (mono_sub(now, live_at).ns >= CLEAR_FOR.ns && age.ns >= at_least.ns)) {
            return ERR_OK;
        }
        if (age.ns > ACT_WITHIN.ns || host_poll(real->world.host) == HOST_TERMINATE) {
            return code != ERR_OK
                       ? code
                       : err_set(err, ERR_UNKNOWN, "%zu entries are still live", sight->live);
        }
        for (int64_t slept = 0; slept < CLEAR_FOR.ns; slept += CLOCK_SLEEP_MAX.ns) {
            clock_sleep(clock, CLOCK_SLEEP_MAX);
        }
    }
}

static void tell_cancelled(const struct operation *operation, const struct stand_in_sight *sight) {
    printf("%s: %zu entries cancelled at the broker", operation->command, sight->cancelled_count);
    for (size_t i = 0; i < sight->cancelled_count; i++) {
        printf("%s%s", i == 0 ? " (" : " ", sight->cancelled[i]);
    }
    printf("%s; %zu live; %zu stops and exits left alone\n", sight->cancelled_count > 0 ? ")" : "",
           sight->live, sight->sales);
}

static enum err_code cancel_beside(struct real_world *real, struct operation *operation,
                                   bool *is_awake, struct err *err) {
    struct stand_in *stand_in = NULL;
    enum err_code code = open_stand_in(real, operation, &stand_in, err);
    code = left(real, operation, code, err);
    if (code != ERR_OK) {
        return code;
    }
    bool is_all =
        operation->verb == INBOX_KILL; /* flatten's engine waits for what is late itself */
    code =
        cancel_entries(real, operation, stand_in, is_all ? LATE_WITHIN : CLEAR_FOR, is_awake, err);
    tell_cancelled(operation, stand_in_sight(stand_in));
    stand_in_destroy(stand_in);
    return code;
}

/* The engine in the core's place, once the lease is stale. */
static enum err_code flatten_beside(struct real_world *real, struct operation *operation,
                                    struct err *err) {
    struct engine_totals totals = {0};
    enum err_code code = act(real, operation, &totals, err);
    if (code == ERR_LOCKED && wait_until_taken(&real->world, operation, TAKEN_WITHIN)) {
        printf("%s: taken: the core has woken\n", operation->command);
        return ERR_OK;
    }
    if (code == ERR_LOCKED) {
        return err_wrap(err, "%s: left in the inbox; end the hung core (SIGKILL) and repeat",
                        operation->command);
    }
    if (code == ERR_OK) {
        tell_act(operation, &totals, "in place of the hung core");
        printf("%s: that core has lost its lease and leaves with 6 when it wakes: start another\n",
               operation->command);
    }
    return code;
}

static enum err_code beside_hung_core(struct real_world *real, struct operation *operation,
                                      struct err *err) {
    bool is_awake = false;
    fprintf(stderr,
            "seatrial: the core hangs: it lives, but has not looked for 15 s; acting at the broker "
            "without it\n");
    enum err_code code =
        left(real, operation, real_world_connect(real, &operation->real, err), err);
    if (code == ERR_OK) {
        code = cancel_beside(real, operation, &is_awake, err);
    }
    if (code == ERR_OK && is_awake) {
        printf("%s: taken: the core has woken\n", operation->command);
    } else if (code == ERR_OK && operation->verb == INBOX_FLATTEN) {
        code = flatten_beside(real, operation, err);
    } else if (code == ERR_OK) {
        printf("%s: done, without the hung core; it is bound when it wakes\n", operation->command);
    }
    return code;
}

/* --- the command --- */

static enum err_code leave(struct real_world *real, struct operation *operation, struct err *err) {
    struct inbox_command command = {.verb = operation->verb, .is_halt = operation->is_halt};
    enum err_code code = text_copy(command.cause, sizeof command.cause, operation->word, err);
    if (code == ERR_OK) {
        code = text_copy(command.by, sizeof command.by, operation->by, err);
    }
    if (code == ERR_OK) {
        code = text_copy(command.why, sizeof command.why, operation->why, err);
    }
    code = code == ERR_OK ? inbox_write(&real->world, &command, err) : code;
    memcpy(operation->file, command.file, sizeof operation->file);
    return code;
}

static enum err_code carry_out(struct real_world *real, struct operation *operation,
                               struct err *err) {
    bool must_act = operation->verb == INBOX_KILL || operation->verb == INBOX_FLATTEN;
    bool is_alive = false;
    enum err_code code = lease_is_alive(&real->world, &is_alive, err);
    if (code != ERR_OK || !is_alive) {
        return code != ERR_OK ? code : without_core(real, operation, err);
    }
    bool is_obeyed = wait_until_taken(&real->world, operation, TAKEN_WITHIN);
    if (!is_obeyed && must_act) {
        fprintf(stderr, "seatrial: waiting for the core, 15 s at most\n");
        is_obeyed = wait_until_taken(&real->world, operation, REST_OF_WAIT);
    }
    if (is_obeyed) {
        return tell_taken(real, operation, "", err);
    }
    if (!must_act) {
        printf("%s: left in the inbox; the core has not looked yet\n", operation->command);
        return ERR_OK;
    }
    if (host_poll(real->world.host) == HOST_TERMINATE) {
        return left(real, operation, err_set(err, ERR_UNKNOWN, "interrupted"), err);
    }
    code = lease_is_alive(&real->world, &is_alive, err); /* it may have died meanwhile */
    if (code != ERR_OK || !is_alive) {
        return code != ERR_OK ? code : without_core(real, operation, err);
    }
    return beside_hung_core(real, operation, err);
}

static int operate(struct operation *operation) {
    struct real_world *real = calloc(1, sizeof *real);
    struct err err = {0};
    CHECK(real != NULL);
    enum err_code code = ERR_OK;
    if (!operation->is_new && !real_state_is_used(operation->real.state)) {
        code = err_set(&err, ERR_NOT_FOUND,
                       "%s: no core has used this state directory; check --state, or say --new if "
                       "one is to start there",
                       operation->real.state);
    }
    if (code == ERR_OK) {
        code = real_world_open(real, operation->real.state, &err);
    }
    if (code == ERR_OK) {
        code = leave(real, operation, &err);
    }
    if (code == ERR_OK) {
        code = carry_out(real, operation, &err);
    }
    real_world_close(real);
    free(real);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    return operation->is_refused ? CLI_FINDING : CLI_PASS;
}

static int command(int argc, char **argv, const char *name, enum inbox_verb verb, bool needs_word) {
    struct operation operation = {.command = name, .verb = verb};
    const struct cli_option table[] = {
        {"--by", CLI_WORD, &operation.by},
        {"--why", CLI_WORD, &operation.why},
        {"--halt", CLI_FLAG, &operation.is_halt},
        {"--new", CLI_FLAG, &operation.is_new},
        {"--state", CLI_WORD, &operation.real.state},
        {"--mode", CLI_WORD, &operation.real.mode},
        {"--config", CLI_WORD, &operation.real.config},
        {"--base-url", CLI_WORD, &operation.real.base_url},
        {"--key-file", CLI_WORD, &operation.real.keys.key_file},
        {"--key-command", CLI_WORD, &operation.real.keys.key_command},
        {"--clock", CLI_WORD, &operation.real.clock},
        {NULL, CLI_FLAG, NULL},
    };
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage(name, err.text);
    }
    if (operation.by == NULL || operation.why == NULL || operation.real.state == NULL) {
        return cli_usage(name, "needs --by WHO, --why TEXT and --state DIR");
    }
    if (needs_word && words.count == 0) {
        return cli_usage(name, "needs one cause");
    }
    if (cli_check_words(&words, verb == INBOX_KILL ? 0 : 1, &err) != ERR_OK) {
        return cli_usage(name, err.text);
    }
    if (operation.is_halt && verb != INBOX_FREEZE) {
        return cli_usage(name, "--halt goes with freeze");
    }
    operation.word = words.count > 0 ? words.words[0] : "";
    return operate(&operation);
}

int cli_freeze(int argc, char **argv) {
    return command(argc, argv, "freeze", INBOX_FREEZE, true);
}

int cli_resume(int argc, char **argv) {
    return command(argc, argv, "resume", INBOX_RESUME, true);
}

int cli_kill(int argc, char **argv) {
    return command(argc, argv, "kill", INBOX_KILL, false);
}

int cli_flatten(int argc, char **argv) {
    return command(argc, argv, "flatten", INBOX_FLATTEN, false);
}
