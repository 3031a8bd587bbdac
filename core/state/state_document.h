/* state_document.h - what state_file.c shares inside this room: the bytes of a document, names of
 * temporary files, the write of one file. */
#ifndef CORE_STATE_STATE_DOCUMENT_H
#define CORE_STATE_STATE_DOCUMENT_H

#include "core/base/text.h"
#include "core/world/world.h"

/* Adds the whole document to out. */
void state_document_print(const char *name, int64_t journal_seq, const char *members,
                          struct text *out);
/* True if the bytes are exactly what state_document_print() makes of name; then *journal_seq. */
bool state_document_is_intact(const char *name, const char *bytes, size_t n, int64_t *journal_seq);

/* Writes bytes to a new file NAME.<nonce>.tmp, synced if wanted; its name goes to temp. On failure
 * nothing is left, as far as the disk allows. ERR_LIMIT, ERR_IO, ERR_NO_SPACE. */
enum err_code state_document_write_temp(struct world *world, const char *name, const void *bytes,
                                        size_t n, bool is_synced, char temp[static DISK_NAME_MAX],
                                        struct err *err) MUST_USE;
/* Removes a file whose presence does no harm: what the disk says does not matter. */
void state_document_discard(struct disk *disk, const char *name);

#endif
