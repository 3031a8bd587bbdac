/* restore.h - a journal made anew from the copies in backups/, where the state directory's own is missing
 * or damaged. For an operator's command, with no core running.
 *
 * Only the journal: documents follow from it, and a core that finds one missing or damaged must see that. As
 * copies end before the journal did, what was latched since may be lost: the new journal begins its life with
 * a latch, state_regression, REDUCE_ONLY, which an operator ends once he has looked at the broker. Documents
 * that are still there add theirs. */
#ifndef CORE_STATE_RESTORE_H
#define CORE_STATE_RESTORE_H

#include "core/state/journal.h"
#include "core/state/lease.h"

#define RESTORE_DAMAGED                                                                            \
    JOURNAL_FILE ".damaged" /* where a damaged journal goes, its log beside it */

#define RESTORE_UNFINISHED "journal.restored.db" /* there while a restore moves files */

/* Puts the journal in place; *rows: how many the copies had. The damaged one is kept under RESTORE_DAMAGED.
 * ERR_EXISTS: the journal is good, or RESTORE_DAMAGED is there from before; ERR_NOT_FOUND: no copy begins at
 * the first row; ERR_CORRUPT: a copy that is whole disagrees with those before it; ERR_IO. On failure the
 * journal is what it was, or moved in part and to be restored again: see restore_check(). */
enum err_code restore_journal(struct world *world, struct lease *lease, int64_t *rows,
                              struct err *err) MUST_USE;

/* ERR_CORRUPT if an attempt died before its end: the old journal may lack its log by then. Asked before a
 * journal is opened. */
enum err_code restore_check(struct world *world, struct err *err) MUST_USE;

#endif
