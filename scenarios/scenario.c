/* scenario.c - reading a scenario file: one table of members per object, every fault reported. */
#include "scenarios/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader { /* one reading of one file */
    struct scenario *scenario;
    struct text *faults;
    size_t fault_count;
};

typedef void member_reader(struct reader *reader, const cJSON *value, const char *path,
                           void *target);

struct member { /* a row of an object's table */
    const char *key;
    member_reader *read;
    size_t offset; /* of the target in the object's struct */
};

#define PATH_MAX_BYTES 160

static void fault(struct reader *reader, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fault(struct reader *reader, const char *path, const char *format, ...) {
    char line[ERR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_add_format(reader->faults, "%s: %s\n", path, line);
    reader->fault_count++;
}

static void read_object(struct reader *reader, const cJSON *object, const char *path,
                        const struct member *members, void *target) {
    if (!cJSON_IsObject(object)) {
        fault(reader, path[0] == '\0' ? "(file)" : path, "must be an object");
        return;
    }
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        char inner[PATH_MAX_BYTES];
        snprintf(inner, sizeof inner, "%s%s%s", path, path[0] == '\0' ? "" : ".", item->string);
        const struct member *member = members;
        while (member->key != NULL && strcmp(member->key, item->string) != 0) {
            member++;
        }
        if (member->key == NULL) {
            fault(reader, inner, "unknown member");
        } else {
            member->read(reader, item, inner, (char *)target + member->offset);
        }
    }
}

/* --- values --- */

static void read_string(struct reader *reader, const cJSON *value, const char *path, char *field,
                        size_t size) {
    struct err err = {0};
    if (!cJSON_IsString(value) || value->valuestring[0] == '\0') {
        fault(reader, path, "must be a string that says something");
    } else if (text_copy(field, size, value->valuestring, &err) != ERR_OK) {
        fault(reader, path, "longer than %zu bytes", size - 1);
    }
}

static void read_id(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, SCENARIO_ID_MAX);
    const char *id = target;
    if (id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0') {
        fault(reader, path, "'%s' is not made of a-z, 0-9 and _", id);
    }
}

static void read_title(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, SCENARIO_TITLE_MAX);
}

static void read_source(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, SCENARIO_SOURCE_MAX);
}

static bool read_whole(struct reader *reader, const cJSON *value, const char *path, int64_t low,
                       int64_t high, int64_t *out) {
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1.5;
    if (number < (double)low || number > (double)high || number != (double)(int64_t)number) {
        fault(reader, path, "must be a whole number from %lld to %lld", (long long)low,
              (long long)high);
        return false;
    }
    *out = (int64_t)number;
    return true;
}

static void read_seed(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t seed = 0;
    if (read_whole(reader, value, path, 0, INT64_C(1) << 53, &seed)) {
        *(uint64_t *)target = (uint64_t)seed;
    }
}

static void read_days(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t days = 0;
    if (read_whole(reader, value, path, 0, SCENARIO_DAYS_MAX, &days)) {
        *(int *)target = (int)days;
    }
}

static void read_flag(struct reader *reader, const cJSON *value, const char *path, void *target) {
    if (!cJSON_IsBool(value)) {
        fault(reader, path, "must be true or false");
    } else {
        *(bool *)target = cJSON_IsTrue(value);
    }
}

static bool read_nanos(struct reader *reader, const cJSON *value, const char *path,
                       int64_t *nanos) {
    struct err err = {0};
    enum err_code code = ERR_PARSE;
    if (cJSON_IsString(value)) {
        code = decimal_parse(value->valuestring, nanos, &err);
    } else if (cJSON_IsNumber(value)) {
        code = decimal_from_double(value->valuedouble, nanos, &err);
    }
    if (code != ERR_OK) {
        fault(reader, path, "must be a decimal, as text or number");
    }
    return code == ERR_OK;
}

static void read_positive(struct reader *reader, const cJSON *value, const char *path,
                          void *target) {
    int64_t nanos = 0;
    if (read_nanos(reader, value, path, &nanos)) {
        if (nanos <= 0) {
            fault(reader, path, "must be above 0");
        } else {
            *(int64_t *)target = nanos; /* struct usd, qty and ratio are one int64_t each */
        }
    }
}

