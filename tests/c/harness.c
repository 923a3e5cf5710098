#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
	const char *verdict = "not ok";

	if (holds) {
		counts()->passed++;
		verdict = "ok";
	} else if ((only_ours || lenient) && !testing_ours()) {
		counts()->excused++;
		verdict = "known defect of the C libotr";
	} else {
		counts()->failed++;
	}
	printf("%s - %s: ", verdict, case_name);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	if (holds) {
		printf("\n");
	} else {
		printf(" (%s:%d)\n", file, line);
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

	printf("totals %d passed, %d failed, %d known\n", c->passed, c->failed,
			c->excused);
	if (c->passed + c->failed + c->excused == 0) {
		printf("not ok - no check was run\n");
		return 1;
	}
	return c->failed != 0;
}

/* ---- files ------------------------------------------------------------ */

static const char *needed_env(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value) {
		fprintf(stderr, "%s is not set: start the programs with tests/c/run\n",
				name);
		exit(2);
	}
	return value;
}

static const char *in_keys(const char *name)
{
	static char path[2][512];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", needed_env("OTR_KEYS"), name);
	return path[turn];
}

const char *keys_all(void)
{
	return in_keys("all");
}

const char *keys_other(void)
{
	return in_keys("other");
}

const char *scratch(const char *name)
{
	static char path[8][512];
	static unsigned turn;
	char *p = path[turn++ % 8];

	snprintf(p, 512, "%s/%ld", needed_env("OTR_SCRATCH"), (long) getpid());
	mkdir(p, 0755);
	snprintf(p, 512, "%s/%ld/%s", needed_env("OTR_SCRATCH"), (long) getpid(), name);
	return p;
}

char *read_file(const char *path, size_t *lenp)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t len = 0, got;

	if (!file) {
		return NULL;
	}
	do {
		data = realloc(data, len + 4097);
		got = fread(data + len, 1, 4096, file);
		len += got;
	} while (got > 0);
	fclose(file);
	data[len] = '\0';
	if (lenp) {
		*lenp = len;
	}
	return data;
}

int write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	size_t done;

	if (!file) {
		return -1;
	}
	done = fwrite(data, 1, len, file);
	if (fclose(file) != 0 || done != len) {
		return -1;
	}
	return 0;
}
