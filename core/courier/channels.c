/* channels.c - reading the courier's file. */
#include "core/courier/channels.h"

#include "core/base/json.h"
#include "core/world/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEAD_MAN_LEAST_S 10
#define DEAD_MAN_MOST_S 86400

static const char *const shape_words[CHANNEL_SHAPES] = {"json", "slack", "pagerduty", "ntfy"};

const char *channel_shape_word(enum channel_shape shape) {
    return shape_words[shape];
}

/* --- one value --- */

/* What the HTTP seam will not take either, said at the start: a plain address that is not this machine. */
static bool is_safe_origin(const char *origin) {
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    if (strncmp(origin, "https://", 8) == 0) {
        return origin[8] != '\0' && origin[8] != ':';
    }
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        size_t n = strlen(here[i]);
        if (strncmp(origin, here[i], n) == 0 && (origin[n] == '\0' || origin[n] == ':')) {
            return true;
        }
    }
    return false;
}

static bool cut(char *field, size_t size, const char *from, size_t n) {
    if (n >= size) {
        return false;
    }
    memcpy(field, from, n);
    field[n] = '\0';
    return true;
}

static bool parse_url(const char *text, struct channel_url *out) {
    const char *host = strstr(text, "://");
    if (host == NULL || !http_is_target(text) || strchr(text, '@') != NULL) {
        return false;
    }
    const char *path = host + 3 + strcspn(host + 3, "/?");
    const char *query = path + strcspn(path, "?");
    if (!cut(out->origin, sizeof out->origin, text, (size_t)(path - text)) ||
        !cut(out->path, sizeof out->path, path, (size_t)(query - path)) ||
        text_copy(out->query, sizeof out->query, query + (*query == '?'), NULL) != ERR_OK) {
        return false;
    }
    if (out->path[0] == '\0') {
        strcpy(out->path, "/");
    }
    return is_safe_origin(out->origin);
}

/* A line of faults; false, so that a reader can return it. */
static bool fault(struct text *faults, const char *place, const char *words) {
    text_add_format(faults, "%s: %s\n", place, words);
    return false;
}

static bool read_url(const cJSON *object, const char *place, struct channel_url *out,
                     struct text *faults) {
    const char *text = NULL;
    if (json_string(object, "url", &text, NULL) != ERR_OK || !parse_url(text, out)) {
        return fault(faults, place,
                     "url: wants \"https://host/path\" (http only to 127.0.0.1, localhost, [::1])");
    }
    return true;
}

static bool check_keys(const cJSON *object, const char *const *known, const char *place,
                       struct text *faults) {
    bool is_known = true;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], item->string) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            text_add_format(faults, "%s: no member '%.40s' is known\n", place, item->string);
            is_known = false;
        }
    }
    return is_known;
}

static bool read_name(const cJSON *object, const char *place, char out[static CHANNEL_NAME_MAX],
                      struct text *faults) {
    if (json_copy(object, "name", out, CHANNEL_NAME_MAX, NULL) != ERR_OK || out[0] == '\0' ||
        out[strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] !=
            '\0') {
        return fault(faults, place,
                     "name: is missing, or not 1 to 31 letters, digits, '_', '-' or '.'");
    }
    return true;
}

/* --- a channel --- */

static bool read_shape(const cJSON *object, const char *place, enum channel_shape *out,
                       struct text *faults) {
    const char *word = "";
    (void)!json_string(object, "shape", &word, NULL);
    for (int i = 0; i < CHANNEL_SHAPES; i++) {
        if (strcmp(word, shape_words[i]) == 0) {
            *out = (enum channel_shape)i;
            return true;
        }
    }
    return fault(faults, place, "shape: is missing, or not json, slack, pagerduty or ntfy");
}

static bool read_least(const cJSON *object, const char *place, enum alert_severity *out,
                       struct text *faults) {
    const char *word = "";
    (void)!json_string(object, "least", &word, NULL);
    return alert_severity_find(word, out) ||
           fault(faults, place, "least: is missing, or not info, warn or page");
}

static bool read_token(const cJSON *object, const char *place, struct channel *out,
                       struct text *faults) {
    if (json_is_null(object, "token")) {
        return out->shape != CHANNEL_PAGERDUTY ||
               fault(faults, place, "token: a pagerduty channel wants its routing key");
    }
    if (json_copy(object, "token", out->token, sizeof out->token, NULL) != ERR_OK ||
        out->token[0] == '\0' || !http_is_target(out->token)) {
        return fault(faults, place, "token: wants 1 to 255 bytes without blanks");
    }
    return out->shape != CHANNEL_SLACK ||
           fault(faults, place, "token: a slack channel has none, its url is the secret");
}

