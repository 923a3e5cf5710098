/* peer.c for the interface of libotr 3.2, as a client of that time uses it: the
 * SMP is stepped by the client, who compares nextExpected with what has come,
 * and what is sent goes through otrl_message_fragment_and_send.
 *
 *     peer2 ACCOUNT KEYFILE
 *
 * Policies are given with the bits of libotr 4, and what happens in the SMP is
 * told with its numbers, so that the same conversations can be had.
 *
 * Commands come one per line on stdin, arguments separated by spaces, texts in
 * hex ("-" for an empty one). Each command is answered with any number of lines
 * that say what happened, and then "done".
 *
 *     wire TO HEX      to be carried to the other side
 *     shown HEX        the user would see this
 *     display HEX, notify LEVEL HEX HEX HEX, log HEX, smp N PERCENT HEX,
 *     secure VERSION, still
 *     state MSGSTATE VERSION TRUST FINGERPRINT SESSIONID INSTANCES
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>

static OtrlUserState us;
static const char *account;
static OtrlPolicy policy = OTRL_POLICY_MANUAL;
static int mms;
static int shows_messages = 1;

static void hex(const char *text, size_t len)
{
	size_t i;

	if (len == 0) {
		printf("-");
	}
	for (i = 0; i < len; i++) {
		printf("%02x", (unsigned char) text[i]);
	}
}

static char *unhex(const char *text)
{
	size_t len = strlen(text) / 2, i;
	char *out = calloc(1, len + 1);

	for (i = 0; i < len; i++) {
		unsigned byte = 0;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			break;
		}
		out[i] = (char) byte;
	}
	return out;
}

static void say(const char *what, const char *to, const char *text)
{
	printf("%s%s%s ", what, to ? " " : "", to ? to : "");
	hex(text, strlen(text));
	printf("\n");
}

/* ---- callbacks ------------------------------------------------------------ */

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	(void) opdata;
	(void) context;
	return policy;
}

static int on_logged_in(void *opdata, const char *a, const char *p, const char *r)
{
	(void) opdata;
	(void) a;
	(void) p;
	(void) r;
	return 1;
}

static void on_inject(void *opdata, const char *a, const char *p, const char *to,
		const char *message)
{
	(void) opdata;
	(void) a;
	(void) p;
	say("wire", to, message);
}

static void on_write(void *opdata)
{
	(void) opdata;
}

static void on_secure(void *opdata, ConnContext *context)
{
	(void) opdata;
	printf("secure %u\n", context->protocol_version);
}

static void on_still(void *opdata, ConnContext *context, int is_reply)
{
	(void) opdata;
	(void) context;
	printf("still %d\n", is_reply);
}

static int on_mms(void *opdata, ConnContext *context)
{
	(void) opdata;
	(void) context;
	return mms;
}

static void on_notify(void *opdata, OtrlNotifyLevel level, const char *a, const char *p,
		const char *u, const char *title, const char *primary, const char *secondary)
{
	(void) opdata;
	(void) a;
	(void) p;
	(void) u;
	printf("notify %d ", (int) level);
	hex(title, strlen(title));
	printf(" ");
	hex(primary, strlen(primary));
	printf(" ");
	hex(secondary ? secondary : "", secondary ? strlen(secondary) : 0);
	printf("\n");
}

static int on_display(void *opdata, const char *a, const char *p, const char *u,
		const char *message)
{
	(void) opdata;
	(void) a;
	(void) p;
	(void) u;
	if (!shows_messages) {
		return 1;
	}
	say("display", NULL, message);
	return 0;
}

static void on_log(void *opdata, const char *message)
{
	(void) opdata;
	say("log", NULL, message);
}

static const char *on_account_name(void *opdata, const char *a, const char *p)
{
	char *name = malloc(strlen(a) + strlen(p) + 4);

	(void) opdata;
	sprintf(name, "%s (%s)", a, p);
	return name;
}

static void on_account_name_free(void *opdata, const char *name)
{
	(void) opdata;
	free((char *) name);
}

