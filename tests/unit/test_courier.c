/* test_courier.c - channels and shapes, who gets what and how often, and the core's pulse: each bound at its
 * exact edge, over a network that answers as told. */
#include "tests/unit/rig.h"

#include "core/courier/courier.h"
#include "core/courier/message.h"
#include "core/courier/pulse.h"

static const char CHANNELS[] =
    "{\"name\":\"desk\",\"channels\":["
    "{\"name\":\"pager\",\"shape\":\"pagerduty\",\"url\":\"https://p.example/v2/enqueue\","
    "\"token\":\"ROUTE\",\"least\":\"page\"},"
    "{\"name\":\"chat\",\"shape\":\"slack\",\"url\":\"https://c.example/chat\",\"least\":\"page\"},"
    "{\"name\":\"phone\",\"shape\":\"ntfy\",\"url\":\"https://n.example/desk\",\"token\":\"TOK\","
    "\"least\":\"warn\"},"
    "{\"name\":\"hook\",\"shape\":\"json\",\"url\":\"http://127.0.0.1:8081/a?b=c\","
    "\"least\":\"info\"}],"
    "\"dead_man\":{\"url\":\"https://d.example/dead\",\"every_s\":60}}";
enum { PAGER, CHAT, PHONE, HOOK, DEAD, LINES };
static const char *const PATHS[LINES] = {"/v2/enqueue", "/chat", "/desk", "/a", "/dead"};

struct net { /* a network that answers as told, and remembers */
    struct http seam;
    struct rig *rig;
    int status[LINES]; /* 0: no answer, after the deadline */
    int64_t retry_after_s;
    const char *body; /* of each answer; NULL: none */
    int count[LINES];
    struct text last[LINES], headers[LINES];
};

struct desk {
    struct rig *rig;
    struct net net;
    struct channels channels;
    struct courier *courier;
    int64_t serial;
};

static enum err_code net_perform(struct http *seam, const struct http_request *request,
                                 struct span deadline, struct http_response *response,
                                 struct err *err) {
    struct net *net = (struct net *)seam;
    http_response_clear(response);
    for (int i = 0; i < LINES; i++) {
        if (strcmp(request->path, PATHS[i]) != 0) {
            continue;
        }
        net->count[i]++;
        text_clear(&net->last[i]);
        text_add_bytes(&net->last[i], request->body, request->body_len);
        text_clear(&net->headers[i]);
        for (size_t h = 0; h < request->header_count; h++) {
            text_add_format(&net->headers[i], "%s: %s|", request->headers[h].name,
                            request->headers[h].value);
        }
        if (net->status[i] == 0) {
            rig_wait(net->rig, deadline);
            return err_set(err, ERR_UNKNOWN, "no answer");
        }
        response->status = net->status[i];
        text_add(&response->body, net->body == NULL ? "" : net->body);
        response->retry_after_s = net->retry_after_s;
        return ERR_OK;
    }
    cr_assert_fail("%s", request->path);
    return ERR_OK;
}

static const struct http_ops net_ops = {.perform = net_perform};

static void start_courier(struct desk *desk) {
    const struct courier_options options = {.world = &desk->rig->world,
                                            .channels = &desk->channels};
    struct err err = {0};
    cr_assert_eq(courier_create(&options, &desk->courier, &err), ERR_OK, "%s", err.text);
}

static void beat(struct desk *desk, int tick, int every_s, bool is_stopped) {
    char bytes[200];
    int n = snprintf(bytes, sizeof bytes, "{\"tick\":%d,\"every_s\":%d,\"stopped\":%s}\n", tick,
                     every_s, is_stopped ? "true" : "false");
    sim_disk_write_raw(desk->rig->disk, "bot_heartbeat.json", bytes, (size_t)n);
}

/* Beside a core that was stopped. */
static struct desk *desk_create(void) {
    struct desk *desk = calloc(1, sizeof *desk);
    struct text faults = {0};
    desk->rig = rig_create();
    desk->net.seam.ops = &net_ops;
    desk->net.rig = desk->rig;
    desk->net.retry_after_s = -1;
    for (int i = 0; i < LINES; i++) {
        desk->net.status[i] = 200;
    }
    desk->rig->world.http = &desk->net.seam;
    cr_assert_eq(channels_parse(CHANNELS, strlen(CHANNELS), &desk->channels, &faults, NULL), ERR_OK,
                 "%s", text_get(&faults));
    text_release(&faults);
    beat(desk, 0, 5, true);
    start_courier(desk);
    return desk;
}

static void desk_destroy(struct desk *desk) {
    courier_destroy(desk->courier);
    for (int i = 0; i < LINES; i++) {
        text_release(&desk->net.last[i]);
        text_release(&desk->net.headers[i]);
    }
    rig_destroy(desk->rig);
    free(desk);
}

