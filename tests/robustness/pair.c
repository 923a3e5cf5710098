#include "pair.h"

Party alice, bob;
Wire *wire;
unsigned long failures, checks;

void check(int holds, const char *what)
{
	checks++;
	if (!holds) {
		failures++;
		printf("not ok - %s\n", what);
		fflush(stdout);
	}
}

const char *keys_file(void)
{
	return getenv("OTR_KEYS");
}

static void hook(void *opdata, const char *callback, ConnContext *context)
{
	Party *self = opdata;

	if (self && self->hook) {
		self->hook(self, callback, context);
	}
}

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	hook(opdata, "policy", context);
	return ((Party *) opdata)->policy;
}

static void on_create_privkey(void *opdata, const char *account, const char *protocol)
{
	Party *self = opdata;

	(void) account;
	(void) protocol;
	hook(opdata, "create_privkey", NULL);
	otrl_privkey_read(self->us, keys_file());
}

static int on_is_logged_in(void *opdata, const char *account, const char *protocol, const char *recipient)
{
	(void) account;
	(void) protocol;
	(void) recipient;
	hook(opdata, "is_logged_in", NULL);
	return 1;
}

static void on_inject(void *opdata, const char *account, const char *protocol, const char *recipient, const char *message)
{
	(void) account;
	(void) protocol;
	(void) recipient;
	put_on_wire(opdata, message);
	hook(opdata, "inject_message", NULL);
}

static void on_update(void *opdata)
{
	hook(opdata, "update_context_list", NULL);
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account, const char *protocol, const char *user,
		unsigned char print[20])
{
	(void) us;
	(void) account;
	(void) protocol;
	(void) user;
	(void) print;
	hook(opdata, "new_fingerprint", NULL);
}

static void on_write_fingerprints(void *opdata)
{
	hook(opdata, "write_fingerprints", NULL);
}

static void on_gone_secure(void *opdata, ConnContext *context)
{
	hook(opdata, "gone_secure", context);
}

static void on_gone_insecure(void *opdata, ConnContext *context)
{
	hook(opdata, "gone_insecure", context);
}

static void on_still_secure(void *opdata, ConnContext *context, int is_reply)
{
	(void) is_reply;
	hook(opdata, "still_secure", context);
}

static int on_max_message_size(void *opdata, ConnContext *context)
{
	hook(opdata, "max_message_size", context);
	return ((Party *) opdata)->max_size;
}

static const char *on_account_name(void *opdata, const char *account, const char *protocol)
{
	(void) opdata;
	(void) protocol;
	return account;
}

static void on_account_name_free(void *opdata, const char *name)
{
	(void) opdata;
	(void) name;
}

static void on_symkey(void *opdata, ConnContext *context, unsigned int use, const unsigned char *usedata, size_t length,
		const unsigned char *key)
{
	(void) use;
	(void) usedata;
	(void) length;
	memcpy(((Party *) opdata)->key, key, 32);
	hook(opdata, "received_symkey", context);
}

static const char *on_error_message(void *opdata, ConnContext *context, OtrlErrorCode code)
{
	(void) code;
	hook(opdata, "otr_error_message", context);
	return ((Party *) opdata)->error_text ? strdup("it went wrong") : NULL;
}

static void on_error_message_free(void *opdata, const char *text)
{
	(void) opdata;
	free((char *) text);
}

static const char *on_resent_prefix(void *opdata, ConnContext *context)
{
	hook(opdata, "resent_msg_prefix", context);
	return strdup("[again]");
}

static void on_smp(void *opdata, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
	Party *self = opdata;

	(void) percent;
	(void) question;
	switch (event) {
	case OTRL_SMPEVENT_ASK_FOR_SECRET:
	case OTRL_SMPEVENT_ASK_FOR_ANSWER:
		self->smp_asked++;
		break;
	case OTRL_SMPEVENT_SUCCESS:
		self->smp_success++;
		break;
	case OTRL_SMPEVENT_FAILURE:
		self->smp_failure++;
		break;
	case OTRL_SMPEVENT_ABORT:
		self->smp_abort++;
		break;
	default:
		self->smp_other++;
	}
	hook(opdata, "handle_smp_event", context);
}

