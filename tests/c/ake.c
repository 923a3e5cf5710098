/* The authenticated key exchange between two user states: order of events,
 * simultaneous starts, repeated, dropped, reordered and corrupted messages.
 * test: time */
#include "world.h"

extern long time_shim_offset;

/* For so many seconds a query is answered by the exchange under way. */
#define EXCHANGE 10

#include <libotr/b64.h>

static void order_of_events(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3, POLICY_V23, OTRL_POLICY_ALLOW_V1 };
	size_t v, side;

	for (v = 0; v < 4; v++) {
		Pair pair = pair_private(versions[v]);
		Party *both[2];

		both[0] = pair.alice;
		both[1] = pair.bob;
		for (side = 0; side < 2; side++) {
			Party *p = both[side];
			ConnContext *c = context_with(p, side ? "alice" : "bob");
			unsigned number = v == 0 ? 2 : v == 3 ? 1 : 3;
			char line[40];

			ok(logged_at(p, "add_app_data") == 0, "add_app_data comes first");
			ok(logged(p, "new_fingerprint") == 1 && logged(p, "write_fingerprints") == 1
					&& logged(p, "gone_secure") == 1 && logged(p, "still_secure") == 0,
					"each once (policy %x)", versions[v]);
			ok(logged_at(p, "new_fingerprint") < logged_at(p, "write_fingerprints")
					&& logged_at(p, "write_fingerprints") < logged_at(p, "gone_secure"),
					"new_fingerprint, write_fingerprints, gone_secure");
			snprintf(line, sizeof line, "gone_secure state 1 version %u", number);
			ok(logged(p, line) == 1, "inside gone_secure: %s",
					p->log.at[logged_at(p, "gone_secure")]);
			ok(logged(p, "gone_insecure") == 0, "gone_insecure is never called");
			ok(c->active_fingerprint && c->active_fingerprint->context == c->m_context,
					"the fingerprint belongs to the master");
			ok(c->sessionid_len == (number == 1 ? 20u : 8u), "a session id");
			ok(c->auth.authstate == OTRL_AUTHSTATE_NONE, "nothing is pending");
		}
		ok(!memcmp(context_with(pair.alice, "bob")->sessionid,
					context_with(pair.bob, "alice")->sessionid, 20)
				&& context_with(pair.alice, "bob")->sessionid_half
				!= context_with(pair.bob, "alice")->sessionid_half,
				"the same session id, opposite halves");
		ok(pair_talks(&pair) && pair_talks(&pair), "it works");
		pair_free(&pair);
	}
}

static void fingerprints_match(void)
{
	Pair pair = pair_private(POLICY_V3);
	unsigned char hash[20];
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN], theirs[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];

	ok(otrl_privkey_fingerprint_raw(pair.bob->us, hash, "bob", PROTOCOL) == hash
			&& !memcmp(hash, context_with(pair.alice, "bob")->active_fingerprint->fingerprint,
				20), "alice has bob's fingerprint");
	ok(otrl_privkey_fingerprint(pair.bob->us, human, "bob", PROTOCOL) == human, "for humans");
	otrl_privkey_hash_to_human(theirs, hash);
	ok(!strcmp(human, theirs) && strlen(human) == 44, "the same");
	ok(otrl_privkey_fingerprint(pair.bob->us, human, "nobody", PROTOCOL) == NULL
			&& otrl_privkey_fingerprint_raw(pair.bob->us, hash, "nobody", PROTOCOL) == NULL,
			"no key, no fingerprint");
	pair_free(&pair);
}

static void again(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);

		pair_talks(&pair);
		forget_log(pair.alice);
		forget_log(pair.bob);
		go_private(pair.bob, pair.alice);
		ok(logged(pair.alice, "gone_secure") + logged(pair.alice, "still_secure") == 1
				&& logged(pair.bob, "still_secure 0") == 1
				&& logged(pair.bob, "gone_secure") == 0
				&& logged(pair.bob, "new_fingerprint") == 0
				&& logged(pair.alice, "new_fingerprint") == 0, "a refresh is still_secure");
		/* In version 3 the C libotr says gone_secure to the sender of the DH-commit. */
		ok(v == 1 || logged(pair.alice, "still_secure 1") == 1,
				"which says who sent the DH-commit");
		ok(pair_talks(&pair), "and works");
		pair_free(&pair);
	}
}

