/* rewind.h - a moment of this process to which it returns, as often as there is something left to try.
 *
 * A copy (fork) is made at the moment and lives on. To return, it puts back the pages that it has written to
 * since, with its stack and registers, and goes on from there; if it wrote to one of which nobody had known
 * that it would be written to, it ends, and another copy is made of the moment, which knows. So pages are
 * copied by the kernel, a fault each, for one life of many: those faults were most of the life of a copy.
 *
 * Not put back are shared mappings, in which a caller keeps what it must not forget, what became writable only
 * behind the moment, and what the kernel holds: files, pipes, timers. For a process of one thread, whose memory
 * nobody merges (KSM) and who does not give single pages back (MADV_DONTNEED). */
#ifndef SCENARIOS_REWIND_H
#define SCENARIOS_REWIND_H

#include <stdbool.h>
#include <stddef.h>

struct rewind;
struct rewind_pages; /* which are written to behind moments: learnt by all that share it */

/* Never NULL; owned by the caller: rewind_pages_destroy(). by_forks: nothing is put back, each return is a copy
 * of its own; so it is anyway under a sanitizer and where the kernel does not tell what was written to. */
struct rewind_pages *rewind_pages_create(bool by_forks);
void rewind_pages_destroy(struct rewind_pages *pages);
bool rewind_puts_back(const struct rewind_pages *pages);

/* Never NULL; for one moment. Released with its process. */
struct rewind *rewind_create(struct rewind_pages *pages);
/* Zeroed memory that no return changes. Released with its process. */
void *rewind_keep(size_t size);

/* The moment: returns 0 in the first copy, and 1, 2, ... behind each rewind_back(), always in a copy. The process
 * itself stays here until a copy has come to rewind_end(), and ends. A copy that ends otherwise, by a signal or with
 * an error, is told to bad_end, in that process, with its wait status; another goes on in its stead. */
int rewind_mark(struct rewind *rewind, void (*bad_end)(void *context, int status), void *context);
/* By a copy. */
_Noreturn void rewind_back(struct rewind *rewind);
_Noreturn void rewind_end(struct rewind *rewind);
/* By a copy that has forked: until that process is forgotten by everybody, its pages look like shared ones. The
 * next return is another copy's. */
void rewind_has_forked(struct rewind *rewind);

#endif
