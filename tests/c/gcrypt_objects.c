/* Programs that look inside with libgcrypt of their own: nodes made by the
 * client, keys printed and used, numbers of the DH and of SMP.   test: gcrypt */
#include <stddef.h>
#include "world.h"

#include <gcrypt.h>

static OtrlUserState fresh(void)
{
	OTRL_INIT;
	return otrl_userstate_create();
}

static char *printed(gcry_sexp_t sexp)
{
	size_t len = gcry_sexp_sprint(sexp, GCRYSEXP_FMT_ADVANCED, NULL, 0);
	char *text = malloc(len + 1);

	gcry_sexp_sprint(sexp, GCRYSEXP_FMT_ADVANCED, text, len);
	text[len] = '\0';
	return text;
}

/* Psi's own way of writing the key file, after it has forgotten a key. */
static void psi_writes(OtrlUserState us, const char *path)
{
	FILE *file = fopen(path, "wb");
	OtrlPrivKey *key;

	fprintf(file, "(privkeys\n");
	for (key = us->privkey_root; key; key = key->next) {
		gcry_sexp_t name = NULL, protocol = NULL;
		char *text;

		fprintf(file, " (account\n");
		ok(gcry_sexp_build(&name, NULL, "(name %s)", key->accountname) == 0
				&& gcry_sexp_build(&protocol, NULL, "(protocol %s)", key->protocol) == 0,
				"gcry_sexp_build");
		text = printed(name);
		fputs(text, file);
		free(text);
		text = printed(protocol);
		fputs(text, file);
		free(text);
		text = printed(key->privkey);
		fputs(text, file);
		free(text);
		fprintf(file, " )\n");
		gcry_sexp_release(name);
		gcry_sexp_release(protocol);
	}
	fprintf(file, ")\n");
	fclose(file);
}

static void psi_deletes_a_key(void)
{
	OtrlUserState us = fresh(), again = fresh();
	char before[OTRL_PRIVKEY_FPRINT_HUMAN_LEN], after[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];

	otrl_privkey_read(us, keys_all());
	otrl_privkey_fingerprint(us, before, "carol", PROTOCOL);
	otrl_privkey_forget(otrl_privkey_find(us, "bob", PROTOCOL));
	psi_writes(us, scratch("psi"));
	ok(otrl_privkey_read(again, scratch("psi")) == 0, "what Psi wrote is read");
	ok(!otrl_privkey_find(again, "bob", PROTOCOL) && otrl_privkey_find(again, "alice", PROTOCOL)
			&& otrl_privkey_fingerprint(again, after, "carol", PROTOCOL)
			&& !strcmp(before, after), "without the one, with the others");
	/* Psi just before it frees the user state; the keys leak, nothing else. */
	us->privkey_root = NULL;
	otrl_userstate_free(us);
	otrl_userstate_free(again);
}

static void printed_as_in_the_file(void)
{
	OtrlUserState us = fresh();
	OtrlPrivKey *key;
	char *file, *text;

	otrl_privkey_generate(us, scratch("one"), "alice", PROTOCOL);
	file = read_file(scratch("one"), NULL);
	key = otrl_privkey_find(us, "alice", PROTOCOL);
	text = printed(key->privkey);
	ok(strstr(file, text) != NULL, "the file has the key as libgcrypt prints it");
	ok(!strncmp(text, "(private-key", 12) && strstr(text, "(dsa"), "a (private-key (dsa ...))");
	ok(gcry_pk_testkey(key->privkey) == 0, "libgcrypt finds it consistent");
	ok(gcry_pk_get_nbits(key->privkey) == 1024, "of 1024 bits");
	free(text);
	free(file);
	otrl_userstate_free(us);
}

/* ---- nodes made by the client ------------------------------------------------- */

