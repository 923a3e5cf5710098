/* Private keys: generating in one step and in three, on other threads, twice,
 * cancelled; finding, forgetting, signing.   test: valgrind once */
#include "world.h"

#include <pthread.h>
#include <unistd.h>

static int count(OtrlUserState us)
{
	OtrlPrivKey *key;
	int n = 0;

	for (key = us->privkey_root; key; key = key->next) {
		if (*key->tous != key) {
			return -1;
		}
		n++;
	}
	return n;
}

static char *print_of(OtrlUserState us, const char *account)
{
	static char human[4][OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
	static unsigned turn;
	char *into = human[turn++ % 4];

	memset(into, 0, sizeof human[0]);
	otrl_privkey_fingerprint(us, into, account, PROTOCOL);
	return into;
}

static OtrlUserState fresh(void)
{
	OTRL_INIT;
	return otrl_userstate_create();
}

static void reading(void)
{
	OtrlUserState us = fresh();
	OtrlPrivKey *key;

	ok(otrl_privkey_read(us, keys_all()) == 0 && count(us) == 3, "three keys");
	key = otrl_privkey_find(us, "bob", PROTOCOL);
	ok(key && !strcmp(key->accountname, "bob") && !strcmp(key->protocol, PROTOCOL)
			&& key->pubkey_type == OTRL_PUBKEY_TYPE_DSA && key->privkey
			&& key->pubkey_data && key->pubkey_datalen > 300, "all members are set");
	ok(!otrl_privkey_find(us, "bob", "other") && !otrl_privkey_find(us, "Bob", PROTOCOL),
			"found by account and protocol");
	ok(otrl_privkey_read(us, keys_all()) == 0 && count(us) == 3, "reading again replaces");
	ok(!strcmp(us->privkey_root->accountname, "carol"),
			"the last in the file comes first in the list");
	otrl_privkey_forget(otrl_privkey_find(us, "bob", PROTOCOL));
	ok(count(us) == 2 && !otrl_privkey_find(us, "bob", PROTOCOL), "one forgotten");
	otrl_privkey_forget(us->privkey_root);
	otrl_privkey_forget(us->privkey_root);
	ok(!us->privkey_root, "all forgotten");
	otrl_privkey_read(us, keys_all());
	otrl_privkey_forget_all(us);
	ok(!us->privkey_root, "forget_all");
	otrl_userstate_free(us);
}

static void one_step(void)
{
	OtrlUserState us = fresh(), again = fresh();
	char alice[OTRL_PRIVKEY_FPRINT_HUMAN_LEN], *text;

	otrl_privkey_read(us, keys_all());
	strcpy(alice, print_of(us, "alice"));
	ok(otrl_privkey_generate(us, scratch("k"), "dave", PROTOCOL) == 0 && count(us) == 4,
			"a key is added");
	ok(!strcmp(alice, print_of(us, "alice")), "the others stay");
	ok(otrl_privkey_read(again, scratch("k")) == 0 && count(again) == 4
			&& !strcmp(print_of(us, "dave"), print_of(again, "dave")),
			"the file has all of them");
	ok(otrl_privkey_generate(us, scratch("k"), "alice", PROTOCOL) == 0 && count(us) == 4
			&& strcmp(alice, print_of(us, "alice")), "a new key for an account replaces the old");
	text = read_file(scratch("k"), NULL);
	ok(!strncmp(text, "(privkeys\n (account\n(name ", 26) && strstr(text, "\n )\n)\n"),
			"the form of the file");
	ok(strstr(text, "(name alice)\n") || strstr(text, "(name \"alice\")\n"), "names stand alone");
	free(text);
	otrl_userstate_free(us);
	otrl_userstate_free(again);
}

static void *calculate(void *handle)
{
	static gcry_error_t results[8];
	static int turn;
	int mine = __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST) % 8;

	results[mine] = otrl_privkey_generate_calculate(handle);
	return &results[mine];
}

static void three_steps(void)
{
	OtrlUserState us = fresh();
	void *one = NULL, *two = NULL, *none = (void *) 16, *result;
	pthread_t thread[2];

	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &one) == 0 && one, "start");
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &none)
			== gcry_error(GPG_ERR_EEXIST) && !none, "a second start: EEXIST and NULL");
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &none) == 0x20008023,
			"which is 0x20008023");
	ok(otrl_privkey_generate_start(us, "erin", PROTOCOL, &two) == 0 && two && two != one,
			"another account may start");
	pthread_create(&thread[0], NULL, calculate, one);
	pthread_create(&thread[1], NULL, calculate, two);
	/* Traffic in the meantime. */
	{
		Pair pair = pair_private(POLICY_V3);

		ok(pair_talks(&pair), "traffic goes on while two threads calculate");
		pair_free(&pair);
	}
	pthread_join(thread[0], &result);
	ok(*(gcry_error_t *) result == 0, "the first is calculated");
	pthread_join(thread[1], &result);
	ok(*(gcry_error_t *) result == 0, "the second is calculated");
	ok(count(us) == 0, "nothing is there before finish");
	ok(otrl_privkey_generate_finish(us, two, scratch("k3")) == 0 && count(us) == 1, "finish");
	ok(otrl_privkey_generate_finish(us, one, scratch("k3")) == 0 && count(us) == 2,
			"finish the other");
	ok(strcmp(print_of(us, "dave"), print_of(us, "erin")), "two different keys");
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &one) == 0,
			"afterwards the account may start again");
	otrl_privkey_generate_cancelled(us, one);
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &one) == 0, "and after a cancel");
	otrl_privkey_generate_cancelled(us, one);
	ok(count(us) == 2, "cancelling changes no key");
	otrl_privkey_pending_forget_all(us);
	otrl_userstate_free(us);
}

