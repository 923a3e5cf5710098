/* Conversations, and what the users are told. */
#include "world.h"

static Pair pair;

/* Whether the last message had a record of this type. */
static bool had(const Party *self, unsigned type)
{
	char start[8];
	size_t i;

	snprintf(start, sizeof start, "%u ", type);
	for (i = 0; i < self->last_tlvs.count; i++) {
		if (!strncmp(self->last_tlvs.at[i], start, strlen(start))) {
			return true;
		}
	}
	return false;
}

static void drop_all(void)
{
	char *text;

	while ((text = intercept(pair.world)) != NULL) {
		free(text);
	}
}

static void a_session(void)
{
	ConnContext *a, *b;

	pair = pair_new(OTRL_POLICY_MANUAL);
	ok(send_text(pair.alice, "bob", "?OTR?") == 0, "a query is sent");
	ok(!strcmp(next_text(pair.world),
		"?OTR?v2?\n<b>alice</b> has requested an <a href=\"http://otr.cypherpunks.ca/\">"
		"Off-the-Record private conversation</a>.  However, you do not have a plugin to support "
		"that.\nSee <a href=\"http://otr.cypherpunks.ca/\">http://otr.cypherpunks.ca/</a> for "
		"more information."), "in the words that peers know");
	pump(pair.world);
	a = context_with(pair.alice, "bob");
	b = context_with(pair.bob, "alice");
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "both are private");
	ok(logged(pair.alice, "gone_secure state 1 version 2") && logged(pair.bob, "gone_secure state 1 version 2"),
			"in version 2");
	ok(logged(pair.alice, "new_fingerprint alice bob ") && logged(pair.alice, "write_fingerprints"),
			"the fingerprint is new");
	ok(logged_at(pair.alice, "write_fingerprints") < logged_at(pair.alice, "gone_secure"),
			"and written before the session begins");
	ok(a->sessionid_len == 8 && b->sessionid_len == 8 && !memcmp(a->sessionid, b->sessionid, 8),
			"one session id");
	ok(a->sessionid_half != b->sessionid_half, "with different halves");
	ok(a->generation == 1 && a->their_keyid > 0 && a->our_keyid > 0, "the counts are shown");
	ok(a->active_fingerprint && a->active_fingerprint->context == a, "there is a fingerprint");
	ok(pair_talks(&pair), "they talk");
	ok(!logged(pair.bob, "log Heartbeat"), "no heartbeat so soon");

	forget_log(pair.alice);
	ok(send_text(pair.bob, "alice", "?OTR?") == 0, "a query inside a session");
	pump(pair.world);
	ok(logged(pair.alice, "still_secure") && pair_talks(&pair), "refreshes it");
	ok(!logged(pair.alice, "gone_insecure"), "gone_insecure is never called");
}

static void the_end(void)
{
	char *message = NULL;

	forget_log(pair.bob);
	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob");
	pump(pair.world);
	ok(context_with(pair.alice, "bob")->msgstate == OTRL_MSGSTATE_PLAINTEXT, "who ends is in plaintext");
	ok(context_with(pair.bob, "alice")->msgstate == OTRL_MSGSTATE_FINISHED, "the other finished");
	ok(pair.bob->last_result && had(pair.bob, OTRL_TLV_DISCONNECTED), "and gets the record");
	ok(logged(pair.bob, "log Heartbeat received from alice.\n"), "an empty message is logged");

	forget_log(pair.bob);
	ok(otrl_message_sending(pair.bob->us, &pair.bob->ops, pair.bob, "bob", PROTOCOL, "alice", "too late", NULL,
		&message, NULL, NULL) == 0 && message && !*message, "nothing is sent then");
	otrl_message_free(message);
	ok(logged(pair.bob, "display Your message was not sent"), "and the user is told");
	pair.bob->displays = 0;
	forget_log(pair.bob);
	ok(send_text(pair.bob, "alice", "too late") == 0 && !pair.world->first, "nothing goes out");
	ok(logged(pair.bob, "notify 0: Private connection closed: alice has already closed his private "
		"connection to you: Your message was not sent.  Either close your private connection "
		"to him, or refresh it."), "in a window if there is no line");
	forget_log(pair.bob);
	receive(pair.bob, "alice", "readable");
	ok(strstr(last_shown(pair.bob), "[</b>readable<b>]</b>"), "plaintext comes with a warning");
	pair.bob->displays = 1;
	receive(pair.bob, "alice", "readable");
	ok(pair.bob->last_result && mentioned(pair.bob, "[</b>readable<b>]</b>"), "or is displayed with one");
	otrl_context_force_plaintext(context_with(pair.bob, "alice"));
	receive(pair.bob, "alice", "readable");
	ok(!strcmp(last_shown(pair.bob), "readable"), "and alone when both are in plaintext");
	pair_free(&pair);
}

