/* test_rewind.c - what is as it was behind a return, what is kept, and how it ends. Each test runs in a
 * child, for who marks a moment ends with it. */
#include "scenarios/rewind.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
};

static int global = 1;

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
    kept->returned = rewind_mark(rewind);
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

Test(rewind, all_that_was_written_is_as_it_was) {
    struct rewind_pages *pages = rewind_learn(false);
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(live, pages, kept), 0);
    cr_expect_eq(kept->seen, RETURNS + 1);
    cr_expect_eq(kept->returned, RETURNS);
    cr_expect_eq(kept->wrong, 0);
}

Test(rewind, what_is_learnt_spares_copies) {
    struct rewind_pages *pages = rewind_learn(false);
    struct kept *first = rewind_keep(sizeof *first);
    struct kept *second = rewind_keep(sizeof *second);
    cr_expect_eq(status_of(live, pages, first), 0);
    cr_expect_eq(status_of(live, pages, second), 0);
    cr_expect_eq(second->wrong, 0);
    cr_expect_eq(second->seen, RETURNS + 1);
#if !defined(__SANITIZE_ADDRESS__)
    cr_expect_lt(second->copies, RETURNS, "%d copies", second->copies);
    cr_expect_leq(second->copies, first->copies);
#endif
}

Test(rewind, by_forks_each_return_is_a_copy) {
    struct rewind_pages *pages = rewind_learn(true);
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
    (void)rewind_mark(rewind);
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
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(grow, rewind_learn(false), kept), 0);
    cr_expect_eq(kept->seen, RETURNS + 1);
    cr_expect_eq(kept->wrong, 0);
}

static void crash(struct rewind_pages *pages, struct kept *kept) {
    struct rewind *rewind = rewind_create(pages);
    (void)rewind_mark(rewind);
    if (kept->seen++ == 2) {
        (void)raise(SIGKILL);
    }
    rewind_back(rewind);
}

Test(rewind, it_ends_as_the_copy_that_did_not_end_well) {
    struct kept *kept = rewind_keep(sizeof *kept);
    const int status = status_of(crash, rewind_learn(false), kept);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_expect_eq(kept->seen, 3);
}

static void leave(struct rewind_pages *pages, struct kept *kept) {
    (void)rewind_mark(rewind_create(pages));
    kept->seen++;
    _exit(7);
}

Test(rewind, a_copy_that_leaves_with_an_error_is_no_return) {
    struct kept *kept = rewind_keep(sizeof *kept);
    const int status = status_of(leave, rewind_learn(false), kept);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    cr_expect_eq(kept->seen, 1);
}