static void leave(struct desk *desk, const char *severity, const char *key, const char *text,
                  int count) {
    char name[DISK_NAME_MAX];
    struct text body = {0};
    snprintf(name, sizeof name, "outbox/%019lld-%s-%s.json", (long long)++desk->serial, severity,
             key);
    text_add_format(&body,
                    "{\"at\":\"2026-09-01T14:00:00Z\",\"severity\":\"%s\",\"key\":\"%s\","
                    "\"text\":\"%s\",\"count\":%d}\n",
                    severity, key, text, count);
    sim_disk_write_raw(desk->rig->disk, name, text_get(&body), body.len);
    text_release(&body);
}

/* The courier's loop for a while. */
static void go(struct desk *desk, int seconds) {
    for (int i = 0; i < seconds; i++) {
        courier_step(desk->courier);
        rig_wait(desk->rig, COURIER_LOOK);
    }
}

static void expect_counts(const struct desk *desk, int pager, int chat, int phone, int hook) {
    const int want[] = {pager, chat, phone, hook};
    for (int i = 0; i < DEAD; i++) {
        cr_expect_eq(desk->net.count[i], want[i], "%s: %d, not %d", PATHS[i], desk->net.count[i],
                     want[i]);
    }
}

static int left(const struct desk *desk, const char *key) {
    return rig_outbox(desk->rig->disk, key, NULL);
}

/* --- channels --- */

static void expect_fault(const char *bytes, const char *fault) {
    struct channels out = {.count = 77};
    struct text faults = {0};
    cr_expect_eq(channels_parse(bytes, strlen(bytes), &out, &faults, NULL), ERR_CONFIG, "%s",
                 bytes);
    cr_expect(strstr(text_get(&faults), fault) != NULL, "%s: %s", bytes, text_get(&faults));
    cr_expect_eq(out.count, 77, "unchanged");
    text_release(&faults);
}

#define A "{\"name\":\"a\",\"shape\":\"slack\",\"url\":\"https://a.example/x\",\"least\":\"page\"}"
#define B "{\"name\":\"b\",\"shape\":\"json\",\"url\":\"https://b.example/\",\"least\":\"info\"}"
#define FILE_OF(list) "{\"name\":\"n\",\"channels\":[" list "]}"

Test(channels, a_bad_file_is_told_by_member_and_changes_nothing) {
    expect_fault("[]", "the whole: wants an object");
    expect_fault("{\"channels\":[" A "," B "]}",
                 "the whole: name: is missing, or not 1 to 31 letters");
    expect_fault("{\"name\":\"a b\",\"channels\":[" A "," B "]}", "the whole: name");
    expect_fault("{\"name\":\"n\"}", "channels: wants a list of at most 8");
    expect_fault("{\"name\":\"n\",\"cannels\":[]}", "the whole: no member 'cannels' is known");
    expect_fault(FILE_OF(A), "two channels, on different hosts");
    expect_fault(FILE_OF(A ",{\"name\":\"b\",\"shape\":\"json\",\"url\":\"https://a.example/y\","
                           "\"least\":\"info\"}"),
                 "two channels, on different hosts");
    expect_fault(FILE_OF(A
                         ",{\"name\":\"b\",\"shape\":\"json\",\"url\":\"https://A.example:443/y\","
                         "\"least\":\"info\"}"),
                 "two channels, on different hosts");
    expect_fault(FILE_OF(A "," A), "channels[1]: name: another channel has it");
    expect_fault(FILE_OF(A ",7"), "channels[1]: wants an object");
    expect_fault(
        FILE_OF(A ",{\"name\":\"b\",\"shape\":\"sms\",\"url\":\"ftp://b\",\"least\":\"x\"}"),
        "channels[1]: shape: is missing, or not json, slack, pagerduty or ntfy\nchannels[1]: url: "
        "wants");
    expect_fault(FILE_OF(A ",{\"name\":\"b\",\"shape\":\"pagerduty\",\"url\":\"https://b\","
                           "\"least\":\"page\"}"),
                 "channels[1]: token: a pagerduty channel wants its routing key");
    expect_fault(
        FILE_OF(B ",{\"name\":\"a\",\"shape\":\"slack\",\"url\":\"https://b\",\"token\":\"x\","
                  "\"least\":\"page\"}"),
        "channels[1]: token: a slack channel has none");
    expect_fault("{\"name\":\"n\",\"channels\":[" A "," B
                 "],\"dead_man\":{\"url\":\"https://d\",\"every_s\":9}}",
                 "dead_man: every_s: wants a number, 10 to 86400");
}

