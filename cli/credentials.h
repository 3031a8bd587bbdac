/* credentials.h - a key pair from a file or the environment; never from argv, where every user sees it. */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "core/base/err.h"

#include <stdbool.h>

#define CREDENTIALS_WORD_MAX 128

struct credentials { /* credentials_wipe() at the end */
    char key_id[CREDENTIALS_WORD_MAX], secret[CREDENTIALS_WORD_MAX];
};

/* True if the environment holds either of APCA_API_KEY_ID and APCA_API_SECRET_KEY. */
bool credentials_in_environment(void);
/* From a key file, {"key_id":"...","secret":"..."} with mode 0600, or (key_file NULL) from the environment.
 * No message ever holds a byte of either. ERR_NOT_FOUND, ERR_IO (others may read it), ERR_CONFIG. */
enum err_code credentials_read(const char *key_file, struct credentials *out,
                               struct err *err) MUST_USE;
void credentials_wipe(struct credentials *credentials);

#endif