static void on_event(void *opdata, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t error)
{
	Party *self = opdata;

	(void) message;
	self->events++;
	self->last_event = (int) event;
	if (getenv("OTR_TRACE")) {
		fprintf(stderr, "    event %d of %s, error %x\n", (int) event, self->name, (unsigned) error);
	}
	hook(opdata, "handle_msg_event", context);
}

static void on_create_instag(void *opdata, const char *account, const char *protocol)
{
	hook(opdata, "create_instag", NULL);
	otrl_instag_generate(((Party *) opdata)->us, "/dev/null", account, protocol);
}

static void on_convert(void *opdata, ConnContext *context, OtrlConvertType type, char **dest, const char *src)
{
	(void) type;
	*dest = strdup(src);
	hook(opdata, "convert_msg", context);
}

static void on_convert_free(void *opdata, ConnContext *context, char *dest)
{
	free(dest);
	hook(opdata, "convert_free", context);
}

static void on_timer(void *opdata, unsigned int interval)
{
	(void) interval;
	hook(opdata, "timer_control", NULL);
}

static void on_add_app_data(void *data, ConnContext *context)
{
	context->app_data = data;
	hook(data, "add_app_data", context);
}

static const OtrlMessageAppOps all_callbacks = {
	on_policy, on_create_privkey, on_is_logged_in, on_inject, on_update, on_new_fingerprint, on_write_fingerprints,
	on_gone_secure, on_gone_insecure, on_still_secure, on_max_message_size, on_account_name, on_account_name_free,
	on_symkey, on_error_message, on_error_message_free, on_resent_prefix, on_error_message_free, on_smp, on_event,
	on_create_instag, on_convert, on_convert_free, on_timer
};

void party_load(Party *self)
{
	self->us = otrl_userstate_create();
	if (self->us) {
		otrl_privkey_read(self->us, keys_file());
	}
}

static void party_new(Party *self, const char *name, const char *peer, OtrlPolicy policy)
{
	memset(self, 0, sizeof *self);
	self->name = name;
	self->peer = peer;
	self->ops = all_callbacks;
	self->policy = policy;
	self->error_text = 1;
}

void pair_new(OtrlPolicy policy)
{
	OTRL_INIT;
	party_new(&alice, "alice", "bob", policy);
	party_new(&bob, "bob", "alice", policy);
	party_load(&alice);
	party_load(&bob);
}

void pair_free(void)
{
	drop_wire();
	otrl_userstate_free(alice.us);
	otrl_userstate_free(bob.us);
	free(alice.shown);
	free(bob.shown);
	alice.us = bob.us = NULL;
	alice.shown = bob.shown = NULL;
}

ConnContext *context_of(Party *self, int which)
{
	return self->us ? otrl_context_find(self->us, self->peer, self->name, PROTOCOL, (otrl_instag_t) which, 0, NULL, NULL,
			NULL) : NULL;
}

static int may_go_plain(Party *self)
{
	ConnContext *best = context_of(self, OTRL_INSTAG_BEST);

	/* A client whose policy allows no version has switched OTR off. */
	if (!(self->policy & OTRL_POLICY_VERSION_MASK)) {
		return 1;
	}
	return !(self->policy & OTRL_POLICY_REQUIRE_ENCRYPTION) && (!best || best->msgstate == OTRL_MSGSTATE_PLAINTEXT);
}

void put_on_wire(Party *from, const char *text)
{
	Wire **end = &wire;
	Wire *new = calloc(1, sizeof *new);

	new->from = from;
	new->text = strdup(text);
	while (*end) {
		end = &(*end)->next;
	}
	*end = new;
}

