/* key_command.h - a program that prints a key pair: a password store, a vault's client. */
#ifndef CLI_KEY_COMMAND_H
#define CLI_KEY_COMMAND_H

#include "core/base/err.h"

#include <stddef.h>

#define KEY_COMMAND_TIMEOUT_MS                                                                     \
    5000 /* a running core waits for it: far below the 15 s that count as hung */
#define KEY_COMMAND_WORDS_MAX 32
#define KEY_COMMAND_MAX 1024 /* bytes of all words */

/* Runs a command line and puts all that it prints, shorter than size, into the caller's bytes, who wipes them, also
 * after a failure. No shell: words are parted by blanks, the first is an absolute path, and quotes and backslashes
 * are refused, so that no key pair fits on the line. Its standard input and error are /dev/null, and it gets no file of ours. What
 * runs longer than KEY_COMMAND_TIMEOUT_MS is killed, with the children of its process group.
 * No message holds a byte of what it prints, nor any of its words but the first. ERR_CONFIG: the line is none, it
 * cannot be started, it failed, printed too much or took too long; ERR_IO. */
enum err_code key_command_run(const char *line, char *bytes, size_t size, size_t *n,
                              struct err *err) MUST_USE;

#endif
