/* Several users of one libotr in one process, controlled line by line.
 *
 *     driver LIBRARY
 *
 * The library is loaded by its path, so that the same program runs any of one interface.
 * One command comes per line on stdin: its name, then words separated by
 * spaces. Texts are in hex, "-" is the empty text and "~" is NULL. Everything
 * that a client can see is printed on stdout, line by line, and "." ends it:
 *
 *     cb NAME WORDS        a callback, when it is called
 *     inject TO HEX        the callback inject_message
 *     message HEX          what the call gives back to be sent
 *     ret WORDS            what the call returns, and its other results
 *     ctx NAME FIELD=...   each context, after the call
 *     us FIELD=...         the user state, after the call
 *
 * callbacks.c has the callbacks, seen.c the output after a call, and system.c the clock and the random numbers. The driver is
 * compiled for the interface of libotr 4 or of 3.2; files whose names end in 5 or 2 have what only one of them has. */
#include <dlfcn.h>

#include "driver.h"

#define DEFINE(name) __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DEFINE)

#define USERS 8

static User users[USERS];
char *word[WORDS];

static void forget_user(User *u)
{
	drawing = &u->stream;
	if (u->used) {
		p_userstate_free(u->us);
	}
	memset(u, 0, sizeof *u);
	drawing = NULL;
}

ConnContext *context_of(User *u, const char *name, const char *instance)
{
	return find_context(u, name, u->account, PROTOCOL, instance, 0, NULL, NULL);
}

static Fingerprint *fingerprint_of(ConnContext *c, const char *number)
{
	int i = atoi(number);
	Fingerprint *f = FINGERPRINTS(c);

	while (f && i-- > 0) {
		f = f->next;
	}
	return f;
}

static void do_send(User *u)
{
	char *text = unhex(word[5], NULL), *message = (char *) "untouched";
	ConnContext *context = (ConnContext *) &users;
	OtrlTLV *tlvs = NULL;
	size_t len;
	gcry_error_t err;

	if (strcmp(word[6], "~")) {
		char *chain = unhex(word[6], &len);

		tlvs = p_tlv_parse((unsigned char *) chain, len);
		free(chain);
	}
	err = send_text(u, text, tlvs, &message, &context);
	printf("message ");
	hex(message);
	printf("\nret send err=%x context=%s\n", (unsigned) err, context_name(u, context));
	p_message_free(message);
	p_tlv_free(tlvs);
	free(text);
}

static void do_recv(User *u)
{
	char *text = unhex(word[3], NULL), *shown = (char *) "untouched";
	OtrlTLV *tlvs = (OtrlTLV *) &users;
	ConnContext *context = (ConnContext *) &users;
	int wanted = strcmp(word[4], "notlvs");
	int hidden = receive_text(u, text, &shown, wanted ? &tlvs : NULL, &context);

	printf("ret recv hidden=%d context=%s", hidden, context_name(u, context));
	if (wanted) {
		say_tlvs(tlvs);
		p_tlv_free(tlvs);
	}
	printf(" shown=");
	hex(shown);
	putchar('\n');
	p_message_free(shown);
	free(text);
}

static void do_smp(User *u)
{
	ConnContext *c = context_of(u, word[2], word[3]);
	size_t len;
	char *secret = unhex(word[4], &len), *question = unhex(word[5], NULL);

	if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(word[0], "respond")) {
		p_message_respond_smp(u->us, &u->ops, u, c, (unsigned char *) secret, len);
	} else if (question) {
		p_message_initiate_smp_q(u->us, &u->ops, u, c, question, (unsigned char *) secret, len);
	} else {
		p_message_initiate_smp(u->us, &u->ops, u, c, (unsigned char *) secret, len);
	}
	free(secret);
	free(question);
}

static void do_fingerprint(ConnContext *c)
{
	const char *what = word[4];
	Fingerprint *f;
	int added = 7;
	char *text;

	if (!strcmp(what, "addprint")) {
		text = unhex(word[5], NULL);
		f = p_context_find_fingerprint(c, (unsigned char *) text, atoi(word[6]), &added);
		printf("ret addprint %d added=%d\n", f != NULL, added);
		free(text);
		return;
	}
	f = fingerprint_of(c, word[5]);
	if (!strcmp(what, "forgetprint")) {
		if (f) {
			p_context_forget_fingerprint(f, atoi(word[6]));
		}
		printf("ret forgetprint %d\n", f != NULL);
	} else if (!strcmp(what, "trust") && f) {
		text = unhex(word[6], NULL);
		p_context_set_trust(f, text);
		printf("ret trusted %d\n", is_trusted(f));
		free(text);
	}
}

