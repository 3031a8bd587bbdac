/* late_queue.c - see late_queue.h. */
#include "chaos/faults/late_queue.h"

#include "core/base/arena.h"
#include "core/base/check.h"

#include <stdlib.h>
#include <string.h>

struct letter {
    struct utc at;
    struct http_request request; /* all its bytes are in the arena */
    struct arena arena;
};

struct late_queue {
    struct http *target;
    struct letter letters[LATE_QUEUE_MAX]; /* by time, then by order of sending */
    size_t count;
    struct http_response answer; /* goes nowhere */
};

struct late_queue *late_queue_create(struct http *target) {
    struct late_queue *queue = calloc(1, sizeof *queue);
    CHECK(queue != NULL);
    queue->target = target;
    return queue;
}

void late_queue_destroy(struct late_queue *queue) {
    if (queue == NULL) {
        return;
    }
    for (size_t i = 0; i < queue->count; i++) {
        arena_release(&queue->letters[i].arena);
    }
    http_response_release(&queue->answer);
    free(queue);
}

static const char *copy(struct arena *arena, const char *string) {
    return arena_copy(arena, string, strlen(string));
}

static void copy_request(struct letter *letter, const struct http_request *from) {
    struct arena *arena = &letter->arena;
    struct http_header *headers = arena_alloc(arena, (from->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < from->header_count; i++) {
        headers[i].name = copy(arena, from->headers[i].name);
        headers[i].value = copy(arena, from->headers[i].value);
    }
    letter->request = *from;
    letter->request.headers = headers;
    letter->request.method = copy(arena, from->method);
    letter->request.path = copy(arena, from->path);
    letter->request.query = copy(arena, from->query);
    letter->request.body = arena_copy(arena, from->body, from->body_len);
    letter->request.has_expiry = false;
}

bool late_queue_add(struct late_queue *queue, const struct http_request *request, struct utc at) {
    if (queue->count == LATE_QUEUE_MAX) {
        return false;
    }
    size_t i = queue->count++;
    for (; i > 0 && queue->letters[i - 1].at.ns > at.ns; i--) {
        queue->letters[i] = queue->letters[i - 1];
    }
    queue->letters[i] = (struct letter){.at = at};
    copy_request(&queue->letters[i], request);
    return true;
}

struct utc late_queue_next_at(const struct late_queue *queue) {
    return queue->count == 0 ? UTC_NEVER : queue->letters[0].at;
}

size_t late_queue_deliver_due(struct late_queue *queue, struct utc now) {
    size_t delivered = 0;
    while (queue->count > 0 && queue->letters[0].at.ns <= now.ns) {
        struct letter letter = queue->letters[0]; /* taken out first: the target may add others */
        queue->count--;
        memmove(&queue->letters[0], &queue->letters[1], queue->count * sizeof letter);
        http_response_clear(&queue->answer);
        const enum err_code unseen =
            http_perform(queue->target, &letter.request, SPAN_S(60), &queue->answer, NULL);
        (void)unseen;
        arena_release(&letter.arena);
        delivered++;
    }
    return delivered;
}

size_t late_queue_count(const struct late_queue *queue) {
    return queue->count;
}
