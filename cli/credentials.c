/* credentials.c - reading a key pair, and wiping every copy that it makes on the way. */
#include "cli/credentials.h"

#include "cli/key_command.h"
#include "cli/private_file.h"
#include "core/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_FILE_MAX 4096

enum origin {
    FROM_NOWHERE,
    FROM_KEY_FILE,
    FROM_COMMAND,
    FROM_DIRECTORY,
    FROM_ENVIRONMENT,
    FROM_TWO_SAID,
    FROM_TWO_FOUND
};

/* --- which source is set --- */

/* True if systemd handed this unit our credential. The variable alone says nothing: it is there for any other
 * credential of the unit too. */
static bool is_handed(char path[static PATH_MAX]) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    struct stat status;
    path[0] = '\0';
    if (folder == NULL || folder[0] == '\0') {
        return false;
    }
    int length = snprintf(path, PATH_MAX, "%s/" CREDENTIALS_NAME, folder);
    return length < PATH_MAX && (lstat(path, &status) == 0 || errno != ENOENT);
}

static bool is_in_environment(void) {
    return getenv("APCA_API_KEY_ID") != NULL || getenv("APCA_API_SECRET_KEY") != NULL;
}

static enum origin origin_of(const struct credential_source *said) {
    char path[PATH_MAX];
    if (said->key_file != NULL || said->key_command != NULL) {
        return said->key_command == NULL ? FROM_KEY_FILE
               : said->key_file == NULL  ? FROM_COMMAND
                                         : FROM_TWO_SAID;
    }
    if (is_handed(path)) {
        return is_in_environment() ? FROM_TWO_FOUND : FROM_DIRECTORY;
    }
    return is_in_environment() ? FROM_ENVIRONMENT : FROM_NOWHERE;
}

bool credentials_are_set(const struct credential_source *said) {
    return origin_of(said) != FROM_NOWHERE;
}

const char *credentials_origin(const struct credential_source *said) {
    switch (origin_of(said)) {
    case FROM_KEY_FILE:
        return said->key_file;
    case FROM_COMMAND:
        return "--key-command";
    case FROM_DIRECTORY:
        return CREDENTIALS_NAME " of CREDENTIALS_DIRECTORY";
    case FROM_ENVIRONMENT:
        return "APCA_API_KEY_ID, APCA_API_SECRET_KEY of this shell";
    case FROM_NOWHERE:
    case FROM_TWO_SAID:
    case FROM_TWO_FOUND:
        break;
    }
    return "none";
}

bool credentials_file(const struct credential_source *said, char path[static PATH_MAX]) {
    enum origin origin = origin_of(said);
    path[0] = '\0';
    if (origin == FROM_DIRECTORY) {
        return is_handed(path);
    }
    if (origin == FROM_KEY_FILE && strlen(said->key_file) < PATH_MAX) {
        strcpy(path, said->key_file); /* NOLINT: it fits */
    }
    return path[0] != '\0';
}

/* --- reading --- */

static enum err_code read_words(const cJSON *tree, struct credentials *out, struct err *err) {
    enum err_code code = json_copy(tree, "key_id", out->key_id, sizeof out->key_id, err);
    return code == ERR_OK ? json_copy(tree, "secret", out->secret, sizeof out->secret, err) : code;
}

static enum err_code parse_bytes(const char *name, const char *bytes, size_t n,
                                 struct credentials *out, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code == ERR_OK) {
        code = read_words(tree, out, err);
    }
    json_wipe(tree);
    return code == ERR_OK ? code
                          : err_set(err, ERR_CONFIG,
                                    "%s: wants {\"key_id\":\"...\",\"secret\":\"...\"}", name);
}

typedef enum err_code read_private(const char *path, char *bytes, size_t size, size_t *n,
                                   struct err *err);

static enum err_code read_file(read_private *read, const char *path, struct credentials *out,
                               struct err *err) {
    char bytes[KEY_FILE_MAX] = {0};
    size_t n = 0;
    enum err_code code = read(path, bytes, sizeof bytes, &n, err);
    if (code == ERR_OK) {
        code = parse_bytes(path, bytes, n, out, err);
    }
    explicit_bzero(bytes, sizeof bytes);
    return code;
}

static enum err_code read_handed(struct credentials *out, struct err *err) {
    char path[PATH_MAX];
    (void)is_handed(path);
    return read_file(private_file_read_handed, path, out, err);
}

static enum err_code read_command(const char *line, struct credentials *out, struct err *err) {
    char bytes[KEY_FILE_MAX] = {0};
    size_t n = 0;
    enum err_code code = key_command_run(line, bytes, sizeof bytes, &n, err);
    if (code == ERR_OK) {
        code = parse_bytes("the output of --key-command", bytes, n, out, err);
    }
    explicit_bzero(bytes, sizeof bytes);
    return code;
}

static enum err_code none(struct err *err) {
    return err_set(err, ERR_CONFIG,
                   "no credentials: set APCA_API_KEY_ID and APCA_API_SECRET_KEY, or --key-file or "
                   "--key-command (or the credential " CREDENTIALS_NAME " of a systemd unit)");
}

static enum err_code read_environment(struct credentials *out, struct err *err) {
    const char *key_id = getenv("APCA_API_KEY_ID");
    const char *secret = getenv("APCA_API_SECRET_KEY");
    bool is_whole = key_id != NULL && secret != NULL &&
                    text_copy(out->key_id, sizeof out->key_id, key_id, err) == ERR_OK &&
                    text_copy(out->secret, sizeof out->secret, secret, err) == ERR_OK;
    return is_whole ? ERR_OK : none(err);
}

static enum err_code read_source(const struct credential_source *said, struct credentials *out,
                                 struct err *err) {
    switch (origin_of(said)) {
    case FROM_KEY_FILE:
        return read_file(private_file_read, said->key_file, out, err);
    case FROM_COMMAND:
        return read_command(said->key_command, out, err);
    case FROM_DIRECTORY:
        return read_handed(out, err);
    case FROM_ENVIRONMENT:
        return read_environment(out, err);
    case FROM_TWO_SAID:
        return err_set(err, ERR_USAGE, "--key-file and --key-command exclude each other");
    case FROM_TWO_FOUND:
        return err_set(err, ERR_CONFIG,
                       "two sources of credentials: " CREDENTIALS_NAME
                       " in CREDENTIALS_DIRECTORY and APCA_API_KEY_ID, APCA_API_SECRET_KEY: "
                       "take one away, or say --key-file or --key-command");
    case FROM_NOWHERE:
        break;
    }
    return none(err);
}

enum err_code credentials_read(const struct credential_source *said, struct credentials *out,
                               struct err *err) {
    struct credentials read = {0};
    enum err_code code = read_source(said, &read, err);
    if (code == ERR_OK && (read.key_id[0] == '\0' || read.secret[0] == '\0')) {
        code = err_set(err, ERR_CONFIG, "the key id or the secret is empty");
    }
    if (code == ERR_OK) {
        *out = read;
    }
    credentials_wipe(&read);
    return code;
}

void credentials_wipe(struct credentials *credentials) {
    explicit_bzero(credentials, sizeof *credentials);
}
