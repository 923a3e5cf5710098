/* Version 1: its key exchange through messages and by hand, in both roles, and
 * the choice between the versions. */
#include "world.h"

static Pair pair;

static unsigned version_of(void)
{
	ConnContext *a = context_with(pair.alice, "bob"), *b = context_with(pair.bob, "alice");

	if (!is_private(pair.alice, "bob") || !is_private(pair.bob, "alice")
			|| a->protocol_version != b->protocol_version) {
		return 0;
	}
	return a->protocol_version;
}

static void through_messages(void)
{
	int bob_starts;

	for (bob_starts = 0; bob_starts < 2; bob_starts++) {
		ConnContext *a, *b;

		pair = pair_new(OTRL_POLICY_MANUAL);
		pair.alice->policy = pair.bob->policy = OTRL_POLICY_ALLOW_V1;
		send_text(bob_starts ? pair.bob : pair.alice, bob_starts ? "alice" : "bob", "?OTR?");
		ok(!strncmp(next_text(pair.world), "?OTR?\n", 6), "a query for version 1");
		ok(deliver_one(pair.world) && !strncmp(next_text(pair.world), "?OTR:AAEK", 9), "is answered by a key "
				"exchange message");
		pump(pair.world);
		a = context_with(pair.alice, "bob");
		b = context_with(pair.bob, "alice");
		ok(version_of() == 1, "a session of version 1");
		ok(a->sessionid_len == 20 && b->sessionid_len == 20 && !memcmp(a->sessionid, b->sessionid,
			20), "one session id of 20 bytes");
		ok(a->sessionid_half != b->sessionid_half, "each reads out another half");
		ok(pair_talks(&pair), "they talk");
		send_text(pair.alice, "bob", "in version 1");
		ok(!strncmp(next_text(pair.world), "?OTR:AAED", 9), "in data messages of version 1");
		pump(pair.world);
		forget_log(pair.alice);
		send_text(pair.bob, "alice", "?OTR?");
		pump(pair.world);
		ok(version_of() == 1 && logged(pair.alice, "still_secure") && pair_talks(&pair),
				"a second exchange");
		otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob");
		pump(pair.world);
		ok(context_with(pair.bob, "alice")->msgstate == OTRL_MSGSTATE_FINISHED, "it ends");
		pair_free(&pair);
	}
}

static void choosing(void)
{
	static const unsigned table[][3] = { { 1, 1, 1 }, { 1, 2, 0 }, { 1, 3, 1 }, { 2, 1, 0 },
		{ 2, 2, 2 }, { 2, 3, 2 }, { 3, 1, 1 }, { 3, 2, 2 }, { 3, 3, 2 } };
	size_t row;

	for (row = 0; row < sizeof table / sizeof table[0]; row++) {
		pair = pair_new(OTRL_POLICY_MANUAL);
		pair.alice->policy = table[row][0];
		pair.bob->policy = table[row][1];
		send_text(pair.alice, "bob", "?OTR?");
		pump(pair.world);
		ok(version_of() == table[row][2], "by query: the best version of both");
		pair_free(&pair);

		pair = pair_new(OTRL_POLICY_MANUAL);
		pair.alice->policy = table[row][0] | OTRL_POLICY_SEND_WHITESPACE_TAG;
		pair.bob->policy = table[row][1] | OTRL_POLICY_WHITESPACE_START_AKE;
		send_text(pair.alice, "bob", "hello");
		pump(pair.world);
		ok(version_of() == table[row][2], "by whitespace: the best version of both");
		pair_free(&pair);
	}
}

/* ---- by hand ---------------------------------------------------------------- */

static unsigned char established[2][20];
static OtrlSessionIdHalf halves[2];
static int count_of[2];

static gcry_error_t on_success(const OtrlAuthInfo *auth, void *data)
{
	int who = *(int *) data;

	memcpy(established[who], auth->secure_session_id, 20);
	halves[who] = auth->session_id_half;
	count_of[who]++;
	ok(auth->protocol_version == 1 && auth->secure_session_id_len == 20, "what the callback sees");
	return 0;
}

static void by_hand(int with_keys)
{
	OtrlAuthInfo a, b;
	DH_keypair ours, theirs;
	OtrlPrivKey *key_a, *key_b;
	int one = 0, two = 1, send;

	pair = pair_new(OTRL_POLICY_MANUAL);
	memset(&a, 0xa5, sizeof a);
	memset(&b, 0xa5, sizeof b);
	otrl_auth_new(&a);
	otrl_auth_new(&b);
	ok(a.authstate == OTRL_AUTHSTATE_NONE && !a.lastauthmsg, "an empty exchange");
	key_a = otrl_privkey_find(pair.alice->us, "alice", PROTOCOL);
	key_b = otrl_privkey_find(pair.bob->us, "bob", PROTOCOL);
	otrl_dh_keypair_init(&ours);
	otrl_dh_keypair_init(&theirs);
	ok(otrl_dh_gen_keypair(DH1536_GROUP_ID, &ours) == 0
			&& otrl_dh_gen_keypair(DH1536_GROUP_ID, &theirs) == 0, "keys");
	count_of[0] = count_of[1] = 0;

	ok(otrl_auth_start_v1(&a, with_keys ? &ours : NULL, with_keys ? 5 : 0, key_a) == 0, "start");
	ok(a.authstate == OTRL_AUTHSTATE_V1_SETUP && !strncmp(a.lastauthmsg, "?OTR:AAEK", 9), "a message");
	ok(otrl_auth_handle_v1_key_exchange(&b, a.lastauthmsg, &send, key_b,
		with_keys ? &theirs : NULL, with_keys ? 7 : 0, on_success, &two) == 0 && send == 1,
			"is answered");
	ok(count_of[1] == 1, "by who knows the other now");
	ok(otrl_auth_handle_v1_key_exchange(&a, b.lastauthmsg, &send, key_a, NULL, 0, on_success,
		&one) == 0 && send == 0, "the answer is not");
	ok(count_of[0] == 1 && !memcmp(established[0], established[1], 20) && halves[0] != halves[1],
			"and both know the same");
	ok(!memcmp(a.their_fingerprint, b.their_fingerprint, 20) == 0, "of each other");
	if (with_keys) {
		unsigned char id[20];
		size_t length;
		OtrlSessionIdHalf half;

		ok(a.their_keyid == 7 && b.their_keyid == 5, "with the numbers of the given keys");
		ok(otrl_dh_compute_v1_session_id(&ours, theirs.pub, id, &length, &half) == 0
				&& length == 20 && !memcmp(id, established[0], 20) && half == halves[0],
				"and the session id of the given keys");
	}
	ok(otrl_auth_handle_v1_key_exchange(&a, "?OTR:AAEKAA==.", &send, key_a, NULL, 0, on_success,
		&one) != 0 && send == 0 && count_of[0] == 1, "a damaged message is refused");
	otrl_auth_clear(&a);
	otrl_auth_clear(&b);
	otrl_dh_keypair_free(&ours);
	otrl_dh_keypair_free(&theirs);
	pair_free(&pair);
}

int main(void)
{
	OTRL_INIT;
	through_messages();
	choosing();
	by_hand(0);
	by_hand(1);
	return finish();
}
