/* Out pointers are written on every path, optional ones may be NULL, and text
 * is plain malloc territory in both directions.   test: c99 */
#include "world.h"

#define GARBAGE ((void *) 16)

static char *message;
static OtrlTLV *tlvs;
static ConnContext *context;

static void soil(void)
{
	message = GARBAGE;
	tlvs = GARBAGE;
	context = GARBAGE;
}

static gcry_error_t sending(Party *p, const char *account, const char *protocol,
		const char *to, const char *text)
{
	soil();
	return otrl_message_sending(p->us, &p->ops, p, account, protocol, to,
			OTRL_INSTAG_BEST, text, NULL, &message, OTRL_FRAGMENT_SEND_SKIP,
			&context, NULL, NULL);
}

static int receiving(Party *p, const char *account, const char *protocol,
		const char *from, const char *text)
{
	soil();
	return otrl_message_receiving(p->us, &p->ops, p, account, protocol, from, text,
			&message, &tlvs, &context, NULL, NULL);
}

static void sending_writes(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	Party *p = pair.alice;
	gcry_error_t inv = gcry_error(GPG_ERR_INV_VALUE);

	ok(sending(p, NULL, PROTOCOL, "bob", "x") == inv && !message && !context,
			"no account");
	ok(sending(p, "alice", NULL, "bob", "x") == inv && !message && !context,
			"no protocol");
	ok(sending(p, "alice", PROTOCOL, NULL, "x") == inv && !message && !context,
			"no recipient");
	ok(sending(p, "alice", PROTOCOL, "bob", NULL) == inv && !message && !context,
			"no text");
	ok(sending(p, "alice", PROTOCOL, "bob", "x") == 0 && !message && context
			&& context != GARBAGE, "plaintext: no message, but the context");
	p->policy = OTRL_POLICY_NEVER;
	ok(sending(p, "alice", PROTOCOL, "bob", "x") == 0 && !message
			&& context != GARBAGE, "policy NEVER");
	p->policy = OTRL_POLICY_MANUAL;
	ok(sending(p, "alice", PROTOCOL, "bob", "?OTR?") == 0 && message
			&& message != GARBAGE && context, "a query");
	free(message);
	context = GARBAGE;
	ok(otrl_message_sending(p->us, &p->ops, p, "alice", PROTOCOL, "bob", 0, "x", NULL,
				NULL, OTRL_FRAGMENT_SEND_SKIP, &context, NULL, NULL) == inv,
			"messagep may not be NULL, and that is an error");
	ok(otrl_message_sending(p->us, &p->ops, p, "alice", PROTOCOL, "bob", 0, "x", NULL,
				&message, OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) == 0,
			"contextp may be NULL");
	pair_free(&pair);
}

static void receiving_writes(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	Party *p = pair.alice;
	static const char *const texts[] = {
		"hello", "", "hello" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2, "?OTR", "?OTR:",
		"?OTR:.", "?OTR?", "?OTRv9?", "?OTR Error: x", "?OTR,1,2,abc,", "?OTR,9,2,abc,",
		"?OTR|1|2,1,2,abc,", "?OTR|101|0,1,2,abc,", "?OTR|", "?OTR:AAMC", "?OTR:AAMD.",
		"?OTR:AAID.", "?OTR:AAMDAAAAAAAAAAA=.", "?OTR:AAMDAAABAQAAAgI=.", "?OTR:AAMR.",
		"?OTR:AAIC.", "?OTR:AAIK.", "?OTR:AAIR.", "?OTR:AAIS.", "?OTR:AAEK.", "?OTR:AAED.",
	};
	size_t i;
	int round, result;

	for (round = 0; round < 3; round++) {
		p->policy = round == 0 ? OTRL_POLICY_MANUAL : round == 1 ? OTRL_POLICY_NEVER
			: OTRL_POLICY_ALLOW_V1;
		for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
			result = receiving(p, "alice", PROTOCOL, "bob", texts[i]);
			ok((result == 0 || result == 1) && message != GARBAGE
					&& tlvs != GARBAGE && context != GARBAGE,
					"policy %x, '%s'", p->policy, texts[i]);
			ok(result == 0 || !message, "nothing to show when told to hide it");
			ok(round != 1 || (result == 0 && !message),
					"NEVER passes everything through");
			otrl_message_free(message);
			otrl_tlv_free(tlvs);
		}
	}
	soil();
	ok(otrl_message_receiving(p->us, &p->ops, p, "alice", PROTOCOL, "bob", "hi", &message,
				NULL, NULL, NULL, NULL) == 0 && !message,
			"tlvsp and contextp may be NULL");
	ok(otrl_message_receiving(p->us, &p->ops, p, "alice", PROTOCOL, "bob", "hi", NULL,
				NULL, NULL, NULL, NULL) == 0, "newmessagep NULL shows the original");
	BETTER(receiving(p, NULL, PROTOCOL, "bob", "x") == 0 && !message && !tlvs && !context,
			"no account: pointers written");
	BETTER(receiving(p, "alice", PROTOCOL, NULL, "x") == 0 && !message && !tlvs && !context,
			"no sender: pointers written");
	BETTER(receiving(p, "alice", PROTOCOL, "bob", NULL) == 0 && !message && !tlvs
			&& !context, "no text: pointers written");
	pair_free(&pair);
}

