/* latches.c - latch_never_lost: the mode a tick ends with is never below what a latch demands that
 * nobody cleared.
 *
 * A latch is known by its journal row ("latch_set", "latch_clear"), by an "acted" whose body names
 * the cause and says latched, or by a list of causes in EVENT_MODE. A core that starts is in NORMAL until it says
 * otherwise. A latch that no row holds may die with its process: a maybe. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

struct latch {
    char cause[TABLE_NAME_MAX];
    int mode; /* 0 when not set; see mode_number() */
    bool is_journaled;
    bool is_reported;
};

struct latches {
    struct table causes;
    int mode; /* as the core last told */
};

static int mode_number(const char *word) {
    static const char *const words[] = {"NORMAL", "CAUTION", "REDUCE_ONLY", "HALT"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

static void *latches_create(void) {
    struct latches *judge = judge_alloc(sizeof *judge);
    judge->causes = table_of(sizeof(struct latch));
    return judge;
}

static void latches_destroy(void *context) {
    struct latches *judge = context;
    table_release(&judge->causes);
    free(judge);
}

static void set(struct latches *judge, const char *cause, int mode, bool is_journaled) {
    struct latch *latch = table_get(&judge->causes, cause);
    latch->mode = mode > latch->mode ? mode : latch->mode;
    latch->is_journaled = latch->is_journaled || is_journaled;
}

static void clear(struct latches *judge, const char *cause) {
    struct latch *latch = table_find(&judge->causes, cause);
    if (latch != NULL) {
        latch->mode = 0;
        latch->is_journaled = false;
        latch->is_reported = false;
    }
}

/* Bodies of causes are an object or its members without braces. */
static cJSON *parse_members(const struct event *event) {
    struct text text = {0};
    if (event->body[0] != '{') {
        text_add_char(&text, '{');
    }
    text_add_bytes(&text, event->body, event->body_len);
    if (event->body[0] != '{') {
        text_add_char(&text, '}');
    }
    cJSON *tree = NULL;
    (void)!json_parse(text_get(&text), text.len, &tree, NULL);
    text_release(&text);
    return tree;
}

static int mode_member(const cJSON *object) {
    const char *word = "REDUCE_ONLY";
    (void)!json_string(object, "mode", &word, NULL);
    return mode_number(word);
}

static bool says_latched(const cJSON *object) {
    bool is_latched = false;
    return json_bool(object, "latched", &is_latched, NULL) == ERR_OK && is_latched;
}

static void take_row(struct latches *judge, const struct event *event) {
    if (strcmp(event->subject, "latch_clear") == 0) {
        clear(judge, event->id);
    } else if (strcmp(event->subject, "latch_set") == 0) {
        cJSON *body = parse_members(event);
        set(judge, event->id, mode_member(body), true);
        cJSON_Delete(body);
    }
}

/* The event's subject is the mechanism, which may hold several causes; the body names the cause. */
static void take_mechanism(struct latches *judge, const struct event *event) {
    bool is_set = strcmp(event->what, "acted") == 0;
    bool is_clear = strcmp(event->what, "released") == 0;
    if (!is_set && !is_clear) {
        return;
    }
    cJSON *body = parse_members(event);
    const char *cause = event->subject;
    (void)!json_string(body, "cause", &cause, NULL);
    if (is_clear) {
        clear(judge, cause);
    } else if (says_latched(body)) {
        set(judge, cause, mode_member(body), false);
    }
    cJSON_Delete(body);
}

static void take_mode(struct latches *judge, const struct event *event) {
    judge->mode = mode_number(event->subject);
    cJSON *causes = parse_members(event);
    for (const cJSON *cause = causes == NULL ? NULL : causes->child; cause != NULL;
         cause = cause->next) {
        if (says_latched(cause)) {
            set(judge, cause->string, mode_member(cause), false);
        }
    }
    cJSON_Delete(causes);
}

static void judge_tick(struct latches *judge, const struct event *event,
                       struct findings *findings) {
    for (size_t i = 0; i < judge->causes.count; i++) {
        struct latch *latch = table_at(&judge->causes, i);
        if (latch->mode > judge->mode && !latch->is_reported) {
            latch->is_reported = true;
            findings_break(findings, ORACLE_LATCHES, event->at,
                           "%s is latched, nobody cleared it, and the mode is below it",
                           latch->cause);
        }
    }
}

static void take_start(struct latches *judge, struct findings *findings) {
    judge->mode = 0;
    for (size_t i = 0; i < judge->causes.count; i++) {
        struct latch *latch = table_at(&judge->causes, i);
        if (latch->mode > 0 && !latch->is_journaled) {
            latch->mode = 0;
            findings_maybe(findings);
        }
    }
}

static void latches_observe(void *context, const struct event *event, struct findings *findings) {
    struct latches *judge = context;
    if (event->kind == EVENT_ROW) {
        take_row(judge, event);
    } else if (event->kind == EVENT_MECHANISM) {
        take_mechanism(judge, event);
    } else if (event->kind == EVENT_MODE) {
        take_mode(judge, event);
    } else if (event->kind == EVENT_TICK) {
        judge_tick(judge, event, findings);
    } else if (event->kind == EVENT_START && strcmp(event->subject, "refused") != 0) {
        take_start(judge, findings);
    }
}

const struct judge_ops latches_judge = {latches_create, latches_observe, latches_destroy};
