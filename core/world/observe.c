/* observe.c - fills in what an event leaves out; the words of its kinds, from their list. */
#include "core/world/observe.h"

static const char *or_empty(const char *string) {
    return string == NULL ? "" : string;
}

void observe(struct observer *observer, const struct event *event) {
    if (observer == NULL) {
        return;
    }
    struct event told = *event;
    told.subject = or_empty(told.subject);
    told.what = or_empty(told.what);
    told.symbol = or_empty(told.symbol);
    told.id = or_empty(told.id);
    told.body = or_empty(told.body);
    observer->ops->observe(observer, &told);
}

const char *event_word(enum event_kind kind) {
    static const char *const words[] = {
#define X(kind, word, members) [kind] = word,
        EVENT_KINDS(X)
#undef X
    };
    return words[kind];
}
