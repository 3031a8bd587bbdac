/* test_judges_delivery.c - what leaves the machine: pages that reach two channels, channels that are not flooded, each
 * bound at its exact edge; and metrics that are true. */
#include "tests/unit/stream.h"

static struct oracle *beside_a_courier(void) {
    struct oracle *oracle = oracle_create();
    feed(oracle,
         (struct event){.kind = EVENT_FRAME, .at = at(0), .subject = "courier", .what = "on"});
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(0), .subject = "ready"});
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(0)});
    feed(oracle, (struct event){.kind = EVENT_COURIER, .at = at(0), .subject = "started"});
    return oracle;
}

static void alert(struct oracle *oracle, int64_t second, const char *severity, const char *key) {
    feed(oracle, (struct event){.kind = EVENT_ALERT,
                                .at = at(second),
                                .subject = severity,
                                .what = key,
                                .body = "text",
                                .body_len = 4});
}

static void tick_at(struct oracle *oracle, struct utc when) {
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = when, .subject = "tick"});
}

static void tick(struct oracle *oracle, int64_t second) {
    tick_at(oracle, at(second));
}

static void deliver_at(struct oracle *oracle, struct utc when, const char *channel,
                       const char *body) {
    feed(oracle, (struct event){.kind = EVENT_DELIVERY,
                                .at = when,
                                .subject = channel,
                                .what = "POST",
                                .body = body,
                                .body_len = strlen(body)});
}

static void deliver(struct oracle *oracle, int64_t second, const char *channel, const char *body) {
    deliver_at(oracle, at(second), channel, body);
}

static void fault(struct oracle *oracle, int64_t second, const char *point) {
    feed(oracle, (struct event){.kind = EVENT_FAULT, .at = at(second), .subject = point});
}

static void silence(struct oracle *oracle, int64_t second) {
    feed(oracle,
         (struct event){
             .kind = EVENT_MECHANISM, .at = at(second), .subject = "heartbeat", .what = "acted"});
}

static void die(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(second), .subject = "dead"});
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(second + 5), .subject = "ready"});
}

#define PAGES "pages_reach_two_channels"
#define FLOOD "channels_are_not_flooded"

Test(delivery, without_a_courier_nothing_is_due) {
    struct oracle *oracle = oracle_create();
    alert(oracle, 20, "page", "news");
    tick(oracle, 21);
    tick(oracle, 900);
    expect(oracle, "", 0);
}

Test(delivery, a_channel_is_asked_within_five_seconds_of_the_ticks_end) {
    struct oracle *oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 24);
    tick(oracle, 29);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 24);
    tick_at(oracle, utc_add(at(29), (struct span){1}));
    expect(oracle, PAGES, 0);
    oracle = beside_a_courier();
    alert(oracle, 20, "warn", "news");
    tick(oracle, 24);
    tick(oracle, 900);
    expect(oracle, "", 0);
}

Test(delivery, two_channels_have_it_within_seven_minutes) {
    struct oracle *oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 22, "pager", "... news: text");
    tick(oracle, 440);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 22, "pager", "... news: text");
    tick(oracle, 441);
    expect(oracle, PAGES, 0);
    oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 22, "pager", "... news: text");
    deliver(oracle, 300, "chat", "... several: 7 alerts: news, that");
    tick(oracle, 900);
    expect(oracle, "", 0);
}

Test(delivery, one_channel_twice_is_one) {
    struct oracle *oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 22, "pager", "... news: text");
    deliver(oracle, 400, "pager", "... news: text, later");
    tick(oracle, 441);
    expect(oracle, PAGES, 0);
}

Test(delivery, a_repeat_within_five_minutes_may_wait) {
    struct oracle *oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 21, "pager", "news: text");
    deliver(oracle, 21, "chat", "news: text");
    alert(oracle, 80, "page", "news");
    tick(oracle, 80);
    tick(oracle, 320);
    deliver(oracle, 322, "pager", "news: text (2 times)");
    deliver(oracle, 322, "chat", "news: text (2 times)");
    tick(oracle, 900);
    expect(oracle, "", 0);
    oracle = beside_a_courier(); /* the first of them of before healing, with a disk that failed */
    fault(oracle, 10, "disk.eio");
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    deliver(oracle, 21, "pager", "news: text");
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(600)});
    fault(oracle, 601, "clock.step");
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(602)});
    tick(oracle, 1100);
    alert(oracle, 1200, "page", "other");
    tick(oracle, 1200);
    deliver(oracle, 1201, "pager", "news and other");
    deliver(oracle, 1201, "chat", "news and other");
    alert(oracle, 1300, "page", "news");
    tick(oracle, 1300);
    tick(oracle, 1310);
    expect(oracle, "", 0);
}

