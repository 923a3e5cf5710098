/* All that real clients do inside callbacks; everything must go on as if they
 * had not.   test: valgrind once time */
#include "world.h"

extern long time_shim_offset;

static const char *only;
static int depth, forgotten;

/* What GUI clients do in every callback that has a context, and some without. */
static void busy(Party *self, const char *callback, ConnContext *context)
{
	const char *peer = strcmp(self->account, "alice") ? "alice" : "bob";
	ConnContext *c;
	Fingerprint *print;
	char path[600];
	int added;

	if (depth || (only && strcmp(only, callback))) {
		return;
	}
	depth++;
	c = otrl_context_find(self->us, peer, self->account, PROTOCOL, OTRL_INSTAG_MASTER, 1,
			&added, NULL, NULL);
	if (added) {
		ok(0, "the context is there before %s", callback);
	}
	for (print = c->fingerprint_root.next; print; print = print->next) {
		otrl_context_set_trust(print, print->trust && *print->trust ? "" : "verified");
		otrl_context_is_fingerprint_trusted(print);
	}
	/* A new name each time, so that the list grows before and behind us. */
	snprintf(path, sizeof path, "aaa %s %u", callback, (unsigned) self->log.count);
	otrl_context_find(self->us, path, self->account, PROTOCOL, OTRL_INSTAG_MASTER, 1, NULL,
			NULL, NULL);
	snprintf(path, sizeof path, "zzz %s %u", callback, (unsigned) self->log.count);
	otrl_context_find(self->us, path, self->account, PROTOCOL, 0x400, 1, NULL, NULL, NULL);
	otrl_context_find(self->us, peer, self->account, PROTOCOL, 0x300, 1, NULL, NULL, NULL);
	if (context && context->active_fingerprint) {
		otrl_context_find_fingerprint(context, context->active_fingerprint->fingerprint, 0,
				NULL);
	}
	otrl_privkey_write_fingerprints(self->us, scratch(self->account));
	otrl_message_poll(self->us, &self->ops, self);
	for (c = self->us->context_root; c; c = c->next) {
		if (c->m_context->m_context != c->m_context) {
			ok(0, "the list is sound");
		}
	}
	depth--;
}

static OtrlPolicy policy;

static void whole_conversation(void)
{
	Pair pair = pair_new(policy);
	Party *a = pair.alice, *b = pair.bob;

	a->hook = b->hook = busy;
	/* A master of its own first, so that "before" can be told. */
	otrl_context_find(a->us, "bob", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL);
	otrl_context_find(b->us, "alice", "bob", PROTOCOL, 0, 1, NULL, NULL, NULL);
	go_private(a, b);
	ok(is_private(a, "bob") && is_private(b, "alice"), "private");
	ok(pair_talks(&pair) && pair_talks(&pair), "talking");
	otrl_message_initiate_smp(a->us, &a->ops, a, context_with(a, "bob"),
			(const unsigned char *) "s", 1);
	pump(pair.world);
	otrl_message_respond_smp(b->us, &b->ops, b, context_with(b, "alice"),
			(const unsigned char *) "s", 1);
	pump(pair.world);
	ok(logged(a, "smp 7 100") == 1, "SMP");
	go_private(b, a);
	ok(pair_talks(&pair), "refreshed");
	receive(a, "bob", "plain text");
	receive(a, "bob", "?OTR Error: x");
	receive(a, "bob", "?OTR:AAIDjunk.");
	ok(pair_talks(&pair), "after bad messages");
	otrl_message_disconnect(a->us, &a->ops, a, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST);
	pump(pair.world);
	ok(b->last_context && b->last_context->msgstate == OTRL_MSGSTATE_FINISHED, "closed");
	depth = 1;
	pair_free(&pair);
	depth = 0;
}

/* The next messages of the same context arrive while create_privkey runs a
 * nested event loop (Psi, LeechCraft, Kopete). */
static void nested_loop(Party *self, const char *callback, ConnContext *context)
{
	(void) context;
	if (strcmp(callback, "create_privkey") || depth) {
		return;
	}
	depth++;
	receive(self, "bob", "hello in between");
	receive(self, "bob", "?OTRv23?");
	send_text(self, "bob", "typed in between");
	pump(self->world);
	otrl_privkey_read(self->us, keys_all());
	pump(self->world);
	depth--;
}

static void inside_create_privkey(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;
	int side;

	for (v = 0; v < 2; v++) {
		for (side = 0; side < 2; side++) {
			Pair pair;

			pair.world = world_new();
			pair.alice = party_new(pair.world, "alice", NULL);
			pair.bob = party_new(pair.world, "bob", keys_all());
			pair.alice->policy = pair.bob->policy = versions[v];
			pair.alice->hook = nested_loop;
			if (side) {
				go_private(pair.alice, pair.bob);
			} else {
				go_private(pair.bob, pair.alice);
			}
			ok(logged(pair.alice, "create_privkey") >= 1, "the key was asked for");
			go_private(pair.alice, pair.bob);
			check_that(is_private(pair.alice, "bob") && is_private(pair.bob, "alice")
					&& pair_talks(&pair), v == 1, __FILE__, __LINE__,
					"version %u, side %d: a session in the end", (unsigned) v + 2, side);
			pair_free(&pair);
		}
	}
}

