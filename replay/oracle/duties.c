/* duties.c - the score of each mechanism that no other judge of this room keeps by itself: three tables and one fold.
 *
 * What only refuses is due at each attempt. A refusal is held (REFUSERS), unless a judge of refusals objected to
 * it in the same event: then it is unfounded. An attempt that went through is what a judge of sends objected to (CHARGES),
 * and that judge allows for what the view hid. What acts by itself has signs (DUTIES): what made it due in the world,
 * the first answer, command or start by which the core could know, the act, and what ends it unacted. Where a sign
 * says surely that it was due, a time says when the act is missed; where only a judge can, an act alone says that it
 * was due, and the judge's objection that it was missed.
 *
 * Comes behind all other judges: what broke since the event before broke in this one. */
#include "replay/oracle/judge.h"
#include "replay/oracle/reasons.h"

#include <stdlib.h>
#include <string.h>

static const struct refuser {
    const char *code, *mechanism;
} REFUSERS[] = {
    {"MODE", "reduce_only"},
    {"HALT", "reduce_only"},
    {"SCOPE", "reduce_only"},
    {"NOT_REDUCING", "reduce_only"},
    {"SESSION", "session_gate"},
    {"ACCOUNT_UNREADABLE", "data_guard"},
    {"NO_REFERENCE", "data_guard"},
    {"STALE_QUOTE", "data_guard"},
    {"COLLAR", "price_collar"},
    {"ORDER_CAP", "order_validation"},
    {"BUYING_POWER", "order_validation"},
    {"SYMBOL_BUSY", "order_validation"},
    {"LAST_LOOK", "order_validation"},
    {"MIN_NOTIONAL", "position_sizing"},
    {"MAX_POSITIONS", "max_positions"},
    {"ENTRY_RATE", "max_positions"},
    {"GROSS_EXPOSURE", "gross_exposure"},
    {"SYMBOL_LIMIT", "symbol_limit"},
    {"SECTOR_LIMIT", "sector_limit"},
    {"THEME_LIMIT", "theme_limit"},
    {"CORRELATION_LIMIT", "correlation_limit"},
    {"SYMBOL_COOLDOWN", "symbol_cooldown"},
    {"JOURNAL_DOWN", "atomic_state"},
};
enum { REFUSER_COUNT = sizeof REFUSERS / sizeof REFUSERS[0] };

/* Whose score an objection counts in. Judges whose objection is about one of several count themselves: groups.c,
 * stopped.c, latches.c, delivery.c, loudness.c, alarms.c. */
enum verdict { MISSED, MISSED_WHILE_DUE, UNFOUNDED };
static const struct charge {
    enum oracle_invariant invariant;
    enum verdict verdict;
    const char *mechanism; /* NULL: that of the refusal */
} CHARGES[] = {
    {ORACLE_REFUSALS, UNFOUNDED, NULL},
    {ORACLE_GROUP_REFUSAL, UNFOUNDED, NULL},
    {ORACLE_CLUSTER_REFUSAL, UNFOUNDED, NULL},
    {ORACLE_SENT_RESTRICTED, MISSED, "reduce_only"},
    {ORACLE_NEVER_SHORT, MISSED, "reduce_only"},
    {ORACLE_SESSION, MISSED, "session_gate"},
    {ORACLE_QUOTES, MISSED, "data_guard"},
    {ORACLE_LIE, MISSED, "data_guard"},
    {ORACLE_ORDER_CAP, MISSED, "order_validation"},
    {ORACLE_SIZE, MISSED, "position_sizing"},
    {ORACLE_POSITIONS, MISSED, "max_positions"},
    {ORACLE_RATE, MISSED, "max_positions"},
    {ORACLE_GROSS, MISSED, "gross_exposure"},
    {ORACLE_CLUSTERS, MISSED, "correlation_limit"},
    {ORACLE_COOLDOWN, MISSED, "symbol_cooldown"},
    {ORACLE_L_KILL, MISSED_WHILE_DUE, "operator_freeze"},
    {ORACLE_REJECTS, MISSED, "retry_backoff"},
    {ORACLE_L_CALLS, MISSED, "retry_backoff"},
    {ORACLE_DELIVERED, MISSED, "alerts"},
    {ORACLE_ONE_ORDER, MISSED, "order_idempotency"},
    {ORACLE_UNKNOWN, MISSED, "order_idempotency"},
    {ORACLE_REUSE, MISSED, "order_idempotency"},
    {ORACLE_BOOKED_ONCE, MISSED, "order_idempotency"},
    {ORACLE_FLATTEN, MISSED, "exit_execution"},
    {ORACLE_L_EXITS, MISSED, "exit_execution"},
    {ORACLE_OVERDUE, MISSED, "exit_execution"},
    {ORACLE_WASH, MISSED, "exit_execution"},
    {ORACLE_STOPS, MISSED, "protective_stops"},
    {ORACLE_FOREIGN, MISSED, "reconciliation"},
    {ORACLE_L_RECONCILED, MISSED, "reconciliation"},
    {ORACLE_ADOPTION, UNFOUNDED, "divergence_heal"},
    {ORACLE_STOOD, UNFOUNDED, "divergence_heal"},
    {ORACLE_HEALED, MISSED, "divergence_heal"},
    {ORACLE_ROWS, MISSED, "atomic_state"},
    {ORACLE_DOCUMENT, MISSED, "atomic_state"},
    {ORACLE_OTHER_ACCOUNT, MISSED, "startup_contract"},
    {ORACLE_SECRET, MISSED, "credentials"},
    {ORACLE_L_DEGRADED, MISSED_WHILE_DUE, "credentials"},
    {ORACLE_ONE_WRITER, MISSED, "single_instance"},
    {ORACLE_SUCCESSION, MISSED, "single_instance"},
    {ORACLE_DEAD, MISSED, "single_instance"},
};
enum { CHARGE_COUNT = sizeof CHARGES / sizeof CHARGES[0] };

