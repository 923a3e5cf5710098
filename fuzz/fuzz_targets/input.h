/* The bytes that decide what happens. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>

static const unsigned char *at, *end;

/* The next byte; 0 when there are no more. */
static inline unsigned next(void)
{
	return at < end ? *at++ : 0;
}

static inline unsigned next_16(void)
{
	unsigned high = next();

	return high << 8 | next();
}

/* Up to `most` of the next bytes; how many comes first. */
static inline size_t bytes_of(unsigned char *to, size_t most)
{
	size_t length = next_16() % (most + 1), i;

	for (i = 0; i < length && at < end; i++) {
		to[i] = *at++;
	}
	return i;
}

/* A C string of up to `most` - 1 bytes that are not NUL. */
static inline void text_of(char *to, size_t most)
{
	size_t length = next() % most, i;

	for (i = 0; i < length && at < end; i++) {
		to[i] = (char) (*at ? *at : 'x');
		at++;
	}
	to[i] = 0;
}

#endif