static void read_chance(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t nanos = 0;
    if (read_nanos(reader, value, path, &nanos)) {
        if (nanos < 0 || nanos > NANOS) {
            fault(reader, path, "must be from 0 to 1");
        } else {
            ((struct ratio *)target)->nanos = nanos;
        }
    }
}

static void read_span(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct err err = {0};
    int64_t seconds = 0;
    if (cJSON_IsString(value)) {
        if (span_parse(value->valuestring, target, &err) != ERR_OK) {
            fault(reader, path, "%s", err.text);
        }
    } else if (read_whole(reader, value, path, 0, SCENARIO_SPAN_MAX_S, &seconds)) {
        *(struct span *)target = SPAN_S(seconds);
    }
}

static void read_when(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct err err = {0};
    if (!cJSON_IsString(value)) {
        fault(reader, path, "must be a time as text");
    } else if (when_parse(value->valuestring, target, &err) != ERR_OK) {
        fault(reader, path, "%s", err.text);
    }
}

static void read_after(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct when *when = target;
    if (when->kind != WHEN_START) {
        fault(reader, path, "'at' and 'after' exclude each other");
    }
    when->kind = WHEN_AFTER;
    read_span(reader, value, path, &when->after);
}

/* --- the parts --- */

static void read_start(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct err err = {0};
    (void)target;
    if (!cJSON_IsString(value) ||
        date_parse(value->valuestring, &reader->scenario->start, &err) != ERR_OK) {
        fault(reader, path, "must be a date like 2022-03-14");
        return;
    }
    reader->scenario->has_start = true;
}

static void read_calendar(struct reader *reader, const cJSON *value, const char *path,
                          void *target) {
    (void)target;
    if (!cJSON_IsString(value) || strcmp(value->valuestring, "market") != 0) {
        fault(reader, path, "must be \"market\": the sessions in which the set has bars");
    }
}

static void read_set(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const char *const sets[] = {"stocks-2022-03", "etfs-2019-12", "synthetic", "quiet"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (cJSON_IsString(value) && strcmp(value->valuestring, sets[i]) == 0) {
            strcpy(target, sets[i]); /* NOLINT: every set fits SCENARIO_WORD_MAX */
            return;
        }
    }
    fault(reader, path, "must be stocks-2022-03, etfs-2019-12, synthetic or quiet");
}

static void read_symbols(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    struct config *config = &reader->scenario->config;
    const cJSON *item = NULL;
    (void)target;
    if (cJSON_IsNumber(value)) {
        (void)read_whole(reader, value, path, 1, CONFIG_SYMBOLS_MAX,
                         &reader->scenario->synthetic_symbols);
        return;
    }
    if (!cJSON_IsArray(value)) {
        fault(reader, path, "must be a number (synthetic) or a list of symbols");
        return;
    }
    config->symbol_count = 0;
    cJSON_ArrayForEach(item, value) {
        struct err err = {0};
        if (config->symbol_count == CONFIG_SYMBOLS_MAX || !cJSON_IsString(item) ||
            text_copy(config->symbols[config->symbol_count], CONFIG_SYMBOL_MAX, item->valuestring,
                      &err) != ERR_OK) {
            fault(reader, path, "must list at most %d symbols, each at most %d bytes",
                  CONFIG_SYMBOLS_MAX, CONFIG_SYMBOL_MAX - 1);
            return;
        }
        config->symbol_count++;
    }
}

static void read_market(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"set", read_set, offsetof(struct scenario, set)},
        {"symbols", read_symbols, 0},
        {NULL, NULL, 0},
    };
    (void)target;
    read_object(reader, value, path, members, reader->scenario);
}

static void read_multiplier(struct reader *reader, const cJSON *value, const char *path,
                            void *target) {
    int64_t multiplier = 0;
    if (read_whole(reader, value, path, 1, 4, &multiplier)) {
        if (multiplier == 3) {
            fault(reader, path, "must be 1, 2 or 4");
        } else {
            *(int64_t *)target = multiplier;
        }
    }
}

static void read_no_shorting(struct reader *reader, const cJSON *value, const char *path,
                             void *target) {
    bool is_set = true;
    (void)target;
    read_flag(reader, value, path, &is_set);
    reader->scenario->is_shortable = !is_set;
}

