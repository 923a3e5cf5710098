/* Conversations, and what the users are told. */
#include "users.h"

static User alice, bob;

static void a_session(void)
{
	ConnContext *a, *b;

	two_users(&alice, &bob);
	ok(say(&alice, "?OTR?") == 0, "a query is sent");
	ok(!strcmp(wires[wire_first].text,
		"?OTR?v2?\n<b>alice</b> has requested an <a href=\"http://otr.cypherpunks.ca/\">"
		"Off-the-Record private conversation</a>.  However, you do not have a plugin to support "
		"that.\nSee <a href=\"http://otr.cypherpunks.ca/\">http://otr.cypherpunks.ca/</a> for "
		"more information."), "in the words that peers know");
	carry_all();
	a = context_of(&alice);
	b = context_of(&bob);
	ok(private(&alice) && private(&bob), "both are private");
	ok(noted(&alice, "gone_secure 2") && noted(&bob, "gone_secure 2"), "in version 2");
	ok(noted(&alice, "new_fingerprint bob") && noted(&alice, "write_fingerprints"),
			"the fingerprint is new");
	ok(strstr(alice.log, "write_fingerprints") < strstr(alice.log, "gone_secure"),
			"and written before the session begins");
	ok(a->sessionid_len == 8 && b->sessionid_len == 8 && !memcmp(a->sessionid, b->sessionid, 8),
			"one session id");
	ok(a->sessionid_half != b->sessionid_half, "with different halves");
	ok(a->generation == 1 && a->their_keyid > 0 && a->our_keyid > 0, "the counts are shown");
	ok(a->active_fingerprint && a->active_fingerprint->context == a, "there is a fingerprint");
	ok(understood(&alice, "hello bob") && understood(&bob, "hello yourself"), "they talk");
	ok(noted(&bob, "log: Heartbeat") == 0, "no heartbeat so soon");

	user_forget(&alice);
	ok(say(&bob, "?OTR?") == 0, "a query inside a session");
	carry_all();
	ok(noted(&alice, "still_secure") && private(&alice) && understood(&bob, "and on"), "refreshes it");
	ok(!noted(&alice, "gone_insecure"), "gone_insecure is never called");
}