static void expect_url(const char *url, bool is_good) {
    struct channels out = {.count = 0};
    struct text file = {0};
    struct text faults = {0};
    text_add_format(&file,
                    "{\"name\":\"n\",\"channels\":[" B
                    ",{\"name\":\"u\",\"shape\":\"json\",\"url\":"
                    "\"%s\",\"least\":\"page\"}]}",
                    url);
    enum err_code code = channels_parse(text_get(&file), file.len, &out, &faults, NULL);
    cr_expect_eq(code == ERR_OK, is_good, "%s: %s", url, text_get(&faults));
    cr_expect(strstr(text_get(&faults), "secret") == NULL, "a url may be a secret: %s",
              text_get(&faults));
    text_release(&file);
    text_release(&faults);
}

Test(channels, a_url_is_https_or_of_this_machine) {
    expect_url("https://hooks.example/services/secret", true);
    expect_url("https://hooks.example:8443?secret", true);
    expect_url("http://127.0.0.1:9000/secret", true);
    expect_url("http://localhost/secret", true);
    expect_url("http://[::1]:9/secret", true);
    expect_url("http://hooks.example/secret", false);
    expect_url("http://127.0.0.1.example/secret", false);
    expect_url("http://localhost.example/secret", false);
    expect_url("https://user@hooks.example/secret", false);
    expect_url("https://", false);
    expect_url("hooks.example/secret", false);
    expect_url("https://hooks.example/a secret", false);
    expect_url("https://hooks.example/secret#x", false);
}

/* --- shapes --- */

Test(message, each_shape_is_what_its_service_takes) {
    struct desk *desk = desk_create();
    leave(desk, "page", "naked_position", "AAPL", 3);
    go(desk, 1);
    const char *const line = "[page] desk: naked_position: AAPL (3 times), 2026-09-01T14:00:00Z";
    char want[512];
    snprintf(want, sizeof want,
             "{\"routing_key\":\"ROUTE\",\"event_action\":\"trigger\",\"dedup_key\":"
             "\"desk/naked_position/"
             "dfb0aa5c25cce8c5\",\"payload\":{\"summary\":\"%s\",\"source\":\"desk\","
             "\"severity\":\"critical\",\"timestamp\":\"2026-09-01T14:00:00Z\"}}",
             line);
    cr_expect_str_eq(text_get(&desk->net.last[PAGER]), want);
    snprintf(want, sizeof want, "{\"text\":\"%s\"}", line);
    cr_expect_str_eq(text_get(&desk->net.last[CHAT]), want);
    cr_expect_str_eq(text_get(&desk->net.headers[CHAT]), "");
    cr_expect_str_eq(text_get(&desk->net.last[PHONE]), line);
    cr_expect_str_eq(text_get(&desk->net.headers[PHONE]),
                     "Title: desk: naked_position|Priority: 5|Content-Type: text/plain; "
                     "charset=utf-8|Authorization: Bearer TOK|");
    cr_expect_str_eq(text_get(&desk->net.last[HOOK]),
                     "{\"source\":\"seatrial\",\"name\":\"desk\",\"severity\":\"page\",\"key\":"
                     "\"naked_position\",\"text\":\"AAPL\",\"count\":3,\"at\":"
                     "\"2026-09-01T14:00:00Z\"}");
    desk_destroy(desk);
}

/* --- who gets what --- */

Test(courier, a_severity_goes_to_who_wants_it_and_its_file_goes_when_all_have_it) {
    struct desk *desk = desk_create();
    leave(desk, "page", "p", "text", 1);
    leave(desk, "warn", "w", "text", 1);
    leave(desk, "info", "i", "text", 1);
    go(desk, 1);
    expect_counts(desk, 1, 1, 2, 3);
    cr_expect_eq(left(desk, "p") + left(desk, "w") + left(desk, "i"), 0);
    go(desk, 10);
    expect_counts(desk, 1, 1, 2, 3);
    desk_destroy(desk);
}

Test(courier, a_channel_that_does_not_take_it_is_asked_again_and_the_file_stays) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 500;
    leave(desk, "page", "p", "text", 1);
    courier_step(desk->courier);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect_eq(left(desk, "p"), 1, "one channel of those that want it has it not");
    rig_wait(desk->rig, (struct span){SPAN_S(1).ns - 1});
    courier_step(desk->courier);
    expect_counts(desk, 1, 1, 1, 1);
    rig_wait(desk->rig, (struct span){1});
    courier_step(desk->courier);
    expect_counts(desk, 1, 2, 1, 1);
    desk->net.status[CHAT] = 204;
    rig_wait(desk->rig, SPAN_S(2));
    courier_step(desk->courier);
    expect_counts(desk, 1, 3, 1, 1);
    cr_expect_eq(left(desk, "p"), 0);
    desk_destroy(desk);
}

