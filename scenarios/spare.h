/* spare.h - what is mapped here and not needed by a copy of this process.
 *
 * A copy pays at its birth and its death for all that is mapped, used or not; most of it are the libraries
 * behind libcurl and libmicrohttpd, and nothing on a stage talks to a network. */
#ifndef SCENARIOS_SPARE_H
#define SCENARIOS_SPARE_H

#include <stdbool.h>

/* True: no copy gets the libraries that only the network needs, nor may run what they asked to be called in
 * a copy: it is to be made by _Fork(). False: every copy gets all again. */
void spare_network(bool is_spared);

#endif
