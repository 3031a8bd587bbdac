/* equity_steps.h - what of the account's equity no price, no trade of ours and no activity explains.
 *
 * Part of data_guard. Two numbers say by how much the account is off: its cash against what it was once, our booked
 * fills and the cash that activities told of since; and its equity against that cash and the booked positions at their
 * marks. A price that is wrong moves the second alone, a trade that only one side has seen the first alone; a
 * deposit that nobody has told of yet moves both by as much. That, above data.cash_step of equity, is held out of
 * every reading that the account guards are fed: it is neither gain nor loss, and lifts no peak, however long it
 * lasts, until an activity tells of it or an operator says that it is money from outside.
 *
 * What cash was once stands in the journal (row "cash"). It is taken anew, the step that is held out left out,
 * where the book was changed by another's doing (rows "adopt", "split", "spin", "short"; a journal that went back), at the
 * next reading at which book and listings agree and nothing is under way. */
#ifndef CORE_RISK_EQUITY_STEPS_H
#define CORE_RISK_EQUITY_STEPS_H

#include "core/portfolio/book.h"
#include "core/portfolio/truth.h"

struct equity_steps {
    bool is_anchored; /* the next is known */
    struct usd anchor;
    struct usd told; /* by activities, ever, each once */
    bool is_unsure;  /* the anchor is of a book that was another */
    struct usd step; /* of equity: held out; 0: all is explained */
};

/* Rows "cash", "flow", "income", "cost"; and those that make it unsure. Others are none of its business. */
enum err_code equity_steps_fold(struct equity_steps *steps, const struct journal_row *row,
                                struct err *err) MUST_USE;
/* An activity of so much was journaled. */
void equity_steps_told(struct equity_steps *steps, struct usd amount);
/* Behind an account and a listing of positions of one tick. is_calm: no order of ours is unknown or not fully booked.
 * journal may be NULL: then nothing is anchored. */
void equity_steps_judge(struct equity_steps *steps, const struct truth *truth,
                        const struct book *book, const struct config *config,
                        struct journal *journal, bool is_calm, struct utc now);

#endif
