/* See steady.c. */
#ifndef FUZZ_STEADY_H
#define FUZZ_STEADY_H

/* Begins the same row of random bytes again. */
void steady_begin(void);

#endif
