/* test_rewind.c - what is as it was behind a return, and what is kept; and the crew, which makes another of who
 * cannot return. Each test runs in a child, with a crew of one. */
#include "scenarios/crew.h"
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
    int seen;    /* lives */
    int wrong;   /* lives that found something other than it was */
    int copies;  /* processes that lived */
    pid_t last;  /* of these */
    int went_on; /* those that went along behind the last life */
    int bad_ends;
};

struct errand { /* of the crew: what was done; one that replaces another must find that it grew */
    int done;
};

static int global = 1;

static void note_copy(struct kept *kept) {
    if (kept->last != getpid()) {
        kept->last = getpid();
        kept->copies++;
    }
}

typedef void life(struct kept *kept);

/* Every life once more, until RETURNS have been. */
static void try_all(struct rewind *rewind, struct crew *crew, struct kept *kept, life *live) {
    struct errand *errand = crew_errand(crew);
    int status = 0;
    rewind_mark(rewind);
    while (errand->done < RETURNS) {
        if (rewind_set_out(rewind, &status)) {
            errand->done++;
            kept->seen++;
            note_copy(kept);
            live(kept);
            rewind_back(rewind);
        }
        kept->bad_ends += status != 0;
    }
}

static char *block;
static struct rewind *here; /* that lives are lived with */

/* Writes to heap, data and stack; finds them as they were each time. */
static void write_all_over(struct kept *kept) {
    for (size_t i = 0; i < LARGE; i += 4096) {
        kept->wrong += block[i] != 'h';
    }
    kept->wrong += global != 1;
    memset(block, 'x', LARGE);
    global = 2;
    char *more = malloc((size_t)kept->seen * 1000);
    cr_assert_not_null(more);
    memset(more, 'm', (size_t)kept->seen * 1000);
}

struct test { /* what a crew of one does in a child */
    bool by_forks;
    struct rewind_pages *pages; /* NULL: its own */
    life *live;
    int places;
};

static bool note_bad_end(void *context, void *errand, int status) {
    struct kept *kept = context;
    (void)errand;
    (void)status;
    kept->bad_ends++;
    return true;
}

static void go_along(const struct test *test, struct rewind_pages *pages, struct crew *crew,
                     struct kept *kept) {
    char local[3 * 4096];
    here = rewind_create(pages);
    memset(local, 's', sizeof local);
    for (int place = 1; place <= test->places; place++) {
        if (crew_takes(crew, place)) {
            try_all(here, crew, kept, test->live);
            kept->went_on++;
        }
        for (size_t i = 0; i < sizeof local; i++) {
            kept->wrong += local[i] != 's';
        }
        kept->wrong += global != 1;
        block[0] = 'h'; /* who goes along writes too */
    }
    crew_over(crew);
}

/* The wait status of the child. */
static int status_of(const struct test *test, struct kept *kept) {
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        const struct crew_plan plan = {.size = 1,
                                       .errand_size = sizeof(struct errand),
                                       .news = -1,
                                       .ended_badly = note_bad_end,
                                       .context = kept};
        struct rewind_pages *pages =
            test->pages != NULL ? test->pages : rewind_pages_create(test->by_forks);
        block = malloc(LARGE);
        memset(block, 'h', LARGE);
        struct crew *crew = crew_work(&plan);
        if (crew != NULL) {
            go_along(test, pages, crew, kept);
        }
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* All returns were made, and each life found all as it was. */
static struct kept *expect_all_as_it_was(const struct test *test) {
    struct kept *kept = rewind_keep(sizeof *kept);
    cr_expect_eq(status_of(test, kept), 0);
    cr_expect_eq(kept->seen, RETURNS * test->places);
    cr_expect_eq(kept->went_on, test->places);
    cr_expect_eq(kept->wrong, 0);
    return kept;
}

Test(rewind, all_that_was_written_is_as_it_was) {
    (void)expect_all_as_it_was(&(struct test){.live = write_all_over, .places = 1});
}

Test(rewind, the_next_moment_is_as_the_run_has_come_to_it) {
    (void)expect_all_as_it_was(&(struct test){.live = write_all_over, .places = 4});
}

Test(rewind, what_is_learnt_spares_copies) {
    struct rewind_pages *pages = rewind_pages_create(false);
    const struct test test = {.live = write_all_over, .places = 2, .pages = pages};
    const struct kept *first = expect_all_as_it_was(&test);
    const struct kept *second = expect_all_as_it_was(&test);
    if (rewind_puts_back(pages)) {
        cr_expect_lt(second->copies, RETURNS, "%d copies", second->copies);
        cr_expect_leq(second->copies, first->copies);
    }
}

Test(rewind, by_forks_each_life_is_a_copy) {
    const struct test test = {.live = write_all_over, .places = 2, .by_forks = true};
    cr_expect_eq(expect_all_as_it_was(&test)->copies, 2 * RETURNS);
}

/* Grows the heap beyond what there was, and frees what was there. */
static void grow(struct kept *kept) {
    kept->wrong += block[LARGE / 2] != 'h';
    free(block);
    for (int i = 0; i < 20; i++) {
        char *more = calloc(1, LARGE / 3);
        for (size_t k = 0; more != NULL && k < LARGE / 3; k++) {
            kept->wrong += more[k] != 0;
        }
        memset(more, 'm', LARGE / 3);
    }
}

Test(rewind, a_heap_that_grew_or_was_given_back_is_as_it_was) {
    (void)expect_all_as_it_was(&(struct test){.live = grow, .places = 2});
}

static char *mapped;

static void write_to_file_page(struct kept *kept) {
    kept->wrong += mapped[100] != 'f';
    memset(mapped, 'x', 4096);
}

/* A page of a file that nobody has read yet at the moment. */
Test(rewind, a_page_of_a_file_is_that_of_the_file_again) {
    char name[] = "/tmp/test_rewind.XXXXXX";
    char page[4096];
    const int fd = mkstemp(name);
    memset(page, 'f', sizeof page);
    cr_assert_eq(write(fd, page, sizeof page), (ssize_t)sizeof page);
    unlink(name);
    mapped = mmap(NULL, sizeof page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    cr_assert_neq(mapped, MAP_FAILED);
    (void)expect_all_as_it_was(&(struct test){.live = write_to_file_page, .places = 2});
}

static void crash_once(struct kept *kept) {
    if (kept->seen == 3) {
        (void)raise(SIGKILL);
    }
}

Test(rewind, behind_a_copy_that_crashed_another_goes_on) {
    const struct kept *kept = expect_all_as_it_was(&(struct test){.live = crash_once, .places = 2});
    cr_expect_eq(kept->bad_ends, 1);
}

/* The pages of a copy of a copy look like shared ones for as long as it is there. */
static void fork_inside(struct kept *kept) {
    kept->wrong += block[LARGE / 2] != 'h';
    memset(block, 'x', LARGE);
    if (fork() == 0) {
        (void)usleep(50000);
        _exit(0);
    }
    rewind_has_forked(here);
}

Test(rewind, who_has_forked_goes_back_as_another) {
    const struct kept *kept =
        expect_all_as_it_was(&(struct test){.live = fork_inside, .places = 2});
    cr_expect_eq(kept->copies, 2 * RETURNS);
}
