/* canonical.c - sorting the query of a request's target. */
#include "scenarios/canonical.h"

#include <string.h>

struct parameter { /* borrowed from the target */
    const char *at;
    size_t name_len, len;
};

static bool is_after(const struct parameter *a, const struct parameter *b) {
    size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(a->at, b->at, n);
    return order != 0 ? order > 0 : a->name_len > b->name_len;
}

/* Insertion keeps equal names in order. Returns how many; 0 if there are too many to sort. */
static size_t sort_parameters(const char *query, struct parameter *out) {
    size_t count = 0;
    for (const char *at = query;; at++) {
        struct parameter parameter = {at, strcspn(at, "=&"), strcspn(at, "&")};
        size_t i = count++;
        if (count > CANONICAL_PARAMETERS_MAX) {
            return 0;
        }
        for (; i > 0 && is_after(&out[i - 1], &parameter); i--) {
            out[i] = out[i - 1];
        }
        out[i] = parameter;
        at += parameter.len;
        if (*at == '\0') {
            return count;
        }
    }
}

void canonical_target(const char *target, struct text *out) {
    struct parameter parameters[CANONICAL_PARAMETERS_MAX];
    const char *question = strchr(target, '?');
    size_t count = question == NULL ? 0 : sort_parameters(question + 1, parameters);
    if (count == 0) {
        text_add(out, target);
        return;
    }
    text_add_bytes(out, target, (size_t)(question - target));
    for (size_t i = 0; i < count; i++) {
        text_add_char(out, i == 0 ? '?' : '&');
        text_add_bytes(out, parameters[i].at, parameters[i].len);
    }
}
