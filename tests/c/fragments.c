/* Fragments: the four policies, both header forms, reassembly and everything
 * that is no proper fragment. */
#include "world.h"

static char *long_text(size_t len)
{
	char *text = malloc(len + 1);
	size_t i;

	for (i = 0; i < len; i++) {
		text[i] = (char) ('a' + i % 26);
	}
	text[len] = '\0';
	return text;
}

static size_t queued(World *world)
{
	Wire *wire;
	size_t n = 0;

	for (wire = world->first; wire; wire = wire->next) {
		n++;
	}
	return n;
}

static void policies(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	static const OtrlFragmentPolicy each[] = { OTRL_FRAGMENT_SEND_SKIP,
		OTRL_FRAGMENT_SEND_ALL, OTRL_FRAGMENT_SEND_ALL_BUT_FIRST,
		OTRL_FRAGMENT_SEND_ALL_BUT_LAST };
	static const int sizes[] = { 0, 60, 100, 400, 100000 };
	size_t v, e, s;

	for (v = 0; v < 2; v++) {
		for (s = 0; s < 5; s++) {
			Pair pair = pair_private(versions[v]);
			char *text = long_text(700);

			pair.alice->mms = sizes[s];
			for (e = 0; e < 4; e++) {
				char *message = NULL, *first = NULL;
				bool split = sizes[s] == 60 || sizes[s] == 100 || sizes[s] == 400;
				size_t injected;
				Wire *wire;

				ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice,
							"alice", PROTOCOL, "bob", OTRL_INSTAG_BEST, text, NULL,
							&message, each[e], NULL, NULL, NULL) == 0 && message,
						"v%u, size %d, policy %d: a message", (unsigned) v + 2, sizes[s],
						(int) each[e]);
				injected = queued(pair.world);
				for (wire = pair.world->first; wire; wire = wire->next) {
					ok(!split || (strlen(wire->text) <= (size_t) sizes[s]
								&& !strncmp(wire->text, v ? "?OTR|" : "?OTR,", 5)),
							"a fragment within the limit");
				}
				switch (each[e]) {
				case OTRL_FRAGMENT_SEND_SKIP:
					ok(injected == 0 && !strncmp(message, "?OTR:", 5), "SKIP: whole");
					wire_text(pair.alice, "bob", message);
					break;
				case OTRL_FRAGMENT_SEND_ALL:
					ok(injected == (split ? queued(pair.world) : 1) && injected > 0,
							"ALL: injected, and the message is not NULL");
					break;
				case OTRL_FRAGMENT_SEND_ALL_BUT_FIRST:
					ok(split ? injected > 0 && strstr(message, ",00001,") : injected == 0,
							"BUT_FIRST: the first is returned");
					/* It goes before the others. */
					first = strdup(message);
					break;
				case OTRL_FRAGMENT_SEND_ALL_BUT_LAST:
					ok(split ? injected > 0 && !strncmp(message, v ? "?OTR|" : "?OTR,", 5)
							: injected == 0 && !strncmp(message, "?OTR:", 5),
							"BUT_LAST: the last is returned");
					wire_text(pair.alice, "bob", message);
					break;
				}
				if (first) {
					receive(pair.bob, "alice", first);
					free(first);
				}
				pump(pair.world);
				ok(!strcmp(last_shown(pair.bob), text), "it arrives");
				forget_log(pair.bob);
				otrl_message_free(message);
			}
			free(text);
			pair_free(&pair);
		}
	}
}

static void plain_is_not_split(void)
{
	Pair pair = pair_new(POLICY_V3);
	char *text = long_text(700), *message = (char *) 16;

	pair.alice->mms = 100;
	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL,
				"bob", OTRL_INSTAG_BEST, text, NULL, &message, OTRL_FRAGMENT_SEND_ALL,
				NULL, NULL, NULL) == 0 && !message && !pair.world->first,
			"plaintext stays with the client: nothing injected, message NULL");
	free(text);
	pair_free(&pair);
}

static void whole_ake_in_fragments(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3, POLICY_V23 };
	static const int sizes[] = { 50, 100, 417 };
	size_t v, s;

	for (v = 0; v < 3; v++) {
		for (s = 0; s < 3; s++) {
			Pair pair = pair_new(versions[v]);

			pair.alice->mms = pair.bob->mms = sizes[s];
			go_private(pair.alice, pair.bob);
			ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"),
					"policy %x, size %d: an AKE in fragments", versions[v], sizes[s]);
			pair.alice->fragments = OTRL_FRAGMENT_SEND_ALL;
			pair.bob->fragments = OTRL_FRAGMENT_SEND_ALL_BUT_LAST;
			ok(pair_talks(&pair) && pair_talks(&pair), "and talk");
			pair_free(&pair);
		}
	}
}

