/* A fork while another thread is in its first calculation: the child must not inherit half-made tables.
 * Each try is a new process, since there is only one first time.   test: plain */
#include "world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 80, STEP_US = 20, PATIENCE_S = 10 };

static int makes_a_key(void)
{
	DH_keypair pair;
	int made;

	otrl_dh_keypair_init(&pair);
	made = otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair) == 0;
	otrl_dh_keypair_free(&pair);
	return made;
}

static void *first_calculation(void *made)
{
	*(int *) made = makes_a_key();
	return NULL;
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

/* Never returns. */
static void one_try(useconds_t later)
{
	pthread_t thread;
	pid_t child;
	int made = 0, status;

	pthread_create(&thread, NULL, first_calculation, &made);
	usleep(later);
	child = fork();
	if (child == 0) {
		alarm(PATIENCE_S);
		_exit(makes_a_key() ? 0 : 1);
	}
	status = status_of(child);
	pthread_join(thread, NULL);
	_exit(status == 0 && made ? 0 : 1);
}

int main(void)
{
	int i, failed = 0;

	OTRL_INIT;
	for (i = 0; i < TRIES; i++) {
		pid_t child = fork();

		if (child == 0) {
			one_try((useconds_t) i * STEP_US);
		}
		failed += status_of(child) != 0;
		/* Each that hangs takes its time. */
		if (failed == 3) {
			break;
		}
	}
	/* libgcrypt has locks of its own. */
	BETTER(failed == 0, "%d of %d children cannot calculate, forked during the first calculation", failed, i);
	return finish();
}
