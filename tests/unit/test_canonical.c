/* test_canonical.c - requests that mean the same have one spelling. */
#include "scenarios/canonical.h"
#include "scenarios/trace.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void check(const char *target, const char *expected) {
    struct text out = {0};
    canonical_target(target, &out);
    cr_expect_str_eq(text_get(&out), expected, "of '%s': '%s'", target, text_get(&out));
    text_release(&out);
}

Test(canonical, a_query_is_sorted_by_name_and_nothing_else_changes) {
    check("/v2/clock", "/v2/clock");
    check("/v2/orders?", "/v2/orders?");
    check("/v2/orders?status=open&limit=500&direction=asc",
          "/v2/orders?direction=asc&limit=500&status=open");
    check("/v2/orders?limit=500&direction=asc&status=open",
          "/v2/orders?direction=asc&limit=500&status=open");
    check("/v2/orders?a%2Fb=1&a=%32", "/v2/orders?a=%32&a%2Fb=1");
    check("/x?b&a", "/x?a&b");
    check("/x?b=1&&a=2", "/x?&a=2&b=1");
}

Test(canonical, a_name_is_compared_without_its_value) {
    /* In byte order of whole parameters '=' (0x3d) would come after '1', and "a1" before "a". */
    check("/x?a1=0&a=9", "/x?a=9&a1=0");
    check("/x?a=9&a1=0", "/x?a=9&a1=0");
}

Test(canonical, parameters_of_one_name_keep_their_order) {
    check("/x?s=B&q=1&s=A", "/x?q=1&s=B&s=A");
    check("/x?s=A&q=1&s=B", "/x?q=1&s=A&s=B");
}

Test(canonical, more_parameters_than_can_be_sorted_stay_as_they_are) {
    struct text target = {0};
    text_add(&target, "/x?z=1");
    for (int i = 1; i < CANONICAL_PARAMETERS_MAX; i++) {
        text_add(&target, "&a=1");
    }
    struct text out = {0};
    canonical_target(text_get(&target), &out);
    cr_assert_str_neq(text_get(&out), text_get(&target), "as many as fit are sorted");
    cr_assert_eq(out.len, target.len);
    text_add(&target, "&a=1");
    check(text_get(&target), text_get(&target));
    text_release(&out);
    text_release(&target);
}

static void hash(enum event_kind kind, const char *what, char out[static HASH_TEXT_MAX]) {
    struct trace trace;
    trace_init(&trace);
    observe(&trace.seam, &(struct event){.kind = kind,
                                         .subject = "GET",
                                         .what = what,
                                         .symbol = "",
                                         .id = "",
                                         .body = "\n{}",
                                         .body_len = 3});
    trace_print(&trace, out);
    trace_release(&trace);
}

Test(canonical, the_trace_knows_one_spelling_of_a_query) {
    char a[HASH_TEXT_MAX];
    char b[HASH_TEXT_MAX];
    hash(EVENT_HTTP, "/x?a=1&b=2", a);
    hash(EVENT_HTTP, "/x?b=2&a=1", b);
    cr_assert_str_eq(a, b);
    hash(EVENT_HTTP, "/x?a=1&b=3", b);
    cr_assert_str_neq(a, b);
    hash(EVENT_ORDER, "/x?a=1&b=2", a);
    hash(EVENT_ORDER, "/x?b=2&a=1", b);
    cr_assert_str_neq(a, b, "only requests have queries");
}