/* Ending the session from inside gone_secure and other places. */
static void leave(Party *self, const char *callback, ConnContext *context)
{
	const char *peer = strcmp(self->account, "alice") ? "alice" : "bob";

	if (depth || strcmp(only, callback)) {
		return;
	}
	(void) context;
	depth++;
	otrl_message_disconnect_all_instances(self->us, &self->ops, self, self->account,
			PROTOCOL, peer);
	depth--;
}

static const char *const all_places[] = { "policy", "create_privkey", "is_logged_in", "inject", "update_context_list",
	"new_fingerprint", "write_fingerprints", "gone_secure", "still_secure", "max_message_size", "received_symkey",
	"otr_error_message", "smp", "event", "create_instag", "convert_msg", "timer_control", "add_app_data" };

static const char *const places[] = { "gone_secure", "still_secure", "write_fingerprints",
	"new_fingerprint", "update_context_list", "event", "smp", "convert_msg",
	"received_symkey", "policy", "max_message_size", "is_logged_in", "create_instag",
	"otr_error_message" };

static void leaving_inside(void)
{
	Pair pair = pair_new(policy);
	unsigned char key[32];
	ConnContext *c;

	pair.bob->hook = leave;
	pair.alice->mms = pair.bob->mms = 5000;
	go_private(pair.alice, pair.bob);
	send_text(pair.alice, "bob", "text");
	send_text(pair.bob, "alice", "text");
	pump(pair.world);
	c = context_with(pair.alice, "bob");
	otrl_message_initiate_smp(pair.alice->us, &pair.alice->ops, pair.alice, c,
			(const unsigned char *) "s", 1);
	otrl_message_symkey(pair.alice->us, &pair.alice->ops, pair.alice, c, 1, NULL, 0, key);
	pump(pair.world);
	receive(pair.bob, "alice", "plain");
	receive(pair.bob, "alice", "?OTR:AAIDjunk.");
	pump(pair.world);
	pair.bob->hook = NULL;
	go_private(pair.alice, pair.bob);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice") && pair_talks(&pair),
			"a session after leaving inside %s", only);
	pair_free(&pair);
}

/* Forgetting everything, the context that the callback is about with it, once in each call of the library. */
static void forget(Party *self, const char *callback, ConnContext *context)
{
	(void) context;
	if (depth || strcmp(only, callback)) {
		return;
	}
	depth++;
	forgotten++;
	otrl_context_forget_all(self->us);
}

static void forgetting_inside(void)
{
	Pair pair = pair_new(policy);
	Party *sides[] = { pair.alice, pair.bob };
	unsigned char key[32];
	ConnContext *c;
	int step, side;

	if (!strcmp(only, "create_privkey")) {
		otrl_privkey_forget_all(pair.bob->us);
	}
	pair.alice->hook = pair.bob->hook = forget;
	pair.alice->mms = pair.bob->mms = 5000;
	for (step = 0; step < 15; step++) {
		/* A session for what comes after the first exchange. */
		depth = 1;
		if (step >= 8 && !(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"))) {
			go_private(pair.alice, pair.bob);
		}
		for (side = 0; side < 2; side++) {
			Party *self = sides[side];
			const char *peer = side ? "alice" : "bob";

			depth = 0;
			c = context_with(self, peer);
			switch (step) {
			case 0:
				send_text(self, peer, side ? "hello" : "?OTR?");
				break;
			case 8:
				send_text(self, peer, "text");
				break;
			case 9:
				if (c && !side) {
					otrl_message_initiate_smp_q(self->us, &self->ops, self, c, "which?", (const unsigned char *) "s", 1);
				}
				break;
			case 10:
				if (c && side) {
					otrl_message_respond_smp(self->us, &self->ops, self, c, (const unsigned char *) "s", 1);
				}
				break;
			case 11:
				if (c) {
					otrl_message_symkey(self->us, &self->ops, self, c, 1, NULL, 0, key);
				}
				break;
			case 12:
				receive(self, peer, "plain");
				receive(self, peer, "?OTR Error: x");
				receive(self, peer, "?OTR:AAIDjunk.");
				receive(self, peer, "?OTR:AAMDjunk.");
				break;
			case 13:
				otrl_message_disconnect_all_instances(self->us, &self->ops, self, self->account, PROTOCOL, peer);
				break;
			case 14:
				/* The session is refreshed. */
				if (!side) {
					send_text(self, peer, "?OTR?");
				}
				break;
			default:
				otrl_message_poll(self->us, &self->ops, self);
				deliver_one(pair.world);
			}
			if (step >= 8) {
				pump(pair.world);
			}
		}
	}
	ok(forgotten > 0 || !strcmp(only, "create_instag"),
			"forgotten %d times in %s", forgotten, only);
	depth = 0;
	pair.alice->hook = pair.bob->hook = NULL;
	otrl_privkey_read(pair.bob->us, keys_all());
	pump(pair.world);
	/* Until then a query is answered by the exchange that forgetting has cut off. */
	time_shim_offset += 10;
	go_private(pair.alice, pair.bob);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice") && pair_talks(&pair),
			"a session after forgetting inside %s", only);
	pair_free(&pair);
}

