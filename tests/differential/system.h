/* The clock and the random numbers of the process, as set by the driver. */
#ifndef TESTS_SAME_SYSTEM_H
#define TESTS_SAME_SYSTEM_H

#include <stdint.h>
#include <time.h>

/* The random numbers of one user: a stream for each length. */
typedef struct {
	uint64_t seed, drawn[256];
} Stream;

/* Where numbers are drawn from; NULL is for real ones. */
extern Stream *drawing;

extern time_t clock_now;

#endif
