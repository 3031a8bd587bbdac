/* rewind.c - which pages a copy has written to, and what was in them. */
#include "scenarios/rewind.h"

#include "core/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096
#define REGIONS_MAX 512
#define MAPS_MAX ((size_t)256 * 1024)
#define STACK_SIZE ((size_t)64 * 1024)
#define ENTRIES 512             /* of /proc/self/pagemap, read at once */
#define SLOTS ((size_t)1 << 20) /* for addresses of pages; two in one slot are both learnt */
/* Documentation/admin-guide/mm/pagemap.rst. A page that is neither here nor swapped out reads as zeros, or as
 * the file. One that is here, is of no file, and that the process of the moment does not have too, is
 * a copy: it was written to. */
#define ENTRY_HERE (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_OF_FILE (UINT64_C(1) << 61)
#define ENTRY_ONLY_OURS (UINT64_C(1) << 56)

struct rewind_pages {
    bool by_forks;
    unsigned char is_written[SLOTS];
};

struct region { /* that can be written to, and is nobody's but ours */
    uintptr_t from, to;
    size_t first; /* its first page, of all pages */
    bool is_file; /* what is not here yet is not empty */
};

/* What a page was at the moment: empty, full, or saved as number PAGE_SAVED + n. */
enum { PAGE_EMPTY, PAGE_FULL, PAGE_SAVED };

struct written { /* a page to be put back */
    char *content;
    uint32_t page;
};

/* In shared mappings, as all that hangs on it: not part of what is put back. */
struct rewind {
    struct rewind_pages *pages;
    bool is_back; /* at the moment, not there for the first time */
    bool has_forked;
    bool is_beyond; /* a page was written to that was not saved */
    int pagemap;
    uintptr_t break_at; /* end of the heap */
    struct region region[REGIONS_MAX];
    size_t region_count, page_count, saved_count;
    size_t room;             /* pages, in each of the next three */
    uint32_t *page;          /* what each was */
    char *saved;             /* those pages, in their order */
    struct written *written; /* since the process was forked */
    size_t written_count;
    ucontext_t moment, way_back;
    char maps[MAPS_MAX];
    char stack[STACK_SIZE]; /* of way_back, which overwrites the one in use */
};

void *rewind_keep(size_t size) {
    void *kept = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(kept != MAP_FAILED);
    return kept;
}

pid_t rewind_fork(void) {
    const pid_t parent = getpid();
    const pid_t pid = _Fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        if (getppid() != parent) {
            _exit(0);
        }
    }
    return pid;
}

/* --- whether it can be done --- */

static int open_pagemap(void) {
    return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

static uint64_t entry_of(const void *page) {
    uint64_t entry = 0;
    const int fd = open_pagemap();
    const off_t at = (off_t)((uintptr_t)page / PAGE * sizeof entry);
    const bool is_read = fd >= 0 && pread(fd, &entry, sizeof entry, at) == (ssize_t)sizeof entry;
    if (fd >= 0) {
        close(fd);
    }
    return is_read ? entry : 0;
}

static bool is_written(uint64_t entry) {
    const uint64_t ours = ENTRY_HERE | ENTRY_ONLY_OURS;
    return (entry & ENTRY_SWAPPED) != 0 || ((entry & ours) == ours && (entry & ENTRY_OF_FILE) == 0);
}

/* With which it ended. */
static int status_of(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        CHECK(errno == EINTR);
    }
    return status;
}

/* Tried: a page of two processes is written to by one of them. */
static bool does_kernel_tell(void) {
    volatile char *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    page[0] = 1;
    const bool is_told_before = is_written(entry_of((const void *)page));
    const pid_t pid = _Fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        const bool is_told_early = is_written(entry_of((const void *)page));
        page[0] = 2;
        _exit(!is_told_early && is_written(entry_of((const void *)page)) ? 0 : 1);
    }
    const int status = status_of(pid);
    (void)munmap((void *)page, PAGE);
    return is_told_before && status == 0;
}

