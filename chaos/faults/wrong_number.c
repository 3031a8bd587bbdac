/* wrong_number.c - see wrong_number.h.
 *
 * The checksum's rule is written here a second time on purpose: a forger has no part in the core,
 * and a test holds the two against each other. */
#include "chaos/faults/wrong_number.h"

#include "core/base/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define STAMP "{\"_seatrial\":"

/* The place of the wanted-th number outside of quotes, or the count of all if there are fewer. */
static size_t find_number(const struct text *document, size_t wanted, char **out) {
    bool is_quoted = false;
    bool is_number = false;
    size_t count = 0;
    *out = NULL;
    for (size_t i = 0; i < document->len; i++) {
        char *at = document->data + i;
        if (is_quoted && *at == '\\') {
            i++;
            continue;
        }
        is_quoted ^= *at == '"';
        const bool is_digit = !is_quoted && isdigit((unsigned char)*at);
        if (is_digit && !is_number && count++ == wanted) {
            *out = at;
            return count;
        }
        is_number = is_digit || (is_number && strchr(".eE+-", *at) != NULL && *at != '\0');
    }
    return count;
}

static const char *behind(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at == NULL ? NULL : at + strlen(key);
}

/* {"_seatrial":{"document":"NAME","schema":1,"journal_seq":N,"checksum":"16 hex"},\n MEMBERS\n}\n */
static bool forge(struct text *document) {
    static const char tail[] = "\n}\n";
    const size_t tail_n = sizeof tail - 1;
    const char *name = behind(text_get(document), "\"document\":\"");
    const char *seq = behind(text_get(document), "\"journal_seq\":");
    const char *checksum = behind(text_get(document), "\"checksum\":\"");
    const char *line = strchr(text_get(document), '\n');
    if (name == NULL || seq == NULL || checksum == NULL || line == NULL || checksum + 16 > line) {
        return false;
    }
    const size_t line_n = (size_t)(line + 1 - document->data);
    const size_t members_n = document->len >= line_n + tail_n ? document->len - line_n - tail_n : 0;
    char hex[17];
    const uint64_t stamp = hash64(name, strcspn(name, "\""), (uint64_t)strtoll(seq, NULL, 10));
    hash64_print(hash64(line + 1, members_n, stamp), hex);
    memcpy(document->data + (checksum - document->data), hex, 16);
    return true;
}

bool wrong_number(const struct text *document, uint64_t draw, bool is_forged, struct text *out) {
    char *digit = NULL;
    text_clear(out);
    text_add_bytes(out, document->data, document->len);
    const size_t skip = strncmp(text_get(out), STAMP, strlen(STAMP)) == 0 ? 1 : 0; /* the schema */
    const size_t count = find_number(out, SIZE_MAX, &digit);
    if (count <= skip) {
        text_clear(out);
        return false;
    }
    (void)find_number(out, skip + (size_t)(draw % (count - skip)), &digit);
    const int old = *digit == '0' ? 9 : *digit - '0';
    *digit = (char)('1' + (old + (int)(draw / 64 % 8)) % 9); /* another, and never a leading 0 */
    if (is_forged && !forge(out)) {
        text_clear(out);
        return false;
    }
    return true;
}