static void another_key(void)
{
	Pair pair = pair_private(POLICY_V3);
	Party *bob = pair.bob;
	OtrlUserState old = bob->us;
	Fingerprint *first;

	first = context_with(pair.alice, "bob")->active_fingerprint;
	otrl_context_set_trust(first, "verified");
	/* bob restarts with another key. */
	bob->us = otrl_userstate_create();
	otrl_privkey_read(bob->us, keys_other());
	forget_log(pair.alice);
	go_private(bob, pair.alice);
	ok(is_private(pair.alice, "bob"), "private with another key");
	ok(logged(pair.alice, "new_fingerprint") == 1 && logged(pair.alice, "gone_secure") == 1,
			"which is new");
	ok(context_with(pair.alice, "bob")->m_context->fingerprint_root.next != first
			&& context_with(pair.alice, "bob")->m_context->fingerprint_root.next->next == first,
			"and stands before the old one");
	ok(first->trust && !strcmp(first->trust, "verified")
			&& !otrl_context_is_fingerprint_trusted(context_with(pair.alice,
					"bob")->active_fingerprint)
			== (context_with(pair.alice, "bob")->active_fingerprint != first),
			"trust stays with the key");
	otrl_userstate_free(old);
	pair_free(&pair);
}

/* Both ask at once, in every way the two queries can cross. */
static void crossing_queries(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;
	int round;

	for (v = 0; v < 2; v++) {
		for (round = 0; round < 8; round++) {
			Pair pair = pair_new(versions[v]);

			send_text(pair.alice, "bob", "?OTR?");
			send_text(pair.bob, "alice", "?OTR?");
			ok(pump(pair.world), "it comes to an end (version %u)", (unsigned) v + 2);
			BETTER(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"),
					"both are private");
			BETTER(pair_talks(&pair), "and understand each other");
			go_private(pair.alice, pair.bob);
			ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice")
					&& pair_talks(&pair), "a later query always works");
			pair_free(&pair);
		}
	}
}

/* ---- bad transport -------------------------------------------------------- */

static unsigned counter, chosen;

static bool repeat_all(World *world, Wire *wire)
{
	(void) world;
	if (counter++ < 40) {
		wire_text(wire->sender, wire->to, wire->text);
	}
	return true;
}

static bool drop_chosen(World *world, Wire *wire)
{
	(void) world;
	(void) wire;
	return counter++ != chosen;
}

static void repeated(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_new(versions[v]);

		counter = 0;
		pair.world->filter = repeat_all;
		go_private(pair.alice, pair.bob);
		pair.world->filter = NULL;
		ok(pump(pair.world), "repeating everything comes to an end");
		go_private(pair.alice, pair.bob);
		ok(is_private(pair.alice, "bob") && pair_talks(&pair),
				"and a session can be had (version %u)", (unsigned) v + 2);
		pair_free(&pair);
	}
}

static void each_twice_at_once(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;
	char *text;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_new(versions[v]);
		Party *to = pair.bob;
		const char *from = "alice";

		/* Each message of one clean AKE is delivered twice, its answers once. */
		send_text(pair.alice, "bob", "?OTR?");
		while ((text = intercept(pair.world)) != NULL) {
			char *more;

			receive(to, from, text);
			more = intercept(pair.world);
			receive(to, from, text);
			free(text);
			while ((text = intercept(pair.world)) != NULL) {
				free(text);
			}
			if (more) {
				wire_text(to, to == pair.bob ? "alice" : "bob", more);
				free(more);
			}
			to = to == pair.bob ? pair.alice : pair.bob;
			from = to == pair.bob ? "alice" : "bob";
		}
		ok(context_with(pair.alice, "bob") != NULL, "no crash (version %u)", (unsigned) v + 2);
		go_private(pair.bob, pair.alice);
		ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice")
				&& pair_talks(&pair), "a query mends everything");
		pair_free(&pair);
	}
}

