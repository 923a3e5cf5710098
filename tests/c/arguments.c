/* A client whose strings do not outlive its first callback: it runs a nested event loop there, which frees or reuses them.
 * test: memcheck */
#include "world.h"

/* The arguments of the call that runs. */
static struct {
	char *account, *protocol, *peer, *text;
	OtrlTLV *tlvs;
} given;

static void spoil(char **string)
{
	if (*string) {
		memset(*string, 'x', strlen(*string));
		free(*string);
		*string = NULL;
	}
}

static void spoil_all(Party *self, const char *callback, ConnContext *context)
{
	(void) self;
	(void) callback;
	(void) context;
	spoil(&given.account);
	spoil(&given.protocol);
	spoil(&given.peer);
	spoil(&given.text);
	if (given.tlvs) {
		memset(given.tlvs->data, 'x', given.tlvs->len);
	}
	otrl_tlv_free(given.tlvs);
	given.tlvs = NULL;
}

static void give(const Party *self, const char *peer, const char *text)
{
	given.account = strdup(self->account);
	given.protocol = strdup(PROTOCOL);
	given.peer = strdup(peer);
	given.text = strdup(text);
}

/* Sends as a client does, with such arguments; what is to be sent goes on the wire. */
static gcry_error_t send_spoiled(Party *self, const char *peer, const char *text, OtrlTLV *tlvs)
{
	char *message = NULL;
	gcry_error_t error;

	give(self, peer, text);
	given.tlvs = tlvs;
	self->hook = spoil_all;
	error = otrl_message_sending(self->us, &self->ops, self, given.account, given.protocol, given.peer, OTRL_INSTAG_BEST,
			given.text, given.tlvs, &message, OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
	self->hook = NULL;
	spoil_all(self, NULL, NULL);
	if (message) {
		wire_text(self, peer, message);
	}
	otrl_message_free(message);
	return error;
}

/* Receives with such arguments; whether `expected` is shown. */
static bool receives_spoiled(Party *self, const char *peer, const char *text, const char *expected)
{
	char *shown = NULL;
	OtrlTLV *tlvs = NULL;
	bool as_expected;
	int hidden;

	give(self, peer, text);
	self->hook = spoil_all;
	hidden = otrl_message_receiving(self->us, &self->ops, self, given.account, given.protocol, given.peer, given.text, &shown,
			&tlvs, NULL, NULL, NULL);
	self->hook = NULL;
	spoil_all(self, NULL, NULL);
	as_expected = expected ? !hidden && shown && !strcmp(shown, expected) : hidden;
	otrl_message_free(shown);
	otrl_tlv_free(tlvs);
	return as_expected;
}

static void sending(void)
{
	Pair pair = pair_new(POLICY_V3 | OTRL_POLICY_REQUIRE_ENCRYPTION);
	static const unsigned char value[] = "beside it";

	ok(send_spoiled(pair.alice, "bob", "waits", NULL) == 0, "a text that must wait");
	ok(pump(pair.world) && is_private(pair.alice, "bob"), "asks for a session");
	ok(!strcmp(last_shown(pair.bob), "waits"), "and arrives");
	ok(send_spoiled(pair.alice, "bob", "hello", otrl_tlv_new(0x0100, sizeof value, value)) == 0, "a text in the session");
	ok(pump(pair.world) && !strcmp(last_shown(pair.bob), "hello"), "arrives as it was");
	ok(pair.bob->last_tlvs.count == 1 && !strcmp(pair.bob->last_tlvs.at[0], "256 10"), "with what goes beside it");
	ok(pair_talks(&pair), "and the two go on");
	pair_free(&pair);
}

static void receiving(void)
{
	World *world = world_new();
	Party *alice = party_new(world, "alice", keys_all());
	Party *bob = party_new(world, "bob", NULL);
	char *message;

	alice->policy = bob->policy = POLICY_V3;
	bob->makes_key = true;
	send_text(alice, "bob", "?OTRv3?");
	while ((message = intercept(world)) != NULL) {
		/* Both take turns; whoever it is for has not sent it. */
		if (world->first == NULL && strncmp(message, "?OTRv3?", 7) == 0) {
			ok(receives_spoiled(bob, "alice", message, NULL), "a query");
		} else if (!is_private(bob, "alice") && logged(bob, "create_privkey") == 0) {
			ok(receives_spoiled(alice, "bob", message, NULL), "a DH-commit");
			free(message);
			message = intercept(world);
			ok(message && receives_spoiled(bob, "alice", message, NULL), "a DH-key, for which a key is made");
			ok(logged(bob, "create_privkey") == 1, "in a callback");
		} else if (!is_private(alice, "bob")) {
			ok(receives_spoiled(alice, "bob", message, NULL), "a reveal signature");
		} else {
			ok(receives_spoiled(bob, "alice", message, NULL), "a signature");
		}
		free(message);
	}
	ok(is_private(alice, "bob") && is_private(bob, "alice"), "make a session");
	send_text(alice, "bob", "hello");
	message = intercept(world);
	ok(message && receives_spoiled(bob, "alice", message, "hello"), "and a text is read");
	free(message);
	world_free(world);
}

/* A client with one variable for what is to be sent. */
static char *the_message;
static gcry_error_t nested_error = 1;

static void send_another(Party *self, const char *callback, ConnContext *context)
{
	(void) context;
	if (!strcmp(callback, "inject")) {
		self->hook = NULL;
		nested_error = otrl_message_sending(self->us, &self->ops, self, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST, "second",
				NULL, &the_message, OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL);
		otrl_message_free(the_message);
	}
}

static void one_place_for_two(void)
{
	static const OtrlFragmentPolicy policies[] = { OTRL_FRAGMENT_SEND_ALL, OTRL_FRAGMENT_SEND_ALL_BUT_LAST };
	size_t i;

	for (i = 0; i < 2; i++) {
		Pair pair = pair_private(POLICY_V3);
		gcry_error_t error;

		pair.alice->mms = 300;
		pair.alice->hook = send_another;
		error = otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST,
				"first", NULL, &the_message, policies[i], NULL, NULL, NULL);
		ok(!error && !nested_error && the_message, "a text, and another while it is sent");
		if (i == 1) {
			ok(!strncmp(the_message, "?OTR|", 5), "of which one piece is for the client");
			wire_text(pair.alice, "bob", the_message);
		}
		otrl_message_free(the_message);
		ok(pump(pair.world) && pair_talks(&pair), "and the two go on");
		pair_free(&pair);
	}
}

int main(void)
{
	OTRL_INIT;
	run_better("sending", sending);
	run_better("receiving", receiving);
	run_better("one place for two", one_place_for_two);
	return finish();
}