static void the_end(void)
{
	char *message = NULL;

	user_forget(&bob);
	otrl_message_disconnect(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob");
	carry_all();
	ok(context_of(&alice)->msgstate == OTRL_MSGSTATE_PLAINTEXT, "who ends is in plaintext");
	ok(context_of(&bob)->msgstate == OTRL_MSGSTATE_FINISHED, "the other finished");
	ok(bob.hidden && otrl_tlv_find(bob.tlvs, OTRL_TLV_DISCONNECTED), "and gets the record");
	ok(noted(&bob, "log: Heartbeat received from alice.\n"), "an empty message is logged");

	user_forget(&bob);
	ok(otrl_message_sending(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice", "too late", NULL,
		&message, NULL, NULL) == 0 && message && !*message, "nothing is sent then");
	otrl_message_free(message);
	ok(noted(&bob, "display: Your message was not sent"), "and the user is told");
	bob.displays = 0;
	user_forget(&bob);
	ok(say(&bob, "too late") == 0 && wire_first == wire_end, "nothing goes out");
	ok(noted(&bob, "notify 0: Private connection closed: alice has already closed his private "
		"connection to you: Your message was not sent.  Either close your private connection "
		"to him, or refresh it."), "in a window if there is no line");
	user_forget(&bob);
	hear(&bob, "readable");
	ok(bob.shown && strstr(bob.shown, "[</b>readable<b>]</b>"), "plaintext comes with a warning");
	bob.displays = 1;
	hear(&bob, "readable");
	ok(bob.hidden && noted(&bob, "[</b>readable<b>]</b>"), "or is displayed with one");
	otrl_context_force_plaintext(context_of(&bob));
	hear(&bob, "readable");
	ok(bob.shown && !strcmp(bob.shown, "readable"), "and alone when both are in plaintext");
	user_end(&alice);
	user_end(&bob);
}

static void what_cannot_be_read(void)
{
	struct wire lost;
	char *end;

	two_users(&alice, &bob);
	say(&alice, "?OTR?");
	carry_all();
	say(&alice, "once");
	lost = wires[wire_first];
	wire_end = 0;
	hear(&bob, lost.text);
	user_forget(&bob);
	hear(&bob, lost.text);
	ok(bob.hidden && wire_end == wire_first && !noted(&bob, "display: "), "a repeated message is dropped in silence");
	/* The end of its MAC is another one. */
	end = lost.text + strlen(lost.text) - 12;
	*end = *end == 'A' ? 'B' : 'A';
	hear(&bob, lost.text);
	ok(bob.hidden && noted(&bob, "display: We received an unreadable encrypted message from alice."),
			"a damaged message is unreadable");
	ok(wire_end - wire_first == 1 && !strcmp(wires[wire_first].text,
		"?OTR Error: You transmitted an unreadable encrypted message."), "and its sender told");
	user_forget(&alice);
	carry_all();
	ok(alice.hidden && noted(&alice, "display: OTR Error: You transmitted an unreadable"),
			"who displays that");
	strcpy(lost.text + 60, ".");
	bob.displays = 0;
	user_forget(&bob);
	hear(&bob, lost.text);
	ok(bob.hidden && noted(&bob, "notify 0: OTR error: A damaged OTR message arrived from alice.: -"),
			"a cut message is damaged");
	free(lost.text);
	drop_all();
	hear(&bob, "?OTR:AAIX");
	ok(bob.hidden && noted(&bob, "log: OTR message of an unknown kind"), "an unknown kind is logged");
	ok(understood(&alice, "and on"), "the session goes on");
	user_end(&alice);
	user_end(&bob);
}

static void waiting_and_tags(void)
{
	two_users(&alice, &bob);
	alice.policy = OTRL_POLICY_ALWAYS;
	ok(say(&alice, "waits") == 0, "a text that must be encrypted");
	ok(noted(&alice, "display: "), "is announced");
	ok(wire_end - wire_first == 1 && !strncmp(wires[wire_first].text, "?OTR?v2?\n", 9),
			"and a query goes first");
	carry_all();
	ok(private(&bob) && bob.shown && !strcmp(bob.shown, "waits"), "then the text");
	user_end(&alice);
	user_end(&bob);

	two_users(&alice, &bob);
	alice.policy = bob.policy = OTRL_POLICY_OPPORTUNISTIC;
	ok(say(&alice, "hello") == 0, "a text with a tag");
	ok(!strcmp(wires[wire_first].text, "hello" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1
		OTRL_MESSAGE_TAG_V2), "of both versions behind it");
	ok(context_of(&alice)->otr_offer == OFFER_SENT, "is an offer");
	ok(carry_one() && bob.shown && !strcmp(bob.shown, "hello"), "arrives without it");
	carry_all();
	ok(private(&alice) && private(&bob), "and starts a session");
	ok(context_of(&alice)->otr_offer == OFFER_ACCEPTED, "so the offer was accepted");
	user_end(&alice);
	user_end(&bob);

	two_users(&alice, &bob);
	alice.policy = OTRL_POLICY_NEVER;
	ok(say(&alice, "?OTR?") == 0 && !strcmp(wires[wire_first].text, "?OTR?"), "without OTR all "
			"goes as it is");
	drop_all();
	hear(&alice, "?OTRv2?");
	ok(alice.shown && !strcmp(alice.shown, "?OTRv2?"), "and comes so");
	user_end(&alice);
	user_end(&bob);
}

static void lost_and_resent(void)
{
	two_users(&alice, &bob);
	alice.policy = bob.policy = OTRL_POLICY_MANUAL | OTRL_POLICY_ERROR_START_AKE;
	say(&alice, "?OTR?");
	carry_all();
	otrl_context_force_plaintext(context_of(&bob));
	user_forget(&alice);
	user_forget(&bob);
	say(&alice, "lost");
	ok(carry_one() && bob.hidden && noted(&bob, "can't be read"), "a message without a session");
	ok(wire_end > wire_first && !strcmp(wires[wire_first].text, "?OTR Error: You sent encrypted "
		"data to bob, who wasn't expecting it."), "is answered");
	carry_all();
	ok(private(&alice) && private(&bob), "a new session begins");
	ok(bob.shown && !strcmp(bob.shown, "[resent] lost"), "with the lost text, marked");
	ok(noted(&alice, "was sent again"), "and its sender is told");
	user_end(&alice);
	user_end(&bob);
}

static void fragments(void)
{
	char text[3000], *piece;
	ConnContext *context;

	two_users(&alice, &bob);
	alice.mms = bob.mms = 200;
	say(&alice, "?OTR?");
	carry_all();
	ok(private(&alice) && private(&bob), "an exchange in pieces");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ok(understood(&alice, text) && understood(&bob, "a short one"), "and messages");
	context = context_of(&alice);
	drop_all();
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, text,
		OTRL_FRAGMENT_SEND_ALL_BUT_FIRST, &piece) == 0, "all but the first");
	ok(!strncmp(piece, "?OTR,00001,", 11) && !strncmp(wires[0].text, "?OTR,00002,", 11), "which is "
			"kept");
	free(piece);
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, text,
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece) == 0, "all but the last");
	ok(!strncmp(piece, "?OTR,00017,00017,", 17), "which is kept");
	free(piece);
	while (wire_first < wire_end) {
		ok(strlen(wires[wire_first].text) <= 200, "no piece is too long");
		free(wires[wire_first++].text);
	}
	drop_all();
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, "short",
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece) == 0 && !strcmp(piece, "short")
			&& wire_end == 0, "a short message is the last piece");
	free(piece);
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, "short",
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST, NULL) != 0, "a piece needs a place");
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, NULL,
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && wire_end == 0, "no message is none");
	ok(otrl_message_fragment_and_send(&alice.ops, &alice, context, "",
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && wire_end == 0, "nor is an empty one");
	user_end(&alice);
	user_end(&bob);
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
	char text[1000], *piece;

	two_users(&alice, &bob);
	alice.mms = 200;
	say(&alice, "?OTR?");
	carry_all();
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	others = otrl_userstate_create();
	ops = alice.ops;
	ops.inject_message = inject_and_forget;
	ok(otrl_message_fragment_and_send(&ops, &alice, context_of(&alice), text, OTRL_FRAGMENT_SEND_ALL, NULL) == 0
			&& injected == 6, "all pieces go out");
	injected = 0;
	ok(otrl_message_fragment_and_send(&ops, &alice, context_of(&alice), text, OTRL_FRAGMENT_SEND_ALL_BUT_LAST, &piece)
			== 0 && injected == 5 && !strncmp(piece, "?OTR,00006,00006,", 17), "and all but the last");
	free(piece);
	otrl_userstate_free(others);
	user_end(&alice);
	user_end(&bob);
}

