/* The objects in public structs, used through the library alone: with
 * libgcrypt in the process they are its own, and without it they are ours.
 * That must make no difference.   test: valgrind */
#include "world.h"

#include <libotr/auth.h>
#include <libotr/dh.h>
#include <libotr/sm.h>

static OtrlUserState with_keys(void)
{
	OtrlUserState us;

	OTRL_INIT;
	us = otrl_userstate_create();
	otrl_privkey_read(us, keys_all());
	return us;
}

static int all_zero(const unsigned char *bytes, size_t len)
{
	while (len && !*bytes) {
		bytes++;
		len--;
	}
	return len == 0;
}

static void pairs_and_session_keys(void)
{
	DH_keypair one, two, copy, third;
	DH_sesskeys a, b, again;
	unsigned char id[2][20], other[20];
	size_t len[2], other_len;
	OtrlSessionIdHalf half[2], other_half;

	OTRL_INIT;
	otrl_dh_keypair_init(&third);
	otrl_dh_keypair_free(&third);
	ok(otrl_dh_gen_keypair(DH1536_GROUP_ID, &one) == 0 && one.priv && one.pub && one.groupid == 5,
			"a pair");
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &two);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &third);
	otrl_dh_keypair_copy(&copy, &one);
	ok(copy.groupid == 5 && copy.priv && copy.pub && copy.priv != one.priv && copy.pub != one.pub,
			"a copy of its own");
	otrl_dh_session_blank(&a);
	ok(!a.sendenc && !a.rcvenc && !a.sendmac && !a.rcvmac, "blank session keys");
	ok(otrl_dh_session(&a, &one, two.pub) == 0 && otrl_dh_session(&b, &two, one.pub) == 0
			&& otrl_dh_session(&again, &copy, two.pub) == 0, "session keys");
	ok(a.sendenc && a.rcvenc && a.sendmac && a.rcvmac, "with ciphers and digests");
	ok(!memcmp(a.sendmackey, b.rcvmackey, 20) && !memcmp(a.rcvmackey, b.sendmackey, 20)
			&& memcmp(a.sendmackey, a.rcvmackey, 20) && !all_zero(a.sendmackey, 20),
			"one's sending keys are the other's receiving keys");
	ok(!memcmp(a.extrakey, b.extrakey, OTRL_EXTRAKEY_BYTES)
			&& !all_zero(a.extrakey, OTRL_EXTRAKEY_BYTES), "the extra keys are equal");
	ok(!memcmp(a.extrakey, again.extrakey, OTRL_EXTRAKEY_BYTES)
			&& !memcmp(a.sendmackey, again.sendmackey, 20), "a copied pair makes the same keys");
	otrl_dh_session_free(&again);
	otrl_dh_session(&again, &third, two.pub);
	ok(memcmp(a.extrakey, again.extrakey, OTRL_EXTRAKEY_BYTES), "another pair makes others");
	ok(otrl_dh_compute_v1_session_id(&one, two.pub, id[0], &len[0], &half[0]) == 0
			&& otrl_dh_compute_v1_session_id(&two, one.pub, id[1], &len[1], &half[1]) == 0
			&& len[0] == 20 && len[1] == 20 && !memcmp(id[0], id[1], 20) && half[0] != half[1],
			"a session id");
	ok(otrl_dh_compute_v1_session_id(&third, two.pub, other, &other_len, &other_half) == 0
			&& memcmp(other, id[0], 20), "and another one");
	otrl_dh_session_free(&a);
	ok(!a.sendenc && !a.rcvenc && !a.sendmac && !a.rcvmac, "freed session keys are blank");
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&b);
	otrl_dh_session_free(&again);
	otrl_dh_keypair_free(&one);
	ok(!one.priv && !one.pub, "a freed pair is empty");
	otrl_dh_keypair_free(&one);
	otrl_dh_keypair_free(&two);
	otrl_dh_keypair_free(&third);
	otrl_dh_keypair_free(&copy);
}

