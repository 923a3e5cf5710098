/* One end of a conversation in a process of its own. It is built once against
 * the C libotr's headers; LD_LIBRARY_PATH decides which library it runs on.
 *
 *     peer ACCOUNT KEYFILE
 *
 * Commands come one per line on stdin, arguments separated by spaces, texts in
 * hex ("-" for an empty one). Each command is answered with any number of lines
 * that say what happened, and then "done".
 *
 *     wire TO HEX      to be carried to the other side
 *     shown HEX        the user would see this
 *     event N, smp N PERCENT HEX, secure VERSION, still, symkey USE HEX KEY
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
static OtrlFragmentPolicy fragments = OTRL_FRAGMENT_SEND_SKIP;

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

#define PROTOCOL "prpl-interop"

static ConnContext *best(const char *peer)
{
	return otrl_context_find(us, peer, account, PROTOCOL, OTRL_INSTAG_BEST, 1, NULL, NULL,
			NULL);
}

static void command_send(const char *peer, char *text)
{
	char *message = NULL;
	gcry_error_t err = otrl_message_sending(us, &ops, NULL, account, PROTOCOL, peer,
			OTRL_INSTAG_BEST, text, NULL, &message, fragments, NULL, NULL, NULL);

	if (err) {
		printf("refused %x\n", (unsigned) err);
	} else if (fragments != OTRL_FRAGMENT_SEND_ALL || !message) {
		say("wire", peer, message ? message : text);
	}
	otrl_message_free(message);
}

static void command_recv(const char *peer, char *text)
{
	char *shown = NULL;
	OtrlTLV *tlvs = NULL, *tlv;
	int hidden = otrl_message_receiving(us, &ops, NULL, account, PROTOCOL, peer, text,
			&shown, &tlvs, NULL, NULL, NULL);

	if (!hidden) {
		say("shown", NULL, shown ? shown : text);
	}
	for (tlv = tlvs; tlv; tlv = tlv->next) {
		printf("tlv %u %u\n", tlv->type, tlv->len);
	}
	otrl_tlv_free(tlvs);
	otrl_message_free(shown);
}

static void command_state(const char *peer)
{
	ConnContext *c = best(peer), *child;
	Fingerprint *print = c->active_fingerprint;
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
	int instances = 0;

	for (child = c->m_context->next; child && child->m_context == c->m_context;
			child = child->next) {
		instances += child->msgstate == OTRL_MSGSTATE_ENCRYPTED;
	}
	printf("state %d %u %s ", (int) c->msgstate, c->protocol_version,
			print && print->trust && *print->trust ? print->trust : "-");
	hex(print ? (const char *) print->fingerprint : "", print ? 20 : 0);
	printf(" ");
	hex((const char *) c->sessionid, c->sessionid_len);
	printf(" %d\n", instances);
	if (otrl_privkey_fingerprint(us, human, account, PROTOCOL)) {
		printf("own %s\n", human);
	}
}

static void command_symkey(const char *peer, unsigned use, char *data)
{
	unsigned char key[OTRL_EXTRAKEY_BYTES];

	if (otrl_message_symkey(us, &ops, NULL, best(peer), use, (unsigned char *) data,
				strlen(data), key) == 0) {
		printf("symkey %u ", use);
		hex(data, strlen(data));
		printf(" ");
		hex((const char *) key, sizeof key);
		printf("\n");
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
		policy = (OtrlPolicy) strtoul(word[1], NULL, 0);
	} else if (!strcmp(word[0], "mms")) {
		mms = atoi(word[1]);
		fragments = mms ? OTRL_FRAGMENT_SEND_ALL : OTRL_FRAGMENT_SEND_SKIP;
	} else if (!strcmp(word[0], "send")) {
		command_send(word[1], text[2]);
	} else if (!strcmp(word[0], "recv")) {
		command_recv(word[1], text[2]);
	} else if (!strcmp(word[0], "smp")) {
		otrl_message_initiate_smp(us, &ops, NULL, best(word[1]), (unsigned char *) text[2],
				strlen(text[2]));
	} else if (!strcmp(word[0], "smpq")) {
		otrl_message_initiate_smp_q(us, &ops, NULL, best(word[1]), text[3],
				(unsigned char *) text[2], strlen(text[2]));
	} else if (!strcmp(word[0], "respond")) {
		otrl_message_respond_smp(us, &ops, NULL, best(word[1]), (unsigned char *) text[2],
				strlen(text[2]));
	} else if (!strcmp(word[0], "abort")) {
		otrl_message_abort_smp(us, &ops, NULL, best(word[1]));
	} else if (!strcmp(word[0], "symkey")) {
		command_symkey(word[1], (unsigned) atoi(word[2]), text[3]);
	} else if (!strcmp(word[0], "close")) {
		otrl_message_disconnect_all_instances(us, &ops, NULL, account, PROTOCOL, word[1]);
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
		fprintf(stderr, "peer ACCOUNT KEYFILE\n");
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
