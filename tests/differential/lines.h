/* The lines of a driver, and bytes as words of them: in hex, "-" for none, "~" for NULL. */
#ifndef TESTS_SAME_LINES_H
#define TESTS_SAME_LINES_H

#include <stddef.h>

void hexn(const void *data, size_t len);
void hex(const char *text);

/* The bytes of a word, with a NUL after them; NULL for "~". */
char *unhex(const char *word, size_t *lenp);

/* Reads a line and takes it apart into so many words; "~" where there is none. 0 at the end of the input. */
int read_words(char **word, int count);

/* Says the last line of an answer, and sends the answer off. */
void say_line(const char *line);

#endif
