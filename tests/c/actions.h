/* What a client may do inside a callback, for actions.c: sending and receiving with strings that can go at any time,
 * and the list of actions. */
#ifndef TESTS_C_ACTIONS_H
#define TESTS_C_ACTIONS_H

#include "world.h"

#include <libotr/b64.h>

static Pair pair;
/* A key for each, calculated and not finished; the data message that each received last. */
static void *new_key[2];
static char *last_data[2];
/* How often each has taken an action. */
static int taken[2];

/* ---- sending and receiving with strings that can go ------------------------------ */

/* What the client has given to a call of the library that goes on. */
typedef struct frame {
	struct frame *up;
	char *strings[4];
	OtrlTLV *tlv;
} Frame;

static Frame *top;

static void added(void *data, ConnContext *context);

static const char *peer_of(const Party *self)
{
	return self == pair.alice ? "bob" : "alice";
}

static void lend(Frame *frame, const Party *self, const char *peer, const char *text)
{
	frame->up = top;
	frame->strings[0] = strdup(self->account);
	frame->strings[1] = strdup(PROTOCOL);
	frame->strings[2] = strdup(peer);
	frame->strings[3] = strdup(text);
	frame->tlv = otrl_tlv_new(99, 3, (const unsigned char *) "abc");
	top = frame;
}

/* Overwritten first, so that it is noticed without AddressSanitizer as well. */
static void take_back(Frame *frame)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (frame->strings[i]) {
			memset(frame->strings[i], '~', strlen(frame->strings[i]));
		}
		free(frame->strings[i]);
		frame->strings[i] = NULL;
	}
	otrl_tlv_free(frame->tlv);
	frame->tlv = NULL;
}

static void say(Party *self, const char *text)
{
	Frame frame;
	char *message = NULL;
	gcry_error_t err;

	lend(&frame, self, peer_of(self), text);
	err = otrl_message_sending(self->us, &self->ops, self, frame.strings[0], frame.strings[1], frame.strings[2],
			OTRL_INSTAG_BEST, frame.strings[3], frame.tlv, &message, OTRL_FRAGMENT_SEND_ALL, NULL, added, self);
	top = frame.up;
	if (!err && !message) {
		wire_text(self, peer_of(self), text);
	}
	otrl_message_free(message);
	take_back(&frame);
}

static void hear(Party *self, const char *from, const char *text)
{
	Frame frame;
	char *shown = NULL;
	OtrlTLV *tlvs = NULL;
	int me = self == pair.bob;

	if (!strncmp(text, "?OTR:AA", 7) && text[8] == 'D') {
		free(last_data[me]);
		last_data[me] = strdup(text);
	}
	lend(&frame, self, from, text);
	otrl_message_receiving(self->us, &self->ops, self, frame.strings[0], frame.strings[1], frame.strings[2],
			frame.strings[3], &shown, &tlvs, NULL, added, self);
	top = frame.up;
	otrl_message_free(shown);
	otrl_tlv_free(tlvs);
	take_back(&frame);
}

static void deliver(int most)
{
	World *world = pair.world;
	Wire *wire;

	while (most-- > 0 && (wire = world->first) != NULL) {
		world->first = wire->next;
		if (!world->first) {
			world->end = &world->first;
		}
		hear(wire->sender == pair.alice ? pair.bob : pair.alice, wire->sender->account, wire->text);
		free(wire->text);
		free(wire);
	}
}

/* ---- the actions ------------------------------------------------------------------ */

static const unsigned char *secret = (const unsigned char *) "s";

/* A DH-commit that somebody made up, of the version that the policy allows. */
static void receive_commit(Party *self)
{
	bool three = self->policy & OTRL_POLICY_ALLOW_V3;
	unsigned char bytes[300] = { 0, three ? 3 : 2, 2, 0, 0, 5, 0 };
	size_t at = three ? 11 : 3;
	char *text;

	memset(bytes + at, 0x5a, 4 + 196 + 4 + 32);
	memcpy(bytes + at, "\0\0\0\304", 4);
	memcpy(bytes + at + 200, "\0\0\0\040", 4);
	text = otrl_base64_otr_encode(bytes, at + 236);
	hear(self, peer_of(self), text);
	free(text);
}

