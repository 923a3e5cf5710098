/* otrl_message_receiving: queries, tags, errors, and everything broken, none
 * of which may change a session. */
#include "world.h"

#include <libotr/b64.h>

static void every_query(void)
{
	static const struct {
		const char *text;
		OtrlPolicy policy;
		const char *answer;
	} table[] = {
		{ "?OTRv2?", POLICY_V23, "?OTR:AAIC" }, { "?OTRv3?", POLICY_V23, "?OTR:AAMC" },
		{ "?OTRv23?", POLICY_V23, "?OTR:AAMC" }, { "?OTRv23?", POLICY_V2, "?OTR:AAIC" },
		{ "?OTRv32?", POLICY_V23, "?OTR:AAMC" }, { "?OTR?v2?", POLICY_V23, "?OTR:AAIC" },
		{ "?OTR?v23? hello", POLICY_V23, "?OTR:AAMC" }, { "?OTRv2?", POLICY_V3, NULL },
		{ "?OTR?", POLICY_V23, NULL }, { "?OTRv?", POLICY_V23, NULL },
		{ "?OTRv4?", POLICY_V23, NULL },
		{ "<b>x</b> ?OTRv3? y", POLICY_V23, "?OTR:AAMC" },
		{ "?OTR?", OTRL_POLICY_ALLOW_V1, "?OTR:AAEK" },
		{ "?OTR?v23?", OTRL_POLICY_ALLOW_V1, "?OTR:AAEK" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		Pair pair = pair_new(table[i].policy);
		char *sent;

		ok(receive(pair.alice, "bob", table[i].text) == 1, "'%s' is hidden",
				table[i].text);
		sent = intercept(pair.world);
		ok(table[i].answer ? sent && !strncmp(sent, table[i].answer, 9) : !sent,
				"'%s' under %x is answered with %s", table[i].text, table[i].policy,
				table[i].answer ? table[i].answer : "nothing");
		free(sent);
		pair_free(&pair);
	}
}

static void tags(void)
{
	static const OtrlPolicy start = OTRL_POLICY_WHITESPACE_START_AKE;
	static const struct {
		const char *tag;
		OtrlPolicy policy;
		const char *answer;
	} table[] = {
		{ OTRL_MESSAGE_TAG_V2, POLICY_V23 | start, "?OTR:AAIC" },
		{ OTRL_MESSAGE_TAG_V3, POLICY_V23 | start, "?OTR:AAMC" },
		{ OTRL_MESSAGE_TAG_V2 OTRL_MESSAGE_TAG_V3, POLICY_V23 | start, "?OTR:AAMC" },
		{ OTRL_MESSAGE_TAG_V2 OTRL_MESSAGE_TAG_V3, POLICY_V2 | start, "?OTR:AAIC" },
		{ OTRL_MESSAGE_TAG_V1, OTRL_POLICY_ALLOW_V1 | start, "?OTR:AAEK" },
		{ OTRL_MESSAGE_TAG_V1, POLICY_V23 | start, NULL },
		{ OTRL_MESSAGE_TAG_V2, POLICY_V23, NULL },
		{ "", POLICY_V23 | start, NULL },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		Pair pair = pair_new(table[i].policy);
		char text[200], *sent;

		snprintf(text, sizeof text, "hello%s%s", OTRL_MESSAGE_TAG_BASE, table[i].tag);
		ok(receive(pair.alice, "bob", text) == 0 && !strcmp(last_shown(pair.alice), "hello"),
				"row %u: shown without its tag", (unsigned) i);
		sent = intercept(pair.world);
		ok(table[i].answer ? sent && !strncmp(sent, table[i].answer, 9) : !sent,
				"row %u: answered with %s", (unsigned) i,
				table[i].answer ? table[i].answer : "nothing");
		free(sent);
		pair_free(&pair);
	}
}

static void tag_starts_a_session(void)
{
	Pair pair = pair_new(OTRL_POLICY_OPPORTUNISTIC);

	send_text(pair.alice, "bob", "hello");
	pump(pair.world);
	ok(!strcmp(last_shown(pair.bob), "hello"), "the text arrives clean");
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "and a session starts");
	ok(pair_talks(&pair), "that works");
	pair_free(&pair);
}

static void plaintext(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	Party *a = pair.alice;

	forget_log(a);
	ok(receive(a, "bob", "clear words") == 1 && a->shown.count == 0
			&& logged(a, "event 13 0 clear words") == 1,
			"plaintext in a session comes as the event RCVDMSG_UNENCRYPTED");
	ok(receive(a, "bob", "tagged" OTRL_MESSAGE_TAG_BASE) == 1
			&& logged(a, "event 13 0 tagged") == 1, "a tagged one too, without its tag");
	a->ops.handle_msg_event = NULL;
	ok(receive(a, "bob", "clear words") == 0, "without that callback it is shown");
	pair_free(&pair);

	pair = pair_new(OTRL_POLICY_ALWAYS);
	ok(receive(pair.alice, "bob", "clear words") == 1
			&& logged(pair.alice, "event 13 0 clear words") == 1,
			"the same without a session when encryption is required");
	pair_free(&pair);
}

