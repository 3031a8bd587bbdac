/* test_credentials.c - where a key pair may come from, and what no message about it holds. */
#include "cli/credentials.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_ID "PKPLANTED"
#define SECRET "planted-secret"
#define PAIR "{\"key_id\":\"" KEY_ID "\",\"secret\":\"" SECRET "\"}"

struct place { /* a folder of this test, and what is read */
    char folder[64];
    char path[96];
    struct credentials credentials;
    struct err err;
};

static struct place place_make(void) {
    struct place place = {.folder = "/tmp/seatrial-keys-XXXXXX"};
    cr_assert_not_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/" CREDENTIALS_NAME, place.folder);
    unsetenv("APCA_API_KEY_ID");
    unsetenv("APCA_API_SECRET_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
    return place;
}

static void place_remove(struct place *place) {
    (void)unlink(place->path);
    cr_expect_eq(rmdir(place->folder), 0);
}

static void put(const struct place *place, const char *content, mode_t mode) {
    FILE *file = fopen(place->path, "w");
    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
    cr_assert_eq(chmod(place->path, mode), 0);
}

static void set_environment(const char *key_id, const char *secret) {
    setenv("APCA_API_KEY_ID", key_id, 1);
    setenv("APCA_API_SECRET_KEY", secret, 1);
}

static enum err_code take(struct place *place, const struct credential_source *said) {
    memset(&place->credentials, 0, sizeof place->credentials);
    enum err_code code = credentials_read(said, &place->credentials, &place->err);
    if (code != ERR_OK) {
        cr_expect_null(strstr(place->err.text, KEY_ID), "%s", place->err.text);
        cr_expect_null(strstr(place->err.text, SECRET), "%s", place->err.text);
        cr_expect_str_eq(place->credentials.key_id, "", "unchanged by a failure");
        cr_expect_str_eq(place->credentials.secret, "");
    }
    return code;
}

static void expect_planted(const struct place *place) {
    cr_expect_str_eq(place->credentials.key_id, KEY_ID);
    cr_expect_str_eq(place->credentials.secret, SECRET);
}

static const struct credential_source unsaid;

Test(credentials, of_a_unit_are_taken_as_systemd_makes_them) {
    struct place place = place_make();
    static const mode_t modes[] = {0400, 0440, 0600};
    char path[PATH_MAX];
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        put(&place, PAIR, modes[i]);
        cr_expect_eq(take(&place, &unsaid), ERR_OK, "%03o: %s", modes[i], place.err.text);
        expect_planted(&place);
        (void)unlink(place.path);
    }
    put(&place, PAIR, 0400);
    cr_expect(credentials_are_set(&unsaid));
    cr_expect(credentials_file(&unsaid, path));
    cr_expect_str_eq(path, place.path);
    cr_expect_not_null(strstr(credentials_origin(&unsaid), CREDENTIALS_NAME));
    place_remove(&place);
}

Test(credentials, of_a_unit_that_others_may_read_or_change_are_refused) {
    struct place place = place_make();
    static const mode_t modes[] = {0404, 0420, 0402, 0460, 0444, 0640 | 0001, 0500, 0666};
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        put(&place, PAIR, modes[i]);
        cr_expect_eq(take(&place, &unsaid), ERR_CONFIG, "%03o", modes[i]);
        cr_expect_not_null(strstr(place.err.text, "mode 0"), "%03o: %s", modes[i], place.err.text);
        (void)unlink(place.path);
    }
    place_remove(&place);
}

Test(credentials, of_a_unit_are_roots_or_ours) {
    struct place place = place_make();
    if (geteuid() != 0) { /* only root can give a file away */
        place_remove(&place);
        cr_skip("needs root");
    }
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    put(&place, PAIR, 0400);
    cr_assert_eq(chown(place.path, 4242, 0), 0);
    cr_expect_eq(take(&place, &unsaid), ERR_CONFIG);
    cr_expect_not_null(strstr(place.err.text, "belongs neither"), "%s", place.err.text);
    place_remove(&place);
}

Test(credentials, of_a_unit_that_are_no_file_or_no_pair_are_refused) {
    struct place place = place_make();
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    static const char *const contents[] = {"", KEY_ID "\n" SECRET "\n",
                                           "{\"key_id\":\"" KEY_ID "\"}",
                                           "{\"key_id\":\"" KEY_ID "\",\"secret\":\"\"}"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        put(&place, contents[i], 0400);
        cr_expect_eq(take(&place, &unsaid), ERR_CONFIG, "%zu", i);
        (void)unlink(place.path);
    }
    cr_assert_eq(mkdir(place.path, 0500), 0);
    cr_expect_eq(take(&place, &unsaid), ERR_NOT_FOUND, "a folder");
    cr_assert_eq(rmdir(place.path), 0);
    place_remove(&place);
}

Test(credentials, another_credential_of_the_unit_is_no_source) {
    struct place place = place_make();
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    cr_expect_not(credentials_are_set(&unsaid));
    cr_expect_eq(take(&place, &unsaid), ERR_CONFIG);
    cr_expect_not_null(strstr(place.err.text, "no credentials"), "%s", place.err.text);
    set_environment(KEY_ID, SECRET);
    cr_expect_eq(take(&place, &unsaid), ERR_OK);
    expect_planted(&place);
    place_remove(&place);
}

Test(credentials, of_unit_and_environment_at_once_are_refused) {
    struct place place = place_make();
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    put(&place, PAIR, 0400);
    setenv("APCA_API_KEY_ID", KEY_ID, 1); /* half of it is enough to be in doubt */
    cr_expect(credentials_are_set(&unsaid));
    cr_expect_eq(take(&place, &unsaid), ERR_CONFIG);
    cr_expect_not_null(strstr(place.err.text, "two sources"), "%s", place.err.text);
    place_remove(&place);
}

Test(credentials, what_is_said_is_the_source_whatever_the_environment_holds) {
    struct place place = place_make();
    struct credential_source said = {.key_file = place.path};
    char path[PATH_MAX];
    put(&place, PAIR, 0600);
    setenv("CREDENTIALS_DIRECTORY", place.folder, 1);
    set_environment("other", "other");
    cr_expect_eq(take(&place, &said), ERR_OK);
    expect_planted(&place);
    cr_expect_str_eq(credentials_origin(&said), place.path);
    cr_expect(credentials_file(&said, path));
    cr_assert_eq(chmod(place.path, 0440), 0);
    cr_expect_eq(take(&place, &said), ERR_CONFIG, "a key file is the owner's alone");
    place_remove(&place);
}

Test(credentials, half_a_pair_in_the_environment_is_none) {
    struct place place = place_make();
    char path[PATH_MAX];
    setenv("APCA_API_SECRET_KEY", SECRET, 1);
    cr_expect(credentials_are_set(&unsaid));
    cr_expect_eq(take(&place, &unsaid), ERR_CONFIG);
    cr_expect_not(credentials_file(&unsaid, path));
    place_remove(&place);
}
