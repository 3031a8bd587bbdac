/* correlation.h - whether two symbols of the universe move together, by the bars that the core keeps.
 *
 * The returns are those of minutes: minute bars are all that the core has. The correlation of minutes lies
 * below that of days (prices of two symbols do not move in the same second), so that what is above the
 * bound here is so for a longer return too; what is not seen here is left to what the maps know.
 *
 * A minute is a sample if both symbols have its bar and the bar of the minute before, all four closes are
 * above zero, both moved, and neither by CORRELATION_JUMP or more: a price that stands still is how a stale
 * one looks, one that jumps is how a bad print looks. The newest CORRELATION_SAMPLES of the last
 * CORRELATION_WINDOW count; with fewer than CORRELATION_SAMPLES_MIN, or if a return never changes, nothing
 * is known. Returns are whole millionths and the rest is whole numbers: the same bars give the same answer
 * wherever it is compiled. */
#ifndef CORE_SIGNALS_CORRELATION_H
#define CORE_SIGNALS_CORRELATION_H

#include "core/signals/bars.h"

#define CORRELATION_SAMPLES 60
#define CORRELATION_SAMPLES_MIN 40
#define CORRELATION_WINDOW SPAN_MIN(90)
#define CORRELATION_JUMP 100000 /* millionths: a tenth */

enum correlation { CORRELATION_UNKNOWN, CORRELATION_WITHIN, CORRELATION_ABOVE };

/* Compares the correlation of two symbols, by index, with a bound from 0 to 1, of which five decimals
 * count. */
enum correlation correlation_against(const struct bars *bars, size_t one, size_t other,
                                     struct utc now, struct ratio bound);

#endif