enum { DUTIES_MAX = 24 };

struct due { /* of a duty */
    struct two_clocks clocks;
    struct utc shown_at; /* the view said so first; {0}: not yet */
    bool is_late;
    bool stands; /* of a duty with a release: the view says so, and nothing since that it is over */
};

struct told { /* of an order, by its client id */
    char id[TABLE_NAME_MAX];
    int64_t row, life; /* of its intent; 0: no row told of one */
    bool is_met;       /* another's, and the core said so once: what it lists again is no news */
    bool is_anothers;  /* at the broker; what it is of: */
    char symbol[16];
    int64_t ordered; /* nanos */
};

struct duties {
    struct due due[DUTIES_MAX];
    int64_t breaks[ORACLE_INVARIANT_COUNT]; /* as of the event before */
    int64_t total;
    struct table orders; /* struct told */
    int64_t life, last_row;
    int64_t lost_from; /* rows from here on are gone since the life before; 0: none is */
    size_t lost;  /* orders of which the intent was among them; of this life, as lost_from is */
    size_t unmet; /* of another, at the most: only while there are some is a listing read */
    int64_t stamps[2];           /* of the documents of freezes and of positions, as saved last */
    bool is_first_row_due;       /* of this life */
    bool is_elsewhere_tampered;  /* the disk, or a hand, did more than take the journal back */
    char failed[TABLE_NAME_MAX]; /* the read of this tick that failed last */
    struct calls *calls;
    struct differences *differences;
    struct readings *readings;
};

typedef bool sign_fn(const struct event *event, const struct scene *scene,
                     const struct duties *judge);

struct sign {
    uint32_t kinds;             /* 0: nothing is one */
    const char *subject, *what; /* as they begin; NULL: whatever they are */
    sign_fn *is_it;             /* and it says so; may be NULL */
};

/* --- signs that words do not tell --- */

#define SIGN(name)                                                                                 \
    static bool name(const struct event *event __attribute__((unused)),                            \
                     const struct scene *scene __attribute__((unused)),                            \
                     const struct duties *judge __attribute__((unused)))

/* A person says it; answers have a body. */
SIGN(is_said) {
    return event->body_len == 0;
}

SIGN(is_answered) {
    return event->body_len > 0;
}

/* No answer, or one that says to come again. */
SIGN(is_failed) {
    return event->id[0] != '\0' || event->number == 429 || event->number >= 500;
}

SIGN(is_over_the_rate) {
    return event->number == 429;
}

SIGN(may_be_spent) {
    return calls_may_be_spent(judge->calls);
}

SIGN(may_have_failed) {
    return calls_may_have_failed(judge->calls, event);
}