static void stepping_smp(void)
{
	OtrlSMState *a, *b;

	two_users(&alice, &bob);
	say(&alice, "?OTR?");
	carry_all();
	a = context_of(&alice)->smstate;
	b = context_of(&bob)->smstate;
	ok(!a->secret && !b->secret, "no secret before");
	otrl_message_initiate_smp_q(alice.us, &alice.ops, &alice, context_of(&alice), "why?",
			(const unsigned char *) "because", 7);
	ok(a->secret && a->nextExpected == OTRL_SMP_EXPECT2, "who begins expects the second");
	carry_all();
	ok(otrl_tlv_find(bob.tlvs, OTRL_TLV_SMP1Q) && !strcmp((char *) otrl_tlv_find(bob.tlvs,
		OTRL_TLV_SMP1Q)->data, "why?"), "the question arrives");
	ok(bob.next == OTRL_SMP_EXPECT1 && b->secret && b->received_question, "and is noted");
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, context_of(&bob),
			(const unsigned char *) "because", 7);
	ok(b->nextExpected == OTRL_SMP_EXPECT3, "who answers expects the third");
	ok(carry_one() && otrl_tlv_find(alice.tlvs, OTRL_TLV_SMP2), "the second arrives");
	ok(alice.next == OTRL_SMP_EXPECT2, "and the library does not count on");
	a->nextExpected = OTRL_SMP_EXPECT4;
	ok(carry_one() && otrl_tlv_find(bob.tlvs, OTRL_TLV_SMP3), "the third arrives");
	ok(bob.next == OTRL_SMP_EXPECT3 && b->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "nor then");
	otrl_sm_state_free(b);
	ok(b->nextExpected == OTRL_SMP_EXPECT1 && !b->secret, "freeing starts anew");
	user_forget(&alice);
	ok(carry_one() && otrl_tlv_find(alice.tlvs, OTRL_TLV_SMP4), "the fourth arrives");
	ok(alice.next == OTRL_SMP_EXPECT4 && a->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, "and ends it");
	ok(noted(&alice, "write_fingerprints") && !strcmp(context_of(&alice)->active_fingerprint->trust,
		"smp"), "who asked trusts");
	ok(!context_of(&bob)->active_fingerprint->trust, "who was asked does not");
	otrl_sm_state_free(a);
	otrl_sm_state_free(a);

	otrl_message_initiate_smp(bob.us, &bob.ops, &bob, context_of(&bob),
			(const unsigned char *) "x", 1);
	carry_all();
	otrl_message_abort_smp(alice.us, &alice.ops, &alice, context_of(&alice));
	otrl_sm_state_free(a);
	ok(carry_one() && otrl_tlv_find(bob.tlvs, OTRL_TLV_SMP_ABORT), "a run is called off");
	ok(bob.next == OTRL_SMP_EXPECT1, "which the library does count");
	ok(wire_first == wire_end, "and nothing answers that");
	user_end(&alice);
	user_end(&bob);
}

