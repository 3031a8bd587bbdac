/* test_credentials.c - where a key pair may come from, and what no message about it holds. */
#include "cli/credentials.h"
#include "cli/key_command.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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

/* --- a command --- */

/* The pair, as a script has it. */
#define PRINT "echo '" PAIR "'\n"

/* What a script of the given lines comes to, run by /bin/sh. */
static enum err_code run_script(struct place *place, const char *lines) {
    char line[128];
    put(place, lines, 0600);
    snprintf(line, sizeof line, "/bin/sh %s", place->path);
    return take(place, &(struct credential_source){.key_command = line});
}

static enum err_code run_line(struct place *place, const char *line) {
    return take(place, &(struct credential_source){.key_command = line});
}

static void expect_told(const struct place *place, const char *words) {
    cr_expect_not_null(strstr(place->err.text, words), "'%s' lacks '%s'", place->err.text, words);
}

Test(key_command, prints_the_pair) {
    struct place place = place_make();
    char line[128];
    char path[PATH_MAX];
    set_environment("other", "other");
    put(&place, PAIR, 0600);
    snprintf(line, sizeof line, " /bin/cat \t %s \n", place.path);
    struct credential_source said = {.key_command = line};
    cr_expect_eq(take(&place, &said), ERR_OK, "%s", place.err.text);
    expect_planted(&place);
    cr_expect(credentials_are_set(&said));
    cr_expect_not(credentials_file(&said, path));
    cr_expect_eq(run_script(&place, "exec 3>&1\n" PRINT "exec >&- 3>&-\nsleep 0.2\nexit 0\n"),
                 ERR_OK);
    expect_planted(&place);
    place_remove(&place);
}

Test(key_command, beside_a_key_file_is_refused) {
    struct place place = place_make();
    put(&place, PAIR, 0600);
    struct credential_source said = {.key_file = place.path, .key_command = "/bin/true"};
    cr_expect(credentials_are_set(&said));
    cr_expect_eq(take(&place, &said), ERR_USAGE);
    expect_told(&place, "exclude each other");
    place_remove(&place);
}

Test(key_command, a_line_that_wants_a_shell_is_refused) {
    struct place place = place_make();
    char many[KEY_COMMAND_MAX + 64] = "/bin/echo";
    static const struct {
        const char *line, *told;
    } rows[] = {{"", "absolute path"},
                {"  ", "absolute path"},
                {"cat x", "absolute path"},
                {"/bin/echo 'x'", "no shell"},
                {"/bin/echo " PAIR, "no shell"},
                {"/bin/echo \\173", "no shell"},
                {"/bin/echo `x`", "no shell"},
                {"/nonexistent/program x", "/nonexistent/program cannot be started"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(run_line(&place, rows[i].line), ERR_CONFIG, "%zu", i);
        expect_told(&place, rows[i].told);
    }
    while (strlen(many) < 100) {
        strcat(many, " x");
    }
    cr_expect_eq(run_line(&place, many), ERR_CONFIG);
    expect_told(&place, "words");
    while (strlen(many) < KEY_COMMAND_MAX) {
        strcat(many, "xx");
    }
    cr_expect_eq(run_line(&place, many), ERR_CONFIG);
    expect_told(&place, "longer than");
    place_remove(&place);
}

Test(key_command, a_shells_signs_are_words) {
    struct place place = place_make();
    char line[256];
    put(&place, PAIR, 0600);
    snprintf(line, sizeof line, "/bin/cat %s ; rm %s", place.path, place.path);
    cr_expect_eq(run_line(&place, line), ERR_CONFIG, "cat finds no file named ;");
    expect_told(&place, "/bin/cat failed with exit code 1");
    cr_expect_eq(access(place.path, R_OK), 0, "nothing ran behind the semicolon");
    place_remove(&place);
}

Test(key_command, that_fails_is_told_without_its_words) {
    struct place place = place_make();
    cr_expect_eq(run_script(&place, PRINT "exit 3\n"), ERR_CONFIG);
    expect_told(&place, "exit code 3");
    cr_expect_null(strstr(place.err.text, place.path), "an argument is told: %s", place.err.text);
    cr_expect_eq(run_script(&place, PRINT "kill -9 $$\n"), ERR_CONFIG);
    expect_told(&place, "signal 9");
    cr_expect_eq(run_script(&place, "echo " KEY_ID " " SECRET "\n"), ERR_CONFIG);
    expect_told(&place, "output of --key-command: wants");
    cr_expect_eq(run_script(&place, "exit 0\n"), ERR_CONFIG);
    expect_told(&place, "wants");
    place_remove(&place);
}

Test(key_command, that_prints_without_end_is_killed) {
    struct place place = place_make();
    time_t began = time(NULL);
    cr_expect_eq(run_script(&place, "while :; do\n" PRINT "done\n"), ERR_CONFIG);
    expect_told(&place, "more than 4095 bytes");
    cr_expect(time(NULL) - began < 4, "it need not run until its time is over");
    place_remove(&place);
}

/* The number that a script left in file `name` of the folder, which is removed. */
static pid_t left_pid(const struct place *place, const char *name) {
    char path[128];
    long pid = 0;
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    (void)unlink(path);
    return (pid_t)pid;
}

/* Killed and, sooner or later, reaped by whoever inherits it. */
static bool is_gone(pid_t pid) {
    char path[64];
    char state = 'Z';
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        (void)!fscanf(file, "%*d (%*[^)]) %c", &state);
        fclose(file);
    }
    return state == 'Z' || state == 'X';
}

