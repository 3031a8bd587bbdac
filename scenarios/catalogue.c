/* catalogue.c - the pages of docs/mechanisms, printed. */
#include "scenarios/catalogue.h"

#include "core/base/check.h"
#include "core/config/config.h"
#include "replay/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

#define NONE "none"

int catalogue_owes(const struct mechanism *mechanism) {
    return (mechanism->documents == NULL) + (mechanism->oracle == NULL) + (mechanism->act == NULL) +
           (mechanism->quiet == NULL) + (mechanism->mutants == NULL);
}

static const char *end_word(const struct mechanism *mechanism) {
    static const char *const words[] = {[HOLD_NONE] = "-",
                                        [HOLD_LATCHED] = "operator",
                                        [HOLD_WHILE_TRUE] = "while true",
                                        [HOLD_WITH_PROCESS] = "with its process"};
    return words[mechanism->hold];
}

static const char *mode_of(const struct mechanism *mechanism) {
    return mechanism->mode == MODE_NORMAL ? "-" : mode_word(mechanism->mode);
}

/* --- a page --- */

/* Calls for each word of a blank-separated column; none for NULL and "none". */
static void each_word(const char *words, void (*visit)(const char *word, void *context),
                      void *context) {
    char word[64];
    while (words != NULL && strcmp(words, NONE) != 0 && words[0] != '\0') {
        size_t n = strcspn(words, " ");
        CHECK(n < sizeof word);
        memcpy(word, words, n);
        word[n] = '\0';
        visit(word, context);
        words += n + strspn(words + n, " ");
    }
}

struct page {
    const struct config *config;
    struct text *out;
};

static void print_setting(const char *key, void *context) {
    const struct page *page = context;
    struct text line = {0};
    text_add(page->out, "- ");
    (void)!config_explain(page->config, key, &line, NULL);
    text_add(page->out, text_get(&line));
    text_release(&line);
}

static void print_judge(const char *id, void *context) {
    const struct page *page = context;
    enum oracle_invariant invariant = ORACLE_ONE_ORDER;
    bool is_known = oracle_invariant_find(id, &invariant);
    text_add_format(page->out, "- `%s`: %s\n", id,
                    is_known ? oracle_invariant_meaning(invariant) : "?");
}

static void print_mutant(const char *name, void *context) {
    const struct page *page = context;
    text_add_format(page->out, "- `%s`\n", name);
}

static void print_section(const struct page *page, const char *title, const char *words,
                          void (*visit)(const char *word, void *context)) {
    text_add_format(page->out, "\n## %s\n\n", title);
    if (words == NULL) {
        text_add(page->out, "Not yet.\n");
    } else if (strcmp(words, NONE) == 0) {
        text_add(page->out, "None.\n");
    }
    each_word(words, visit, (void *)page);
}

static void print_scenario(struct text *out, const char *what, const char *id) {
    if (id == NULL) {
        text_add_format(out, "- %s: not yet\n", what);
    } else {
        text_add_format(out, "- %s: [`%s`](../../scenarios/library/%s.json)\n", what, id, id);
    }
}

static void print_end(const struct mechanism *mechanism, struct text *out) {
    text_add(out, "\n## In the log, and how it ends\n\n");
    if (mechanism->hold == HOLD_NONE) {
        text_add(
            out,
            "It demands no mode: it refuses, delays or shapes what passes it, and "
            "nothing is left to clear. An order that it refuses is a line `\"event\":\"refusal\"` "
            "with the code and the numbers compared.\n");
        return;
    }
    if (mechanism->hold == HOLD_WITH_PROCESS) {
        text_add_format(out,
                        "A line `\"event\":\"mechanism\"` with `\"mechanism\":\"%s\"` and "
                        "`\"what\":\"acted\"`, and a page. It stands in no journal and in no "
                        "`governor_freezes.json`: the process that it stops ends at its next turn, "
                        "and the next begins without it. There is nothing to clear.\n",
                        mechanism->id);
        return;
    }
    text_add_format(out,
                    "A line `\"event\":\"mechanism\"` with `\"mechanism\":\"%s\"` and `\"what\"`: "
                    "`acted`, `held` or `released`; the demand stands in ",
                    mechanism->id);
    if (mechanism->hold == HOLD_LATCHED) {
        text_add_format(out,
                        "`governor_freezes.json` and in `seatrial status`.\n\n"
                        "It is latched: nothing but `seatrial resume CAUSE --by WHO --why TEXT` "
                        "ends it, with the cause as `seatrial status` names it (`%s`, or the "
                        "finer word that it shows).\n",
                        mechanism->id);
    } else {
        text_add(out,
                 "`seatrial status` as long as it holds, and never in `governor_freezes.json`, "
                 "which is for latches: what a document brought back would outlive its cause."
                 "\n\nIt holds while its cause does, and ends by itself.\n");
    }
}

void catalogue_page(const struct mechanism *mechanism, struct text *out) {
    struct config *config = malloc(sizeof *config);
    CHECK(config != NULL);
    *config = config_defaults();
    const struct page page = {.config = config, .out = out};
    text_add_format(out, "# %s\n\n%s.\n\n| | |\n|---|---|\n", mechanism->id, mechanism->rule);
    text_add_format(out, "| where | `%s` |\n| may demand | %s |\n| ends | %s |\n", mechanism->file,
                    mode_of(mechanism), end_word(mechanism));
    text_add_format(out, "| shows in | %s |\n",
                    mechanism->documents == NULL ? "not yet said" : mechanism->documents);
    print_section(&page, "Settings", mechanism->settings, print_setting);
    print_section(&page, "Judged by", mechanism->oracle, print_judge);
    text_add(out, "\n## Seen\n\n");
    print_scenario(out, "must act", mechanism->act);
    print_scenario(out, "must stay quiet", mechanism->quiet);
    print_section(&page, "Sabotaged by", mechanism->mutants, print_mutant);
    print_end(mechanism, out);
    free(config);
}

/* --- the table --- */

static void print_key(const char *key, void *context) {
    text_add_format(context, "`%s` ", key);
}

void catalogue_table(struct text *out) {
    size_t count = 0;
    const struct mechanism *table = mechanisms(&count);
    text_add(out,
             "| id | rule | may demand | ends | settings | file |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        text_add_format(out, "| [`%s`](mechanisms/%s.md) | %s | %s | %s | ", table[i].id,
                        table[i].id, table[i].rule, mode_of(&table[i]), end_word(&table[i]));
        each_word(table[i].settings, print_key, out);
        text_add_format(out, "| `%s` |\n", table[i].file);
    }
}