SIGN(may_differ) {
    return differences_may_stand(judge->differences, event->symbol, event->at, scene);
}

SIGN(may_be_unexplained) {
    return readings_may_be_unexplained(judge->readings, event->at, scene);
}

SIGN(is_good) {
    return event->id[0] == '\0' && event->number == 200;
}

SIGN(is_of_another_account) {
    return is_word(event->what, "/v2/account") && scene->other_account_at.ns == event->at.ns;
}

SIGN(is_of_our_account) {
    return is_word(event->what, "/v2/account") && is_good(event, scene, judge) &&
           scene->other_account_at.ns == 0;
}

/* Under an id of our shape that another program took. */
SIGN(is_under_our_id) {
    return is_our_id(event->id) && !scene_is_ours(scene, event->id);
}

SIGN(is_of_another) {
    return !scene_is_ours(scene, event->id);
}

/* An id of ours was refused because another order has it, of another content. */
static bool is_used(const struct event *event, const struct scene_sent *sent,
                    const struct duties *judge) {
    const struct told *told = table_find(&judge->orders, sent->id);
    return event->number == 422 && strstr(event->body, "must be unique") != NULL && told != NULL &&
           told->is_anothers &&
           (!is_word(told->symbol, sent->symbol) || told->ordered != sent->qty.nanos);
}

/* A body names this order, and not merely one whose id begins like its own. */
static bool is_named(const struct event *event, const char *id) {
    size_t n = strlen(id);
    for (const char *at = event->body; n > 0 && (at = strstr(at, id)) != NULL; at += n) {
        if (at[n] == '"' && at > event->body && at[-1] == '"') {
            return true;
        }
    }
    return false;
}

/* That, or a listing that shows another's order under an id which the core never gave. */
SIGN(is_of_another_content) {
    bool is_listing =
        judge->unmet > 0 && is_word(event->subject, "GET") && is_good(event, scene, judge);
    for (size_t i = 0; is_listing && i < judge->orders.count; i++) {
        const struct told *told = table_at(&judge->orders, i);
        if (told->is_anothers && !told->is_met && told->row == 0 && is_named(event, told->id)) {
            return true;
        }
    }
    return is_word(event->subject, "POST") && is_used(event, &scene->sent, judge);
}

/* A life's first row has a number that was given before: what stood behind it is gone. */
SIGN(is_of_a_lost_journal) {
    return judge->lost_from != 0 && event->number == judge->lost_from;
}

/* And a document that nobody touched tells of rows that are gone. */
SIGN(is_of_an_older_journal) {
    return is_of_a_lost_journal(event, scene, judge) && !judge->is_elsewhere_tampered &&
           (judge->stamps[0] >= event->number || judge->stamps[1] >= event->number);
}

static bool is_lost(const struct duties *judge, const struct told *told) {
    return told->row >= judge->lost_from && told->life < judge->life;
}

/* The broker lists an order whose intent is among them. */
SIGN(is_of_a_lost_order) {
    bool is_listing = judge->lost > 0 && is_good(event, scene, judge);
    for (size_t i = 0; is_listing && i < judge->orders.count; i++) {
        const struct told *told = table_at(&judge->orders, i);
        if (is_lost(judge, told) && is_named(event, told->id)) {
            return true;
        }
    }
    return false;
}

/* By the account's answer, how far its equity is from the ledger's; false where it says none of its own. */
static bool equity_apart(const struct event *event, const struct scene *scene, struct usd *equity,
                         struct usd *apart) {
    static const char key[] = "\"equity\":\"";
    bool is_own = is_of_our_account(event, scene, NULL) && event->body_len > 0;
    const char *at = is_own ? strstr(event->body, key) : NULL;
    char number[DECIMAL_TEXT_MAX] = "";
    size_t n = at == NULL ? sizeof number : strcspn(at + sizeof key - 1, "\"");
    if (n >= sizeof number || scene->equity.nanos <= 0) {
        return false;
    }
    memcpy(number, at + sizeof key - 1, n);
    bool is_told = usd_parse(number, equity, NULL) == ERR_OK;
    *apart = usd_abs(usd_sub(*equity, scene->equity));
    return is_told;
}