static void what_cannot_be_read(void)
{
	char *lost, *end;
	unsigned sent;

	pair = pair_new(OTRL_POLICY_MANUAL);
	send_text(pair.alice, "bob", "?OTR?");
	pump(pair.world);
	send_text(pair.alice, "bob", "once");
	lost = intercept(pair.world);
	receive(pair.bob, "alice", lost);
	forget_log(pair.bob);
	receive(pair.bob, "alice", lost);
	ok(pair.bob->last_result && !pair.world->first && !logged(pair.bob, "display"), "a repeated message is dropped in silence");
	/* The end of its MAC is another one. */
	end = lost + strlen(lost) - 12;
	*end = *end == 'A' ? 'B' : 'A';
	sent = pair.world->sent;
	receive(pair.bob, "alice", lost);
	ok(pair.bob->last_result && logged(pair.bob, "display We received an unreadable encrypted message from alice."),
			"a damaged message is unreadable");
	ok(pair.world->sent == sent + 1 && !strcmp(next_text(pair.world),
		"?OTR Error: You transmitted an unreadable encrypted message."), "and its sender told");
	forget_log(pair.alice);
	pump(pair.world);
	ok(pair.alice->last_result && logged(pair.alice, "display OTR Error: You transmitted an unreadable"),
			"who displays that");
	strcpy(lost + 60, ".");
	pair.bob->displays = 0;
	forget_log(pair.bob);
	receive(pair.bob, "alice", lost);
	ok(pair.bob->last_result && logged(pair.bob, "notify 0: OTR error: A damaged OTR message arrived from alice.: -"),
			"a cut message is damaged");
	free(lost);
	drop_all();
	receive(pair.bob, "alice", "?OTR:AAIX");
	ok(pair.bob->last_result && logged(pair.bob, "log OTR message of an unknown kind"), "an unknown kind is logged");
	ok(pair_talks(&pair), "the session goes on");
	pair_free(&pair);
}

static void waiting_and_tags(void)
{
	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->policy = OTRL_POLICY_ALWAYS;
	ok(send_text(pair.alice, "bob", "waits") == 0, "a text that must be encrypted");
	ok(logged(pair.alice, "display"), "is announced");
	ok(pair.world->sent == 1 && !strncmp(next_text(pair.world), "?OTR?v2?\n", 9),
			"and a query goes first");
	pump(pair.world);
	ok(is_private(pair.bob, "alice") && !strcmp(last_shown(pair.bob), "waits"), "then the text");
	pair_free(&pair);

	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->policy = pair.bob->policy = OTRL_POLICY_OPPORTUNISTIC;
	ok(send_text(pair.alice, "bob", "hello") == 0, "a text with a tag");
	ok(!strcmp(next_text(pair.world), "hello" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1
		OTRL_MESSAGE_TAG_V2), "of both versions behind it");
	ok(context_with(pair.alice, "bob")->otr_offer == OFFER_SENT, "is an offer");
	ok(deliver_one(pair.world) && !strcmp(last_shown(pair.bob), "hello"), "arrives without it");
	pump(pair.world);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "and starts a session");
	ok(context_with(pair.alice, "bob")->otr_offer == OFFER_ACCEPTED, "so the offer was accepted");
	pair_free(&pair);

	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->policy = OTRL_POLICY_NEVER;
	ok(send_text(pair.alice, "bob", "?OTR?") == 0 && !strcmp(next_text(pair.world), "?OTR?"), "without OTR all "
			"goes as it is");
	drop_all();
	receive(pair.alice, "bob", "?OTRv2?");
	ok(!strcmp(last_shown(pair.alice), "?OTRv2?"), "and comes so");
	pair_free(&pair);
}

static void lost_and_resent(void)
{
	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->policy = pair.bob->policy = OTRL_POLICY_MANUAL | OTRL_POLICY_ERROR_START_AKE;
	send_text(pair.alice, "bob", "?OTR?");
	pump(pair.world);
	otrl_context_force_plaintext(context_with(pair.bob, "alice"));
	forget_log(pair.alice);
	forget_log(pair.bob);
	send_text(pair.alice, "bob", "lost");
	ok(deliver_one(pair.world) && pair.bob->last_result && mentioned(pair.bob, "can't be read"), "a message without a session");
	ok(!strcmp(next_text(pair.world), "?OTR Error: You sent encrypted "
		"data to someone, who wasn't expecting it."), "is answered");
	pump(pair.world);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "a new session begins");
	ok(!strcmp(last_shown(pair.bob), "[resent] lost"), "with the lost text, marked");
	ok(mentioned(pair.alice, "was sent again"), "and its sender is told");
	pair_free(&pair);
}

