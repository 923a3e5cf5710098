/* What the test programs of the interface of libotr 3.2 share: users that
 * exchange messages through one queue, each used as BitlBee 3.2 uses the library. */
#ifndef TESTS_C2_USERS_H
#define TESTS_C2_USERS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>

#define PROTOCOL "prpl-test"

/* ---- users ---------------------------------------------------------------- */

typedef struct user {
	const char *name;
	OtrlUserState us;
	OtrlMessageAppOps ops;
	OtrlPolicy policy;
	int mms, logged_in;
	int displays;			/* whether display_otr_message shows */
	char log[1 << 16];		/* each callback in a line */
	char *shown;			/* what the last message received showed */
	int hidden;			/* what otrl_message_receiving returned */
	OtrlTLV *tlvs;
	NextExpectedSMP next;		/* as it was after receiving */
	struct user *peer;
} User;

static struct wire {
	User *from;
	char *text;
} wires[4096];
static size_t wire_first, wire_end;

static void note(User *user, const char *format, ...)
{
	size_t used = strlen(user->log);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(user->log + used, sizeof user->log - used - 2, format, arguments);
	va_end(arguments);
	if (user->log[strlen(user->log) - 1] != '\n') {
		strcat(user->log, "\n");
	}
}

static int noted(const User *user, const char *text)
{
	return strstr(user->log, text) != NULL;
}

static void carry(User *from, const char *text)
{
	if (wire_end < sizeof wires / sizeof wires[0]) {
		wires[wire_end].from = from;
		wires[wire_end++].text = strdup(text);
	}
}

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	(void) context;
	return ((User *) opdata)->policy;
}

static int on_logged_in(void *opdata, const char *a, const char *p, const char *r)
{
	(void) a;
	(void) p;
	(void) r;
	return ((User *) opdata)->logged_in;
}

static void on_inject(void *opdata, const char *a, const char *p, const char *r, const char *text)
{
	User *user = opdata;

	ok(!strcmp(a, user->name) && !strcmp(p, PROTOCOL) && !strcmp(r, user->peer->name),
			"a message goes from our account to the correspondent");
	carry(user, text);
}

static void on_notify(void *opdata, OtrlNotifyLevel level, const char *a, const char *p,
		const char *u, const char *title, const char *primary, const char *secondary)
{
	(void) a;
	(void) p;
	(void) u;
	note(opdata, "notify %d: %s: %s: %s", (int) level, title, primary,
			secondary ? secondary : "-");
}

static int on_display(void *opdata, const char *a, const char *p, const char *u, const char *text)
{
	User *user = opdata;

	(void) a;
	(void) p;
	(void) u;
	note(user, "display: %s", text);
	return user->displays ? 0 : 1;
}

static void on_update(void *opdata)
{
	note(opdata, "update_context_list");
}

static void on_fingerprint(void *opdata, OtrlUserState us, const char *a, const char *p,
		const char *u, unsigned char fingerprint[20])
{
	char human[45];

	(void) us;
	(void) a;
	(void) p;
	otrl_privkey_hash_to_human(human, fingerprint);
	note(opdata, "new_fingerprint %s %s", u, human);
}

static void on_write(void *opdata)
{
	note(opdata, "write_fingerprints");
}

static void on_secure(void *opdata, ConnContext *context)
{
	note(opdata, "gone_secure %u", context->protocol_version);
}

static void on_still(void *opdata, ConnContext *context, int is_reply)
{
	(void) context;
	note(opdata, "still_secure %d", is_reply);
}

static void on_log(void *opdata, const char *message)
{
	note(opdata, "log: %s", message);
}

static int on_mms(void *opdata, ConnContext *context)
{
	(void) context;
	return ((User *) opdata)->mms;
}

static void on_never(void *opdata, ConnContext *context)
{
	(void) context;
	note(opdata, "gone_insecure");
}