Test(delivery, a_death_within_the_tick_may_take_the_page_and_one_behind_it_may_not) {
    struct oracle *oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    die(oracle, 21);
    tick(oracle, 30);
    tick(oracle, 900);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    die(oracle, 21);
    tick(oracle, 30);
    expect(oracle, PAGES, 0);
}

Test(delivery, a_disk_that_failed_excuses_what_a_death_takes) {
    struct oracle *oracle = beside_a_courier();
    fault(oracle, 10, "disk.fsync_error");
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(15)});
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    die(oracle, 21);
    tick(oracle, 900);
    expect(oracle, "", 0);
}

Test(delivery, faults_put_off_the_seven_minutes_until_healing) {
    struct oracle *oracle = beside_a_courier();
    fault(oracle, 19, "http.dns");
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    tick(oracle, 600);
    tick(oracle, 1000);
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(1000)});
    tick(oracle, 1420);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    fault(oracle, 19, "http.dns");
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    tick(oracle, 700);
    feed(oracle, (struct event){.kind = EVENT_HEALED, .at = at(1000)});
    tick(oracle, 1300);
    tick(oracle, 1421);
    expect(oracle, PAGES, 0);
}

Test(delivery, a_courier_that_is_dead_owes_nothing_and_begins_anew) {
    struct oracle *oracle = beside_a_courier();
    feed(oracle, (struct event){.kind = EVENT_COURIER, .at = at(19), .subject = "dead"});
    alert(oracle, 20, "page", "news");
    tick(oracle, 20);
    tick(oracle, 900);
    feed(oracle, (struct event){.kind = EVENT_COURIER, .at = at(900), .subject = "started"});
    tick(oracle, 905);
    deliver(oracle, 905, "chat", "news");
    tick(oracle, 1320);
    expect(oracle, "", 0);
}

Test(delivery, twenty_one_messages_in_a_minute_are_a_flood) {
    char body[16];
    for (int most = 20; most <= 21; most++) {
        struct oracle *oracle = beside_a_courier();
        for (int i = 0; i < most; i++) {
            snprintf(body, sizeof body, "n%d", i);
            deliver(oracle, 100 + i, "chat", body);
            deliver(oracle, 100 + i, "phone", body);
        }
        expect(oracle, most == 20 ? "" : FLOOD, 0);
    }
    struct oracle *oracle = beside_a_courier();
    for (int i = 0; i < 40; i++) {
        snprintf(body, sizeof body, "n%d", i);
        deliver(oracle, 100 + 3 * i, "chat", body);
    }
    expect(oracle, "", 0);
}

Test(delivery, the_same_bytes_within_five_minutes_are_told_twice_unless_something_failed) {
    struct oracle *oracle = beside_a_courier();
    deliver(oracle, 1000, "chat", "same");
    deliver(oracle, 1300, "chat", "same");
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    deliver(oracle, 1000, "chat", "same");
    deliver(oracle, 1299, "chat", "same");
    expect(oracle, FLOOD, 0);
    oracle = beside_a_courier();
    deliver(oracle, 1000, "chat", "same");
    deliver(oracle, 1000, "phone", "same");
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    deliver(oracle, 1000, "chat", "same");
    fault(oracle, 1001, "http.answer_lost");
    deliver(oracle, 1002, "chat", "same");
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    deliver(oracle, 1000, "chat", "same");
    feed(oracle, (struct event){.kind = EVENT_COURIER, .at = at(1001), .subject = "dead"});
    feed(oracle, (struct event){.kind = EVENT_COURIER, .at = at(1006), .subject = "started"});
    deliver(oracle, 1030, "chat", "same");
    expect(oracle, "", 0);
}