static void fragments(void)
{
	char text[3000], *piece;
	ConnContext *context;

	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->mms = pair.bob->mms = 200;
	send_text(pair.alice, "bob", "?OTR?");
	pump(pair.world);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "an exchange in pieces");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ok(send_text(pair.alice, "bob", text) == 0 && pump(pair.world) && !strcmp(last_shown(pair.bob), text)
			&& pair_talks(&pair), "and messages");
	context = context_with(pair.alice, "bob");
	drop_all();
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, text,
		OTRL_FRAGMENT_SEND_ALL_BUT_FIRST, &piece) == 0, "all but the first");
	ok(!strncmp(piece, "?OTR,00001,", 11) && !strncmp(next_text(pair.world), "?OTR,00002,", 11), "which is "
			"kept");
	free(piece);
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, text,
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece) == 0, "all but the last");
	ok(!strncmp(piece, "?OTR,00017,00017,", 17), "which is kept");
	free(piece);
	while (pair.world->first) {
		ok(strlen(next_text(pair.world)) <= 200, "no piece is too long");
		free(intercept(pair.world));
	}
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, "short",
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece) == 0 && !strcmp(piece, "short")
			&& !pair.world->first, "a short message is the last piece");
	free(piece);
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, "short",
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, NULL) != 0, "a piece needs a place");
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, NULL,
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && !pair.world->first, "no message is none");
	ok(otrl_message_fragment_and_send(&pair.alice->ops, pair.alice, context, "",
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && !pair.world->first, "nor is an empty one");
	pair_free(&pair);
}

static OtrlUserState others;
static int injected;

/* A client with many users: another one's contact is forgotten while a message goes out in pieces. */
static void inject_and_forget(void *opdata, const char *account, const char *protocol, const char *recipient,
		const char *message)
{
	int added;

	(void) opdata;
	(void) message;
	injected += !strcmp(account, "alice") && !strcmp(protocol, PROTOCOL) && !strcmp(recipient, "bob");
	otrl_context_forget(otrl_context_find(others, "carol", "dave", PROTOCOL, 1, &added, NULL, NULL));
}

static void pieces_while_contexts_are_forgotten(void)
{
	OtrlMessageAppOps ops;
	ConnContext *context;
	char text[1000], *piece;

	pair = pair_new(OTRL_POLICY_MANUAL);
	pair.alice->mms = 200;
	send_text(pair.alice, "bob", "?OTR?");
	pump(pair.world);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	others = otrl_userstate_create();
	context = context_with(pair.alice, "bob");
	ops = pair.alice->ops;
	ops.inject_message = inject_and_forget;
	ok(otrl_message_fragment_and_send(&ops, pair.alice, context, text, OTRL_FRAGMENT_SEND_ALL, NULL) == 0
			&& injected == 6, "all pieces go out");
	injected = 0;
	ok(otrl_message_fragment_and_send(&ops, pair.alice, context, text, OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece)
			== 0 && injected == 5 && !strncmp(piece, "?OTR,00006,00006,", 17), "and all but the last");
	free(piece);
	otrl_userstate_free(others);
	pair_free(&pair);
}

static void stepping_smp(void)
{
	OtrlSMState *a, *b;
	OtrlTLV *tlvs = NULL, *question;
	char *text, *shown = NULL;

	pair = pair_new(OTRL_POLICY_MANUAL);
	send_text(pair.alice, "bob", "?OTR?");
	pump(pair.world);
	a = context_with(pair.alice, "bob")->smstate;
	b = context_with(pair.bob, "alice")->smstate;
	ok(!a->secret && !b->secret, "no secret before");
	otrl_message_initiate_smp_q(pair.alice->us, &pair.alice->ops, pair.alice, context_with(pair.alice, "bob"), "why?",
			(const unsigned char *) "because", 7);
	ok(a->secret && a->nextExpected == OTRL_SMP_EXPECT2, "who begins expects the second");
	text = intercept(pair.world);
	otrl_message_receiving(pair.bob->us, &pair.bob->ops, pair.bob, "bob", PROTOCOL, "alice", text, &shown, &tlvs, NULL,
			NULL);
	question = otrl_tlv_find(tlvs, OTRL_TLV_SMP1Q);
	ok(question && !strcmp((char *) question->data, "why?"), "the question arrives");
	otrl_tlv_free(tlvs);
	free(text);
	ok(b->nextExpected == OTRL_SMP_EXPECT1 && b->secret && b->received_question, "and is noted");
	otrl_message_respond_smp(pair.bob->us, &pair.bob->ops, pair.bob, context_with(pair.bob, "alice"),
			(const unsigned char *) "because", 7);
	ok(b->nextExpected == OTRL_SMP_EXPECT3, "who answers expects the third");
	ok(deliver_one(pair.world) && had(pair.alice, OTRL_TLV_SMP2), "the second arrives");
	ok(a->nextExpected == OTRL_SMP_EXPECT2, "and the library does not count on");
	a->nextExpected = OTRL_SMP_EXPECT4;
	ok(deliver_one(pair.world) && had(pair.bob, OTRL_TLV_SMP3), "the third arrives");
	ok(b->nextExpected == OTRL_SMP_EXPECT3 && b->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "nor then");
	otrl_sm_state_free(b);
	ok(b->nextExpected == OTRL_SMP_EXPECT1 && !b->secret, "freeing starts anew");
	forget_log(pair.alice);
	ok(deliver_one(pair.world) && had(pair.alice, OTRL_TLV_SMP4), "the fourth arrives");
	ok(a->nextExpected == OTRL_SMP_EXPECT4 && a->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "and ends it");
	ok(logged(pair.alice, "write_fingerprints") && !strcmp(context_with(pair.alice, "bob")->active_fingerprint->trust,
		"smp"), "who asked trusts");
	ok(!context_with(pair.bob, "alice")->active_fingerprint->trust, "who was asked does not");
	otrl_sm_state_free(a);
	otrl_sm_state_free(a);

	otrl_message_initiate_smp(pair.bob->us, &pair.bob->ops, pair.bob, context_with(pair.bob, "alice"),
			(const unsigned char *) "x", 1);
	pump(pair.world);
	otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice, context_with(pair.alice, "bob"));
	otrl_sm_state_free(a);
	ok(deliver_one(pair.world) && had(pair.bob, OTRL_TLV_SMP_ABORT), "a run is called off");
	ok(b->nextExpected == OTRL_SMP_EXPECT1, "which the library does count");
	ok(!pair.world->first, "and nothing answers that");
	pair_free(&pair);
}

