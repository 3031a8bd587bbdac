/* fence_record.c - see fence_record.h. */
#include "core/state/fence_record.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const STATES[] = {"setting", "set", "lifting", "lifted"};

static enum err_code name_of(const char *account, char name[static DISK_NAME_MAX],
                             struct err *err) {
    size_t length = strlen(account);
    bool is_plain = length > 0 && length < sizeof((struct fence_record *)NULL)->account;
    for (size_t i = 0; i < length; i++) {
        is_plain = is_plain && isalnum((unsigned char)account[i]);
    }
    if (!is_plain) {
        return err_set(err, ERR_USAGE, "'%.40s' is no account number", account);
    }
    snprintf(name, DISK_NAME_MAX, "fence-%s.json", account);
    return ERR_OK;
}

enum err_code fence_record_save(struct world *world, const struct fence_record *record,
                                struct err *err) {
    char name[DISK_NAME_MAX];
    struct text members = {.limit = 2048};
    enum err_code code = name_of(record->account, name, err);
    if (code != ERR_OK) {
        return code;
    }
    text_member_string(&members, "state", STATES[record->state]);
    text_member_string(&members, "account", record->account);
    text_member_string(&members, "url", record->url);
    text_member_string(&members, "by", record->by);
    text_member_string(&members, "why", record->why);
    text_member_utc(&members, "at", record->at);
    code = text_finish(&members, err);
    code = code == ERR_OK ? state_file_save(world, name, 0, text_get(&members), err) : code;
    text_release(&members);
    return code;
}

static enum err_code read_record(const cJSON *tree, struct fence_record *out, struct err *err) {
    const char *state = "";
    if (json_string(tree, "state", &state, err) != ERR_OK ||
        json_copy(tree, "account", out->account, sizeof out->account, err) != ERR_OK ||
        json_copy(tree, "url", out->url, sizeof out->url, err) != ERR_OK ||
        json_copy(tree, "by", out->by, sizeof out->by, err) != ERR_OK ||
        json_copy(tree, "why", out->why, sizeof out->why, err) != ERR_OK ||
        json_utc(tree, "at", &out->at, err) != ERR_OK) {
        return ERR_PARSE;
    }
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        if (strcmp(state, STATES[i]) == 0) {
            out->state = (enum fence_state)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_PARSE, "state '%.20s'", state);
}

/* Why it proves nothing; NULL: it proves. */
static const char *flaw_of(const struct fence_record *record, const char *account,
                           const char *url) {
    return strcmp(record->account, account) != 0 ? "it is of another account"
           : strcmp(record->url, url) != 0       ? "it is of another host"
           : record->state == FENCE_SETTING      ? "whether that fence was ever set is not known"
           : record->state == FENCE_LIFTING ? "whether that fence was lifted already is not known"
           : record->state == FENCE_LIFTED  ? "that fence was lifted already"
                                            : NULL;
}

enum err_code fence_record_prove(struct world *world, const char *account, const char *url,
                                 struct fence_record *out, struct err *err) {
    char name[DISK_NAME_MAX];
    struct state_file file = {0};
    struct fence_record record = {0};
    const char *why = NULL;
    enum err_code code = name_of(account, name, err);
    code = code == ERR_OK ? state_file_load(world, name, 0, &file, err) : code;
    if (code != ERR_OK) {
        return err_set(err, ERR_REFUSED, "%.80s cannot be read", name);
    }
    if (file.condition == STATE_FILE_MISSING) {
        why = "there is none";
    } else if (file.condition != STATE_FILE_GOOD ||
               read_record(file.tree, &record, NULL) != ERR_OK) {
        why = "it is damaged, or somebody edited it";
    } else {
        why = flaw_of(&record, account, url);
    }
    state_file_release(&file);
    if (why != NULL) {
        return err_set(err, ERR_REFUSED, "%.80s: %s", name, why);
    }
    *out = record;
    return ERR_OK;
}
