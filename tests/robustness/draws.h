/* What draws.c offers a program that it is preloaded into. */
#ifndef HOLD_DRAWS_H
#define HOLD_DRAWS_H

#define PIECE 16
#define MASK 0x5a

/* A DH exponent. */
#define EXPONENT 40

struct draw {
	/* The last bytes. */
	unsigned char masked[PIECE];
	/* All of a DH exponent. */
	unsigned char exponent[EXPONENT];
	int length;
};

extern struct draw *draws(int *how_many);
extern void draws_forget(void);

/* The clock of time(2) is ahead by so many seconds (../support/time_shim.c). */
extern long time_shim_offset;

#endif