static void data_without_a_session(void)
{
	Pair pair = pair_private(POLICY_V2);
	char *text;

	send_text(pair.alice, "bob", "nobody can read this");
	text = intercept(pair.world);
	otrl_context_force_plaintext(context_with(pair.bob, "alice"));
	forget_log(pair.bob);
	ok(receive(pair.bob, "alice", text) == 1 && logged(pair.bob, "event 7 ") == 1,
			"the event RCVDMSG_NOT_IN_PRIVATE");
	free(text);
	text = intercept(pair.world);
	ok(text && !strncmp(text, "?OTR Error:", 11) && !pair.world->first, "and one error goes out");
	free(text);
	otrl_message_initiate_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"), (const unsigned char *) "s", 1);
	forget_log(pair.bob);
	pump(pair.world);
	ok(pair.bob->last_result == 1 && logged(pair.bob, "event") == 0,
			"what is marked IGNORE_UNREADABLE is ignored");
	pair_free(&pair);
}

static void replays(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v, i;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);
		char *text[5], name[20];

		for (i = 0; i < 5; i++) {
			snprintf(name, sizeof name, "number %u", (unsigned) i);
			send_text(pair.alice, "bob", name);
			text[i] = intercept(pair.world);
		}
		ok(receive(pair.bob, "alice", text[1]) == 0
				&& !strcmp(last_shown(pair.bob), "number 1"), "the second comes first");
		forget_log(pair.bob);
		ok(receive(pair.bob, "alice", text[0]) == 1 && pair.bob->shown.count == 0
				&& logged(pair.bob, "event 8 ") + logged(pair.bob, "event 9 ") == 1,
				"the first is then refused");
		ok(receive(pair.bob, "alice", text[1]) == 1 && pair.bob->shown.count == 0,
				"so is a replay");
		ok(receive(pair.bob, "alice", text[4]) == 0
				&& !strcmp(last_shown(pair.bob), "number 4"), "later ones are read");
		ok(receive(pair.bob, "alice", text[3]) == 1 && receive(pair.bob, "alice", text[4]) == 1,
				"and not twice");
		pump(pair.world);
		ok(pair_talks(&pair) && pair_talks(&pair) && pair_talks(&pair),
				"the session goes on");
		forget_log(pair.bob);
		for (i = 0; i < 5; i++) {
			ok(receive(pair.bob, "alice", text[i]) == 1 && pair.bob->shown.count == 0,
					"nothing old is read after key rotation");
			free(text[i]);
		}
		pump(pair.world);
		ok(pair_talks(&pair), "and the session goes on");
		pair_free(&pair);
	}
}

static void reflected(void)
{
	Pair pair = pair_private(POLICY_V2);
	char *text;

	send_text(pair.alice, "bob", "to bob");
	text = intercept(pair.world);
	ok(receive(pair.alice, "bob", text) == 1, "our own message is no message to us");
	free(text);
	pump(pair.world);
	ok(pair_talks(&pair), "and the session goes on");
	pair_free(&pair);
}

/* Every bit of a data message, sampled: never shown, never a changed session. */
static void corrupted_data(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v, i, len, shown = 0;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);
		unsigned char *raw;
		char *text, *bad;
		unsigned char before[20];

		/* The first one: it reveals no MAC keys, which are not authenticated. */
		send_text(pair.alice, "bob", "unharmed");
		text = intercept(pair.world);
		otrl_base64_otr_decode(text, &raw, &len);
		memcpy(before, context_with(pair.bob, "alice")->sessionid, 20);
		forget_log(pair.bob);
		for (i = 0; i < len; i++) {
			raw[i] ^= (unsigned char) (1u << (i % 8));
			bad = otrl_base64_otr_encode(raw, len);
			receive(pair.bob, "alice", bad);
			shown += pair.bob->shown.count && !strcmp(last_shown(pair.bob), "unharmed");
			lines_clear(&pair.bob->shown);
			free(bad);
			raw[i] ^= (unsigned char) (1u << (i % 8));
		}
		for (i = 9; i + 5 < strlen(text); i += 3) {
			bad = strdup(text);
			bad[i] = '\0';
			receive(pair.bob, "alice", bad);
			free(bad);
		}
		ok(shown == 0, "no changed message is shown (version %u)", (unsigned) v + 2);
		ok(is_private(pair.bob, "alice")
				&& !memcmp(before, context_with(pair.bob, "alice")->sessionid, 20),
				"the session is the same");
		while ((bad = intercept(pair.world)) != NULL) {
			free(bad);
		}
		ok(receive(pair.bob, "alice", text) == 0 && !strcmp(last_shown(pair.bob), "unharmed"),
				"and the unharmed message is still read");
		ok(pair_talks(&pair), "and more");
		free(text);
		free(raw);
		pair_free(&pair);
	}
}

