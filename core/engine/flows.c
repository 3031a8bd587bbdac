/* flows.c - money that came or went without a trade: each activity once, by a row of its own, and what the account
 * guards are told of it. */
#include "core/base/mutant.h"
#include "core/engine/core.h"

#include <stdio.h>
#include <string.h>

static bool flow_is_known(const struct engine *engine, const char *id) {
    for (size_t i = 0; i < engine->flow_count; i++) {
        if (strcmp(engine->flows[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

struct date flows_since(const struct engine *engine) {
    return date_add(ny_date(clock_utc(engine->world->clock)), -1);
}

/* The oldest but one, of before a day, of what counts for ever or of what does not; flow_count: none. */
static size_t oldest(const struct engine *engine, bool is_outside, size_t but, int32_t days) {
    size_t found = engine->flow_count;
    MUTATE(young_flow_forgotten, days = INT32_MAX);
    for (size_t i = 0; i < engine->flow_count; i++) {
        const struct flow *flow = &engine->flows[i];
        if (i != but && (flow->kind == FLOW_OUTSIDE) == is_outside && flow->date.days < days) {
            days = flow->date.days;
            found = i;
        }
    }
    return found;
}

/* In a full list the oldest income or cost goes, for its day is over by then; else the oldest two deposits become one: the
 * sum is what counts. False: all are of that day or younger, so that they would be told, and taken, again. */
static bool make_room(struct engine *engine, int32_t before) {
    const size_t none = engine->flow_count;
    if (engine->flow_count < FLOWS_MAX) {
        return true;
    }
    size_t place = oldest(engine, false, none, before);
    if (place == none) {
        place = oldest(engine, true, none, before);
        size_t next = oldest(engine, true, place, before);
        if (place == none || next == none) {
            return false;
        }
        struct usd *sum = &engine->flows[next].amount;
        *sum = usd_add(*sum, engine->flows[place].amount);
    }
    memmove(&engine->flows[place], &engine->flows[place + 1],
            (FLOWS_MAX - 1 - place) * sizeof engine->flows[0]);
    engine->flow_count--;
    return true;
}

static void add_flow(struct engine *engine, const struct flow *added, const char *id) {
    struct flow *flow = &engine->flows[engine->flow_count++];
    *flow = *added;
    (void)!text_copy(flow->id, sizeof flow->id, id, NULL);
}

static const char *const flow_rows[] = {"flow", "income", "cost"}; /* by kind */

static bool flow_kind_of(const char *row, enum flow_kind *out) {
    for (int kind = FLOW_OUTSIDE; kind <= FLOW_COST; kind++) {
        if (strcmp(row, flow_rows[kind]) == 0) {
            *out = (enum flow_kind)kind;
            return true;
        }
    }
    return false;
}

enum err_code flows_fold(struct engine *engine, const struct journal_row *row, struct err *err) {
    struct flow flow = {.kind = FLOW_OUTSIDE};
    if (!flow_kind_of(row->kind, &flow.kind)) {
        return ERR_OK;
    }
    cJSON *body = NULL;
    const char *text = NULL;
    enum err_code code = json_parse(row->body, strlen(row->body), &body, err);
    if (code == ERR_OK) {
        code = json_usd(body, "usd", &flow.amount, err);
        code = code == ERR_OK ? json_string(body, "date", &text, err) : code;
        code = code == ERR_OK ? date_parse(text, &flow.date, err) : code;
        cJSON_Delete(body);
    }
    if (code != ERR_OK) {
        return err_wrap(err, "journal row %lld (%s)", (long long)row->seq, row->kind);
    }
    if (!make_room(engine, flows_since(engine).days)) {
        (void)make_room(engine, INT32_MAX); /* no reason not to start */
    }
    add_flow(engine, &flow, row->key);
    return ERR_OK;
}

/* From outside are deposits, withdrawals and what is journaled from or to another account. DIV and its kin are income:
 * capital gains and what returns of the capital, DIVNRA and its like are what is withheld of one, CIL is cash for a fraction
 * of a share that was given. All else that moves cash and is no trade (FEE, DIVFEE, INT, MISC) is what it costs. */
static enum flow_kind kind_of(const struct broker_activity *activity) {
    static const char *const outside[] = {"CSD", "CSW", "JNL", "JNLC", "ACATC", "TRANS"};
    static const char *const income[] = {"DIV",    "DIVCGL", "DIVCGS",  "DIVFT", "DIVNRA",
                                         "DIVROC", "DIVTW",  "DIVTXEX", "CIL"};
    MUTATE(dividend_is_profit, if (strncmp(activity->type, "DIV", 3) == 0) return FLOW_COST);
    MUTATE(cash_in_lieu_is_profit, if (strcmp(activity->type, "CIL") == 0) return FLOW_COST);
    return text_is_one_of(activity->type, outside, sizeof outside / sizeof outside[0])
               ? FLOW_OUTSIDE
           : text_is_one_of(activity->type, income, sizeof income / sizeof income[0]) ? FLOW_INCOME
                                                                                      : FLOW_COST;
}

static bool add_flow_row(struct engine *engine, const struct flow *flow, const char *id) {
    char date[DATE_TEXT_MAX];
    struct text body = {.limit = 512};
    date_print(flow->date, date);
    text_add_char(&body, '{');
    text_member_decimal(&body, "usd", flow->amount.nanos);
    text_member_string(&body, "date", date);
    text_add_char(&body, '}');
    bool is_noted = journal_append(engine->journal, flow_rows[flow->kind], id, text_get(&body),
                                   NULL, NULL) == ERR_OK &&
                    journal_commit(engine->journal, NULL) == ERR_OK;
    if (is_noted) {
        add_flow(engine, flow, id);
    }
    text_release(&body);
    return is_noted;
}

static const int64_t CENT = NANOS / 100;
static const char BY_OPERATOR[] = "operator-";

/* What an operator said that it is, before it was told, goes back by a row of its own; first, for who dies between the
 * two is told of the activity again. False where it could not be. */
static bool give_back(struct engine *engine, const struct flow *told) {
    for (size_t i = 0; i < engine->flow_count && told->kind == FLOW_OUTSIDE; i++) {
        struct flow back = engine->flows[i];
        char id[sizeof back.id + 8];
        snprintf(id, sizeof id, "%s:back", back.id);
        MUTATE(explained_step_counts_twice, continue);
        if (strncmp(back.id, BY_OPERATOR, sizeof BY_OPERATOR - 1) == 0 &&
            strstr(back.id, ":back") == NULL && usd_cmp(back.amount, told->amount) == 0 &&
            !flow_is_known(engine, id)) {
            back.amount = usd_neg(back.amount);
            return make_room(engine, flows_since(engine).days) && add_flow_row(engine, &back, id);
        }
    }
    return true;
}

void flows_take(struct engine *engine, const struct broker_activity *activity) {
    bool is_flow = strcmp(activity->type, "FILL") != 0 && activity->net_amount.nanos != 0;
    bool is_back = activity->is_canceled; /* what was taken before goes back, by a row of its own */
    struct flow flow = {.date = ny_date(activity->at),
                        .amount = is_back ? usd_neg(activity->net_amount) : activity->net_amount,
                        .kind = kind_of(activity)};
    char id[sizeof flow.id];
    MUTATE(canceled_flow_counts, is_back = false; flow.amount = activity->net_amount);
    int length = snprintf(id, sizeof id, is_back ? "%s:back" : "%s", activity->id);
    if (!is_flow || length >= (int)sizeof id || flow_is_known(engine, id) ||
        (is_back && !flow_is_known(engine, activity->id)) || engine->journal == NULL) {
        return;
    }
    if (give_back(engine, &flow) && make_room(engine, flows_since(engine).days)) {
        (void)!add_flow_row(engine, &flow, id);
    }
}

bool flows_take_step(struct engine *engine) {
    char id[48];
    const struct usd step = engine->equity_steps.step;
    struct flow flow = {.date = engine->truth.day, .kind = FLOW_OUTSIDE};
    int64_t cents = 0;
    if (decimal_mul_div(step.nanos, 1, CENT, &cents, NULL) != ERR_OK) {
        return false;
    }
    flow.amount =
        (struct usd){cents * CENT}; /* as it will be told; averages of fills are not to the cent */
    snprintf(id, sizeof id, "%s%lld", BY_OPERATOR, (long long)journal_last_seq(engine->journal));
    if (step.nanos == 0 || engine->truth.day.days == 0 ||
        !make_room(engine, flows_since(engine).days) || !add_flow_row(engine, &flow, id)) {
        return false;
    }
    engine->equity_steps.step = (struct usd){0};
    return true;
}

struct equity_reading reading_now(const struct engine *engine) {
    const struct truth *truth = &engine->truth;
    struct equity_reading reading = {.at = clock_utc(engine->world->clock),
                                     .exchange_day = truth->day,
                                     .is_core_session = truth->is_open,
                                     .is_trusted = truth->is_equity_explained,
                                     .equity =
                                         usd_sub(truth->account.equity, engine->equity_steps.step),
                                     .previous_close = truth->account.last_equity};
    struct date previous = {0};
    reading.has_previous_close =
        previous_session(engine, &previous) && previous.days == truth->account.balance_asof.days;
    struct usd income = {0};
    for (size_t i = 0; i < engine->flow_count; i++) {
        const struct flow *flow = &engine->flows[i];
        bool is_from_outside = flow->kind == FLOW_OUTSIDE;
        MUTATE(dividend_is_a_deposit, is_from_outside |= flow->kind == FLOW_INCOME);
        if (is_from_outside) {
            reading.flows_ever = usd_add(reading.flows_ever, flow->amount);
        }
        if (flow->date.days >= truth->day.days && flow->kind != FLOW_COST) {
            struct usd *sum = flow->kind == FLOW_INCOME ? &income : &reading.flows_today;
            *sum = usd_add(*sum, flow->amount);
        }
    }
    /* what is withheld of a dividend of another day takes nothing from this one's loss */
    reading.flows_today = usd_add(reading.flows_today, usd_max(income, USD(0)));
    MUTATE(flows_count_as_gains, reading.flows_today.nanos = 0);
    return reading;
}