/* None at all, or three steps from the ledger's, which is as old as the tick before. */
SIGN(is_equity_a_lie) {
    struct usd equity = {0};
    struct usd apart = {0};
    const struct ratio far = {scene->limits.equity_step.nanos * 3};
    return equity_apart(event, scene, &equity, &apart) &&
           (equity.nanos <= 0 ||
            (far.nanos > 0 && usd_cmp(apart, usd_scale(scene->equity, far)) > 0));
}

SIGN(is_equity_sound) {
    struct usd equity = {0};
    struct usd apart = {0};
    return equity_apart(event, scene, &equity, &apart) && !is_equity_a_lie(event, scene, judge);
}

/* --- what acts by itself --- */

#define SPAN(seconds)                                                                              \
    { INT64_C(1000000000) * (seconds) }
#define CORE_SAYS(mechanism, word)                                                                 \
    { KIND(EVENT_MECHANISM), mechanism, word, NULL }

static const struct duty {
    const char *mechanism;
    const char *latch; /* while this cause holds nothing more is to be done; a buy then is risky */
    struct sign world, view, act, over;
    struct span lasts; /* the view must say it for so long before it is known */
    struct span
        within; /* later than this, in a life that goes on, it is missed; 0: only a charge says so */
    struct sign release; /* while the view stands this is missed: it let go too soon */
    bool is_false_alone; /* an act that no sign explains is unfounded; else it counts as due */
    sign_fn *reason;     /* an act without it is unfounded, whatever the signs; NULL: they say */
    bool is_missed_over; /* what ends it once it is known is the opposite of the act */
} DUTIES[] = {
    {.mechanism = "operator_freeze",
     .world = {KIND(EVENT_OPERATOR), "freeze", NULL, is_said},
     .view = {KIND(EVENT_OPERATOR), "freeze", NULL, is_said},
     .act = {KIND(EVENT_OPERATOR), "freeze", NULL, is_answered},
     .is_false_alone = true},
    {.mechanism = "startup_contract",
     .latch = "wrong_account",
     .world = {KIND(EVENT_FAULT), "view.other_account", NULL, NULL},
     .view = {KIND(EVENT_HTTP), "GET", "/v2/account", is_of_another_account},
     .act = CORE_SAYS("startup_contract", "acted"),
     .over = {KIND(EVENT_HTTP), "GET", "/v2/account", is_of_our_account},
     .within = SPAN(15),
     .is_false_alone = true},
    {.mechanism = "second_writer",
     .latch = "second_writer",
     .world = {KIND(EVENT_LEDGER_ORDER), NULL, NULL, is_under_our_id},
     .view = {KIND(EVENT_HTTP), NULL, "/v2/orders", is_of_another_content},
     .act = CORE_SAYS("second_writer", "acted"),
     .within = SPAN(15)},
    {.mechanism = "amnesia",
     .latch = "amnesia",
     .world = {KIND(EVENT_ROW), NULL, NULL, is_of_a_lost_journal},
     .view = {KIND(EVENT_HTTP), "GET", "/v2/orders", is_of_a_lost_order},
     .act = CORE_SAYS("amnesia", "acted"),
     .over = CORE_SAYS("second_writer", "acted"),
     .within = SPAN(15)},
    {.mechanism = "state_regression",
     .latch = "state_regression",
     .world = {KIND(EVENT_ROW), NULL, NULL, is_of_an_older_journal},
     .view = {KIND(EVENT_ROW), NULL, NULL, is_of_an_older_journal},
     .act = CORE_SAYS("state_regression", "acted"),
     .within = SPAN(15)},
    {.mechanism = "retry_backoff",
     .world = {KIND(EVENT_HTTP), NULL, NULL, is_failed},
     .view = {KIND(EVENT_HTTP), NULL, NULL, is_failed},
     .act = CORE_SAYS("retry_backoff", "held"),
     .over = {KIND(EVENT_HTTP), NULL, NULL, is_good},
     .reason = may_have_failed},
    {.mechanism = "rate_budget",
     .world = {KIND(EVENT_HTTP), NULL, NULL, is_over_the_rate},
     .view = {KIND(EVENT_HTTP), NULL, NULL, is_over_the_rate},
     .act = CORE_SAYS("rate_budget", "held"),
     .over = {KIND(EVENT_HTTP), NULL, NULL, is_good},
     .reason = may_be_spent},
    {.mechanism = "data_guard",
     .latch = "data_guard",
     .world = {KIND(EVENT_HTTP), "GET", "/v2/account", is_equity_a_lie},
     .view = {KIND(EVENT_HTTP), "GET", "/v2/account", is_equity_a_lie},
     .act = CORE_SAYS("data_guard", "acted"),
     .over = {KIND(EVENT_HTTP), "GET", "/v2/account", is_equity_sound},
     .release = CORE_SAYS("data_guard", "released"),
     .reason = may_be_unexplained,
     .lasts = SPAN(10),
     .within = SPAN(30)},
    {.mechanism = "reconciliation",
     .latch = "reconciliation",
     .world = {KIND(EVENT_LEDGER_FILL), NULL, NULL, is_of_another},
     .view = {KIND(EVENT_HTTP), "GET", "/v2/positions", is_good},
     .act = CORE_SAYS("reconciliation", "acted"),
     .reason = may_differ},
    {.mechanism = "divergence_heal",
     .world = {KIND(EVENT_LEDGER_FILL), NULL, NULL, is_of_another},
     .view = {KIND(EVENT_HTTP), "GET", "/v2/positions", is_good},
     .act = CORE_SAYS("divergence_heal", "acted"),
     .reason = may_differ},
    {.mechanism = "atomic_state",
     .latch = "journal_down",
     .world = {KIND(EVENT_FAULT), "disk.", NULL, NULL},
     .view = {KIND(EVENT_FAULT), "disk.", NULL, NULL},
     .act = CORE_SAYS("atomic_state", "acted")},
    {.mechanism = "config_validation",
     .world = {KIND(EVENT_FRAME), "reload", "bad", NULL},
     .view = {KIND(EVENT_FRAME), "reload", "bad", NULL},
     .act = CORE_SAYS("config_validation", "held"),
     .over = CORE_SAYS("config_validation", "acted"),
     .within = SPAN(60),
     .is_false_alone = true,
     .is_missed_over = true},
    {.mechanism = "credentials",
     .world = {KIND(EVENT_OPERATOR), "rotate_key", NULL, NULL},
     .view = {KIND(EVENT_OPERATOR), "reload", NULL, NULL},
     .act = CORE_SAYS("credentials", "acted"),
     .over = {KIND(EVENT_START), NULL, NULL, NULL},
     .within = SPAN(60),
     .is_false_alone = true},
    {.mechanism = "single_instance",
     .latch = "lease_lost",
     .world = {KIND(EVENT_FAULT), "process.", NULL, NULL},
     .view = {KIND(EVENT_FAULT), "process.", NULL, NULL},
     .act = CORE_SAYS("single_instance", "acted")},
};
enum { DUTY_COUNT = sizeof DUTIES / sizeof DUTIES[0] };
_Static_assert(sizeof DUTIES / sizeof DUTIES[0] <= (size_t)DUTIES_MAX, "a duty without a place");

