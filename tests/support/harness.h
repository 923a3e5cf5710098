/* Used by every C test program: checks that are printed as TAP, and cases that
 * run in their own child process, so that a crash is one failed check and not
 * the end of the program. The last line is the plan, `1..N`: without it, a
 * program has not finished. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#ifdef __cplusplus
extern "C" {
#endif

/* A check that must hold on every libotr. */
#define ok(cond, ...) check_that((cond) ? 1 : 0, 0, __FILE__, __LINE__, __VA_ARGS__)

/* A check of something that the C libotr 4.1.1 gets wrong and ours must get
 * right: a failure counts only when the library under test is ours. */
#define BETTER(cond, ...) check_that((cond) ? 1 : 0, 1, __FILE__, __LINE__, __VA_ARGS__)

void check_that(int holds, int only_ours, const char *file, int line,
		const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* True when the library under test is ours (OTR_UNDER_TEST=ours). */
int testing_ours(void);

typedef void (*Case)(void);

/* Run one case in a child process; a crash or a hang is one failed check. */
void run_case(const char *name, Case body);

/* The same for a case that the C libotr may crash or hang in: every check in
 * it, and its survival, is a BETTER one. */
void run_better(const char *name, Case body);

/* Print the plan; the value for main to return. */
int finish(void);

#ifdef __cplusplus
}
#endif

#endif
