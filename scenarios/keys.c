/* keys.c - what a core that is told to reload reads: settings laid over the scenario's, and the key pair
 * of the day. */
#include "scenarios/stage_internal.h"

#include <stdio.h>
#include <string.h>

struct stage_key stage_key(const struct stage *stage) {
    struct stage_key key = {.key_id = "SIM-KEY", .secret = "SIM-SECRET"};
    if (stage->key_number > 0) {
        snprintf(key.key_id, sizeof key.key_id, "SIM-KEY-%d", stage->key_number);
        snprintf(key.secret, sizeof key.secret, "SIM-SECRET-%d", stage->key_number);
    }
    return key;
}

static enum err_code lay_settings(const struct stage *stage, struct config *config,
                                  struct text *faults, struct err *err) {
    cJSON *tree = NULL;
    if (stage->reload_settings == NULL) {
        return ERR_OK;
    }
    enum err_code code =
        json_parse(stage->reload_settings, strlen(stage->reload_settings), &tree, err);
    code = code == ERR_OK ? config_apply(config, tree, faults, err) : code;
    cJSON_Delete(tree);
    return code;
}

enum err_code stage_reread(void *context, struct engine_news *out, struct text *faults,
                           struct err *err) {
    struct stage *stage = context;
    struct stage_key key = stage_key(stage);
    out->config = stage->config;
    (void)!text_copy(out->key_id, sizeof out->key_id, key.key_id, err);
    (void)!text_copy(out->secret, sizeof out->secret, key.secret, err);
    if (stage->is_reload_key_wrong) {
        strcpy(out->key_id, "NO-KEY");
    }
    enum err_code code = lay_settings(stage, &out->config, faults, err);
    if (code != ERR_OK) { /* so that a judge need not believe the core that it was bad */
        tell_frame(&stage->fanout.seam, "reload", "bad");
    }
    return code;
}

void stage_reloaded(struct stage *stage) {
    struct text faults = {0};
    (void)!lay_settings(stage, &stage->config, &faults, NULL);
    text_release(&faults);
    frame_tell_limits(stage);
}
