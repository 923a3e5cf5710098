/* A process that gets libgcrypt only while it runs, by loading something that
 * needs it: before the library is first used, after that, or only for a while.
 * (Linked with libgcrypt, as one of its two builds is, it is there at once,
 * and all of this must hold as well.) */
#include "world.h"

#include <libotr/dh.h>
#include <libotr/sm.h>

#include <dlfcn.h>

/* Numbers of libgcrypt's interface. */
enum { SEXP_ADVANCED = 3, MPI_USG = 5 };

static struct {
	void *handle;
	const char *(*check_version)(const char *);
	unsigned (*sexp_new)(void **sexp, const void *text, size_t len, int autodetect);
	size_t (*sexp_sprint)(void *sexp, int mode, void *text, size_t len);
	void *(*sexp_find_token)(void *sexp, const char *token, size_t len);
	void (*sexp_release)(void *sexp);
	unsigned (*mpi_scan)(void **number, int format, const void *bytes, size_t len, size_t *scanned);
	unsigned (*mpi_print)(int format, void *bytes, size_t room, size_t *len, void *number);
	void (*give_back)(void *number);
} gcrypt;

static void *function(const char *name)
{
	void *found = dlsym(gcrypt.handle, name);

	ok(found, "libgcrypt has %s", name);
	return found;
}

/* As a plugin brings it into the process: nobody else sees its names. */
static void load_gcrypt(void)
{
	gcrypt.handle = dlopen("libgcrypt.so.20", RTLD_NOW | RTLD_LOCAL);
	ok(gcrypt.handle, "libgcrypt is loaded");
	*(void **) &gcrypt.check_version = function("gcry_check_version");
	*(void **) &gcrypt.sexp_new = function("gcry_sexp_new");
	*(void **) &gcrypt.sexp_sprint = function("gcry_sexp_sprint");
	*(void **) &gcrypt.sexp_find_token = function("gcry_sexp_find_token");
	*(void **) &gcrypt.sexp_release = function("gcry_sexp_release");
	*(void **) &gcrypt.mpi_scan = function("gcry_mpi_scan");
	*(void **) &gcrypt.mpi_print = function("gcry_mpi_print");
	*(void **) &gcrypt.give_back = function("gcry_mpi_release");
	gcrypt.check_version(NULL);
}

static OtrlUserState with_keys(void)
{
	OtrlUserState us;

	OTRL_INIT;
	us = otrl_userstate_create();
	ok(otrl_privkey_read(us, keys_all()) == 0, "the keys are read");
	return us;
}

static int signs(OtrlPrivKey *signer, OtrlPrivKey *verifier)
{
	static const unsigned char hash[20] = "nineteen characters";
	unsigned char *sig = NULL;
	size_t len = 0;
	int good = otrl_privkey_sign(&sig, &len, signer, hash, 20) == 0
		&& otrl_privkey_verify(sig, len, OTRL_PUBKEY_TYPE_DSA, verifier->privkey, hash, 20) == 0;

	free(sig);
	return good;
}

/* A key as libgcrypt itself reads it from the file, in a node of the client. */
static OtrlPrivKey *own_node(OtrlUserState us, const char *account, OtrlPrivKey *like)
{
	OtrlPrivKey *key = calloc(1, sizeof *key);
	size_t len;
	char *text = read_file(keys_all(), &len);
	void *all = NULL, *one;

	ok(gcrypt.sexp_new(&all, text, len, 1) == 0, "libgcrypt reads the key file");
	one = gcrypt.sexp_find_token(all, "private-key", 0);
	ok(one, "and finds a key in it");
	key->privkey = one;
	gcrypt.sexp_release(all);
	free(text);
	key->accountname = strdup(account);
	key->protocol = strdup(PROTOCOL);
	key->pubkey_type = OTRL_PUBKEY_TYPE_DSA;
	key->pubkey_datalen = like->pubkey_datalen;
	key->pubkey_data = malloc(like->pubkey_datalen);
	memcpy(key->pubkey_data, like->pubkey_data, like->pubkey_datalen);
	key->next = us->privkey_root;
	if (key->next) {
		key->next->tous = &key->next;
	}
	key->tous = &us->privkey_root;
	us->privkey_root = key;
	return key;
}

/* The first key of the file is the last of the list. */
static OtrlPrivKey *first_of_file(OtrlUserState us)
{
	OtrlPrivKey *key = us->privkey_root;

	while (key->next) {
		key = key->next;
	}
	return key;
}

