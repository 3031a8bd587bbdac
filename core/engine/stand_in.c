/* stand_in.c - lists our open orders and cancels the entries among them, by id. */
#include "core/engine/stand_in.h"

#include "core/engine/core.h"

#include <stdlib.h>
#include <string.h>

struct stand_in {
    struct alpaca *alpaca; /* owned */
    struct stand_in_sight sight;
    struct broker_order listing[ALPACA_ORDERS_MAX];
};

static enum err_code check_account(struct stand_in *stand_in, const char *account,
                                   struct err *err) {
    struct broker_account answer = {0};
    enum err_code code = alpaca_get_account(stand_in->alpaca, &answer, err);
    if (code == ERR_OK && account[0] != '\0' && strcmp(answer.number, account) != 0) {
        code = err_set(err, ERR_CONFIG, "the credentials open account %s, this state is of %s",
                       answer.number, account);
    }
    return code;
}

enum err_code stand_in_create(const struct engine_options *options, const char *account,
                              struct stand_in **out, struct err *err) {
    struct stand_in *stand_in = calloc(1, sizeof *stand_in);
    if (stand_in == NULL) {
        return err_set(err, ERR_MEMORY, "out of memory");
    }
    enum err_code code = open_broker(options, &stand_in->alpaca, err);
    if (code == ERR_OK) {
        alpaca_set_lane(stand_in->alpaca, ALPACA_LANE_EXIT);
        code = check_account(stand_in, account, err);
    }
    if (code != ERR_OK) {
        stand_in_destroy(stand_in);
        return code;
    }
    *out = stand_in;
    return ERR_OK;
}

void stand_in_destroy(struct stand_in *stand_in) {
    if (stand_in != NULL) {
        alpaca_destroy(stand_in->alpaca);
        free(stand_in);
    }
}

static void note_cancelled(struct stand_in_sight *sight, const char *client_id) {
    for (size_t i = 0; i < sight->cancelled_count; i++) {
        if (strcmp(sight->cancelled[i], client_id) == 0) {
            return;
        }
    }
    if (sight->cancelled_count < ALPACA_ORDERS_MAX) {
        strcpy(sight->cancelled[sight->cancelled_count++], client_id);
    }
}

enum err_code stand_in_look(struct stand_in *stand_in, struct err *err) {
    struct stand_in_sight *sight = &stand_in->sight;
    size_t count = 0;
    enum err_code code = alpaca_get_open_orders(stand_in->alpaca, stand_in->listing, &count, err);
    if (code != ERR_OK) {
        return code;
    }
    sight->live = sight->sales = 0;
    for (size_t i = 0; i < count; i++) {
        const struct broker_order *order = &stand_in->listing[i];
        if (!client_id_is_ours(order->client_id) || broker_status_is_terminal(order->status)) {
            continue;
        }
        if (order->side == SIDE_SELL) { /* a long-only book: selling only reduces */
            sight->sales++;
            continue;
        }
        sight->live++;
        if (alpaca_cancel(stand_in->alpaca, order->id, NULL) == ERR_OK) {
            note_cancelled(sight, order->client_id);
        } /* else the next look shows what became of it */
    }
    return ERR_OK;
}

const struct stand_in_sight *stand_in_sight(const struct stand_in *stand_in) {
    return &stand_in->sight;
}
