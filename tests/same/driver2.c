/* The driver for the interface of libotr 3.2: the same commands as driver.c takes, as far as there is something that they
 * can ask for, and what they show in the same words. Used as the clients of that time used it: what is sent goes through
 * otrl_message_fragment_and_send, and SMP is stepped by the client, who says then what driver.c says in its callback.
 *
 *     driver2 LIBRARY
 *
 * Policies come with the bits of libotr 4. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/proto.h>
#include <libotr/userstate.h>

#include "lines.h"
#include "system.h"

#define FUNCTIONS(F) \
	F(init) F(version) F(userstate_create) F(userstate_free) F(message_sending) F(message_receiving) F(message_free) \
	F(message_fragment_and_send) F(message_disconnect) F(message_initiate_smp) F(message_initiate_smp_q) \
	F(message_respond_smp) F(message_abort_smp) F(tlv_free) F(tlv_find) F(tlv_parse) F(context_find) \
	F(context_set_trust) F(context_force_finished) F(context_force_plaintext) F(context_forget_all) F(privkey_read) \
	F(privkey_find) F(privkey_forget) F(privkey_forget_all) F(sm_state_free)

#define DECLARE(name) static __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DECLARE)

#define PROTOCOL "prpl-same"
#define USERS 8
#define WORDS 10

typedef struct {
	int used;
	OtrlUserState us;
	char account[64];
	OtrlPolicy policy;
	int mms;
	Stream stream;
} User;

static User users[USERS];
static char *word[WORDS];

/* ---- callbacks ------------------------------------------------------------------------------- */

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	(void) context;
	return ((User *) opdata)->policy;
}

static int on_is_logged_in(void *opdata, const char *account, const char *protocol, const char *recipient)
{
	(void) opdata;
	(void) account;
	(void) protocol;
	(void) recipient;
	return 1;
}

static void on_inject(void *opdata, const char *account, const char *protocol, const char *to, const char *message)
{
	(void) opdata;
	(void) account;
	(void) protocol;
	printf("inject %s ", to);
	hex(message);
	putchar('\n');
}

static void on_notify(void *opdata, OtrlNotifyLevel level, const char *account, const char *protocol, const char *username,
		const char *title, const char *primary, const char *secondary)
{
	(void) opdata;
	(void) account;
	(void) protocol;
	(void) username;
	(void) title;
	(void) secondary;
	printf("cb notify %d ", level);
	hex(primary);
	putchar('\n');
}

static int on_display(void *opdata, const char *account, const char *protocol, const char *username, const char *text)
{
	(void) opdata;
	(void) account;
	(void) protocol;
	(void) username;
	printf("cb display_otr_message ");
	hex(text);
	putchar('\n');
	return 0;
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account, const char *protocol,
		const char *username, unsigned char fingerprint[20])
{
	printf("cb new_fingerprint %d %s %s %s ", us == ((User *) opdata)->us, account, protocol, username);
	hexn(fingerprint, 20);
	putchar('\n');
}

static void on_write_fingerprints(void *opdata)
{
	(void) opdata;
	printf("cb write_fingerprints\n");
}

static void secure(const char *what, ConnContext *context, int is_reply)
{
	printf("cb %s %s/0 state=%d version=%u reply=%d sid=", what, context->username, context->msgstate,
			context->protocol_version, is_reply);
	hexn(context->sessionid, context->sessionid_len);
	printf(" active=");
	hexn(context->active_fingerprint ? context->active_fingerprint->fingerprint : NULL, 20);
	putchar('\n');
}

static void on_gone_secure(void *opdata, ConnContext *context)
{
	(void) opdata;
	secure("gone_secure", context, -1);
}

static void on_still_secure(void *opdata, ConnContext *context, int is_reply)
{
	(void) opdata;
	secure("still_secure", context, is_reply);
}

static void on_update_list(void *opdata)
{
	(void) opdata;
}

static void on_log(void *opdata, const char *message)
{
	(void) opdata;
	(void) message;
}

static int on_max_message_size(void *opdata, ConnContext *context)
{
	(void) context;
	return ((User *) opdata)->mms;
}

