/* Preloaded: remembers, masked, every secret that is drawn at random. */
#include "draws.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/types.h>

static struct draw kept[4096];
static int count;

struct draw *draws(int *how_many)
{
	*how_many = count;
	return kept;
}

void draws_forget(void)
{
	count = 0;
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	static ssize_t (*real)(void *, size_t, unsigned);
	ssize_t got;

	if (!real) {
		*(void **) &real = dlsym(RTLD_NEXT, "getrandom");
	}
	got = real(buffer, length, flags);
	/* 16 bytes are drawn for the key r that a reveal signature message publishes. Of the others the last ones are
	 * kept: the first ones of what blinds a small number in a proof of the SMP stand in the message. */
	if (got > 16 && count < 4096) {
		const volatile unsigned char *from = (unsigned char *) buffer + got - PIECE;

		for (int i = 0; i < PIECE; i++) {
			kept[count].masked[i] = from[i] ^ MASK;
		}
		for (int i = 0; i < EXPONENT && got == EXPONENT; i++) {
			kept[count].exponent[i] = ((const volatile unsigned char *) buffer)[i] ^ MASK;
		}
		kept[count++].length = (int) got;
	}
	return got;
}