static void read_partial(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    reader->scenario->has_partial_fill_chance = true;
    read_chance(reader, value, path, target);
}

static void read_late_reject(struct reader *reader, const cJSON *value, const char *path,
                             void *target) {
    reader->scenario->has_late_reject_chance = true;
    read_chance(reader, value, path, target);
}

static void read_account(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    static const struct member members[] = {
        {"cash", read_positive, offsetof(struct scenario, cash)},
        {"multiplier", read_multiplier, offsetof(struct scenario, multiplier)},
        {"shorting", read_flag, offsetof(struct scenario, may_be_short)},
        {"no_shorting", read_no_shorting, 0},
        {"max_margin_multiplier", read_multiplier, offsetof(struct scenario, margin_most)},
        {"suspend_trade", read_flag, offsetof(struct scenario, is_suspended)},
        {"partial_fill_chance", read_partial, offsetof(struct scenario, partial_fill_chance)},
        {"late_reject_chance", read_late_reject, offsetof(struct scenario, late_reject_chance)},
        {NULL, NULL, 0},
    };
    (void)target;
    read_object(reader, value, path, members, reader->scenario);
}

/* The configuration reports its own faults, one a line; here they get their path. */
static void read_config(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct text faults = {0};
    struct err err = {0};
    (void)target;
    if (config_apply(&reader->scenario->config, value, &faults, &err) != ERR_OK) {
        const char *line = text_get(&faults);
        if (line[0] == '\0') {
            fault(reader, path, "%s", err.text);
        }
        while (line[0] != '\0') {
            size_t n = strcspn(line, "\n");
            text_add_format(reader->faults, "%s.%.*s\n", path, (int)n, line);
            reader->fault_count++;
            line += n + (line[n] == '\n');
        }
    }
    text_release(&faults);
}

static void read_restart_delay(struct reader *reader, const cJSON *value, const char *path,
                               void *target) {
    reader->scenario->has_restart_delay = true;
    read_span(reader, value, path, target);
}

static void read_restart(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    static const struct member members[] = {
        {"after", read_restart_delay, offsetof(struct scenario, restart_delay)},
        {"new_boot", read_flag, offsetof(struct scenario, is_new_boot)},
        {"power_cut", read_flag, offsetof(struct scenario, is_power_cut)},
        {NULL, NULL, 0},
    };
    (void)target;
    read_object(reader, value, path, members, reader->scenario);
}

/* --- lists --- */

static void read_list(struct reader *reader, const cJSON *value, const char *path, size_t max,
                      size_t *count, member_reader *read, void *items, size_t item_size) {
    const cJSON *item = NULL;
    if (!cJSON_IsArray(value)) {
        fault(reader, path, "must be a list");
        return;
    }
    size_t index = 0;
    cJSON_ArrayForEach(item, value) {
        char inner[PATH_MAX_BYTES];
        snprintf(inner, sizeof inner, "%s[%zu]", path, index);
        if (index == max) {
            fault(reader, inner, "more than %zu", max);
            return;
        }
        read(reader, item, inner, (char *)items + index * item_size);
        index++;
    }
    *count = index;
}

static void read_point(struct reader *reader, const cJSON *value, const char *path, void *target) {
    if (!cJSON_IsString(value) || !fault_point_find(value->valuestring, target)) {
        fault(reader, path, "no fault point '%s'; see docs/chaos.md",
              cJSON_IsString(value) ? value->valuestring : "?");
    }
}

static void read_count(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t count = 0;
    if (read_whole(reader, value, path, 1, 1000000000, &count)) {
        *(uint64_t *)target = (uint64_t)count;
    }
}

static void read_target(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, FAULT_TARGET_MAX);
}

static void read_symbol(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, FAULT_SYMBOL_MAX);
}

static void read_flight(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const char *const words[] = {"drawn", "lost", "delivered", "late"};
    for (int i = 0; i < 4; i++) {
        if (cJSON_IsString(value) && strcmp(value->valuestring, words[i]) == 0) {
            *(enum fault_flight *)target = (enum fault_flight)i;
            return;
        }
    }
    fault(reader, path, "must be drawn, lost, delivered or late");
}