static void dropped(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		for (chosen = 0; chosen < 5; chosen++) {
			Pair pair = pair_new(versions[v]);

			counter = 0;
			pair.world->filter = drop_chosen;
			go_private(pair.alice, pair.bob);
			pair.world->filter = NULL;
			ok(!is_private(pair.alice, "bob") || !is_private(pair.bob, "alice"),
					"without message %u there is no session", chosen);
			time_shim_offset += EXCHANGE;
			go_private(pair.alice, pair.bob);
			ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice")
					&& pair_talks(&pair), "and the next query makes one");
			pair_free(&pair);
		}
	}
}

/* One bit of one AKE message is flipped: no session, or none that differs. */
static size_t bit;
static bool changed;

static bool flip(World *world, Wire *wire)
{
	unsigned char *raw;
	size_t len;

	(void) world;
	if (counter++ != chosen || otrl_base64_otr_decode(wire->text, &raw, &len)) {
		return true;
	}
	if (bit / 8 < len) {
		raw[bit / 8] ^= (unsigned char) (1u << (bit % 8));
		free(wire->text);
		wire->text = otrl_base64_otr_encode(raw, len);
		changed = true;
	}
	free(raw);
	return true;
}

static void flipped(OtrlPolicy policy, size_t step)
{
	unsigned harmed = 0;

	for (chosen = 1; chosen <= 4; chosen++) {
		for (bit = chosen; ; bit += step) {
			Pair pair = pair_new(policy);
			bool a, b;

			counter = 0;
			changed = false;
			pair.world->filter = flip;
			go_private(pair.alice, pair.bob);
			pair.world->filter = NULL;
			a = is_private(pair.alice, "bob");
			b = is_private(pair.bob, "alice");
			if (!changed) {
				pair_free(&pair);
				break;
			}
			/* The sender of the last message is private before it arrives. */
			if (a && b) {
				ConnContext *x = context_with(pair.alice, "bob");
				ConnContext *y = context_with(pair.bob, "alice");

				if (memcmp(x->sessionid, y->sessionid, 20) || !pair_talks(&pair)) {
					harmed++;
				}
			}
			pair_free(&pair);
		}
	}
	ok(harmed == 0, "no flipped bit makes a different session (policy %x)", policy);
}

static void flipped_v2(void)
{
	flipped(POLICY_V2, 113);
}

static void flipped_v3(void)
{
	flipped(POLICY_V3, 127);
}

/* The same inside a session: whatever the bits, it goes on as it was. */
static void flipped_in_a_session(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);
		unsigned char before[20];
		unsigned changes = 0;

		pair_talks(&pair);
		memcpy(before, context_with(pair.alice, "bob")->sessionid, 20);
		for (chosen = 2; chosen <= 3; chosen++) {
			for (bit = 700; bit < 2600; bit += 401) {
				char *text;

				counter = 0;
				pair.world->filter = flip;
				send_text(pair.alice, "bob", "?OTR?");
				while (pair.world->first && counter <= chosen) {
					deliver_one(pair.world);
				}
				pair.world->filter = NULL;
				while ((text = intercept(pair.world)) != NULL) {
					free(text);
				}
				changes += !is_private(pair.alice, "bob") || !is_private(pair.bob, "alice")
					|| (chosen == 2 && memcmp(before, context_with(pair.alice,
								"bob")->sessionid, 20));
			}
		}
		/* The C libotr makes a version 3 session plaintext on any DH-key it waits for. */
		check_that(changes == 0, v == 1, __FILE__, __LINE__,
				"the session stays (version %u)", (unsigned) v + 2);
		go_private(pair.alice, pair.bob);
		ok(pair_talks(&pair), "and works after the next AKE");
		pair_free(&pair);
	}
}

