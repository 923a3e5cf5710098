#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The counters are in memory shared with the children that run the cases. */
typedef struct {
	int passed, failed, excused;
} Counters;

static Counters *counters;
static int lenient;
static const char *case_name = "";

static Counters *counts(void)
{
	if (!counters) {
		counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (counters == MAP_FAILED) {
			perror("mmap");
			exit(2);
		}
	}
	return counters;
}

int testing_ours(void)
{
	const char *which = getenv("OTR_UNDER_TEST");
	return which && !strcmp(which, "ours");
}

void check_that(int holds, int only_ours, const char *file, int line,
		const char *format, ...)
{
	va_list list;
	char what[1024], *newline;

	va_start(list, format);
	vsnprintf(what, sizeof what, format, list);
	va_end(list);
	while ((newline = strchr(what, '\n'))) {
		*newline = ' ';
	}
	if (holds) {
		__atomic_add_fetch(&counts()->passed, 1, __ATOMIC_RELAXED);
		printf("ok - %s: %s\n", case_name, what);
	} else if ((only_ours || lenient) && !testing_ours()) {
		__atomic_add_fetch(&counts()->excused, 1, __ATOMIC_RELAXED);
		printf("not ok - %s: %s (%s:%d) # TODO a known defect of the C libotr\n",
				case_name, what, file, line);
	} else {
		__atomic_add_fetch(&counts()->failed, 1, __ATOMIC_RELAXED);
		printf("not ok - %s: %s (%s:%d)\n", case_name, what, file, line);
	}
	fflush(stdout);
}

static void run(const char *name, Case body, int excused)
{
	int status;
	pid_t child;

	counts();
	fflush(stdout);
	case_name = name;
	child = fork();
	if (child == -1) {
		perror("fork");
		exit(2);
	}
	if (child == 0) {
		lenient = excused;
		alarm(getenv("OTR_SLOW") ? 600 : 60);
		body();
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(child, &status, 0) == -1 && errno == EINTR) { }
	if (WIFSIGNALED(status)) {
		lenient = excused;
		check_that(0, 0, __FILE__, __LINE__, "ended by signal %d (%s)",
				WTERMSIG(status), strsignal(WTERMSIG(status)));
		lenient = 0;
	} else if (WEXITSTATUS(status) != 0) {
		lenient = excused;
		check_that(0, 0, __FILE__, __LINE__, "ended with exit status %d",
				WEXITSTATUS(status));
		lenient = 0;
	}
	case_name = "";
}

void run_case(const char *name, Case body)
{
	run(name, body, 0);
}

void run_better(const char *name, Case body)
{
	run(name, body, 1);
}

int finish(void)
{
	Counters *c = counts();

	printf("1..%d\n", c->passed + c->failed + c->excused);
	return c->failed != 0 || c->passed + c->excused == 0;
}
