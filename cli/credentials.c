/* credentials.c - reading a key pair, and wiping every copy that it makes on the way. */
#include "cli/credentials.h"

#include "cli/private_file.h"
#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

#define KEY_FILE_MAX 4096

static enum err_code read_words(const cJSON *tree, struct credentials *out, struct err *err) {
    enum err_code code = json_copy(tree, "key_id", out->key_id, sizeof out->key_id, err);
    return code == ERR_OK ? json_copy(tree, "secret", out->secret, sizeof out->secret, err) : code;
}

static enum err_code parse_bytes(const char *path, const char *bytes, size_t n,
                                 struct credentials *out, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code == ERR_OK) {
        code = read_words(tree, out, err);
    }
    json_wipe(tree);
    return code == ERR_OK ? code
                          : err_set(err, ERR_CONFIG,
                                    "%s: wants {\"key_id\":\"...\",\"secret\":\"...\"}", path);
}

static enum err_code read_file(const char *path, struct credentials *out, struct err *err) {
    char bytes[KEY_FILE_MAX] = {0};
    size_t n = 0;
    enum err_code code = private_file_read(path, bytes, sizeof bytes, &n, err);
    if (code == ERR_OK) {
        code = parse_bytes(path, bytes, n, out, err);
    }
    explicit_bzero(bytes, sizeof bytes);
    return code;
}

bool credentials_in_environment(void) {
    return getenv("APCA_API_KEY_ID") != NULL || getenv("APCA_API_SECRET_KEY") != NULL;
}

enum err_code credentials_read(const char *key_file, struct credentials *out, struct err *err) {
    struct credentials read = {0};
    const char *key_id = getenv("APCA_API_KEY_ID");
    const char *secret = getenv("APCA_API_SECRET_KEY");
    enum err_code code = ERR_OK;
    if (key_file != NULL) {
        code = read_file(key_file, &read, err);
    } else if (key_id == NULL || secret == NULL ||
               text_copy(read.key_id, sizeof read.key_id, key_id, err) != ERR_OK ||
               text_copy(read.secret, sizeof read.secret, secret, err) != ERR_OK) {
        code = err_set(err, ERR_CONFIG,
                       "no credentials: set APCA_API_KEY_ID and APCA_API_SECRET_KEY, or "
                       "--key-file");
    }
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