/* Sending from inside inject_message and handle_msg_event. */
static void talk(Party *self, const char *callback, ConnContext *context)
{
	const char *peer = strcmp(self->account, "alice") ? "alice" : "bob";

	(void) context;
	if (depth || (strcmp(callback, "inject") && strcmp(callback, "event")
				&& strcmp(callback, "gone_secure") && strcmp(callback, "smp"))) {
		return;
	}
	depth++;
	if (is_private(self, peer)) {
		send_text(self, peer, "from inside");
	}
	depth--;
}

static void sending_inside(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_new(versions[v]);
		int i, heard = 0;

		pair.alice->hook = pair.bob->hook = talk;
		go_private(pair.alice, pair.bob);
		pump(pair.world);
		ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice"), "private");
		ok(pair_talks(&pair), "and talking");
		for (i = 0; i < (int) pair.alice->shown.count; i++) {
			heard += !strcmp(pair.alice->shown.at[i], "from inside");
		}
		ok(heard > 0, "alice heard what bob said inside a callback");
		pair_free(&pair);
	}
}

/* profanity writes fp->trust itself. */
static void trust_dance(void)
{
	Pair pair = pair_private(POLICY_V2);
	Fingerprint *print = context_with(pair.alice, "bob")->active_fingerprint;
	char *text;
	OtrlUserState us;

	free(print->trust);
	print->trust = strdup("trusted");
	ok(otrl_context_is_fingerprint_trusted(print), "trusted");
	ok(otrl_privkey_write_fingerprints(pair.alice->us, scratch("dance")) == 0, "written");
	text = read_file(scratch("dance"), NULL);
	ok(text && strstr(text, "bob\talice\tprpl-test\t") && strstr(text, "\ttrusted\n"),
			"as the client set it");
	free(text);
	us = otrl_userstate_create();
	ok(otrl_privkey_read_fingerprints(us, scratch("dance"), NULL, NULL) == 0
			&& !strcmp(us->context_root->fingerprint_root.next->trust, "trusted"), "and read");
	free(us->context_root->fingerprint_root.next->trust);
	us->context_root->fingerprint_root.next->trust = strdup("");
	otrl_privkey_read_fingerprints(us, scratch("dance"), NULL, NULL);
	ok(!strcmp(us->context_root->fingerprint_root.next->trust, "trusted")
			&& !us->context_root->fingerprint_root.next->next, "read twice: merged");
	otrl_userstate_free(us);
	free(print->trust);
	print->trust = NULL;
	ok(!otrl_context_is_fingerprint_trusted(print), "not trusted");
	otrl_context_set_trust(print, "smp");
	otrl_context_set_trust(print, NULL);
	ok(print->trust == NULL || !*print->trust, "set_trust(NULL)");
	free(print->trust);
	print->trust = strdup("verified");
	ok(pair_talks(&pair), "the session goes on");
	pair_free(&pair);
}

int main(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	char name[80];
	size_t i, v;

	policy = POLICY_V2;
	run_case("busy callbacks, version 2", whole_conversation);
	policy = POLICY_V3;
	run_case("busy callbacks, version 3", whole_conversation);
	run_case("a nested loop inside create_privkey", inside_create_privkey);
	for (v = getenv("OTR_SLOW") ? 1 : 0; v < 2; v++) {
		for (i = 0; i < sizeof all_places / sizeof *all_places; i++) {
			policy = versions[v];
			only = all_places[i];
			snprintf(name, sizeof name, "forgetting inside %s, version %u", only, (unsigned) v + 2);
			run_better(name, forgetting_inside);
		}
		for (i = 0; i < sizeof places / sizeof places[0]; i++) {
			policy = versions[v];
			only = places[i];
			snprintf(name, sizeof name, "leaving inside %s, version %u", only,
					(unsigned) v + 2);
			/* Some of these crash the C libotr. */
			run_better(name, leaving_inside);
		}
	}
	only = NULL;
	run_case("sending inside a callback", sending_inside);
	run_case("trust dance", trust_dance);
	return finish();
}