Test(courier, a_web_page_takes_no_message) {
    static const struct {
        const char *body;
        bool is_taken;
    } rows[] = {{"<html><head><title>200 OK</title>", false},
                {"\r\n <!DOCTYPE html>\n<HTML lang=en>", false},
                {"<?xml version=\"1.0\"?><Response/>", true},
                {"<htm", true},
                {"{\"status\":\"success\",\"message\":\"<html>\"}", true},
                {"ok", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct desk *desk = desk_create();
        desk->net.body = rows[i].body;
        leave(desk, "page", "p", "text", 1);
        go(desk, 1);
        cr_expect_eq(left(desk, "p"), !rows[i].is_taken, "%s", rows[i].body);
        cr_expect_str_eq(courier_status(desk->courier, CHAT).error,
                         rows[i].is_taken ? "" : "answered 200, with a web page");
        desk->net.body = NULL;
        go(desk, 2);
        cr_expect_eq(left(desk, "p"), 0);
        desk_destroy(desk);
    }
}

Test(courier, retry_after_is_obeyed_to_the_second_and_at_most_five_minutes) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 429;
    desk->net.retry_after_s = 90;
    leave(desk, "page", "p", "text", 1);
    go(desk, 90);
    cr_expect_eq(desk->net.count[CHAT], 1);
    desk->net.retry_after_s = 86400;
    go(desk, 1);
    cr_expect_eq(desk->net.count[CHAT], 2);
    go(desk, 299);
    cr_expect_eq(desk->net.count[CHAT], 2);
    go(desk, 1);
    cr_expect_eq(desk->net.count[CHAT], 3);
    desk_destroy(desk);
}

Test(courier, one_that_hangs_keeps_the_others_waiting_once) {
    struct desk *desk = desk_create();
    desk->net.status[PAGER] = 0;
    leave(desk, "page", "p", "text", 1);
    struct utc began = rig_now(desk->rig);
    courier_step(desk->courier);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect_eq(utc_sub(rig_now(desk->rig), began).ns, COURIER_DEADLINE.ns);
    rig_wait(desk->rig, SPAN_S(10));
    leave(desk, "page", "q", "text", 1);
    began = rig_now(desk->rig);
    courier_step(desk->courier);
    expect_counts(desk, 2, 2, 2, 2);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), " q: ") != NULL);
    desk_destroy(desk);
}

Test(courier, what_two_have_and_a_third_refuses_is_given_up_after_an_hour) {
    struct desk *desk = desk_create();
    desk->net.status[HOOK] = 400;
    leave(desk, "page", "p", "text", 1);
    go(desk, 3600);
    cr_expect_eq(left(desk, "p"), 1);
    go(desk, 1);
    cr_expect_eq(left(desk, "p"), 0);
    desk_destroy(desk);
}

Test(courier, a_message_that_is_never_taken_does_not_plug_its_channel) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 400;
    leave(desk, "page", "poison", "text", 1);
    go(desk, 1);
    leave(desk, "page", "p", "text", 1);
    go(desk, 1);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), " p: ") != NULL, "the newer first");
    desk->net.status[CHAT] = 200;
    go(desk, 8);
    cr_expect_eq(courier_waiting(desk->courier), 0);
    desk_destroy(desk);
}

Test(courier, what_nobody_took_is_never_given_up) {
    struct desk *desk = desk_create();
    for (int i = 0; i < DEAD; i++) {
        desk->net.status[i] = 503;
    }
    leave(desk, "page", "p", "text", 1);
    go(desk, 7200);
    cr_expect_eq(left(desk, "p"), 1);
    desk->net.status[CHAT] = 200;
    go(desk, 61);
    cr_expect_eq(left(desk, "p"), 0, "one has it, and it is older than an hour");
    desk_destroy(desk);
}

Test(courier, a_warning_that_its_channels_do_not_take_goes_to_all_after_five_minutes) {
    struct desk *desk = desk_create();
    desk->net.status[PHONE] = desk->net.status[HOOK] = 500;
    leave(desk, "warn", "w", "text", 1);
    go(desk, 300);
    cr_expect_eq(desk->net.count[PAGER] + desk->net.count[CHAT], 0);
    go(desk, 1);
    cr_expect_geq(desk->net.count[PAGER] + desk->net.count[CHAT], 1);
    desk_destroy(desk);
}

/* --- how often --- */

