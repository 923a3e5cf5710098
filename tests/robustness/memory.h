/* Searching the memory of this process for secrets. They are passed masked, so that the search does not find itself. */
#ifndef HOLD_MEMORY_H
#define HOLD_MEMORY_H

#include "draws.h"

struct needle {
	unsigned char masked[PIECE];
	char what[60];
	/* What `look` found: in the stack, elsewhere, and, of all these, in what a core dump has. */
	int stack, data, dumped;
};

/* Looks through all writable memory for all of them, forwards, backwards (a number is kept in words of the machine, lowest
 * first, so its bytes lie backwards) and as hexadecimal digits. */
void look(struct needle *needles, int count);
/* The same in a file; the places are counted as `dumped`. 0 if there is no such file. */
int look_in_file(struct needle *needles, int count, const char *name);

#endif
