/* See peer_common.h. */
#include "peer_common.h"

#include <dlfcn.h>

OtrlUserState us;
const char *account;
OtrlPolicy policy = OTRL_POLICY_MANUAL;
int mms;

void hex(const char *text, size_t len)
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

void say(const char *what, const char *to, const char *text)
{
	printf("%s%s%s ", what, to ? " " : "", to ? to : "");
	hex(text, strlen(text));
	printf("\n");
}

void say_state(ConnContext *context, int instances)
{
	Fingerprint *print = context->active_fingerprint;
	char human[45];

	printf("state %d %u %s ", (int) context->msgstate, context->protocol_version,
			print && print->trust && *print->trust ? print->trust : "-");
	hex(print ? (const char *) print->fingerprint : "", print ? 20 : 0);
	printf(" ");
	hex((const char *) context->sessionid, context->sessionid_len);
	printf(" %d\n", instances);
	if (otrl_privkey_fingerprint(us, human, account, PROTOCOL)) {
		printf("own %s\n", human);
	}
}

void say_tlvs(const OtrlTLV *tlvs)
{
	for (; tlvs; tlvs = tlvs->next) {
		printf("tlv %u %u\n", tlvs->type, tlvs->len);
	}
}

/* ---- callbacks ------------------------------------------------------------ */

OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	(void) opdata;
	(void) context;
	return policy;
}

int on_logged_in(void *opdata, const char *a, const char *p, const char *r)
{
	(void) opdata;
	(void) a;
	(void) p;
	(void) r;
	return 1;
}

void on_inject(void *opdata, const char *a, const char *p, const char *to,
		const char *message)
{
	(void) opdata;
	(void) a;
	(void) p;
	say("wire", to, message);
}

void on_write(void *opdata)
{
	(void) opdata;
}

void on_secure(void *opdata, ConnContext *context)
{
	(void) opdata;
	printf("secure %u\n", context->protocol_version);
}

void on_still(void *opdata, ConnContext *context, int is_reply)
{
	(void) opdata;
	(void) context;
	printf("still %d\n", is_reply);
}

int on_mms(void *opdata, ConnContext *context)
{
	(void) opdata;
	(void) context;
	return mms;
}

/* ---- commands --------------------------------------------------------------- */

static void say_library(void)
{
	Dl_info info;

	if (dladdr((void *) (size_t) otrl_version, &info)) {
		printf("library %s\n", info.dli_fname);
	}
}

static void handle(char *input)
{
	const struct command *command = commands;
	struct line line;
	int i;

	for (i = 0; i < 4; i++) {
		line.word[i] = strtok(i ? NULL : input, " \n");
		line.text[i] = unhex(line.word[i] ? line.word[i] : "");
	}
	while (line.word[0] && command->name && strcmp(command->name, line.word[0])) {
		command++;
	}
	if (!line.word[0]) {
		/* An empty line. */
	} else if (command->name) {
		command->run(&line);
	} else if (!strcmp(line.word[0], "mms")) {
		mms = atoi(line.word[1]);
	} else if (!strcmp(line.word[0], "library")) {
		say_library();
	} else {
		printf("unknown %s\n", line.word[0]);
	}
	for (i = 0; i < 4; i++) {
		free(line.text[i]);
	}
	printf("done\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;

	if (argc != 3) {
		fprintf(stderr, "%s ACCOUNT KEYFILE\n", argv[0]);
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