static void truncated(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v, cut, len;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_new(versions[v]);
		Party *to = pair.bob;
		const char *from = "alice";
		char *text;

		send_text(pair.alice, "bob", "?OTR?");
		while ((text = intercept(pair.world)) != NULL) {
			char *junk, *part = strdup(text);
			Wire *keep;

			len = strlen(text);
			keep = pair.world->first;
			for (cut = 9; !strncmp(text, "?OTR:", 5) && cut < len - 2; cut += 37) {
				strcpy(part, text);
				part[cut] = '\0';
				receive(to, from, part);
				part[cut] = '.';
				part[cut + 1] = '\0';
				receive(to, from, part);
				while (pair.world->first != keep && (junk = intercept(pair.world)) != NULL) {
					free(junk);
				}
			}
			free(part);
			receive(to, from, text);
			free(text);
			to = to == pair.bob ? pair.alice : pair.bob;
			from = to == pair.bob ? "alice" : "bob";
		}
		BETTER(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"),
				"truncated copies do not disturb an AKE (version %u)", (unsigned) v + 2);
		go_private(pair.alice, pair.bob);
		ok(is_private(pair.alice, "bob") && pair_talks(&pair), "a session afterwards");
		pair_free(&pair);
	}
}

/* A second DH-commit, DH-key and so on of another exchange, at the wrong time. */
static void out_of_place(void)
{
	Pair one = pair_new(POLICY_V2), two = pair_new(POLICY_V2);
	char *text[8];
	int count = 0, i, j;

	send_text(one.alice, "bob", "?OTR?");
	while (count < 8 && (text[count] = intercept(one.world)) != NULL) {
		receive(count % 2 ? one.alice : one.bob, count % 2 ? "bob" : "alice", text[count]);
		count++;
	}
	ok(count == 5 && is_private(one.alice, "bob"), "an AKE has five messages with its query");
	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) {
			char *junk;

			receive(two.bob, "alice", text[i]);
			receive(two.alice, "bob", text[j]);
			receive(one.bob, "alice", text[j]);
			while ((junk = intercept(two.world)) != NULL) {
				free(junk);
			}
			while ((junk = intercept(one.world)) != NULL) {
				free(junk);
			}
		}
	}
	ok(!is_private(two.alice, "bob") && !is_private(two.bob, "alice"),
			"recorded messages make no session");
	time_shim_offset += EXCHANGE;
	go_private(two.alice, two.bob);
	ok(is_private(two.alice, "bob") && pair_talks(&two), "a real one still can be made");
	for (i = 0; i < count; i++) {
		free(text[i]);
	}
	pair_free(&one);
	pair_free(&two);
}

static void talking_to_oneself(void)
{
	World *world = world_new();
	Party *alice = party_new(world, "alice", keys_all());
	char *text;
	int i;

	alice->policy = POLICY_V2;
	send_text(alice, "alice", "?OTR?");
	for (i = 0; i < 12 && (text = intercept(world)) != NULL; i++) {
		receive(alice, "alice", text);
		free(text);
	}
	ok(!is_private(alice, "alice"), "no session with oneself");
	world_free(world);
}

static void refused_versions(void)
{
	Pair pair = pair_new(POLICY_V2);

	pair.bob->policy = POLICY_V3;
	go_private(pair.alice, pair.bob);
	ok(!is_private(pair.alice, "bob") && !is_private(pair.bob, "alice"), "no common version");
	pair.bob->policy = POLICY_V23;
	go_private(pair.bob, pair.alice);
	ok(is_private(pair.alice, "bob")
			&& context_with(pair.alice, "bob")->protocol_version == 2, "2 is common");
	pair.alice->policy = POLICY_V23;
	go_private(pair.bob, pair.alice);
	ok(is_private(pair.alice, "bob")
			&& context_with(pair.alice, "bob")->protocol_version == 3, "now 3 is");
	pair_free(&pair);
}

int main(void)
{
	run_case("order of events", order_of_events);
	run_case("fingerprints", fingerprints_match);
	run_case("again", again);
	run_case("another key", another_key);
	run_case("crossing queries", crossing_queries);
	run_case("repeated", repeated);
	run_case("each twice", each_twice_at_once);
	run_case("dropped", dropped);
	run_case("flipped bits, version 2", flipped_v2);
	run_case("flipped bits, version 3", flipped_v3);
	run_case("flipped bits in a session", flipped_in_a_session);
	run_case("truncated", truncated);
	run_case("out of place", out_of_place);
	run_case("talking to oneself", talking_to_oneself);
	run_case("versions that do not meet", refused_versions);
	return finish();
}