static void expect_repeat(const char *severity, int seconds, int line) {
    struct desk *desk = desk_create();
    leave(desk, severity, "k", "text", 1);
    go(desk, 1);
    cr_expect_eq(desk->net.count[line], 1);
    for (int i = 2; i < 12; i++) {
        leave(desk, severity, "k", "text", i * 1000);
        go(desk, 1);
    }
    go(desk, seconds - 11);
    cr_expect_eq(desk->net.count[line], 1, "%s", severity);
    cr_expect_eq(left(desk, "k"), 1, "the newer are merged into the first that waits");
    go(desk, 1);
    cr_expect_eq(desk->net.count[line], 2, "%s", severity);
    cr_expect_eq(desk->net.count[PAGER], line == CHAT ? 2 : 0, "a repeat is no escalation");
    cr_expect(strstr(text_get(&desk->net.last[line]), "11000") != NULL, "with its count");
    cr_expect_eq(left(desk, "k"), 0);
    desk_destroy(desk);
}

Test(courier, a_text_is_told_again_after_five_minutes_an_hour_or_a_day) {
    expect_repeat("page", 300, CHAT);
    expect_repeat("warn", 3600, PHONE);
    expect_repeat("info", 86400, HOOK);
}

Test(courier, another_text_of_a_key_is_news) {
    struct desk *desk = desk_create();
    leave(desk, "page", "k", "AAPL", 1);
    go(desk, 1);
    leave(desk, "page", "k", "MSFT", 2);
    go(desk, 1);
    expect_counts(desk, 2, 2, 2, 2);
    desk_destroy(desk);
}

static void leave_several(struct desk *desk, const char *severity, int n) {
    char key[16];
    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof key, "key_%lld", (long long)desk->serial);
        leave(desk, severity, key, "text", 1);
    }
}

Test(courier, four_are_four_messages_and_five_are_one) {
    struct desk *desk = desk_create();
    leave_several(desk, "page", COURIER_SINGLES_MAX);
    go(desk, 1);
    expect_counts(desk, 4, 4, 4, 4);
    leave(desk, "warn", "w", "text", 1);
    leave(desk, "page", "same", "a", 1);
    leave(desk, "page", "same", "b", 1);
    leave_several(desk, "page", 3);
    go(desk, 1);
    expect_counts(desk, 5, 5, 5, 5);
    cr_expect(
        strstr(
            text_get(&desk->net.last[CHAT]),
            "[page] desk: several: 5 alerts: same: a, b; key_7: text; key_8: text; key_9: text,") !=
            NULL,
        "%s", text_get(&desk->net.last[CHAT]));
    cr_expect(strstr(text_get(&desk->net.last[PHONE]),
                     "6 alerts: same: a, b; key_7: text; key_8: text; key_9: text; w: text,"),
              "pages first: %s", text_get(&desk->net.last[PHONE]));
    cr_expect_eq(courier_waiting(desk->courier), 0);
    desk_destroy(desk);
}

Test(courier, twenty_pages_or_ten_others_are_the_most_of_a_minute) {
    struct desk *desk = desk_create();
    for (int i = 0; i < 30; i++) {
        leave_several(desk, "warn", 1);
        go(desk, 1);
    }
    cr_expect_eq(desk->net.count[PHONE], COURIER_OTHERS_A_MINUTE);
    for (int i = 0; i < 25; i++) {
        leave_several(desk, "page", 1);
        go(desk, 1);
    }
    cr_expect_eq(desk->net.count[CHAT], COURIER_PAGES_A_MINUTE);
    go(desk, 60);
    cr_expect_eq(courier_waiting(desk->courier), 0, "what waited is one message by now");
    desk_destroy(desk);
}

Test(courier, a_thousand_files_are_a_handful_of_messages) {
    struct desk *desk = desk_create();
    for (int i = 0; i < 1000; i++) {
        leave(desk, "page", "k", "the same", 10 * i);
    }
    go(desk, 60);
    expect_counts(desk, 1, 1, 1, 1);
    desk_destroy(desk);
}

Test(courier, a_message_of_several_that_is_refused_goes_one_by_one_in_the_end) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 400;
    leave_several(desk, "page", 5);
    go(desk, 4); /* at 0, 1 and 3 s */
    cr_expect_eq(desk->net.count[CHAT], 3);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "several") != NULL);
    desk->net.status[CHAT] = 200;
    go(desk, 8);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "several") == NULL);
    cr_expect_eq(courier_waiting(desk->courier), 0);
    desk_destroy(desk);
}

Test(courier, what_is_refused_among_several_plugs_no_others) {
    struct desk *desk = desk_create();
    char key[64];
    desk->net.status[CHAT] = 400;
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "a_rather_long_key_of_an_alert_%02d", i);
        leave(desk, "page", key, "with a text of forty bytes or a few more", 1);
    }
    go(desk, 8); /* at 0, 1, 3 and 7 s */
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "alert_00") == NULL, "%s",
              text_get(&desk->net.last[CHAT]));
    desk->net.status[CHAT] = 200;
    go(desk, 120);
    cr_expect_eq(courier_waiting(desk->courier), 0);
    desk_destroy(desk);
}