Test(delivery, silence_is_told_of_a_silent_core_alone) {
    struct oracle *oracle = beside_a_courier();
    tick(oracle, 100);
    silence(oracle, 120);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    tick(oracle, 100);
    silence(oracle, 119);
    expect(oracle, FLOOD, 0);
    oracle = beside_a_courier();
    fault(oracle, 90, "disk.eio");
    tick(oracle, 100);
    silence(oracle, 119);
    expect(oracle, "", 0);
}

Test(delivery, a_core_that_is_silent_must_be_told) {
    struct oracle *oracle = beside_a_courier();
    tick(oracle, 100);
    tick(oracle, 1045);
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    tick(oracle, 100);
    tick(oracle, 1046);
    expect(oracle, FLOOD, 0);
    oracle = beside_a_courier();
    tick(oracle, 100);
    silence(oracle, 130);
    tick(oracle, 2000);
    expect(oracle, "", 0);
}

Test(delivery, the_dead_mans_switch_is_fed_for_the_living_and_the_stopped) {
    struct oracle *oracle = beside_a_courier();
    tick(oracle, 100);
    deliver(oracle, 1045, "dead", "");
    expect(oracle, "", 0);
    oracle = beside_a_courier();
    tick(oracle, 100);
    deliver(oracle, 1046, "dead", "");
    expect(oracle, FLOOD, 0);
    oracle = beside_a_courier();
    tick(oracle, 100);
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(101), .subject = "clean"});
    deliver(oracle, 5000, "dead", "");
    expect(oracle, "", 0);
}

/* --- metrics --- */

static void send(struct oracle *oracle, int64_t second) {
    feed(oracle, (struct event){
                     .kind = EVENT_SEND, .at = at(second), .subject = "GET", .what = "/v2/clock"});
}

static void tell_metrics(struct oracle *oracle, const char *body) {
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(900), .subject = "clean"});
    feed(oracle, (struct event){
                     .kind = EVENT_METRICS, .at = at(900), .body = body, .body_len = strlen(body)});
}

/* Of a life of three requests and two ticks. */
static struct oracle *life_of_three(void) {
    struct oracle *oracle = oracle_create();
    send(oracle, -5);
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(0), .subject = "ready"});
    for (int i = 1; i <= 3; i++) {
        send(oracle, i);
    }
    feed(oracle, (struct event){.kind = EVENT_TICK, .at = at(5), .subject = "tick", .number = 2});
    return oracle;
}

#define TICKS "seatrial_ticks_total 2\n"
#define REQUESTS                                                                                   \
    "# TYPE seatrial_requests_total counter\nseatrial_requests_total{endpoint=\"clock\"} 1\n"      \
    "seatrial_requests_total{endpoint=\"bars\"} 2\n"

Test(metrics, are_whole_and_count_what_the_life_did) {
    static const struct {
        const char *body, *broken;
    } rows[] = {
        {TICKS REQUESTS "# EOF\n", ""},
        {TICKS REQUESTS "# EOF", "metrics_are_true"},
        {TICKS "# EOF\n", "metrics_are_true"},
        {TICKS REQUESTS "seatrial_requests_total{endpoint=\"order\"} 1\n# EOF\n",
         "metrics_are_true"},
        {"seatrial_ticks_total 1\n" REQUESTS "# EOF\n", "metrics_are_true"},
        {"seatrial_ticks_total 3\n" REQUESTS "# EOF\n", ""},
        {TICKS REQUESTS "st-2026-09-01-7 1\n# EOF\n", "metrics_are_true"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = life_of_three();
        tell_metrics(oracle, rows[i].body);
        expect(oracle, rows[i].broken, 0);
    }
}

Test(metrics, are_not_judged_behind_a_disk_that_failed_or_of_another_life) {
    struct oracle *oracle = life_of_three();
    fault(oracle, 6, "disk.eio");
    tell_metrics(oracle, "");
    expect(oracle, "", 0);
    oracle = life_of_three();
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(6), .subject = "dead"});
    tell_metrics(oracle, "");
    expect(oracle, "", 0);
}

/* --- log --- */

