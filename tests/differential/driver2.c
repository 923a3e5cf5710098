/* The driver for the interface of libotr 3.2: the commands of driver.c, as far as this interface has the functions, and the
 * same output. It uses the library as the clients of that time did: messages are sent with otrl_message_fragment_and_send, and
 * the client runs the steps of SMP (smp2.c).
 *
 *     driver2 LIBRARY
 *
 * Policies come with the bits of libotr 4. callbacks2.c has the callbacks, seen2.c the output after a call. */
#include <dlfcn.h>

#include "driver2.h"

#define DEFINE(name) __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DEFINE)

#define USERS 8
#define WORDS 10

static User users[USERS];
static char *word[WORDS];

static ConnContext *context_of(User *u, const char *name)
{
	return p_context_find(u->us, name, u->account, PROTOCOL, 0, NULL, NULL, NULL);
}

static Fingerprint *fingerprint_of(ConnContext *c, const char *number)
{
	int i = atoi(number);
	Fingerprint *f = c ? c->fingerprint_root.next : NULL;

	while (f && i-- > 0) {
		f = f->next;
	}
	return f;
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
	err = p_message_sending(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, tlvs, &message,
			u->no_app_data ? NULL : add_app_data, u);
	/* The first of libotr 4's ways is to leave the message whole; the others are those of 3.2. */
	if (!err && message && *message && fragments) {
		err = p_message_fragment_and_send(&u->ops, u, context_of(u, word[2]), message,
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

static void do_recv(User *u)
{
	char *text = unhex(word[3], NULL), *shown = (char *) "untouched";
	OtrlTLV *tlvs = (OtrlTLV *) &users;
	int wanted = strcmp(word[4], "notlvs");
	int hidden = p_message_receiving(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, &shown, wanted ? &tlvs : NULL,
			u->no_app_data ? NULL : add_app_data, u);
	ConnContext *c = context_of(u, word[2]);

	if (c && wanted) {
		step_smp(u, c, tlvs);
	}
	printf("ret recv hidden=%d context=%s/0", hidden, word[2]);
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

static void do_smp(User *u, ConnContext *c)
{
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

static void do_pieces(ConnContext *c)
{
	char *text = unhex(word[7], NULL), **fragments = NULL, *whole = NULL;
	int count = atoi(word[6]), i;
	gcry_error_t err = p_proto_fragment_create(atoi(word[5]), count, &fragments, text);

	printf("ret pieces err=%x\n", (unsigned) err);
	for (i = 0; !err && i < count; i++) {
		printf("cb piece ");
		hex(fragments[i]);
		printf(" %d\n", p_proto_fragment_accumulate(&whole, c, fragments[i]));
	}
	printf("ret whole ");
	hex(whole);
	putchar('\n');
	free(whole);
	if (!err) {
		p_proto_fragment_free(&fragments, (unsigned short) count);
	}
	free(text);
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
		printf("ret trusted %d\n", f->trust && *f->trust);
		free(text);
	}
}

static void do_context(User *u, ConnContext *c)
{
	const char *what = word[4];
	int added = 7;

	if (!strcmp(what, "find")) {
		c = p_context_find(u->us, word[2], u->account, PROTOCOL, atoi(word[5]), &added,
				u->no_app_data ? NULL : add_app_data, u);
		printf("ret find %s added=%d\n", c ? c->username : "NULL", added);
	} else if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(what, "abort")) {
		p_message_abort_smp(u->us, &u->ops, u, c);
	} else if (!strcmp(what, "smfree")) {
		p_sm_state_free(c->smstate);
	} else if (!strcmp(what, "forget")) {
		p_context_forget(c);
	} else if (!strcmp(what, "finish")) {
		p_context_force_finished(c);
	} else if (!strcmp(what, "plaintext")) {
		p_context_force_plaintext(c);
	} else if (!strcmp(what, "msgstate")) {
		/* A session without keys, in which nothing can be encrypted. */
		c->msgstate = (OtrlMessageState) atoi(word[5]);
	} else if (!strcmp(what, "offer")) {
		c->otr_offer = atoi(word[5]);
	} else if (!strcmp(what, "shared")) {
		p_context_set_preshared_secret(c, (unsigned char *) "a secret", (size_t) atoi(word[5]));
	} else if (!strcmp(what, "pieces")) {
		do_pieces(c);
	} else {
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
		ConnContext *c = p_context_find(u->us, name, account, protocol, 1, NULL, NULL, NULL);

		p_context_set_trust(p_context_find_fingerprint(c, (unsigned char *) print, 1, NULL), trust);
		free(name);
		free(account);
		free(protocol);
		free(print);
		free(trust);
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
	int code, query = p_proto_message_type(text) == OTRL_MSGTYPE_QUERY;

	printf("ret type=%d", p_proto_message_type(text));
	code = (int) p_proto_data_read_flags(text, &flags);
	printf(" flags=%x:%x", (unsigned) code, flags);
	for (policy = 0; policy < 4; policy++) {
		start = end = NULL;
		/* Only a query may be asked for its versions. */
		printf(" %d,%u", query ? (int) p_proto_query_bestversion(text, policy) : -1,
				p_proto_whitespace_bestversion(text, &start, &end, policy));
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

/* Without the bit of version 3. */
static OtrlPolicy policy_of(unsigned long bits)
{
	return (OtrlPolicy) ((bits & 3) | (bits >> 1 & 0x3c));
}

static void set(User *u, const char *what, const char *value)
{
	unsigned long number = strtoul(value, NULL, 0);

	if (!strcmp(what, "policy")) u->policy = policy_of(number);
	else if (!strcmp(what, "mms")) u->mms = atoi(value);
	else if (!strcmp(what, "logged_in")) u->logged_in = atoi(value);
	else if (!strcmp(what, "null_ops")) u->null_ops = number;
	else if (!strcmp(what, "null_results")) u->null_results = number;
	else if (!strcmp(what, "key_mode")) u->key_mode = (unsigned) number;
	else if (!strcmp(what, "no_app_data")) u->no_app_data = (int) number;
	else if (!strcmp(what, "inside")) u->inside = (unsigned) number;
	else if (!strcmp(what, "keyfile")) snprintf(u->keyfile, sizeof u->keyfile, "%s", value);
	make_ops(u);
}

static void do_query(void)
{
	char *name = unhex(word[1], NULL), *message = p_proto_default_query_msg(name, policy_of((unsigned long) atoi(word[2])));

	printf("message ");
	hex(message);
	putchar('\n');
	free(message);
	free(name);
}

static void do_of_user(User *u)
{
	const char *what = word[0];
	ConnContext *c = strcmp(what, "set") && strcmp(what, "files") && strcmp(what, "keys") ? context_of(u, word[2]) : NULL;

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
		p_message_disconnect(u->us, &u->ops, u, u->account, PROTOCOL, word[2]);
	} else if (!strcmp(what, "files")) {
		do_files(u);
	} else if (!strcmp(what, "keys")) {
		do_keys(u);
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
		forget_user(u);
		u->us = p_userstate_create();
		u->used = 1;
		snprintf(u->account, sizeof u->account, "%s", word[2]);
		u->stream.seed = strtoull(word[3], NULL, 0);
		u->logged_in = 1;
		make_ops(u);
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
	p_init(3, 2, 0);
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