/* libotr-ng and node-otr4 link nodes of their own. */
static OtrlPrivKey *own_node(OtrlUserState us, const char *account, gcry_sexp_t from)
{
	OtrlPrivKey *key = malloc(sizeof *key);
	gcry_sexp_t parts[4];
	gcry_mpi_t number[4];
	size_t len[4], total = 0, at = 0;
	int i;
	static const char *const names[] = { "p", "q", "g", "y" };
	char *text = printed(from);

	memset(key, 0, sizeof *key);
	key->accountname = strdup(account);
	key->protocol = strdup(PROTOCOL);
	key->pubkey_type = OTRL_PUBKEY_TYPE_DSA;
	/* A new object of libgcrypt, not the library's own. */
	ok(gcry_sexp_new(&key->privkey, text, 0, 1) == 0, "gcry_sexp_new");
	free(text);
	for (i = 0; i < 4; i++) {
		parts[i] = gcry_sexp_find_token(key->privkey, names[i], 0);
		number[i] = gcry_sexp_nth_mpi(parts[i], 1, GCRYMPI_FMT_USG);
		gcry_mpi_print(GCRYMPI_FMT_USG, NULL, 0, &len[i], number[i]);
		total += 4 + len[i];
	}
	key->pubkey_data = malloc(total);
	key->pubkey_datalen = total;
	for (i = 0; i < 4; i++) {
		key->pubkey_data[at] = key->pubkey_data[at + 1] = 0;
		key->pubkey_data[at + 2] = (unsigned char) (len[i] >> 8);
		key->pubkey_data[at + 3] = (unsigned char) len[i];
		gcry_mpi_print(GCRYMPI_FMT_USG, key->pubkey_data + at + 4, len[i], NULL, number[i]);
		at += 4 + len[i];
		gcry_mpi_release(number[i]);
		gcry_sexp_release(parts[i]);
	}
	key->next = us->privkey_root;
	if (key->next) {
		key->next->tous = &key->next;
	}
	key->tous = &us->privkey_root;
	us->privkey_root = key;
	return key;
}

static void own_nodes(void)
{
	OtrlUserState donor = fresh();
	Pair pair;
	OtrlPrivKey *key;
	OtrlInsTag *tag = malloc(sizeof *tag);
	unsigned char mine[20], theirs[20], *sig;
	size_t len;

	otrl_privkey_read(donor, keys_all());
	pair.world = world_new();
	pair.alice = party_new(pair.world, "alice", NULL);
	pair.bob = party_new(pair.world, "bob", keys_all());
	pair.alice->policy = pair.bob->policy = POLICY_V3;
	key = own_node(pair.alice->us, "alice", otrl_privkey_find(donor, "alice", PROTOCOL)->privkey);
	own_node(pair.alice->us, "other", otrl_privkey_find(donor, "carol", PROTOCOL)->privkey);
	tag->accountname = strdup("alice");
	tag->protocol = strdup(PROTOCOL);
	tag->instag = 0x12345678;
	tag->next = pair.alice->us->instag_root;
	tag->tous = &pair.alice->us->instag_root;
	pair.alice->us->instag_root = tag;
	ok(otrl_privkey_find(pair.alice->us, "alice", PROTOCOL) == key, "found");
	ok(otrl_instag_find(pair.alice->us, "alice", PROTOCOL) == tag, "the tag too");
	otrl_privkey_fingerprint_raw(pair.alice->us, mine, "alice", PROTOCOL);
	otrl_privkey_fingerprint_raw(donor, theirs, "alice", PROTOCOL);
	ok(!memcmp(mine, theirs, 20), "its fingerprint");
	ok(otrl_privkey_sign(&sig, &len, key, mine, 20) == 0
			&& otrl_privkey_verify(sig, len, OTRL_PUBKEY_TYPE_DSA, key->privkey, mine, 20) == 0,
			"signs and verifies");
	free(sig);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && pair_talks(&pair), "an AKE with it");
	ok(context_with(pair.alice, "bob")->our_instance == 0x12345678
			&& context_with(pair.bob, "alice")->their_instance == 0x12345678, "and the tag");
	ok(!memcmp(context_with(pair.bob, "alice")->active_fingerprint->fingerprint, mine, 20),
			"bob sees that key");
	ok(otrl_privkey_generate(pair.alice->us, scratch("grown"), "third", PROTOCOL) == 0,
			"generating writes them too");
	otrl_privkey_forget_all(donor);
	ok(otrl_privkey_read(donor, scratch("grown")) == 0
			&& otrl_privkey_find(donor, "alice", PROTOCOL)
			&& otrl_privkey_find(donor, "other", PROTOCOL)
			&& otrl_privkey_find(donor, "third", PROTOCOL), "all three");
	key = own_node(pair.alice->us, "fourth", otrl_privkey_find(donor, "other", PROTOCOL)->privkey);
	otrl_privkey_forget(key);
	ok(!otrl_privkey_find(pair.alice->us, "fourth", PROTOCOL), "one of them forgotten");
	otrl_instag_forget(tag);
	own_node(pair.alice->us, "fifth", otrl_privkey_find(donor, "other", PROTOCOL)->privkey);
	otrl_userstate_free(donor);
	pair_free(&pair);
	ok(1, "the rest freed with the user state");
}

/* ---- libgcrypt and the library check each other ---------------------------------- */

