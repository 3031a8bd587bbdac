/* journal.h - the authority for everything that has a history: an append-only table in SQLite.
 *
 * Rows are (seq, at, kind, key, body as JSON, chain): chain is hash64 of the row chained to the row
 * before, verified from the first row at every open. WAL, locking_mode=EXCLUSIVE, synchronous=FULL
 * on our own VFS over struct disk, in every mode. Only the core opens it. Appends collect in one
 * transaction; nothing counts until journal_commit() returned ERR_OK. An errored COMMIT is in doubt:
 * journal_commit() looks it up itself and returns ERR_OK if the rows are there. Committed rows are
 * told to the world's observer as EVENT_ROW, in order, after the commit. */
#ifndef CORE_STATE_JOURNAL_H
#define CORE_STATE_JOURNAL_H

#include "core/base/text.h"
#include "core/world/world.h"

#define JOURNAL_FILE "journal.db" /* of a state directory; SQLite keeps JOURNAL_WAL beside it */
#define JOURNAL_WAL JOURNAL_FILE "-wal"

struct journal;
struct lease;

struct journal_row { /* borrowed for the visit */
    int64_t seq;
    struct utc at;
    const char *kind; /* "intent", "order", "latch_set", ... */
    const char *key;  /* what it is about: client order id, cause, symbol; may be "" */
    const char *body; /* one JSON object */
};

typedef enum err_code journal_visit(void *context, const struct journal_row *row, struct err *err);

/* Told every row as it becomes durable, in order, behind its commit; may not touch the journal. */
typedef void journal_hear(void *context, const struct journal_row *row);

/* Opens (or creates) the journal `name`, verifies format and chain. ERR_CORRUPT names the first bad
 * row and the remedy; ERR_LOCKED if the lease is another's by now; ERR_IO. Every file is opened, then the
 * lease confirmed, then written. NULL: somebody else sees to it that nobody trades here. world and lease
 * outlive the journal. */
enum err_code journal_open(struct world *world, const char *name, struct lease *lease,
                           struct journal **out, struct err *err) MUST_USE;
/* Rolls back what is not committed and frees; never fails, also on a dead disk. NULL is fine. */
void journal_close(struct journal *journal);
/* True if journal_open() found no file and made one. */
bool journal_is_new(const struct journal *journal);
/* Number of the last committed row; 0 when empty. */
int64_t journal_last_seq(const struct journal *journal);
/* Rows appended and not yet committed. */
int journal_pending(const struct journal *journal);
/* Adds a row to the pending transaction; *seq (may be NULL) gets its number. On ERR_IO or
 * ERR_NO_SPACE the whole pending transaction is rolled back. */
enum err_code journal_append(struct journal *journal, const char *kind, const char *key,
                             const char *body, int64_t *seq, struct err *err) MUST_USE;
/* The same of an instant that is past: a row that is put back. */
enum err_code journal_append_at(struct journal *journal, struct utc at, const char *kind,
                                const char *key, const char *body, int64_t *seq,
                                struct err *err) MUST_USE;
/* Makes pending rows durable; nothing pending is ERR_OK. On failure none of them is. */
enum err_code journal_commit(struct journal *journal, struct err *err) MUST_USE;
/* From now on `hear` is told each committed row; one listener, which outlives the journal. */
void journal_listen(struct journal *journal, journal_hear *hear, void *context);
/* Visits committed rows with seq > after, in order; stops at the first error and returns it. */
enum err_code journal_read(struct journal *journal, int64_t after, journal_visit *visit,
                           void *context, struct err *err) MUST_USE;

struct journal_end { /* where rows end, and what the chain is there */
    int64_t seq;
    char chain[17];
};

/* Prints committed rows with seq > after, checked as they are read, as [seq,"at","kind","key","body"] with
 * commas between, until out (cleared first) holds `enough` bytes or there are no more. ERR_CORRUPT, ERR_IO. */
enum err_code journal_print(struct journal *journal, int64_t after, size_t enough, struct text *out,
                            struct journal_end *end, struct err *err) MUST_USE;
/* The chain at a committed row. ERR_NOT_FOUND beyond the last. */
enum err_code journal_end_at(struct journal *journal, int64_t seq, struct journal_end *end,
                             struct err *err) MUST_USE;

#endif
