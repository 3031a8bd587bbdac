/* state_file.h - documents: small JSON files that a person can read, projections of the journal.
 *
 * Bytes: {"_seatrial":{"document":NAME,"schema":1,"journal_seq":N,"checksum":"16 hex"},\n MEMBERS }\n
 * The checksum (hash64) covers name, journal_seq and the member bytes, so that a hand edit shows.
 * Saved by: lock NAME.lock, unique temp, write, fsync, link of the previous generation to NAME.1
 * (and .1 to .2), rename, fsync of the directory. An acknowledged save survives any crash. */
#ifndef CORE_STATE_STATE_FILE_H
#define CORE_STATE_STATE_FILE_H

#include "core/base/json.h"
#include "core/world/world.h"

enum state_file_condition {
    STATE_FILE_GOOD,    /* checksum right */
    STATE_FILE_MISSING, /* no such file */
    STATE_FILE_EDITED,  /* a JSON object, but stamp or checksum missing or off: somebody's hand */
    STATE_FILE_DAMAGED, /* no JSON object */
};

struct state_file { /* owned by the caller: state_file_release() */
    enum state_file_condition condition;
    int64_t journal_seq; /* of the stamp; -1 unless good */
    cJSON *tree;         /* the whole object, stamp included; NULL if missing or damaged */
};

/* Generations kept beside the current one. */
#define STATE_FILE_GENERATIONS 2

/* Saves members ("\"a\":1,\"b\":[]", no outer braces; may be ""). ERR_IO, ERR_NO_SPACE, ERR_LOCKED:
 * then the old document stands; only when the last step, the fsync of the directory, fails may the
 * new one stand, whole. A damaged document does not become a generation. Tells EVENT_DOCUMENT. */
enum err_code state_file_save(struct world *world, const char *name, int64_t journal_seq,
                              const char *members, struct err *err) MUST_USE;
struct lease;
/* The same by the holder of a lease (NULL: nobody else can have it). ERR_LOCKED, and the document of its
 * successor stands, if this process lost it, however long it hung on the way. */
enum err_code state_file_save_held(struct world *world, struct lease *lease, const char *name,
                                   int64_t journal_seq, const char *members,
                                   struct err *err) MUST_USE;
/* Loads generation 0 (current), 1 or 2. A bad file is a condition, not an error; ERR_IO is one. */
enum err_code state_file_load(struct world *world, const char *name, int generation,
                              struct state_file *out, struct err *err) MUST_USE;
void state_file_release(struct state_file *file);
/* Atomic and never fsynced: for views and metrics, from which nobody recovers. */
enum err_code state_file_publish(struct world *world, const char *name, const char *bytes, size_t n,
                                 struct err *err) MUST_USE;
/* Removes temporary files that a dead process left in a folder, "" for the state directory itself. Only for
 * the one process that may write documents (lease_acquire() calls it). */
enum err_code state_file_sweep(struct world *world, const char *folder, struct err *err) MUST_USE;
/* Reads a whole file of at most limit bytes into out. ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
enum err_code state_file_read(struct disk *disk, const char *name, size_t limit, struct text *out,
                              struct err *err) MUST_USE;

#endif
