/* amount_row.c - see amount_row.h. */
#include "core/risk/amount_row.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <string.h>

bool amount_row_write(struct journal *journal, const char *kind, const char *key,
                      struct usd amount) {
    struct text body = {.limit = 256};
    text_add_char(&body, '{');
    text_member_decimal(&body, "usd", amount.nanos);
    text_add_char(&body, '}');
    bool is_written = journal != NULL &&
                      journal_append(journal, kind, key, text_get(&body), NULL, NULL) == ERR_OK &&
                      journal_commit(journal, NULL) == ERR_OK;
    text_release(&body);
    return is_written;
}

enum err_code amount_row_read(const struct journal_row *row, struct usd *out, struct err *err) {
    cJSON *body = NULL;
    enum err_code code = json_parse(row->body, strlen(row->body), &body, err);
    if (code == ERR_OK) {
        code = json_usd(body, "usd", out, err);
        cJSON_Delete(body);
    }
    return code == ERR_OK ? ERR_OK : err_wrap(err, "journal row %lld", (long long)row->seq);
}
