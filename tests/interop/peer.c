/* One end of a conversation in a process of its own. It is built once against
 * the C libotr's headers; LD_LIBRARY_PATH decides which library it runs on.
 *
 *     peer ACCOUNT KEYFILE
 *
 * The commands and answers are in peer_common.h. In addition:
 *
 *     event N, symkey USE HEX KEY
 */
#include "peer_common.h"

/* ---- callbacks ------------------------------------------------------------ */

static void on_symkey(void *opdata, ConnContext *context, unsigned int use,
		const unsigned char *data, size_t len, const unsigned char *key)
{
	(void) opdata;
	(void) context;
	printf("symkey %u ", use);
	hex((const char *) data, len);
	printf(" ");
	hex((const char *) key, OTRL_EXTRAKEY_BYTES);
	printf("\n");
}

static const char *on_error(void *opdata, ConnContext *context, OtrlErrorCode code)
{
	static const char *const texts[] = { "none", "encryption", "not private", "unreadable",
		"malformed" };

	(void) opdata;
	(void) context;
	return texts[code < 5 ? code : 0];
}

static void on_smp(void *opdata, OtrlSMPEvent event, ConnContext *context,
		unsigned short percent, char *question)
{
	(void) opdata;
	(void) context;
	printf("smp %d %u ", (int) event, percent);
	hex(question ? question : "", question ? strlen(question) : 0);
	printf("\n");
}

static void on_event(void *opdata, OtrlMessageEvent event, ConnContext *context,
		const char *message, gcry_error_t err)
{
	(void) opdata;
	(void) context;
	(void) message;
	(void) err;
	printf("event %d\n", (int) event);
}

static void on_instag(void *opdata, const char *a, const char *p)
{
	(void) opdata;
	otrl_instag_generate(us, "/dev/null", a, p);
}

static const OtrlMessageAppOps ops = {
	.policy = on_policy, .is_logged_in = on_logged_in, .inject_message = on_inject,
	.write_fingerprints = on_write, .gone_secure = on_secure, .still_secure = on_still,
	.max_message_size = on_mms, .received_symkey = on_symkey, .otr_error_message = on_error,
	.handle_smp_event = on_smp, .handle_msg_event = on_event, .create_instag = on_instag,
};

/* ---- commands --------------------------------------------------------------- */

static ConnContext *best(const char *peer)
{
	return otrl_context_find(us, peer, account, PROTOCOL, OTRL_INSTAG_BEST, 1, NULL, NULL,
			NULL);
}

static void do_policy(struct line *line)
{
	policy = (OtrlPolicy) strtoul(line->word[1], NULL, 0);
}

static void do_send(struct line *line)
{
	const char *to = line->word[1];
	OtrlFragmentPolicy fragments = mms ? OTRL_FRAGMENT_SEND_ALL : OTRL_FRAGMENT_SEND_SKIP;
	char *text = line->text[2], *message = NULL;
	gcry_error_t err = otrl_message_sending(us, &ops, NULL, account, PROTOCOL, to,
			OTRL_INSTAG_BEST, text, NULL, &message, fragments, NULL, NULL, NULL);

	if (err) {
		printf("refused %x\n", (unsigned) err);
	} else if (fragments != OTRL_FRAGMENT_SEND_ALL || !message) {
		say("wire", to, message ? message : text);
	}
	otrl_message_free(message);
}

static void do_recv(struct line *line)
{
	char *text = line->text[2], *shown = NULL;
	OtrlTLV *tlvs = NULL;
	int hidden = otrl_message_receiving(us, &ops, NULL, account, PROTOCOL, line->word[1], text,
			&shown, &tlvs, NULL, NULL, NULL);

	if (!hidden) {
		say("shown", NULL, shown ? shown : text);
	}
	say_tlvs(tlvs);
	otrl_tlv_free(tlvs);
	otrl_message_free(shown);
}

static void do_smp(struct line *line)
{
	otrl_message_initiate_smp(us, &ops, NULL, best(line->word[1]),
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_smpq(struct line *line)
{
	otrl_message_initiate_smp_q(us, &ops, NULL, best(line->word[1]), line->text[3],
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_respond(struct line *line)
{
	otrl_message_respond_smp(us, &ops, NULL, best(line->word[1]),
			(unsigned char *) line->text[2], strlen(line->text[2]));
}

static void do_abort(struct line *line)
{
	otrl_message_abort_smp(us, &ops, NULL, best(line->word[1]));
}

static void do_symkey(struct line *line)
{
	unsigned use = (unsigned) atoi(line->word[2]);
	char *data = line->text[3];
	unsigned char key[OTRL_EXTRAKEY_BYTES];

	if (otrl_message_symkey(us, &ops, NULL, best(line->word[1]), use, (unsigned char *) data,
				strlen(data), key) == 0) {
		on_symkey(NULL, NULL, use, (unsigned char *) data, strlen(data), key);
	}
}

static void do_close(struct line *line)
{
	otrl_message_disconnect_all_instances(us, &ops, NULL, account, PROTOCOL, line->word[1]);
}

static void do_state(struct line *line)
{
	ConnContext *context = best(line->word[1]), *child;
	int instances = 0;

	for (child = context->m_context->next; child && child->m_context == context->m_context;
			child = child->next) {
		instances += child->msgstate == OTRL_MSGSTATE_ENCRYPTED;
	}
	say_state(context, instances);
}

const struct command commands[] = {
	{ "policy", do_policy }, { "send", do_send }, { "recv", do_recv }, { "smp", do_smp },
	{ "smpq", do_smpq }, { "respond", do_respond }, { "abort", do_abort },
	{ "symkey", do_symkey }, { "close", do_close }, { "state", do_state }, { NULL, NULL },
};
