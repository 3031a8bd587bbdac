/* inbox.c - commands as files: written by temp, fsync, rename, fsync; read by name first. */
#include "core/state/inbox.h"

#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/state/state_document.h"
#include "core/state/state_file.h"

#include <stdio.h>
#include <string.h>

#define FOLDER "inbox"
#define STAMP_DIGITS 19
#define NONCE_DIGITS 8
#define COMMAND_BYTES_MAX 4096
#define VERB_COUNT 4

static const char *const words[VERB_COUNT] = {
    [INBOX_FREEZE] = "freeze",
    [INBOX_KILL] = "kill",
    [INBOX_RESUME] = "resume",
    [INBOX_FLATTEN] = "flatten",
};

const char *inbox_verb_word(enum inbox_verb verb) {
    return words[verb];
}

/* Causes are lower case; symbols, which flatten names, are upper case. */
static bool is_cause(enum inbox_verb verb, const char *cause) {
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789_.:-";
    static const char upper[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
    return cause[strspn(cause, verb == INBOX_FLATTEN ? upper : lower)] == '\0';
}

/* "<19 digits>-<8 hex>.<verb>": true and the verb. */
static bool name_parse(const char *name, enum inbox_verb *verb) {
    if (strspn(name, "0123456789") != STAMP_DIGITS || name[STAMP_DIGITS] != '-') {
        return false;
    }
    const char *nonce = name + STAMP_DIGITS + 1;
    if (strspn(nonce, "0123456789abcdef") != NONCE_DIGITS || nonce[NONCE_DIGITS] != '.') {
        return false;
    }
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(nonce + NONCE_DIGITS + 1, words[i]) == 0) {
            *verb = (enum inbox_verb)i;
            return true;
        }
    }
    return false;
}

static void print_command(const struct inbox_command *command, struct text *out) {
    text_add(out, "{\"cause\":");
    text_add_json_string(out, command->cause);
    text_add(out, ",\"by\":");
    text_add_json_string(out, command->by);
    text_add(out, ",\"why\":");
    text_add_json_string(out, command->why);
    text_add(out, command->is_halt ? ",\"halt\":true}\n" : ",\"halt\":false}\n");
}

static enum err_code command_name(struct world *world, enum inbox_verb verb,
                                  char out[static DISK_NAME_MAX], struct err *err) {
    uint32_t nonce = 0;
    enum err_code code = entropy_fill(world->entropy, &nonce, sizeof nonce, err);
    int64_t now = clock_utc(world->clock).ns;
    if (code == ERR_OK) {
        snprintf(out, DISK_NAME_MAX, FOLDER "/%019lld-%08x.%s", (long long)(now < 0 ? 0 : now),
                 nonce, words[verb]);
    }
    return code;
}

enum err_code inbox_write(struct world *world, struct inbox_command *command, struct err *err) {
    if (!is_cause(command->verb, command->cause)) {
        return err_set(err, ERR_USAGE, "'%s' is not a cause: letters, digits and _.:- only",
                       command->cause);
    }
    char name[DISK_NAME_MAX] = "";
    char temp[DISK_NAME_MAX] = "";
    struct text content = text_limited(COMMAND_BYTES_MAX);
    print_command(command, &content);
    enum err_code code = text_finish(&content, err);
    if (code == ERR_OK) {
        code = disk_make_dir(world->disk, FOLDER, err);
    }
    if (code == ERR_OK) {
        code = disk_sync_dir(world->disk, "", err);
    }
    if (code == ERR_OK) {
        code = command_name(world, command->verb, name, err);
    }
    if (code == ERR_OK) {
        code = state_document_write_temp(world, FOLDER "/", content.data, content.len, true, temp,
                                         err);
    }
    if (code == ERR_OK) {
        code = disk_rename(world->disk, temp, name, err);
        if (code != ERR_OK) {
            state_document_discard(world->disk, temp);
        }
    }
    if (code == ERR_OK) {
        code = disk_sync_dir(world->disk, FOLDER, err);
    }
    if (code == ERR_OK) {
        memcpy(command->file, name, sizeof command->file);
    }
    text_release(&content);
    return code;
}

/* An absent optional member leaves the field empty. */
static enum err_code copy_optional(const cJSON *tree, const char *key, char *field, size_t size,
                                   struct err *err) {
    return json_is_null(tree, key) ? ERR_OK : json_copy(tree, key, field, size, err);
}