/* The data message that came last, again, and then a new one. */
static void receive_data(Party *self)
{
	char *again = last_data[self == pair.bob];

	if (again) {
		again = strdup(again);
		hear(self, peer_of(self), again);
		free(again);
	}
	say(self == pair.bob ? pair.alice : pair.bob, "a new one");
	deliver(5);
}

/* Those of two others, made for that. From the start each time, because anything may be gone after one has gone. */
static void forget_others(Party *self)
{
	ConnContext *c;

	otrl_context_find(self->us, "aaa", self->account, PROTOCOL, 0, 1, NULL, added, self);
	otrl_context_find(self->us, "zzz", self->account, PROTOCOL, 0x700, 1, NULL, added, self);
	do {
		for (c = self->us->context_root; c && !strcmp(c->username, peer_of(self)); c = c->next) { }
	} while (c && !otrl_context_forget(c->m_context));
}

static void forget_fingerprints(Party *self)
{
	ConnContext *c = otrl_context_find(self->us, peer_of(self), self->account, PROTOCOL, 0, 0, NULL, NULL, NULL);
	Fingerprint *print, *next;

	for (print = c ? c->fingerprint_root.next : NULL; print; print = next) {
		next = print->next;
		otrl_context_forget_fingerprint(print, next == NULL);
	}
}

static void add_contexts(Party *self)
{
	char name[40];

	snprintf(name, sizeof name, "aaa %d", taken[0] + taken[1]);
	otrl_context_find(self->us, name, self->account, PROTOCOL, 0, 1, NULL, added, self);
	*name = 'z';
	otrl_context_find(self->us, name, self->account, PROTOCOL, 0x400, 1, NULL, added, self);
	otrl_context_find(self->us, peer_of(self), self->account, PROTOCOL, 0x300, 1, NULL, added, self);
	otrl_context_find(self->us, peer_of(self), self->account, PROTOCOL, 0xfffffff0, 1, NULL, added, self);
}

static void find_recent(Party *self, ConnContext *context)
{
	otrl_instag_t which;

	for (which = 0; which <= OTRL_INSTAG_RECENT_SENT; which++) {
		otrl_context_find(self->us, peer_of(self), self->account, PROTOCOL, which, 0, NULL, NULL, NULL);
		otrl_context_find_recent_instance(context, which);
	}
	otrl_context_find_recent_secure_instance(context);
	if (context) {
		otrl_context_update_recent_child(context, 1);
	}
}

static void set_trust(Party *self)
{
	ConnContext *c;
	Fingerprint *print;

	for (c = self->us->context_root; c; c = c->next) {
		for (print = c->fingerprint_root.next; print; print = print->next) {
			otrl_context_set_trust(print, otrl_context_is_fingerprint_trusted(print) ? "" : "verified");
		}
	}
}

/* A key that was calculated is put beside the others, and all are written. Another one is begun and cancelled. */
static void write_keys(Party *self)
{
	int me = self == pair.bob;
	void *other;

	if (new_key[me]) {
		otrl_privkey_generate_finish(self->us, new_key[me], scratch("keys"));
		new_key[me] = NULL;
	}
	if (!otrl_privkey_generate_start(self->us, "erin", PROTOCOL, &other)) {
		otrl_privkey_generate_cancelled(self->us, other);
	}
}

static void use_symkey(Party *self, ConnContext *context)
{
	unsigned char key[32];

	otrl_message_symkey(self->us, &self->ops, self, context, 7, (const unsigned char *) "u", 1, key);
}

static void free_strings(void)
{
	Frame *frame;

	for (frame = top; frame; frame = frame->up) {
		take_back(frame);
	}
}