static void signatures_cross(void)
{
	OtrlUserState us = fresh();
	OtrlPrivKey *key;
	unsigned char hash[32], *sig, made[40];
	size_t len, n;
	gcry_sexp_t data, value, r, s;
	gcry_mpi_t number;
	int round, good = 0, back = 0;

	otrl_privkey_read(us, keys_all());
	key = otrl_privkey_find(us, "alice", PROTOCOL);
	for (round = 0; round < 20; round++) {
		size_t size = round % 2 ? 32 : 20;

		gcry_create_nonce(hash, sizeof hash);
		hash[0] |= 1;
		otrl_privkey_sign(&sig, &len, key, hash, size);
		gcry_mpi_scan(&number, GCRYMPI_FMT_USG, hash, size, NULL);
		gcry_sexp_build(&data, NULL, "(%m)", number);
		gcry_mpi_release(number);
		gcry_sexp_build(&value, NULL, "(sig-val (dsa (r %b)(s %b)))", 20, sig, 20, sig + 20);
		good += gcry_pk_verify(value, data, key->privkey) == 0;
		gcry_sexp_release(value);
		free(sig);

		gcry_pk_sign(&value, data, key->privkey);
		r = gcry_sexp_find_token(value, "r", 0);
		s = gcry_sexp_find_token(value, "s", 0);
		memset(made, 0, 40);
		number = gcry_sexp_nth_mpi(r, 1, GCRYMPI_FMT_USG);
		gcry_mpi_print(GCRYMPI_FMT_USG, NULL, 0, &n, number);
		gcry_mpi_print(GCRYMPI_FMT_USG, made + 20 - n, n, NULL, number);
		gcry_mpi_release(number);
		number = gcry_sexp_nth_mpi(s, 1, GCRYMPI_FMT_USG);
		gcry_mpi_print(GCRYMPI_FMT_USG, NULL, 0, &n, number);
		gcry_mpi_print(GCRYMPI_FMT_USG, made + 40 - n, n, NULL, number);
		gcry_mpi_release(number);
		back += otrl_privkey_verify(made, 40, OTRL_PUBKEY_TYPE_DSA, key->privkey, hash, size)
			== 0;
		gcry_sexp_release(r);
		gcry_sexp_release(s);
		gcry_sexp_release(value);
		gcry_sexp_release(data);
	}
	ok(good == 20, "libgcrypt verifies what we sign (%d of 20)", good);
	ok(back == 20, "and we what it signs (%d of 20)", back);
	otrl_userstate_free(us);
}

static const char group5[] =
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
	"9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

