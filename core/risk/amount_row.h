/* amount_row.h - a journal row that says one amount of dollars: {"usd":"..."} under its kind and key. */
#ifndef CORE_RISK_AMOUNT_ROW_H
#define CORE_RISK_AMOUNT_ROW_H

#include "core/base/decimal.h"
#include "core/state/journal.h"

/* Appended and committed; false where the journal refuses, which its owner latches, or is NULL. */
bool amount_row_write(struct journal *journal, const char *kind, const char *key,
                      struct usd amount);
/* ERR_PARSE names the row; out is untouched then. */
enum err_code amount_row_read(const struct journal_row *row, struct usd *out,
                              struct err *err) MUST_USE;

#endif
