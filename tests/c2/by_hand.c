/* The functions below the messages: an exchange of version 2, data messages,
 * fragments and the SMP by hand, contexts and their fingerprints. */
#include <libotr/mem.h>

#include "users.h"

static User alice, bob;
static int succeeded;

static gcry_error_t on_success(const OtrlAuthInfo *auth, void *data)
{
	(void) data;
	succeeded += auth->protocol_version == 2 && auth->secure_session_id_len == 8;
	return 0;
}

static void an_exchange(void)
{
	OtrlAuthInfo a, b;
	OtrlPrivKey *key_a, *key_b;
	int send;

	two_users(&alice, &bob);
	otrl_auth_new(&a);
	otrl_auth_new(&b);
	key_a = otrl_privkey_find(alice.us, "alice", PROTOCOL);
	key_b = otrl_privkey_find(bob.us, "bob", PROTOCOL);
	ok(otrl_auth_start_v2(&a) == 0 && !strncmp(a.lastauthmsg, "?OTR:AAIC", 9), "DH-commit");
	ok(a.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY && a.initiated && a.our_dh.pub, "and its state");
	ok(otrl_auth_handle_commit(&b, a.lastauthmsg) == 0 && !strncmp(b.lastauthmsg, "?OTR:AAIK", 9),
			"DH-key");
	ok(otrl_auth_handle_key(&a, b.lastauthmsg, &send, key_a) == 0 && send
			&& !strncmp(a.lastauthmsg, "?OTR:AAIR", 9), "reveal signature");
	ok(otrl_auth_handle_revealsig(&b, a.lastauthmsg, &send, key_b, on_success, NULL) == 0 && send
			&& !strncmp(b.lastauthmsg, "?OTR:AAIS", 9), "signature");
	ok(otrl_auth_handle_signature(&a, b.lastauthmsg, &send, on_success, NULL) == 0 && !send, "done");
	ok(succeeded == 2 && !memcmp(a.secure_session_id, b.secure_session_id, 8), "both know");
	ok(otrl_auth_handle_commit(&b, "?OTR:AAICAAAA.") != 0, "a damaged commit is refused");
	otrl_auth_clear(&a);
	otrl_auth_clear(&b);
	user_end(&alice);
	user_end(&bob);
}

static void data_messages(void)
{
	char *message, *text;
	OtrlTLV *tlvs = otrl_tlv_new(9, 3, (const unsigned char *) "abc"), *got;
	unsigned char flags = 9;

	two_users(&alice, &bob);
	ok(otrl_proto_create_data(&message, context_of(&alice), "x", NULL, 0) != 0 && !message,
			"no data message without a session");
	say(&alice, "?OTR?");
	carry_all();
	ok(otrl_proto_create_data(&message, context_of(&alice), "text", tlvs,
		OTRL_MSGFLAGS_IGNORE_UNREADABLE) == 0, "a data message");
	ok(otrl_proto_message_type(message) == OTRL_MSGTYPE_DATA, "of this kind");
	ok(otrl_proto_data_read_flags(message, &flags) == 0 && flags == 1, "with flags");
	ok(otrl_proto_accept_data(&text, &got, context_of(&bob), message, &flags) == 0, "is read");
	ok(!strcmp(text, "text") && flags == 1 && got && got->type == 9 && got->len == 3
			&& !memcmp(got->data, "abc", 3) && !got->next, "with all its parts");
	free(text);
	otrl_tlv_free(got);
	ok(otrl_proto_accept_data(&text, &got, context_of(&bob), message, NULL) != 0 && !text && !got,
			"once");
	free(message);
	otrl_tlv_free(tlvs);
	user_end(&alice);
	user_end(&bob);
}

