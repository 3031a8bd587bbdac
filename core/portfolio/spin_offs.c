/* spin_offs.c - which rows are due, and what they explain. */
#include "core/portfolio/spin_offs.h"

#include "core/base/mutant.h"
#include "core/portfolio/book.h"

#include <string.h>

void spin_offs_add(struct spin_offs *spins, const char *source,
                   const struct broker_action *action) {
    if (!action->is_spin_off || spins->count == SPIN_OFFS_MAX) {
        return;
    }
    struct spin_off *told = &spins->told[spins->count++];
    *told = (struct spin_off){
        .day = action->day, .new_rate = action->new_rate, .source_rate = action->old_rate};
    strncpy(told->source, source, SYMBOL_MAX - 1);
    memcpy(told->symbol, action->new_symbol, sizeof told->symbol);
}

/* row_count: none. */
static size_t row_of(const struct spin_offs *spins, const char *id) {
    size_t i = 0;
    while (i < spins->row_count && strcmp(spins->rows[i].id, id) != 0) {
        i++;
    }
    return i;
}

static void drop_row(struct spin_offs *spins, size_t index) {
    spins->row_count--;
    memmove(&spins->rows[index], &spins->rows[index + 1],
            (spins->row_count - index) * sizeof spins->rows[0]);
}

void spin_offs_take(struct spin_offs *spins, const struct broker_activity *activity) {
    size_t index = row_of(spins, activity->id);
    if (strcmp(activity->type, "SPIN") != 0 || activity->symbol[0] == '\0' ||
        activity->qty.nanos <= 0 || activity->qty.nanos > SPIN_ROW_QTY_MAX) {
        return; /* what is taken away is nobody's gain */
    }
    if (activity->is_canceled) {
        if (index < spins->row_count) {
            drop_row(spins, index);
        }
        return;
    }
    if (index < spins->row_count) {
        return;
    }
    if (spins->row_count == SPIN_ROWS_MAX) {
        drop_row(spins, 0);
    }
    struct spin_row *row = &spins->rows[spins->row_count++];
    *row = (struct spin_row){.day = ny_date(activity->at), .qty = activity->qty};
    memcpy(row->id, activity->id, sizeof row->id);
    memcpy(row->symbol, activity->symbol, sizeof row->symbol);
}

void spin_offs_end(struct spin_offs *spins, const char *symbol, struct date day) {
    struct spin_taken *taken = &spins->taken[spins->taken_next++ % SPINS_TAKEN_MAX];
    *taken = (struct spin_taken){.day = day};
    strncpy(taken->symbol, symbol, SYMBOL_MAX - 1);
}

static struct date later(struct date one, struct date other) {
    return one.days > other.days ? one : other;
}

/* That of the activity; {0} of an adoption, and in rows of a core that did not write it. */
static struct date row_day(const cJSON *body) {
    const char *text = NULL;
    struct date day = {0};
    if (json_string(body, "day", &text, NULL) != ERR_OK || date_parse(text, &day, NULL) != ERR_OK) {
        day = (struct date){0};
    }
    return day;
}

void spin_offs_fold(struct spin_offs *spins, const struct journal_row *row) {
    cJSON *body = NULL;
    struct utc at = {0};
    bool is_one = strcmp(row->kind, "spin") == 0 || strcmp(row->kind, "adopt") == 0;
    if (!is_one || json_parse(row->body, strlen(row->body), &body, NULL) != ERR_OK) {
        return;
    }
    if (json_utc(body, "at", &at, NULL) == ERR_OK) {
        spin_offs_end(spins, row->key, later(ny_date(at), row_day(body)));
    }
    cJSON_Delete(body);
}

static bool is_taken(const struct spin_offs *spins, const struct spin_row *row) {
    MUTATE(spin_taken_twice, return false);
    for (size_t i = 0; i < SPINS_TAKEN_MAX; i++) {
        const struct spin_taken *taken = &spins->taken[i];
        if (strcmp(taken->symbol, row->symbol) == 0 && row->day.days <= taken->day.days) {
            return true;
        }
    }
    return false;
}

static bool is_near(struct date one, struct date other) {
    int32_t apart = one.days - other.days;
    return apart >= -SPIN_DUE_DAYS && apart <= SPIN_DUE_DAYS;
}

static bool has_source(const struct book *book, const struct spin_off *told) {
    const struct holding *source = book_look(book, told->source);
    return source != NULL && source->qty.nanos > 0 && source->entered_at.ns != 0 &&
           ny_date(source->entered_at).days < told->day.days;
}

/* Announced of a stock that is held since before, and not so far away that it is another. */
static void link_source(const struct spin_offs *spins, const struct book *book,
                        struct holding *holding, struct date today) {
    for (size_t i = 0; i < spins->count; i++) {
        const struct spin_off *told = &spins->told[i];
        if (strcmp(told->symbol, holding->symbol) == 0 && told->day.days <= today.days &&
            is_near(told->day, today) && has_source(book, told)) {
            holding->is_spin_announced = true;
            memcpy(holding->spin.source, told->source, sizeof holding->spin.source);
            holding->spin.new_rate = told->new_rate;
            holding->spin.source_rate = told->source_rate;
        }
    }
}

void spin_offs_mark(const struct spin_offs *spins, struct book *book, struct date today) {
    for (size_t i = 0; i < book->count; i++) {
        struct holding *holding = &book->items[i];
        holding->is_spin_due = holding->is_spin_announced = false;
        holding->spin = (struct spin_due){0};
        MUTATE(untold_spin_believed, holding->is_spin_due = holding->qty.nanos == 0; holding->spin = (struct spin_due){.qty = holding->spin_gain, .day = today}; continue);
        for (size_t j = 0; j < spins->row_count; j++) {
            const struct spin_row *row = &spins->rows[j];
            if (strcmp(row->symbol, holding->symbol) == 0 && is_near(row->day, today) &&
                !is_taken(spins, row)) {
                holding->is_spin_due = true;
                holding->spin.qty = qty_add(holding->spin.qty, row->qty);
                holding->spin.day = later(holding->spin.day, row->day);
            }
        }
        link_source(spins, book, holding, today);
    }
}

bool spin_explains(const struct holding *holding) {
    struct qty gain = qty_sub(holding->broker_qty, holding->qty);
    MUTATE(spin_of_any_quantity, return holding->is_spin_due && gain.nanos > 0);
    return holding->is_spin_due && holding->qty.nanos >= 0 && gain.nanos > 0 &&
           (gain.nanos == holding->spin.qty.nanos ||
            gain.nanos == qty_whole(holding->spin.qty).nanos);
}

struct usd spin_price(const struct holding *holding) {
    bool is_new = holding->qty.nanos == 0 && holding->avg_entry.nanos > 0;
    struct usd listed = holding->has_broker_price ? holding->broker_price : (struct usd){0};
    return is_new ? holding->avg_entry : listed;
}
