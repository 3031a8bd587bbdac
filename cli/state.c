/* state.c - `seatrial state verify`: is everything in a state directory what it should be? And `seatrial state
 * restore`: its journal anew from the copies in backups/, if it is not. */
#include "cli/cli.h"
#include "cli/real_world.h"
#include "core/state/backup.h"
#include "core/state/journal.h"
#include "core/state/lease.h"
#include "core/state/restore.h"
#include "core/state/state_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct verification {
    struct real_world *real;
    struct text out; /* JSON objects, comma separated */
    bool is_json;
    size_t bad;
};

static void tell(struct verification *verification, const char *name, const char *condition,
                 const char *detail, bool is_bad) {
    verification->bad += is_bad;
    text_add(&verification->out, verification->out.len == 0 ? "{" : ",{");
    text_member_string(&verification->out, "name", name);
    text_member_string(&verification->out, "condition", condition);
    text_member_string(&verification->out, "detail", detail);
    text_add_char(&verification->out, '}');
    if (!verification->is_json) {
        printf("%-32s %-8s %s\n", name, condition, detail);
    }
}

static void verify_document(struct verification *verification, const char *name) {
    static const char *const words[] = {"good", "missing", "edited", "damaged"};
    for (int generation = 0; generation <= STATE_FILE_GENERATIONS; generation++) {
        struct state_file file = {0};
        struct err err = {0};
        char detail[64];
        if (state_file_load(&verification->real->world, name, generation, &file, &err) != ERR_OK) {
            tell(verification, name, "unread", err.text, true);
            continue;
        }
        snprintf(detail, sizeof detail, "generation %d, journal_seq %lld", generation,
                 (long long)file.journal_seq);
        bool is_bad = file.condition == STATE_FILE_EDITED || file.condition == STATE_FILE_DAMAGED;
        if (file.condition != STATE_FILE_MISSING) {
            tell(verification, name, words[file.condition], detail, is_bad);
        }
        state_file_release(&file);
    }
}

static void visit_name(void *context, const char *name) {
    static const char *const published[] = {"view.json", "bot_heartbeat.json", "lease.json"};
    size_t n = strlen(name);
    if (n < 6 || strcmp(name + n - 5, ".json") != 0) {
        return;
    }
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        if (strcmp(name, published[i]) == 0) {
            return; /* nobody recovers from these */
        }
    }
    verify_document(context, name);
}

/* A copy is told by the name it has there. */
static void visit_copy(void *context, const char *name) {
    struct verification *verification = context;
    struct backup_name copy;
    struct err err = {0};
    char path[DISK_NAME_MAX + sizeof BACKUP_FOLDER];
    cJSON *tree = NULL;
    if (!backup_name_parse(name, &copy)) {
        return;
    }
    snprintf(path, sizeof path, BACKUP_FOLDER "/%s", name);
    bool is_good = backup_read_piece(verification->real->world.disk, name, &tree, &err) == ERR_OK;
    tell(verification, path, is_good ? "good" : "damaged", is_good ? "a copy" : err.text, !is_good);
    cJSON_Delete(tree);
}

