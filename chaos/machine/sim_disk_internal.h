/* sim_disk_internal.h - the parts of the simulated disk, for sim_*.c of this folder only.
 *
 * sim_inode.c bytes and their undo log; sim_lost.c pages that a failed sync lost; sim_names.c names
 * and their log; sim_age.c what the kernel writes back by itself; sim_known.c what anybody may see;
 * sim_disk.c the seam; sim_crash.c the power cut; sim_hash.c what a power cut could
 * tell apart; sim_image.c what stage and operator do. */
#ifndef CHAOS_MACHINE_SIM_DISK_INTERNAL_H
#define CHAOS_MACHINE_SIM_DISK_INTERNAL_H

#include "chaos/machine/sim_disk.h"
#include "core/base/random.h"

#define NO_INODE (-1)
#define NO_HANDLE (-1)

struct change { /* one un-synced change of a file's bytes */
    bool is_truncate;
    size_t offset;   /* of the write; the new size of a truncate */
    size_t n;        /* bytes written */
    size_t old_size; /* of the file before */
    size_t undo_at;  /* where in the undo bytes the overwritten ones are: [offset, ...) */
    size_t undo_n;   /* 0: it wrote what was there, or behind the end */
    struct utc at;   /* of when; UTC_NEVER: gets no older */
};

#define INODE_PAGE 4096

struct lost_page { /* clean for the kernel, and not on the platter: a sync of it failed */
    size_t page;
    uint8_t platter[INODE_PAGE]; /* what a power cut brings back */
};

struct inode {
    uint8_t *bytes; /* owned, kept for reuse, like every array here */
    size_t size, cap;
    struct change *changes;
    size_t change_count, change_cap;
    uint8_t *undo;
    size_t undo_len, undo_cap;
    uint64_t *page_hash; /* of the present bytes; 0: to be computed */
    size_t page_count, page_cap;
    struct lost_page *lost;
    size_t lost_count, lost_cap;
    bool is_known;   /* somebody has read from it */
    bool matters;    /* of the crash that is being decided: a known name will mean it */
    unsigned mark;   /* scratch of sim_disk_hash() and sim_disk_crash() */
    unsigned refs;   /* names (present and durable), changes of names, handles */
    int lock_handle; /* who holds the lock, or NO_HANDLE */
};

enum name_change_kind { NAME_LINK, NAME_UNLINK, NAME_RENAME };

struct name_change {
    enum name_change_kind kind;
    int inode;     /* NO_INODE for an unlink */
    bool is_kept;  /* of the crash that is being decided */
    struct utc at; /* of when; UTC_NEVER: gets no older */
    char name[DISK_NAME_MAX];
    char to[DISK_NAME_MAX]; /* rename only */
    uint64_t hashes[2];     /* of name and to */
};

struct entry { /* what a name means, now and after a power cut */
    char name[DISK_NAME_MAX];
    uint64_t hash; /* of the name */
    int present;
    int durable;
};

struct known { /* a name that somebody has read from, or looked for in vain */
    uint64_t hash;
    bool
        is_settled; /* of the crash that is being decided: a change that is kept says what it means */
    int inode;      /* if so, this */
};

struct handle {
    int inode;
    unsigned port;
    int generation;
    bool is_open, can_write, appends, is_lock, has_read;
    uint64_t name; /* hash of that it was opened by */
};

struct port {
    struct disk seam; /* first: the seam's pointer is ours */
    struct sim_disk *disk;
    unsigned number;
};

#define FOLDERS_MAX 64

struct sim_disk {
    struct port ports[SIM_DISK_PORTS_MAX];
    struct disk_rules rules;
    struct virtual_clock *clock; /* may be NULL */
    struct random costs;
    struct utc oldest; /* no un-synced change that may get old is older; UTC_NEVER: none */
    struct inode *inodes;
    size_t inode_count, inode_cap;
    struct entry *entries; /* in byte order of names */
    size_t entry_count, entry_cap;
    struct name_change *changes; /* oldest first */
    size_t change_count, change_cap;
    struct known *known; /* in the order in which they became so: thousands in a long run */
    size_t known_count, known_cap;
    size_t *known_slots; /* index + 1 by hash, 0: free; more than twice as many as there are */
    size_t known_slot_count;
    uint64_t
        *unseen; /* hashes of names whose fate the last power cut took for one that nobody sees */
    size_t unseen_count, unseen_cap;
    struct handle handles[SIM_DISK_HANDLES_MAX];
    char folders[FOLDERS_MAX][DISK_NAME_MAX];
    size_t folder_count;
};

/* Grows an owned array geometrically to at least `need` elements; aborts when out of memory. */
void *sim_grow(void *array, size_t *cap, size_t need, size_t element_size);

