/* courier.c - `seatrial courier`: the process that takes alerts to people. */
#include "core/courier/courier.h"
#include "cli/cli.h"
#include "cli/private_file.h"
#include "cli/real_world.h"
#include "core/live/clock_system.h"
#include "core/live/host_posix.h"
#include "core/live/http_curl.h"

#include <stdio.h>
#include <string.h>

struct post { /* what a courier stands on */
    struct real_world real;
    struct channels channels;
    struct http_curl *curl;
    struct courier *courier;
    char told[CHANNELS_MAX][160]; /* of each channel's trouble */
};

static enum err_code read_channels(const char *path, struct channels *out, struct err *err) {
    static char bytes[CHANNELS_FILE_MAX];
    size_t n = 0;
    struct text faults = {0};
    enum err_code code = private_file_read(path, bytes, sizeof bytes, &n, err);
    if (code == ERR_NOT_FOUND) {
        err_set(err, code, "%s: no such file", path);
    }
    if (code == ERR_OK) {
        code = channels_parse(bytes, n, out, &faults, err);
        code = code == ERR_OK ? code : err_wrap(err, "%s", path);
    }
    explicit_bzero(bytes, sizeof bytes);
    for (const char *line = text_get(&faults); *line != '\0'; line += strcspn(line, "\n") + 1) {
        fprintf(stderr, "seatrial: %s: %.*s\n", path, (int)strcspn(line, "\n"), line);
    }
    text_release(&faults);
    return code;
}

static enum err_code open_post(struct post *post, const char *state, const char *path, bool is_once,
                               bool is_test, struct err *err) {
    enum err_code code = read_channels(path, &post->channels, err);
    if (code == ERR_OK && !real_state_is_used(state)) {
        code = err_set(err, ERR_NOT_FOUND, "%s: no core has run here", state);
    }
    if (code == ERR_OK) {
        code = real_world_open(&post->real, state, err);
    }
    if (code == ERR_OK) {
        const struct http_curl_options options = {.clock = clock_system_seam(post->real.clock)};
        code = http_curl_create(&options, &post->curl, err);
    }
    if (code == ERR_OK) {
        post->real.world.http = http_curl_seam(post->curl);
        const struct courier_options options = {.world = &post->real.world,
                                                .channels = &post->channels,
                                                .never_pings = is_once,
                                                .only_tests = is_test};
        code = courier_create(&options, &post->courier, err);
    }
    return code;
}

static void close_post(struct post *post) {
    courier_destroy(post->courier);
    http_curl_destroy(post->curl);
    real_world_close(&post->real);
    channels_wipe(&post->channels);
}

static int test_channels(struct post *post) {
    int failed = 0;
    for (size_t i = 0; i < post->channels.count; i++) {
        struct err err = {0};
        bool is_taken = courier_test(post->courier, i, &err) == ERR_OK;
        printf("%-20s %-9s %s\n", post->channels.items[i].name,
               channel_shape_word(post->channels.items[i].shape), is_taken ? "taken" : err.text);
        failed += !is_taken;
    }
    return failed == 0 ? CLI_PASS : CLI_FINDING;
}

/* A channel's trouble, when it begins, changes or is over. */
static void tell_channels(struct post *post) {
    for (size_t i = 0; i < post->channels.count; i++) {
        struct courier_status status = courier_status(post->courier, i);
        if (strcmp(status.error, post->told[i]) != 0) {
            memcpy(post->told[i], status.error, sizeof status.error);
            fprintf(stderr, "seatrial: courier: %s: %s\n", post->channels.items[i].name,
                    status.error[0] != '\0' ? status.error : "takes messages again");
        }
    }
}

static void wait_a_look(struct post *post) {
    struct clock *clock = post->real.world.clock;
    struct mono until = mono_add(clock_mono(clock), COURIER_LOOK);
    while (clock_mono(clock).ns < until.ns && host_poll(post->real.world.host) != HOST_TERMINATE) {
        clock_sleep(clock, CLOCK_SLEEP_MAX);
    }
}

static int64_t delivered(const struct post *post) {
    int64_t sum = 0;
    for (size_t i = 0; i < post->channels.count; i++) {
        sum += courier_status(post->courier, i).delivered;
    }
    return sum;
}

/* In which nobody took anything: what is left waits for a channel, or for the disk. */
#define IDLE_LOOKS 5

static int deliver_once(struct post *post) {
    int64_t before = 0;
    for (int idle = 0; idle < IDLE_LOOKS && host_poll(post->real.world.host) != HOST_TERMINATE;) {
        courier_step(post->courier);
        tell_channels(post);
        if (courier_waiting(post->courier) == 0 && !courier_has_more(post->courier)) {
            return CLI_PASS;
        }
        idle = delivered(post) > before ? 0 : idle + 1;
        before = delivered(post);
        wait_a_look(post);
    }
    fprintf(stderr, "seatrial: courier: %zu alerts in hand still wait%s\n",
            courier_waiting(post->courier),
            courier_is_blind(post->courier)   ? ", and outbox/ cannot be read"
            : courier_has_more(post->courier) ? ", and more in outbox/"
                                              : "");
    return CLI_FINDING;
}

static int deliver(struct post *post) {
    bool was_blind = false;
    fprintf(stderr, "seatrial: courier: %zu channels, a look each second\n", post->channels.count);
    while (host_poll(post->real.world.host) != HOST_TERMINATE) {
        courier_step(post->courier);
        tell_channels(post);
        if (courier_is_blind(post->courier) != was_blind) {
            was_blind = !was_blind;
            fprintf(stderr, "seatrial: courier: outbox/ %s\n",
                    was_blind ? "or a file of it cannot be read" : "can be read again");
        }
        wait_a_look(post);
    }
    return CLI_PASS;
}

int cli_courier(int argc, char **argv) {
    const char *state = NULL;
    const char *path = NULL;
    bool is_once = false;
    bool is_test = false;
    const struct cli_option table[] = {{"--state", CLI_WORD, &state},
                                       {"--channels", CLI_WORD, &path},
                                       {"--once", CLI_FLAG, &is_once},
                                       {"--test", CLI_FLAG, &is_test},
                                       {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    struct post post = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK ||
        cli_check_words(&words, 0, &err) != ERR_OK) {
        return cli_usage("courier", err.text);
    }
    if (state == NULL || path == NULL) {
        return cli_usage("courier", state == NULL ? "wants --state DIR" : "wants --channels FILE");
    }
    if (is_once && is_test) {
        return cli_usage("courier", "--once and --test exclude each other");
    }
    int exit_code;
    if (open_post(&post, state, path, is_once, is_test, &err) != ERR_OK) {
        exit_code = cli_fail(&err);
    } else {
        exit_code = is_test ? test_channels(&post) : is_once ? deliver_once(&post) : deliver(&post);
    }
    close_post(&post);
    return exit_code;
}