static void *duties_create(void) {
    struct duties *judge = judge_alloc(sizeof *judge);
    judge->orders = table_of(sizeof(struct told));
    judge->calls = calls_create();
    judge->differences = differences_create();
    judge->readings = readings_create();
    return judge;
}

static void duties_destroy(void *context) {
    struct duties *judge = context;
    table_release(&judge->orders);
    calls_destroy(judge->calls);
    differences_destroy(judge->differences);
    readings_destroy(judge->readings);
    free(judge);
}

/* --- what signs go by --- */

static void take_row(struct duties *judge, const struct event *event) {
    if (judge->is_first_row_due) {
        judge->lost_from = event->number <= judge->last_row ? event->number : 0;
        judge->is_first_row_due = false;
        for (size_t i = 0; judge->lost_from != 0 && i < judge->orders.count; i++) {
            judge->lost += is_lost(judge, table_at(&judge->orders, i));
        }
    }
    judge->last_row = event->number;
    if (is_word(event->subject, "intent") && strstr(event->id, "-x-") == NULL) {
        struct told *told = table_get(&judge->orders, event->id);
        told->row = event->number;
        told->life = judge->life;
    }
}

static void take_order(struct duties *judge, const struct event *event, const struct scene *scene) {
    if (is_under_our_id(event, scene, judge)) {
        struct told *told = table_get(&judge->orders, event->id);
        judge->unmet += !told->is_anothers;
        told->is_anothers = true;
        told->ordered = event->number;
        (void)!text_copy(told->symbol, sizeof told->symbol, event->symbol, NULL);
    }
}

