/* Preloaded: lets what the library asks of the system fail, once at each point in turn. At an armed point the process
 * forks: the child sees the failure and goes on with it, the parent sees none. So one run of a program meets every
 * failure that is possible on its way. Only calls made from libotr itself are points; the program's own are not. */
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

static enum fault kind;
static int armed, persistent, failing, child;
static unsigned long points, stride = 1, offset, injected, bad;
static int running;
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
	if (strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (strikes(MEMORY, __builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(old, size);
}

int posix_memalign(void **place, size_t align, size_t size)
{
	if (strikes(MEMORY, __builtin_return_address(0))) {
		return ENOMEM;
	}
	*place = __libc_memalign(align, size);
	return *place ? 0 : ENOMEM;
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
