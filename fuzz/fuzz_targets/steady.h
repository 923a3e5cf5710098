/* See steady.c. */
#ifndef FUZZ_STEADY_H
#define FUZZ_STEADY_H

/* Begins the same row of random bytes again. */
void steady_begin(void);
/* Sets the clock of time(2) on. */
void steady_time_passes(long seconds);

#endif
