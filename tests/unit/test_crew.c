/* test_crew.c - every place once, in turn, whoever ends on the way. Each test runs in a child. */
#include "scenarios/crew.h"
#include "scenarios/rewind.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACES 60

struct errand {
    int begun; /* processes that have begun here */
};

struct kept {
    int workers_at[PLACES + 1]; /* that worked at a place to its end */
    int asked[PLACES + 1];      /* at the how manieth turn it was asked */
    int turns;
    int bad_ends, heard, status;
    bool gives_up; /* who waits, where one crashes */
    int news[2];
};

enum ending { ENDS_NEVER, IS_LOST, CRASHES, IS_LOST_FOR_EVER };

static bool note_bad_end(void *context, void *errand, int status) {
    struct kept *kept = context;
    cr_assert_eq(((struct errand *)errand)->begun, 1);
    kept->bad_ends++;
    kept->status = status;
    return !kept->gives_up;
}

static void hear(void *context) {
    struct kept *kept = context;
    char word = 0;
    while (read(kept->news[0], &word, 1) == 1) {
        kept->heard++;
    }
}

/* Of every third place the first worker does not come to the end. */
static void work_at(struct crew *crew, struct kept *kept, int place, enum ending ending) {
    struct errand *errand = crew_errand(crew);
    const bool is_first = errand->begun == 0;
    crew_wait_turn(crew);
    if (ending != IS_LOST_FOR_EVER) {
        errand->begun++;
    }
    if (place % 3 == 0 && (is_first || ending == IS_LOST_FOR_EVER)) {
        if (ending == CRASHES) {
            (void)raise(SIGKILL);
        } else if (ending != ENDS_NEVER) {
            _exit(0);
        }
    }
    kept->asked[place] = ++kept->turns;
    crew_pass_turn(crew);
    crew_pass_turn(crew);
    (void)nanosleep(&(struct timespec){.tv_nsec = (place * 7 % 5) * 100000}, NULL);
    kept->workers_at[place]++;
    cr_assert_eq(write(kept->news[1], "n", 1), 1);
}

static struct kept *kept_after(int size, enum ending ending, bool gives_up, int *status) {
    struct kept *kept = rewind_keep(sizeof *kept);
    kept->gives_up = gives_up;
    const struct crew_plan plan = {.size = size,
                                   .errand_size = sizeof(struct errand),
                                   .ended_badly = note_bad_end,
                                   .hear = hear,
                                   .context = kept};
    const pid_t pid = fork();
    if (pid == 0) {
        cr_assert_eq(pipe2(kept->news, O_NONBLOCK), 0);
        struct crew_plan with_news = plan;
        with_news.news = kept->news[0];
        struct crew *crew = crew_work(&with_news);
        for (int place = 1; crew != NULL && place <= PLACES; place++) {
            if (crew_takes(crew, place)) {
                work_at(crew, kept, place, ending);
            }
        }
        if (crew != NULL) {
            crew_over(crew);
        }
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, status, 0), pid);
    return kept;
}

static struct kept *expect_each_once_in_turn(int size, enum ending ending) {
    int status = -1;
    struct kept *kept = kept_after(size, ending, false, &status);
    cr_expect_eq(status, 0);
    cr_expect_eq(kept->heard, PLACES);
    for (int place = 1; place <= PLACES; place++) {
        cr_expect_eq(kept->workers_at[place], 1, "place %d", place);
        cr_expect_eq(kept->asked[place], place);
    }
    return kept;
}

Test(crew, each_place_is_worked_at_once_and_in_turn) {
    cr_expect_eq(expect_each_once_in_turn(1, ENDS_NEVER)->bad_ends, 0);
    cr_expect_eq(expect_each_once_in_turn(5, ENDS_NEVER)->bad_ends, 0);
}

Test(crew, who_is_lost_is_replaced_where_it_was) {
    cr_expect_eq(expect_each_once_in_turn(1, IS_LOST)->bad_ends, 0);
    cr_expect_eq(expect_each_once_in_turn(5, IS_LOST)->bad_ends, 0);
}

Test(crew, who_waits_is_told_of_a_crash) {
    const struct kept *kept = expect_each_once_in_turn(3, CRASHES);
    cr_expect_eq(kept->bad_ends, PLACES / 3);
    cr_expect(WIFSIGNALED(kept->status) && WTERMSIG(kept->status) == SIGKILL);
}

/* It would be replaced for ever. */
Test(crew, who_is_lost_without_having_done_anything_is_a_broken_claim) {
    int status = 0;
    (void)kept_after(1, IS_LOST_FOR_EVER, false, &status);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Those that wait for the turn of the one that crashed would wait for ever. */
Test(crew, a_crew_that_is_given_up_ends) {
    int status = -1;
    const struct kept *kept = kept_after(3, CRASHES, true, &status);
    cr_expect_eq(status, 0);
    cr_expect_geq(kept->bad_ends, 1);
    cr_expect_eq(kept->workers_at[PLACES], 0);
}
