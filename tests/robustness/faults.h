/* What faults.c offers a program that it is preloaded into. */
#ifndef HOLD_FAULTS_H
#define HOLD_FAULTS_H

#include <stddef.h>

/* PANIC: only in a library built with --cfg otr_panics. */
enum fault { MEMORY, RANDOMNESS, PANIC };

struct totals {
	unsigned long points, injected, bad;
};

/* What fails: once, or from the point on until disarmed; every how manyth point, beginning where. */
extern void faults_plan(enum fault what, int until_disarmed, unsigned long every, unsigned long first);
extern void faults_arm(int on);
/* From now on libotr's allocations of at least so many bytes fail, the first ones excepted: all others, or one. 0: none. */
extern void faults_refuse(size_t bytes, unsigned long first, int all);
/* How many have failed so. */
extern unsigned long faults_refused(void);
/* Whether this process has seen its failure. */
extern int faults_child(void);
/* How many blocks libotr has asked for, since faults_plan, that are not freed. */
extern unsigned long faults_live(void);
extern void faults_totals(struct totals *totals);

/* The clock of time(2) is ahead by so many seconds (../support/time_shim.c). */
extern long time_shim_offset;

#endif
