/* The low-level functions as a program may call them itself: an AKE by
 * otrl_auth_*, data messages by otrl_proto_*, SMP by otrl_sm_step*.   test: both */
#include "world.h"

#if OTRL_VERSION_MAJOR == 3
/* libotr 3.2 has neither version 3 nor an extra key, and knows the version of an exchange when it is done. */
#define STARTED_AS(version) 0u
#define otrl_auth_start_v23(auth, version) otrl_auth_start_v2(auth)
#define otrl_auth_handle_commit(auth, message, version) otrl_auth_handle_commit(auth, message)
#define otrl_proto_create_data(messagep, context, text, tlvs, flags, key) \
	otrl_proto_create_data(messagep, context, text, tlvs, flags)
#define otrl_proto_accept_data(textp, tlvsp, context, message, flagsp, key) \
	otrl_proto_accept_data(textp, tlvsp, context, message, flagsp)
#else
#define STARTED_AS(version) ((unsigned) (version))
#endif

typedef struct {
	World *world;
	ConnContext *alice, *bob;
	OtrlPrivKey *alice_key, *bob_key;
} Two;

static Two two_new(int version)
{
	Two two;
	Party *a, *b;

	two.world = world_new();
	a = party_new(two.world, "alice", keys_all());
	b = party_new(two.world, "bob", keys_all());
	two.alice = made_context(a, "bob");
	two.bob = made_context(b, "alice");
#if OTRL_VERSION_MAJOR == 3
	(void) version;
#else
	if (version == 3) {
		two.alice->our_instance = two.bob->their_instance = 0x1111;
		two.bob->our_instance = two.alice->their_instance = 0x2222;
	}
#endif
	two.alice_key = otrl_privkey_find(a->us, "alice", PROTOCOL);
	two.bob_key = otrl_privkey_find(b->us, "bob", PROTOCOL);
	return two;
}

static int succeeded;
static unsigned char seen_session[20], seen_print[20];

static gcry_error_t success(const OtrlAuthInfo *auth, void *data)
{
	(void) data;
	succeeded++;
	memcpy(seen_session, auth->secure_session_id, 20);
	memcpy(seen_print, auth->their_fingerprint, 20);
	return 0;
}

static gcry_error_t refuse(const OtrlAuthInfo *auth, void *data)
{
	(void) auth;
	(void) data;
	return gcry_error(GPG_ERR_INV_VALUE);
}

static char *last(ConnContext *c)
{
	return strdup(c->auth.lastauthmsg ? c->auth.lastauthmsg : "");
}

