/* displaced.c - see displaced.h. */
#include "core/orders/displaced.h"

#include "core/base/json.h"
#include "core/base/mutant.h"
#include "core/portfolio/truth.h"

#include <string.h>

static void note(struct displaced *displaced, const struct config *config, const char *symbol,
                 struct utc at, bool is_victim) {
    int index = universe_find(config, symbol);
    if (index >= 0) {
        displaced->at[index] = at;
        displaced->is_victim[index] = is_victim;
    }
}

void displaced_take(struct displaced *displaced, const struct config *config,
                    const struct journal_row *row) {
    cJSON *body = NULL;
    const char *candidate = "";
    MUTATE(displaced_forgotten, return);
    if (strcmp(row->kind, DISPLACED_ROW) != 0) {
        return;
    }
    note(displaced, config, row->key, row->at, true);
    if (json_parse(row->body, strlen(row->body), &body, NULL) == ERR_OK &&
        json_string(body, "for", &candidate, NULL) == ERR_OK) {
        note(displaced, config, candidate, row->at, false);
    }
    cJSON_Delete(body);
}

bool displaced_cools(const struct displaced *displaced, const struct config *config, int index,
                     struct utc now, struct span *since) {
    *since = (struct span){0};
    if (index < 0 || displaced->at[index].ns == 0) {
        return false;
    }
    *since = utc_sub(now, displaced->at[index]);
    MUTATE(displaced_cooldown_off_by_one, since->ns--);
    return since->ns < config->displacement_cooldown.ns;
}
