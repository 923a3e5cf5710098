/* See world.h: parties with every callback set, and one queue. */
#include "interface.h"

#include <stdarg.h>

void lines_add(Lines *lines, const char *text)
{
	if (lines->count == lines->room) {
		lines->room = lines->room ? lines->room * 2 : 16;
		lines->at = (char **) realloc(lines->at, lines->room * sizeof(char *));
	}
	lines->at[lines->count++] = strdup(text);
}

void lines_clear(Lines *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++) {
		free(lines->at[i]);
	}
	free(lines->at);
	memset(lines, 0, sizeof *lines);
}

/* ---- callbacks: each writes a line, calls the hook, gives its answer --- */

void note(void *opdata, ConnContext *context, const char *callback,
		const char *format, ...)
{
	Party *self = opdata;
	char line[2048];
	size_t used;
	va_list list;

	if (!self) {
		return;
	}
	used = (size_t) snprintf(line, sizeof line, "%s", callback);
	if (format) {
		va_start(list, format);
		vsnprintf(line + used, sizeof line - used, format, list);
		va_end(list);
	}
	lines_add(&self->log, line);
	if (self->hook) {
		self->hook(self, callback, context);
	}
}

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	note(opdata, context, "policy", NULL);
	return ((Party *) opdata)->policy;
}

static void on_create_privkey(void *opdata, const char *account, const char *protocol)
{
	Party *self = opdata;

	note(opdata, NULL, "create_privkey", " %s %s", account, protocol);
	if (self->makes_key) {
		otrl_privkey_generate(self->us, scratch("made-key"), account, protocol);
	}
}

static int on_is_logged_in(void *opdata, const char *account, const char *protocol,
		const char *recipient)
{
	note(opdata, NULL, "is_logged_in", " %s %s %s", account, protocol, recipient);
	return ((Party *) opdata)->logged_in;
}

static void on_inject(void *opdata, const char *account, const char *protocol,
		const char *recipient, const char *message)
{
	Party *self = opdata;

	/* On the wire first, so that a hook already finds it there. */
	if (strcmp(account, self->account) || strcmp(protocol, PROTOCOL)) {
		ok(0, "injected for the account of the context");
	}
	wire_text(self, recipient, message);
	note(opdata, NULL, "inject", " %s %.40s", recipient, message);
}

static void on_update(void *opdata)
{
	note(opdata, NULL, "update_context_list", NULL);
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account,
		const char *protocol, const char *user, unsigned char print[20])
{
	Party *self = opdata;
	char human[45];

	(void) protocol;
	otrl_privkey_hash_to_human(human, print);
	if (us != self->us) {
		ok(0, "new_fingerprint has the right user state");
	}
	note(opdata, NULL, "new_fingerprint", " %s %s %s", account, user, human);
}

static void on_write_fingerprints(void *opdata)
{
	note(opdata, NULL, "write_fingerprints", NULL);
}

static void on_gone_secure(void *opdata, ConnContext *context)
{
	note(opdata, context, "gone_secure", " state %d version %u",
			(int) context->msgstate, context->protocol_version);
}

static void on_gone_insecure(void *opdata, ConnContext *context)
{
	note(opdata, context, "gone_insecure", NULL);
}

static void on_still_secure(void *opdata, ConnContext *context, int is_reply)
{
	note(opdata, context, "still_secure", " %d", is_reply);
}

static int on_max_message_size(void *opdata, ConnContext *context)
{
	note(opdata, context, "max_message_size", NULL);
	return ((Party *) opdata)->mms;
}

static const char *on_account_name(void *opdata, const char *account, const char *protocol)
{
	note(opdata, NULL, "account_name", " %s %s", account, protocol);
	return "someone";
}

static void on_account_name_free(void *opdata, const char *name)
{
	note(opdata, NULL, "account_name_free", " %s", name);
}

void on_add_app_data(void *data, ConnContext *context)
{
	context->app_data = data;
	note(data, context, "add_app_data", " %s", context->username);
}

static const OtrlMessageAppOps common_ops = {
	.policy = on_policy, .create_privkey = on_create_privkey, .is_logged_in = on_is_logged_in,
	.inject_message = on_inject, .update_context_list = on_update, .new_fingerprint = on_new_fingerprint,
	.write_fingerprints = on_write_fingerprints, .gone_secure = on_gone_secure,
	.gone_insecure = on_gone_insecure, .still_secure = on_still_secure,
	.max_message_size = on_max_message_size, .account_name = on_account_name,
	.account_name_free = on_account_name_free
};

/* ---- parties and the queue --------------------------------------------- */

World *world_new(void)
{
	static bool initialised;
	World *world = calloc(1, sizeof *world);

	if (!initialised) {
		OTRL_INIT;
		initialised = true;
	}
	world->end = &world->first;
	return world;
}

Party *party_new(World *world, const char *account, const char *keyfile)
{
	Party *self = calloc(1, sizeof *self);

	self->world = world;
	self->account = account;
	self->us = otrl_userstate_create();
	self->ops = common_ops;
	self->policy = OTRL_POLICY_MANUAL;
	self->logged_in = 1;
	own_ways(self);
	if (keyfile && otrl_privkey_read(self->us, keyfile)) {
		fprintf(stderr, "the key file %s cannot be read\n", keyfile);
		exit(2);
	}
	if (world->count < MAX_PARTIES) {
		world->parties[world->count++] = self;
	}
	return self;
}

