/* check.h - invariants of this program. A broken one is a bug, never an input error: the process
 * says where and aborts, in release builds too. Input from outside is validated, never CHECKed. */
#ifndef CORE_BASE_CHECK_H
#define CORE_BASE_CHECK_H

#define CHECK(claim) ((claim) ? (void)0 : check_failed(#claim, __FILE__, __LINE__))

/* Prints the claim to stderr and aborts. */
_Noreturn void check_failed(const char *claim, const char *file, int line);

#endif
