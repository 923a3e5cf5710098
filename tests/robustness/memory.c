#include "memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum form { FORWARDS, BACKWARDS, DIGITS, FORMS };

static unsigned char window[1 << 16];
/* The forms of needles by their first two bytes: numbers of `next`, from 1. */
static int first[FORMS][1 << 16], *next[FORMS], *hits;

static int byte_of(const struct needle *needle, enum form form, int at)
{
	static const char hex[] = "0123456789ABCDEF";

	switch (form) {
	case FORWARDS:
		return needle->masked[at] ^ MASK;
	case BACKWARDS:
		return needle->masked[PIECE - 1 - at] ^ MASK;
	default:
		return hex[(needle->masked[at / 2] ^ MASK) >> (at % 2 ? 0 : 4) & 15];
	}
}

static void prepare(struct needle *needles, int count)
{
	memset(first, 0, sizeof first);
	hits = calloc((size_t) count + 1, sizeof *hits);
	for (int form = 0; form < FORMS; form++) {
		next[form] = calloc((size_t) count + 1, sizeof **next);
		for (int i = 0; i < count; i++) {
			int *head = &first[form][byte_of(&needles[i], form, 0) << 8 | byte_of(&needles[i], form, 1)];

			next[form][i] = *head;
			*head = i + 1;
			needles[i].stack = needles[i].data = needles[i].dumped = 0;
		}
	}
}

static void done(void)
{
	free(hits);
	for (int form = 0; form < FORMS; form++) {
		free(next[form]);
	}
}

static void look_here(const struct needle *needles, const unsigned char *at, const unsigned char *end)
{
	for (; at + PIECE <= end; at++) {
		for (int form = 0; form < FORMS; form++) {
			int length = form == DIGITS ? 2 * PIECE : PIECE;

			for (int i = first[form][at[0] << 8 | at[1]]; i && at + length <= end; i = next[form][i - 1]) {
				int same = 0;

				while (same < length && at[same] == byte_of(&needles[i - 1], form, same)) {
					same++;
				}
				hits[i - 1] += same == length;
			}
		}
	}
}

/* Reads a piece of a file through the window and looks at it. */
static void look_at(const struct needle *needles, int file, unsigned long from, unsigned long to)
{
	for (unsigned long at = from; at < to; at += sizeof window - 2 * PIECE) {
		size_t want = to - at < sizeof window ? to - at : sizeof window;
		ssize_t got;

		/* Our own window on the memory would be found in itself. */
		memset(window, 0, sizeof window);
		got = pread(file, window, want, (off_t) at);
		if (got > 0) {
			look_here(needles, window, window + got);
		}
		memset(window, 0, sizeof window);
	}
}

void look(struct needle *needles, int count)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	int memory = open("/proc/self/mem", O_RDONLY), stack = 0;
	char line[512], mapping[512] = "";

	prepare(needles, count);
	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3) {
			stack = strstr(line, "[stack]") != NULL;
			memcpy(mapping, line, sizeof mapping);
			if (mode[1] == 'w') {
				look_at(needles, memory, from, to);
			}
		} else if (!strncmp(line, "VmFlags:", 8)) {
			/* The last line about a mapping. "dd": not in core dumps. */
			int dumped = strstr(line, " dd") == NULL;

			for (int i = 0; i < count; i++) {
				if (hits[i] && getenv("OTR_TRACE")) {
					printf("   %s: %d times in %s", needles[i].what, hits[i], mapping);
				}
				*(stack ? &needles[i].stack : &needles[i].data) += hits[i];
				needles[i].dumped += dumped ? hits[i] : 0;
				hits[i] = 0;
			}
		}
	}
	fclose(maps);
	close(memory);
	done();
}

int look_in_file(struct needle *needles, int count, const char *name)
{
	int file = open(name, O_RDONLY);

	if (file < 0) {
		return 0;
	}
	prepare(needles, count);
	look_at(needles, file, 0, (unsigned long) lseek(file, 0, SEEK_END));
	for (int i = 0; i < count; i++) {
		needles[i].dumped = hits[i];
	}
	close(file);
	done();
	return 1;
}