static bool goes(pid_t pid) {
    for (int i = 0; i < 100 && !is_gone(pid); i++) {
        (void)usleep(10000);
    }
    return is_gone(pid);
}

/* Its child holds the output open, so that nobody can know whether all of it came. */
Test(key_command, that_hangs_is_killed_with_its_children) {
    struct place place = place_make();
    char lines[512];
    snprintf(lines, sizeof lines, "sleep 300 &\necho $! >%s/child\n" PRINT "exit 0\n",
             place.folder);
    cr_expect_eq(run_script(&place, lines), ERR_CONFIG);
    expect_told(&place, "not done within 5 s");
    cr_expect(goes(left_pid(&place, "child")));
    place_remove(&place);
}

Test(key_command, that_closes_its_output_and_stays_is_killed) {
    struct place place = place_make();
    cr_expect_eq(run_script(&place, PRINT "exec >&-\nsleep 300\n"), ERR_CONFIG);
    expect_told(&place, "not done within 5 s");
    place_remove(&place);
}

Test(key_command, what_it_leaves_behind_is_killed_too) {
    struct place place = place_make();
    char lines[512];
    snprintf(lines, sizeof lines, "sleep 300 >/dev/null &\necho $! >%s/child\n" PRINT,
             place.folder);
    cr_expect_eq(run_script(&place, lines), ERR_OK, "%s", place.err.text);
    expect_planted(&place);
    cr_expect(goes(left_pid(&place, "child")));
    place_remove(&place);
}

Test(key_command, gets_no_file_of_ours_and_the_signals_of_a_new_program) {
    struct place place = place_make();
    cr_assert_eq(dup2(STDIN_FILENO, 57), 57); /* not closed by exec */
    cr_expect_eq(run_script(&place, "[ ! -e /proc/$$/fd/57 ] || exit 57\n" PRINT), ERR_OK, "%s",
                 place.err.text);
    cr_expect_eq(run_script(&place, "read word && exit 58\n" PRINT), ERR_OK, "nothing to read: %s",
                 place.err.text);
    cr_assert_neq(signal(SIGPIPE, SIG_IGN), SIG_ERR); /* as a core does */
    cr_expect_eq(run_script(&place, "kill -PIPE $$\n" PRINT), ERR_CONFIG);
    expect_told(&place, "signal 13");
    place_remove(&place);
}

Test(key_command, what_it_says_on_standard_error_is_dropped) {
    struct place place = place_make();
    char path[128];
    snprintf(path, sizeof path, "%s/stderr", place.folder);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int before = dup(STDERR_FILENO);
    cr_assert(file >= 0 && before >= 0);
    cr_assert_eq(dup2(file, STDERR_FILENO), STDERR_FILENO);
    enum err_code code = run_script(&place, "echo " SECRET " >&2\n" PRINT);
    cr_assert_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
    cr_expect_eq(code, ERR_OK, "%s", place.err.text);
    cr_expect_eq(lseek(file, 0, SEEK_END), 0);
    close(file);
    close(before);
    (void)unlink(path);
    place_remove(&place);
}