static void kinds(void)
{
	static const struct {
		const char *text;
		OtrlMessageType kind;
	} table[] = { { "hello", OTRL_MSGTYPE_NOTOTR }, { "?OTR?", OTRL_MSGTYPE_QUERY },
		{ "?OTRv2?", OTRL_MSGTYPE_QUERY }, { "?OTR:AAIC", OTRL_MSGTYPE_DH_COMMIT },
		{ "?OTR:AAIK", OTRL_MSGTYPE_DH_KEY }, { "?OTR:AAIR", OTRL_MSGTYPE_REVEALSIG },
		{ "?OTR:AAIS", OTRL_MSGTYPE_SIGNATURE }, { "?OTR:AAEK", OTRL_MSGTYPE_V1_KEYEXCH },
		{ "?OTR:AAED", OTRL_MSGTYPE_DATA }, { "?OTR:AAID", OTRL_MSGTYPE_DATA },
		{ "?OTR Error: x", OTRL_MSGTYPE_ERROR }, { "?OTR:AAMD", OTRL_MSGTYPE_UNKNOWN },
		{ "?OTR:AAMC", OTRL_MSGTYPE_UNKNOWN }, { "?OTR|x", OTRL_MSGTYPE_UNKNOWN },
		{ "x" OTRL_MESSAGE_TAG_BASE, OTRL_MSGTYPE_TAGGEDPLAINTEXT } };
	const char *start, *end;
	size_t row;

	for (row = 0; row < sizeof table / sizeof table[0]; row++) {
		ok(otrl_proto_message_type(table[row].text) == table[row].kind, table[row].text);
	}
	ok(otrl_proto_query_bestversion("?OTR?v2?", OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2) == 2
			&& otrl_proto_query_bestversion("?OTR?v2?", OTRL_POLICY_ALLOW_V1) == 1
			&& otrl_proto_query_bestversion("?OTRv3?", OTRL_POLICY_MANUAL) == 0
			&& otrl_proto_query_bestversion("?OTRv23?", OTRL_POLICY_MANUAL) == 2, "queries");
	ok(otrl_proto_whitespace_bestversion("a" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1 "b", &start,
		&end, OTRL_POLICY_MANUAL) == 1 && *end == 'b' && end - start == 24, "tags");
	ok(otrl_proto_whitespace_bestversion("ab", &start, &end, OTRL_POLICY_MANUAL) == 0 && !start
			&& !end, "no tag");
}

static void fragments(void)
{
	char **pieces, *whole = NULL;
	OtrlFragmentResult result = OTRL_FRAGMENT_UNFRAGMENTED;
	int i;

	two_users(&alice, &bob);
	ok(otrl_proto_fragment_create(29, 3, &pieces, "?OTR:abcdefghijklmnopqrstuvwx.") == 0, "three");
	for (i = 0; i < 3; i++) {
		result = otrl_proto_fragment_accumulate(&whole, context_of(&bob), pieces[i]);
		ok(result == (i < 2 ? OTRL_FRAGMENT_INCOMPLETE : OTRL_FRAGMENT_COMPLETE), "one after another");
	}
	ok(whole && !strcmp(whole, "?OTR:abcdefghijklmnopqrstuvwx."), "make the whole");
	free(whole);
	otrl_proto_fragment_free(&pieces, 3);
	ok(otrl_proto_fragment_accumulate(&whole, context_of(&bob), "text")
			== OTRL_FRAGMENT_UNFRAGMENTED, "text is no fragment");
	user_end(&alice);
	user_end(&bob);
}

static void the_smp(void)
{
	OtrlSMState a, b;
	unsigned char *one, *two, *three, *four;
	int size;

	memset(&a, 0xa5, sizeof a);
	memset(&b, 0xa5, sizeof b);
	otrl_sm_state_new(&a);
	otrl_sm_state_new(&b);
	ok(otrl_sm_step1(&a, (const unsigned char *) "secret", 6, &one, &size) == 0, "step 1");
	ok(otrl_sm_step2a(&b, one, size, 0) == 0, "step 2a");
	ok(otrl_sm_step2b(&b, (const unsigned char *) "secret", 6, &two, &size) == 0, "step 2b");
	ok(otrl_sm_step3(&a, two, size, &three, &size) == 0, "step 3");
	ok(otrl_sm_step4(&b, three, size, &four, &size) == 0
			&& b.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "step 4");
	ok(otrl_sm_step5(&a, four, size) == 0 && a.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "step 5");
	ok(a.nextExpected == OTRL_SMP_EXPECT1 && b.nextExpected == OTRL_SMP_EXPECT1, "no step counts");
	free(one);
	free(two);
	free(three);
	free(four);
	otrl_sm_state_free(&a);
	otrl_sm_state_free(&b);
}