char *intercept(World *world)
{
	Wire *wire = world->first;
	char *text;

	if (!wire) {
		return NULL;
	}
	world->first = wire->next;
	if (!world->first) {
		world->end = &world->first;
	}
	text = wire->text;
	free(wire);
	return text;
}

void world_free(World *world)
{
	char *text;
	size_t i;

	while ((text = intercept(world)) != NULL) {
		free(text);
	}
	for (i = 0; i < world->count; i++) {
		Party *self = world->parties[i];

		otrl_userstate_free(self->us);
		lines_clear(&self->log);
		lines_clear(&self->shown);
		lines_clear(&self->last_tlvs);
		free(self);
	}
	free(world);
}

void wire_text(Party *from, const char *to, const char *text)
{
	World *world = from->world;
	Wire *wire = calloc(1, sizeof *wire);

	wire->sender = from;
	snprintf(wire->to, sizeof wire->to, "%s", to);
	wire->text = strdup(text);
	*world->end = wire;
	world->end = &wire->next;
	world->sent++;
}

int receive(Party *self, const char *from, const char *text)
{
	char *newmessage = (char *) 16;
	OtrlTLV *tlvs = (OtrlTLV *) 16, *tlv;
	ConnContext *context = (ConnContext *) 16;
	int result = call_receiving(self, from, text, &newmessage, &tlvs, &context);

	self->last_result = result;
	self->last_context = context;
	lines_clear(&self->last_tlvs);
	for (tlv = tlvs; tlv; tlv = tlv->next) {
		char line[64];

		snprintf(line, sizeof line, "%u %u", tlv->type, tlv->len);
		lines_add(&self->last_tlvs, line);
	}
	if (!result) {
		lines_add(&self->shown, newmessage ? newmessage : text);
	} else if (newmessage) {
		ok(0, "there is nothing to show with a message that is not shown");
	}
	otrl_message_free(newmessage);
	otrl_tlv_free(tlvs);
	return result;
}

bool deliver_one(World *world)
{
	Wire *wire = world->first;
	bool wanted;
	size_t i;

	if (!wire) {
		return false;
	}
	world->first = wire->next;
	if (!world->first) {
		world->end = &world->first;
	}
	wanted = world->filter ? world->filter(world, wire) : true;
	for (i = 0; wanted && i < world->count; i++) {
		Party *to = world->parties[i];

		if (to != wire->sender && !strcmp(to->account, wire->to)) {
			receive(to, wire->sender->account, wire->text);
		}
	}
	free(wire->text);
	free(wire);
	return true;
}

bool pump(World *world)
{
	int left = 4000;

	while (left-- > 0) {
		if (!deliver_one(world)) {
			return true;
		}
	}
	return false;
}

void go_private(Party *alice, Party *bob)
{
	send_text(alice, bob->account, "?OTR?");
	pump(alice->world);
}

bool is_private(Party *self, const char *peer)
{
	ConnContext *context = context_with(self, peer);

	return context && context->msgstate == OTRL_MSGSTATE_ENCRYPTED;
}

int logged(const Party *self, const char *prefix)
{
	size_t i;
	int found = 0;

	for (i = 0; i < self->log.count; i++) {
		found += !strncmp(self->log.at[i], prefix, strlen(prefix));
	}
	return found;
}

int logged_at(const Party *self, const char *prefix)
{
	size_t i;

	for (i = 0; i < self->log.count; i++) {
		if (!strncmp(self->log.at[i], prefix, strlen(prefix))) {
			return (int) i;
		}
	}
	return -1;
}

bool mentioned(const Party *self, const char *text)
{
	size_t i;

	for (i = 0; i < self->log.count; i++) {
		if (strstr(self->log.at[i], text)) {
			return true;
		}
	}
	return false;
}

const char *next_text(const World *world)
{
	return world->first ? world->first->text : "";
}

const char *last_shown(const Party *self)
{
	return self->shown.count ? self->shown.at[self->shown.count - 1] : "";
}

void forget_log(Party *self)
{
	lines_clear(&self->log);
	lines_clear(&self->shown);
}

/* ---- pairs ------------------------------------------------------------- */

Pair pair_new(OtrlPolicy policy)
{
	Pair pair;

	pair.world = world_new();
	pair.alice = party_new(pair.world, "alice", keys_all());
	pair.bob = party_new(pair.world, "bob", keys_all());
	pair.alice->policy = policy;
	pair.bob->policy = policy;
	return pair;
}

Pair pair_private(OtrlPolicy policy)
{
	Pair pair = pair_new(policy);

	go_private(pair.alice, pair.bob);
	return pair;
}

void pair_free(Pair *pair)
{
	world_free(pair->world);
}

bool pair_talks(Pair *pair)
{
	static unsigned number;
	char text[64];

	if (!pump(pair->world) || !is_private(pair->alice, "bob")
			|| !is_private(pair->bob, "alice")) {
		return false;
	}
	snprintf(text, sizeof text, "from alice %u", number++);
	if (send_text(pair->alice, "bob", text) || strstr(next_text(pair->world), text) || !pump(pair->world)
			|| strcmp(last_shown(pair->bob), text)) {
		return false;
	}
	snprintf(text, sizeof text, "from bob %u", number++);
	if (send_text(pair->bob, "alice", text) || strstr(next_text(pair->world), text) || !pump(pair->world)
			|| strcmp(last_shown(pair->alice), text)) {
		return false;
	}
	return true;
}