/* The shadow of a sanitizer is as large as the address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED false
#endif

struct rewind_pages *rewind_pages_create(bool by_forks) {
    struct rewind_pages *pages = rewind_keep(sizeof *pages);
    pages->by_forks =
        by_forks || IS_SANITIZED || sysconf(_SC_PAGESIZE) != PAGE || !does_kernel_tell();
    return pages;
}

void rewind_pages_destroy(struct rewind_pages *pages) {
    CHECK(munmap(pages, sizeof *pages) == 0);
}

bool rewind_puts_back(const struct rewind_pages *pages) {
    return !pages->by_forks;
}

struct rewind *rewind_create(struct rewind_pages *pages) {
    struct rewind *rewind = rewind_keep(sizeof *rewind);
    rewind->pages = pages;
    if (!pages->by_forks) {
        rewind->pagemap = open_pagemap();
        CHECK(rewind->pagemap >= 0); /* it could be a moment ago */
    }
    return rewind;
}

/* --- what is mapped --- */

static void read_maps(struct rewind *rewind) {
    size_t size = 0;
    ssize_t n = 0;
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    while ((n = read(fd, rewind->maps + size, MAPS_MAX - 1 - size)) > 0) {
        size += (size_t)n;
    }
    CHECK(n == 0 && size < MAPS_MAX - 1);
    close(fd);
    rewind->maps[size] = '\0';
}

static void add_region(struct rewind *rewind, struct region region) {
    CHECK(rewind->region_count < REGIONS_MAX);
    region.first = rewind->page_count;
    rewind->page_count += (region.to - region.from) / PAGE;
    rewind->region[rewind->region_count++] = region;
}

/* Lines of "from-to rw-p offset device inode name". Of the stack only what is in use counts. */
static void find_regions(struct rewind *rewind, uintptr_t stack_from) {
    rewind->region_count = 0;
    rewind->page_count = 0;
    read_maps(rewind);
    for (char *at = rewind->maps; *at != '\0'; at = strchr(at, '\n') + 1) {
        const uintptr_t from = strtoul(at, &at, 16);
        const uintptr_t to = strtoul(at + 1, &at, 16);
        const bool is_ours = memcmp(at, " rw-p", 5) == 0;
        const bool is_stack = from <= stack_from && stack_from < to;
        at = strchr(at + 1, ' ');   /* behind what may be done with it */
        (void)strtoul(at, &at, 16); /* the offset */
        at = strchr(at + 1, ' ');   /* behind the device */
        const bool is_file = strtoul(at, &at, 10) != 0;
        if (is_ours) {
            add_region(rewind, (struct region){.from = is_stack ? stack_from : from,
                                               .to = to,
                                               .is_file = is_file});
        }
    }
}

/* --- page by page --- */

static unsigned char *learnt(const struct rewind *rewind, const char *content) {
    return &rewind->pages->is_written[(uintptr_t)content / PAGE % SLOTS];
}

typedef void page_visitor(struct rewind *rewind, const struct region *region, size_t page,
                          uint64_t entry);

static char *content_of(const struct region *region, size_t page) {
    return (char *)region->from + (page - region->first) * PAGE;
}

static void visit_some(struct rewind *rewind, const struct region *region, size_t first,
                       size_t count, page_visitor *visit) {
    uint64_t entries[ENTRIES];
    const size_t size = count * sizeof entries[0];
    const off_t at = (off_t)((uintptr_t)content_of(region, first) / PAGE * sizeof entries[0]);
    CHECK(pread(rewind->pagemap, entries, size, at) == (ssize_t)size);
    for (size_t i = 0; i < count; i++) {
        visit(rewind, region, first + i, entries[i]);
    }
}

static void visit_pages(struct rewind *rewind, page_visitor *visit) {
    for (size_t i = 0; i < rewind->region_count; i++) {
        const struct region *region = &rewind->region[i];
        const size_t count = (region->to - region->from) / PAGE;
        for (size_t k = 0; k < count; k += ENTRIES) {
            const size_t some = count - k < ENTRIES ? count - k : ENTRIES;
            visit_some(rewind, region, region->first + k, some, visit);
        }
    }
}

/* What is a copy already was written to by who knows whom, and may be again. */
static void save_page(struct rewind *rewind, const struct region *region, size_t page,
                      uint64_t entry) {
    const char *content = content_of(region, page);
    const bool is_full = region->is_file || (entry & (ENTRY_HERE | ENTRY_SWAPPED)) != 0;
    rewind->page[page] = is_full ? PAGE_FULL : PAGE_EMPTY;
    if (is_full && (is_written(entry) || *learnt(rewind, content) != 0)) {
        memcpy(rewind->saved + rewind->saved_count * PAGE, content, PAGE);
        rewind->page[page] = (uint32_t)(PAGE_SAVED + rewind->saved_count++);
    }
}

