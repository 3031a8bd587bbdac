/* test_fence_record.c - what proves that a suspension is ours, and what does not. */
#include "core/state/fence_record.h"
#include "tests/unit/rig.h"

static const char URL[] = "https://paper-api.alpaca.markets";
static const char DOCUMENT[] = "fence-PA1.json";

static struct fence_record record_of(enum fence_state state) {
    struct fence_record record = {.state = state, .at = {INT64_C(1788269400000000000)}};
    strcpy(record.account, "PA1");
    strcpy(record.url, URL);
    strcpy(record.by, "ann");
    strcpy(record.why, "it runs amok");
    return record;
}

static enum err_code prove(struct rig *rig, const char *account, const char *url, struct err *err) {
    struct fence_record out = {.by = "as before"};
    enum err_code code = fence_record_prove(&rig->world, account, url, &out, err);
    cr_expect_str_eq(out.by, code == ERR_OK ? "ann" : "as before");
    return code;
}

Test(fence_record, only_one_that_was_set_and_read_back_proves) {
    for (int state = FENCE_SETTING; state <= FENCE_LIFTED; state++) {
        struct rig *rig = rig_create();
        struct fence_record record = record_of((enum fence_state)state);
        cr_assert_eq(fence_record_save(&rig->world, &record, NULL), ERR_OK);
        cr_expect_eq(prove(rig, "PA1", URL, NULL), state == FENCE_SET ? ERR_OK : ERR_REFUSED, "%d",
                     state);
        rig_destroy(rig);
    }
}

Test(fence_record, none_another_account_and_another_host_prove_nothing) {
    struct rig *rig = rig_create();
    struct fence_record record = record_of(FENCE_SET);
    cr_expect_eq(prove(rig, "PA1", URL, NULL), ERR_REFUSED);
    cr_assert_eq(fence_record_save(&rig->world, &record, NULL), ERR_OK);
    cr_expect_eq(prove(rig, "PA1", URL, NULL), ERR_OK);
    cr_expect_eq(prove(rig, "PA2", URL, NULL), ERR_REFUSED);
    cr_expect_eq(prove(rig, "PA1", "https://api.alpaca.markets", NULL), ERR_REFUSED);
    cr_expect_eq(prove(rig, "", URL, NULL), ERR_REFUSED);
    cr_expect_eq(prove(rig, "../PA1", URL, NULL), ERR_REFUSED);
    strcpy(record.account, "../PA1");
    cr_expect_eq(fence_record_save(&rig->world, &record, NULL), ERR_USAGE);
    rig_destroy(rig);
}

Test(fence_record, what_was_edited_or_damaged_proves_nothing) {
    struct rig *rig = rig_create();
    struct fence_record record = record_of(FENCE_SETTING);
    struct text bytes = {0};
    cr_assert_eq(fence_record_save(&rig->world, &record, NULL), ERR_OK);
    cr_assert_eq(state_file_read(rig->world.disk, DOCUMENT, 4096, &bytes, NULL), ERR_OK);
    struct text edited = {0};
    const char *word = strstr(text_get(&bytes), "setting");
    cr_assert_not_null(word);
    text_add_bytes(&edited, text_get(&bytes), (size_t)(word - text_get(&bytes)));
    text_add(&edited, "set");
    text_add(&edited, word + strlen("setting"));
    cr_assert_eq(state_file_publish(&rig->world, DOCUMENT, text_get(&edited), edited.len, NULL),
                 ERR_OK);
    cr_expect_eq(prove(rig, "PA1", URL, NULL), ERR_REFUSED, "by a hand");
    cr_assert_eq(state_file_publish(&rig->world, DOCUMENT, text_get(&bytes), 20, NULL), ERR_OK);
    cr_expect_eq(prove(rig, "PA1", URL, NULL), ERR_REFUSED, "torn");
    text_release(&bytes);
    text_release(&edited);
    rig_destroy(rig);
}