static const OtrlMessageAppOps ops = {
	.policy = on_policy, .is_logged_in = on_is_logged_in, .inject_message = on_inject, .notify = on_notify,
	.display_otr_message = on_display, .update_context_list = on_update_list, .new_fingerprint = on_new_fingerprint,
	.write_fingerprints = on_write_fingerprints, .gone_secure = on_gone_secure, .still_secure = on_still_secure,
	.log_message = on_log, .max_message_size = on_max_message_size,
};

/* ---- what can be seen ------------------------------------------------------------------------- */

static void say_context(ConnContext *c)
{
	Fingerprint *f;

	printf("ctx %s/0 msgstate=%d authstate=%d initiated=%d auth_version=%u active=", c->username, c->msgstate,
			c->auth.authstate, c->auth.initiated, c->auth.protocol_version);
	hexn(c->active_fingerprint ? c->active_fingerprint->fingerprint : NULL, 20);
	printf(" sid=");
	hexn(c->sessionid, c->sessionid_len);
	printf(" half=%d version=%u offer=%d next=%d prog=%d asked=%d secret=%d prints=",
			c->sessionid_len ? (int) c->sessionid_half : -1, c->protocol_version, c->otr_offer,
			c->smstate->nextExpected, c->smstate->sm_prog_state, c->smstate->received_question,
			c->smstate->secret != NULL);
	for (f = c->fingerprint_root.next; f; f = f->next) {
		hexn(f->fingerprint, 20);
		putchar(':');
		hex(f->trust);
		printf(":%s/0:%d,", f->context->username, *f->tous == f);
	}
	printf("|\n");
}

static void say_tlvs(const OtrlTLV *tlv)
{
	printf(" tlvs=");
	for (; tlv; tlv = tlv->next) {
		printf("%u:%u:", tlv->type, tlv->len);
		/* The numbers of SMP are long, and their length says enough. */
		if (tlv->type < 2 || tlv->type > 7 || tlv->len < 40) {
			hexn(tlv->data, tlv->len);
		}
		printf(":%d,", tlv->data ? tlv->data[tlv->len] == 0 : -1);
	}
	printf("|");
}

/* ---- commands ---------------------------------------------------------------------------------- */

static ConnContext *context_of(User *u, const char *name)
{
	return p_context_find(u->us, name, u->account, PROTOCOL, 0, NULL, NULL, NULL);
}

static void forget_user(User *u)
{
	drawing = &u->stream;
	if (u->used) {
		p_userstate_free(u->us);
	}
	memset(u, 0, sizeof *u);
	drawing = NULL;
}

static void do_send(User *u)
{
	char *text = unhex(word[5], NULL), *message = (char *) "untouched", *rest = NULL;
	int fragments = atoi(word[4]);
	OtrlTLV *tlvs = NULL;
	size_t len;
	gcry_error_t err;

	if (strcmp(word[6], "~")) {
		char *chain = unhex(word[6], &len);

		tlvs = p_tlv_parse((unsigned char *) chain, len);
		free(chain);
	}
	err = p_message_sending(u->us, &ops, u, u->account, PROTOCOL, word[2], text, tlvs, &message, NULL, NULL);
	/* The first of libotr 4's ways is to leave the message whole; the others are those of 3.2. */
	if (!err && message && *message && fragments) {
		err = p_message_fragment_and_send(&ops, u, context_of(u, word[2]), message,
				(OtrlFragmentPolicy) (fragments - 1), fragments == 1 ? NULL : &rest);
		if (rest) {
			p_message_free(message);
			message = rest;
		}
	}
	printf("message ");
	hex(message);
	printf("\nret send err=%x context=%s/0\n", (unsigned) err, word[2]);
	p_message_free(message);
	p_tlv_free(tlvs);
	free(text);
}

/* ---- SMP, as the client steps it --------------------------------------------------------------- */

enum { SMP_NONE, SMP_ERROR, SMP_ABORT, SMP_CHEATED, SMP_ASK_ANSWER, SMP_ASK_SECRET, SMP_PROGRESS, SMP_SUCCESS, SMP_FAILURE };

