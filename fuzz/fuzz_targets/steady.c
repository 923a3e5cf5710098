/* Randomness that is the same for the same input: what is found is found again. */
#include "steady.h"

#include <sys/types.h>
#include <time.h>

static unsigned long long state;

void steady_begin(void)
{
	state = 0x9e3779b97f4a7c15ULL;
}

/* In the place of the system's. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags);

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	unsigned char *to = buffer;

	(void) flags;
	for (size_t i = 0; i < length; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		to[i] = (unsigned char) (state >> 32);
	}
	return (ssize_t) length;
}

/* What the clock is ahead by. */
static long ahead;

void steady_time_passes(long seconds)
{
	ahead += seconds;
}

time_t time(time_t *place)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += ahead;
	if (place) {
		*place = now.tv_sec;
	}
	return now.tv_sec;
}
