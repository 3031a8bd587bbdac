/* test_recording.c - events as lines and back, and what is no recording. */
#include "replay/recording.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

static const char wild[] = "a\tb\nc\rd\\e\0f\"\x80\xff\\n";

static bool is_same(const struct event *a, const struct event *b) {
    return a->kind == b->kind && a->at.ns == b->at.ns && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->what, b->what) == 0 && strcmp(a->symbol, b->symbol) == 0 &&
           strcmp(a->id, b->id) == 0 && a->number == b->number && a->qty.nanos == b->qty.nanos &&
           a->price.nanos == b->price.nanos && a->amount.nanos == b->amount.nanos &&
           a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0;
}

static struct event sample(enum event_kind kind, size_t body_len) {
    return (struct event){.kind = kind,
                          .at = {INT64_MIN},
                          .subject = "",
                          .what = "x\ty",
                          .symbol = "BRK.B",
                          .id = "\\",
                          .number = INT64_MAX,
                          .qty = {-1},
                          .price = {0},
                          .amount = {7},
                          .body = wild,
                          .body_len = body_len};
}

Test(recording, every_kind_and_every_byte_comes_back_as_it_was) {
    static const enum event_kind kinds[] = {
#define X(kind, word, members) kind,
        EVENT_KINDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t n = 0; n < sizeof wild; n++) {
            struct event told = sample(kinds[i], n);
            struct event read = {0};
            struct text line = {0};
            struct err err = {0};
            recording_print(&told, &line);
            cr_assert_eq(strcspn(text_get(&line), "\n"), line.len - 1,
                         "one line, its LF the last byte");
            cr_assert_eq(recording_parse(line.data, line.len - 1, &read, &err), ERR_OK, "%s",
                         err.text);
            cr_expect(is_same(&told, &read), "%s, %zu bytes", event_word(kinds[i]), n);
            cr_expect_eq(read.body[read.body_len], '\0', "strings end");
            text_release(&line);
        }
    }
}

struct ear {
    struct observer seam;
    int64_t heard;
    struct event last;
};

static void ear_observe(struct observer *observer, const struct event *event) {
    struct ear *ear = (struct ear *)observer;
    ear->heard++;
    ear->last = (struct event){.kind = event->kind, .number = event->number};
}

static const struct observer_ops ear_ops = {ear_observe};

static enum err_code read_text(const char *bytes, size_t n, struct ear *ear, struct err *err) {
    FILE *file = n == 0 ? fopen("/dev/null", "rb") : fmemopen((void *)(uintptr_t)bytes, n, "rb");
    cr_assert(file != NULL);
    *ear = (struct ear){.seam = {&ear_ops}};
    enum err_code code = recording_read(file, &ear->seam, NULL, err);
    fclose(file);
    return code;
}

static void write_two(struct text *out) {
    char *bytes = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&bytes, &n);
    struct recorder recorder;
    recorder_init(&recorder, file);
    for (int64_t i = 1; i <= 2; i++) {
        observe(&recorder.seam, &(struct event){.kind = EVENT_TICK, .number = i});
    }
    cr_assert_eq(recorder_finish(&recorder, NULL), ERR_OK);
    fclose(file);
    text_add_bytes(out, bytes, n);
    free(bytes);
}

Test(recording, is_told_in_order_and_a_cut_anywhere_is_known) {
    struct text whole = {0};
    struct ear ear;
    struct err err = {0};
    write_two(&whole);
    cr_assert_str_eq(text_get(&whole), "seatrial recording 1\n"
                                       "tick\t0\t1\t0\t0\t0\t\t\t\t\t\n"
                                       "tick\t0\t2\t0\t0\t0\t\t\t\t\t\n"
                                       "end\t2\n");
    cr_assert_eq(read_text(whole.data, whole.len, &ear, &err), ERR_OK, "%s", err.text);
    cr_assert_eq(ear.heard, 2);
    cr_assert_eq(ear.last.number, 2);
    for (size_t n = 0; n < whole.len; n++) {
        cr_expect_eq(read_text(whole.data, n, &ear, &err), ERR_PARSE, "cut to %zu bytes", n);
    }
    text_release(&whole);
}

Test(recording, what_nobody_wrote_is_refused_with_its_line) {
    static const char *const rows[][2] = {
        {"seatrial recording 2\nend\t0\n", "line 1: not 'seatrial recording 1'"},
        {"seatrial recording 1\ntick\t0\n", "line 2: not 11 fields between tabs"},
        {"seatrial recording 1\ntack\t0\t1\t0\t0\t0\t\t\t\t\t\nend\t1\n",
         "line 2: no kind of event 'tack'"},
        {"seatrial recording 1\ntick\t0\t1x\t0\t0\t0\t\t\t\t\t\nend\t1\n",
         "line 2: '1x' is no whole number"},
        {"seatrial recording 1\ntick\t0\t99999999999999999999\t0\t0\t0\t\t\t\t\t\nend\t1\n",
         "line 2: '99999999999999999999' is no whole number"},
        {"seatrial recording 1\ntick\t0\t1\t0\t0\t0\t\t\t\t\t\\x\nend\t1\n",
         "line 2: a string of 2 bytes is badly escaped"},
        {"seatrial recording 1\ntick\t0\t1\t0\t0\t0\ta\\0b\t\t\t\t\nend\t1\n",
         "line 2: a string of 4 bytes is badly escaped"},
        {"seatrial recording 1\nend\t1\n", "line 2: 0 events of 1 are here"},
        {"seatrial recording 1\nend\t0\nend\t0\n", "line 3: more behind the end"},
        {"seatrial recording 1\nend\t0", "line 2: cut short"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ear ear;
        struct err err = {0};
        cr_expect_eq(read_text(rows[i][0], strlen(rows[i][0]), &ear, &err), ERR_PARSE);
        cr_expect_str_eq(err.text, rows[i][1]);
    }
}

Test(recording, a_disk_that_is_full_is_an_error) {
    FILE *file = fopen("/dev/full", "wb");
    struct recorder recorder;
    struct err err = {0};
    if (file == NULL) {
        cr_skip_test("no /dev/full here");
    }
    recorder_init(&recorder, file);
    cr_expect_eq(recorder_finish(&recorder, &err), ERR_IO);
    fclose(file);
}
