/* otrl_message_sending: the result for every policy and every state, and that
 * a private text never gives the result "send the original". */
#include "world.h"

static char *message;
static ConnContext *context;

static gcry_error_t say(Party *p, const char *to, const char *text)
{
	otrl_message_free(message);
	message = (char *) 16;
	return otrl_message_sending(p->us, &p->ops, p, p->account, PROTOCOL, to,
			p->to_instance, text, NULL, &message, p->fragments, &context, NULL, NULL);
}

static void policies_in_plaintext(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	Party *a = pair.alice;

	ok(say(a, "bob", "hello") == 0 && !message, "MANUAL: as it is");
	ok(context->otr_offer == OFFER_NOT, "no offer");
	ok(say(a, "bob", "") == 0 && !message, "an empty text: as it is");

	a->policy = OTRL_POLICY_OPPORTUNISTIC;
	ok(say(a, "bob", "hello") == 0 && message && !strcmp(message, "hello"
				OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2 OTRL_MESSAGE_TAG_V3),
			"OPPORTUNISTIC: the tag is a suffix, version 2 before 3");
	ok(context->otr_offer == OFFER_SENT, "the offer is noted");
	receive(a, "bob", "no thanks");
	ok(context->otr_offer == OFFER_REJECTED, "an untagged answer rejects it");
	ok(say(a, "bob", "hello") == 0 && !message, "and no tag is sent any more");
	context->otr_offer = OFFER_NOT;
	ok(say(a, "bob", "hello") == 0 && message, "unless the client resets otr_offer");
	a->policy = OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2
		| OTRL_POLICY_SEND_WHITESPACE_TAG;
	ok(say(a, "bob", "hi") == 0 && message && !strcmp(message, "hi"
				OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1 OTRL_MESSAGE_TAG_V2),
			"the tag follows the versions of the policy");

	a->policy = OTRL_POLICY_NEVER | OTRL_POLICY_SEND_WHITESPACE_TAG
		| OTRL_POLICY_REQUIRE_ENCRYPTION;
	ok(say(a, "bob", "hello") == 0 && !message, "no version allowed: hands off");
	ok(say(a, "bob", "?OTR?") == 0 && !message, "even off a query");

	a->policy = OTRL_POLICY_ALWAYS;
	forget_log(a);
	ok(say(a, "bob", "secret") == 0 && message && !strncmp(message, "?OTRv23?\n", 9)
			&& !strstr(message, "secret"), "ALWAYS: the query instead of the text");
	ok(logged(a, "event 1 0 -") == 1 && context->otr_offer == OFFER_SENT,
			"the event ENCRYPTION_REQUIRED");
	a->ops.handle_msg_event = NULL;
	ok(say(a, "bob", "secret") == 0 && message && !strstr(message, "secret"),
			"the same without handle_msg_event");
	a->ops.policy = NULL;
	ok(say(a, "carol", "hello") == 0 && message && strstr(message, OTRL_MESSAGE_TAG_BASE),
			"without a policy callback: the default, OPPORTUNISTIC");
	pair_free(&pair);
}

static void typed_queries(void)
{
	static const char *const forms[] = {
		"?OTR?", "?OTRv2?", "?OTRv23?", "?OTR?v2?", "?OTRv", "please ?OTR? now"
	};
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	char *expected = otrl_proto_default_query_msg("alice", OTRL_POLICY_MANUAL);
	size_t i;

	for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		ok(say(pair.alice, "bob", forms[i]) == 0 && message && !strcmp(message, expected)
				&& context->otr_offer == OFFER_SENT,
				"'%s' becomes the default query", forms[i]);
	}
	ok(say(pair.alice, "bob", "?OTR") == 0 && !message, "'?OTR' does not");
	go_private(pair.alice, pair.bob);
	ok(say(pair.alice, "bob", "?OTR?") == 0 && message && !strcmp(message, expected),
			"nor is a query encrypted in a session");
	free(expected);
	pair_free(&pair);
}

static void encrypted(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);

	ok(say(pair.alice, "bob", "a secret") == 0 && message
			&& !strncmp(message, "?OTR:AAMD", 9) && !strstr(message, "secret"), "encrypted");
	ok(message[strlen(message) - 1] == '.', "in armour");
	receive(pair.bob, "alice", message);
	ok(!strcmp(last_shown(pair.bob), "a secret"), "and read");
	ok(say(pair.alice, "bob", "") == 0 && message && *message, "an empty text is encrypted");
	receive(pair.bob, "alice", message);
	ok(pair.bob->last_result == 1 && logged(pair.bob, "event 10 ") == 1,
			"and comes as a heartbeat");
	ok(say(pair.alice, "bob", "?OTR:AAMD looks odd") == 0 && message
			&& !strstr(message, "looks odd"), "a text that looks like a message is encrypted");
	receive(pair.bob, "alice", message);
	ok(!strcmp(last_shown(pair.bob), "?OTR:AAMD looks odd"), "and read");
	pair.alice->policy = OTRL_POLICY_NEVER;
	ok(say(pair.alice, "bob", "now NEVER") == 0 && !message,
			"policy NEVER sends as it is even in a session, as the client asked");
	pair_free(&pair);
}

