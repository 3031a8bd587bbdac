/* operator.c - what people (and other programs) do in a scenario, at their times. */
#include "core/base/check.h"
#include "scenarios/stage_internal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct utc stage_when(const struct stage *stage, const struct when *when, struct utc event_at) {
    const struct calendar *calendar = market_calendar(stage->market);
    struct session session = stage->first_session;
    int day = when->day;
    switch (when->kind) {
    case WHEN_START:
        return stage->start;
    case WHEN_UTC:
        return when->at;
    case WHEN_AFTER:
        return utc_add(event_at, when->after);
    case WHEN_NEXT_SESSION:
        if (!calendar_next(calendar, event_at, &session)) {
            return UTC_NEVER;
        }
        break;
    case WHEN_SESSION:
        while (--day > 0) {
            if (!calendar_next(calendar, session.close, &session)) {
                return UTC_NEVER;
            }
        }
        break;
    }
    return utc_add(ny_to_utc(session.date, 0, 0),
                   (struct span){when->time_of_day.ns}); /* sessions hold no DST jump */
}

static bool is_due(const struct stage *stage, size_t row) {
    for (size_t i = 0; i < stage->due_count; i++) {
        if (stage->due[i].row == row) {
            return true;
        }
    }
    return false;
}

/* Who is called again before he came comes once: two resumes that each set off both causes would else double with
 * every round. */
static void plan_due(struct stage *stage, size_t row, struct utc at) {
    if (at.ns == UTC_NEVER.ns || is_due(stage, row)) {
        return;
    }
    CHECK(stage->due_count < SCENARIO_OPERATOR_MAX); /* a row is in it once */
    stage->due[stage->due_count++] = (struct due){at, row};
}

enum err_code operator_plan(struct stage *stage, struct err *err) {
    const struct scenario *scenario = stage->scenario;
    for (size_t i = 0; i < scenario->operator_count; i++) {
        const struct scenario_operator *row = &scenario->operators[i];
        if (row->on[0] != '\0') {
            continue;
        }
        struct utc at = stage_when(stage, &row->when, stage->start);
        if (utc_is_before(at, stage->start) || utc_is_before(stage->end, at)) {
            return err_set(err, ERR_CONFIG, "operator[%zu]: its time is not within the run", i);
        }
        plan_due(stage, i, at);
    }
    return ERR_OK;
}

struct utc operator_next_at(const struct stage *stage) {
    struct utc next = UTC_NEVER;
    for (size_t i = 0; i < stage->due_count; i++) {
        next = utc_is_before(stage->due[i].at, next) ? stage->due[i].at : next;
    }
    return next;
}

/* --- rows that wait for an event --- */

static void rules_observe(struct observer *observer, const struct event *event) {
    struct stage *stage = (struct stage *)((char *)observer - offsetof(struct stage, rules));
    const char *mechanism = NULL;
    const char *word = NULL;
    if (!event_mechanism(event, &mechanism, &word)) {
        return;
    }
    for (size_t i = 0; i < stage->scenario->operator_count; i++) {
        const struct scenario_operator *row = &stage->scenario->operators[i];
        if (strcmp(row->on, mechanism) == 0 && strcmp(row->on_event, word) == 0) {
            plan_due(stage, i, stage_when(stage, &row->when, virtual_clock_now(stage->clock)));
        }
    }
}

static const struct observer_ops rules_ops = {rules_observe};

void operator_rules_init(struct stage *stage) {
    stage->rules.ops = &rules_ops;
}

/* --- doing --- */

static void leave_command(struct stage *stage, const struct scenario_operator *row,
                          enum inbox_verb verb) {
    struct inbox_command command = {.verb = verb, .is_halt = row->is_halt};
    struct err err = {0};
    memcpy(command.cause, row->cause, sizeof command.cause);
    memcpy(command.by, row->by, sizeof command.by);
    memcpy(command.why, row->why, sizeof command.why);
    if (inbox_write(&stage->operator_world, &command, &err) != ERR_OK) {
        observe(&stage->fanout.seam, &(struct event){.kind = EVENT_ALERT,
                                                     .at = virtual_clock_now(stage->clock),
                                                     .subject = "warn",
                                                     .what = "operator_command_failed",
                                                     .body = err.text,
                                                     .body_len = strlen(err.text)});
    }
}

static void edit_document(struct stage *stage, const struct scenario_operator *row) {
    if (row->is_removed) {
        (void)sim_disk_remove_raw(stage->disk, row->document);
    } else if (row->keep_bytes >= 0) {
        struct text content = {0};
        if (sim_disk_read(stage->disk, row->document, &content)) {
            size_t keep = (size_t)row->keep_bytes;
            sim_disk_write_raw(stage->disk, row->document, text_get(&content),
                               keep < content.len ? keep : content.len);
        }
        text_release(&content);
    } else {
        sim_disk_write_raw(stage->disk, row->document, row->text, strlen(row->text));
    }
}

/* The next id that our own core would take: one more than the broker's highest of the day. */
static int64_t next_number(const struct stage *stage, const char *prefix) {
    int64_t highest = 0;
    for (size_t i = 0; i < broker_order_count(stage->broker); i++) {
        struct ledger_order order;
        long long number = 0;
        broker_order_at(stage->broker, i, &order);
        if (strncmp(order.client_id, prefix, strlen(prefix)) == 0 &&
            sscanf(order.client_id + strlen(prefix), "%18lld", &number) == 1 && number > highest) {
            highest = number;
        }
    }
    return highest + 1;
}

