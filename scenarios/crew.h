/* crew.h - copies of this process that go on as it would have done, and share out the places that they come to.
 *
 * All come by the same places, numbered in the order in which they come to them; the first that comes to one takes it and
 * works there, and the others pass by. One that ends before it is over - it could not go on, or it crashed -
 * is replaced by another copy of the moment of the fork, which goes on where that one was. What a place is worth knowing
 * for those behind it is asked in turn: crew_wait_turn() and crew_pass_turn(). */
#ifndef SCENARIOS_CREW_H
#define SCENARIOS_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CREW_MAX 64

struct crew;

struct crew_plan {
    int size;           /* 1..CREW_MAX */
    size_t errand_size; /* bytes of shared memory for each, zeroed when a place is taken */
    int news; /* a file descriptor that is readable when its workers have said something; -1: none */
    void (*hear)(void *context);
    /* One ended with this wait status, not with 0, on this errand. False: the whole crew is given up, and ended. */
    bool (*ended_badly)(void *context, void *errand, int status);
    void *context;
};

/* Forks, and returns NULL in the process itself once all are over. In each copy returns the crew: never released. */
struct crew *crew_work(const struct crew_plan *plan);

/* By a worker. True if it is to work at this place, 1.., higher than the one before: also where one that it replaces
 * has begun. */
bool crew_takes(struct crew *crew, int64_t place);
/* Of the place that this worker has taken; what one that it replaces has left there. */
void *crew_errand(const struct crew *crew);
/* Until the turn was passed on at each place that was taken before this worker's. */
void crew_wait_turn(const struct crew *crew);
/* Once more changes nothing. */
void crew_pass_turn(struct crew *crew);
/* This worker has passed its last place. */
_Noreturn void crew_over(struct crew *crew);

#endif
