/* rewind.h - a moment of this process to which it returns, as often as there is something left to try.
 *
 *     rewind_mark(rewind);                      each return comes out here
 *     while (there is something left to try) {
 *         if (rewind_set_out(rewind, &status)) {
 *             try it, and rewind_back(rewind);
 *         }
 *         ... a copy has tried it, and ended with status
 *     }
 *
 * To return, a process puts back the pages that it has written to, with its stack and registers. Which it has
 * written to is known because another, of which it was forked, stays where it was: pages of both were not. They are saved
 * at the moment, and so are those of which it was learnt that they will be written to; if one was written to of
 * which nobody had known that, the process ends, with 0, and who waits for it (crew.h) makes another.
 *
 * Not put back are shared mappings, in which a caller keeps what it must not forget, what became writable only
 * behind the moment, and what the kernel holds: files, pipes, timers. For a process of one thread, whose memory
 * nobody merges (KSM) and who does not give single pages back (MADV_DONTNEED). */
#ifndef SCENARIOS_REWIND_H
#define SCENARIOS_REWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rewind;
struct rewind_pages; /* which are written to behind moments: learnt by all that share it */

/* Never NULL; owned by the caller: rewind_pages_destroy(). by_forks: nothing is put back, what is tried is tried by a
 * copy; so it is anyway under a sanitizer and where the kernel does not tell what was written to. */
struct rewind_pages *rewind_pages_create(bool by_forks);
void rewind_pages_destroy(struct rewind_pages *pages);
bool rewind_puts_back(const struct rewind_pages *pages);

/* Never NULL; by the process that will return, for all its moments. Released with it. */
struct rewind *rewind_create(struct rewind_pages *pages);
/* Zeroed memory that no return changes. Released with its process. */
void *rewind_keep(size_t size);
/* As fork(), but never fails, and the copy does not outlive this process. No fork handler is called in either. */
pid_t rewind_fork(void);

/* The moment, in place of the one before. */
void rewind_mark(struct rewind *rewind);
/* True in the process that is to go on and come to rewind_back(). False in one that stays at the moment: a copy of
 * it went in its stead, and has ended with *status, a wait status. */
bool rewind_set_out(const struct rewind *rewind, int *status);
_Noreturn void rewind_back(struct rewind *rewind);
/* By a process that has forked: until the other is forgotten by everybody, its pages look like shared ones. It cannot
 * return. */
void rewind_has_forked(struct rewind *rewind);

#endif
