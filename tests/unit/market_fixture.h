/* market_fixture.h - short words for a market from files or from a seed. */
#ifndef TESTS_UNIT_MARKET_FIXTURE_H
#define TESTS_UNIT_MARKET_FIXTURE_H

#include "broker_sim/market/market.h"

#include "core/base/hash.h"
#include "core/base/random.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define FOREVER ((struct utc){INT64_MAX})

#define HEAD "t,o,h,l,c,v\n"

/* A folder of files that vanishes with the test. */
struct folder {
    char path[64];
};

static inline struct folder make_folder(void) {
    struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/seatrial-market-XXXXXX");
    cr_assert_not_null(mkdtemp(folder.path));
    return folder;
}

static inline void put_file(const struct folder *folder, const char *name, const char *content) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(content, 1, strlen(content), file), strlen(content));
    fclose(file);
}

static inline void remove_folder(const struct folder *folder) {
    DIR *dir = opendir(folder->path);
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(folder->path);
}

static inline struct market *load(const char *path, uint64_t seed) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_load(path, seed, &market, &err), ERR_OK, "%s", err.text);
    return market;
}

static inline struct utc at(const char *text) {
    struct utc utc = {0};
    cr_assert_eq(utc_parse(text, &utc, NULL), ERR_OK, "%s", text);
    return utc;
}

static inline struct date day(const char *text) {
    struct date date = {0};
    cr_assert_eq(date_parse(text, &date, NULL), ERR_OK, "%s", text);
    return date;
}

static inline int64_t price(const char *text) {
    struct usd usd = {0};
    cr_assert_eq(usd_parse(text, &usd, NULL), ERR_OK, "%s", text);
    return usd.nanos;
}

static inline struct market *synthetic(uint64_t seed, size_t symbols, int days) {
    struct market *market = NULL;
    struct err err = {0};
    cr_assert_eq(market_synthetic(seed, symbols, day("2026-03-02"), days, &market, &err), ERR_OK,
                 "%s", err.text);
    return market;
}

static inline uint64_t hash_bars(const struct market_bar *bar, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t row[] = {bar[i].at.ns,     bar[i].open.nanos,  bar[i].high.nanos,
                               bar[i].low.nanos, bar[i].close.nanos, bar[i].volume};
        hash = hash64(row, sizeof row, hash);
    }
    return hash;
}

#endif