/* --- sim_inode.c --- */
int inode_create(struct sim_disk *disk);
static inline struct inode *inode_at(const struct sim_disk *disk, int inode) {
    return &disk->inodes[inode];
}
void inode_ref(struct sim_disk *disk, int inode);
void inode_unref(struct sim_disk *disk, int inode); /* the last one frees the bytes for reuse */
/* Changes without a log (redo), and with one. */
void inode_put(struct inode *inode, const void *bytes, size_t n, size_t offset);
void inode_set_size(struct inode *inode, size_t size);
void inode_write(struct inode *inode, const void *bytes, size_t n, size_t offset, struct utc at);
void inode_truncate(struct inode *inode, size_t size, struct utc at);
/* The pages of [from, to) are no longer what they were when they were hashed. */
void inode_touch(struct inode *inode, size_t from, size_t to);
/* All changes are durable, or the oldest n, but for pages lost before and not written since. */
void inode_sync(struct inode *inode);
void inode_write_back(struct inode *inode, size_t n);
/* The log is gone; what is present is what is durable, but for lost pages. */
void inode_forget(struct inode *inode);
/* Takes back the newest `change`. */
void inode_undo(struct inode *inode, const struct change *change);
/* The durable bytes, put into out (cleared first). */
void inode_durable(const struct inode *inode, struct text *out);

/* --- sim_lost.c --- */
/* A sync failed: the kernel drops the changes' pages, and believes them clean. */
void inode_lose(struct inode *inode);
/* The pages of the oldest n logged writes were written after all. */
void inode_lost_rewrite(struct inode *inode, size_t n);
/* Puts the platter's bytes where pages were lost; of all lost pages or, after a truncate, forgets
 * those beyond the end. */
void inode_lost_show(const struct inode *inode, struct inode *onto);
void inode_lost_cut(struct inode *inode);

/* --- sim_age.c --- */
/* The instant of a change made now. */
struct utc age_of_change(struct sim_disk *disk);
/* What is old by now is durable. Called before anything looks at the log or adds to it. */
void age(struct sim_disk *disk);
/* Changes were synced that had kept others back. */
void age_again(struct sim_disk *disk);

/* --- sim_known.c --- */
uint64_t name_hash(const char *name);
/* NULL: not known. */
struct known *known_find(const struct sim_disk *disk, uint64_t hash);
void know(struct sim_disk *disk, uint64_t hash);
/* To decide a crash, from the newest change of a name to the oldest: begin; ask whether anybody may see one;
 * if it is kept, settle. Then `matters` of each inode is set. */
void known_begin(struct sim_disk *disk);
bool known_sees(const struct sim_disk *disk, const struct name_change *change);
void known_settle(struct sim_disk *disk, const struct name_change *change);
void known_end(struct sim_disk *disk);
/* It is decided: remembers what was taken for unseen. */
void known_guess(struct sim_disk *disk);

/* --- sim_names.c --- */
bool name_is_valid(const char *name);
bool folder_exists(const struct sim_disk *disk, const char *folder);
bool folder_of_exists(const struct sim_disk *disk, const char *name);
void folder_add(struct sim_disk *disk, const char *folder);
/* The entry of a name, or NULL. */
struct entry *entry_find(const struct sim_disk *disk, const char *name);
/* Index of the first entry not before a name. */
size_t entry_lower_bound(const struct sim_disk *disk, const char *name);
int name_present(const struct sim_disk *disk, const char *name);
/* Sets a meaning; NO_INODE for none. */
void name_set_present(struct sim_disk *disk, const char *name, int inode);
void name_set_durable(struct sim_disk *disk, const char *name, int inode);
/* Changes with a log. */
void names_link(struct sim_disk *disk, const char *name, int inode);
void names_unlink(struct sim_disk *disk, const char *name);
void names_rename(struct sim_disk *disk, const char *from, const char *to);
/* Makes one logged change durable (the log is left alone), the oldest n, all of one folder. */
void names_apply(struct sim_disk *disk, const struct name_change *change);
void names_commit(struct sim_disk *disk, size_t n);
void names_commit_folder(struct sim_disk *disk, const char *folder);
/* They get no older. */
void names_hold_folder(struct sim_disk *disk, const char *folder);
/* All up to the newest that gives the inode a name. */
void names_commit_inode(struct sim_disk *disk, int inode);
/* Forgets the log; then the present is what is durable. */
void names_forget(struct sim_disk *disk);

/* --- sim_hash.c --- */
uint64_t sim_disk_hash_known(struct sim_disk *disk);

/* --- sim_disk.c --- */
void handle_release(struct sim_disk *disk, struct handle *handle);

#endif
