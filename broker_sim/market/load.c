/* load.c - a folder of bars becomes a market: files in byte order of names, then days, then slots.
 */
#include "broker_sim/market/bar_set.h"
#include "broker_sim/market/market_internal.h"

#include "core/base/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILES_MAX = 1024,
    FILE_NAME_MAX = 64,
    PATH_TEXT_MAX = 1024,
    DAYS_MAX = 40 * 366,
    ROWS_MAX = 40000, /* sessions times symbols: 1 GB of slots */
};
#define FILE_BYTES_MAX ((long)256 << 20)

struct file_names {
    char (*name)[FILE_NAME_MAX]; /* owned */
    size_t count;
};

static bool ends_in(const char *name, const char *ending) {
    size_t n = strlen(name);
    size_t m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

/* Keeps the names in byte order: folders list in any order. The name fits. */
static void insert_name(struct file_names *files, const char *name) {
    size_t i = files->count++;
    for (; i > 0 && strcmp(files->name[i - 1], name) > 0; i--) {
        memcpy(files->name[i], files->name[i - 1], FILE_NAME_MAX);
    }
    memcpy(files->name[i], name, strlen(name) + 1);
}

static enum err_code list_files(const char *folder, struct file_names *files, struct err *err) {
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return err_set(err, ERR_NOT_FOUND, "no folder of bars at '%s': %s", folder,
                       strerror(errno));
    }
    enum err_code code = ERR_OK;
    files->name = calloc(FILES_MAX, FILE_NAME_MAX);
    if (files->name == NULL) {
        code = err_set(err, ERR_MEMORY, "no memory for file names");
    }
    const struct dirent *entry = NULL;
    while (code == ERR_OK && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        if (name[0] == '.' || (!ends_in(name, ".csv") && !ends_in(name, ".json"))) {
            continue;
        }
        if (files->count == FILES_MAX || strlen(name) >= FILE_NAME_MAX) {
            code =
                err_set(err, ERR_LIMIT, "'%s': more than %d files, or a name over %d bytes: '%s'",
                        folder, FILES_MAX, FILE_NAME_MAX - 1, name);
            break;
        }
        insert_name(files, name);
    }
    closedir(dir);
    if (code == ERR_OK && files->count == 0) {
        code =
            err_set(err, ERR_NOT_FOUND, "no *.csv and no *.json in '%s'; put bars there", folder);
    }
    return code;
}

/* The whole file and a NUL; owned by the caller. */
static enum err_code read_file(const char *path, char **out, size_t *size, struct err *err) {
    enum err_code code = ERR_OK;
    char *content = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return err_set(err, ERR_IO, "'%s' cannot be opened: %s", path, strerror(errno));
    }
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end < 0 || end > FILE_BYTES_MAX || fseek(file, 0, SEEK_SET) != 0) {
        code = err_set(err, end > FILE_BYTES_MAX ? ERR_LIMIT : ERR_IO,
                       "'%s' cannot be read or is larger than %ld bytes", path, FILE_BYTES_MAX);
        goto out;
    }
    content = malloc((size_t)end + 1);
    if (content == NULL) {
        code = err_set(err, ERR_MEMORY, "no memory for the %ld bytes of '%s'", end, path);
        goto out;
    }
    if (fread(content, 1, (size_t)end, file) != (size_t)end) {
        code = err_set(err, ERR_IO, "'%s' cannot be read to its end", path);
        goto out;
    }
    content[end] = '\0';
    *out = content;
    *size = (size_t)end;
    content = NULL;
out:
    free(content);
    fclose(file);
    return code;
}

static size_t bars_seen(const struct bar_set *set) {
    size_t sum = (size_t)set->ignored;
    for (size_t i = 0; i < set->count; i++) {
        sum += set->series[i].count;
    }
    return sum;
}