static void foreign_order(struct stage *stage, const struct scenario_operator *row) {
    struct utc now = virtual_clock_now(stage->clock);
    char date[DATE_TEXT_MAX];
    char prefix[32];
    char id[64];
    struct text body = {0};
    struct http_response response = {0};
    struct err err = {0};
    const struct stage_key key = stage_key(stage);
    const struct http_header headers[] = {{"APCA-API-KEY-ID", key.key_id},
                                          {"APCA-API-SECRET-KEY", key.secret}};
    date_print(ny_date(now), date);
    snprintf(prefix, sizeof prefix, "st-%s-", date);
    snprintf(id, sizeof id, "%s%lld", prefix, (long long)next_number(stage, prefix));
    tell_frame(&stage->fanout.seam, "foreign", id);
    text_add(&body, "{\"symbol\":");
    text_add_json_string(&body,
                         row->cause[0] == '\0' ? market_symbol(stage->market, 0) : row->cause);
    text_add(&body, ",\"qty\":\"");
    text_add_decimal(&body, row->qty.nanos);
    text_add_format(&body,
                    "\",\"side\":\"buy\",\"type\":\"market\",\"time_in_force\":\"day\","
                    "\"client_order_id\":\"%s\"}",
                    id);
    struct http_request request = {.method = "POST",
                                   .host = HTTP_TRADING,
                                   .path = "/v2/orders",
                                   .query = "",
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = text_get(&body),
                                   .body_len = body.len,
                                   .is_change = true};
    (void)!http_perform(&stage->direct.seam, &request, SPAN_S(5), &response, &err);
    if (response.status != 200) { /* our own order of this id had come first */
        tell_frame(&stage->fanout.seam, "not_foreign", id);
    }
    http_response_release(&response);
    text_release(&body);
}

static void move_cash(struct stage *stage, struct usd amount) {
    broker_advance_to(stage->broker, virtual_clock_now(stage->clock));
    broker_move_cash(stage->broker, amount);
}

static void reload(struct stage *stage, const struct scenario_operator *row) {
    stage->reload_settings = row->text[0] == '\0' ? NULL : row->text;
    stage->is_reload_key_wrong = row->is_key_wrong;
    sim_host_wish(&stage->core->host, HOST_RELOAD);
}

static void rotate_key(struct stage *stage) {
    stage->key_number++;
    const struct stage_key key = stage_key(stage);
    broker_change_key(stage->broker, key.key_id, key.secret);
}

static void restart_soon(struct stage *stage) {
    struct instance *core = stage->core;
    if (core->engine == NULL && core->restart_at.ns == UTC_NEVER.ns) {
        core->restart_at = utc_add(virtual_clock_now(stage->clock), SPAN_S(1));
    }
    core->stays_down = false;
}

static void perform(struct stage *stage, const struct scenario_operator *row) {
    switch (row->command) {
    case COMMAND_FREEZE:
        leave_command(stage, row, INBOX_FREEZE);
        break;
    case COMMAND_RESUME:
        leave_command(stage, row, INBOX_RESUME);
        break;
    case COMMAND_KILL:
        leave_command(stage, row, INBOX_KILL);
        break;
    case COMMAND_FLATTEN:
        leave_command(stage, row, INBOX_FLATTEN);
        break;
    case COMMAND_KILL_9:
        stage->core->stays_down = row->stays_down;
        process_kill(&stage->core->process);
        break;
    case COMMAND_SIGTERM:
        sim_host_wish(&stage->core->host, HOST_TERMINATE);
        stage->core->is_stopping = true;
        break;
    case COMMAND_RESTART:
        restart_soon(stage);
        break;
    case COMMAND_DEPOSIT:
        move_cash(stage, row->amount);
        break;
    case COMMAND_WITHDRAW:
        move_cash(stage, usd_neg(row->amount));
        break;
    case COMMAND_EDIT_DOCUMENT:
        edit_document(stage, row);
        break;
    case COMMAND_FOREIGN_ORDER:
        foreign_order(stage, row);
        break;
    case COMMAND_RELOAD:
        reload(stage, row);
        break;
    case COMMAND_ROTATE_KEY:
        rotate_key(stage);
        break;
    case STAGE_COMMAND_COUNT:
        CHECK(false);
        break;
    }
    stage->is_woken = true;
}

void operator_run_due(struct stage *stage, struct utc now) {
    for (size_t i = 0; i < stage->due_count;) { /* rows of one instant: in the order of the file */
        if (utc_is_before(now, stage->due[i].at)) {
            i++;
            continue;
        }
        const struct scenario_operator *row = &stage->scenario->operators[stage->due[i].row];
        memmove(&stage->due[i], &stage->due[i + 1],
                (stage->due_count - i - 1) * sizeof stage->due[0]);
        stage->due_count--;
        observe(&stage->fanout.seam, &(struct event){.kind = EVENT_OPERATOR,
                                                     .at = now,
                                                     .subject = stage_command_word(row->command),
                                                     .what = row->cause,
                                                     .id = row->by,
                                                     .amount = row->amount});
        perform(stage, row);
    }
}
