/* The clock and the random numbers. These functions replace those of the system for the loaded library: a command sets the
 * clock, and the random numbers of each user come from one stream for each length, so that two libraries that draw numbers
 * for the same purposes draw the same ones. */
#include "system.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <gcrypt.h>

Stream *drawing;
time_t clock_now = 1000000000;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void draw(unsigned char *buffer, size_t len)
{
	uint64_t state = mix(len), word = 0;
	size_t i;

	if (drawing) {
		state = mix(state ^ mix(drawing->seed) ^ ++drawing->drawn[len % 256]);
	} else if (syscall(SYS_getrandom, buffer, len, 0) == (ssize_t) len) {
		return;
	}
	for (i = 0; i < len; i++) {
		if (i % 8 == 0) {
			state = mix(state);
			word = state;
		}
		buffer[i] = (unsigned char) word;
		word >>= 8;
	}
	if (len == 4) {
		/* An instance tag, the same in either order of bytes. */
		buffer[2] = buffer[1];
		buffer[3] = buffer[0];
	}
}

__attribute__((visibility("default"))) time_t time(time_t *where)
{
	if (where) {
		*where = clock_now;
	}
	return clock_now;
}

__attribute__((visibility("default"))) ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
	(void) flags;
	draw(buffer, len);
	return (ssize_t) len;
}

static void *from_gcrypt(const char *name)
{
	void *library = dlopen("libgcrypt.so.20", RTLD_LAZY | RTLD_NOLOAD);

	return library ? dlsym(library, name) : NULL;
}

static void *gcrypt_memory(const char *allocator, size_t len)
{
	void *(*allocate)(size_t) = (void *(*)(size_t)) from_gcrypt(allocator);
	void *memory = allocate ? allocate(len) : NULL;

	if (!memory) {
		abort();
	}
	draw(memory, len);
	return memory;
}

__attribute__((visibility("default"))) void *gcry_random_bytes_secure(size_t len, enum gcry_random_level level)
{
	(void) level;
	return gcrypt_memory("gcry_malloc_secure", len);
}

__attribute__((visibility("default"))) void *gcry_random_bytes(size_t len, enum gcry_random_level level)
{
	(void) level;
	return gcrypt_memory("gcry_malloc", len);
}

__attribute__((visibility("default"))) void gcry_randomize(void *buffer, size_t len, enum gcry_random_level level)
{
	(void) level;
	draw(buffer, len);
}