Test(courier, an_outage_refuses_no_message) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 503;
    leave_several(desk, "page", 10);
    go(desk, 60);
    desk->net.status[CHAT] = 200;
    int before = desk->net.count[CHAT];
    go(desk, 60);
    cr_expect_eq(desk->net.count[CHAT], before + 1, "all in one");
    cr_expect_eq(courier_waiting(desk->courier), 0);
    desk_destroy(desk);
}

Test(courier, what_a_message_of_several_has_no_room_for_waits_for_the_next) {
    struct desk *desk = desk_create();
    char key[64];
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, "a_key_of_some_length_%02d", i);
        leave(desk, "page", key, "and a text of thirty bytes, too", 1);
    }
    courier_step(desk->courier);
    expect_counts(desk, 1, 1, 1, 1);
    size_t waiting = courier_waiting(desk->courier);
    cr_expect(waiting > 5 && waiting < 28, "%zu", waiting);
    cr_expect_eq(left(desk, "a_key_of_some_length_00"), 0);
    cr_expect_eq(left(desk, "a_key_of_some_length_29"), 1, "not named, not removed");
    rig_wait(desk->rig, COURIER_LOOK);
    go(desk, 5);
    cr_expect_eq(courier_waiting(desk->courier), 0);
    cr_expect_eq(left(desk, "a_key_of_some_length_29"), 0);
    desk_destroy(desk);
}

Test(courier, a_text_that_is_told_again_each_minute_escalates_all_the_same) {
    struct desk *desk = desk_create();
    desk->net.status[PHONE] = desk->net.status[HOOK] = 500;
    for (int i = 0; i < 5; i++) {
        leave(desk, "warn", "w", "text", i);
        go(desk, 60);
    }
    cr_expect_eq(desk->net.count[PAGER] + desk->net.count[CHAT], 0);
    go(desk, 1);
    cr_expect_geq(desk->net.count[PAGER] + desk->net.count[CHAT], 1);
    desk_destroy(desk);
}

/* --- a full hand --- */

static void fill_hand(struct desk *desk, const char *severity) {
    char key[32];
    for (int i = 0; i < COURIER_ITEMS_MAX; i++) {
        snprintf(key, sizeof key, "key_%03d", i);
        leave(desk, severity, key, "text", 1);
    }
    go(desk, COURIER_ITEMS_MAX / 32 + 1);
    cr_assert_eq(courier_waiting(desk->courier), COURIER_ITEMS_MAX);
}

Test(courier, a_full_hand_keeps_no_page_from_channels_that_take_it) {
    struct desk *desk = desk_create();
    desk->net.status[HOOK] = 401;
    fill_hand(desk, "warn");
    leave(desk, "page", "p", "text", 1);
    courier_step(desk->courier);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "p: text") != NULL, "%s",
              text_get(&desk->net.last[CHAT]));
    desk_destroy(desk);
}

Test(courier, a_page_that_one_channel_lacks_gives_way_to_no_warning) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 503;
    fill_hand(desk, "page");
    leave(desk, "warn", "w", "text", 1);
    go(desk, 5);
    cr_expect_eq(left(desk, "key_000"), 1);
    cr_expect_eq(left(desk, "w"), 1);
    cr_expect(courier_has_more(desk->courier));
    desk->net.status[CHAT] = 200;
    go(desk, 240);
    cr_expect_eq(courier_waiting(desk->courier), 0);
    cr_expect_not(courier_has_more(desk->courier));
    desk_destroy(desk);
}

Test(courier, silence_is_a_page_beside_a_full_hand_and_later_when_nothing_gives_way) {
    struct desk *desk = desk_create();
    for (int i = 0; i < DEAD; i++) {
        desk->net.status[i] = 503;
    }
    fill_hand(desk, "page");
    beat(desk, 1, 5, false);
    go(desk, 60);
    cr_expect_eq(desk->net.count[DEAD] > 0 && courier_waiting(desk->courier) == 0, 0);
    for (int i = 0; i < DEAD; i++) {
        desk->net.status[i] = 200;
    }
    bool is_told = false;
    for (int i = 0; i < 200; i++) {
        go(desk, 1);
        is_told |= strstr(text_get(&desk->net.last[CHAT]), "core_silent") != NULL;
    }
    cr_expect(is_told);
    desk_destroy(desk);
}

/* --- what goes wrong --- */