static void read_factor(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t nanos = 0;
    if (read_nanos(reader, value, path, &nanos)) {
        if (nanos < FAULT_FACTOR_MIN.nanos || nanos > FAULT_FACTOR_MAX.nanos) {
            fault(reader, path, "must be from 0.000001 to 1000");
        } else {
            *(struct ratio *)target = (struct ratio){nanos};
        }
    }
}

static void read_delay(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t nanos = 0; /* of seconds: they are ns */
    if (read_nanos(reader, value, path, &nanos)) {
        if (nanos <= 0 || nanos > FAULT_SPAN_MAX.ns) {
            fault(reader, path, "must be above 0 and at most a day, 86400");
        } else {
            *(struct span *)target = (struct span){nanos};
        }
    }
}

static void read_bytes(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct fault *row = target;
    row->has_bytes = read_whole(reader, value, path, 0, 1 << 24, &row->bytes);
}

static void read_status(struct reader *reader, const cJSON *value, const char *path, void *target) {
    (void)read_whole(reader, value, path, 400, 599, target);
}

static void read_offset(struct reader *reader, const cJSON *value, const char *path, void *target) {
    int64_t nanos = 0;
    if (read_nanos(reader, value, path, &nanos)) {
        if (nanos == 0 || nanos < -FAULT_SPAN_MAX.ns || nanos > FAULT_SPAN_MAX.ns) {
            fault(reader, path, "must not be 0, and at most a day, 86400, either way");
        } else {
            *(struct span *)target = (struct span){nanos}; /* nanos of seconds are ns */
        }
    }
}

static void read_params(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"target", read_target, offsetof(struct fault, target)},
        {"symbol", read_symbol, offsetof(struct fault, symbol)},
        {"new_symbol", read_symbol, offsetof(struct fault, new_symbol)},
        {"delay_s", read_delay, offsetof(struct fault, delay)},
        {"factor", read_factor, offsetof(struct fault, factor)},
        {"offset_s", read_offset, offsetof(struct fault, offset)},
        {"bytes", read_bytes, 0},
        {"status", read_status, offsetof(struct fault, status)},
        {"flight", read_flight, offsetof(struct fault, flight)},
        {"forge", read_flag, offsetof(struct fault, is_forged)},
        {"cancel_stops", read_flag, offsetof(struct fault, cancels_stops)},
        {NULL, NULL, 0},
    };
    read_object(reader, value, path, members, target);
}

/* A parameter that the point does not read would be ignored: an error of the file. */
static void check_params(struct reader *reader, const cJSON *value, const char *path,
                         enum fault_point point) {
    const cJSON *params = json_member(value, "params");
    for (const cJSON *item = cJSON_IsObject(params) ? params->child : NULL; item != NULL;
         item = item->next) {
        if (!fault_point_reads(point, item->string)) {
            fault(reader, path, "params.%s: %s does not read it; it reads: %s", item->string,
                  fault_point_name(point), fault_point_parameters(point));
        }
    }
}

/* Times of one kind can be compared without a calendar. */
static void check_window(struct reader *reader, const char *path,
                         const struct scenario_fault *row) {
    const struct when *from = &row->from;
    const struct when *until = &row->until;
    if (from->kind != until->kind) {
        return;
    }
    bool is_bad = from->kind == WHEN_UTC && until->at.ns <= from->at.ns;
    if (from->kind == WHEN_SESSION) {
        is_bad = until->day < from->day ||
                 (until->day == from->day && until->time_of_day.ns <= from->time_of_day.ns);
    }
    if (is_bad) {
        fault(reader, path, "'until' must be later than 'at'");
    }
}

