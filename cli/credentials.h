/* credentials.h - a key pair from a file, a command, systemd's credential directory or the environment;
 * never from argv, where every user sees it.
 *
 * What the command line says is the source, whatever the environment holds: a second shell may have keys of its
 * own. What is only found there must be one source: of two nobody can tell which was meant. */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "core/base/err.h"

#include <limits.h>
#include <stdbool.h>

#define CREDENTIALS_WORD_MAX 128
/* The file below $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=) that holds the pair. */
#define CREDENTIALS_NAME "alpaca-key"

struct credentials { /* credentials_wipe() at the end */
    char key_id[CREDENTIALS_WORD_MAX], secret[CREDENTIALS_WORD_MAX];
};

struct credential_source {   /* what the command line says; borrowed */
    const char *key_file;    /* NULL: not said */
    const char *key_command; /* a command line that prints the pair; NULL: not said */
};

/* True if any source is set, be it wrong or half a pair. */
bool credentials_are_set(const struct credential_source *said);
/* Where the pair comes from, in words for people; never a byte of it. */
const char *credentials_origin(const struct credential_source *said);
/* The file that the pair is read from; false, and "", if it is not read from one. */
bool credentials_file(const struct credential_source *said, char path[static PATH_MAX]);
/* From the source that is set. A file holds, and a command prints, {"key_id":"...","secret":"..."}; a key file is nobody else's
 * (0600), one of the credential directory is as systemd makes it.
 * A command is run anew, see key_command_run().
 * No message ever holds a byte of either. ERR_NOT_FOUND, ERR_IO, ERR_CONFIG (also: others may read it; none is
 * set; two are), ERR_USAGE (file and command are both said). */
enum err_code credentials_read(const struct credential_source *said, struct credentials *out,
                               struct err *err) MUST_USE;
void credentials_wipe(struct credentials *credentials);

#endif
