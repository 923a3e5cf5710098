/* Preloaded: makes the library's calls of the system fail, once at each point in turn. At an armed point the process
 * forks: the child sees the failure and goes on with it, the parent sees none. So one run of a program tests every
 * possible failure. Only calls made from libotr itself are points; the program's own are not. */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static enum fault kind;
static int armed, persistent, failing, child;
static unsigned long points, stride = 1, offset, injected, bad;
static int running;
static size_t refuse;
static long excepted;
static int refuse_all;
static unsigned long refused;
static uintptr_t from, to;

static int find_library(struct dl_phdr_info *info, size_t size, void *data)
{
	(void) size;
	(void) data;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "libotr.so")) {
		return 0;
	}
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
			from = info->dlpi_addr + part->p_vaddr;
			to = from + part->p_memsz;
		}
	}
	return 1;
}

static void reap(void)
{
	int status;

	if (wait(&status) > 0) {
		running--;
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			bad++;
			fprintf(stderr, "not ok - point %lu or the one before: status %x\n", points, (unsigned) status);
		}
	}
}

/* The blocks that libotr has asked for and that are not freed yet: a table of pointers. */
#define TABLE (1u << 18)
static void *live[TABLE];
static unsigned long live_count;

static unsigned home(const void *block)
{
	return (unsigned) (((uintptr_t) block >> 4) * 2654435761u) % TABLE;
}

static void *born(void *block, const void *caller)
{
	unsigned i = home(block);

	if (block && (uintptr_t) caller >= from && (uintptr_t) caller < to && live_count < TABLE / 2) {
		while (live[i]) {
			i = (i + 1) % TABLE;
		}
		live[i] = block;
		live_count++;
	}
	return block;
}

static void died(const void *block)
{
	unsigned i = home(block), j;

	if (!block) {
		return;
	}
	while (live[i] != block) {
		if (!live[i]) {
			return;
		}
		i = (i + 1) % TABLE;
	}
	/* What stands behind it may have its home before it. */
	for (j = (i + 1) % TABLE; live[j]; j = (j + 1) % TABLE) {
		unsigned at_home = home(live[j]);

		if ((j > i && (at_home <= i || at_home > j)) || (j < i && at_home <= i && at_home > j)) {
			live[i] = live[j];
			i = j;
		}
	}
	live[i] = NULL;
	live_count--;
}

unsigned long faults_live(void)
{
	return live_count;
}

/* Whether an allocation is one of those that are refused. */
static int is_refused(size_t size, const void *caller)
{
	uintptr_t at = (uintptr_t) caller;

	if (!refuse || size < refuse || at < from || at >= to || excepted-- > 0) {
		return 0;
	}
	refused++;
	return refuse_all || refused == 1;
}

void faults_refuse(size_t bytes, unsigned long first, int all)
{
	refuse = bytes;
	excepted = (long) first;
	refuse_all = all;
}

unsigned long faults_refused(void)
{
	return refused;
}

/* Whether this call is to fail. */
static int strikes(enum fault what, const void *caller)
{
	uintptr_t at = (uintptr_t) caller;
	pid_t pid;

	if (!armed || what != kind || at < from || at >= to) {
		return 0;
	}
	if (child) {
		return failing && persistent;
	}
	points++;
	if (points % stride != offset % stride) {
		return 0;
	}
	armed = 0;
	while (running >= 2) {
		reap();
	}
	fflush(NULL);
	pid = fork();
	armed = 1;
	if (pid == 0) {
		child = failing = 1;
		alarm(60);
		return 1;
	}
	if (pid > 0) {
		running++;
		injected++;
	}
	return 0;
}

void faults_plan(enum fault what, int until_disarmed, unsigned long every, unsigned long first)
{
	dl_iterate_phdr(find_library, NULL);
	if (!from) {
		fprintf(stderr, "not ok - libotr is not in this process\n");
		_exit(2);
	}
	kind = what;
	persistent = until_disarmed;
	stride = every ? every : 1;
	offset = first;
}

void faults_arm(int on)
{
	armed = on;
	if (!on) {
		failing = 0;
	}
}

int faults_child(void)
{
	return child;
}

void faults_totals(struct totals *totals)
{
	while (running > 0) {
		reap();
	}
	totals->points = points;
	totals->injected = injected;
	totals->bad = bad;
}

void *malloc(size_t size)
{
	if (is_refused(size, __builtin_return_address(0)) || strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return born(__libc_malloc(size), __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
	if (is_refused(count * size, __builtin_return_address(0)) || strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return born(__libc_calloc(count, size), __builtin_return_address(0));
}

void *realloc(void *old, size_t size)
{
	if (is_refused(size, __builtin_return_address(0)) || strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	died(old);
	return born(__libc_realloc(old, size), __builtin_return_address(0));
}

int posix_memalign(void **place, size_t align, size_t size)
{
	if (is_refused(size, __builtin_return_address(0)) || strikes(MEMORY, __builtin_return_address(0))) {
		return ENOMEM;
	}
	*place = born(__libc_memalign(align, size), __builtin_return_address(0));
	return *place ? 0 : ENOMEM;
}

void free(void *block)
{
	died(block);
	__libc_free(block);
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	static ssize_t (*real)(void *, size_t, unsigned);

	if (!real) {
		*(void **) &real = dlsym(RTLD_NEXT, "getrandom");
	}
	if (length && strikes(RANDOMNESS, __builtin_return_address(0))) {
		errno = EIO;
		return -1;
	}
	return real(buffer, length, flags);
}

/* A library built with --cfg otr_panics asks for this around each of its steps, and takes an error as the word to panic. */
int sched_yield(void)
{
	return strikes(PANIC, __builtin_return_address(0)) ? -1 : 0;
}