static bool read_channel(const cJSON *object, const char *place, struct channel *out,
                         struct text *faults) {
    static const char *const known[] = {"name", "shape", "url", "token", "least", NULL};
    if (!cJSON_IsObject(object)) {
        return fault(faults, place, "wants an object");
    }
    bool is_good = check_keys(object, known, place, faults);
    is_good &= read_name(object, place, out->name, faults);
    is_good &= read_shape(object, place, &out->shape, faults);
    is_good &= read_url(object, place, &out->url, faults);
    is_good &= read_least(object, place, &out->least, faults);
    is_good &= read_token(object, place, out, faults);
    return is_good;
}

/* --- the file --- */

static bool read_channels(const cJSON *tree, struct channels *out, struct text *faults) {
    const cJSON *list = NULL;
    if (json_array(tree, "channels", &list, NULL) != ERR_OK ||
        cJSON_GetArraySize(list) > CHANNELS_MAX) {
        return fault(faults, "channels", "wants a list of at most 8");
    }
    bool is_good = true;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list) {
        char place[32];
        struct channel *channel = &out->items[out->count];
        (void)snprintf(place, sizeof place, "channels[%zu]", out->count);
        is_good &= read_channel(item, place, channel, faults);
        for (size_t i = 0; i < out->count; i++) {
            if (strcmp(out->items[i].name, channel->name) == 0) {
                is_good = fault(faults, place, "name: another channel has it");
            }
        }
        out->count++;
    }
    return is_good;
}

/* Where "https://HOST:443" begins behind its scheme, and how long it is without the port. */
static const char *host_of(const struct channel_url *url, size_t *length) {
    const char *host = strstr(url->origin, "://") + 3;
    *length = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
    return host;
}

static bool is_same_host(const struct channel_url *a, const struct channel_url *b) {
    size_t a_length = 0;
    size_t b_length = 0;
    const char *a_host = host_of(a, &a_length);
    const char *b_host = host_of(b, &b_length);
    return a_length == b_length && strncasecmp(a_host, b_host, a_length) == 0;
}

/* One service that is down must not be all there is. */
static bool has_two_pagers(const struct channels *channels, struct text *faults) {
    size_t hosts = 0;
    for (size_t i = 0; i < channels->count; i++) {
        bool is_new = true; /* every channel takes pages, whatever its least */
        for (size_t j = 0; j < i; j++) {
            is_new &= !is_same_host(&channels->items[i].url, &channels->items[j].url);
        }
        hosts += is_new;
    }
    return hosts >= 2 ||
           fault(faults, "channels", "a page wants two ways out: two channels, on different hosts");
}

static bool read_dead_man(const cJSON *tree, struct channels *out, struct text *faults) {
    static const char *const known[] = {"url", "every_s", NULL};
    const cJSON *object = json_member(tree, "dead_man");
    int64_t every_s = 0;
    if (object == NULL) {
        return true;
    }
    if (!cJSON_IsObject(object)) {
        return fault(faults, "dead_man", "wants an object");
    }
    bool is_good = check_keys(object, known, "dead_man", faults);
    is_good &= read_url(object, "dead_man", &out->dead_man, faults);
    if (json_int(object, "every_s", &every_s, NULL) != ERR_OK || every_s < DEAD_MAN_LEAST_S ||
        every_s > DEAD_MAN_MOST_S) {
        is_good = fault(faults, "dead_man", "every_s: wants a number, 10 to 86400");
    }
    out->has_dead_man = true;
    out->dead_man_every = SPAN_S(every_s);
    return is_good;
}

void channels_wipe(struct channels *channels) {
    explicit_bzero(channels, sizeof *channels);
}

enum err_code channels_parse(const char *bytes, size_t n, struct channels *out, struct text *faults,
                             struct err *err) {
    static const char *const known[] = {"name", "channels", "dead_man", NULL};
    struct channels read = {.count = 0};
    cJSON *tree = NULL;
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code != ERR_OK) {
        return err == NULL ? ERR_CONFIG : (err->code = ERR_CONFIG);
    }
    bool is_good = cJSON_IsObject(tree) || fault(faults, "the whole", "wants an object");
    if (is_good) {
        is_good &= check_keys(tree, known, "the whole", faults);
        is_good &= read_name(tree, "the whole", read.name, faults);
        is_good &= read_channels(tree, &read, faults);
        is_good = is_good && has_two_pagers(&read, faults);
        is_good &= read_dead_man(tree, &read, faults);
    }
    json_wipe(tree);
    if (is_good) {
        *out = read;
    }
    channels_wipe(&read);
    return is_good ? ERR_OK : err_set(err, ERR_CONFIG, "the courier's channels are not valid");
}