static void read_fault(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"point", read_point, offsetof(struct scenario_fault, fault.point)},
        {"at", read_when, offsetof(struct scenario_fault, from)},
        {"after", read_after, offsetof(struct scenario_fault, from)},
        {"until", read_when, offsetof(struct scenario_fault, until)},
        {"probability", read_chance, offsetof(struct scenario_fault, fault.probability)},
        {"count", read_count, offsetof(struct scenario_fault, fault.count)},
        {"nth", read_count, offsetof(struct scenario_fault, fault.nth)},
        {"params", read_params, offsetof(struct scenario_fault, fault)},
        {NULL, NULL, 0},
    };
    struct scenario_fault *fault_row = target;
    enum fault_point point = FAULT_POINT_COUNT;
    *fault_row = (struct scenario_fault){0};
    read_object(reader, value, path, members, target);
    if (cJSON_IsObject(value) && json_member(value, "point") == NULL) {
        fault(reader, path, "a fault needs a point");
    } else if (cJSON_IsObject(value) && cJSON_IsString(json_member(value, "point")) &&
               fault_point_find(json_member(value, "point")->valuestring, &point)) {
        check_params(reader, value, path, point);
    }
    check_window(reader, path, fault_row);
    if (fault_row->from.kind == WHEN_NEXT_SESSION || fault_row->until.kind == WHEN_NEXT_SESSION) {
        fault(reader, path, "'next session' is for operator rules with 'on'");
    }
}

static void read_number(struct reader *reader, const cJSON *value, const char *path, void *target) {
    (void)read_whole(reader, value, path, 0, INT64_C(1) << 53, target);
}

/* For people: compared or not, it sets nothing. */
static void read_string_member(struct reader *reader, const cJSON *value, const char *path,
                               void *target) {
    (void)target;
    if (!cJSON_IsString(value)) {
        fault(reader, path, "must be a string");
    }
}

static void read_line(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"tick", read_number, offsetof(struct scenario_line, tick)},
        {"ordinal", read_number, offsetof(struct scenario_line, ordinal)},
        {"fault", read_number, offsetof(struct scenario_line, fault)},
        {"entity", read_target, offsetof(struct scenario_line, entity)},
        {"point", read_string_member, 0},
        {"at", read_string_member, 0},
        {NULL, NULL, 0},
    };
    static const char *const required[] = {"tick", "point", "fault", "entity", "ordinal"};
    struct scenario_line *line = target;
    *line = (struct scenario_line){0};
    read_object(reader, value, path, members, target);
    for (size_t i = 0; cJSON_IsObject(value) && i < 5; i++) {
        if (json_member(value, required[i]) == NULL) {
            fault(reader, path, "needs %s", required[i]);
        }
    }
}

static void read_schedule(struct reader *reader, const cJSON *value, const char *path,
                          void *target) {
    struct scenario *scenario = reader->scenario;
    (void)target;
    scenario->is_replay = true;
    read_list(reader, value, path, SCENARIO_SCHEDULE_MAX, &scenario->schedule_count, read_line,
              scenario->schedule, sizeof scenario->schedule[0]);
}

/* After the whole file: the lines name faults, and come in the order of ticks. */
static void check_schedule(struct reader *reader, const cJSON *tree) {
    const struct scenario *scenario = reader->scenario;
    const cJSON *row = NULL;
    size_t i = 0;
    if (!cJSON_IsObject(tree)) {
        return;
    }
    cJSON_ArrayForEach(row, json_member(tree, "schedule")) {
        const struct scenario_line *line = &scenario->schedule[i];
        const cJSON *point = json_member(row, "point");
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof path, "schedule[%zu]", i);
        if (i >= scenario->schedule_count) {
            return; /* told already */
        }
        if (line->fault >= scenario->fault_count) {
            fault(reader, path, "there is no faults[%zu]", line->fault);
        } else if (cJSON_IsString(point) &&
                   strcmp(point->valuestring,
                          fault_point_name(scenario->faults[line->fault].fault.point)) != 0) {
            fault(reader, path, "faults[%zu] is no %s", line->fault, point->valuestring);
        }
        if (i > 0 && line->tick < scenario->schedule[i - 1].tick) {
            fault(reader, path, "tick %lld comes after tick %lld", (long long)line->tick,
                  (long long)scenario->schedule[i - 1].tick);
        }
        i++;
    }
}

static void read_command(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    if (!cJSON_IsString(value) || !stage_command_find(value->valuestring, target)) {
        fault(reader, path, "no operator command '%s'",
              cJSON_IsString(value) ? value->valuestring : "?");
    }
}

static void read_mechanism(struct reader *reader, const cJSON *value, const char *path,
                           void *target) {
    read_string(reader, value, path, target, SCENARIO_WORD_MAX);
    if (!mechanism_is_known(target)) {
        fault(reader, path, "no mechanism '%s'; see docs/mechanisms.md", (const char *)target);
    }
}

