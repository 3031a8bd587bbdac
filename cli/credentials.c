/* credentials.c - reading a key pair, and wiping every copy that it makes on the way. */
#include "cli/credentials.h"

#include "core/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096

static enum err_code read_words(const cJSON *tree, struct credentials *out, struct err *err) {
    enum err_code code = json_copy(tree, "key_id", out->key_id, sizeof out->key_id, err);
    return code == ERR_OK ? json_copy(tree, "secret", out->secret, sizeof out->secret, err) : code;
}

/* cJSON frees without wiping. */
static void wipe_tree(cJSON *tree) {
    cJSON *item = NULL;
    cJSON_ArrayForEach(item, tree) {
        if (cJSON_IsString(item)) {
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        }
    }
    cJSON_Delete(tree);
}

/* Into the caller's bytes and no other buffer: what stdio copies, nobody wipes. */
static enum err_code read_bytes(int file, const char *path, char bytes[static KEY_FILE_MAX],
                                size_t *n, struct err *err) {
    struct stat status;
    if (fstat(file, &status) != 0) {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if ((status.st_mode & 077) != 0) {
        return err_set(err, ERR_CONFIG, "%s: others may read it; chmod 600 it", path);
    }
    for (*n = 0; *n < KEY_FILE_MAX;) {
        ssize_t got = read(file, bytes + *n, KEY_FILE_MAX - *n);
        if (got == 0) {
            return ERR_OK;
        }
        if (got < 0 && errno != EINTR) {
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    return err_set(err, ERR_CONFIG, "%s: longer than %d bytes", path, KEY_FILE_MAX - 1);
}

static enum err_code parse_bytes(const char *path, const char *bytes, size_t n,
                                 struct credentials *out, struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code == ERR_OK) {
        code = read_words(tree, out, err);
    }
    wipe_tree(tree);
    return code == ERR_OK ? code
                          : err_set(err, ERR_CONFIG,
                                    "%s: wants {\"key_id\":\"...\",\"secret\":\"...\"}", path);
}

static enum err_code read_file(const char *path, struct credentials *out, struct err *err) {
    char bytes[KEY_FILE_MAX] = {0};
    size_t n = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    enum err_code code = read_bytes(file, path, bytes, &n, err);
    close(file);
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