static void smp_event(ConnContext *c, int event, int percent, const char *question)
{
	printf("cb handle_smp_event %s/0 %d %d ", c->username, event, percent);
	hex(question);
	putchar('\n');
}

static void smp_break(User *u, ConnContext *c, int event)
{
	smp_event(c, event, 0, NULL);
	p_message_abort_smp(u->us, &ops, u, c);
	p_sm_state_free(c->smstate);
}

/* The record of this type, if there is one and it may come now. */
static OtrlTLV *smp_record(User *u, ConnContext *c, OtrlTLV *tlvs, unsigned short type, NextExpectedSMP now,
		NextExpectedSMP wanted)
{
	OtrlTLV *tlv = p_tlv_find(tlvs, type);

	if (tlv && now != wanted) {
		smp_break(u, c, SMP_ERROR);
		return NULL;
	}
	return tlv;
}

static void smp_verdict(ConnContext *c)
{
	smp_event(c, c->smstate->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED ? SMP_SUCCESS : SMP_FAILURE, 100, NULL);
	p_sm_state_free(c->smstate);
}

static void step_smp(User *u, ConnContext *c, OtrlTLV *tlvs)
{
	OtrlSMState *smp = c->smstate;
	NextExpectedSMP now = smp->nextExpected;
	OtrlTLV *tlv;

	if (smp->sm_prog_state == OTRL_SMP_PROG_CHEATED) {
		smp_break(u, c, SMP_CHEATED);
		smp->nextExpected = OTRL_SMP_EXPECT1;
		smp->sm_prog_state = OTRL_SMP_PROG_OK;
		return;
	}
	tlv = smp_record(u, c, tlvs, OTRL_TLV_SMP1Q, now, OTRL_SMP_EXPECT1);
	if (tlv) {
		smp_event(c, SMP_ASK_ANSWER, 25, (char *) tlv->data);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP1, now, OTRL_SMP_EXPECT1)) {
		smp_event(c, SMP_ASK_SECRET, 25, NULL);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP2, now, OTRL_SMP_EXPECT2)) {
		smp_event(c, SMP_PROGRESS, 60, NULL);
		smp->nextExpected = OTRL_SMP_EXPECT4;
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP3, now, OTRL_SMP_EXPECT3)) {
		smp_verdict(c);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP4, now, OTRL_SMP_EXPECT4)) {
		smp_verdict(c);
	}
	if (p_tlv_find(tlvs, OTRL_TLV_SMP_ABORT)) {
		smp_event(c, SMP_ABORT, 0, NULL);
		p_sm_state_free(smp);
	}
}

static void do_recv(User *u)
{
	char *text = unhex(word[3], NULL), *shown = (char *) "untouched";
	OtrlTLV *tlvs = (OtrlTLV *) &users;
	int hidden = p_message_receiving(u->us, &ops, u, u->account, PROTOCOL, word[2], text, &shown,
			!strcmp(word[4], "notlvs") ? NULL : &tlvs, NULL, NULL);
	ConnContext *c = context_of(u, word[2]);

	if (c && strcmp(word[4], "notlvs")) {
		step_smp(u, c, tlvs);
	}
	printf("ret recv hidden=%d context=%s/0", hidden, word[2]);
	if (strcmp(word[4], "notlvs")) {
		say_tlvs(tlvs);
		p_tlv_free(tlvs);
	}
	printf(" shown=");
	hex(shown);
	putchar('\n');
	p_message_free(shown);
	free(text);
}

static void do_smp(User *u, ConnContext *c)
{
	size_t len;
	char *secret = unhex(word[4], &len), *question = unhex(word[5], NULL);

	if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(word[0], "respond")) {
		p_message_respond_smp(u->us, &ops, u, c, (unsigned char *) secret, len);
	} else if (question) {
		p_message_initiate_smp_q(u->us, &ops, u, c, question, (unsigned char *) secret, len);
	} else {
		p_message_initiate_smp(u->us, &ops, u, c, (unsigned char *) secret, len);
	}
	free(secret);
	free(question);
}