/* c may be NULL. */
#define LIBRARY self->us, &self->ops, self
#define ALL_ACTIONS(X) \
	X("send a text", say(self, "typed inside")) \
	X("receive a text", hear(self, peer, "said inside")) \
	X("receive a query", hear(self, peer, "?OTRv23?")) \
	X("receive a made-up DH-commit", receive_commit(self)) \
	X("receive data messages, an old and a new one", receive_data(self)) \
	X("receive an error message", hear(self, peer, "?OTR Error: inside")) \
	X("receive damaged messages", hear(self, peer, "?OTR:AAMDjunk."); hear(self, peer, "?OTR:AAIDjunk."); \
		hear(self, peer, "?OTR,1,2,junk,"); hear(self, "mallory", "?OTR|500|0,1,1,?OTR:AAMK,")) \
	X("let messages in transit arrive", deliver(20)) \
	X("start the SMP", if (c) otrl_message_initiate_smp_q(LIBRARY, c, "which?", secret, 1)) \
	X("answer the SMP", if (c) otrl_message_respond_smp(LIBRARY, c, secret, 1)) \
	X("abort the SMP", if (c) otrl_message_abort_smp(LIBRARY, c)) \
	X("use the extra key", use_symkey(self, c)) \
	X("disconnect", otrl_message_disconnect(LIBRARY, self->account, PROTOCOL, peer, OTRL_INSTAG_BEST)) \
	X("disconnect all instances", \
		otrl_message_disconnect_all_instances(LIBRARY, self->account, PROTOCOL, peer)) \
	X("force \"finished\"", if (c) otrl_context_force_finished(c)) \
	X("force \"plaintext\"", if (c) otrl_context_force_plaintext(c)) \
	X("forget this context", if (c) { otrl_context_force_plaintext(c); otrl_context_forget(c); }) \
	X("forget the contexts of others", forget_others(self)) \
	X("forget all contexts", otrl_context_forget_all(self->us)) \
	X("forget all fingerprints", forget_fingerprints(self)) \
	X("add contexts before and behind", add_contexts(self)) \
	X("look for the recent ones", find_recent(self, c)) \
	X("change the trust", set_trust(self)) \
	X("write the fingerprints", otrl_privkey_write_fingerprints(self->us, scratch("prints"))) \
	X("read the fingerprints", otrl_privkey_write_fingerprints(self->us, scratch("prints")); \
		otrl_privkey_read_fingerprints(self->us, scratch("prints"), added, self)) \
	X("read the keys", otrl_privkey_read(self->us, keys_all())) \
	X("finish a key, cancel another", write_keys(self)) \
	X("forget the keys", otrl_privkey_forget_all(self->us)) \
	X("make an instance tag", otrl_instag_generate(self->us, scratch("tags"), self->account, PROTOCOL)) \
	X("forget the instance tags", otrl_instag_forget_all(self->us)) \
	X("write and read the instance tags", otrl_instag_write(self->us, scratch("tags")); \
		otrl_instag_read(self->us, scratch("tags"))) \
	X("poll", otrl_message_poll(LIBRARY)) \
	X("set all callbacks to NULL", memset(&self->ops, 0, sizeof self->ops)) \
	X("answer differently from now on", self->policy = OTRL_POLICY_NEVER; self->logged_in = 0; self->mms = 3; \
		self->error_text = self->resent_prefix = NULL) \
	X("overwrite and free the arguments of the call", free_strings())

#define ROW(name, ...) { name, 0, 0 },
#define CASE(name, ...) if (number-- == 0) { __VA_ARGS__; }
static struct {
	const char *name;
	int cells, bad;
} actions[] = { ALL_ACTIONS(ROW) };
enum { ACTIONS = sizeof actions / sizeof actions[0] };
static int chosen;

static void do_chosen(Party *self, ConnContext *c)
{
	const char *peer = peer_of(self);
	int number = chosen;

	ALL_ACTIONS(CASE)
}

#endif
