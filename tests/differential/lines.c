#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hexn(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	static const char digits[] = "0123456789abcdef";
	size_t i;

	if (!data) {
		putchar('~');
	} else if (len == 0) {
		putchar('-');
	}
	for (i = 0; data && i < len; i++) {
		putchar(digits[bytes[i] >> 4]);
		putchar(digits[bytes[i] & 15]);
	}
}

void hex(const char *text)
{
	hexn(text, text ? strlen(text) : 0);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *unhex(const char *word, size_t *lenp)
{
	size_t len = strlen(word) / 2, i;
	char *out;

	if (!strcmp(word, "~")) {
		return NULL;
	}
	if (!strcmp(word, "-")) {
		len = 0;
	}
	out = malloc(len + 1);
	for (i = 0; i < len; i++) {
		out[i] = (char) (digit(word[2 * i]) * 16 + digit(word[2 * i + 1]));
	}
	out[len] = 0;
	if (lenp) {
		*lenp = len;
	}
	return out;
}

int read_words(char **word, int count)
{
	static char empty[] = "~", *line;
	static size_t room;
	char *next;
	int i;

	if (getline(&line, &room, stdin) == -1) {
		free(line);
		line = NULL;
		return 0;
	}
	line[strcspn(line, "\n")] = 0;
	next = line;
	for (i = 0; i < count; i++) {
		word[i] = next && *next ? next : empty;
		next = next ? strchr(next, ' ') : NULL;
		if (next) {
			*next++ = 0;
		}
	}
	return 1;
}

void say_line(const char *line)
{
	puts(line);
	fflush(stdout);
}