static void user_start(User *user, const char *name)
{
	char path[4096];

	memset(user, 0, sizeof *user);
	user->name = name;
	user->us = otrl_userstate_create();
	user->policy = OTRL_POLICY_MANUAL;
	user->logged_in = 1;
	user->displays = 1;
	user->ops.policy = on_policy;
	user->ops.is_logged_in = on_logged_in;
	user->ops.inject_message = on_inject;
	user->ops.notify = on_notify;
	user->ops.display_otr_message = on_display;
	user->ops.update_context_list = on_update;
	user->ops.new_fingerprint = on_fingerprint;
	user->ops.write_fingerprints = on_write;
	user->ops.gone_secure = on_secure;
	user->ops.gone_insecure = on_never;
	user->ops.still_secure = on_still;
	user->ops.log_message = on_log;
	user->ops.max_message_size = on_mms;
	snprintf(path, sizeof path, "%s/keys", getenv("OTR_KEYS"));
	ok(otrl_privkey_read(user->us, path) == 0, "the keys are read");
}

static void user_forget(User *user)
{
	user->log[0] = '\0';
	otrl_tlv_free(user->tlvs);
	user->tlvs = NULL;
	otrl_message_free(user->shown);
	user->shown = NULL;
}

static void user_end(User *user)
{
	user_forget(user);
	otrl_userstate_free(user->us);
}

static ConnContext *context_of(User *user)
{
	return otrl_context_find(user->us, user->peer->name, user->name, PROTOCOL, 1, NULL, NULL,
			NULL);
}

/* Sends as BitlBee does. */
static gcry_error_t say(User *user, const char *text)
{
	char *message = (char *) 1;
	gcry_error_t err = otrl_message_sending(user->us, &user->ops, user, user->name, PROTOCOL,
			user->peer->name, text, NULL, &message, NULL, NULL);

	if (err) {
		return err;
	}
	if (message) {
		err = otrl_message_fragment_and_send(&user->ops, user, context_of(user), message,
				OTRL_FRAGMENT_SEND_ALL, NULL);
	} else {
		carry(user, text);
	}
	otrl_message_free(message);
	return err;
}

/* Receives, and says what the user sees: the last text is in user->shown. */
static void hear(User *user, const char *text)
{
	char *shown = (char *) 1;
	OtrlTLV *tlvs = (OtrlTLV *) 1;

	otrl_tlv_free(user->tlvs);
	otrl_message_free(user->shown);
	user->hidden = otrl_message_receiving(user->us, &user->ops, user, user->name, PROTOCOL,
			user->peer->name, text, &shown, &tlvs, NULL, NULL);
	user->tlvs = tlvs;
	user->next = context_of(user)->smstate->nextExpected;
	user->shown = user->hidden ? NULL : shown ? shown : strdup(text);
	if (user->hidden) {
		ok(shown == NULL, "nothing to show with a message that is not shown");
	}
}

/* Carries one message; 0 when there is none. */
static int carry_one(void)
{
	struct wire *wire;

	if (wire_first == wire_end) {
		wire_first = wire_end = 0;
		return 0;
	}
	wire = &wires[wire_first++];
	hear(wire->from->peer, wire->text);
	free(wire->text);
	return 1;
}

/* Loses what is on its way. */
static void drop_all(void)
{
	while (wire_first < wire_end) {
		free(wires[wire_first++].text);
	}
	wire_first = wire_end = 0;
}

static void carry_all(void)
{
	while (carry_one()) {
	}
}

static void two_users(User *alice, User *bob)
{
	user_start(alice, "alice");
	user_start(bob, "bob");
	alice->peer = bob;
	bob->peer = alice;
}

/* Whether this text from one user arrives as it was, encrypted. It should have a
 * blank in it: armour has none. */
static int understood(User *from, const char *text)
{
	User *to = from->peer;

	user_forget(to);
	if (say(from, text)) {
		return 0;
	}
	if (wire_first < wire_end && strstr(wires[wire_first].text, text)) {
		carry_all();
		return 0;
	}
	carry_all();
	return to->shown && !strcmp(to->shown, text);
}

static int private(User *user)
{
	return context_of(user)->msgstate == OTRL_MSGSTATE_ENCRYPTED;
}

#endif