static void do_context(User *u)
{
	ConnContext *c = context_of(u, word[2], word[3]);
	const char *what = word[4];
	int added = 7;

	if (!strcmp(what, "find")) {
		c = find_context(u, word[2], u->account, PROTOCOL, word[3], atoi(word[5]), &added,
				u->no_app_data ? NULL : add_app_data);
		printf("ret find %s added=%d\n", context_name(u, c), added);
	} else if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(what, "abort")) {
		p_message_abort_smp(u->us, &u->ops, u, c);
	} else if (!strcmp(what, "smfree")) {
		p_sm_state_free(c->smstate);
	} else if (!strcmp(what, "finish")) {
		p_context_force_finished(c);
	} else if (!strcmp(what, "plaintext")) {
		p_context_force_plaintext(c);
	} else if (!strcmp(what, "msgstate")) {
		/* As upstream's own tests do: a session without keys, in which nothing can be encrypted. */
		c->msgstate = (OtrlMessageState) atoi(word[5]);
	} else if (!strcmp(what, "offer")) {
		c->otr_offer = atoi(word[5]);
	} else if (!own_of_context(u, c)) {
		do_fingerprint(c);
	}
}

static void do_files(User *u)
{
	const char *what = word[2], *path = word[3];
	gcry_error_t err = 0;

	if (!strcmp(what, "readkeys")) {
		err = p_privkey_read(u->us, path);
	} else if (!strcmp(what, "readprints")) {
		err = p_privkey_read_fingerprints(u->us, path, u->no_app_data ? NULL : add_app_data, u);
	} else if (!strcmp(what, "writeprints")) {
		err = p_privkey_write_fingerprints(u->us, path);
	} else if (!strcmp(what, "generate")) {
		char *account = unhex(word[4], NULL), *protocol = unhex(word[5], NULL);

		drawing = NULL;
		err = p_privkey_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "knowprint")) {
		char *name = unhex(word[4], NULL), *account = unhex(word[5], NULL), *protocol = unhex(word[6], NULL);
		char *print = unhex(word[7], NULL), *trust = unhex(word[8], NULL);
		ConnContext *c = find_context(u, name, account, protocol, "0", 1, NULL, NULL);

		p_context_set_trust(p_context_find_fingerprint(c, (unsigned char *) print, 1, NULL), trust);
		free(name);
		free(account);
		free(protocol);
		free(print);
		free(trust);
	} else {
		own_of_files(u, &err);
	}
	printf("ret %s err=%x\n", what, (unsigned) err);
}

static void do_keys(User *u)
{
	const char *what = word[2];
	OtrlPrivKey *key = p_privkey_find(u->us, u->account, PROTOCOL);
	char human[45];
	unsigned char raw[20];

	if (!strcmp(what, "forget") && key) {
		p_privkey_forget(key);
	} else if (!strcmp(what, "forgetall")) {
		p_privkey_forget_all(u->us);
	} else if (!strcmp(what, "forgetcontexts")) {
		p_context_forget_all(u->us);
	} else if (!strcmp(what, "print")) {
		printf("ret print %s ", p_privkey_fingerprint(u->us, human, u->account, PROTOCOL) ? human : "none");
		hexn(p_privkey_fingerprint_raw(u->us, raw, u->account, PROTOCOL), 20);
		putchar('\n');
	} else {
		own_of_keys(u);
	}
}

static void do_pure_tlvs(const unsigned char *text, size_t len)
{
	OtrlTLV *tlvs = p_tlv_parse(text, len);
	size_t serial = p_tlv_seriallen(tlvs);
	unsigned char *out = malloc(serial + 1);
	unsigned short i;

	say_tlvs(tlvs);
	p_tlv_serialize(out, tlvs);
	printf(" serial=");
	hexn(out, serial);
	for (i = 0; i < 10; i++) {
		printf(" %d", p_tlv_find(tlvs, i) != NULL);
	}
	free(out);
	p_tlv_free(tlvs);
}

