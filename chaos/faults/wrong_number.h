/* wrong_number.h - a document in which one number is another: still JSON, and no longer true. */
#ifndef CHAOS_FAULTS_WRONG_NUMBER_H
#define CHAOS_FAULTS_WRONG_NUMBER_H

#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Puts into `out` (cleared first) the document with the first digit of one number changed; draw
 * chooses which number and digit. Text in quotes and the stamp's schema stay. is_forged: the stamp's
 * checksum is made to fit again. False: there is no number, or nothing to forge; out is empty. */
bool wrong_number(const struct text *document, uint64_t draw, bool is_forged, struct text *out);

#endif
