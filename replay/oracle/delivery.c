/* delivery.c - pages_reach_two_channels and channels_are_not_flooded: what the courier made of the alerts.
 *
 * Only runs whose frame says that there is a courier are judged. A page is due from the end of the tick that
 * raised it: before, a death may take it along. Told again within five minutes it may wait for their end. What
 * a disk that fails or lies did to the outbox is nobody's fault: from its first fault on only pages that are
 * raised after healing, to a life that lasts, are due. Dead man's switch and silence are measured by
 * the core's ticks: three beats of five minutes at the most, then the courier's looks. */
#include "core/base/hash.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const struct span FIRST_WITHIN = {INT64_C(5000000000)};
static const struct span TAKEN_WITHIN = {INT64_C(420000000000)};
static const struct span REPEAT = {INT64_C(300000000000)};
static const struct span MINUTE = {INT64_C(60000000000)};
static const struct span SETTLED = {INT64_C(15000000000)}; /* a courier that has started */
static const struct span ALIVE = {INT64_C(20000000000)};   /* so young a tick is no silence */
static const struct span SILENT = {INT64_C(945000000000)}; /* so old a tick is */
enum { CHANNELS = 4, A_MINUTE = 20, PAGES_MAX = 64, BODIES = 64 };
static const char *const NAMES[CHANNELS] = {"pager", "chat", "phone", "hook"};

struct page {
    char key[TABLE_NAME_MAX];
    struct utc at; /* the end of its tick; {0}: that has not come */
    struct utc raised_at;
    bool is_asked;
    unsigned taken; /* a bit for each channel */
};

struct key { /* of an alert, first the name */
    char name[TABLE_NAME_MAX];
    struct utc told_at; /* at a channel */
};

struct body { /* of a message, for repeats */
    uint64_t hash;
    struct utc at;
};

struct channel {
    struct utc at[A_MINUTE]; /* the last messages, a ring */
    size_t count;
    struct body bodies[BODIES];
    size_t body_count;
};

struct delivery {
    struct page pages[PAGES_MAX];
    size_t page_count;
    struct table keys;
    struct channel channels[CHANNELS];
    bool is_on, is_up, has_disk_failed;
    struct utc up_since; /* of the courier */
    struct utc fault_at; /* the last fault; {0}: none */
    struct utc tick_at;
    bool is_stopped; /* the core ended as it was told to */
    bool is_silence_told;
    struct utc silent_from; /* what was told of silence may be about this time on */
};

static void *delivery_create(void) {
    struct delivery *judge = judge_alloc(sizeof *judge);
    judge->keys = table_of(sizeof(struct key));
    return judge;
}

static void delivery_destroy(void *context) {
    struct delivery *judge = context;
    table_release(&judge->keys);
    free(judge);
}

/* Nothing failed lately, for the courier or on the way. */
static bool is_undisturbed(const struct delivery *judge, struct utc now) {
    return judge->is_up && utc_sub(now, judge->up_since).ns >= SETTLED.ns &&
           (judge->fault_at.ns == 0 || utc_sub(now, judge->fault_at).ns >= TAKEN_WITHIN.ns);
}

/* --- pages --- */

static void drop_page(struct delivery *judge, size_t i) {
    judge->pages[i] = judge->pages[--judge->page_count];
}

static void raise_page(struct delivery *judge, const struct event *event,
                       const struct scene *scene) {
    (void)table_get(&judge->keys, event->what);
    bool is_due = is_word(event->subject, "page") && (!judge->has_disk_failed || scene->is_healed);
    if (!is_due || judge->page_count == PAGES_MAX) {
        return;
    }
    struct page *page = &judge->pages[judge->page_count++];
    *page = (struct page){.raised_at = event->at};
    size_t n = strlen(event->what);
    memcpy(page->key, event->what, n < TABLE_NAME_MAX ? n : TABLE_NAME_MAX - 1);
}

static void end_tick(struct delivery *judge, struct utc now) {
    judge->tick_at = now;
    judge->is_silence_told = false;
    for (size_t i = 0; i < judge->page_count; i++) {
        judge->pages[i].at = judge->pages[i].at.ns == 0 ? now : judge->pages[i].at;
    }
}

/* What no tick's end had made durable may be gone; with a disk that failed, all may be. */
static void lose_pages(struct delivery *judge) {
    for (size_t i = judge->page_count; i-- > 0;) {
        if (judge->pages[i].at.ns == 0 || judge->has_disk_failed) {
            drop_page(judge, i);
        }
    }
}