/* The functions that need no user: the same text to all of them. */
static void do_pure(void)
{
	size_t len, outlen = 0;
	char *text = unhex(word[1], &len), *armour;
	unsigned char *out = NULL, flags = 0xee;
	OtrlPolicy policy;
	const char *start, *end;
	int code;

	printf("ret type=%d", p_proto_message_type(text));
	say_own_of_text(text);
	code = (int) p_proto_data_read_flags(text, &flags);
	printf(" flags=%x:%x", (unsigned) code, flags);
	for (policy = 0; policy < POLICIES; policy++) {
		start = end = NULL;
		printf(" %d,%u", query_version(text, policy), p_proto_whitespace_bestversion(text, &start, &end, policy));
		printf(",%d,%d", start ? (int) (start - text) : -1, end ? (int) (end - text) : -1);
	}
	code = p_base64_otr_decode(text, &out, &outlen);
	printf(" armour=%d:", code);
	if (code == 0) {
		hexn(out, outlen);
		free(out);
	}
	out = malloc(len + 4);
	outlen = p_base64_decode(out, text, len);
	printf(" decoded=");
	hexn(out, outlen);
	free(out);
	out = malloc((len + 2) / 3 * 4 + 1);
	outlen = p_base64_encode((char *) out, (unsigned char *) text, len);
	printf(" encoded=");
	hexn(out, outlen);
	free(out);
	armour = p_base64_otr_encode((unsigned char *) text, len);
	printf(" armoured=");
	hex(armour);
	free(armour);
	do_pure_tlvs((unsigned char *) text, len);
	free(text);
	putchar('\n');
}

static void do_query(void)
{
	char *name = unhex(word[1], NULL), *message = p_proto_default_query_msg(name, policy_of((unsigned long) atol(word[2])));

	printf("message ");
	hex(message);
	putchar('\n');
	free(message);
	free(name);
}

static void set(User *u, const char *what, const char *value)
{
	unsigned long number = strtoul(value, NULL, 0);

	if (!strcmp(what, "policy")) u->policy = policy_of(number);
	else if (!strcmp(what, "mms")) u->mms = atoi(value);
	else if (!strcmp(what, "logged_in")) u->logged_in = atoi(value);
	else if (!strcmp(what, "null_ops")) u->null_ops = number;
	else if (!strcmp(what, "null_results")) u->null_results = number;
	else if (!strcmp(what, "smp_abort")) u->smp_abort = (unsigned) number;
	else if (!strcmp(what, "convert")) u->convert = (unsigned) number;
	else if (!strcmp(what, "key_mode")) u->key_mode = (unsigned) number;
	else if (!strcmp(what, "instag_mode")) u->instag_mode = (unsigned) number;
	else if (!strcmp(what, "no_app_data")) u->no_app_data = (int) number;
	else if (!strcmp(what, "inside")) u->inside = (unsigned) number;
	else if (!strcmp(what, "keyfile")) snprintf(u->keyfile, sizeof u->keyfile, "%s", value);
	else printf("ret unknown setting %s\n", what);
	make_ops(u);
}

static void begin_user(User *u)
{
	forget_user(u);
	u->us = p_userstate_create();
	u->used = 1;
	snprintf(u->account, sizeof u->account, "%s", word[2]);
	u->stream.seed = strtoull(word[3], NULL, 0);
	u->logged_in = 1;
	u->instag_mode = 1;
	u->policy = OTRL_POLICY_MANUAL;
	make_ops(u);
}

static void do_of_user(User *u)
{
	const char *what = word[0];

	if (!strcmp(what, "set")) {
		set(u, word[2], word[3]);
	} else if (!strcmp(what, "send")) {
		do_send(u);
	} else if (!strcmp(what, "recv")) {
		do_recv(u);
	} else if (!strcmp(what, "smp") || !strcmp(what, "respond")) {
		do_smp(u);
	} else if (!strcmp(what, "context")) {
		do_context(u);
	} else if (!strcmp(what, "files")) {
		do_files(u);
	} else if (!strcmp(what, "keys")) {
		do_keys(u);
	} else if (!own_command(u)) {
		printf("ret unknown command %s\n", what);
	}
}

static void do_command(void)
{
	const char *what = word[0];
	User *u;
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
	if (!strcmp(what, "pure")) {
		do_pure();
		return;
	}
	if (!strcmp(what, "query")) {
		do_query();
		return;
	}
	u = &users[(unsigned) atoi(word[1]) % USERS];
	if (!strcmp(what, "user")) {
		begin_user(u);
		return;
	}
	if (!u->used) {
		printf("ret no user\n");
		return;
	}
	drawing = &u->stream;
	do_of_user(u);
	say_all(u);
	drawing = NULL;
}

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int i;

	if (!library) {
		fprintf(stderr, "driver LIBRARY: %s\n", argc == 2 ? dlerror() : "which?");
		return 2;
	}
#define LOAD(name) \
	*(void **) &p_##name = dlsym(library, "otrl_" #name); \
	if (!p_##name) { \
		fprintf(stderr, "%s has no otrl_" #name "\n", argv[1]); \
		return 2; \
	}
	FUNCTIONS(LOAD)
	if (init()) {
		return 2;
	}
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