static void take_second_writer(struct duties *judge) {
    judge->unmet = 0;
    for (size_t i = 0; i < judge->orders.count; i++) {
        struct told *told = table_at(&judge->orders, i);
        told->is_met |= told->is_anothers;
    }
}

static void take_fault(struct duties *judge, const struct event *event) {
    bool is_of_disk = event->kind == EVENT_OPERATOR ? is_word(event->subject, "edit_document")
                                                    : strncmp(event->subject, "disk.", 5) == 0;
    bool is_journal_back =
        is_word(event->subject, "disk.old_version") && is_word(event->what, "journal.db*");
    judge->is_elsewhere_tampered |= is_of_disk && !is_journal_back;
}

static void take_document(struct duties *judge, const struct event *event) {
    if (is_word(event->subject, "governor_freezes.json")) {
        judge->stamps[0] = event->number;
    } else if (is_word(event->subject, "position_metadata.json")) {
        judge->stamps[1] = event->number;
    }
}

/* A read that failed is asked again in a later tick, but for what an exit waits for by the second. */
static void judge_read(struct duties *judge, const struct event *event, struct findings *findings) {
    if (judge->failed[0] != '\0' && is_word(event->subject, "GET") &&
        is_word(event->what, judge->failed)) {
        score_passed(findings_score(findings, "retry_backoff"), event->at);
    }
}

/* What the broker refuses to buy for want of money the core should have refused: it stood in. (What it refuses to sell may
 * have been busted, or sold by another, a moment ago.) */
static void judge_stand_in(const struct event *event, struct findings *findings) {
    if (event->number == 403 && is_word(event->subject, "POST") && findings->scene->sent.is_buy &&
        strstr(event->body, "insufficient buying power") != NULL) {
        score_passed(findings_score(findings, "order_validation"), event->at);
    }
}

static void take_answer(struct duties *judge, const struct event *event,
                        struct findings *findings) {
    const struct scene *scene = findings->scene;
    bool is_read = is_word(event->subject, "GET") && strlen(event->what) < sizeof judge->failed &&
                   strncmp(event->what, "/v2/orders/", 11) != 0 &&
                   strncmp(event->what, "/v2/orders:", 11) != 0;
    if (is_read && is_failed(event, scene, judge)) {
        (void)!text_copy(judge->failed, sizeof judge->failed, event->what, NULL);
    }
    judge_stand_in(event, findings);
}

static void fold(struct duties *judge, const struct event *event, struct findings *findings) {
    switch ((int)event->kind) {
    case EVENT_STOP: /* what follows, rows first, is of the next life */
        judge->life++;
        judge->is_first_row_due = true;
        judge->lost_from = 0;
        judge->lost = 0;
        judge->failed[0] = '\0';
        break;
    case EVENT_TICK:
        judge->failed[0] = '\0';
        break;
    case EVENT_ROW:
        take_row(judge, event);
        break;
    case EVENT_LEDGER_ORDER:
        take_order(judge, event, findings->scene);
        break;
    case EVENT_FAULT:
    case EVENT_OPERATOR:
        take_fault(judge, event);
        break;
    case EVENT_DOCUMENT:
        take_document(judge, event);
        break;
    case EVENT_MECHANISM:
        if (is_word(event->subject, "second_writer")) {
            take_second_writer(judge);
        }
        break;
    case EVENT_SEND:
        judge_read(judge, event, findings);
        break;
    case EVENT_HTTP:
        take_answer(judge, event, findings);
        break;
    default:
        break;
    }
}

/* --- the fold of all --- */

static bool is_begun(const char *word, const char *with) {
    return with == NULL || begins(word, with);
}

static bool is_sign(const struct sign *sign, const struct event *event, const struct scene *scene,
                    const struct duties *judge) {
    return (sign->kinds & KIND(event->kind)) != 0 && is_begun(event->subject, sign->subject) &&
           is_begun(event->what, sign->what) &&
           (sign->is_it == NULL || sign->is_it(event, scene, judge));
}

