/* causes.h - why the core may not do everything: modes, and the causes that demand them.
 *
 * The effective mode is the highest any cause demands. A cause is *latched* (only causes_clear() with
 * a name and a reason ends it) or *while-true* (the mechanism that holds it lets go). No path but
 * causes_clear() lowers the set of latched causes: latches in force are the union of the journal and
 * every readable generation of governor_freezes.json, less journaled clears. A hand edit of the
 * document can set a latch, never clear one; an unreadable document is itself a latch. Names that nobody
 * knows are a hand's, and hold, but damage can invent them by the dozen: beyond four they hold together, as
 * the one cause "unknown_causes". */
#ifndef CORE_RISK_CAUSES_H
#define CORE_RISK_CAUSES_H

#include "core/health/log.h"
#include "core/state/inbox.h"
#include "core/state/journal.h"
#include "core/state/lease.h"

enum mode { MODE_NORMAL, MODE_CAUTION, MODE_REDUCE_ONLY, MODE_HALT };
const char *mode_word(enum mode mode);

#define CAUSES_MAX 64
#define FREEZES_DOCUMENT "governor_freezes.json"

/* The mechanism behind a cause; what people name themselves is an operator's freeze. Static storage. */
const char *cause_mechanism(const char *cause);

struct cause {
    char name[INBOX_CAUSE_MAX];
    enum mode mode;
    bool is_latched;
    struct utc since;
    int64_t seq; /* journal row that set it; 0 if the journal could not take it */
    char by[48];
    char why[200];
};

struct causes {
    struct world *world;     /* borrowed, as the next three */
    struct journal *journal; /* NULL while it cannot be opened */
    struct lease *lease;     /* of the state directory; NULL: nobody else can have it */
    struct log *log;
    struct cause items[CAUSES_MAX];
    size_t count;
    struct cleared {
        char name[INBOX_CAUSE_MAX];
        int64_t seq; /* journal row of the last clear of this cause */
    } cleared[CAUSES_MAX];
    size_t
        cleared_next; /* a ring: the oldest clears are forgotten, which only sets latches again */
    bool was_documented;  /* the document has existed */
    bool is_dirty;        /* the document is behind the set */
    bool is_loading;      /* generations are being read: nothing is saved until all were */
    int64_t failed_saves; /* since the start */
    enum err_code saved;  /* how the last save ended; a failure is told once until one works */
    struct text shown;    /* bytes of the document as last saved */
};

void causes_init(struct causes *causes, struct world *world, struct log *log);
void causes_release(struct causes *causes);
/* Folds latch_set, latch_clear and document rows. */
enum err_code causes_fold(struct causes *causes, const struct journal_row *row,
                          struct err *err) MUST_USE;
/* Reads every generation of the document and latches what it demands. Once after the fold. */
void causes_load(struct causes *causes);
/* Looks at the document again (each tick, each last look): a change by another hand latches. */
void causes_verify(struct causes *causes);

/* Latches: journaled and committed, then the document. Holds in memory even if neither works. Setting
 * a set cause again only raises its mode. */
void causes_latch(struct causes *causes, const char *name, enum mode mode, const char *by,
                  const char *why);
/* Journals latched causes that the journal could not take when they were set. */
void causes_renote(struct causes *causes);
/* Ends one latched cause. ERR_NOT_FOUND; ERR_IO when it cannot be journaled: then it stays. */
enum err_code causes_clear(struct causes *causes, const char *name, const char *by, const char *why,
                           struct err *err) MUST_USE;
/* While-true causes: hold and let go, told once each. */
void causes_hold(struct causes *causes, const char *name, enum mode mode, const char *why);
void causes_let_go(struct causes *causes, const char *name);

bool causes_has(const struct causes *causes, const char *name);
enum mode causes_mode(const struct causes *causes);
/* The newest journal row that latched one of the causes; 0 if none did. */
int64_t causes_newest_row(const struct causes *causes);
/* Writes the document if the set changed; nothing once another process has the state directory. */
void causes_save(struct causes *causes);
/* {"name":{"active":true,...},...} members. */
void causes_print(const struct causes *causes, struct text *out);

#endif