static void after_the_first_use(void)
{
	OtrlUserState us = with_keys(), again;
	OtrlPrivKey *alice = otrl_privkey_find(us, "alice", PROTOCOL), *own;
	DH_keypair one, two, late;
	DH_sesskeys a, b, c, d;
	OtrlSMState s, t;
	unsigned char *m1 = NULL, *m2 = NULL, *m3 = NULL, *m4 = NULL, public_value[192];
	void *number = NULL;
	int len;
	size_t i;

	ok(signs(alice, alice), "a signature before");
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &one);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &two);
	ok(otrl_dh_session(&a, &one, two.pub) == 0, "session keys before");
	otrl_sm_state_new(&s);
	otrl_sm_state_new(&t);
	otrl_sm_step1(&s, (const unsigned char *) "x", 1, &m1, &len);
	otrl_sm_step2a(&t, m1, len, 0);

	load_gcrypt();

	ok(signs(alice, alice), "the old keys go on");
	ok(otrl_dh_session(&b, &two, one.pub) == 0 && !memcmp(a.extrakey, b.extrakey, OTRL_EXTRAKEY_BYTES),
			"the old pairs too");
	otrl_sm_step2b(&t, (const unsigned char *) "x", 1, &m2, &len);
	otrl_sm_step3(&s, m2, len, &m3, &len);
	otrl_sm_step4(&t, m3, len, &m4, &len);
	ok(otrl_sm_step5(&s, m4, len) == 0 && s.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED,
			"an SMP that began before ends well");
	ok(otrl_dh_gen_keypair(DH1536_GROUP_ID, &late) == 0 && otrl_dh_session(&c, &late, one.pub) == 0,
			"new pairs go with the old ones");
	otrl_dh_session_free(&c);

	/* 2 to the 1200, somebody's number in libgcrypt's form. */
	memset(public_value, 0, sizeof public_value);
	public_value[sizeof public_value - 1 - 150] = 1;
	ok(gcrypt.mpi_scan(&number, MPI_USG, public_value, sizeof public_value, &i) == 0,
			"libgcrypt makes a number");
	ok(otrl_dh_session(&c, &one, number) == 0 && otrl_dh_session(&d, &one, number) == 0
			&& !memcmp(c.extrakey, d.extrakey, OTRL_EXTRAKEY_BYTES)
			&& memcmp(c.extrakey, a.extrakey, OTRL_EXTRAKEY_BYTES), "which the library reads");
	otrl_dh_session_free(&c);
	otrl_dh_session_free(&d);
	gcrypt.give_back(number);

	own = own_node(us, "own", first_of_file(us));
	ok(signs(own, own) && signs(own, first_of_file(us)->next ? first_of_file(us) : own)
			&& signs(first_of_file(us), own), "a key that libgcrypt made signs as the same key of ours");
	ok(otrl_privkey_generate(us, scratch("mixed"), "new", PROTOCOL) == 0, "both kinds are written");
	again = otrl_userstate_create();
	ok(otrl_privkey_read(again, scratch("mixed")) == 0 && otrl_privkey_find(again, "own", PROTOCOL)
			&& otrl_privkey_find(again, "alice", PROTOCOL)
			&& signs(otrl_privkey_find(again, "own", PROTOCOL),
				first_of_file(us)), "and read");
	own = own_node(us, "second", first_of_file(us));
	otrl_privkey_forget(own);
	ok(!otrl_privkey_find(us, "second", PROTOCOL), "one is forgotten");
	otrl_userstate_free(again);
	otrl_userstate_free(us);
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&b);
	otrl_dh_keypair_free(&one);
	otrl_dh_keypair_free(&two);
	otrl_dh_keypair_free(&late);
	otrl_sm_state_free(&s);
	otrl_sm_state_free(&t);
	free(m1);
	free(m2);
	free(m3);
	free(m4);
}

static int is_libgcrypts(OtrlPrivKey *key)
{
	size_t len = gcrypt.sexp_sprint(key->privkey, SEXP_ADVANCED, NULL, 0);
	char *text = calloc(1, len + 1);
	int good = len > 500 && gcrypt.sexp_sprint(key->privkey, SEXP_ADVANCED, text, len) > 0
		&& !strncmp(text, "(private-key", 12);

	free(text);
	return good;
}

static void before_the_first_use(void)
{
	OtrlUserState us;
	DH_keypair pair;
	unsigned char bytes[200];
	size_t len = 0;

	load_gcrypt();
	us = with_keys();
	ok(is_libgcrypts(otrl_privkey_find(us, "alice", PROTOCOL)), "a key that was read is libgcrypt's");
	otrl_privkey_generate(us, scratch("new"), "new", PROTOCOL);
	ok(is_libgcrypts(otrl_privkey_find(us, "new", PROTOCOL)), "and so is one that was generated");
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair);
	ok(gcrypt.mpi_print(MPI_USG, bytes, sizeof bytes, &len, pair.pub) == 0 && len > 180 && len <= 192,
			"and the numbers of a pair");
	otrl_dh_keypair_free(&pair);
	otrl_userstate_free(us);
}

static void only_for_a_while(void)
{
	OtrlUserState us;
	OtrlPrivKey *alice;
	DH_keypair one, two;
	DH_sesskeys a, b;

	load_gcrypt();
	us = with_keys();
	alice = otrl_privkey_find(us, "alice", PROTOCOL);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &one);
	dlclose(gcrypt.handle);
	/* Its code must still be there for the objects that it made. */
	ok(signs(alice, alice), "the keys outlive the client's handle of libgcrypt");
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &two);
	ok(otrl_dh_session(&a, &one, two.pub) == 0 && otrl_dh_session(&b, &two, one.pub) == 0
			&& !memcmp(a.extrakey, b.extrakey, OTRL_EXTRAKEY_BYTES), "and the numbers");
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&b);
	otrl_dh_keypair_free(&one);
	otrl_dh_keypair_free(&two);
	otrl_userstate_free(us);
}

static void in_the_middle_of_a_session(void)
{
	Pair pair = pair_private(POLICY_V3);

	ok(pair_talks(&pair), "a session before");
	load_gcrypt();
	ok(pair_talks(&pair), "goes on after");
	otrl_message_initiate_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"), (const unsigned char *) "s", 1);
	pump(pair.world);
	ok(context_with(pair.bob, "alice")->smstate->g3o != NULL, "an SMP begins");
	go_private(pair.bob, pair.alice);
	ok(pair_talks(&pair), "and another exchange succeeds");
	pair_free(&pair);
}

int main(void)
{
	run_case("libgcrypt comes after the first use", after_the_first_use);
	run_case("libgcrypt comes before the first use", before_the_first_use);
	run_case("libgcrypt is closed by who opened it", only_for_a_while);
	run_case("libgcrypt comes in the middle of a session", in_the_middle_of_a_session);
	return finish();
}