static bool parse_command(const struct text *content, struct inbox_command *command) {
    struct inbox_command read = *command;
    cJSON *tree = NULL;
    struct err ignored = {0};
    bool is_good =
        json_parse(text_get(content), content->len, &tree, &ignored) == ERR_OK &&
        cJSON_IsObject(tree) &&
        copy_optional(tree, "cause", read.cause, sizeof read.cause, &ignored) == ERR_OK &&
        copy_optional(tree, "by", read.by, sizeof read.by, &ignored) == ERR_OK &&
        copy_optional(tree, "why", read.why, sizeof read.why, &ignored) == ERR_OK &&
        is_cause(read.verb, read.cause);
    if (is_good && !json_is_null(tree, "halt")) {
        is_good = json_bool(tree, "halt", &read.is_halt, &ignored) == ERR_OK;
    }
    cJSON_Delete(tree);
    if (is_good) {
        read.is_readable = true;
        *command = read;
    }
    return is_good;
}

struct listing { /* the oldest INBOX_MAX names of the right shape */
    struct inbox_command *commands;
    size_t count;
};

static void listing_visit(void *context, const char *name) {
    struct listing *listing = context;
    enum inbox_verb verb = INBOX_FREEZE;
    if (listing->count == INBOX_MAX || !name_parse(name, &verb)) {
        return;
    }
    struct inbox_command *command = &listing->commands[listing->count++];
    *command = (struct inbox_command){.verb = verb};
    snprintf(command->file, sizeof command->file, FOLDER "/%s", name);
}

/* Unreadable, for whatever reason, is told and not an error: a freeze binds by its name. */
enum err_code inbox_read(struct world *world, struct inbox_command commands[static INBOX_MAX],
                         size_t *count, struct err *err) {
    struct listing listing = {.commands = commands};
    enum err_code code = disk_list(world->disk, FOLDER, listing_visit, &listing, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    struct text content = text_limited(COMMAND_BYTES_MAX);
    for (size_t i = 0; i < listing.count; i++) {
        struct err ignored = {0};
        if (state_file_read(world->disk, commands[i].file, COMMAND_BYTES_MAX, &content, &ignored) ==
            ERR_OK) {
            (void)parse_command(&content, &commands[i]);
        }
    }
    text_release(&content);
    *count = listing.count;
    return ERR_OK;
}

/* Durable, so that a command obeyed once is not obeyed again after a power cut. */
enum err_code inbox_remove(struct world *world, const char *file, struct err *err) {
    enum err_code code = disk_remove(world->disk, file, err);
    MUTATE(command_comes_back, return code);
    return code == ERR_OK ? disk_sync_dir(world->disk, FOLDER, err) : code;
}

struct seen {
    bool has_command, has_stop;
};

static void seen_visit(void *context, const char *name) {
    struct seen *seen = context;
    enum inbox_verb verb = INBOX_RESUME;
    if (name_parse(name, &verb)) {
        seen->has_command = true;
        seen->has_stop |= verb == INBOX_FREEZE || verb == INBOX_KILL;
    }
}

static enum err_code see(struct world *world, struct seen *out, struct err *err) {
    struct seen seen = {0};
    enum err_code code = disk_list(world->disk, FOLDER, seen_visit, &seen, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    *out = seen;
    return ERR_OK;
}

enum err_code inbox_has_command(struct world *world, bool *out, struct err *err) {
    struct seen seen = {0};
    enum err_code code = see(world, &seen, err);
    *out = code == ERR_OK ? seen.has_command : *out;
    return code;
}

enum err_code inbox_has_stop(struct world *world, bool *out, struct err *err) {
    struct seen seen = {0};
    enum err_code code = see(world, &seen, err);
    *out = code == ERR_OK ? seen.has_stop : *out;
    return code;
}

struct sought {
    const char *file;
    bool is_there;
};

static void sought_visit(void *context, const char *name) {
    struct sought *sought = context;
    sought->is_there |= strcmp(sought->file + strlen(FOLDER "/"), name) == 0;
}

enum err_code inbox_is_waiting(struct world *world, const char *file, bool *out, struct err *err) {
    struct sought sought = {.file = file};
    enum err_code code = disk_list(world->disk, FOLDER, sought_visit, &sought, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    *out = sought.is_there;
    return ERR_OK;
}
