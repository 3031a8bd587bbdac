/* rails.c - rails_bind_first, the oracle of broker_rails: nothing is bought under a configuration of the account that is looser than
 * the core's own limits, suspends trading or is not known.
 *
 * Folded anew from the answers that the life got. Known is what the last readable one said, until the mode changes, a
 * change of it leaves, or twice rails.interval_s are over; where the account itself comes to say otherwise
 * whether it is blocked, the core may doubt it too. The core has until its tick's end to say that it found a flaw. A buy
 * is judged once, as it first leaves. What is asked to be changed may only be tighter than what was read, with
 * rails.write alone, and never suspend_trade, which is another's. The ledger has no word on it: both clocks are the
 * answers'. */
#include "core/base/json.h"
#include "replay/oracle/judge.h"

#include <stdlib.h>
#include <string.h>

static const char MECHANISM[] = "broker_rails";
static const char PATH[] = "/v2/account/configurations";
static const struct span READ_WITHIN = {INT64_C(900000000000)};

struct bought { /* by symbol */
    char symbol[TABLE_NAME_MAX];
    char as[TABLE_NAME_MAX];
};

struct rails {
    struct table bought;
    bool is_known, is_doubted, may_doubt;
    struct utc read_at, unknown_since;
    bool no_shorting, is_suspended;
    int64_t margin;
    bool is_blocked; /* by the last answer of the account */
    bool is_owed;    /* a flaw was read in this tick, and nothing said yet */
    struct two_clocks clocks;
};

static void *rails_create(void) {
    struct rails *judge = judge_alloc(sizeof *judge);
    judge->bought = table_of(sizeof(struct bought));
    return judge;
}

static void rails_destroy(void *context) {
    struct rails *judge = context;
    table_release(&judge->bought);
    free(judge);
}

/* --- what is known --- */

static void doubt(struct rails *judge, struct utc at) {
    if (judge->is_known && !judge->is_doubted) {
        judge->unknown_since = at;
    }
    judge->is_doubted = true;
}

static int64_t margin_needed(const struct scene *scene) {
    int64_t needed = 1;
    while (needed < 4 && scene->limits.gross.nanos > needed * NANOS) {
        needed *= 2;
    }
    return needed;
}

static bool is_flawed(const struct rails *judge, const struct scene *scene) {
    return judge->is_suspended || !judge->no_shorting || judge->margin > margin_needed(scene);
}

static bool is_old(const struct rails *judge, const struct scene *scene) {
    return utc_sub(scene->now, judge->read_at).ns > 2 * scene->limits.rails_interval.ns;
}

/* Why nothing may be bought; "" if it may. */
static const char *why_not(const struct rails *judge, const struct scene *scene) {
    return !judge->is_known          ? "the account's configuration was not read"
           : judge->is_doubted       ? "it was not read again since the mode or it changed"
           : is_old(judge, scene)    ? "it was read too long ago"
           : judge->is_suspended     ? "trading is suspended"
           : is_flawed(judge, scene) ? "it is looser than our limits"
                                     : "";
}

static bool read_margin(const cJSON *tree, int64_t *out) {
    const char *text = "";
    bool is_read = json_string(tree, "max_margin_multiplier", &text, NULL) == ERR_OK &&
                   (is_word(text, "1") || is_word(text, "2") || is_word(text, "4"));
    *out = is_read ? text[0] - '0' : *out;
    return is_read;
}

static void take_configuration(struct rails *judge, const struct event *event,
                               struct findings *findings) {
    const cJSON *tree = scene_answer(findings->scene, event);
    bool no_shorting = false;
    bool is_suspended = false;
    int64_t margin = 0;
    bool is_read = read_margin(tree, &margin) &&
                   json_bool(tree, "no_shorting", &no_shorting, NULL) == ERR_OK &&
                   json_bool(tree, "suspend_trade", &is_suspended, NULL) == ERR_OK;
    if (!is_read) {
        return;
    }
    bool was_same = judge->is_known && judge->no_shorting == no_shorting &&
                    judge->is_suspended == is_suspended && judge->margin == margin;
    judge->is_known = true;
    judge->is_doubted = judge->may_doubt = false;
    judge->read_at = event->at;
    judge->no_shorting = no_shorting;
    judge->is_suspended = is_suspended;
    judge->margin = margin;
    bool is_due = is_flawed(judge, findings->scene);
    if (!was_same) {
        judge->clocks = (struct two_clocks){0}; /* another flaw is another case */
    }
    clocks_true(&judge->clocks, event->at, is_due, (struct usd){0});
    clocks_known(&judge->clocks, findings_score(findings, MECHANISM), event->at, is_due);
    judge->is_owed = is_due && !was_same;
}

/* The account's own word, in each answer of it. */
static void take_account(struct rails *judge, const struct event *event, const char *answer) {
    bool is_blocked = strstr(answer, "\"trade_suspended_by_user\":true") != NULL ||
                      strstr(answer, "\"trading_blocked\":true") != NULL ||
                      strstr(answer, "\"account_blocked\":true") != NULL;
    if (is_blocked != judge->is_blocked && judge->is_known && !judge->may_doubt) {
        judge->may_doubt = true;
        judge->unknown_since = event->at;
    }
    judge->is_blocked = is_blocked;
}

static void take_answer(struct rails *judge, const struct event *event, struct findings *findings) {
    const char *answer = memchr(event->body, '\n', event->body_len);
    if (answer == NULL || event->id[0] != '\0' || event->number != 200 ||
        !is_word(event->subject, "GET")) {
        return;
    }
    if (is_word(event->what, PATH)) {
        take_configuration(judge, event, findings);
    } else if (is_word(event->what, "/v2/account")) {
        take_account(judge, event, answer);
    }
}