static void missing_callbacks(void)
{
	size_t member, members = sizeof(OtrlMessageAppOps) / sizeof(void *);

	for (member = 0; member <= members; member++) {
		two_users(&alice, &bob);
		alice.policy = bob.policy = OTRL_POLICY_OPPORTUNISTIC;
		if (member < members) {
			memset((char *) &alice.ops + member * sizeof(void *), 0, sizeof(void *));
		} else {
			memset(&alice.ops, 0, sizeof alice.ops);
		}
		say(&alice, "hello");
		carry_all();
		say(&bob, "?OTR?");
		carry_all();
		if (alice.ops.inject_message) {
			ok(private(&alice), "a session with a callback missing");
		}
		say(&alice, "text");
		carry_all();
		hear(&alice, "plain");
		hear(&alice, "?OTR Error: something");
		hear(&alice, "?OTR:AAID");
		otrl_message_initiate_smp(alice.us, &alice.ops, &alice, context_of(&alice),
				(const unsigned char *) "x", 1);
		carry_all();
		otrl_message_abort_smp(alice.us, &alice.ops, &alice, context_of(&alice));
		otrl_message_disconnect(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice");
		carry_all();
		say(&alice, "late");
		carry_all();
		otrl_message_disconnect(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob");
		user_end(&alice);
		user_end(&bob);
	}
}

static void missing_arguments(void)
{
	char *message = (char *) 1;
	OtrlTLV *tlvs = (OtrlTLV *) 1;

	two_users(&alice, &bob);
	ok(otrl_message_sending(alice.us, &alice.ops, &alice, NULL, PROTOCOL, "bob", "x", NULL,
		&message, NULL, NULL) != 0 && message == NULL, "nothing is sent without an account");
	ok(otrl_message_sending(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob", "x", NULL,
		NULL, NULL, NULL) != 0, "nor without a place for the message");
	message = (char *) 1;
	ok(otrl_message_receiving(alice.us, &alice.ops, &alice, "alice", PROTOCOL, NULL, "x",
		&message, &tlvs, NULL, NULL) == 0 && !message && !tlvs, "both places are written");
	ok(otrl_message_receiving(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob", "x",
		&message, NULL, NULL, NULL) == 0, "the place for records may be missing");
	otrl_message_free(NULL);
	otrl_tlv_free(NULL);
	ok(otrl_tlv_find(NULL, 1) == NULL, "and a chain");
	ok(otrl_context_find(NULL, "a", "b", "c", 1, NULL, NULL, NULL) == NULL, "and a user state");
	otrl_message_disconnect(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "nobody");
	otrl_privkey_forget(NULL);
	user_end(&alice);
	user_end(&bob);
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
