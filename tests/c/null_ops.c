/* Any callback may be missing and any answer may be NULL: a whole conversation
 * (AKE, messages, SMP, error, disconnect) without each of them in turn. */
#include "world.h"

/* The members of OtrlMessageAppOps, all pointers, in order. */
static const char *const members[] = {
	"policy", "create_privkey", "is_logged_in", "inject_message",
	"update_context_list", "new_fingerprint", "write_fingerprints", "gone_secure",
	"gone_insecure", "still_secure", "max_message_size", "account_name",
	"account_name_free", "received_symkey", "otr_error_message",
	"otr_error_message_free", "resent_msg_prefix", "resent_msg_prefix_free",
	"handle_smp_event", "handle_msg_event", "create_instag", "convert_msg",
	"convert_free", "timer_control"
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static void drop(Party *p, size_t member)
{
	memset((char *) &p->ops + member * sizeof(void (*)(void)), 0,
			sizeof(void (*)(void)));
}

static void answer_smp(Party *self, const char *callback, ConnContext *context)
{
	(void) callback;
	if (context && !strcmp(callback, "smp") && context->smstate->nextExpected
			== OTRL_SMP_EXPECT1 && strstr(self->log.at[self->log.count - 1], "smp 5")) {
		otrl_message_respond_smp(self->us, &self->ops, self, context,
				(const unsigned char *) "s", 1);
	}
}

/* Everything two clients do, whatever comes of it. */
static void whole_life(Pair *pair)
{
	Party *a = pair->alice, *b = pair->bob;
	unsigned char key[32];
	ConnContext *context;

	a->hook = b->hook = answer_smp;
	send_text(a, "bob", "plain");
	pump(pair->world);
	go_private(a, b);
	send_text(a, "bob", "one");
	pump(pair->world);
	send_text(b, "alice", "two");
	pump(pair->world);
	receive(a, "bob", "plain while private");
	receive(b, "alice", "?OTR Error: some error");
	receive(a, "bob", "?OTR:AAMDgarbage.");
	receive(a, "bob", "?OTR:AAIDgarbage.");
	receive(a, "bob", "?OTR:XX");
	receive(a, "bob", "?OTR,0,0,x,");
	context = context_with(a, "bob");
	if (context) {
		otrl_message_initiate_smp(a->us, &a->ops, a, context,
				(const unsigned char *) "s", 1);
		pump(pair->world);
		otrl_message_initiate_smp_q(a->us, &a->ops, a, context, "q",
				(const unsigned char *) "s", 1);
		pump(pair->world);
		otrl_message_abort_smp(a->us, &a->ops, a, context);
		pump(pair->world);
		otrl_message_symkey(a->us, &a->ops, a, context, 5,
				(const unsigned char *) "u", 1, key);
		pump(pair->world);
	}
	go_private(b, a);
	otrl_message_poll(a->us, &a->ops, a);
	otrl_message_disconnect(a->us, &a->ops, a, "alice", PROTOCOL, "bob",
			OTRL_INSTAG_BEST);
	pump(pair->world);
	send_text(b, "alice", "too late");
	otrl_message_disconnect_all_instances(b->us, &b->ops, b, "bob", PROTOCOL, "alice");
	pump(pair->world);
}

static size_t dropped;
static OtrlPolicy policy;

static void without_one_on_both(void)
{
	Pair pair = pair_new(policy);

	drop(pair.alice, dropped);
	drop(pair.bob, dropped);
	whole_life(&pair);
	ok(1, "lived through");
	pair_free(&pair);
}

static void without_one(void)
{
	Pair pair = pair_new(policy);
	bool needed = !strcmp(members[dropped], "inject_message");
	bool starts;

	drop(pair.alice, dropped);
	go_private(pair.alice, pair.bob);
	starts = is_private(pair.alice, "bob") && is_private(pair.bob, "alice");
	if (!strcmp(members[dropped], "create_instag")) {
		/* The C libotr gives its v3 children the tag 0 then. */
		BETTER(starts, "a session starts");
	} else {
		ok(starts != needed, "a session starts unless nothing can be sent");
	}
	if (starts) {
		ok(pair_talks(&pair), "and works");
		whole_life(&pair);
	}
	ok(1, "lived through");
	pair_free(&pair);
}

static void nothing_at_all(void)
{
	Pair pair = pair_new(OTRL_POLICY_MANUAL);
	char *message = NULL;

	memset(&pair.alice->ops, 0, sizeof pair.alice->ops);
	memset(&pair.bob->ops, 0, sizeof pair.bob->ops);
	ok(otrl_message_sending(pair.alice->us, &pair.alice->ops, NULL, "alice", PROTOCOL,
				"bob", OTRL_INSTAG_BEST, "?OTR?", NULL, &message,
				OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL) == 0 && message,
			"a query");
	otrl_message_free(message);
	whole_life(&pair);
	ok(1, "lived through with no callback");
	pair_free(&pair);
}

static void null_answers(void)
{
	Pair pair = pair_new(POLICY_V23);

	pair.alice->error_text = pair.bob->error_text = NULL;
	pair.alice->resent_prefix = pair.bob->resent_prefix = NULL;
	whole_life(&pair);
	ok(1, "lived through with error text and prefix NULL");
	pair_free(&pair);
}

/* Without otr_error_message, or with NULL from it, a failed encryption must
 * still not look like "send the original". */
static void failed_encryption(void)
{
	int round;

	for (round = 0; round < 2; round++) {
		Pair pair = pair_new(POLICY_V23);
		char *message = (char *) 16;
		ConnContext *context;
		gcry_error_t err;

		pair.alice->error_text = NULL;
		if (round == 0) {
			pair.alice->ops.otr_error_message = NULL;
		}
		send_text(pair.alice, "bob", "x");
		context = context_with(pair.alice, "bob");
		context->msgstate = OTRL_MSGSTATE_ENCRYPTED;
		err = otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice,
				"alice", PROTOCOL, "bob", OTRL_INSTAG_BEST, "secret", NULL,
				&message, OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
		BETTER(err != 0, "err is set (%s)", round ? "NULL text" : "no callback");
		BETTER(err != 0 || message, "never err == 0 without a message");
		ok(logged(pair.alice, "event 2 ") == 1, "the event ENCRYPTION_ERROR");
		otrl_message_free(message);
		context->msgstate = OTRL_MSGSTATE_PLAINTEXT;
		pair_free(&pair);
	}
}

static void failed_encryption_with_text(void)
{
	Pair pair = pair_new(POLICY_V23);
	char *message = (char *) 16;
	ConnContext *context;
	gcry_error_t err;

	send_text(pair.alice, "bob", "x");
	context = context_with(pair.alice, "bob");
	context->msgstate = OTRL_MSGSTATE_ENCRYPTED;
	err = otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob", OTRL_INSTAG_BEST, "secret", NULL, &message,
			OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
	ok(err || (message && !strcmp(message, "?OTR Error: some text of ours")),
			"an error, or the error text to send instead");
	ok(!message || !strstr(message, "secret"), "never the text itself");
	ok(logged(pair.alice, "event 2 ") == 1, "the event ENCRYPTION_ERROR");
	ok(logged(pair.alice, "otr_error_message 1") == logged(pair.alice,
				"otr_error_message_free"), "what was produced is freed");
	otrl_message_free(message);
	context->msgstate = OTRL_MSGSTATE_PLAINTEXT;
	pair_free(&pair);
}

static void no_key(void)
{
	World *world = world_new();
	Party *alice = party_new(world, "alice", NULL), *bob = party_new(world, "bob", keys_all());

	alice->ops.create_privkey = NULL;
	go_private(alice, bob);
	ok(!is_private(alice, "bob") && !is_private(bob, "alice"),
			"no key and no create_privkey: the AKE stops quietly");
	otrl_privkey_read(alice->us, keys_all());
	go_private(alice, bob);
	ok(is_private(alice, "bob") && is_private(bob, "alice"),
			"and works once a key was made elsewhere");
	world_free(world);
}

/* Our DH-commit was answered while there was no key. Once there is one, a query
 * from either side must start afresh, whoever's hash is the higher one. */
static void key_comes_late(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;
	int round;

	for (v = 0; v < 2; v++) {
		for (round = 0; round < 16; round++) {
			World *world = world_new();
			Party *alice = party_new(world, "alice", NULL);
			Party *bob = party_new(world, "bob", keys_all());

			alice->policy = bob->policy = versions[v];
			go_private(bob, alice);
			ok(!is_private(alice, "bob"), "no session without a key");
			otrl_privkey_read(alice->us, keys_all());
			if (round % 2) {
				go_private(alice, bob);
			} else {
				go_private(bob, alice);
			}
			/* The C libotr may drop bob's version 3 DH-commit without an answer. */
			check_that(is_private(alice, "bob") && is_private(bob, "alice"), v == 1, __FILE__,
					__LINE__, "version %u: one with it, asked for by %s", (unsigned) v + 2,
					round % 2 ? "alice" : "bob");
			world_free(world);
		}
	}
}

static void key_on_demand(void)
{
	World *world = world_new();
	Party *alice = party_new(world, "alice", NULL), *bob = party_new(world, "bob", NULL);

	alice->makes_key = bob->makes_key = true;
	go_private(alice, bob);
	ok(is_private(alice, "bob") && is_private(bob, "alice"), "keys are made on demand");
	ok(logged(alice, "create_privkey alice prpl-test") == 1
			&& logged(bob, "create_privkey bob prpl-test") == 1, "asked for once each");
	world_free(world);
}

static void key_never_made(void)
{
	World *world = world_new();
	Party *alice = party_new(world, "alice", NULL), *bob = party_new(world, "bob", keys_all());

	go_private(alice, bob);
	ok(logged(alice, "create_privkey") >= 1 && !is_private(alice, "bob")
			&& !is_private(bob, "alice"), "create_privkey that makes none");
	world_free(world);
}

int main(void)
{
	static const OtrlPolicy policies[] = { POLICY_V2, POLICY_V3 };
	char name[80];
	size_t i;

	ok(sizeof(OtrlMessageAppOps) == MEMBERS * sizeof(void (*)(void)),
			"OtrlMessageAppOps has the members named here");
	for (i = 0; i < 2; i++) {
		policy = policies[i];
		for (dropped = 0; dropped < MEMBERS; dropped++) {
			snprintf(name, sizeof name, "v%u without %s", i ? 3 : 2, members[dropped]);
			/* A set resent_msg_prefix whose free is missing crashes the C one. */
			(strcmp(members[dropped], "resent_msg_prefix_free") ? run_case
				: run_better)(name, without_one);
			snprintf(name, sizeof name, "v%u both without %s", i ? 3 : 2,
					members[dropped]);
			(strcmp(members[dropped], "resent_msg_prefix_free") ? run_case
				: run_better)(name, without_one_on_both);
		}
	}
	run_case("no callback at all", nothing_at_all);
	run_case("NULL answers", null_answers);
	/* The C libotr takes strlen of a NULL error text. */
	run_better("failed encryption without a text", failed_encryption);
	run_case("failed encryption with a text", failed_encryption_with_text);
	run_case("no key", no_key);
	run_case("key comes late", key_comes_late);
	run_case("key on demand", key_on_demand);
	run_case("key never made", key_never_made);
	return finish();
}
