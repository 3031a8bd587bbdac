/* test_key_watch.c - when another key file is a wish to reload, and when it is none. */
#include "chaos/machine/sim_host.h"
#include "chaos/machine/virtual_clock.h"
#include "cli/key_watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct post {
    struct virtual_clock *clock;
    struct sim_host host;
    struct key_watch watch;
    char folder[64], path[96], other[96];
};

/* Longer than a file system's clock stands still, so that each writing has a time of its own. */
static void put(const char *path, const char *content) {
    (void)usleep(20000);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
}

static struct post *post_create(void) {
    struct post *post = calloc(1, sizeof *post);
    cr_assert_not_null(post);
    strcpy(post->folder, "/tmp/seatrial-watch-XXXXXX");
    cr_assert_not_null(mkdtemp(post->folder));
    snprintf(post->path, sizeof post->path, "%s/key", post->folder);
    snprintf(post->other, sizeof post->other, "%s/other", post->folder);
    put(post->path, "first");
    post->clock = virtual_clock_create((struct utc){INT64_C(1700000000000000000)}, "boot");
    sim_host_init(&post->host);
    key_watch_init(&post->watch, &post->host.seam, virtual_clock_seam(post->clock), post->path);
    return post;
}

static void post_destroy(struct post *post) {
    (void)unlink(post->path);
    (void)unlink(post->other);
    cr_expect_eq(rmdir(post->folder), 0);
    virtual_clock_destroy(post->clock);
    free(post);
}

static enum host_wish poll_after(struct post *post, struct span span) {
    virtual_clock_advance(post->clock, span);
    return host_poll(&post->watch.seam);
}

/* How often a reload is wished in so many looks. */
static int wishes(struct post *post, int looks) {
    int count = 0;
    for (int i = 0; i < looks; i++) {
        count += poll_after(post, KEY_WATCH_EVERY) == HOST_RELOAD;
    }
    return count;
}

Test(key_watch, a_file_that_stays_is_no_wish) {
    struct post *post = post_create();
    cr_expect_eq(wishes(post, 100), 0);
    post_destroy(post);
}

Test(key_watch, another_file_is_one_wish_once_it_is_at_rest) {
    struct post *post = post_create();
    put(post->other, "other");
    cr_assert_eq(rename(post->other, post->path), 0);
    cr_expect_eq(wishes(post, 1), 0, "it may still be written");
    cr_expect_eq(wishes(post, 1), 1);
    cr_expect_eq(wishes(post, 100), 0, "told once, be it good or bad");
    cr_expect_not(key_watch_take_inner_wish(&post->watch));
    post_destroy(post);
}

Test(key_watch, the_same_number_of_bytes_in_the_same_file_is_a_change) {
    struct post *post = post_create();
    put(post->path, "FIRST");
    cr_expect_eq(wishes(post, 10), 1);
    post_destroy(post);
}

Test(key_watch, another_mode_is_a_change) {
    struct post *post = post_create();
    (void)usleep(20000);
    cr_assert_eq(chmod(post->path, 0604), 0);
    cr_expect_eq(wishes(post, 10), 1);
    post_destroy(post);
}

Test(key_watch, what_is_being_written_is_waited_for) {
    struct post *post = post_create();
    for (int i = 0; i < 5; i++) {
        put(post->path, i % 2 == 0 ? "" : "half");
        cr_expect_eq(wishes(post, 1), 0, "%d", i);
    }
    cr_expect_eq(wishes(post, 10), 1);
    post_destroy(post);
}

Test(key_watch, a_file_that_vanishes_and_comes_back_is_two_wishes) {
    struct post *post = post_create();
    cr_assert_eq(unlink(post->path), 0);
    cr_expect_eq(wishes(post, 10), 1);
    put(post->path, "first");
    cr_expect_eq(wishes(post, 10), 1);
    post_destroy(post);
}

Test(key_watch, looks_once_a_second_however_often_it_is_asked) {
    struct post *post = post_create();
    cr_expect_eq(wishes(post, 1), 0);
    put(post->path, "other");
    for (int i = 0; i < 7; i++) { /* until 1.75 s after the last look: the change was seen once */
        cr_expect_eq(poll_after(post, SPAN_MS(250)), HOST_NONE, "%d", i);
    }
    cr_expect_eq(poll_after(post, SPAN_MS(250)), HOST_RELOAD);
    post_destroy(post);
}

Test(key_watch, a_signal_is_passed_at_once_and_takes_the_change_with_it) {
    struct post *post = post_create();
    put(post->path, "other");
    sim_host_wish(&post->host, HOST_RELOAD);
    cr_expect_eq(host_poll(&post->watch.seam), HOST_RELOAD);
    cr_expect(key_watch_take_inner_wish(&post->watch));
    cr_expect_not(key_watch_take_inner_wish(&post->watch), "once");
    cr_expect_eq(wishes(post, 10), 0, "what the signal had read is not told again");
    post_destroy(post);
}

Test(key_watch, the_end_comes_before_a_change) {
    struct post *post = post_create();
    put(post->path, "other");
    cr_expect_eq(wishes(post, 1), 0);
    sim_host_wish(&post->host, HOST_TERMINATE);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(poll_after(post, KEY_WATCH_EVERY), HOST_TERMINATE);
    }
    post_destroy(post);
}

Test(key_watch, without_a_file_it_passes_on_what_it_hears) {
    struct post *post = post_create();
    key_watch_init(&post->watch, &post->host.seam, virtual_clock_seam(post->clock), "");
    cr_expect_eq(wishes(post, 10), 0);
    sim_host_wish(&post->host, HOST_RELOAD);
    cr_expect_eq(wishes(post, 10), 1);
    cr_expect(key_watch_take_inner_wish(&post->watch));
    post_destroy(post);
}