static void missing_callbacks(void)
{
	size_t member, members = sizeof(OtrlMessageAppOps) / sizeof(void *);

	for (member = 0; member <= members; member++) {
		pair = pair_new(OTRL_POLICY_MANUAL);
		pair.alice->policy = pair.bob->policy = OTRL_POLICY_OPPORTUNISTIC;
		if (member < members) {
			memset((char *) &pair.alice->ops + member * sizeof(void *), 0, sizeof(void *));
		} else {
			memset(&pair.alice->ops, 0, sizeof pair.alice->ops);
		}
		send_text(pair.alice, "bob", "hello");
		pump(pair.world);
		send_text(pair.bob, "alice", "?OTR?");
		pump(pair.world);
		if (pair.alice->ops.inject_message) {
			ok(is_private(pair.alice, "bob"), "a session with a callback missing");
		}
		send_text(pair.alice, "bob", "text");
		pump(pair.world);
		receive(pair.alice, "bob", "plain");
		receive(pair.alice, "bob", "?OTR Error: something");
		receive(pair.alice, "bob", "?OTR:AAID");
		otrl_message_initiate_smp(pair.alice->us, &pair.alice->ops, pair.alice, context_with(pair.alice, "bob"),
				(const unsigned char *) "x", 1);
		pump(pair.world);
		otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice, context_with(pair.alice, "bob"));
		otrl_message_disconnect(pair.bob->us, &pair.bob->ops, pair.bob, "bob", PROTOCOL, "alice");
		pump(pair.world);
		send_text(pair.alice, "bob", "late");
		pump(pair.world);
		otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob");
		pair_free(&pair);
	}
}

static void missing_arguments(void)
{
	char *message = (char *) 1;
	OtrlTLV *tlvs = (OtrlTLV *) 1;

	pair = pair_new(OTRL_POLICY_MANUAL);
	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, NULL, PROTOCOL, "bob", "x", NULL,
		&message, NULL, NULL) != 0 && message == NULL, "nothing is sent without an account");
	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob", "x", NULL,
		NULL, NULL, NULL) != 0, "nor without a place for the message");
	message = (char *) 1;
	ok(otrl_message_receiving(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, NULL, "x",
		&message, &tlvs, NULL, NULL) == 0 && !message && !tlvs, "both places are written");
	ok(otrl_message_receiving(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob", "x",
		&message, NULL, NULL, NULL) == 0, "the place for records may be missing");
	otrl_message_free(NULL);
	otrl_tlv_free(NULL);
	ok(otrl_tlv_find(NULL, 1) == NULL, "and a chain");
	ok(otrl_context_find(NULL, "a", "b", "c", 1, NULL, NULL, NULL) == NULL, "and a user state");
	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "nobody");
	otrl_privkey_forget(NULL);
	pair_free(&pair);
}

int main(void)
{
	OTRL_INIT;
	ok(!strcmp(otrl_version(), "3.2.1"), "the version");
	a_session();
	the_end();
	what_cannot_be_read();
	waiting_and_tags();
	lost_and_resent();
	fragments();
	pieces_while_contexts_are_forgotten();
	stepping_smp();
	missing_callbacks();
	missing_arguments();
	return finish();
}