static void ake(int version)
{
	Two two = two_new(version);
	OtrlAuthInfo *a = &two.alice->auth, *b = &two.bob->auth;
	char *commit, *key, *reveal, *signature;
	unsigned char session[20], hash[20];
	int have = 7;
	Party *alice = two.world->parties[0], *bob = two.world->parties[1];

	succeeded = 0;
	ok(otrl_auth_start_v23(a, version) == 0 && a->authstate == OTRL_AUTHSTATE_AWAITING_DHKEY
			&& a->initiated == 1 && a->protocol_version == STARTED_AS(version)
			&& a->our_keyid == 1 && a->our_dh.groupid == 5 && a->encgx
			&& a->encgx_len > 4 + 180, "start");
	commit = last(two.alice);
	ok(otrl_proto_message_type(commit) == OTRL_MSGTYPE_DH_COMMIT
			&& !strncmp(commit, version == 3 ? "?OTR:AAMC" : "?OTR:AAIC", 9), "a DH-commit");
	ok(otrl_auth_handle_commit(b, commit, version) == 0
			&& b->authstate == OTRL_AUTHSTATE_AWAITING_REVEALSIG && b->encgx
			&& b->initiated == 0 && !memcmp(a->hashgx, b->hashgx, 32), "handled");
	key = last(two.bob);
	ok(otrl_proto_message_type(key) == OTRL_MSGTYPE_DH_KEY, "a DH-key");
	ok(otrl_auth_handle_commit(b, version == 3 ? "?OTR:AAMCAAAA." : "?OTR:AAICAAAA.", version) != 0,
			"a damaged one is refused");
	ok(otrl_auth_handle_commit(b, commit, version) == 0, "the same commit again");
	ok(!strcmp(b->lastauthmsg, key), "gets the same DH-key");

	ok(otrl_auth_handle_key(a, key, &have, two.alice_key) == 0 && have == 1
			&& a->authstate == OTRL_AUTHSTATE_AWAITING_SIG, "DH-key handled");
	reveal = last(two.alice);
	ok(otrl_proto_message_type(reveal) == OTRL_MSGTYPE_REVEALSIG, "a reveal signature");
	ok(otrl_auth_handle_key(a, key, &have, two.alice_key) == 0 && have == 1
			&& !strcmp(a->lastauthmsg, reveal), "the same DH-key again: the same answer");
	have = 7;
	ok(otrl_auth_handle_key(b, key, &have, two.bob_key) == 0 && have == 0,
			"a DH-key at the wrong time is ignored");
	have = 7;
	ok(otrl_auth_handle_signature(b, reveal, &have, success, NULL) == 0
			|| succeeded == 0, "a reveal signature is no signature");

	have = 7;
	ok(otrl_auth_handle_revealsig(b, reveal, &have, two.bob_key, success, NULL) == 0
			&& have == 1 && succeeded == 1, "reveal signature handled");
	memcpy(session, seen_session, 20);
	otrl_privkey_fingerprint_raw(alice->us, hash, "alice", PROTOCOL);
	ok(!memcmp(hash, seen_print, 20), "alice is recognised");
	signature = last(two.bob);
	ok(otrl_proto_message_type(signature) == OTRL_MSGTYPE_SIGNATURE, "a signature");
	ok(b->authstate == OTRL_AUTHSTATE_NONE, "bob is done");
	have = 7;
	ok(otrl_auth_handle_revealsig(b, reveal, &have, two.bob_key, success, NULL) == 0
			&& have == 0 && succeeded == 1, "the same again is ignored");

	have = 7;
	ok(otrl_auth_handle_signature(a, signature, &have, success, NULL) == 0
			&& succeeded == 2, "signature handled");
	otrl_privkey_fingerprint_raw(bob->us, hash, "bob", PROTOCOL);
	ok(!memcmp(hash, seen_print, 20) && !memcmp(session, seen_session, 20),
			"bob is recognised, the session is the same");
	ok(a->authstate == OTRL_AUTHSTATE_NONE && a->secure_session_id_len == 8
			&& b->secure_session_id_len == 8 && a->session_id_half != b->session_id_half,
			"both are done");
	otrl_auth_clear(a);
	otrl_auth_clear(a);
	ok(a->lastauthmsg == NULL && a->encgx == NULL && a->authstate == OTRL_AUTHSTATE_NONE,
			"cleared, twice");
	free(commit);
	free(key);
	free(reveal);
	free(signature);
	world_free(two.world);
}

static void ake_v2(void)
{
	ake(2);
}

#if OTRL_VERSION_MAJOR != 3
static void ake_v3(void)
{
	ake(3);
}
#endif

static void refused_success(void)
{
	Two two = two_new(2);
	char *text;
	int have;

	otrl_auth_start_v23(&two.alice->auth, 2);
	text = last(two.alice);
	otrl_auth_handle_commit(&two.bob->auth, text, 2);
	free(text);
	text = last(two.bob);
	otrl_auth_handle_key(&two.alice->auth, text, &have, two.alice_key);
	free(text);
	text = last(two.alice);
	ok(otrl_auth_handle_revealsig(&two.bob->auth, text, &have, two.bob_key, refuse, NULL) != 0,
			"what auth_succeeded says is passed on");
	free(text);
	world_free(two.world);
}

static void junk_for_each(void)
{
	static const char *const junk[] = { "", "?OTR:", "?OTR:.", "?OTR:AAIC.", "?OTR:AAIK.",
		"?OTR:AAIR.", "?OTR:AAIS.", "?OTR:AAMC.", "?OTR:AAMKAAAAAAAA.", "?OTR:AAEK.",
		"?OTR:AAICAAAAAAAAAAA=.", "?OTR:AAIKAAAAAQI=.", "?OTR:AAIC/////w==.",
		"?OTR:AAIKAAAAAAAA.", "?OTR:AAIK/////w==.", "?OTR:AAIR/////w==." };
	Two two = two_new(2);
	size_t i;
	int have;

	for (i = 0; i < sizeof junk / sizeof junk[0]; i++) {
		succeeded = 0;
		otrl_auth_clear(&two.bob->auth);
		otrl_auth_handle_commit(&two.bob->auth, junk[i], 2);
		otrl_auth_start_v23(&two.bob->auth, 2);
		otrl_auth_handle_key(&two.bob->auth, junk[i], &have, two.bob_key);
		otrl_auth_handle_revealsig(&two.bob->auth, junk[i], &have, two.bob_key, success, NULL);
		otrl_auth_handle_signature(&two.bob->auth, junk[i], &have, success, NULL);
		otrl_auth_handle_v1_key_exchange(&two.bob->auth, junk[i], &have, two.bob_key, NULL, 0,
				success, NULL);
		ok(succeeded == 0, "'%s' is nobody's authentication", junk[i]);
	}
	/* g^y of 0, 1 and p-1. */
	otrl_auth_clear(&two.bob->auth);
	otrl_auth_start_v23(&two.bob->auth, 2);
	ok(gcry_err_code(otrl_auth_handle_key(&two.bob->auth, "?OTR:AAIKAAAAAQE=.", &have,
					two.bob_key)) == GPG_ERR_INV_VALUE, "g^y = 1 is refused");
	world_free(two.world);
}