/* Most events are nothing to most duties. */
static bool is_for(const struct duty *duty, const struct event *event) {
    uint32_t kinds = duty->world.kinds | duty->view.kinds | duty->act.kinds | duty->over.kinds |
                     duty->release.kinds | KIND(EVENT_TICK);
    return (kinds & KIND(event->kind)) != 0;
}

/* A latch of which the disk left no copy is in force for nobody who could know. */
static bool is_in_force(const struct duty *duty, const struct scene *scene) {
    const struct scene_cause *cause =
        duty->latch == NULL ? NULL : table_find(&scene->causes, duty->latch);
    return cause != NULL && cause->mode > SCENE_NORMAL && !cause->is_taken_back;
}

static const char *refuser_of(const struct event *event) {
    for (size_t i = 0; event->kind == EVENT_REFUSAL && i < REFUSER_COUNT; i++) {
        if (is_word(event->subject, REFUSERS[i].code)) {
            return REFUSERS[i].mechanism;
        }
    }
    return NULL;
}

static bool is_due(const struct duties *judge, const char *mechanism) {
    for (size_t i = 0; i < DUTY_COUNT; i++) {
        if (is_word(DUTIES[i].mechanism, mechanism)) {
            return judge->due[i].clocks.known_at.ns != 0;
        }
    }
    return false;
}

static void put(const struct duties *judge, const struct charge *charge, const struct event *event,
                struct findings *findings) {
    const char *mechanism = charge->mechanism == NULL ? refuser_of(event) : charge->mechanism;
    if (mechanism == NULL || (charge->verdict == MISSED_WHILE_DUE && !is_due(judge, mechanism))) {
        return;
    }
    struct score *score = findings_score(findings, mechanism);
    if (charge->verdict == UNFOUNDED) {
        score->unfounded++;
    } else {
        score_passed(score, event->at);
        score->risky += event->kind == EVENT_SEND && findings->scene->sent.is_buy;
    }
}

/* True if a judge said of this event that what the core did in it was unfounded. */
static bool take_breaks(struct duties *judge, const struct event *event,
                        struct findings *findings) {
    int64_t total = (int64_t)findings->count + findings->not_shown;
    bool is_false = false;
    if (total == judge->total) {
        return false;
    }
    for (size_t i = 0; i < CHARGE_COUNT; i++) {
        const enum oracle_invariant invariant = CHARGES[i].invariant;
        if (findings->breaks[invariant] > judge->breaks[invariant]) {
            is_false |= CHARGES[i].verdict == UNFOUNDED;
            put(judge, &CHARGES[i], event, findings);
        }
    }
    is_false |= findings->breaks[ORACLE_ALARM] > judge->breaks[ORACLE_ALARM];
    memcpy(judge->breaks, findings->breaks, sizeof judge->breaks);
    judge->total = total;
    return is_false;
}

static void take_refusal(const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    const char *mechanism = refuser_of(event);
    if (mechanism == NULL) {
        return;
    }
    bool is_of_mode = is_word(event->subject, "MODE") || is_word(event->subject, "HALT");
    struct score *score = findings_score(findings, mechanism);
    if (is_of_mode && scene->strict == 0 && scene->mode < SCENE_REDUCE_ONLY) {
        score->unfounded++;
    } else {
        score_held(score, event->at);
    }
}

/* Where only an act tells that it was due, it is counted with it. */
static void act(const struct duties *judge, const struct duty *duty, struct due *due,
                const struct event *event, struct findings *findings) {
    struct score *score = findings_score(findings, duty->mechanism);
    bool is_alone = due->clocks.true_at.ns == 0 && due->clocks.known_at.ns == 0;
    bool is_baseless = duty->reason != NULL && !duty->reason(event, findings->scene, judge);
    if (is_baseless || (is_alone && duty->is_false_alone)) {
        score->unfounded++;
        return;
    }
    if (is_alone || due->clocks.known_at.ns == 0) {
        clocks_true(&due->clocks, event->at, true, (struct usd){0});
        clocks_known(&due->clocks, score, event->at, true);
    } else if (duty->within.ns == 0) {
        score->due++;
    }
    due->clocks.known_at = utc_max(due->clocks.known_at, findings->scene->up_since);
    (void)clocks_act(&due->clocks, score, event->at);
    *due = (struct due){.stands = due->stands};
}

