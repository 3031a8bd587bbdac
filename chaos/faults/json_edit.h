/* json_edit.h - changing single values inside JSON text, leaving every other byte as it was.
 *
 * Not a validator: on text that is no JSON the functions find nothing. */
#ifndef CHAOS_FAULTS_JSON_EDIT_H
#define CHAOS_FAULTS_JSON_EDIT_H

#include "core/base/decimal.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct slice { /* of a text: [at, end) */
    size_t at;
    size_t end;
};

/* The value of a member of the object that starts at `object`. */
bool json_edit_find(const struct text *json, size_t object, const char *key, struct slice *out);
/* The array's element after `*element` (from a zeroed one: the first); false behind the last. */
bool json_edit_next(const struct text *json, size_t array, struct slice *element);
/* Copies a member that is a string of at least one byte, without its quotes; false if it is none or does
 * not fit with its NUL. */
bool json_edit_string(const struct text *json, size_t object, const char *key, char *out,
                      size_t out_size);
/* The value as a decimal, in a string or bare. */
bool json_edit_decimal(const struct text *json, struct slice value, int64_t *nanos);
/* Puts other text in a value's place. */
void json_edit_replace(struct text *json, struct slice value, const char *with);
/* Replaces a member's value by a decimal in a string, if the member is there. */
void json_edit_set(struct text *json, size_t object, const char *key, int64_t nanos);

#endif