static void version_1(void)
{
	Two two = two_new(2);
	char *first, *second;
	int have = 7;

	succeeded = 0;
	ok(otrl_auth_start_v1(&two.alice->auth, NULL, 0, two.alice_key) == 0
			&& two.alice->auth.authstate == OTRL_AUTHSTATE_V1_SETUP, "start");
	first = last(two.alice);
	ok(otrl_proto_message_type(first) == OTRL_MSGTYPE_V1_KEYEXCH, "a key exchange message");
	ok(otrl_auth_handle_v1_key_exchange(&two.bob->auth, first, &have, two.bob_key, NULL, 0,
				success, NULL) == 0 && have == 1 && succeeded == 1, "handled");
	second = last(two.bob);
	ok(otrl_auth_handle_v1_key_exchange(&two.alice->auth, second, &have, two.alice_key, NULL,
				0, success, NULL) == 0 && succeeded == 2, "and its answer");
	free(first);
	free(second);
	world_free(two.world);
}

/* ---- data messages ------------------------------------------------------------ */

static void data_messages(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	ConnContext *a = context_with(pair.alice, "bob"), *b = context_with(pair.bob, "alice");
	OtrlTLV *tlv = otrl_tlv_new(55, 3, (const unsigned char *) "xyz"), *got = (OtrlTLV *) 16;
	unsigned char key[32] = { 0 }, other[32] = { 0 }, flags = 0;
	char *message = NULL, *plain = (char *) 16;

	ok(otrl_proto_create_data(&message, a, "hello", tlv, OTRL_MSGFLAGS_IGNORE_UNREADABLE, key)
			== 0 && message, "created");
	ok(otrl_proto_data_read_flags(message, &flags) == 0 && flags == 1, "its flags");
	ok(otrl_proto_accept_data(&plain, &got, b, message, &flags, other) == 0 && plain
			&& !strcmp(plain, "hello") && got && got->type == 55 && got->len == 3
			&& flags == 1 && !memcmp(key, other, 32), "accepted");
	free(plain);
	otrl_tlv_free(got);
	plain = (char *) 16;
	got = (OtrlTLV *) 16;
	ok(gcry_err_code(otrl_proto_accept_data(&plain, &got, b, message, &flags, NULL))
			== GPG_ERR_CONFLICT && !plain && !got, "not twice");
	ok(gcry_err_code(otrl_proto_accept_data(&plain, &got, b, "?OTR:AAMDAAAA.", NULL, NULL))
			== GPG_ERR_INV_VALUE && !plain && !got, "nor cut short");
	ok(otrl_proto_data_read_flags("?OTR:AAMD.", &flags) != 0 && flags == 0, "no flags");
	free(message);
	otrl_tlv_free(tlv);
	ok(otrl_proto_create_data(&message, b, "", NULL, 0, NULL) == 0, "from the other side");
	ok(otrl_proto_accept_data(&plain, &got, a, message, NULL, NULL) == 0 && !*plain && !got,
			"accepted");
	free(plain);
	free(message);
	message = (char *) 16;
	otrl_context_force_finished(a);
	ok(gcry_err_code(otrl_proto_create_data(&message, a, "x", NULL, 0, NULL))
			== GPG_ERR_CONFLICT && !message, "nothing is created without a session");
	pair_free(&pair);
}

/* ---- SMP ------------------------------------------------------------------------- */

typedef struct {
	unsigned char *msg[4];
	int len[4];
	gcry_error_t err[4];
	OtrlSMState a, b;
} Steps;

static void steps(Steps *s, const char *x, const char *y, int corrupt, int at)
{
	memset(s, 0, sizeof *s);
	memset(&s->a, 0xa5, sizeof s->a);
	memset(&s->b, 0xa5, sizeof s->b);
	otrl_sm_state_new(&s->a);
	otrl_sm_state_new(&s->b);
	otrl_sm_step1(&s->a, (const unsigned char *) x, (int) strlen(x), &s->msg[0], &s->len[0]);
	if (corrupt == 1) {
		s->msg[0][at % s->len[0]] ^= 1;
	}
	s->err[0] = otrl_sm_step2a(&s->b, s->msg[0], s->len[0], 0);
	if (s->err[0]) {
		return;
	}
	otrl_sm_step2b(&s->b, (const unsigned char *) y, (int) strlen(y), &s->msg[1], &s->len[1]);
	if (corrupt == 2) {
		s->msg[1][at % s->len[1]] ^= 1;
	}
	s->err[1] = otrl_sm_step3(&s->a, s->msg[1], s->len[1], &s->msg[2], &s->len[2]);
	if (s->err[1]) {
		return;
	}
	if (corrupt == 3) {
		s->msg[2][at % s->len[2]] ^= 1;
	}
	s->err[2] = otrl_sm_step4(&s->b, s->msg[2], s->len[2], &s->msg[3], &s->len[3]);
	if (s->err[2] && s->b.sm_prog_state == OTRL_SMP_PROG_CHEATED) {
		return;
	}
	if (corrupt == 4) {
		s->msg[3][at % s->len[3]] ^= 1;
	}
	s->err[3] = otrl_sm_step5(&s->a, s->msg[3], s->len[3]);
}