static enum err_code load_file(struct bar_set *set, const char *folder, const char *name,
                               struct err *err) {
    char path[PATH_TEXT_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return err_set(err, ERR_LIMIT, "the path of '%s' is longer than %d bytes", name,
                       PATH_TEXT_MAX - 1);
    }
    char *content = NULL;
    size_t size = 0;
    enum err_code code = read_file(path, &content, &size, err);
    if (code != ERR_OK) {
        return code;
    }
    size_t before = bars_seen(set);
    if (ends_in(name, ".json")) {
        code = bars_read_json(set, content, size, err);
    } else {
        char symbol[FILE_NAME_MAX];
        snprintf(symbol, sizeof symbol, "%.*s", (int)(strlen(name) - 4), name);
        code = bars_read_csv(set, symbol, content, size, err);
    }
    if (code == ERR_OK && bars_seen(set) == before) {
        code = err_set(err, ERR_PARSE, "holds no bar; fetch it again or take it away");
    }
    free(content);
    if (code == ERR_RANGE) { /* a number too large is damage too */
        code = ERR_PARSE;
        if (err != NULL) {
            err->code = code;
        }
    }
    if (code != ERR_OK) {
        err_wrap(err, "%s", path);
    }
    return code;
}

static enum err_code load_files(struct bar_set *set, const char *folder, struct err *err) {
    struct file_names files = {0};
    enum err_code code = list_files(folder, &files, err);
    for (size_t i = 0; code == ERR_OK && i < files.count; i++) {
        code = load_file(set, folder, files.name[i], err);
    }
    free(files.name);
    for (size_t i = 0; code == ERR_OK && i < set->count; i++) {
        if (set->series[i].count == 0) {
            code = err_set(err, ERR_PARSE,
                           "%s has no bar inside regular hours in '%s'; fetch minute "
                           "bars (timeframe=1Min)",
                           set->series[i].name, folder);
        }
    }
    return code;
}

/* Sorts by name; few, so by insertion. */
static void sort_series(struct bar_set *set) {
    for (size_t i = 1; i < set->count; i++) {
        struct bar_series moving = set->series[i];
        size_t j = i;
        for (; j > 0 && strcmp(set->series[j - 1].name, moving.name) > 0; j--) {
            set->series[j] = set->series[j - 1];
        }
        set->series[j] = moving;
    }
}

struct day_range {
    struct date first;
    int count;
    bool *has_bars; /* owned, one a day */
};

static enum err_code find_days(const struct bar_set *set, struct day_range *out, struct err *err) {
    int32_t low = INT32_MAX;
    int32_t high = INT32_MIN;
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < set->series[i].count; k++) {
            int32_t day =
                utc_date(set->series[i].bars[k].at).days; /* sessions lie in one UTC day */
            low = day < low ? day : low;
            high = day > high ? day : high;
        }
    }
    if (high - low >= DAYS_MAX) {
        return err_set(err, ERR_LIMIT, "the bars span more than %d days; leave some out", DAYS_MAX);
    }
    bool *has_bars = calloc((size_t)(high - low) + 1, sizeof *has_bars);
    if (has_bars == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for days");
    }
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < set->series[i].count; k++) {
            has_bars[utc_date(set->series[i].bars[k].at).days - low] = true;
        }
    }
    *out = (struct day_range){.first = {low}, .count = high - low + 1, .has_bars = has_bars};
    return ERR_OK;
}