static char *saved_of(const struct rewind *rewind, uint32_t page) {
    return rewind->saved + (size_t)(page - PAGE_SAVED) * PAGE;
}

/* An empty page need not have been known: it reads as zeros. */
static void look_at_page(struct rewind *rewind, const struct region *region, size_t page,
                         uint64_t entry) {
    char *content = content_of(region, page);
    const uint32_t was = rewind->page[page];
    if (is_written(entry)) {
        *learnt(rewind, content) = 1;
        rewind->written[rewind->written_count++] = (struct written){content, was};
    }
    const bool is_gone = was != PAGE_EMPTY && entry == 0 && !region->is_file;
    rewind->is_beyond |= is_gone || (was == PAGE_FULL && is_written(entry));
}

/* --- the moment, and the ways back to it --- */

static void *room_for(void *was, size_t had, size_t wanted, size_t size) {
    if (was != NULL) {
        CHECK(munmap(was, had * size) == 0);
    }
    return rewind_keep(wanted * size); /* memory once it is written to */
}

static void make_room(struct rewind *rewind) {
    if (rewind->page_count > rewind->room) {
        const size_t had = rewind->room;
        const size_t wanted = 2 * rewind->page_count;
        rewind->page = room_for(rewind->page, had, wanted, sizeof rewind->page[0]);
        rewind->saved = room_for(rewind->saved, had, wanted, PAGE);
        rewind->written = room_for(rewind->written, had, wanted, sizeof rewind->written[0]);
        rewind->room = wanted;
    }
}

static void __attribute__((noinline)) save(struct rewind *rewind) {
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    rewind->break_at = (uintptr_t)sbrk(0);
    rewind->saved_count = 0;
    find_regions(rewind, frame / PAGE * PAGE);
    make_room(rewind);
    visit_pages(rewind, save_page);
}

/* On a stack of its own, and without a word that lies in what it overwrites. */
static void put_back(unsigned high, unsigned low) {
    struct rewind *rewind = (struct rewind *)(((uintptr_t)high << 32) | low);
    (void)syscall(SYS_brk, rewind->break_at); /* what the heap has grown by is no part of it */
    for (size_t i = 0; i < rewind->written_count; i++) {
        const struct written *written = &rewind->written[i];
        if (written->page == PAGE_EMPTY) {
            memset(written->content, 0, PAGE);
        } else {
            memcpy(written->content, saved_of(rewind, written->page), PAGE);
        }
    }
    CHECK(setcontext(&rewind->moment) == 0); /* does not return */
}

_Noreturn static void go_back(struct rewind *rewind) {
    const uintptr_t self = (uintptr_t)rewind;
    rewind->is_back = true;
    CHECK(getcontext(&rewind->way_back) == 0);
    rewind->way_back.uc_stack = (stack_t){.ss_sp = rewind->stack, .ss_size = sizeof rewind->stack};
    rewind->way_back.uc_link = NULL;
    makecontext(&rewind->way_back, (void (*)(void))put_back, 2, (unsigned)(self >> 32),
                (unsigned)self);
    CHECK(setcontext(&rewind->way_back) == 0); /* does not return */
    _exit(1);
}

void rewind_mark(struct rewind *rewind) {
    if (rewind->pages->by_forks) {
        return; /* the process itself stays here */
    }
    rewind->is_back = false;
    CHECK(getcontext(&rewind->moment) == 0); /* and behind each way back */
    if (!rewind->is_back) {
        save(rewind);
    }
}

bool rewind_set_out(const struct rewind *rewind, int *status) {
    if (!rewind->pages->by_forks) {
        return true;
    }
    const pid_t pid = rewind_fork();
    if (pid != 0) {
        *status = status_of(pid);
    }
    return pid == 0;
}

void rewind_has_forked(struct rewind *rewind) {
    rewind->has_forked = true;
}

void rewind_back(struct rewind *rewind) {
    if (rewind->pages->by_forks || rewind->has_forked || (uintptr_t)sbrk(0) < rewind->break_at) {
        _exit(0);
    }
    rewind->written_count = 0;
    rewind->is_beyond = false;
    visit_pages(rewind, look_at_page);
    if (rewind->is_beyond) {
        _exit(0);
    }
    go_back(rewind);
}
