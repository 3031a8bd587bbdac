/* ids.c - id_only_for_the_equal_order and one_instance_trades: what is sent under which id, and by
 * which process. One that is not the run's core, but on its state directory, changes nothing.
 *
 * A request of which no byte left takes no id. The emergency rule counts its ids at the broker, where what
 * was refused took none: it may ask again, at another price. So it is with one whose first answer was lost
 * and whose repetition was refused, if the ledger has no such order. A new life without a journal cannot know
 * what the one before sent that is not there yet: it computes the same id, which refuses the double; a maybe,
 * as is an id whose row a journal that went back has lost and whose request may have been lost too, and one
 * that the broker refused an earlier life: a journal that went back does not know it, nor does any listing. */
#include "replay/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct content {
    char id[TABLE_NAME_MAX];
    uint64_t first; /* hash of the first request with this id; 0: none that could have taken it */
    int64_t life;   /* that sent it */
    struct utc at;
    bool is_refused; /* by the broker: no order has it, and no listing shows it */
    bool is_there;   /* the ledger has it */
    bool is_reported;
};

struct sender {
    char life[TABLE_NAME_MAX];
};

struct ids {
    struct table contents;
    char asked[TABLE_NAME_MAX]; /* id of the request on its way, if its answer may free it */
    bool is_asked_again;        /* under the emergency rule, the equal order */
    struct table senders;       /* lives that sent anything, by number */
    int64_t last_sender;
    int64_t last_row;
    struct utc back_at; /* the journal went back: a row number came twice */
    int64_t newest;     /* life that changed something at the broker */
    bool is_reported;
};

static void *ids_create(void) {
    struct ids *judge = judge_alloc(sizeof *judge);
    judge->contents = table_of(sizeof(struct content));
    judge->senders = table_of(sizeof(struct sender));
    return judge;
}

static void ids_destroy(void *context) {
    struct ids *judge = context;
    table_release(&judge->contents);
    table_release(&judge->senders);
    free(judge);
}

/* Counted at the broker by a core without a journal. */
static bool is_emergency(const char *id) {
    return strstr(id, "-x-") != NULL;
}

static void judge_content(struct ids *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    if (sent->id[0] == '\0') {
        return;
    }
    struct content *content = table_get(&judge->contents, sent->id);
    if (content->first == 0) {
        content->first = sent->content;
        content->life = event->number;
        content->at = event->at;
        judge->is_asked_again = false;
        (void)!text_copy(judge->asked, sizeof judge->asked, sent->id, NULL);
    } else if (content->first == sent->content && is_emergency(sent->id)) {
        judge->is_asked_again = true;
        (void)!text_copy(judge->asked, sizeof judge->asked, sent->id, NULL);
    }
    if (content->first == sent->content || content->is_reported) {
        return;
    }
    content->is_reported = true;
    bool may_be_unknown =
        is_emergency(sent->id) || content->is_refused || utc_is_before(content->at, judge->back_at);
    if (may_be_unknown && content->life != event->number) {
        findings_excuse(findings, ORACLE_REUSE, event->at, "%s: sent with two contents", sent->id);
    } else {
        findings_break(findings, ORACLE_REUSE, event->at, "%s: sent with two contents", sent->id);
    }
}

/* No byte left, or the broker refused what counts its ids there: the id is still free. */
static void take_answer(struct ids *judge, const struct event *event) {
    if (judge->asked[0] == '\0' || strstr(event->body, judge->asked) == NULL ||
        is_word(event->subject, "GET")) {
        return;
    }
    struct content *content = table_get(&judge->contents, judge->asked);
    bool is_refused = event->number >= 400 && event->number < 500;
    bool is_free = is_word(event->id, "not_sent") || (is_refused && is_emergency(judge->asked));
    if (judge->is_asked_again) { /* the first may be there all the same */
        is_free = is_refused && !content->is_there;
    }
    content->first = is_free ? 0 : content->first;
    content->is_refused = is_refused;
    judge->asked[0] = '\0';
}

static void take_order(struct ids *judge, const struct event *event) {
    struct content *content = table_find(&judge->contents, event->id);
    if (content != NULL) {
        content->is_there = true;
    }
}

static void print_life(int64_t life, char out[static TABLE_NAME_MAX]) {
    snprintf(out, TABLE_NAME_MAX, "%lld", (long long)life);
}

static void take_sender(struct ids *judge, int64_t life) {
    char name[TABLE_NAME_MAX];
    if (life != judge->last_sender) {
        print_life(life, name);
        (void)table_get(&judge->senders, name);
        judge->last_sender = life;
    }
}

/* One that stood still before its start took the lease may take it when it wakes. */
static bool is_starting(const struct ids *judge, const struct event *event) {
    char name[TABLE_NAME_MAX];
    print_life(event->number, name);
    return is_word(event->what, "lease.json") && table_find(&judge->senders, name) == NULL;
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

/* Refused, or succeeded while it stood still. */
static void judge_other(struct ids *judge, const struct event *event, struct findings *findings) {
    bool has_sent = is_word(event->subject, "send") && !begins(event->what, "GET ");
    bool has_saved = is_word(event->subject, "document") && !is_starting(judge, event);
    bool goes_on = is_word(event->subject, "start") && !begins(event->what, "refused");
    if ((has_sent || has_saved || goes_on) && is_word(event->id, "here") && !judge->is_reported) {
        judge->is_reported = true;
        findings_break(findings, ORACLE_ONE_WRITER, event->at, "life %lld is not the core: %s %s",
                       (long long)event->number, event->subject, event->what);
    }
}

static void take_row(struct ids *judge, const struct event *event) {
    judge->back_at = event->number <= judge->last_row ? event->at : judge->back_at;
    judge->last_row = event->number;
}

static void ids_observe(void *context, const struct event *event, struct findings *findings) {
    if (event->kind == EVENT_OTHER) {
        judge_other(context, event, findings);
        return;
    }
    if (event->kind == EVENT_HTTP) {
        take_answer(context, event);
        return;
    }
    if (event->kind == EVENT_LEDGER_ORDER) {
        take_order(context, event);
        return;
    }
    if (event->kind == EVENT_ROW) {
        take_row(context, event);
        return;
    }
    const struct scene_sent *sent = &findings->scene->sent;
    take_sender(context, event->number);
    if (!is_word(event->subject, "GET")) {
        judge_life(context, event, findings);
    }
    if (sent->is_new || (sent->is_change && !is_emergency(sent->id))) {
        judge_content(context, event, findings);
    }
}

const struct judge_ops ids_judge = {KIND(EVENT_LEDGER_ORDER) | KIND(EVENT_SEND) | KIND(EVENT_HTTP) |
                                        KIND(EVENT_ROW) | KIND(EVENT_OTHER),
                                    ids_create, ids_observe, ids_destroy};