static void plain_and_tagged_have_a_context(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	Party *p = pair.alice;

	ok(receiving(p, "alice", PROTOCOL, "bob", "hello") == 0 && !message && context
			&& !strcmp(context->username, "bob"), "plaintext has its context");
	ok(receiving(p, "alice", PROTOCOL, "bob", "hi" OTRL_MESSAGE_TAG_BASE
				OTRL_MESSAGE_TAG_V3 "there") == 0 && message
			&& !strcmp(message, "hithere") && context,
			"a tagged text comes without its tag, and with its context");
	free(message);
	pair_free(&pair);
}

/* bsflite: no tlvsp at all, over a whole conversation. */
static void no_tlvsp(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	char *text, *shown = GARBAGE;
	OtrlTLV *tlv = otrl_tlv_new(77, 3, (const unsigned char *) "abc");

	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
				PROTOCOL, "bob", OTRL_INSTAG_BEST, "with a TLV", tlv, &message,
				OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) == 0 && message,
			"a text with a TLV is sent");
	otrl_tlv_free(tlv);
	ok(otrl_message_receiving(pair.bob->us, &pair.bob->ops, pair.bob, "bob", PROTOCOL,
				"alice", message, &shown, NULL, NULL, NULL, NULL) == 0
			&& shown && !strcmp(shown, "with a TLV"), "and received without tlvsp");
	free(shown);
	free(message);
	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob", OTRL_INSTAG_BEST);
	text = intercept(pair.world);
	ok(text != NULL, "disconnect sends");
	ok(otrl_message_receiving(pair.bob->us, &pair.bob->ops, pair.bob, "bob", PROTOCOL,
				"alice", text ? text : "", &shown, NULL, NULL, NULL, NULL) == 1
			&& !shown, "the closing message is hidden");
	ok(context_with(pair.bob, "alice")->msgstate == OTRL_MSGSTATE_FINISHED,
			"and takes effect");
	free(text);
	pair_free(&pair);
}

static void disconnected_tlv_is_returned(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);

	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob", OTRL_INSTAG_BEST);
	pump(pair.world);
	ok(pair.bob->last_result == 1, "the closing message is internal");
	ok(pair.bob->last_tlvs.count == 1 && !strcmp(pair.bob->last_tlvs.at[0], "1 0"),
			"its TLV of type 1 is in the chain");
	ok(pair.bob->last_context && pair.bob->last_context->msgstate
			== OTRL_MSGSTATE_FINISHED, "and the context is finished already");
	pair_free(&pair);
}

static void free_is_free(void)
{
	char *ours = otrl_proto_default_query_msg("x", OTRL_POLICY_MANUAL);
	Pair pair = pair_private(OTRL_POLICY_MANUAL);

	otrl_message_free(NULL);
	otrl_message_free(malloc(100));
	otrl_message_free(strdup("from the client"));
	otrl_message_free((char *) calloc(1, 1));
	free(ours);
	ok(sending(pair.alice, "alice", PROTOCOL, "bob", "x") == 0 && message, "encrypted");
	message = realloc(message, strlen(message) + 100);
	ok(message && !strncmp(message, "?OTR:", 5), "what we get may even be realloc'ed");
	ok(receiving(pair.bob, "bob", PROTOCOL, "alice", message) == 0, "received");
	free(message);
	pair_free(&pair);
}