static int added_contexts, freed;

static void on_free(void *data)
{
	(void) data;
	freed++;
}

static void on_add(void *data, ConnContext *context)
{
	(void) data;
	added_contexts++;
	context->app_data = &added_contexts;
	context->app_data_free = on_free;
}

static void contexts(void)
{
	OtrlUserState us = otrl_userstate_create();
	ConnContext *c, *first, *made;
	ConnContext own;
	unsigned char print[20] = { 1 };
	int added;

	first = otrl_context_find(us, "b", "me", "p", 1, &added, on_add, NULL);
	ok(first && added == 1 && first->app_data == &added_contexts, "a context is made and shown");
	ok(otrl_context_find(us, "b", "me", "p", 1, &added, on_add, NULL) == first && !added, "once");
	ok(!otrl_context_find(us, "a", "me", "p", 0, &added, on_add, NULL), "not unless asked for");
	otrl_context_find(us, "c", "me", "p", 1, NULL, on_add, NULL);
	made = otrl_context_find(us, "a", "me", "p", 1, NULL, on_add, NULL);
	ok(us->context_root == made && made->next == first && added_contexts == 3, "in order");
	ok(*made->tous == made && *first->tous == first, "and linked both ways");
	for (c = us->context_root; c; c = c->next) {
		OtrlMessageAppOps ops;

		memset(&ops, 0, sizeof ops);
		otrl_message_disconnect(us, &ops, NULL, c->accountname, c->protocol, c->username);
	}
	otrl_context_set_trust(otrl_context_find_fingerprint(first, print, 1, &added), "verified");
	ok(added == 1 && first->fingerprint_root.next && first->fingerprint_root.next->context == first,
			"a fingerprint");
	free(first->fingerprint_root.next->trust);
	first->fingerprint_root.next->trust = strdup("ours");
	otrl_context_set_preshared_secret(first, print, 20);
	ok(first->preshared_secret_len == 20 && !memcmp(first->preshared_secret, print, 20), "a secret");
	first->msgstate = OTRL_MSGSTATE_ENCRYPTED;
	otrl_context_forget(first);
	ok(otrl_context_find(us, "b", "me", "p", 0, NULL, NULL, NULL) == first, "a session stays");
	otrl_context_force_finished(first);
	ok(first->msgstate == OTRL_MSGSTATE_FINISHED && !first->preshared_secret, "until it is over");
	otrl_context_force_plaintext(first);
	otrl_context_forget_fingerprint(first->fingerprint_root.next, 1);
	ok(made->next && !strcmp(made->next->username, "c") && freed == 1, "and goes with its last "
			"fingerprint");

	/* One that a client makes itself ends where the header says. */
	memset(&own, 0, sizeof own);
	own.smstate = malloc(sizeof *own.smstate);
	otrl_sm_state_new(own.smstate);
	otrl_auth_new(&own.auth);
	otrl_context_force_plaintext(&own);
	free(own.smstate);
	memcpy(&own, made, sizeof own);
	own.smstate = malloc(sizeof *own.smstate);
	otrl_sm_state_new(own.smstate);
	ok(otrl_proto_create_data((char **) &c, &own, "x", NULL, 0) != 0, "and has no session");
	free(own.smstate);
	otrl_userstate_free(us);
	ok(freed == 3, "all are freed with the user state");
}

int main(void)
{
	OTRL_INIT;
	otrl_mem_init();
	otrl_dh_init();
	otrl_sm_init();
	an_exchange();
	data_messages();
	kinds();
	fragments();
	the_smp();
	contexts();
	return finish();
}
