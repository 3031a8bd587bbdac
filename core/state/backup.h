/* backup.h - verified copies of what the state directory holds, in its folder backups/.
 *
 * A copy is one file, NUMBER-UTC-THING, written once and never again: under a temporary name, synced, read
 * back, held against its checksum, renamed, its folder synced. What fails that check is thrown away, so that
 * bad bytes become no copy, and a copy replaces none. NUMBER rises by one a round whatever the wall shows,
 * and what is older than what goes by it.
 *
 * Things: each document as it stands, or where that is damaged its newest good generation; and the journal in
 * pieces "journal-AFTER.json", documents themselves, with its rows behind row AFTER, their order and content
 * checked by the chain as they are read. The journal only grows: a later copy of a piece holds all of an
 * earlier, and a piece of BACKUP_PIECE_BYTES is followed by the next. All pieces stay, each in its newest two
 * copies; of a document as many as the caller says. Older ones go only behind a new one that is durable.
 *
 * Nothing here is read back into a running core, so no copy can relax a latch. */
#ifndef CORE_STATE_BACKUP_H
#define CORE_STATE_BACKUP_H

#include "core/base/json.h"
#include "core/state/journal.h"
#include "core/state/lease.h"

#define BACKUP_FOLDER "backups"
#define BACKUP_PIECE_BYTES ((size_t)256 << 10)
#define BACKUP_STAMP_MAX 17 /* 20220315T143000Z and its NUL */
#define BACKUP_DAYS 8       /* of the stamp: its day */

struct backup_name { /* of a copy, taken apart */
    int64_t number;
    char stamp[BACKUP_STAMP_MAX];
    char thing[DISK_NAME_MAX];
};

/* Takes a name in backups/ apart; false if it is none of a copy (a stranger's, a temporary one). */
bool backup_name_parse(const char *name, struct backup_name *out);

/* The row behind which a piece of the journal begins; -1: the thing is no piece. */
int64_t backup_piece_after(const char *thing);
/* Reads a copy, by its name in backups/, and checks it; its tree is owned by the caller. ERR_CORRUPT, ERR_IO. */
enum err_code backup_read_piece(struct disk *disk, const char *name, cJSON **out,
                                struct err *err) MUST_USE;

struct backup_kept { /* how many copies of a document stay */
    int64_t newest;  /* this many, at least one */
    int64_t days;    /* and of this many days the last of each */
};

struct backup { /* owns the piece it prints */
    struct world *world;
    struct lease *lease; /* NULL: nobody else can have it */
    struct journal *journal;
    int64_t number;      /* of the newest round here */
    struct utc made_at;  /* of the newest piece of the journal, by the wall then; {0}: none */
    int64_t after;       /* row behind which the current piece begins */
    int64_t copied;      /* last row in a copy */
    size_t piece_bytes;  /* of the current piece's newest copy */
    char chain[17];      /* at row copied; "": not known */
    bool is_behind;      /* the copies know rows that the journal does not have, or has otherwise */
    struct text content; /* of what is copied now */
    struct text again;   /* the same, read back */
};

/* Makes the folder, sweeps what a dead process left half done, and finds what is there. The journal is open;
 * lease and journal outlive it. ERR_IO: the next call tries again. */
enum err_code backup_open(struct backup *backup, struct world *world, struct lease *lease,
                          struct journal *journal, struct err *err) MUST_USE;
void backup_release(struct backup *backup);

/* A new number for the copies to come. */
void backup_begin(struct backup *backup);
/* Number of documents; and the name of one, below that. */
size_t backup_documents(void);
const char *backup_document(size_t index);
/* Copies a document. ERR_NOT_FOUND: there is none; ERR_CORRUPT: none of its generations can be read and is good; ERR_LOCKED:
 * the lease was lost; ERR_IO, ERR_NO_SPACE. */
enum err_code backup_copy_document(struct backup *backup, const char *document,
                                   const struct backup_kept *kept, struct err *err) MUST_USE;
/* Copies the next piece of the journal; *is_whole: no row is left. Errors as above. */
enum err_code backup_copy_journal(struct backup *backup, bool *is_whole, struct err *err) MUST_USE;

#endif
