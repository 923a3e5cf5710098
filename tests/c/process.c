/* The library as part of a process: what is loaded with it, symbols, loading
 * and unloading on other threads.   test: c99 valgrind once */
#include "world.h"

#include <dlfcn.h>
#include <pthread.h>

static int mapped(const char *name)
{
	char *maps = read_file("/proc/self/maps", NULL);
	int found = maps && strstr(maps, name) != NULL;

	free(maps);
	return found;
}

static void what_is_loaded(void)
{
	const char *gcrypt = getenv("OTR_GCRYPT");
	Pair pair = pair_private(POLICY_V3);

	ok(mapped("libotr.so.5"), "libotr.so.5 is in the process");
	ok(mapped("libgcrypt.so") == !strcmp(gcrypt, "with"), "libgcrypt is there only %s it",
			gcrypt);
	ok(pair_talks(&pair), "and a session works");
	pair_free(&pair);
	if (testing_ours()) {
		Dl_info info;

		int found = dladdr((void *) (size_t) otrl_version, &info);

		ok(found && !strcmp(info.dli_fname, getenv("OTR_LIBRARY")), "it is the one under test: %s",
				found ? info.dli_fname : "none");
	}
}

static void *worker(void *argument)
{
	int i, good = 1;

	for (i = 0; i < 40; i++) {
		void *library = dlopen(getenv("OTR_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
		gcry_error_t (*init)(unsigned, unsigned, unsigned);
		gcry_error_t (*calculate)(void *);

		if (!library) {
			return "dlopen";
		}
		*(void **) &init = dlsym(library, "otrl_init");
		*(void **) &calculate = dlsym(library, "otrl_privkey_generate_calculate");
		good &= init && calculate && init(4, 1, 1) == 0;
		if (i == 0 && argument) {
			good &= calculate(argument) == 0;
		}
		dlclose(library);
	}
	return good ? NULL : "init or calculate";
}

/* Thunderbird: a worker opens the library again, initialises it, calculates on
 * a handle from the main thread, and closes it, while messages go on. */
static void thunderbird(void)
{
	OtrlUserState us;
	void *handle[2] = { NULL, NULL }, *result;
	pthread_t thread[2];
	Pair pair;
	int i;

	OTRL_INIT;
	us = otrl_userstate_create();
	otrl_privkey_generate_start(us, "one", PROTOCOL, &handle[0]);
	otrl_privkey_generate_start(us, "two", PROTOCOL, &handle[1]);
	for (i = 0; i < 2; i++) {
		pthread_create(&thread[i], NULL, worker, handle[i]);
	}
	pair = pair_private(POLICY_V3);
	for (i = 0; i < 20; i++) {
		if (!pair_talks(&pair)) {
			break;
		}
	}
	ok(i == 20, "twenty turns in the meantime");
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &result);
		ok(!result, "worker %d: %s", i, result ? (char *) result : "fine");
	}
	ok(otrl_privkey_generate_finish(us, handle[0], scratch("k")) == 0
			&& otrl_privkey_generate_finish(us, handle[1], scratch("k")) == 0, "both finish");
	otrl_userstate_free(us);
	pair_free(&pair);
}

static void *converse(void *argument)
{
	int i;

	(void) argument;
	for (i = 0; i < 3; i++) {
		Pair pair = pair_private(i % 2 ? POLICY_V2 : POLICY_V3);
		int good = is_private(pair.alice, "bob");

		pair_free(&pair);
		if (!good) {
			return "no session";
		}
	}
	return NULL;
}

static void a_world_per_thread(void)
{
	pthread_t thread[4];
	void *result;
	int i;

	OTRL_INIT;
	/* pair_talks is not used here: it counts in a static variable. */
	for (i = 0; i < 4; i++) {
		pthread_create(&thread[i], NULL, converse, NULL);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		ok(!result, "thread %d: %s", i, result ? (char *) result : "fine");
	}
}

static void many_states(void)
{
	OtrlUserState us[200];
	int i;

	OTRL_INIT;
	for (i = 0; i < 200; i++) {
		us[i] = otrl_userstate_create();
		otrl_context_find(us[i], "b", "a", "p", 0, 1, NULL, NULL, NULL);
	}
	for (i = 0; i < 200; i++) {
		otrl_userstate_free(us[(i * 37) % 200]);
	}
	ok(1, "200 user states, freed in another order");
}

int main(void)
{
	run_case("what is loaded", what_is_loaded);
	run_case("Thunderbird's worker", thunderbird);
	run_case("a world per thread", a_world_per_thread);
	run_case("many user states", many_states);
	return finish();
}