static void look_at_pages(struct delivery *judge, const struct scene *scene, struct utc now,
                          struct findings *findings) {
    for (size_t i = judge->page_count; i-- > 0;) {
        struct page *page = &judge->pages[i];
        const struct key *key = table_find(&judge->keys, page->key);
        bool is_repeat = key != NULL && utc_sub(page->raised_at, key->told_at).ns < REPEAT.ns;
        struct utc since = utc_max(page->at, judge->up_since);
        if (page->at.ns == 0 || !judge->is_up) {
            continue;
        }
        if (!page->is_asked && !is_repeat && is_undisturbed(judge, page->at) &&
            utc_sub(now, since).ns > FIRST_WITHIN.ns) {
            page->is_asked = true; /* told once */
            findings_break(findings, ORACLE_DELIVERED, now, "%.40s: no channel was asked in 5 s",
                           page->key);
        }
        since = scene->is_healed ? utc_max(since, scene->healed_at) : now;
        if (utc_sub(now, since).ns > TAKEN_WITHIN.ns) {
            findings_break(findings, ORACLE_DELIVERED, now, "%.40s: %d channels have it", page->key,
                           __builtin_popcount(page->taken));
            drop_page(judge, i);
        }
    }
}

/* --- messages --- */

static int channel_of(const char *name) {
    for (int i = 0; i < CHANNELS; i++) {
        if (is_word(name, NAMES[i])) {
            return i;
        }
    }
    return -1;
}

static void count_message(struct delivery *judge, int channel, struct utc now,
                          struct findings *findings) {
    struct channel *line = &judge->channels[channel];
    struct utc before = line->at[line->count % A_MINUTE];
    if (line->count >= A_MINUTE && utc_sub(now, before).ns < MINUTE.ns) {
        findings_score(findings, "alerts")->unfounded++;
        findings_break(findings, ORACLE_CHANNELS, now, "%s: more than %d messages in a minute",
                       NAMES[channel], A_MINUTE);
    }
    line->at[line->count++ % A_MINUTE] = now;
}

/* The same bytes again, although nothing was lost on the way and no courier died. */
static void heed_repeat(struct delivery *judge, int channel, const struct event *event,
                        struct utc now, struct findings *findings) {
    struct channel *line = &judge->channels[channel];
    uint64_t hash = hash64(event->body, event->body_len, 0);
    for (size_t i = 0; i < line->body_count && i < BODIES; i++) {
        struct body *body = &line->bodies[i];
        if (body->hash == hash && utc_sub(now, body->at).ns < REPEAT.ns &&
            is_undisturbed(judge, now) && utc_sub(now, judge->up_since).ns >= REPEAT.ns) {
            findings_score(findings, "alerts")->unfounded++;
            findings_break(findings, ORACLE_CHANNELS, now, "%s: the same message twice",
                           NAMES[channel]);
        }
    }
    line->bodies[line->body_count++ % BODIES] = (struct body){hash, now};
}

static bool is_of_a_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The key as a word of its own, in a message of one or of several. */
static bool names(const char *body, const char *key) {
    for (const char *at = strstr(body, key); at != NULL; at = strstr(at + 1, key)) {
        if ((at == body || !is_of_a_word(at[-1])) && !is_of_a_word(at[strlen(key)])) {
            return true;
        }
    }
    return false;
}

/* A page is on its way for the first time; before the end of its tick it is not late. */
static void keep_score(const struct page *page, struct utc now, struct findings *findings) {
    struct score *score = findings_score(findings, "alerts");
    struct two_clocks clocks = {0};
    struct utc since = page->at.ns == 0 ? now : page->at;
    clocks_true(&clocks, since, true, (struct usd){0});
    clocks_known(&clocks, score, since, true);
    (void)clocks_act(&clocks, score, now);
}

static void mark_pages(struct delivery *judge, int channel, const struct event *event,
                       struct utc now, struct findings *findings) {
    for (size_t i = 0; i < judge->keys.count; i++) {
        struct key *key = table_at(&judge->keys, i);
        key->told_at = names(event->body, key->name) ? now : key->told_at;
    }
    for (size_t i = judge->page_count; i-- > 0;) {
        struct page *page = &judge->pages[i];
        if (!names(event->body, page->key)) {
            continue;
        }
        if (!page->is_asked) {
            keep_score(page, now, findings);
        }
        page->is_asked = true;
        page->taken |= 1U << channel;
        if (__builtin_popcount(page->taken) >= 2) {
            drop_page(judge, i);
        }
    }
}