/* Days with bars become sessions, trading days without are closed. */
static enum err_code make_sessions(struct market *market, const struct day_range *days,
                                   struct err *err) {
    market->sessions = calloc((size_t)days->count, sizeof *market->sessions);
    if (market->sessions == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for sessions");
    }
    for (int i = 0; i < days->count; i++) {
        struct session *session = &market->sessions[market->session_count];
        struct date date = date_add(days->first, i);
        if (!calendar_session(&market->calendar, date, session)) {
            continue;
        }
        if (days->has_bars[i]) {
            market->session_count++;
            continue;
        }
        enum err_code code = calendar_close_day(&market->calendar, date, err);
        if (code != ERR_OK) {
            err_wrap(err, "days without bars; load a shorter span");
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code make_slots(struct market *market, const struct bar_set *set, struct err *err) {
    size_t rows = set->count * (size_t)market->session_count;
    if (rows > ROWS_MAX) {
        return err_set(err, ERR_LIMIT, "%zu symbols on %d days are more than %d; leave some out",
                       set->count, market->session_count, ROWS_MAX);
    }
    market->symbol_count = set->count;
    market->symbols = calloc(set->count, sizeof *market->symbols);
    market->slots = calloc(rows * SESSION_MINUTES, sizeof *market->slots);
    if (market->symbols == NULL || market->slots == NULL) {
        return err_set(err, ERR_MEMORY, "no memory for %zu symbols on %d days", set->count,
                       market->session_count);
    }
    return ERR_OK;
}

static enum err_code place_bar(struct market *market, size_t symbol, const struct market_bar *bar,
                               int32_t *number, struct err *err) {
    int32_t session = market_session_at(market, bar->at);
    CHECK(session >= 0 && bar->at.ns < market->sessions[session].close.ns);
    int64_t minute = (bar->at.ns - market->sessions[session].open.ns) / MINUTE_NS;
    *number = slot_number(session, (int32_t)minute);
    struct slot *slot = market_slot(market, symbol, *number);
    if (slot->open != 0) {
        char at[UTC_TEXT_MAX];
        utc_print(bar->at, at);
        return err_set(err, ERR_PARSE, "two files have a bar of %s at %s; take one of them away",
                       market->symbols[symbol].name, at);
    }
    *slot = (struct slot){.open = bar->open.nanos,
                          .high = bar->high.nanos,
                          .low = bar->low.nanos,
                          .close = bar->close.nanos,
                          .vwap = bar->vwap.nanos,
                          .volume = (uint32_t)bar->volume,
                          .trades = (uint32_t)bar->trades};
    return ERR_OK;
}

static enum err_code place_series(struct market *market, size_t symbol,
                                  const struct bar_series *series, struct err *err) {
    struct market_symbol *self = &market->symbols[symbol];
    market_name_symbol(self, series->name);
    self->first_slot = INT32_MAX;
    int32_t last = 0;
    for (size_t i = 0; i < series->count; i++) {
        int32_t number = 0;
        enum err_code code = place_bar(market, symbol, &series->bars[i], &number, err);
        if (code != ERR_OK) {
            return code;
        }
        self->first_slot = number < self->first_slot ? number : self->first_slot;
        last = number > last ? number : last;
    }
    self->first_session = self->first_slot / SESSION_MINUTES;
    self->last_session = last / SESSION_MINUTES;
    int32_t bar_before = -1;
    int32_t traded_before = -1;
    for (int32_t session = 0; session < market->session_count; session++) {
        market_link(market, symbol, session, &bar_before, &traded_before);
    }
    return ERR_OK;
}

/* Builds the market's days and slots from what the files held. */
static enum err_code build(struct market *market, const struct bar_set *set, struct err *err) {
    struct day_range days = {0};
    enum err_code code = find_days(set, &days, err);
    if (code != ERR_OK) {
        return code;
    }
    code = make_sessions(market, &days, err);
    free(days.has_bars);
    if (code != ERR_OK) {
        return code;
    }
    code = make_slots(market, set, err);
    for (size_t i = 0; code == ERR_OK && i < set->count; i++) {
        code = place_series(market, i, &set->series[i], err);
    }
    market->ignored = set->ignored;
    return code;
}

enum err_code market_load(const char *folder, uint64_t seed, struct market **out, struct err *err) {
    enum err_code code = ERR_OK;
    struct market *market = calloc(1, sizeof *market);
    struct bar_set *set = calloc(1, sizeof *set); /* too large for a stack */
    if (market == NULL || set == NULL) {
        code = err_set(err, ERR_MEMORY, "no memory for a market");
        goto out;
    }
    market->seed = seed;
    code = load_files(set, folder, err);
    if (code != ERR_OK) {
        goto out;
    }
    sort_series(set);
    code = build(market, set, err);
    if (code != ERR_OK) {
        goto out;
    }
    *out = market;
    market = NULL;
out:
    if (set != NULL) {
        bar_set_release(set);
    }
    free(set);
    market_destroy(market);
    return code;
}