struct sick_disk { /* refuses to read what begins so */
    struct disk seam;
    struct disk_ops ops;
    struct disk *inner;
    const char *refused;
};

static enum err_code sick_open(struct disk *disk, const char *name, unsigned flags,
                               struct disk_file *out, struct err *err) {
    struct sick_disk *sick = (struct sick_disk *)disk;
    if (strncmp(name, sick->refused, strlen(sick->refused)) == 0) {
        return err_set(err, ERR_IO, "sick");
    }
    return disk_open(sick->inner, name, flags, out, err);
}

static enum err_code sick_list(struct disk *disk, const char *folder, disk_visit *visit,
                               void *context, struct err *err) {
    return disk_list(((struct sick_disk *)disk)->inner, folder, visit, context, err);
}

static enum err_code sick_size(struct disk *disk, struct disk_file file, uint64_t *out,
                               struct err *err) {
    return disk_size(((struct sick_disk *)disk)->inner, file, out, err);
}

static enum err_code sick_read(struct disk *disk, struct disk_file file, void *bytes, size_t n,
                               uint64_t offset, size_t *got, struct err *err) {
    return disk_read_at(((struct sick_disk *)disk)->inner, file, bytes, n, offset, got, err);
}

static void sick_close(struct disk *disk, struct disk_file file) {
    disk_close(((struct sick_disk *)disk)->inner, file);
}

static enum err_code sick_remove(struct disk *disk, const char *name, struct err *err) {
    return disk_remove(((struct sick_disk *)disk)->inner, name, err);
}

static enum err_code sick_sync_dir(struct disk *disk, const char *folder, struct err *err) {
    return disk_sync_dir(((struct sick_disk *)disk)->inner, folder, err);
}

Test(courier, files_that_the_disk_refuses_starve_no_other_and_are_a_page_after_a_minute) {
    struct desk *desk = desk_create();
    struct sick_disk sick = {.ops = {.open = sick_open,
                                     .list = sick_list,
                                     .size = sick_size,
                                     .read_at = sick_read,
                                     .close = sick_close,
                                     .remove = sick_remove,
                                     .sync_dir = sick_sync_dir},
                             .inner = desk->rig->world.disk,
                             .refused = "outbox/00000000000000000"};
    sick.seam.ops = &sick.ops;
    for (int i = 0; i < 32; i++) {
        leave(desk, "page", "sick", "text", 1);
    }
    desk->serial = INT64_C(1000000000000000000);
    leave(desk, "page", "well", "text", 1);
    desk->rig->world.disk = &sick.seam;
    go(desk, 2);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "well: text") != NULL);
    cr_expect(courier_has_more(desk->courier));
    go(desk, 58);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "unreadable") == NULL);
    go(desk, 3);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "alert_unreadable: outbox/0") != NULL, "%s",
              text_get(&desk->net.last[CHAT]));
    desk->rig->world.disk = sick.inner;
    desk_destroy(desk);
}

Test(courier, what_cannot_be_read_is_a_page) {
    struct desk *desk = desk_create();
    sim_disk_write_raw(desk->rig->disk, "outbox/7-x.json", "{\"at\":", 6);
    go(desk, 1);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]), "alert_unreadable: outbox/7-x.json") != NULL,
              "%s", text_get(&desk->net.last[CHAT]));
    cr_expect_eq(left(desk, "x"), 0);
    desk_destroy(desk);
}

Test(courier, a_file_in_the_making_is_left_alone) {
    struct desk *desk = desk_create();
    sim_disk_write_raw(desk->rig->disk, "outbox/7-x.json.0a1b2c3d.tmp", "{\"at\":", 6);
    go(desk, 5);
    expect_counts(desk, 0, 0, 0, 0);
    cr_expect(sim_disk_exists(desk->rig->disk, "outbox/7-x.json.0a1b2c3d.tmp"));
    desk_destroy(desk);
}

Test(courier, who_dies_before_all_have_it_tells_it_again) {
    struct desk *desk = desk_create();
    desk->net.status[CHAT] = 500;
    leave(desk, "page", "p", "text", 1);
    go(desk, 1);
    courier_destroy(desk->courier);
    desk->net.status[CHAT] = 200;
    start_courier(desk);
    go(desk, 1);
    expect_counts(desk, 2, 2, 2, 2);
    cr_expect_eq(left(desk, "p"), 0);
    desk_destroy(desk);
}

Test(courier, two_do_not_serve_one_state) {
    struct desk *desk = desk_create();
    struct courier *other = NULL;
    struct world world = desk->rig->world;
    world.disk = sim_disk_port(desk->rig->disk, 1);
    const struct courier_options options = {.world = &world, .channels = &desk->channels};
    cr_expect_eq(courier_create(&options, &other, NULL), ERR_LOCKED);
    desk_destroy(desk);
}