static const OtrlMessageAppOps ops = {
	.policy = on_policy, .is_logged_in = on_logged_in, .inject_message = on_inject,
	.notify = on_notify, .display_otr_message = on_display, .write_fingerprints = on_write,
	.gone_secure = on_secure, .still_secure = on_still, .log_message = on_log,
	.max_message_size = on_mms, .account_name = on_account_name,
	.account_name_free = on_account_name_free,
};

/* ---- commands --------------------------------------------------------------- */

#define PROTOCOL "prpl-interop"

static ConnContext *context_of(const char *peer)
{
	return otrl_context_find(us, peer, account, PROTOCOL, 1, NULL, NULL, NULL);
}

static void command_send(const char *peer, char *text)
{
	char *message = NULL;
	gcry_error_t err = otrl_message_sending(us, &ops, NULL, account, PROTOCOL, peer, text,
			NULL, &message, NULL, NULL);

	if (err) {
		printf("refused %x\n", (unsigned) err);
	} else if (!message) {
		say("wire", peer, text);
	} else if (*message == '\0') {
		say("wire", peer, message);
	} else {
		otrl_message_fragment_and_send(&ops, NULL, context_of(peer), message,
				OTRL_FRAGMENT_SEND_ALL, NULL);
	}
	otrl_message_free(message);
}

/* ---- the SMP ---------------------------------------------------------------- */

enum { SMP_ERROR = 1, SMP_ABORT, SMP_CHEATED, SMP_ASK_ANSWER, SMP_ASK_SECRET, SMP_PROGRESS,
	SMP_SUCCESS, SMP_FAILURE };

static void smp_event(int event, int percent, const char *question)
{
	printf("smp %d %d ", event, percent);
	hex(question, strlen(question));
	printf("\n");
}

static void smp_break(ConnContext *context, int event)
{
	smp_event(event, 0, "");
	otrl_message_abort_smp(us, &ops, NULL, context);
	otrl_sm_state_free(context->smstate);
}

/* The record of this type, if there is one and it may come now. */
static OtrlTLV *smp_message(ConnContext *context, OtrlTLV *tlvs, unsigned short type,
		NextExpectedSMP now, NextExpectedSMP wanted)
{
	OtrlTLV *tlv = otrl_tlv_find(tlvs, type);

	if (tlv && now != wanted) {
		smp_break(context, SMP_ERROR);
		return NULL;
	}
	return tlv;
}

static void smp_verdict(ConnContext *context)
{
	smp_event(context->smstate->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED ? SMP_SUCCESS :
			SMP_FAILURE, 100, "");
	otrl_sm_state_free(context->smstate);
}

static void step_smp(ConnContext *context, OtrlTLV *tlvs)
{
	OtrlSMState *smp = context->smstate;
	NextExpectedSMP now = smp->nextExpected;
	OtrlTLV *tlv;

	if (smp->sm_prog_state == OTRL_SMP_PROG_CHEATED) {
		smp_break(context, SMP_CHEATED);
		return;
	}
	tlv = smp_message(context, tlvs, OTRL_TLV_SMP1Q, now, OTRL_SMP_EXPECT1);
	if (tlv) {
		smp_event(SMP_ASK_ANSWER, 25, (char *) tlv->data);
	}
	if (smp_message(context, tlvs, OTRL_TLV_SMP1, now, OTRL_SMP_EXPECT1)) {
		smp_event(SMP_ASK_SECRET, 25, "");
	}
	if (smp_message(context, tlvs, OTRL_TLV_SMP2, now, OTRL_SMP_EXPECT2)) {
		smp_event(SMP_PROGRESS, 60, "");
		smp->nextExpected = OTRL_SMP_EXPECT4;
	}
	if (smp_message(context, tlvs, OTRL_TLV_SMP3, now, OTRL_SMP_EXPECT3)) {
		smp_verdict(context);
	}
	if (smp_message(context, tlvs, OTRL_TLV_SMP4, now, OTRL_SMP_EXPECT4)) {
		smp_verdict(context);
	}
	if (otrl_tlv_find(tlvs, OTRL_TLV_SMP_ABORT)) {
		smp_event(SMP_ABORT, 0, "");
		otrl_sm_state_free(smp);
	}
}

