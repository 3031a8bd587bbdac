/* ids.c - id_only_for_the_equal_order and one_instance_trades: what is sent under which id, and by
 * which process. The emergency rule counts its ids at the broker, where a refused change took none: it
 * may ask again, at another price. */
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct content {
    char id[TABLE_NAME_MAX];
    uint64_t first; /* hash of the first request with this id */
    bool is_reported;
};

struct ids {
    struct table contents;
    int64_t newest; /* life that changed something at the broker */
    bool is_reported;
};

static void *ids_create(void) {
    struct ids *judge = judge_alloc(sizeof *judge);
    judge->contents = table_of(sizeof(struct content));
    return judge;
}

static void ids_destroy(void *context) {
    struct ids *judge = context;
    table_release(&judge->contents);
    free(judge);
}

static void judge_content(struct ids *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (sent->id[0] == '\0') {
        return;
    }
    struct content *content = table_get(&judge->contents, sent->id);
    content->first = content->first == 0 ? sent->content : content->first;
    if (content->first != sent->content && !content->is_reported) {
        content->is_reported = true;
        findings_break(findings, ORACLE_REUSE, event->at, "%s: sent with two contents", sent->id);
    }
}

static void judge_life(struct ids *judge, const struct event *event, struct findings *findings) {
    if (event->number < judge->newest && !judge->is_reported) {
        judge->is_reported = true;
        findings_break(findings, ORACLE_ONE_WRITER, event->at,
                       "%s %s by life %lld, after life %lld had traded", event->subject,
                       event->what, (long long)event->number, (long long)judge->newest);
    }
    judge->newest = event->number > judge->newest ? event->number : judge->newest;
}

static void ids_observe(void *context, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (!is_word(event->subject, "GET")) {
        judge_life(context, event, findings);
    }
    bool is_emergency = strstr(sent->id, "-x-") != NULL;
    if (sent->is_new || (sent->is_change && !is_emergency)) {
        judge_content(context, event, findings);
    }
}

const struct judge_ops ids_judge = {KIND(EVENT_SEND), ids_create, ids_observe, ids_destroy};