static void diffie_hellman(void)
{
	DH_keypair one, two, copy;
	gcry_mpi_t p, g, x;
	DH_sesskeys a, b;
	unsigned char session[2][20];
	size_t len[2];
	gcry_cipher_hd_t c[2][2];
	gcry_md_hd_t m[2][4];
	OtrlSessionIdHalf half[2];
	int i;

	OTRL_INIT;
	otrl_dh_keypair_init(&one);
	ok(one.priv == NULL && one.pub == NULL, "an empty pair");
	ok(otrl_dh_gen_keypair(4, &one) != 0, "group 4 is refused");
	ok(otrl_dh_gen_keypair(DH1536_GROUP_ID, &one) == 0 && one.groupid == 5 && one.priv
			&& one.pub, "a pair in group 5");
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &two);
	ok(gcry_mpi_cmp(one.pub, two.pub) && gcry_mpi_get_nbits(one.priv) > 280
			&& gcry_mpi_get_nbits(one.priv) <= 320, "exponents of 320 bits");
	gcry_mpi_scan(&p, GCRYMPI_FMT_HEX, group5, 0, NULL);
	g = gcry_mpi_set_ui(NULL, 2);
	x = gcry_mpi_new(1536);
	gcry_mpi_powm(x, g, one.priv, p);
	ok(!gcry_mpi_cmp(x, one.pub), "pub is 2 to the priv");
	otrl_dh_keypair_copy(&copy, &one);
	ok(copy.groupid == 5 && copy.pub != one.pub && !gcry_mpi_cmp(copy.pub, one.pub)
			&& !gcry_mpi_cmp(copy.priv, one.priv), "a copy of its own");

	otrl_dh_session_blank(&a);
	otrl_dh_session_blank(&b);
	ok(otrl_dh_session(&a, &one, two.pub) == 0 && otrl_dh_session(&b, &two, one.pub) == 0,
			"session keys");
	ok(!memcmp(a.sendmackey, b.rcvmackey, 20) && !memcmp(b.sendmackey, a.rcvmackey, 20)
			&& memcmp(a.sendmackey, a.rcvmackey, 20), "MAC keys match crosswise");
	ok(!memcmp(a.extrakey, b.extrakey, OTRL_EXTRAKEY_BYTES), "the extra keys are equal");
	{
		unsigned char text[16] = "sixteen letters", out[16], zero[16] = { 0 };

		ok(gcry_cipher_setctr(a.sendenc, zero, 16) == 0
				&& gcry_cipher_encrypt(a.sendenc, out, 16, text, 16) == 0
				&& gcry_cipher_setctr(b.rcvenc, zero, 16) == 0
				&& gcry_cipher_decrypt(b.rcvenc, out, 16, NULL, 0) == 0
				&& !memcmp(out, text, 16), "one's sendenc is the other's rcvenc");
		gcry_md_reset(a.sendmac);
		gcry_md_write(a.sendmac, text, 16);
		gcry_md_reset(b.rcvmac);
		gcry_md_write(b.rcvmac, text, 16);
		ok(!memcmp(gcry_md_read(a.sendmac, GCRY_MD_SHA1), gcry_md_read(b.rcvmac, GCRY_MD_SHA1),
					20), "and so the MACs");
	}
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&b);
	for (i = 0; i < 2; i++) {
		ok(otrl_dh_compute_v2_auth_keys(i ? &two : &one, i ? one.pub : two.pub, session[i],
					&len[i], &c[i][0], &c[i][1], &m[i][0], &m[i][1], &m[i][2], &m[i][3]) == 0
				&& len[i] == 8, "authentication keys");
	}
	ok(!memcmp(session[0], session[1], 8), "the same session id");
	for (i = 0; i < 2; i++) {
		gcry_cipher_close(c[i][0]);
		gcry_cipher_close(c[i][1]);
		gcry_md_close(m[i][0]);
		gcry_md_close(m[i][1]);
		gcry_md_close(m[i][2]);
		gcry_md_close(m[i][3]);
		ok(otrl_dh_compute_v1_session_id(i ? &two : &one, i ? one.pub : two.pub, session[i],
					&len[i], &half[i]) == 0 && len[i] == 20, "the session id of version 1");
	}
	ok(!memcmp(session[0], session[1], 20) && half[0] != half[1], "the same, other halves");
	gcry_mpi_release(p);
	gcry_mpi_release(g);
	gcry_mpi_release(x);
	otrl_dh_keypair_free(&one);
	otrl_dh_keypair_free(&two);
	otrl_dh_keypair_free(&copy);
	otrl_dh_keypair_free(&copy);
}

static void numbers_of_a_session(void)
{
	Pair pair = pair_new(POLICY_V2);
	ConnContext *a;
	char *text;

	send_text(pair.alice, "bob", "?OTR?");
	deliver_one(pair.world);
	text = intercept(pair.world);
	a = context_with(pair.bob, "alice");
	ok(a->auth.our_dh.groupid == 5 && a->auth.our_dh.pub
			&& gcry_mpi_get_nbits(a->auth.our_dh.pub) > 1400, "auth.our_dh is a pair");
	receive(pair.alice, "bob", text);
	free(text);
	pump(pair.world);
	otrl_message_initiate_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"), (const unsigned char *) "s", 1);
	{
		OtrlSMState *s = context_with(pair.alice, "bob")->smstate;

		ok(s->secret && gcry_mpi_get_nbits(s->secret) > 200 && s->x2 && s->x3 && s->g1
				&& gcry_mpi_cmp_ui(s->g1, 2) == 0, "numbers of SMP");
		ok(gcry_mpi_get_nbits(s->x2) > 1400, "exponents of 1536 bits");
	}
	pair_free(&pair);
}

static void memory_is_libgcrypts(void)
{
	void *block;
	int i, aligned = 1;
	void *keep[64];

	OTRL_INIT;
	for (i = 0; i < 64; i++) {
		keep[i] = gcry_malloc((size_t) i + 1);
		aligned &= ((size_t) keep[i] & (_Alignof(max_align_t) - 1)) == 0;
	}
	for (i = 0; i < 64; i++) {
		gcry_free(keep[i]);
	}
	BETTER(aligned, "gcry_malloc stays aligned for any type: no handler is installed");
	block = gcry_malloc(100);
	BETTER(block, "and");
	/* Without a handler of somebody, libgcrypt's memory is malloc's. */
	if (testing_ours()) {
		free(block);
	} else {
		gcry_free(block);
	}
}

int main(void)
{
	run_case("Psi deletes a key", psi_deletes_a_key);
	run_case("printed", printed_as_in_the_file);
	run_case("nodes of the client", own_nodes);
	run_case("signatures cross", signatures_cross);
	run_case("Diffie-Hellman", diffie_hellman);
	run_case("numbers of a session", numbers_of_a_session);
	run_case("memory", memory_is_libgcrypts);
	return finish();
}
