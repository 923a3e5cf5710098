/* One long conversation, without forks, that also runs under valgrind: AKE,
 * messages, rotation, SMP, errors, fragments, extra key, closing, files.
 * test: valgrind */
#include "world.h"

static void reply_with(Party *self, const char *secret)
{
	self->hook_data = (void *) secret;
}

static void answer_smp(Party *self, const char *callback, ConnContext *context)
{
	const char *line = self->log.at[self->log.count - 1];

	if (context && !strcmp(callback, "smp")
			&& (!strncmp(line, "smp 4", 5) || !strncmp(line, "smp 5", 5))) {
		otrl_message_respond_smp(self->us, &self->ops, self, context,
				(const unsigned char *) self->hook_data,
				strlen((const char *) self->hook_data));
	}
}

static void smp(Pair *pair, const char *question, const char *ours, const char *theirs,
		int expected)
{
	Party *a = pair->alice, *b = pair->bob;
	char line[64];

	forget_log(a);
	forget_log(b);
	b->hook = answer_smp;
	reply_with(b, theirs);
	if (question) {
		otrl_message_initiate_smp_q(a->us, &a->ops, a, context_with(a, "bob"), question,
				(const unsigned char *) ours, strlen(ours));
	} else {
		otrl_message_initiate_smp(a->us, &a->ops, a, context_with(a, "bob"),
				(const unsigned char *) ours, strlen(ours));
	}
	pump(pair->world);
	snprintf(line, sizeof line, "smp %d 100", expected);
	ok(logged(a, line) == 1 && logged(b, line) == 1, "SMP ends with event %d on both",
			expected);
	b->hook = NULL;
}

static void life(OtrlPolicy policy, int mms)
{
	Pair pair = pair_new(policy);
	Party *a = pair.alice, *b = pair.bob;
	unsigned char key[32];
	char text[5000];
	int i, good = 0;

	a->mms = b->mms = mms;
	a->fragments = b->fragments = OTRL_FRAGMENT_SEND_ALL;
	send_text(a, "bob", "plain first");
	pump(pair.world);
	ok(!strcmp(last_shown(b), "plain first"), "plaintext goes through");
	go_private(a, b);
	ok(is_private(a, "bob") && is_private(b, "alice"), "AKE");
	for (i = 0; i < 12; i++) {
		good += pair_talks(&pair);
	}
	ok(good == 12, "twelve turns, and the keys rotate");
	for (i = 0, good = 0; i < 5; i++) {
		snprintf(text, sizeof text, "in a row %d \xc3\xa4\xe2\x82\xac", i);
		send_text(b, "alice", text);
		pump(pair.world);
		good += !strcmp(last_shown(a), text);
	}
	ok(good == 5, "several in a row");
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	send_text(a, "bob", text);
	pump(pair.world);
	ok(!strcmp(last_shown(b), text), "a long one");
	smp(&pair, NULL, "same", "same", OTRL_SMPEVENT_SUCCESS);
	smp(&pair, "a question?", "one", "other", OTRL_SMPEVENT_FAILURE);
	smp(&pair, "a question?", "same", "same", OTRL_SMPEVENT_SUCCESS);
	otrl_message_initiate_smp(a->us, &a->ops, a, context_with(a, "bob"),
			(const unsigned char *) "s", 1);
	pump(pair.world);
	otrl_message_abort_smp(a->us, &a->ops, a, context_with(a, "bob"));
	pump(pair.world);
	ok(logged(b, "smp 2 0") == 1, "abort");
	ok(otrl_message_symkey(a->us, &a->ops, a, context_with(a, "bob"), 0x1234,
				(const unsigned char *) "use", 3, key) == 0, "extra key");
	pump(pair.world);
	ok(logged(b, "received_symkey 1234 use") == 1 && !memcmp(b->symkey, key, 32),
			"both have the same");

	receive(b, "alice", "plain while private");
	receive(b, "alice", "?OTR Error: something");
	receive(b, "alice", "?OTR:AAMDnonsense.");
	receive(b, "alice", "?OTR:AAIDnonsense.");
	receive(b, "alice", "?OTR:AAMCnonsense.");
	receive(b, "alice", "?OTR:AAIKnonsense.");
	receive(b, "alice", "?OTR|101|0,1,3,abc,");
	receive(b, "alice", "?OTR,1,3,abc,");
	receive(b, "alice", "?OTR:");
	pump(pair.world);
	ok(pair_talks(&pair), "bad messages did no harm");
	go_private(b, a);
	ok(is_private(a, "bob") && is_private(b, "alice") && pair_talks(&pair), "refreshed");

	otrl_message_disconnect(a->us, &a->ops, a, "alice", PROTOCOL, "bob",
			OTRL_INSTAG_BEST);
	pump(pair.world);
	ok(!is_private(a, "bob") && context_with(b, "alice")->msgstate
			== OTRL_MSGSTATE_FINISHED, "closed");
	send_text(b, "alice", "too late");
	otrl_message_disconnect_all_instances(b->us, &b->ops, b, "bob", PROTOCOL, "alice");
	go_private(b, a);
	ok(is_private(a, "bob") && pair_talks(&pair), "and opened again");
	a->policy = OTRL_POLICY_ALWAYS & (policy | ~POLICY_V23);
	otrl_message_disconnect_all_instances(a->us, &a->ops, a, "alice", PROTOCOL, "bob");
	pump(pair.world);
	otrl_message_disconnect_all_instances(b->us, &b->ops, b, "bob", PROTOCOL, "alice");
	send_text(a, "bob", "kept for later");
	pump(pair.world);
	ok(!strcmp(last_shown(b), "kept for later"), "a text waits for the session");
	ok(otrl_privkey_write_fingerprints(b->us, scratch("fingerprints")) == 0, "written");
	pair_free(&pair);
}

static void files(void)
{
	OtrlUserState us = otrl_userstate_create();
	void *handle = NULL;

	OTRL_INIT;
	ok(otrl_privkey_read(us, keys_all()) == 0, "keys are read");
	ok(otrl_privkey_generate_start(us, "dave", PROTOCOL, &handle) == 0
			&& otrl_privkey_generate_calculate(handle) == 0
			&& otrl_privkey_generate_finish(us, handle, scratch("keys")) == 0,
			"a key is generated");
	ok(otrl_privkey_generate_start(us, "erin", PROTOCOL, &handle) == 0, "started");
	otrl_privkey_generate_cancelled(us, handle);
	otrl_privkey_forget(otrl_privkey_find(us, "bob", PROTOCOL));
	ok(otrl_privkey_read(us, scratch("keys")) == 0
			&& otrl_privkey_find(us, "dave", PROTOCOL)
			&& otrl_privkey_find(us, "bob", PROTOCOL), "read again");
	ok(otrl_instag_generate(us, scratch("tags"), "dave", PROTOCOL) == 0, "instance tag");
	otrl_userstate_free(us);
	us = otrl_userstate_create();
	ok(otrl_instag_read(us, scratch("tags")) == 0 && otrl_instag_find(us, "dave", PROTOCOL),
			"read again");
	write_file(scratch("prints"), "u\ta\tp\t000102030405060708090a0b0c0d0e0f10111213\tsmp\n", 51);
	ok(otrl_privkey_read_fingerprints(us, scratch("prints"), NULL, NULL) == 0
			&& us->context_root && us->context_root->fingerprint_root.next,
			"fingerprints read");
	otrl_context_forget(us->context_root);
	ok(!us->context_root, "forgotten");
	otrl_userstate_free(us);
}

int main(void)
{
	life(POLICY_V23, 0);
	life(POLICY_V2, 150);
	files();
	return finish();
}