static void finished(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	Party *b = pair.bob;

	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob", OTRL_INSTAG_BEST);
	pump(pair.world);
	forget_log(b);
	ok(say(b, "alice", "too late") == 0 && message && !*message,
			"a finished session gives \"\" and no error");
	ok(logged(b, "event 3 0 -") == 1, "with the event CONNECTION_ENDED");
	ok(context->msgstate == OTRL_MSGSTATE_FINISHED && context->active_fingerprint == NULL
			&& context->sessionid_len == 0, "and stays finished");
	b->fragments = OTRL_FRAGMENT_SEND_ALL_BUT_LAST;
	ok(say(b, "alice", "too late") == 0 && message && !*message, "also with BUT_LAST");
	b->fragments = OTRL_FRAGMENT_SEND_SKIP;
	ok(say(b, "alice", "?OTR?") == 0 && message && !strncmp(message, "?OTRv23?", 8),
			"a query may be sent");
	otrl_message_disconnect(b->us, &b->ops, b, "bob", PROTOCOL, "alice",
			OTRL_INSTAG_BEST);
	ok(say(b, "alice", "plain again") == 0 && !message,
			"plaintext again after our own disconnect");
	pair_free(&pair);
}

static void long_texts(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	static const size_t sizes[] = { 1, 2, 3, 63, 64, 255, 65535, 65536, 300000, 2000000 };
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *text = malloc(sizes[i] + 1);

		memset(text, 'a' + (int) (i % 26), sizes[i]);
		text[sizes[i]] = '\0';
		ok(say(pair.alice, "bob", text) == 0 && message, "%u bytes",
				(unsigned) sizes[i]);
		receive(pair.bob, "alice", message);
		ok(!strcmp(last_shown(pair.bob), text), "come through");
		free(text);
	}
	pair_free(&pair);
}

static void converted(Party *self, const char *callback, ConnContext *c)
{
	(void) self;
	(void) callback;
	(void) c;
}

static void to_upper(void *opdata, ConnContext *c, OtrlConvertType type, char **dest,
		const char *src)
{
	Party *self = opdata;
	size_t i;
	char line[80];

	if (*dest) {
		ok(0, "*dest is NULL on entry");
	}
	snprintf(line, sizeof line, "convert_msg %d %s state %d print %d", (int) type, src,
			(int) c->msgstate, c->active_fingerprint != NULL);
	lines_add(&self->log, line);
	if (type == OTRL_CONVERT_SENDING) {
		/* Longer than the source. */
		*dest = malloc(strlen(src) + 10);
		sprintf(*dest, "<%s>!!!!", src);
	} else {
		*dest = strdup(src);
		for (i = 0; (*dest)[i]; i++) {
			if ((*dest)[i] >= 'a' && (*dest)[i] <= 'z') {
				(*dest)[i] = (char) ((*dest)[i] - 32);
			}
		}
	}
}

static void conversion(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);

	pair.alice->hook = pair.bob->hook = converted;
	pair.alice->ops.convert_msg = pair.bob->ops.convert_msg = to_upper;
	say(pair.alice, "bob", "plain");
	ok(logged(pair.alice, "convert_msg") == 0, "plaintext is not converted");
	go_private(pair.alice, pair.bob);
	ok(say(pair.alice, "bob", "abc") == 0 && message, "sent");
	ok(logged(pair.alice, "convert_msg 0 abc state 1 print 1") == 1
			&& logged(pair.alice, "convert_free") == 1, "converted and freed");
	receive(pair.bob, "alice", message);
	ok(!strcmp(last_shown(pair.bob), "<ABC>!!!!"), "and again on receiving: %s",
			last_shown(pair.bob));
	ok(logged(pair.bob, "convert_msg 1 <abc>!!!! state 1 print 1") == 1
			&& logged(pair.bob, "convert_free") == 1, "converted and freed");
	pair_free(&pair);
}

/* REQUIRE_ENCRYPTION keeps one text and sends it, unmarked, once private. */
static void waiting_text(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3, POLICY_V23 };
	size_t i;

	for (i = 0; i < 3; i++) {
		Pair pair = pair_new(versions[i] | OTRL_POLICY_REQUIRE_ENCRYPTION);

		send_text(pair.alice, "bob", "first");
		send_text(pair.alice, "bob", "second");
		pump(pair.world);
		ok(is_private(pair.alice, "bob"), "private");
		ok(!strcmp(last_shown(pair.bob), "second"), "the last text arrives: %s",
				last_shown(pair.bob));
		ok(logged(pair.alice, "event 6 ") == 0, "unmarked and without the event RESENT");
		pair_free(&pair);
	}
}

/* An error from the other side makes the last text eligible for a resend. */
static void resent(void)
{
	/* Version 2: in version 3 an error belongs to no instance. */
	Pair pair = pair_private(POLICY_V2 | OTRL_POLICY_ERROR_START_AKE);
	char *text;

	send_text(pair.alice, "bob", "lost one");
	text = intercept(pair.world);
	free(text);
	forget_log(pair.alice);
	/* bob starts again with nothing, alice is told. */
	otrl_context_force_plaintext(context_with(pair.bob, "alice"));
	receive(pair.alice, "bob", "?OTR Error: I could not read that");
	ok(logged(pair.alice, "event 12 0 I could not read that") == 1,
			"the event GENERAL_ERR has the text without its prefix");
	ok(logged(pair.alice, "inject bob ?OTRv2?") == 1, "the query goes out");
	pump(pair.world);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "private again");
	ok(!strcmp(last_shown(pair.bob), "[again] lost one"), "resent with its prefix: %s",
			last_shown(pair.bob));
	ok(logged(pair.alice, "event 6 ") == 1, "the event RESENT");
	pair_free(&pair);
}

int main(void)
{
	run_case("policies in plaintext", policies_in_plaintext);
	run_case("typed queries", typed_queries);
	run_case("encrypted", encrypted);
	run_case("finished", finished);
	run_case("long texts", long_texts);
	run_case("conversion", conversion);
	run_case("a text that waits", waiting_text);
	run_case("a text sent again", resent);
	return finish();
}