Test(courier, no_token_is_in_a_status) {
    struct desk *desk = desk_create();
    desk->net.status[PHONE] = 401;
    leave(desk, "page", "p", "text", 1);
    go(desk, 1);
    cr_expect_str_eq(courier_status(desk->courier, PHONE).error, "answered 401");
    cr_expect_eq(courier_status(desk->courier, CHAT).delivered, 1);
    desk_destroy(desk);
}

Test(courier, a_test_message_goes_to_one_channel) {
    struct desk *desk = desk_create();
    struct err err = {0};
    cr_expect_eq(courier_test(desk->courier, CHAT, &err), ERR_OK);
    expect_counts(desk, 0, 1, 0, 0);
    desk->net.status[PAGER] = 400;
    cr_expect_eq(courier_test(desk->courier, PAGER, &err), ERR_REFUSED);
    cr_expect_str_eq(err.text, "answered 400");
    desk_destroy(desk);
}

/* --- the pulse --- */

Test(pulse, three_beats_and_ten_seconds_of_silence_are_a_page_and_end_the_pings) {
    struct desk *desk = desk_create();
    go(desk, 1); /* sees that it was stopped */
    cr_expect_eq(desk->net.count[DEAD], 1);
    beat(desk, 1, 5, false);
    go(desk, 1);
    rig_wait(desk->rig, (struct span){SPAN_S(24).ns}); /* 25 s after the look that saw the beat */
    courier_step(desk->courier);
    expect_counts(desk, 0, 0, 0, 0);
    rig_wait(desk->rig, (struct span){1});
    courier_step(desk->courier);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect(strstr(text_get(&desk->net.last[CHAT]),
                     "core_silent: nobody watches over positions and orders, the last heartbeat "
                     "was of") != NULL,
              "%s", text_get(&desk->net.last[CHAT]));
    go(desk, 200);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect_eq(desk->net.count[DEAD], 1);
    beat(desk, 2, 5, false);
    go(desk, 1);
    cr_expect_eq(desk->net.count[DEAD], 2, "it lives");
    desk_destroy(desk);
}

Test(pulse, one_sight_of_a_heartbeat_is_no_beat) {
    struct desk *desk = desk_create();
    beat(desk, 1, 5, false);
    go(desk, 20);
    cr_expect_eq(desk->net.count[DEAD], 0, "it may be days old");
    beat(desk, 2, 5, false);
    go(desk, 1);
    cr_expect_eq(desk->net.count[DEAD], 1);
    desk_destroy(desk);
}

Test(pulse, a_stop_is_believed_for_a_day) {
    struct desk *desk = desk_create();
    go(desk, 86401);
    int count = desk->net.count[DEAD];
    cr_expect_geq(count, 1440);
    go(desk, 3600);
    cr_expect_eq(desk->net.count[DEAD], count);
    desk_destroy(desk);
}

Test(pulse, the_ping_comes_each_minute) {
    struct desk *desk = desk_create();
    for (int i = 0; i < 182; i++) {
        beat(desk, i, 5, false);
        go(desk, 1);
    }
    cr_expect_eq(desk->net.count[DEAD], 4);
    desk_destroy(desk);
}

Test(pulse, no_heartbeat_at_all_is_silence_after_five_minutes) {
    struct desk *desk = desk_create();
    cr_assert(sim_disk_remove_raw(desk->rig->disk, "bot_heartbeat.json"));
    go(desk, 301);
    expect_counts(desk, 0, 0, 0, 0);
    go(desk, 1);
    expect_counts(desk, 1, 1, 1, 1);
    cr_expect_eq(desk->net.count[DEAD], 0, "nobody has seen a core");
    desk_destroy(desk);
}

Test(pulse, a_core_that_was_stopped_is_not_silent) {
    struct desk *desk = desk_create();
    go(desk, 3600);
    expect_counts(desk, 0, 0, 0, 0);
    cr_expect_gt(desk->net.count[DEAD], 50, "a person stopped it");
    desk_destroy(desk);
}

Test(pulse, what_cannot_be_read_is_no_beat) {
    struct desk *desk = desk_create();
    beat(desk, 1, 5, false);
    go(desk, 1);
    for (int i = 0; i < 30; i++) {
        char junk[8];
        int n = snprintf(junk, sizeof junk, "x%d", i);
        sim_disk_write_raw(desk->rig->disk, "bot_heartbeat.json", junk, (size_t)n);
        go(desk, 1);
    }
    cr_expect_eq(desk->net.count[CHAT], 1);
    desk_destroy(desk);
}