static void keys(void)
{
	OtrlUserState us = with_keys(), again;
	OtrlPrivKey *alice = otrl_privkey_find(us, "alice", PROTOCOL);
	OtrlPrivKey *bob = otrl_privkey_find(us, "bob", PROTOCOL);
	unsigned char hash[32], *sig = NULL, before[20], after[20];
	size_t len = 0;

	memset(hash, 0x5a, sizeof hash);
	ok(alice->privkey && bob->privkey && alice->privkey != bob->privkey, "keys are objects");
	ok(otrl_privkey_sign(&sig, &len, alice, hash, 32) == 0 && len == 40, "alice signs");
	ok(otrl_privkey_verify(sig, len, OTRL_PUBKEY_TYPE_DSA, alice->privkey, hash, 32) == 0,
			"her key verifies it");
	ok(otrl_privkey_verify(sig, len, OTRL_PUBKEY_TYPE_DSA, bob->privkey, hash, 32) != 0,
			"bob's does not");
	hash[31] ^= 1;
	ok(otrl_privkey_verify(sig, len, OTRL_PUBKEY_TYPE_DSA, alice->privkey, hash, 32) != 0,
			"nor of another hash");
	free(sig);
	otrl_privkey_fingerprint_raw(us, before, "alice", PROTOCOL);
	otrl_privkey_forget(bob);
	ok(otrl_privkey_generate(us, scratch("written"), "dave", PROTOCOL) == 0, "keys are written");
	again = otrl_userstate_create();
	ok(otrl_privkey_read(again, scratch("written")) == 0
			&& otrl_privkey_fingerprint_raw(again, after, "alice", PROTOCOL)
			&& !memcmp(before, after, 20) && otrl_privkey_find(again, "dave", PROTOCOL)
			&& !otrl_privkey_find(again, "bob", PROTOCOL), "all but the forgotten one");
	otrl_userstate_free(again);
	otrl_userstate_free(us);
}

static void numbers_of_the_smp(void)
{
	OtrlSMState a, b;
	unsigned char *one = NULL, *two = NULL, *three = NULL, *four = NULL;
	int len;

	OTRL_INIT;
	otrl_sm_state_new(&a);
	otrl_sm_state_new(&b);
	ok(a.secret == NULL && a.x2 == NULL && a.g1 == NULL, "a new state has no numbers");
	otrl_sm_state_init(&b);
	ok(b.secret && !b.x2 && !b.x3 && b.g1 && b.g2 && b.g3 && b.g3o && b.p && b.q && b.pab && b.qab,
			"an initialised one has all but its exponents");
	otrl_sm_state_free(&b);
	ok(b.secret == NULL && b.qab == NULL, "a freed one has none");
	otrl_sm_state_new(&b);
	ok(otrl_sm_step1(&a, (const unsigned char *) "s", 1, &one, &len) == 0 && a.secret && a.x2 && a.x3,
			"step 1 fills the numbers");
	ok(otrl_sm_step2a(&b, one, len, 0) == 0 && b.g3o, "step 2 too");
	ok(otrl_sm_step2b(&b, (const unsigned char *) "s", 1, &two, &len) == 0 && b.secret, "both halves");
	ok(otrl_sm_step3(&a, two, len, &three, &len) == 0 && a.p && a.q && a.pab && a.qab, "step 3");
	ok(otrl_sm_step4(&b, three, len, &four, &len) == 0
			&& b.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "step 4");
	ok(otrl_sm_step5(&a, four, len) == 0 && a.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "step 5");
	otrl_sm_state_free(&a);
	otrl_sm_state_free(&a);
	otrl_sm_state_free(&b);
	free(one);
	free(two);
	free(three);
	free(four);
}

static void numbers_of_an_exchange(void)
{
	Pair pair = pair_new(POLICY_V2);
	ConnContext *a, *b;
	DH_keypair copy;
	DH_sesskeys keys;
	char *text;

	send_text(pair.alice, "bob", "?OTR?");
	deliver_one(pair.world);
	b = context_with(pair.bob, "alice");
	ok(b->auth.our_dh.groupid == 5 && b->auth.our_dh.priv && b->auth.our_dh.pub && b->auth.encgx,
			"whoever commits has a pair");
	otrl_dh_keypair_copy(&copy, &b->auth.our_dh);
	text = intercept(pair.world);
	receive(pair.alice, "bob", text);
	free(text);
	a = context_with(pair.alice, "bob");
	ok(a->auth.our_dh.priv && a->auth.our_dh.pub, "and so has the other");
	ok(otrl_dh_session(&keys, &copy, a->auth.our_dh.pub) == 0, "keys from members of a context");
	otrl_dh_session_free(&keys);
	otrl_dh_keypair_free(&copy);
	pump(pair.world);
	ok(is_private(pair.alice, "bob") && pair_talks(&pair), "the exchange is not disturbed");
	pair_free(&pair);
}

int main(void)
{
	run_case("pairs and session keys", pairs_and_session_keys);
	run_case("keys", keys);
	run_case("numbers of the SMP", numbers_of_the_smp);
	run_case("numbers of an exchange", numbers_of_an_exchange);
	return finish();
}