static void pending_is_freed(void)
{
	OtrlUserState us = fresh();
	void *handle = NULL;

	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle) == 0, "start");
	otrl_privkey_pending_forget_all(us);
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle) == 0,
			"pending_forget_all frees the slot");
	otrl_userstate_free(us);
	ok(1, "userstate_free with one pending");
}

static void finish_with_FILE(void)
{
	OtrlUserState us = fresh(), again = fresh();
	void *handle = NULL;
	FILE *file;
	int other;

	file = fopen(scratch("kf"), "w+b");
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle) == 0
			&& otrl_privkey_generate_calculate(handle) == 0
			&& otrl_privkey_generate_finish_FILEp(us, handle, file) == 0 && count(us) == 1,
			"finish_FILEp");
	fclose(file);
	/* "w+b" with other keys there: all are written, and read again. */
	otrl_privkey_read(again, keys_all());
	file = fopen(scratch("kf2"), "w+b");
	ok(otrl_privkey_generate_FILEp(again, file, "dave", PROTOCOL) == 0 && count(again) == 4,
			"generate_FILEp with other keys");
	fclose(file);
	otrl_privkey_forget_all(again);
	file = fopen(scratch("kf2"), "rb");
	ok(otrl_privkey_read_FILEp(again, file) == 0 && count(again) == 4, "all are in the file");
	fclose(file);
	ok(otrl_privkey_read_FILEp(again, NULL) == 0 && count(again) == 4,
			"a NULL FILE* is no error and changes nothing");
	other = otrl_privkey_generate_FILEp(again, NULL, "erin", PROTOCOL) != 0;
	ok(other, "generating into a NULL FILE* is an error");
	otrl_userstate_free(us);
	otrl_userstate_free(again);
}

/* ---- where the C libotr has no answer ---------------------------------------- */

static void finish_twice(void)
{
	OtrlUserState us = fresh();
	void *handle = NULL;

	otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle);
	otrl_privkey_generate_calculate(handle);
	ok(otrl_privkey_generate_finish(us, handle, scratch("k4")) == 0, "finish");
	ok(otrl_privkey_generate_finish(us, handle, scratch("k4")) != 0, "twice is an error");
	ok(count(us) == 1, "and changes nothing");
	otrl_privkey_generate_cancelled(us, handle);
	otrl_privkey_generate_cancelled(us, handle);
	ok(count(us) == 1, "nor does a cancel after finish");
	ok(otrl_privkey_generate_calculate(handle) != 0, "calculating a finished one is an error");
	otrl_privkey_generate_cancelled(us, NULL);
	ok(otrl_privkey_generate_calculate(NULL) != 0
			&& otrl_privkey_generate_finish(us, NULL, scratch("k4")) != 0, "NULL handles");
	{
		OtrlUserState again = fresh();

		ok(otrl_privkey_read(again, scratch("k4")) == 0 && count(again) == 1,
				"the file is as the first finish left it");
		otrl_userstate_free(again);
	}
	otrl_userstate_free(us);
}

/* Kadu and Thunderbird cancel while the worker still calculates. */
static void cancelled_meanwhile(void)
{
	OtrlUserState us = fresh();
	pthread_t thread;
	void *handle;
	int i;

	for (i = 0; i < 20; i++) {
		handle = NULL;
		if (otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle)) {
			break;
		}
		pthread_create(&thread, NULL, calculate, handle);
		usleep((useconds_t) (i * 500));
		otrl_privkey_generate_cancelled(us, handle);
		pthread_join(thread, NULL);
		if (otrl_privkey_generate_finish(us, handle, scratch("k6")) == 0) {
			break;
		}
	}
	ok(i == 20, "twenty cancelled while calculating (stopped at %d)", i);
	ok(count(us) == 0, "no key came of it");
	otrl_userstate_free(us);
}

