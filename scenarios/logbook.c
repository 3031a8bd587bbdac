/* logbook.c - see logbook.h. */
#include "scenarios/logbook.h"

static const char NAME[] = "log.jsonl";

void logbook_begin(struct logbook *logbook, const struct sim_disk *disk) {
    text_clear(&logbook->news);
    logbook->read = sim_disk_read_rest(disk, NAME, 0, &logbook->news) ? logbook->news.len : 0;
    text_clear(&logbook->news);
}

/* A piece at the end is told with what comes behind it. */
static void keep_whole_lines(struct text *news) {
    while (news->len > 0 && news->data[news->len - 1] != '\n') {
        news->len--;
    }
    if (news->data != NULL) {
        news->data[news->len] = '\0';
    }
}

void logbook_look(struct logbook *logbook, const struct sim_disk *disk, struct utc at,
                  struct observer *observer) {
    struct text *news = &logbook->news;
    text_clear(news);
    if (sim_disk_read_rest(disk, NAME, logbook->read, news)) {
        keep_whole_lines(news);
        logbook->read += news->len;
    } else {
        (void)sim_disk_read_rest(disk, "log.1.jsonl", logbook->read, news);
        const size_t before = news->len;
        (void)sim_disk_read_rest(disk, NAME, 0, news);
        logbook->read = news->len - before;
    }
    if (news->len > 0) {
        observe(observer,
                &(struct event){
                    .kind = EVENT_LOG, .at = at, .body = text_get(news), .body_len = news->len});
    }
}

void logbook_release(struct logbook *logbook) {
    text_release(&logbook->news);
}
