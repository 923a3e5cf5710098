/* Preloaded by the programs that play with the clock, alone or as a part of something else: time() of
 * libc as everyone in the process sees it, moved by time_shim_offset seconds. */
#include <sys/time.h>
#include <time.h>

long time_shim_offset;

time_t time(time_t *where)
{
	struct timespec now;
	time_t result;

	clock_gettime(CLOCK_REALTIME, &now);
	result = now.tv_sec + time_shim_offset;
	if (where) {
		*where = result;
	}
	return result;
}