static void read_event(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, SCENARIO_WORD_MAX);
    if (!mechanism_event_is_known(target)) {
        fault(reader, path, "'%s' is not acted, held, released, explained, warned or refused",
              (const char *)target);
    }
}

static void read_word(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, 48); /* INBOX_CAUSE_MAX, and `by` */
}

static void read_why(struct reader *reader, const cJSON *value, const char *path, void *target) {
    read_string(reader, value, path, target, 200);
}

static void read_document(struct reader *reader, const cJSON *value, const char *path,
                          void *target) {
    read_string(reader, value, path, target, DISK_NAME_MAX);
}

static void read_text(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct err err = {0};
    if (!cJSON_IsString(value) ||
        text_copy(target, SCENARIO_TEXT_MAX, value->valuestring, &err) != ERR_OK) {
        fault(reader, path, "must be text of at most %d bytes", SCENARIO_TEXT_MAX - 1);
    }
}

static void read_content(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    struct text printed = text_limited(SCENARIO_TEXT_MAX - 1);
    struct err err = {0};
    json_print_sorted(value, &printed);
    if (text_finish(&printed, &err) != ERR_OK) {
        fault(reader, path, "longer than %d bytes", SCENARIO_TEXT_MAX - 1);
    } else {
        strcpy(target, text_get(&printed)); /* NOLINT: limited just above */
    }
    text_release(&printed);
}

static void read_keep(struct reader *reader, const cJSON *value, const char *path, void *target) {
    (void)read_whole(reader, value, path, 0, 1 << 20, target);
}

static void check_operator(struct reader *reader, const char *path,
                           const struct scenario_operator *operator) {
    if (operator->when.kind == WHEN_START && operator->on[0] == '\0') {
        fault(reader, path, "needs 'at', 'after' or 'on'");
    }
    if (operator->when.kind == WHEN_NEXT_SESSION && operator->on[0] == '\0') {
        fault(reader, path, "'next session' needs 'on'");
    }
    if ((operator->command == COMMAND_FREEZE || operator->command == COMMAND_RESUME) &&
        operator->cause[0] == '\0') {
        fault(reader, path, "needs a cause");
    }
    if ((operator->command == COMMAND_DEPOSIT || operator->command == COMMAND_WITHDRAW) &&
        operator->amount.nanos == 0) {
        fault(reader, path, "needs an amount");
    }
    if (operator->command == COMMAND_EDIT_DOCUMENT && operator->document[0] == '\0') {
        fault(reader, path, "needs a document");
    }
}

static void read_operator(struct reader *reader, const cJSON *value, const char *path,
                          void *target) {
    static const struct member members[] = {
        {"at", read_when, offsetof(struct scenario_operator, when)},
        {"after", read_after, offsetof(struct scenario_operator, when)},
        {"on", read_mechanism, offsetof(struct scenario_operator, on)},
        {"event", read_event, offsetof(struct scenario_operator, on_event)},
        {"command", read_command, offsetof(struct scenario_operator, command)},
        {"cause", read_word, offsetof(struct scenario_operator, cause)},
        {"symbol", read_word, offsetof(struct scenario_operator, cause)},
        {"by", read_word, offsetof(struct scenario_operator, by)},
        {"why", read_why, offsetof(struct scenario_operator, why)},
        {"halt", read_flag, offsetof(struct scenario_operator, is_halt)},
        {"stay_down", read_flag, offsetof(struct scenario_operator, stays_down)},
        {"amount", read_positive, offsetof(struct scenario_operator, amount)},
        {"qty", read_positive, offsetof(struct scenario_operator, qty)},
        {"document", read_document, offsetof(struct scenario_operator, document)},
        {"text", read_text, offsetof(struct scenario_operator, text)},
        {"content", read_content, offsetof(struct scenario_operator, text)},
        {"remove", read_flag, offsetof(struct scenario_operator, is_removed)},
        {"wrong_key", read_flag, offsetof(struct scenario_operator, is_key_wrong)},
        {"keep_bytes", read_keep, offsetof(struct scenario_operator, keep_bytes)},
        {NULL, NULL, 0},
    };
    struct scenario_operator *operator= target;
    *operator=(struct scenario_operator){.on_event = "acted", .keep_bytes = -1};
    strcpy(operator->by, "scenario");       /* NOLINT: fits */
    strcpy(operator->why, "scenario file"); /* NOLINT: fits */
    operator->qty = QTY(1);
    read_object(reader, value, path, members, target);
    if (cJSON_IsObject(value) && json_member(value, "command") == NULL) {
        fault(reader, path, "an operator's row needs a command");
        return;
    }
    check_operator(reader, path, operator);
}