/* ---- by hand -------------------------------------------------------------- */

static ConnContext *context;
static char *result;

static OtrlFragmentResult accept(const char *text)
{
	OtrlFragmentResult outcome;

	result = NULL;
	outcome = otrl_proto_fragment_accumulate(&result, context, text);
	return outcome;
}

static bool complete(const char *text, const char *expected)
{
	bool right = accept(text) == OTRL_FRAGMENT_COMPLETE && result && !strcmp(result, expected);

	free(result);
	return right;
}

static void by_hand(void)
{
	World *world = world_new();
	Party *p = party_new(world, "alice", NULL);
	char text[64];
	int i;

	context = otrl_context_find(p->us, "bob", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL);
	ok(accept("no fragment") == OTRL_FRAGMENT_UNFRAGMENTED, "no fragment");
	ok(accept("?OTR:AAIDxx.") == OTRL_FRAGMENT_UNFRAGMENTED, "a whole message");
	ok(complete("?OTR,1,1,abc,", "abc"), "one of one");
	ok(complete("?OTR|1f3|2a4,1,1,abc,", "abc"), "with instance tags");
	ok(complete("?OTR|000001f3|000002a4,00001,00001,abc,", "abc"), "in full width");
	ok(accept("?OTR,1,3,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,2,3,cd,") == OTRL_FRAGMENT_INCOMPLETE
			&& complete("?OTR,3,3,ef,", "abcdef"), "three of three");
	ok(accept("text before ?OTR,1,2,ab, and after") == OTRL_FRAGMENT_INCOMPLETE
			&& complete("x ?OTR,2,2,cd,", "abcd"), "text around it");
	ok(accept("?OTR,1,2,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& complete("?OTR|101|102,2,2,cd,", "abcd"), "both forms may mix");
	ok(accept("?OTR,1,3,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,3,3,ef,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,2,3,cd,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,3,3,ef,") == OTRL_FRAGMENT_INCOMPLETE, "out of order: lost");
	ok(accept("?OTR,1,2,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,1,3,xy,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,2,2,cd,") == OTRL_FRAGMENT_INCOMPLETE, "another total: lost");
	ok(accept("?OTR,1,2,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("?OTR,1,2,cd,") == OTRL_FRAGMENT_INCOMPLETE
			&& complete("?OTR,2,2,ef,", "cdef"), "a first one starts afresh");
	ok(accept("?OTR,1,2,ab,") == OTRL_FRAGMENT_INCOMPLETE
			&& accept("plain") == OTRL_FRAGMENT_UNFRAGMENTED
			&& accept("?OTR,2,2,cd,") == OTRL_FRAGMENT_INCOMPLETE,
			"a whole message in between: lost");
	static const char *const broken[] = { "?OTR,0,0,ab,", "?OTR,0,1,ab,", "?OTR,1,0,ab,",
		"?OTR,2,1,ab,", "?OTR,1,2,ab", "?OTR,1,2,,", "?OTR,1,2,", "?OTR,1,2", "?OTR,1,",
		"?OTR,", "?OTR,x,y,z,", "?OTR|,1,2,ab,", "?OTR|", "?OTR|1", "?OTR|1|", "?OTR|1|2,",
		"?OTR|1|2,1,", "?OTR|1|2,0,0,ab,", "?OTR,,,,,", "?OTR|g|h,1,1,abc," };
	for (i = 0; i < (int) (sizeof broken / sizeof broken[0]); i++) {
		ok(accept(broken[i]) == OTRL_FRAGMENT_INCOMPLETE && !result, "'%s' completes nothing",
				broken[i]);
	}
	ok(complete("?OTR,1,1,abc,", "abc"), "and does no harm");
	for (i = 1; i <= 65535; i++) {
		snprintf(text, sizeof text, "?OTR,%d,65535,x,", i);
		if (accept(text) != (i < 65535 ? OTRL_FRAGMENT_INCOMPLETE : OTRL_FRAGMENT_COMPLETE)) {
			break;
		}
	}
	ok(i == 65536 && result && strlen(result) == 65535, "65535 fragments");
	free(result);
	world_free(world);
}

static void making(void)
{
	static const int versions[] = { 2, 3 };
	World *world = world_new();
	Party *p = party_new(world, "alice", NULL);
	char **fragments, *text = long_text(1000);
	size_t v;
	int i;

	context = otrl_context_find(p->us, "bob", "alice", PROTOCOL, 0x123, 1, NULL, NULL, NULL);
	context->our_instance = 0xabcdef01;
	for (v = 0; v < 2; v++) {
		int head = v ? 37 : 19, count;

		context->protocol_version = context->auth.protocol_version = (unsigned) versions[v];
		count = (1000 - 1) / (100 - head) + 1;
		ok(otrl_proto_fragment_create(100, count, &fragments, context, text) == 0,
				"version %d: made", versions[v]);
		ok(!strncmp(fragments[1], v ? "?OTR|abcdef01|00000123,00002,00016,"
					: "?OTR,00002,00013,", v ? 35 : 17), "%.40s", fragments[1]);
		for (i = 0; i < count; i++) {
			ok(strlen(fragments[i]) <= 100 && fragments[i][strlen(fragments[i]) - 1] == ',',
					"within 100");
			if (i < count - 1) {
				ok(accept(fragments[i]) == OTRL_FRAGMENT_INCOMPLETE, "taken");
			} else {
				ok(complete(fragments[i], text), "and whole");
			}
		}
		otrl_proto_fragment_free(&fragments, (unsigned short) count);
	}
	ok(otrl_proto_fragment_create(100, 0, &fragments, context, text) != 0
			&& otrl_proto_fragment_create(100, 65536, &fragments, context, text) != 0
			&& otrl_proto_fragment_create(100, -1, &fragments, context, text) != 0,
			"0, 65536 and -1 fragments are refused");
	free(text);
	world_free(world);
}

/* Fragments for other instances, from no instance, and of several senders. */
static void whose(void)
{
	Pair pair = pair_private(POLICY_V3);
	ConnContext *c = context_with(pair.bob, "alice");
	char text[100];

	forget_log(pair.bob);
	snprintf(text, sizeof text, "?OTR|%x|%x,1,2,abc,", c->their_instance,
			c->our_instance ^ 0x1000);
	ok(receive(pair.bob, "alice", text) == 1 && logged(pair.bob, "event 15 ") == 1,
			"a fragment for another instance");
	snprintf(text, sizeof text, "?OTR|5|%x,1,2,abc,", c->our_instance);
	ok(receive(pair.bob, "alice", text) == 1 && logged(pair.bob, "event 9 ") == 1,
			"from an impossible instance");
	snprintf(text, sizeof text, "?OTR|%x|0,1,2,abc,", c->their_instance);
	ok(receive(pair.bob, "alice", text) == 1, "for any instance");
	pump(pair.world);
	ok(pair_talks(&pair), "the session goes on");
	pair_free(&pair);
}

static void two_senders_interleaved(void)
{
	World *world = world_new();
	Party *a = party_new(world, "alice", keys_all());
	Party *one = party_new(world, "bob", keys_all()), *two = party_new(world, "bob", keys_all());
	char *x[40], *y[40], *text;
	size_t nx = 0, ny = 0, i;

	a->policy = one->policy = two->policy = POLICY_V3;
	go_private(a, one);
	one->mms = two->mms = 100;
	one->fragments = two->fragments = OTRL_FRAGMENT_SEND_ALL;
	send_text(one, "alice", "from the first bob, quite a long text so that it takes several");
	while (nx < 40 && (text = intercept(world)) != NULL) {
		x[nx++] = text;
	}
	send_text(two, "alice", "from the second bob, quite a long text so that it takes several");
	while (ny < 40 && (text = intercept(world)) != NULL) {
		y[ny++] = text;
	}
	ok(nx > 2 && nx == ny, "several fragments each");
	forget_log(a);
	for (i = 0; i < nx; i++) {
		receive(a, "bob", x[i]);
		receive(a, "bob", y[i]);
		free(x[i]);
		free(y[i]);
	}
	ok(a->shown.count == 2, "instances have a buffer each");
	world_free(world);
}

/* Limits smaller than the header of a fragment: no crash, no plaintext. */
static void tiny_limits(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	int mms;
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);

		for (mms = -5; mms < 40; mms++) {
			char *message = NULL;
			gcry_error_t err;
			Wire *wire;

			pair.alice->mms = mms;
			err = otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
					PROTOCOL, "bob", OTRL_INSTAG_BEST, "a secret text", NULL, &message,
					OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL);
			ok((err || message) && (!message || !strstr(message, "secret")),
					"size %d: an error or a message", mms);
			for (wire = pair.world->first; wire; wire = wire->next) {
				ok(!strstr(wire->text, "secret"), "size %d: no plaintext", mms);
			}
			otrl_message_free(message);
			while ((message = intercept(pair.world)) != NULL) {
				free(message);
			}
		}
		pair.alice->mms = 0;
		ok(pair_talks(&pair), "the session goes on");
		pair_free(&pair);
	}
}

int main(void)
{
	run_case("the four policies", policies);
	run_case("plaintext", plain_is_not_split);
	run_case("a whole AKE", whole_ake_in_fragments);
	run_case("by hand", by_hand);
	run_case("making", making);
	run_case("whose", whose);
	run_case("two senders", two_senders_interleaved);
	run_better("tiny limits", tiny_limits);
	return finish();
}
