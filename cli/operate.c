/* operate.c - freeze, resume, kill, flatten: the operator's commands.
 *
 * Each is first left in the inbox: a running core takes it at its next look, a hung one at its next
 * effect, a dead one at its next start. Without a running core, resume, kill and flatten then take the
 * lease and let the engine act, with entries shut out by its own session gate. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/base/check.h"
#include "core/engine/engine.h"
#include "core/state/inbox.h"
#include "core/state/lease.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_WITHIN SPAN_S(2)
#define ACT_WITHIN SPAN_S(60)
#define ACT_TICKS_MIN 3

struct operation {
    const char *command;
    enum inbox_verb verb;
    const char *by, *why;
    struct real_options real;
    bool is_halt;
};

static bool is_inbox_empty(struct world *world) {
    struct inbox_command *commands = malloc(INBOX_MAX * sizeof *commands);
    size_t count = 0;
    struct err err = {0};
    CHECK(commands != NULL);
    bool is_empty = inbox_read(world, commands, &count, &err) == ERR_OK && count == 0;
    free(commands);
    return is_empty;
}

/* Waits for a living core to take the command. */
static bool wait_until_taken(struct world *world) {
    struct mono start = clock_mono(world->clock);
    while (mono_sub(clock_mono(world->clock), start).ns < TAKEN_WITHIN.ns) {
        if (is_inbox_empty(world)) {
            return true;
        }
        clock_sleep(world->clock, SPAN_MS(50));
    }
    return false;
}

/* True when the core's view shows no order (and for flatten no position) any more. */
static bool is_done(struct world *world, enum inbox_verb verb) {
    struct text view = {0};
    cJSON *tree = NULL;
    struct err err = {0};
    bool is_flat = false;
    if (state_file_read(world->disk, "view.json", (size_t)4 << 20, &view, &err) == ERR_OK &&
        json_parse(text_get(&view), view.len, &tree, &err) == ERR_OK) {
        is_flat = verb != INBOX_FLATTEN || cJSON_GetArraySize(json_member(tree, "positions")) == 0;
        is_flat = is_flat && !cJSON_IsTrue(json_member(tree, "killing"));
    }
    cJSON_Delete(tree);
    text_release(&view);
    return is_flat;
}

static enum err_code act(struct real_world *real, enum inbox_verb verb, struct err *err) {
    struct engine *engine = NULL;
    struct clock *clock = real->world.clock;
    real->config.no_entry_first = SPAN_S(23400); /* a whole session: this process enters nothing */
    struct engine_options options = {.world = &real->world,
                                     .config = &real->config,
                                     .mode = ENGINE_PAPER,
                                     .key_id = real->key_id,
                                     .secret = real->secret,
                                     .build = cli_build()};
    enum err_code code = engine_create(&options, &engine, err);
    struct mono start = clock_mono(clock);
    bool is_over = false;
    for (int ticks = 0; code == ERR_OK && !is_over;) {
        if (engine_look(engine) || !utc_is_before(clock_utc(clock), engine_next_at(engine))) {
            engine_tick(engine);
            ticks++;
        }
        is_over = (ticks >= ACT_TICKS_MIN && is_inbox_empty(&real->world) &&
                   is_done(&real->world, verb)) ||
                  mono_sub(clock_mono(clock), start).ns > ACT_WITHIN.ns ||
                  host_poll(real->world.host) == HOST_TERMINATE;
        clock_sleep(clock, CLOCK_SLEEP_MAX);
    }
    if (code == ERR_OK) {
        bool is_reached = is_inbox_empty(&real->world) && is_done(&real->world, verb);
        engine_stop(engine);
        engine_destroy(engine);
        if (!is_reached) {
            code = err_set(err, ERR_UNKNOWN, "not finished in time; the next start goes on");
        }
    }
    return code;
}

static enum err_code without_core(struct real_world *real, const struct operation *operation,
                                  struct err *err) {
    if (operation->verb == INBOX_FREEZE) {
        fprintf(stderr, "seatrial: no core runs here; the freeze binds from its next start\n");
        return ERR_OK;
    }
    enum err_code code = real_world_connect(real, &operation->real, err);
    if (code != ERR_OK && operation->verb == INBOX_KILL) {
        fprintf(stderr, "seatrial: %s\nseatrial: the kill is left for the next start\n", err->text);
        return ERR_OK;
    }
    if (code == ERR_OK) {
        code = act(real, operation->verb, err);
    }
    if (code == ERR_OK) {
        printf("%s: done, without a running core\n", operation->command);
    }
    return code;
}

static enum err_code leave(struct real_world *real, const struct operation *operation,
                           const char *word, struct err *err) {
    struct inbox_command command = {.verb = operation->verb, .is_halt = operation->is_halt};
    bool is_alive = false;
    enum err_code code = text_copy(command.cause, sizeof command.cause, word, err);
    if (code == ERR_OK) {
        code = text_copy(command.by, sizeof command.by, operation->by, err);
    }
    if (code == ERR_OK) {
        code = text_copy(command.why, sizeof command.why, operation->why, err);
    }
    if (code == ERR_OK) {
        code = inbox_write(&real->world, &command, err);
    }
    if (code == ERR_OK) {
        code = lease_is_alive(&real->world, &is_alive, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (!is_alive) {
        return without_core(real, operation, err);
    }
    bool is_taken = wait_until_taken(&real->world);
    printf("%s: %s\n", operation->command,
           is_taken ? "taken" : "left in the inbox; the core has not looked yet");
    return ERR_OK;
}

static int operate(struct operation *operation, const char *word) {
    struct real_world *real = calloc(1, sizeof *real);
    struct err err = {0};
    CHECK(real != NULL);
    enum err_code code = real_world_open(real, operation->real.state, &err);
    if (code == ERR_OK) {
        code = leave(real, operation, word, &err);
    }
    real_world_close(real);
    free(real);
    return code == ERR_OK ? CLI_PASS : cli_fail(&err);
}

static int command(int argc, char **argv, const char *name, enum inbox_verb verb, bool needs_word) {
    struct operation operation = {.command = name, .verb = verb};
    const struct cli_option table[] = {
        {"--by", CLI_WORD, &operation.by},
        {"--why", CLI_WORD, &operation.why},
        {"--halt", CLI_FLAG, &operation.is_halt},
        {"--state", CLI_WORD, &operation.real.state},
        {"--mode", CLI_WORD, &operation.real.mode},
        {"--config", CLI_WORD, &operation.real.config},
        {"--base-url", CLI_WORD, &operation.real.base_url},
        {"--key-file", CLI_WORD, &operation.real.key_file},
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
    if (needs_word ? words.count != 1 : words.count > 1) {
        return cli_usage(name, needs_word ? "needs one cause" : "takes at most one word");
    }
    return operate(&operation, words.count > 0 ? words.words[0] : "");
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