/* A client that ends before its key is done. */
static void freed_meanwhile(void)
{
	OtrlUserState us = fresh(), other = fresh();
	pthread_t thread;
	void *calculated = NULL, *calculating = NULL;

	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &calculated) == 0
			&& otrl_privkey_generate_calculate(calculated) == 0, "a key is calculated");
	ok(otrl_privkey_generate_start(us, "erin", PROTOCOL, &calculating) == 0, "another begun");
	pthread_create(&thread, NULL, calculate, calculating);
	otrl_userstate_free(us);
	pthread_join(thread, NULL);
	ok(otrl_privkey_generate_calculate(calculated) != 0 && otrl_privkey_generate_calculate(calculating) != 0,
			"both are gone with the user state");
	ok(otrl_privkey_generate_finish(other, calculated, scratch("k7")) != 0 && count(other) == 0,
			"and do not come into another one");
	otrl_userstate_free(other);
}

static void finish_uncalculated(void)
{
	OtrlUserState us = fresh();
	void *handle = NULL;

	otrl_privkey_read(us, keys_all());
	otrl_privkey_generate(us, scratch("k5"), "alice", PROTOCOL);
	otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle);
	ok(otrl_privkey_generate_finish(us, handle, scratch("k5")) != 0,
			"finish without calculate is an error");
	ok(count(us) == 3, "the keys stay");
	ok(otrl_privkey_read(us, scratch("k5")) == 0 && count(us) == 3, "in the file too");
	otrl_userstate_free(us);
}

static void finish_nowhere(void)
{
	OtrlUserState us = fresh();
	void *handle = NULL;
	gcry_error_t err;

	otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle);
	otrl_privkey_generate_calculate(handle);
	err = otrl_privkey_generate_finish(us, handle, "/nonexistent/directory/file");
	ok(err == 0x01008051, "a file that cannot be made: ENOENT from errno (%x)",
			(unsigned) err);
	BETTER(otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle) == 0,
			"and the account may start again");
	otrl_userstate_free(us);
}

static void broken_file_keeps_keys(void)
{
	OtrlUserState us = fresh();

	otrl_privkey_read(us, keys_all());
	write_file(scratch("broken"), "(privkeys (account", 18);
	ok(otrl_privkey_read(us, scratch("broken")) != 0, "a broken file is an error");
	BETTER(count(us) == 3, "and the keys that were there stay");
	ok(otrl_privkey_read(us, "/nonexistent") != 0, "so is no file");
	otrl_userstate_free(us);
}

static void signing(void)
{
	OtrlUserState us = fresh();
	unsigned char *sig = NULL, *sig2 = NULL, data[64];
	size_t len = 0, n;
	static const size_t lengths[] = { 0, 1, 20, 32, 64 };
	OtrlPrivKey *key;

	otrl_privkey_read(us, keys_all());
	key = otrl_privkey_find(us, "alice", PROTOCOL);
	memset(data, 0x5a, sizeof data);
	for (n = 0; n < sizeof lengths / sizeof lengths[0]; n++) {
		ok(otrl_privkey_sign(&sig, &len, key, data, lengths[n]) == 0 && sig && len == 40,
				"%u bytes signed", (unsigned) lengths[n]);
		ok(otrl_privkey_sign(&sig2, &len, key, data, lengths[n]) == 0
				&& otrl_privkey_verify(sig, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, data,
					lengths[n]) == 0
				&& otrl_privkey_verify(sig2, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, data,
					lengths[n]) == 0, "and verified");
		free(sig2);
		sig[39] ^= 1;
		ok(otrl_privkey_verify(sig, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, data,
					lengths[n]) != 0, "a changed signature is refused");
		free(sig);
	}
	ok(otrl_privkey_sign(&sig, &len, key, data, 20) == 0, "signed");
	data[19] ^= 1;
	ok(otrl_privkey_verify(sig, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, data, 20) != 0,
			"other data are refused");
	data[19] ^= 1;
	ok(otrl_privkey_verify(sig, 40, OTRL_PUBKEY_TYPE_DSA,
				otrl_privkey_find(us, "bob", PROTOCOL)->privkey, data, 20) != 0,
			"another key refuses");
	ok(gcry_err_code(otrl_privkey_verify(sig, 39, OTRL_PUBKEY_TYPE_DSA, key->privkey, data,
					20)) == GPG_ERR_INV_VALUE
			&& gcry_err_code(otrl_privkey_verify(sig, 40, 77, key->privkey, data, 20))
			== GPG_ERR_INV_VALUE, "wrong length and wrong type");
	memset(sig, 0, 40);
	ok(otrl_privkey_verify(sig, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, data, 20) != 0,
			"a signature of zeros is refused");
	free(sig);
	otrl_userstate_free(us);
}

int main(void)
{
	run_case("reading", reading);
	run_case("one step", one_step);
	run_case("three steps", three_steps);
	run_case("pending", pending_is_freed);
	run_case("FILE*", finish_with_FILE);
	run_better("finish twice", finish_twice);
	run_better("cancelled meanwhile", cancelled_meanwhile);
	run_better("freed meanwhile", freed_meanwhile);
	run_better("finish without calculate", finish_uncalculated);
	run_case("finish nowhere", finish_nowhere);
	run_case("a broken file", broken_file_keeps_keys);
	run_case("signing", signing);
	return finish();
}