static void steps_free(Steps *s)
{
	int i;

	for (i = 0; i < 4; i++) {
		free(s->msg[i]);
	}
	otrl_sm_state_free(&s->a);
	otrl_sm_state_free(&s->b);
}

static void sm_steps(void)
{
	Steps s;
	int corrupt, at, caught, tried;

	OTRL_INIT;
	steps(&s, "the same secret", "the same secret", 0, 0);
	ok(!s.err[0] && !s.err[1] && !s.err[2] && !s.err[3]
			&& s.a.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED
			&& s.b.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "equal secrets");
	ok(s.a.nextExpected == OTRL_SMP_EXPECT1 && s.b.nextExpected == OTRL_SMP_EXPECT1, "no step counts");
	steps_free(&s);
	steps(&s, "one", "other", 0, 0);
	ok(!s.err[0] && !s.err[1] && s.err[2] && s.err[3]
			&& gcry_err_code(s.err[2]) == GPG_ERR_INV_VALUE
			&& s.a.sm_prog_state == OTRL_SMP_PROG_FAILED
			&& s.b.sm_prog_state == OTRL_SMP_PROG_FAILED, "unequal secrets");
	steps_free(&s);
	for (corrupt = 1; corrupt <= 4; corrupt++) {
		caught = tried = 0;
		for (at = 8; at < 1500; at += 311) {
			steps(&s, "the same secret", "the same secret", corrupt, at);
			tried++;
			caught += s.a.sm_prog_state != OTRL_SMP_PROG_SUCCEEDED
				|| s.b.sm_prog_state != OTRL_SMP_PROG_SUCCEEDED;
			steps_free(&s);
		}
		ok(tried == caught, "a changed message %d never succeeds on both", corrupt);
	}
}

static void sm_junk(void)
{
	static const unsigned char none[] = "\0\0\0\0", huge[] = "\xff\xff\xff\xff\0\0\0\1\5",
		six[] = "\0\0\0\6\0\0\0\1\2\0\0\0\1\2\0\0\0\1\2\0\0\0\1\2\0\0\0\1\2\0\0\0\1\2",
		lie[] = "\0\0\0\6\x7f\xff\xff\xff\2";
	OtrlSMState s;
	unsigned char *out = NULL;
	int len = 0;

	OTRL_INIT;
	otrl_sm_state_new(&s);
	ok(otrl_sm_step2a(&s, none, 4, 0) != 0, "no numbers");
	ok(otrl_sm_step2a(&s, none, 0, 0) != 0, "nothing");
	ok(otrl_sm_step2a(&s, huge, 9, 0) != 0, "four thousand million numbers");
	ok(otrl_sm_step2a(&s, lie, 9, 0) != 0, "a number longer than the message");
	ok(otrl_sm_step2a(&s, six, sizeof six - 1, 0) != 0
			&& s.sm_prog_state == OTRL_SMP_PROG_CHEATED, "six numbers that prove nothing");
	otrl_sm_state_free(&s);
	otrl_sm_state_new(&s);
	otrl_sm_step1(&s, (const unsigned char *) "", 0, &out, &len);
	ok(out && len > 700, "an empty secret");
	free(out);
	otrl_sm_state_free(&s);
	otrl_sm_state_free(&s);
	otrl_sm_state_init(&s);
	ok(s.secret != NULL || s.g1 != NULL, "state_init gives numbers");
	otrl_sm_state_free(&s);
}

int main(void)
{
	run_case("an AKE, version 2", ake_v2);
#if OTRL_VERSION_MAJOR != 3
	run_case("an AKE, version 3", ake_v3);
#endif
	run_case("auth_succeeded refuses", refused_success);
	run_case("junk", junk_for_each);
	run_case("version 1", version_1);
	run_case("data messages", data_messages);
	run_case("SMP in steps", sm_steps);
	run_case("SMP junk", sm_junk);
	return finish();
}
