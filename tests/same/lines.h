/* Bytes as the words of a line: in hex, "-" for none, "~" for NULL. */
#ifndef TESTS_SAME_LINES_H
#define TESTS_SAME_LINES_H

#include <stddef.h>

void hexn(const void *data, size_t len);
void hex(const char *text);

/* The bytes of a word, with a NUL after them; NULL for "~". */
char *unhex(const char *word, size_t *lenp);

#endif
