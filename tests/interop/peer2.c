/* peer.c for the interface of libotr 3.2, as a client of that time uses it: the
 * client runs the steps of SMP and compares nextExpected with the message that
 * has arrived, and messages are sent with otrl_message_fragment_and_send.
 *
 *     peer2 ACCOUNT KEYFILE
 *
 * Policies are given with the bits of libotr 4, and SMP events with its numbers,
 * so that the same conversations can be played.
 *
 * The commands and answers are in peer_common.h. In addition:
 *
 *     inline           text to be displayed is returned instead of the message
 *     display HEX, notify LEVEL HEX HEX HEX, log HEX
 */
#include "peer_common.h"

static int shows_messages = 1;

/* ---- callbacks ------------------------------------------------------------ */

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

static ConnContext *context_of(const char *peer)
{
	return otrl_context_find(us, peer, account, PROTOCOL, 1, NULL, NULL, NULL);
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

/* ---- commands --------------------------------------------------------------- */

/* The bits of libotr 3 for those of libotr 4, which has one more version. */
static OtrlPolicy older_policy(unsigned long bits)
{
	return (OtrlPolicy) ((bits & 3) | (bits >> 1 & 0x3c));
}

static void do_policy(struct line *line)
{
	policy = older_policy(strtoul(line->word[1], NULL, 0));
}

static void do_inline(struct line *line)
{
	(void) line;
	shows_messages = 0;
}

static void do_send(struct line *line)
{
	const char *to = line->word[1];
	char *text = line->text[2], *message = NULL;
	gcry_error_t err = otrl_message_sending(us, &ops, NULL, account, PROTOCOL, to, text,
			NULL, &message, NULL, NULL);

	if (err) {
		printf("refused %x\n", (unsigned) err);
	} else if (!message) {
		say("wire", to, text);
	} else if (*message == '\0') {
		say("wire", to, message);
	} else {
		otrl_message_fragment_and_send(&ops, NULL, context_of(to), message,
				OTRL_FRAGMENT_SEND_ALL, NULL);
	}
	otrl_message_free(message);
}

static void do_recv(struct line *line)
{
	char *text = line->text[2], *shown = NULL;
	OtrlTLV *tlvs = NULL;
	int hidden = otrl_message_receiving(us, &ops, NULL, account, PROTOCOL, line->word[1], text,
			&shown, &tlvs, NULL, NULL);

	step_smp(context_of(line->word[1]), tlvs);
	if (!hidden) {
		say("shown", NULL, shown ? shown : text);
	}
	say_tlvs(tlvs);
	otrl_tlv_free(tlvs);
	otrl_message_free(shown);
}

static void do_smp(struct line *line)
{
	otrl_message_initiate_smp(us, &ops, NULL, context_of(line->word[1]),
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_smpq(struct line *line)
{
	otrl_message_initiate_smp_q(us, &ops, NULL, context_of(line->word[1]), line->text[3],
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_respond(struct line *line)
{
	otrl_message_respond_smp(us, &ops, NULL, context_of(line->word[1]),
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_abort(struct line *line)
{
	otrl_message_abort_smp(us, &ops, NULL, context_of(line->word[1]));
}

static void do_close(struct line *line)
{
	otrl_message_disconnect(us, &ops, NULL, account, PROTOCOL, line->word[1]);
}

static void do_state(struct line *line)
{
	say_state(context_of(line->word[1]), 0);
}

const struct command commands[] = {
	{ "policy", do_policy }, { "inline", do_inline }, { "send", do_send }, { "recv", do_recv },
	{ "smp", do_smp }, { "smpq", do_smpq }, { "respond", do_respond }, { "abort", do_abort },
	{ "close", do_close }, { "state", do_state }, { NULL, NULL },
};