gcry_error_t say(Party *self, const char *text)
{
	int plain = may_go_plain(self);
	char *message = (char *) "never written";
	ConnContext *context = NULL;
	gcry_error_t error = otrl_message_sending(self->us, &self->ops, self, self->name, PROTOCOL, self->peer,
			OTRL_INSTAG_BEST, text, NULL, &message, OTRL_FRAGMENT_SEND_SKIP, &context, on_add_app_data, self);

	checks++;
	if (!error && !plain) {
		check(message != NULL, "never no error and no message");
		check(!message || !strstr(message, MARK), "the message does not hold the plaintext");
	}
	if (error) {
		/* A client sends nothing. */
	} else if (message) {
		if (*message) {
			put_on_wire(self, message);
		}
	} else if (plain) {
		put_on_wire(self, text);
	}
	if (message) {
		otrl_message_free(message);
	}
	return error;
}

int hear(Party *self, const char *text)
{
	char *new = (char *) "never written";
	OtrlTLV *tlvs = (OtrlTLV *) 1;
	ConnContext *context = NULL;
	int internal = otrl_message_receiving(self->us, &self->ops, self, self->name, PROTOCOL, self->peer, text, &new, &tlvs,
			&context, on_add_app_data, self);

	otrl_tlv_free(tlvs);
	if (!internal) {
		free(self->shown);
		self->shown = strdup(new ? new : text);
		self->texts++;
	}
	if (new) {
		otrl_message_free(new);
	}
	return internal;
}

int deliver_one(void)
{
	Wire *first = wire;

	if (!first) {
		return 0;
	}
	wire = first->next;
	if (getenv("OTR_TRACE")) {
		ConnContext *a = context_of(&alice, OTRL_INSTAG_MASTER), *b = context_of(&bob, OTRL_INSTAG_MASTER);

		fprintf(stderr, "  from %s: %.60s\n", first->from->name, first->text);
		for (; a; a = a->next) {
			fprintf(stderr, "    alice %x: state %d, exchange %d\n", a->their_instance, (int) a->msgstate, (int) a->auth.authstate);
		}
		for (; b; b = b->next) {
			fprintf(stderr, "    bob %x: state %d, exchange %d\n", b->their_instance, (int) b->msgstate, (int) b->auth.authstate);
		}
	}
	hear(first->from == &alice ? &bob : &alice, first->text);
	free(first->text);
	free(first);
	return 1;
}

int settle(int limit)
{
	int count = 0;

	while (count < limit && deliver_one()) {
		count++;
	}
	return count;
}

int comes_to_rest(void)
{
	int limit = 2000;

	for (const Wire *message = wire; message; message = message->next) {
		limit += 4;
	}
	settle(limit);
	return !wire;
}

void drop_wire(void)
{
	while (wire) {
		Wire *first = wire;

		wire = first->next;
		free(first->text);
		free(first);
	}
}

int both_secure(void)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);

	return a && b && a->msgstate == OTRL_MSGSTATE_ENCRYPTED && b->msgstate == OTRL_MSGSTATE_ENCRYPTED;
}

void go_secure(void)
{
	say(&alice, "?OTRv3?");
	settle(100);
}

static int arrives(Party *from, Party *to, const char *text)
{
	say(from, text);
	settle(100);
	return to->shown && strcmp(to->shown, text) == 0;
}

int works(void)
{
	drop_wire();
	go_secure();
	return both_secure() && arrives(&alice, &bob, MARK " from alice") && arrives(&bob, &alice, MARK " from bob")
		&& arrives(&alice, &bob, MARK " once more");
}

int finish(const char *name)
{
	/* What failed was printed when it did, and there are thousands of others. */
	for (unsigned long passed = failures; passed < checks; passed++) {
		puts("ok");
	}
	printf("# %s\n1..%lu\n", name, checks);
	return failures != 0;
}