static void miss(const struct duty *duty, struct utc due_at, struct findings *findings) {
    struct score *score = findings_score(findings, duty->mechanism);
    score->due_at = due_at;
    score->missed++;
}

static void end(const struct duty *duty, struct due *due, struct findings *findings) {
    if (duty->is_missed_over && due->clocks.known_at.ns != 0) {
        miss(duty, due->clocks.known_at, findings);
    }
    *due = (struct due){.stands = due->stands};
}

static void look(const struct duties *judge, const struct duty *duty, struct due *due,
                 const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc at = event->kind == EVENT_FRAME ? scene->now : event->at;
    bool is_open = due->clocks.true_at.ns != 0;
    if ((!is_open || duty->within.ns == 0) && is_sign(&duty->world, event, scene, judge) &&
        !is_in_force(duty, scene)) {
        *due = (struct due){.stands =
                                due->stands}; /* the newest of many that may be what it acts on */
        clocks_true(&due->clocks, at, true, (struct usd){0});
    }
    if (due->clocks.true_at.ns == 0 || due->clocks.known_at.ns != 0 ||
        !is_sign(&duty->view, event, scene, judge)) {
        return;
    }
    due->shown_at = due->shown_at.ns == 0 ? at : due->shown_at;
    if (utc_sub(at, due->shown_at).ns < duty->lasts.ns) {
        return;
    }
    if (duty->within.ns == 0) {
        due->clocks.known_at = at;
    } else {
        clocks_known(&due->clocks, findings_score(findings, duty->mechanism), at, true);
    }
}

static void take_release(const struct duties *judge, const struct duty *duty, struct due *due,
                         const struct event *event, struct findings *findings) {
    const struct scene *scene = findings->scene;
    if (duty->release.kinds == 0) {
        return;
    }
    due->stands = (due->stands && !is_sign(&duty->over, event, scene, judge)) ||
                  is_sign(&duty->view, event, scene, judge);
    if (due->stands && is_sign(&duty->release, event, scene, judge)) {
        miss(duty, event->at, findings);
    }
}

/* Time stands still while the core does. */
static void judge_time(const struct duty *duty, struct due *due, const struct event *event,
                       struct findings *findings) {
    const struct scene *scene = findings->scene;
    struct utc since = utc_max(due->clocks.known_at, scene->up_since);
    if (duty->within.ns != 0 && due->clocks.known_at.ns != 0 && scene->is_up && !due->is_late &&
        !is_in_force(duty, scene) && utc_sub(event->at, since).ns > duty->within.ns) {
        due->is_late = true;
        miss(duty, due->clocks.known_at, findings);
    }
}

static void take_buy(struct findings *findings) {
    for (size_t i = 0; i < DUTY_COUNT; i++) {
        if (is_in_force(&DUTIES[i], findings->scene)) {
            findings_score(findings, DUTIES[i].mechanism)->risky++;
        }
    }
}

static void duties_observe(void *context, const struct event *event, struct findings *findings) {
    struct duties *judge = context;
    const struct scene_sent *sent = &findings->scene->sent;
    bool is_false = take_breaks(judge, event, findings);
    if (event->kind == EVENT_REFUSAL && !is_false) {
        take_refusal(event, findings);
    } else if (event->kind == EVENT_SEND && sent->is_new && sent->is_buy) {
        take_buy(findings);
    }
    fold(judge, event, findings);
    calls_take(judge->calls, event, findings->scene);
    differences_take(judge->differences, event, findings->scene);
    readings_take(judge->readings, event, findings->scene);
    for (size_t i = 0; i < DUTY_COUNT; i++) {
        const struct duty *duty = &DUTIES[i];
        struct due *due = &judge->due[i];
        if (!is_for(duty, event)) {
            continue;
        }
        take_release(judge, duty, due, event, findings);
        if (is_sign(&duty->act, event, findings->scene, judge)) {
            if (!is_false) {
                act(judge, duty, due, event, findings);
            }
        } else if (is_sign(&duty->over, event, findings->scene, judge)) {
            end(duty, due, findings);
        } else if (event->kind == EVENT_TICK) {
            judge_time(duty, due, event, findings);
        } else {
            look(judge, duty, due, event, findings);
        }
    }
}

const struct judge_ops duties_judge = {UINT32_MAX, duties_create, duties_observe, duties_destroy};