/* --- judging --- */

static void judge_change(struct rails *judge, const struct event *event,
                         struct findings *findings) {
    const cJSON *tree = scene_body(findings->scene, event);
    bool no_shorting = true;
    int64_t margin = 0;
    bool lifts = json_member(tree, "suspend_trade") != NULL;
    (void)!json_bool(tree, "no_shorting", &no_shorting, NULL);
    bool loosens = !no_shorting || (read_margin(tree, &margin) && margin > judge->margin);
    if (tree == NULL || lifts || loosens || findings->scene->limits.rails_write == 0) {
        findings_break(findings, ORACLE_RAILS, event->at, "the account's configuration: %s",
                       lifts     ? "a suspension that is not ours to end"
                       : loosens ? "it is loosened"
                                 : "it is changed unasked");
    }
    doubt(judge, event->at);
}

static void judge_buy(struct rails *judge, const struct event *event, struct findings *findings) {
    const struct scene_sent *sent = &findings->scene->sent;
    struct bought *bought = table_get(&judge->bought, sent->symbol);
    bool is_again = is_word(bought->as, sent->id);
    (void)!text_copy(bought->as, sizeof bought->as, sent->id, NULL);
    const char *why = is_again ? "" : why_not(judge, findings->scene);
    if (why[0] != '\0') {
        struct score *score = findings_score(findings, MECHANISM);
        score->missed++;
        score->risky++;
        findings_break(findings, ORACLE_RAILS, event->at, "%s: a buy, and %s", sent->symbol, why);
    }
}

/* A quarter of an hour into a session, a life, undisturbed weather and not knowing, it was read. */
static bool is_late(const struct rails *judge, const struct scene *scene) {
    struct utc since = utc_max(utc_max(scene->up_since, scene->fault_at),
                               utc_max(scene->session.open, judge->unknown_since));
    bool is_unknown =
        !judge->is_known || judge->is_doubted || judge->may_doubt || is_old(judge, scene);
    return is_unknown && scene->has_session && !scene->is_locked_out && !judge->is_blocked &&
           utc_sub(scene->now, since).ns > READ_WITHIN.ns;
}

static void judge_refusal(struct rails *judge, const struct event *event,
                          struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (!is_word(event->what, "entry")) {
        findings_break(findings, ORACLE_RAILS, event->at, "%s: an exit is held to %s",
                       event->symbol, event->subject);
    } else if (why_not(judge, scene)[0] == '\0' && !judge->may_doubt) {
        findings_score(findings, MECHANISM)->unfounded++;
        findings_break(findings, ORACLE_RAILS, event->at, "%s: refused for nothing, %.80s",
                       event->symbol, event->body);
    } else if (is_late(judge, scene)) {
        findings_break(findings, ORACLE_RAILS, event->at, "%s: nobody asks, %.80s", event->symbol,
                       event->body);
    }
}

static void judge_word(struct rails *judge, const struct event *event, struct findings *findings) {
    if (!is_word(event->subject, MECHANISM) || !is_word(event->what, "acted")) {
        return;
    }
    judge->is_owed = false;
    if (!clocks_act(&judge->clocks, findings_score(findings, MECHANISM), event->at)) {
        findings_break(findings, ORACLE_RAILS, event->at, "it acts on a configuration that is fit");
    }
}

static void end_tick(struct rails *judge, const struct event *event, struct findings *findings) {
    if (judge->is_owed) {
        judge->is_owed = false;
        findings_score(findings, MECHANISM)->missed++;
        findings_break(findings, ORACLE_RAILS, event->at,
                       "a configuration that is not fit was read, and nothing said");
    }
}

static void take_life(struct rails *judge, struct utc at) {
    judge->is_known = judge->is_doubted = judge->may_doubt = judge->is_owed = false;
    judge->is_blocked = false;
    judge->unknown_since = at;
    judge->clocks = (struct two_clocks){0};
}

static void rails_observe(void *context, const struct event *event, struct findings *findings) {
    struct rails *judge = context;
    const struct scene *scene = findings->scene;
    if (scene->limits.rails_interval.ns == 0) {
        return;
    }
    if (event->kind == EVENT_START) {
        take_life(judge, event->at);
    } else if (event->kind == EVENT_MODE) {
        doubt(judge, event->at);
    } else if (event->kind == EVENT_HTTP) {
        take_answer(judge, event, findings);
    } else if (event->kind == EVENT_SEND && is_word(event->what, PATH) &&
               is_word(event->subject, "PATCH")) {
        judge_change(judge, event, findings);
    } else if (event->kind == EVENT_SEND && scene->sent.is_new && scene->sent.is_buy) {
        judge_buy(judge, event, findings);
    } else if (event->kind == EVENT_REFUSAL && is_word(event->subject, "BROKER_RAILS")) {
        judge_refusal(judge, event, findings);
    } else if (event->kind == EVENT_MECHANISM) {
        judge_word(judge, event, findings);
    } else if (event->kind == EVENT_TICK) {
        end_tick(judge, event, findings);
    }
}

const struct judge_ops rails_judge = {KIND(EVENT_START) | KIND(EVENT_MODE) | KIND(EVENT_HTTP) |
                                          KIND(EVENT_SEND) | KIND(EVENT_REFUSAL) |
                                          KIND(EVENT_MECHANISM) | KIND(EVENT_TICK),
                                      rails_create, rails_observe, rails_destroy};