static void command_recv(const char *peer, char *text)
{
	char *shown = NULL;
	OtrlTLV *tlvs = NULL, *tlv;
	int hidden = otrl_message_receiving(us, &ops, NULL, account, PROTOCOL, peer, text,
			&shown, &tlvs, NULL, NULL);

	step_smp(context_of(peer), tlvs);
	if (!hidden) {
		say("shown", NULL, shown ? shown : text);
	}
	for (tlv = tlvs; tlv; tlv = tlv->next) {
		printf("tlv %u %u\n", tlv->type, tlv->len);
	}
	otrl_tlv_free(tlvs);
	otrl_message_free(shown);
}

/* The bits of libotr 3 for those of libotr 4, which has one more version. */
static OtrlPolicy older_policy(unsigned long bits)
{
	return (OtrlPolicy) ((bits & 3) | (bits >> 1 & 0x3c));
}

static void command_state(const char *peer)
{
	ConnContext *c = context_of(peer);
	Fingerprint *print = c->active_fingerprint;
	char human[45];

	printf("state %d %u %s ", (int) c->msgstate, c->protocol_version,
			print && print->trust && *print->trust ? print->trust : "-");
	hex(print ? (const char *) print->fingerprint : "", print ? 20 : 0);
	printf(" ");
	hex((const char *) c->sessionid, c->sessionid_len);
	printf(" 0\n");
	if (otrl_privkey_fingerprint(us, human, account, PROTOCOL)) {
		printf("own %s\n", human);
	}
}

static void handle(char *line)
{
	char *word[4] = { NULL, NULL, NULL, NULL }, *text[4];
	int i;

	for (i = 0; i < 4; i++) {
		word[i] = strtok(i ? NULL : line, " \n");
		text[i] = unhex(word[i] ? word[i] : "");
	}
	if (!word[0]) {
		/* An empty line. */
	} else if (!strcmp(word[0], "policy")) {
		policy = older_policy(strtoul(word[1], NULL, 0));
	} else if (!strcmp(word[0], "mms")) {
		mms = atoi(word[1]);
	} else if (!strcmp(word[0], "inline")) {
		shows_messages = 0;
	} else if (!strcmp(word[0], "send")) {
		command_send(word[1], text[2]);
	} else if (!strcmp(word[0], "recv")) {
		command_recv(word[1], text[2]);
	} else if (!strcmp(word[0], "smp")) {
		otrl_message_initiate_smp(us, &ops, NULL, context_of(word[1]), (unsigned char *) text[2],
				strlen(text[2]));
	} else if (!strcmp(word[0], "smpq")) {
		otrl_message_initiate_smp_q(us, &ops, NULL, context_of(word[1]), text[3],
				(unsigned char *) text[2], strlen(text[2]));
	} else if (!strcmp(word[0], "respond")) {
		otrl_message_respond_smp(us, &ops, NULL, context_of(word[1]), (unsigned char *) text[2],
				strlen(text[2]));
	} else if (!strcmp(word[0], "abort")) {
		otrl_message_abort_smp(us, &ops, NULL, context_of(word[1]));
	} else if (!strcmp(word[0], "close")) {
		otrl_message_disconnect(us, &ops, NULL, account, PROTOCOL, word[1]);
	} else if (!strcmp(word[0], "state")) {
		command_state(word[1]);
	} else if (!strcmp(word[0], "library")) {
		Dl_info info;

		if (dladdr((void *) (size_t) otrl_version, &info)) {
			printf("library %s\n", info.dli_fname);
		}
	} else {
		printf("unknown %s\n", word[0]);
	}
	for (i = 0; i < 4; i++) {
		free(text[i]);
	}
	printf("done\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;

	if (argc != 3) {
		fprintf(stderr, "peer2 ACCOUNT KEYFILE\n");
		return 2;
	}
	OTRL_INIT;
	account = argv[1];
	us = otrl_userstate_create();
	if (otrl_privkey_read(us, argv[2]) || !otrl_privkey_find(us, account, PROTOCOL)) {
		if (otrl_privkey_generate(us, argv[2], account, PROTOCOL)) {
			fprintf(stderr, "no key could be made\n");
			return 2;
		}
	}
	while (getline(&line, &room, stdin) != -1) {
		handle(line);
	}
	free(line);
	otrl_userstate_free(us);
	return 0;
}