/* What the courier says of the core's heart, when it begins to say it. */
static void heed_silence(struct delivery *judge, const struct event *event,
                         struct findings *findings) {
    struct span age = utc_sub(event->at, utc_max(judge->tick_at, judge->silent_from));
    bool may_be_mute = judge->has_disk_failed; /* it ticks, and cannot write that it does */
    if (!is_word(event->subject, "heartbeat") || !is_word(event->what, "acted")) {
        return;
    }
    struct score *score = findings_score(findings, "heartbeat");
    judge->is_silence_told = true;
    if (age.ns >= ALIVE.ns || may_be_mute) { /* true and known: the last tick */
        struct two_clocks clocks = {0};
        clocks_true(&clocks, utc_max(judge->tick_at, judge->silent_from), true, (struct usd){0});
        clocks_known(&clocks, score, clocks.true_at, true);
        (void)clocks_act(&clocks, score, event->at);
    } else {
        score->unfounded++;
        findings_break(findings, ORACLE_CHANNELS, event->at,
                       "silence is told of a core that ticked %lld s ago",
                       (long long)(age.ns / INT64_C(1000000000)));
    }
}

/* However a core went, its silence is said within three beats and the courier's looks. */
static void look_at_silence(struct delivery *judge, struct utc now, struct findings *findings) {
    struct utc since = utc_max(judge->tick_at, judge->silent_from);
    bool is_due = judge->tick_at.ns != 0 && !judge->is_stopped && judge->is_up &&
                  !judge->has_disk_failed && utc_sub(now, since).ns > SILENT.ns;
    if (is_due && !judge->is_silence_told) {
        judge->is_silence_told = true; /* once */
        score_passed(findings_score(findings, "heartbeat"), now);
        findings_break(findings, ORACLE_CHANNELS, now, "a silent core is told by nobody");
    }
}

static void heed_ping(struct delivery *judge, const struct event *event,
                      struct findings *findings) {
    struct span age = utc_sub(event->at, utc_max(judge->tick_at, judge->silent_from));
    if (is_word(event->subject, "dead") && !judge->is_stopped && age.ns > SILENT.ns) {
        score_passed(findings_score(findings, "heartbeat"), event->at);
        findings_break(findings, ORACLE_CHANNELS, event->at,
                       "the dead man's switch is fed for a core that is silent");
    }
}

static void take_message(struct delivery *judge, const struct event *event,
                         struct findings *findings) {
    int channel = channel_of(event->subject);
    struct utc now = utc_add(event->at, (struct span){event->number});
    heed_ping(judge, event, findings);
    if (channel >= 0) {
        count_message(judge, channel, now, findings);
        heed_repeat(judge, channel, event, now, findings);
        mark_pages(judge, channel, event, now, findings);
    }
}

/* --- what else happens --- */

static void take_courier(struct delivery *judge, const struct event *event) {
    judge->is_up = is_word(event->subject, "started");
    judge->up_since = event->at;
    judge->silent_from = event->at;
}

static void take_fault(struct delivery *judge, const struct event *event) {
    judge->fault_at = event->at;
    judge->has_disk_failed |= strncmp(event->subject, "disk.", 5) == 0;
}

static void take_core(struct delivery *judge, const struct event *event) {
    judge->is_stopped = event->kind == EVENT_STOP && is_word(event->subject, "clean");
    if (event->kind == EVENT_STOP && !judge->is_stopped) {
        lose_pages(judge);
    }
}

static void delivery_observe(void *context, const struct event *event, struct findings *findings) {
    struct delivery *judge = context;
    if (event->kind == EVENT_FRAME) {
        judge->is_on |= is_word(event->subject, "courier");
    }
    if (!judge->is_on) {
        return;
    }
    look_at_silence(judge, event->at, findings);
    if (event->kind == EVENT_ALERT) {
        raise_page(judge, event, findings->scene);
    } else if (event->kind == EVENT_TICK) {
        end_tick(judge, event->at);
    } else if (event->kind == EVENT_COURIER) {
        take_courier(judge, event);
    } else if (event->kind == EVENT_FAULT) {
        take_fault(judge, event);
    } else if (event->kind == EVENT_STOP || event->kind == EVENT_START) {
        take_core(judge, event);
    } else if (event->kind == EVENT_MECHANISM) {
        heed_silence(judge, event, findings);
    } else if (event->kind == EVENT_DELIVERY) {
        take_message(judge, event, findings);
    }
    look_at_pages(judge, findings->scene, event->at, findings);
}

const struct judge_ops delivery_judge = {KIND(EVENT_FRAME) | KIND(EVENT_ALERT) | KIND(EVENT_TICK) |
                                             KIND(EVENT_COURIER) | KIND(EVENT_MECHANISM) |
                                             KIND(EVENT_FAULT) | KIND(EVENT_STOP) |
                                             KIND(EVENT_START) | KIND(EVENT_DELIVERY),
                                         delivery_create, delivery_observe, delivery_destroy};
