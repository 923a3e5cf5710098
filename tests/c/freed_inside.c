/* A client that logs out inside a callback: the user state is freed while the library uses it.
 * test: memcheck once */
#include "world.h"

enum { MANY = 1000000 };

static int countdown;

static void log_out(Party *self, const char *callback, ConnContext *context)
{
	(void) callback;
	(void) context;
	if (--countdown == 0) {
		OtrlUserState us = self->us;

		self->us = NULL;
		otrl_userstate_free(us);
	} else if (countdown < 0) {
		ok(0, "%s is called after the user state has gone", callback);
	}
}

/* All that alice does in a conversation; true if the user state has gone on the way. */
static bool converse(int callback)
{
	Pair pair = pair_new(POLICY_V3 | OTRL_POLICY_SEND_WHITESPACE_TAG | OTRL_POLICY_WHITESPACE_START_AKE
			| OTRL_POLICY_ERROR_START_AKE);
	Party *alice = pair.alice;
	ConnContext *context;
	bool gone;

	countdown = callback;
	alice->hook = log_out;
	alice->mms = 400;
	send_text(alice, "bob", "hello");
	send_text(pair.bob, "alice", "?OTRv3?");
	pump(pair.world);
	send_text(alice, "bob", "a text");
	pump(pair.world);
	context = alice->us ? context_with(alice, "bob") : NULL;
	if (context) {
		otrl_message_initiate_smp_q(alice->us, &alice->ops, alice, context, "who?", (const unsigned char *) "me", 2);
	}
	pump(pair.world);
	context = alice->us ? context_with(alice, "bob") : NULL;
	if (context) {
		otrl_message_abort_smp(alice->us, &alice->ops, alice, context);
	}
	pump(pair.world);
	receive(alice, "bob", "?OTR Error: something");
	receive(alice, "bob", "?OTR:AAMDAAAAAAEAAAABAAAAAQ==.");
	receive(alice, "carol", "plain");
	if (alice->us) {
		otrl_message_disconnect_all_instances(alice->us, &alice->ops, alice, "alice", PROTOCOL, "bob");
	}
	if (alice->us) {
		otrl_context_forget_all(alice->us);
	}
	gone = alice->us == NULL;
	alice->hook = NULL;
	pair_free(&pair);
	return gone;
}

static int which;

static void one(void)
{
	ok(converse(which), "the user state goes in callback %d", which);
}

int main(void)
{
	char name[40];
	int callbacks;

	OTRL_INIT;
	ok(!converse(MANY), "a conversation in which nobody frees it");
	/* How many pieces a message makes depends a little on the numbers in it. */
	callbacks = MANY - countdown - 6;
	ok(callbacks >= 40, "there are many callbacks (%d)", callbacks);
	for (which = 1; which <= callbacks; which++) {
		snprintf(name, sizeof name, "callback %d", which);
		run_better(name, one);
	}
	return finish();
}