/* Lengths that say four gigabytes, heads without bodies, rubbish in armour. */
static void absurd(void)
{
	static const char heads[] = { 0x02, 0x0a, 0x11, 0x12, 0x03, 0x7f };
	static const unsigned lengths[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff0,
		0xfffffffe, 0xffffffff };
	Pair pair = pair_private(POLICY_V23);
	Pair plain = pair_new(POLICY_V23 | OTRL_POLICY_ALLOW_V1);
	size_t h, l, version, pad, at;
	unsigned tag_to, tag_from;
	unsigned char raw[400];
	char *text;

	tag_to = context_with(pair.bob, "alice")->our_instance;
	tag_from = context_with(pair.bob, "alice")->their_instance;
	for (version = 1; version <= 3; version++) {
		for (h = 0; h < sizeof heads; h++) {
			for (l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
				for (pad = 0; pad < 12; pad++) {
					at = 0;
					raw[at++] = 0;
					raw[at++] = (unsigned char) version;
					raw[at++] = (unsigned char) heads[h];
					if (version == 3) {
						unsigned tags[2], t;

						tags[0] = tag_from;
						tags[1] = tag_to;
						for (t = 0; t < 8; t++) {
							raw[at++] = (unsigned char) (tags[t / 4] >> (24 - 8 * (t % 4)));
						}
					}
					memset(raw + at, 1, pad);
					at += pad;
					raw[at++] = (unsigned char) (lengths[l] >> 24);
					raw[at++] = (unsigned char) (lengths[l] >> 16);
					raw[at++] = (unsigned char) (lengths[l] >> 8);
					raw[at++] = (unsigned char) lengths[l];
					memset(raw + at, 0x55, 200);
					at += 200;
					text = otrl_base64_otr_encode(raw, at);
					receive(pair.bob, "alice", text);
					receive(plain.bob, "alice", text);
					free(text);
				}
			}
		}
	}
	while ((text = intercept(pair.world)) != NULL) {
		free(text);
	}
	/* The C libotr takes protocol_version from a DH-commit that it then refuses, and
	 * for a minute after its own DH-commit any DH-key makes a session plaintext. */
	BETTER(is_private(pair.bob, "alice"), "the session is still there");
	BETTER(pair_talks(&pair), "and goes on");
	ok(!is_private(plain.bob, "alice"), "and none came into being");
	pair_free(&pair);
	pair_free(&plain);
}

static void unknown_and_errors(void)
{
	Pair pair = pair_private(OTRL_POLICY_MANUAL);
	Party *a = pair.alice;

	forget_log(a);
	ok(receive(a, "bob", "?OTR:AAMZ.") == 1, "an unknown type is hidden");
	ok(receive(a, "bob", "?OTR hello") == 1 && logged(a, "event 14 ") >= 1,
			"the event RCVDMSG_UNRECOGNIZED");
	forget_log(a);
	ok(receive(a, "bob", "?OTR Error: bad thing") == 1
			&& logged(a, "event 12 0 bad thing") == 1, "an error text is an event");
	ok(logged(a, "inject") == 0, "no query without ERROR_START_AKE");
	receive(a, "bob", "?OTR Error:");
	ok(receive(a, "bob", "?OTR Error: ") == 1, "an empty error");
	ok(is_private(a, "bob"), "no error ends a session");
	a->ops.handle_msg_event = NULL;
	ok(receive(a, "bob", "?OTR Error: bad") == 0, "without that callback it is shown");
	pair_free(&pair);
}

static void malformed_is_answered(void)
{
	Pair pair = pair_private(POLICY_V2);
	char *sent;

	forget_log(pair.bob);
	ok(receive(pair.bob, "alice", "?OTR:AAIDAAAA.") == 1, "a malformed data message");
	ok(logged(pair.bob, "event 9 ") == 1 && logged(pair.bob, "otr_error_message 4") == 1
			&& logged(pair.bob, "otr_error_message_free") == 1, "event and error text");
	sent = intercept(pair.world);
	ok(sent && !strcmp(sent, "?OTR Error: some text of ours"), "the error is sent");
	free(sent);
	pair_free(&pair);
}

int main(void)
{
	run_case("queries", every_query);
	run_case("tags", tags);
	run_case("a tag starts a session", tag_starts_a_session);
	run_case("plaintext in a session", plaintext);
	run_case("data without a session", data_without_a_session);
	run_case("replays and order", replays);
	run_case("reflected", reflected);
	run_case("corrupted data", corrupted_data);
	run_case("absurd lengths", absurd);
	run_case("unknown and errors", unknown_and_errors);
	run_case("malformed", malformed_is_answered);
	return finish();
}