static void tlv_chain_of_the_client(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	OtrlTLV *head = otrl_tlv_new(100, 2, (const unsigned char *) "ab");
	char *sent = NULL;

	head->next = otrl_tlv_new(101, 0, NULL);
	head->next->next = otrl_tlv_new(OTRL_TLV_PADDING, 5, (const unsigned char *) "\0\0\0\0\0");
	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
				PROTOCOL, "bob", OTRL_INSTAG_BEST, "chain", head, &sent,
				OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) == 0 && sent, "sent");
	ok(head->type == 100 && head->len == 2 && head->next->type == 101,
			"the client's chain is as it was");
	otrl_tlv_free(head);
	receive(pair.bob, "alice", sent);
	ok(pair.bob->last_tlvs.count == 3 && !strcmp(pair.bob->last_tlvs.at[0], "100 2")
			&& !strcmp(pair.bob->last_tlvs.at[1], "101 0")
			&& !strcmp(pair.bob->last_tlvs.at[2], "0 5"), "all three arrive in order");
	ok(!strcmp(last_shown(pair.bob), "chain"), "with the text");
	free(sent);
	pair_free(&pair);
}

static void nulls_elsewhere(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	OtrlUserState us = pair.alice->us;

	ok(otrl_context_find(us, NULL, "alice", PROTOCOL, 0, 1, NULL, NULL, NULL) == NULL
			&& otrl_context_find(us, "bob", NULL, PROTOCOL, 0, 1, NULL, NULL, NULL) == NULL
			&& otrl_context_find(us, "bob", "alice", NULL, 0, 1, NULL, NULL, NULL) == NULL,
			"context_find without a name");
	ok(otrl_privkey_find(us, NULL, PROTOCOL) == NULL
			&& otrl_privkey_find(us, "alice", NULL) == NULL, "privkey_find");
	ok(otrl_instag_find(us, "nobody", PROTOCOL) == NULL, "instag_find");
	ok(otrl_context_find_fingerprint(NULL, (unsigned char *) message, 0, NULL) == NULL,
			"find_fingerprint of no context");
	ok(!otrl_context_is_fingerprint_trusted(NULL), "no fingerprint is not trusted");
	otrl_context_set_trust(NULL, "x");
	ok(otrl_context_find_recent_instance(NULL, OTRL_INSTAG_RECENT) == NULL
			&& otrl_context_find_recent_secure_instance(NULL) == NULL, "no instance");
	otrl_message_initiate_smp(us, &pair.alice->ops, pair.alice, NULL,
			(const unsigned char *) "x", 1);
	otrl_message_respond_smp(us, &pair.alice->ops, pair.alice, NULL,
			(const unsigned char *) "x", 1);
	otrl_message_disconnect(us, &pair.alice->ops, pair.alice, "alice", PROTOCOL,
			"nobody", OTRL_INSTAG_BEST);
	otrl_message_disconnect_all_instances(us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, NULL);
	otrl_message_poll(NULL, NULL, NULL);
	otrl_message_poll(us, NULL, NULL);
	ok(gcry_err_code(otrl_message_symkey(us, &pair.alice->ops, pair.alice, NULL, 1, NULL,
					0, pair.alice->symkey)) == GPG_ERR_INV_VALUE, "symkey");
	pair_free(&pair);
}

static void nulls_that_crash_the_old_one(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);

	ok(otrl_context_find(NULL, "bob", "alice", PROTOCOL, 0, 0, NULL, NULL, NULL) == NULL,
			"context_find without a user state");
	ok(otrl_context_find(NULL, "bob", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL) == NULL,
			"nor does it add one");
	otrl_privkey_forget(NULL);
	ok(1, "privkey_forget(NULL)");
	otrl_userstate_free(NULL);
	ok(1, "userstate_free(NULL)");
	otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice, NULL);
	ok(1, "abort_smp without a context");
	pair_free(&pair);
}

int main(void)
{
	run_case("sending writes its pointers", sending_writes);
	run_case("receiving writes its pointers", receiving_writes);
	run_case("context of plain texts", plain_and_tagged_have_a_context);
	run_case("no tlvsp", no_tlvsp);
	run_case("the disconnected TLV", disconnected_tlv_is_returned);
	run_case("free is free", free_is_free);
	run_case("a client's TLV chain", tlv_chain_of_the_client);
	run_case("NULL elsewhere", nulls_elsewhere);
	run_better("NULL where the C libotr crashes", nulls_that_crash_the_old_one);
	return finish();
}