static void read_within(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct scenario_expect *expect = target;
    expect->has_within = true;
    read_span(reader, value, path, &expect->within);
}

static void read_expect(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"mechanism", read_mechanism, offsetof(struct scenario_expect, mechanism)},
        {"event", read_event, offsetof(struct scenario_expect, event)},
        {"says", read_word, offsetof(struct scenario_expect, says)},
        {"within", read_within, 0},
        {NULL, NULL, 0},
    };
    struct scenario_expect *expect = target;
    *expect = (struct scenario_expect){.event = "acted"};
    read_object(reader, value, path, members, target);
    if (expect->mechanism[0] == '\0') {
        fault(reader, path, "needs a mechanism");
    }
}

static void read_condition(struct reader *reader, const cJSON *value, const char *path,
                           void *target) {
    enum oracle_invariant invariant = ORACLE_ONE_ORDER;
    if (!cJSON_IsString(value) || !oracle_invariant_find(value->valuestring, &invariant)) {
        fault(reader, path, "no invariant '%s'; see docs/invariants.md",
              cJSON_IsString(value) ? value->valuestring : "?");
        return;
    }
    if (oracle_invariant_waiver(invariant)[0] != '\0') {
        fault(reader, path, "'%s' is not judged: %s", value->valuestring,
              oracle_invariant_waiver(invariant));
        return;
    }
    (void)target;
    reader->scenario->is_never[invariant] = true;
}

/* An invariant of which nothing is excused, or a mechanism or an alert that must stay quiet. */
static void read_never_row(struct reader *reader, const cJSON *value, const char *path,
                           void *target) {
    static const struct member members[] = {
        {"condition", read_condition, 0},
        {"mechanism", read_mechanism, offsetof(struct scenario_unwanted, mechanism)},
        {"event", read_event, offsetof(struct scenario_unwanted, event)},
        {"alert", read_word, offsetof(struct scenario_unwanted, alert)},
        {"from", read_when, offsetof(struct scenario_unwanted, from)},
        {NULL, NULL, 0},
    };
    struct scenario *scenario = reader->scenario;
    struct scenario_unwanted *row = target;
    *row = (struct scenario_unwanted){.event = "acted"};
    read_object(reader, value, path, members, target);
    bool has_condition = cJSON_IsObject(value) && json_member(value, "condition") != NULL;
    if (has_condition + (row->mechanism[0] != '\0') + (row->alert[0] != '\0') != 1) {
        fault(reader, path, "needs a condition, a mechanism or an alert");
    } else if (!has_condition && scenario->unwanted_count < SCENARIO_EXPECT_MAX) {
        scenario->unwanted[scenario->unwanted_count++] = *row;
    } else if (!has_condition) {
        fault(reader, path, "more than %d mechanisms and alerts", SCENARIO_EXPECT_MAX);
    }
}

static void read_faults(struct reader *reader, const cJSON *value, const char *path, void *target) {
    (void)target;
    read_list(reader, value, path, PLAN_FAULTS_MAX, &reader->scenario->fault_count, read_fault,
              reader->scenario->faults, sizeof reader->scenario->faults[0]);
}

static void read_operators(struct reader *reader, const cJSON *value, const char *path,
                           void *target) {
    (void)target;
    read_list(reader, value, path, SCENARIO_OPERATOR_MAX, &reader->scenario->operator_count,
              read_operator, reader->scenario->operators, sizeof reader->scenario->operators[0]);
}

static void read_expects(struct reader *reader, const cJSON *value, const char *path,
                         void *target) {
    (void)target;
    read_list(reader, value, path, SCENARIO_EXPECT_MAX, &reader->scenario->expect_count,
              read_expect, reader->scenario->expects, sizeof reader->scenario->expects[0]);
}