#define LINE(event) "{\"at\":\"2026-09-01T14:00:00Z\",\"event\":\"" event "\"}\n"
#define LINE_BEHIND(event, lost)                                                                   \
    "{\"at\":\"2026-09-01T14:00:00Z\",\"event\":\"" event "\",\"lines_lost\":" lost "}\n"

static struct oracle *logging(void) {
    struct oracle *oracle = oracle_create();
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(0), .subject = "ready"});
    return oracle;
}

static void refuse(struct oracle *oracle, int64_t second, int times) {
    for (int i = 0; i < times; i++) {
        feed(oracle, (struct event){.kind = EVENT_REFUSAL,
                                    .at = at(second),
                                    .subject = "MODE",
                                    .what = "entry",
                                    .symbol = "AAPL",
                                    .body = ""});
    }
}

static void gain(struct oracle *oracle, int64_t second, const char *lines) {
    feed(oracle,
         (struct event){
             .kind = EVENT_LOG, .at = at(second), .body = lines, .body_len = strlen(lines)});
}

/* Two lines are told, the file gains `first`; then one more, and it gains `second`. */
Test(log, tells_each_line_or_how_many_were_lost) {
    static const struct {
        const char *first, *second, *broken;
    } rows[] = {
        {LINE("refusal") LINE("refusal"), LINE("refusal"), ""},
        {LINE("refusal"), LINE("refusal"), "log_tells_all"},
        {LINE("refusal"), LINE_BEHIND("refusal", "1"), ""},
        {LINE("stop"), LINE_BEHIND("refusal", "2"), ""},
        {LINE("stop"), LINE_BEHIND("refusal", "1"), "log_tells_all"},
        {LINE_BEHIND("refusal", "1"), LINE("refusal"), ""},
        {"", LINE_BEHIND("refusal", "2"), ""},
        {"", LINE_BEHIND("refusal", "1") LINE("stop"), "log_tells_all"},
        {LINE("refusal") LINE("refusal") LINE("mode"), LINE("refusal"), ""}, /* another's */
        {LINE("refusal"), "{\"at\":\"20\n" LINE_BEHIND("refusal", "1"), ""},
        {LINE("refusal"), "{\"at\":\"20" LINE_BEHIND("refusal", "1") LINE("refusal"),
         "log_tells_all"},
        {LINE("refusal") LINE("refusal") "[]\n", LINE("refusal"), "log_tells_all"},
        {LINE("refusal") LINE("refusal"), LINE("refusal") LINE("rumour"), "log_tells_all"},
        {LINE("refusal") LINE("refusal"), LINE("refusal") "{\"event\":\"stop\"}\n",
         "log_tells_all"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle *oracle = logging();
        refuse(oracle, 5, 2);
        gain(oracle, 6, rows[i].first);
        refuse(oracle, 10, 1);
        gain(oracle, 11, rows[i].second);
        gain(oracle, 12, LINE("stop"));
        expect(oracle, rows[i].broken, 0);
    }
}

Test(log, of_a_life_that_was_cut_off_is_not_judged_and_each_kind_counts_by_itself) {
    struct oracle *oracle = logging();
    refuse(oracle, 5, 2);
    feed(oracle, (struct event){.kind = EVENT_STOP, .at = at(6), .subject = "dead"});
    feed(oracle, (struct event){.kind = EVENT_START, .at = at(7), .subject = "ready"});
    gain(oracle, 8, LINE("start"));
    gain(oracle, 9, LINE("stop"));
    expect(oracle, "", 0);
    oracle = logging();
    feed(oracle,
         (struct event){.kind = EVENT_MODE, .at = at(5), .subject = "CAUTION", .what = "NORMAL"});
    gain(oracle, 6, LINE("refusal"));
    gain(oracle, 9, LINE("stop"));
    expect(oracle, "log_tells_all", 0);
}

Test(log, on_a_disk_that_rots_is_not_judged_before_the_next_life) {
    struct oracle *oracle = logging();
    feed(oracle, (struct event){.kind = EVENT_FAULT,
                                .at = at(4),
                                .subject = "disk.bit_rot",
                                .what = "read log.jsonl"});
    refuse(oracle, 5, 2);
    gain(oracle, 6, LINE("refusal"));
    gain(oracle, 9, LINE("stop"));
    expect(oracle, "", 0);
}
