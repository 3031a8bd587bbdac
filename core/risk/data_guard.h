/* data_guard.h - which prices may be believed: references, marks, and whether equity is explained.
 *
 * A trusted reference is two of {quote mid, last trade, broker's price, minute bar} within
 * data.reference_agreement of each other, each fresh. Without one a symbol gets no entry and its mark
 * is not used. Equity that is not cash plus marks is a data fault: REDUCE_ONLY while it lasts, and
 * neither a loss nor a pass for the account guards. So is a part of it that came or went unexplained (equity_steps.h), but
 * for the guards the rest counts. A bad mark never liquidates, and a price of new shares marks no
 * old ones: while a split is due that the book has not taken, one that is nearer to the split price is no mark, for ten minutes
 * of a session at most (engine/splits.c), nor is any while nobody could be asked why a quantity changed. */
#ifndef CORE_RISK_DATA_GUARD_H
#define CORE_RISK_DATA_GUARD_H

#include "core/portfolio/book.h"
#include "core/portfolio/truth.h"
#include "core/risk/causes.h"

struct data_guard {
    struct utc fault_since; /* {0} when the last reading was explained */
    struct utc clean_since;
    bool is_step_told; /* a step of equity is paged */
};

/* Fills truth->references and the marks of the book from what is fresh now. */
void data_guard_mark(struct truth *truth, struct book *book, const struct config *config,
                     struct utc now);
/* Sets truth->is_equity_explained. */
void data_guard_explain(struct truth *truth, const struct book *book, const struct config *config);
/* Behind that: holds or lets go the cause "data_guard"; step as in equity_steps.h, paged once it lasts two minutes. */
void data_guard_judge(struct data_guard *guard, const struct truth *truth, struct usd step,
                      struct causes *causes, struct utc now);

#endif
