/* test_rewind.c - what is as it was behind a return, what is kept, and how it ends. Each test runs in a
 * child, for who marks a moment ends with it. */
#include "scenarios/rewind.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RETURNS 5
#define LARGE ((size_t)3 * 1024 * 1024)

struct kept {
    int seen;     /* lives */
    int wrong;    /* lives that found something other than it was */
    int copies;   /* processes that lived */
    pid_t last;   /* of these */
    int returned; /* what rewind_mark() returned last */
    int bad_ends, status;
};

static int global = 1;

/* One more copy is to come. */
static void count_bad_end(void *context, int status) {
    struct kept *kept = context;
    kept->bad_ends++;
    kept->status = status;
}

static void note_copy(struct kept *kept) {
    if (kept->last != getpid()) {
        kept->last = getpid();
        kept->copies++;
    }
}

/* Writes to heap, data and stack; finds them as they were each time. */
static void live(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    char *block = malloc(LARGE);
    char local[3 * 4096];
    cr_assert_not_null(block);
    memset(block, 'h', LARGE);
    memset(local, 's', sizeof local);
    kept->returned = rewind_mark(rewind, count_bad_end, kept);
    note_copy(kept);
    for (size_t i = 0; i < LARGE; i += 4096) {
        kept->wrong += block[i] != 'h';
    }
    for (size_t i = 0; i < sizeof local; i++) {
        kept->wrong += local[i] != 's';
    }
    kept->wrong += global != 1;
    kept->wrong += kept->returned != kept->seen;
    if (kept->seen++ == RETURNS) {
        rewind_end(rewind);
    }
    memset(block, 'x', LARGE);
    memset(local, 'x', sizeof local);
    global = 2;
    char *more = malloc((size_t)kept->seen * 1000);
    cr_assert_not_null(more);
    memset(more, 'm', (size_t)kept->seen * 1000);
    rewind_back(rewind);
}

static int status_of(void (*run)(struct rewind_pages *, struct kept *), struct rewind_pages *pages,
                     struct kept *kept) {
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        run(pages, kept);
        _exit(99);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* All returns were made, and each life found all as it was. */
static struct kept *expect_all_as_it_was(void (*run)(struct rewind_pages *, struct kept *)) {
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(run, rewind_pages_create(false), kept), 0);
    cr_expect_eq(kept->seen, RETURNS + 1);
    cr_expect_eq(kept->wrong, 0);
    return kept;
}

Test(rewind, all_that_was_written_is_as_it_was) {
    cr_expect_eq(expect_all_as_it_was(live)->returned, RETURNS);
}

Test(rewind, what_is_learnt_spares_copies) {
    struct rewind_pages *pages = rewind_pages_create(false);
    struct kept *first = rewind_keep(sizeof *first);
    struct kept *second = rewind_keep(sizeof *second);
    cr_expect_eq(status_of(live, pages, first), 0);
    cr_expect_eq(status_of(live, pages, second), 0);
    cr_expect_eq(second->wrong, 0);
    cr_expect_eq(second->seen, RETURNS + 1);
    if (rewind_puts_back(pages)) {
        cr_expect_lt(second->copies, RETURNS, "%d copies", second->copies);
        cr_expect_leq(second->copies, first->copies);
    }
}

Test(rewind, by_forks_each_return_is_a_copy) {
    struct rewind_pages *pages = rewind_pages_create(true);
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(live, pages, kept), 0);
    cr_expect_eq(kept->copies, RETURNS + 1);
    cr_expect_eq(kept->wrong, 0);
}

/* Grows the heap beyond what there was, and frees what was there. */
static void grow(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    char *block = malloc(LARGE);
    memset(block, 'h', LARGE);
    (void)rewind_mark(rewind, count_bad_end, kept);
    kept->wrong += block[LARGE / 2] != 'h';
    if (kept->seen++ == RETURNS) {
        rewind_end(rewind);
    }
    free(block);
    for (int i = 0; i < 20; i++) {
        char *more = calloc(1, LARGE / 3);
        for (size_t k = 0; more != NULL && k < LARGE / 3; k++) {
            kept->wrong += more[k] != 0;
        }
        memset(more, 'm', LARGE / 3);
    }
    rewind_back(rewind);
}

Test(rewind, a_heap_that_grew_or_was_given_back_is_as_it_was) {
    (void)expect_all_as_it_was(grow);
}

/* A page of a file that nobody has read yet at the moment. */
static void write_to_file_page(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    char name[] = "/tmp/test_rewind.XXXXXX";
    char page[4096];
    const int fd = mkstemp(name);
    memset(page, 'f', sizeof page);
    cr_assert_eq(write(fd, page, sizeof page), (ssize_t)sizeof page);
    unlink(name);
    char *mapped = mmap(NULL, sizeof page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    cr_assert_neq(mapped, MAP_FAILED);
    (void)rewind_mark(rewind, count_bad_end, kept);
    kept->wrong += mapped[100] != 'f';
    if (kept->seen++ == RETURNS) {
        rewind_end(rewind);
    }
    memset(mapped, 'x', sizeof page);
    rewind_back(rewind);
}

Test(rewind, a_page_of_a_file_is_that_of_the_file_again) {
    (void)expect_all_as_it_was(write_to_file_page);
}

static void crash(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    (void)rewind_mark(rewind, count_bad_end, kept);
    if (kept->seen++ == 2) {
        (void)raise(SIGKILL);
    }
    if (kept->seen == RETURNS) {
        rewind_end(rewind);
    }
    rewind_back(rewind);
}

Test(rewind, behind_a_copy_that_crashed_another_goes_on) {
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(crash, rewind_pages_create(false), kept), 0);
    cr_expect_eq(kept->seen, RETURNS);
    cr_expect_eq(kept->bad_ends, 1);
    cr_expect(WIFSIGNALED(kept->status) && WTERMSIG(kept->status) == SIGKILL);
}

/* A copy of a copy still has the pages when the first goes back. */
static void fork_inside(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    char *block = malloc(LARGE);
    memset(block, 'h', LARGE);
    (void)rewind_mark(rewind, count_bad_end, kept);
    kept->wrong += block[LARGE / 2] != 'h';
    if (kept->seen++ == RETURNS) {
        rewind_end(rewind);
    }
    memset(block, 'x', LARGE);
    if (fork() == 0) {
        (void)usleep(50000);
        _exit(0);
    }
    rewind_has_forked(rewind);
    rewind_back(rewind);
}

Test(rewind, who_has_forked_goes_back_as_another) {
    (void)expect_all_as_it_was(fork_inside);
}

/* Neither a return nor the end: it would be tried for ever. */
static void stand_still(struct rewind_pages *pages, struct kept *kept) {
    (void)rewind_mark(rewind_create(pages), count_bad_end, kept);
    kept->seen++;
    _exit(0);
}

Test(rewind, who_just_leaves_is_a_broken_claim) {
    struct kept *kept = rewind_keep(sizeof *kept);
    const int status = status_of(stand_still, rewind_pages_create(false), kept);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_expect_eq(kept->seen, 1);
}