static enum err_code verify_copies(struct verification *verification, struct err *err) {
    struct disk *disk = verification->real->world.disk;
    enum err_code code = disk_list(disk, BACKUP_FOLDER, visit_copy, verification, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code; /* no core has made one yet */
}

static enum err_code verify_journal(struct verification *verification, struct err *err) {
    struct world *world = &verification->real->world;
    struct journal *journal = NULL;
    struct disk_file file;
    bool is_alive = false;
    char detail[64];
    enum err_code code = lease_is_alive(world, &is_alive, err);
    if (code == ERR_OK && is_alive) {
        return err_set(err, ERR_LOCKED, "a core runs on this state directory; stop it first");
    }
    if (code != ERR_OK) {
        return code;
    }
    code = restore_check(world, err);
    if (code == ERR_CORRUPT) {
        tell(verification, RESTORE_UNFINISHED, "corrupt", err->text, true);
        return ERR_OK;
    }
    code = code == ERR_OK ? disk_open(world->disk, JOURNAL_FILE, DISK_READ, &file, err) : code;
    if (code == ERR_NOT_FOUND) {
        tell(verification, JOURNAL_FILE, "missing",
             "the rest of a state is here, its journal is not: put it back before a start", true);
        return ERR_OK;
    }
    if (code != ERR_OK) {
        return code;
    }
    disk_close(world->disk, file);
    if (journal_open(world, JOURNAL_FILE, NULL, &journal, err) != ERR_OK) {
        tell(verification, JOURNAL_FILE, "corrupt", err->text, true);
        return ERR_OK;
    }
    snprintf(detail, sizeof detail, "%lld rows", (long long)journal_last_seq(journal));
    tell(verification, JOURNAL_FILE, "good", detail, false);
    journal_close(journal);
    return ERR_OK;
}

static int verify(const char *state, bool is_json) {
    struct err err = {0};
    struct verification verification = {.is_json = is_json};
    verification.real = calloc(1, sizeof *verification.real);
    if (verification.real == NULL) {
        return CLI_HARNESS;
    }
    enum err_code code = ERR_OK;
    if (!real_state_is_used(state)) { /* opening it would make the folder and leave a lock there */
        code = err_set(&err, ERR_NOT_FOUND,
                       "%s: no core has used this state directory (is --state right?)", state);
    }
    code = code == ERR_OK ? real_world_open(verification.real, state, &err) : code;
    if (code == ERR_OK) {
        code = verify_journal(&verification, &err);
        code = code == ERR_LOCKED ? err_wrap(&err, "%s", state) : code;
    }
    if (code == ERR_OK) {
        code = disk_list(verification.real->world.disk, "", visit_name, &verification, &err);
    }
    code = code == ERR_OK ? verify_copies(&verification, &err) : code;
    if (code == ERR_OK && is_json) {
        printf("{\"files\":[%s],\"bad\":%zu}\n", text_get(&verification.out), verification.bad);
    }
    text_release(&verification.out);
    real_world_close(verification.real);
    free(verification.real);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    if (verification.bad > 0) {
        fprintf(stderr, "seatrial: %s: %zu files are not good\n", state, verification.bad);
    }
    return verification.bad == 0 ? CLI_PASS : CLI_CORRUPT;
}

static bool has_copies(const char *state) {
    char path[PATH_MAX];
    struct stat status;
    return cli_join(path, sizeof path, state, BACKUP_FOLDER, NULL) == ERR_OK &&
           stat(path, &status) == 0;
}

static int restore(const char *state) {
    struct err err = {0};
    struct lease *lease = NULL;
    int64_t rows = 0;
    struct real_world *real = calloc(1, sizeof *real);
    if (real == NULL) {
        return CLI_HARNESS;
    }
    enum err_code code =
        has_copies(state)
            ? real_world_open(real, state, &err)
            : err_set(&err, ERR_NOT_FOUND, "%s: no %s/ (is --state right?)", state, BACKUP_FOLDER);
    code = code == ERR_OK ? lease_acquire(&real->world, &lease, &err) : code;
    code = code == ERR_OK ? restore_journal(&real->world, lease, &rows, &err) : code;
    lease_release(lease);
    real_world_close(real);
    free(real);
    if (code != ERR_OK) {
        return cli_fail(&err);
    }
    printf("%s has %lld rows from copies, and begins in REDUCE_ONLY: look at the broker, then\n"
           "seatrial resume state_regression --by WHO --why TEXT --state %s\n",
           JOURNAL_FILE, (long long)rows, state);
    return CLI_PASS;
}

int cli_state(int argc, char **argv) {
    const char *state = NULL;
    bool is_json = false;
    const struct cli_option table[] = {
        {"--state", CLI_WORD, &state}, {"--json", CLI_FLAG, &is_json}, {NULL, CLI_FLAG, NULL}};
    struct cli_words words;
    struct err err = {0};
    if (cli_parse(argc, argv, table, &words, &err) != ERR_OK) {
        return cli_usage("state", err.text);
    }
    if (words.count > 0 && cli_check_words(&words, 1, &err) != ERR_OK) {
        return cli_usage("state", err.text);
    }
    bool is_restore = words.count == 1 && strcmp(words.words[0], "restore") == 0;
    bool is_verify = words.count == 1 && strcmp(words.words[0], "verify") == 0;
    if ((!is_restore && !is_verify) || state == NULL || (is_restore && is_json)) {
        return cli_usage("state",
                         "verify --state DIR [--json] and restore --state DIR are what there is");
    }
    return is_restore ? restore(state) : verify(state, is_json);
}
