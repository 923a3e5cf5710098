/* A thread with a pending cancel (pthread_cancel, Qt's QThread::terminate) calls the library: the call ends as usual, the
 * thread at its next cancellation point outside, and the process goes on. */
#include "world.h"

#include <pthread.h>
#include <unistd.h>

typedef struct {
	const char *name;
	void (*run)(void);
} Action;

static OtrlUserState us;
static Pair pair;
static char keys[600], fingerprints[600], tags[600];

static void generate(void)
{
	otrl_privkey_generate(us, keys, "alice", PROTOCOL);
}

static void generate_in_steps(void)
{
	void *key = NULL;

	if (!otrl_privkey_generate_start(us, "stepwise", PROTOCOL, &key)) {
		otrl_privkey_generate_calculate(key);
		otrl_privkey_generate_finish(us, key, keys);
	}
}

static void read_keys(void)
{
	otrl_privkey_read(us, keys);
}

static void write_fingerprints(void)
{
	otrl_privkey_write_fingerprints(us, fingerprints);
}

static void read_fingerprints(void)
{
	otrl_privkey_read_fingerprints(us, fingerprints, NULL, NULL);
}

static void make_a_tag(void)
{
	otrl_instag_generate(us, tags, "alice", PROTOCOL);
}

static void read_tags(void)
{
	otrl_instag_read(us, tags);
}

static void talk(void)
{
	pair_talks(&pair);
}

static void cancelled(const Action *action);

/* libotr's callbacks may be cut short, and leave libgcrypt locked. */
static void talk_cancelled(void)
{
	static const Action action = { "two talk", talk };

	cancelled(&action);
	ok(pair_talks(&pair), "the session goes on");
}

static void *with_a_pending_cancel(void *action)
{
	pthread_cancel(pthread_self());
	((const Action *) action)->run();
	for (;;) {
		pthread_testcancel();
	}
	return NULL;
}

static void cancelled(const Action *action)
{
	pthread_t thread;
	void *outcome = NULL;

	pthread_create(&thread, NULL, with_a_pending_cancel, (void *) action);
	pthread_join(thread, &outcome);
	ok(outcome == PTHREAD_CANCELED, "%s in a thread that is cancelled", action->name);
}

int main(void)
{
	static const Action actions[] = {
		{ "a key is made", generate },
		{ "a key is made in steps", generate_in_steps },
		{ "keys are read", read_keys },
		{ "fingerprints are written", write_fingerprints },
		{ "fingerprints are read", read_fingerprints },
		{ "an instance tag is made", make_a_tag },
		{ "instance tags are read", read_tags },
	};
	size_t i;

	OTRL_INIT;
	us = otrl_userstate_create();
	pair = pair_private(POLICY_V3);
	snprintf(keys, sizeof keys, "%s", scratch("keys"));
	snprintf(fingerprints, sizeof fingerprints, "%s", scratch("fingerprints"));
	snprintf(tags, sizeof tags, "%s", scratch("tags"));
	for (i = 0; i < sizeof actions / sizeof *actions; i++) {
		cancelled(&actions[i]);
	}
	/* libotr is cut short. */
	BETTER(otrl_privkey_find(us, "alice", PROTOCOL) != NULL, "the key is there");
	BETTER(otrl_instag_find(us, "alice", PROTOCOL) != NULL, "and the tag");
	run_better("a conversation", talk_cancelled);
	pair_free(&pair);
	otrl_userstate_free(us);
	return finish();
}
