/* Random numbers and a clock that only depend on the input, so that findings are reproducible. */
#include "steady.h"

#include <sys/types.h>
#include <time.h>

static unsigned long long state;
static time_t now;

void steady_begin(void)
{
	state = 0x9e3779b97f4a7c15ULL;
	now = 1800000000;
}

/* Instead of the system's. */
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

/* Stands still by itself, so that a busy machine does not change what an input does. */
void steady_time_passes(long seconds)
{
	now += seconds;
}

time_t time(time_t *place)
{
	if (place) {
		*place = now;
	}
	return now;
}