static void read_nevers(struct reader *reader, const cJSON *value, const char *path, void *target) {
    struct scenario_unwanted rows[ORACLE_INVARIANT_COUNT * 2];
    size_t count = 0;
    (void)target;
    read_list(reader, value, path, sizeof rows / sizeof rows[0], &count, read_never_row, rows,
              sizeof rows[0]);
}

static void read_window(struct reader *reader, const cJSON *value, const char *path, void *target) {
    static const struct member members[] = {
        {"at", read_when, offsetof(struct scenario, window)},
        {"for", read_span, offsetof(struct scenario, window_length)},
        {NULL, NULL, 0},
    };
    struct scenario *scenario = reader->scenario;
    (void)target;
    read_object(reader, value, path, members, scenario);
    if (scenario->window_length.ns <= 0 || scenario->window_length.ns > SCENARIO_WINDOW_MAX.ns) {
        fault(reader, path, "'for' must be 1s to 60s");
    }
}

static const struct member scenario_members[] = {
    {"id", read_id, offsetof(struct scenario, id)},
    {"title", read_title, offsetof(struct scenario, title)},
    {"source", read_source, offsetof(struct scenario, source)},
    {"seed", read_seed, offsetof(struct scenario, seed)},
    {"start", read_start, 0},
    {"days", read_days, offsetof(struct scenario, days)},
    {"calendar", read_calendar, 0},
    {"market", read_market, 0},
    {"account", read_account, 0},
    {"config", read_config, 0},
    {"restart", read_restart, 0},
    {"faults", read_faults, 0},
    {"window", read_window, 0},
    {"faults_may_miss", read_flag, offsetof(struct scenario, may_miss)},
    {"courier", read_flag, offsetof(struct scenario, has_courier)},
    {"schedule", read_schedule, 0},
    {"operator", read_operators, 0},
    {"expect", read_expects, 0},
    {"never", read_nevers, 0},
    {NULL, NULL, 0},
};

void scenario_init(struct scenario *scenario) {
    *scenario = (struct scenario){.set = "synthetic",
                                  .seed = 1,
                                  .days = 1,
                                  .synthetic_symbols = 8,
                                  .cash = USD(100000),
                                  .multiplier = 2,
                                  .config = config_defaults(),
                                  .is_power_cut = true};
}

bool scenario_is_drawn(const struct scenario *scenario) {
    return strcmp(scenario->set, "synthetic") == 0 || strcmp(scenario->set, "quiet") == 0;
}

static void check_required(struct reader *reader, const cJSON *tree) {
    static const char *const required[] = {"id", "title", "source", "seed", "market"};
    for (size_t i = 0; cJSON_IsObject(tree) && i < sizeof required / sizeof required[0]; i++) {
        if (json_member(tree, required[i]) == NULL) {
            fault(reader, required[i], "missing");
        }
    }
    const struct scenario *scenario = reader->scenario;
    if (scenario->days == 0 && scenario_is_drawn(scenario)) {
        fault(reader, "days", "0 (every session) needs a set of real bars");
    }
}

enum err_code scenario_from_json(const cJSON *tree, struct scenario *out, struct text *faults,
                                 struct err *err) {
    struct scenario *scenario = malloc(sizeof *scenario);
    enum err_code code = ERR_OK;
    if (scenario == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for a scenario");
    }
    scenario_init(scenario);
    struct reader reader = {.scenario = scenario, .faults = faults};
    read_object(&reader, tree, "", scenario_members, scenario);
    check_required(&reader, tree);
    check_schedule(&reader, tree);
    if (reader.fault_count > 0) {
        code = err_set(err, ERR_CONFIG, "%zu fault%s in the scenario", reader.fault_count,
                       reader.fault_count == 1 ? "" : "s");
    } else {
        *out = *scenario;
    }
    free(scenario);
    return code;
}

enum err_code scenario_parse(const char *bytes, size_t n, struct scenario *out, struct text *faults,
                             struct err *err) {
    cJSON *tree = NULL;
    enum err_code code = json_parse(bytes, n, &tree, err);
    if (code != ERR_OK) {
        text_add_format(faults, "(file): %s\n", err == NULL ? "no JSON" : err->text);
        return err_set(err, ERR_CONFIG, "the scenario is no JSON");
    }
    code = scenario_from_json(tree, out, faults, err);
    cJSON_Delete(tree);
    return code;
}