static void do_context(User *u, ConnContext *c)
{
	const char *what = word[4];

	if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(what, "abort")) {
		p_message_abort_smp(u->us, &ops, u, c);
	} else if (!strcmp(what, "finish")) {
		p_context_force_finished(c);
	} else if (!strcmp(what, "plaintext")) {
		p_context_force_plaintext(c);
	} else if (!strcmp(what, "trust")) {
		Fingerprint *f = c->fingerprint_root.next;
		char *trust = unhex(word[6], NULL);
		int i = atoi(word[5]);

		while (f && i-- > 0) {
			f = f->next;
		}
		if (f) {
			p_context_set_trust(f, trust);
			printf("ret trusted %d\n", f->trust && *f->trust);
		}
		free(trust);
	} else {
		printf("ret unknown %s\n", what);
	}
}

static void do_keys(User *u)
{
	OtrlPrivKey *key = p_privkey_find(u->us, u->account, PROTOCOL);

	if (!strcmp(word[2], "forget") && key) {
		p_privkey_forget(key);
	} else if (!strcmp(word[2], "forgetall")) {
		p_privkey_forget_all(u->us);
	} else if (!strcmp(word[2], "forgetcontexts")) {
		p_context_forget_all(u->us);
	}
}

static void set(User *u, const char *what, const char *value)
{
	unsigned long bits = strtoul(value, NULL, 0);

	if (!strcmp(what, "policy")) {
		/* Without the bit of version 3. */
		u->policy = (OtrlPolicy) ((bits & 3) | (bits >> 1 & 0x3c));
	} else if (!strcmp(what, "mms")) {
		u->mms = atoi(value);
	}
}

static void do_command(void)
{
	const char *what = word[0];
	User *u;
	ConnContext *c;
	int i;

	if (!strcmp(what, "reset")) {
		for (i = 0; i < USERS; i++) {
			forget_user(&users[i]);
		}
		clock_now = 1000000000;
		return;
	}
	if (!strcmp(what, "clock")) {
		clock_now += atol(word[1]);
		return;
	}
	u = &users[(unsigned) atoi(word[1]) % USERS];
	if (!strcmp(what, "user")) {
		forget_user(u);
		u->us = p_userstate_create();
		u->used = 1;
		snprintf(u->account, sizeof u->account, "%s", word[2]);
		u->stream.seed = strtoull(word[3], NULL, 0);
		return;
	}
	drawing = &u->stream;
	c = strcmp(what, "set") && strcmp(what, "files") ? context_of(u, word[2]) : NULL;
	if (!strcmp(what, "set")) {
		set(u, word[2], word[3]);
	} else if (!strcmp(what, "send")) {
		do_send(u);
	} else if (!strcmp(what, "recv")) {
		do_recv(u);
	} else if (!strcmp(what, "smp") || !strcmp(what, "respond")) {
		do_smp(u, c);
	} else if (!strcmp(what, "context")) {
		do_context(u, c);
	} else if (!strcmp(what, "close") || !strcmp(what, "closeall")) {
		p_message_disconnect(u->us, &ops, u, u->account, PROTOCOL, word[2]);
	} else if (!strcmp(what, "files") && !strcmp(word[2], "readkeys")) {
		printf("ret readkeys err=%x\n", (unsigned) p_privkey_read(u->us, word[3]));
	} else if (!strcmp(what, "keys")) {
		do_keys(u);
	}
	for (c = u->us->context_root; c; c = c->next) {
		say_context(c);
	}
	drawing = NULL;
}

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int i;

	if (!library) {
		fprintf(stderr, "driver2 LIBRARY: %s\n", argc == 2 ? dlerror() : "which?");
		return 2;
	}
#define LOAD(name) \
	*(void **) &p_##name = dlsym(library, "otrl_" #name); \
	if (!p_##name) { \
		fprintf(stderr, "%s has no otrl_" #name "\n", argv[1]); \
		return 2; \
	}
	FUNCTIONS(LOAD)
	p_init(3, 2, 1);
	say_line(p_version());
	say_line(".");
	while (read_words(word, WORDS)) {
		do_command();
		say_line(".");
	}
	for (i = 0; i < USERS; i++) {
		forget_user(&users[i]);
	}
	return 0;
}
