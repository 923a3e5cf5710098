/* Several users of one libotr in one process, controlled line by line.
 *
 *     driver LIBRARY
 *
 * The library is loaded by its path, so that the same program runs any of them.
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
 * callbacks.c has the callbacks, seen.c the output after a call, and system.c the clock and the random numbers. */
#include <dlfcn.h>

#include "driver.h"

#define DEFINE(name) __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DEFINE)

#define USERS 8

static User users[USERS];

#define WORDS 10
static char *word[WORDS];

static User *user(void)
{
	return &users[(unsigned) atoi(word[1]) % USERS];
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

static ConnContext *context_of(User *u, const char *name, const char *instance)
{
	return p_context_find(u->us, name, u->account, PROTOCOL, (otrl_instag_t) strtoul(instance, NULL, 16), 0, NULL,
			NULL, NULL);
}

static Fingerprint *fingerprint_of(ConnContext *c, const char *number)
{
	int i = atoi(number);
	Fingerprint *f = c ? c->m_context->fingerprint_root.next : NULL;

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
	err = p_message_sending(u->us, &u->ops, u, u->account, PROTOCOL, word[2],
			(otrl_instag_t) strtoul(word[3], NULL, 16), text, tlvs, &message,
			(OtrlFragmentPolicy) atoi(word[4]), &context, u->no_app_data ? NULL : add_app_data, u);
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
	int hidden = p_message_receiving(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, &shown,
			!strcmp(word[4], "notlvs") ? NULL : &tlvs, &context, u->no_app_data ? NULL : add_app_data, u);

	printf("ret recv hidden=%d context=%s", hidden, context_name(u, context));
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

static void do_symkey(User *u)
{
	unsigned char key[OTRL_EXTRAKEY_BYTES];
	size_t len;
	char *data = unhex(word[5], &len);
	gcry_error_t err;

	memset(key, 0, sizeof key);
	err = p_message_symkey(u->us, &u->ops, u, context_of(u, word[2], word[3]), (unsigned) strtoul(word[4], NULL, 16),
			(unsigned char *) data, data ? len : 0, key);
	printf("ret symkey err=%x ", (unsigned) err);
	hexn(key, sizeof key);
	putchar('\n');
	free(data);
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

static void do_context(User *u)
{
	ConnContext *c = context_of(u, word[2], word[3]);
	const char *what = word[4];
	Fingerprint *f;
	char *text;
	int added = 7;

	if (!strcmp(what, "find")) {
		c = p_context_find(u->us, word[2], u->account, PROTOCOL, (otrl_instag_t) strtoul(word[3], NULL, 16),
				atoi(word[5]), &added, u->no_app_data ? NULL : add_app_data, u);
		printf("ret find %s added=%d\n", context_name(u, c), added);
	} else if (!c) {
		printf("ret no context\n");
	} else if (!strcmp(what, "abort")) {
		p_message_abort_smp(u->us, &u->ops, u, c);
	} else if (!strcmp(what, "smfree")) {
		p_sm_state_free(c->smstate);
	} else if (!strcmp(what, "forget")) {
		printf("ret forget %d\n", p_context_forget(c));
	} else if (!strcmp(what, "finish")) {
		p_context_force_finished(c);
	} else if (!strcmp(what, "plaintext")) {
		p_context_force_plaintext(c);
	} else if (!strcmp(what, "recent")) {
		p_context_update_recent_child(c, (unsigned) atoi(word[5]));
	} else if (!strcmp(what, "msgstate")) {
		/* As upstream's own tests do: a session without keys, in which nothing can be encrypted. */
		c->msgstate = (OtrlMessageState) atoi(word[5]);
	} else if (!strcmp(what, "offer")) {
		c->otr_offer = atoi(word[5]);
	} else if (!strcmp(what, "addprint")) {
		text = unhex(word[5], NULL);
		f = p_context_find_fingerprint(c, (unsigned char *) text, atoi(word[6]), &added);
		printf("ret addprint %d added=%d\n", f != NULL, added);
		free(text);
	} else if (!strcmp(what, "forgetprint")) {
		f = fingerprint_of(c, word[5]);
		if (f) {
			p_context_forget_fingerprint(f, atoi(word[6]));
		}
		printf("ret forgetprint %d\n", f != NULL);
	} else if (!strcmp(what, "trust")) {
		f = fingerprint_of(c, word[5]);
		text = unhex(word[6], NULL);
		if (f) {
			p_context_set_trust(f, text);
			printf("ret trusted %d\n", p_context_is_fingerprint_trusted(f));
		}
		free(text);
	} else if (!strcmp(what, "instance")) {
		printf("ret recent %s %s %s secure %s\n",
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT)),
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT_RECEIVED)),
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT_SENT)),
				context_name(u, p_context_find_recent_secure_instance(c)));
	} else if (!strcmp(what, "pieces")) {
		char **fragments = NULL;
		int count = atoi(word[6]), i;
		gcry_error_t err;

		text = unhex(word[7], NULL);
		err = p_proto_fragment_create(atoi(word[5]), count, &fragments, c, text);
		printf("ret pieces err=%x\n", (unsigned) err);
		for (i = 0; !err && i < count; i++) {
			printf("cb piece ");
			hex(fragments[i]);
			putchar('\n');
		}
		if (!err) {
			p_proto_fragment_free(&fragments, (unsigned short) count);
		}
		free(text);
	}
}

static void do_files(User *u)
{
	const char *what = word[2], *path = word[3];
	gcry_error_t err = 0;
	void *key = NULL;

	if (!strcmp(what, "readkeys")) {
		err = p_privkey_read(u->us, path);
	} else if (!strcmp(what, "readprints")) {
		err = p_privkey_read_fingerprints(u->us, path, u->no_app_data ? NULL : add_app_data, u);
	} else if (!strcmp(what, "writeprints")) {
		err = p_privkey_write_fingerprints(u->us, path);
	} else if (!strcmp(what, "readtags")) {
		err = p_instag_read(u->us, path);
	} else if (!strcmp(what, "writetags")) {
		err = p_instag_write(u->us, path);
	} else if (!strcmp(what, "generate")) {
		char *account = unhex(word[4], NULL), *protocol = unhex(word[5], NULL);

		drawing = NULL;
		err = p_privkey_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "maketag")) {
		char *account = unhex(word[4], NULL), *protocol = unhex(word[5], NULL);

		err = p_instag_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "start")) {
		key = u->pending;
		err = p_privkey_generate_start(u->us, u->account, PROTOCOL, &key);
		printf("ret start key=%d same=%d\n", key != NULL, key == u->pending);
		if (!err) {
			u->pending = key;
		}
	} else if (!strcmp(what, "cancel")) {
		p_privkey_generate_cancelled(u->us, u->pending);
		u->pending = NULL;
	} else if (!strcmp(what, "knowprint")) {
		char *name = unhex(word[4], NULL), *account = unhex(word[5], NULL), *protocol = unhex(word[6], NULL);
		char *print = unhex(word[7], NULL), *trust = unhex(word[8], NULL);
		ConnContext *c = p_context_find(u->us, name, account, protocol, OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL);

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
	OtrlInsTag *tag;
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
	unsigned char raw[20];

	if (!strcmp(what, "forget") && key) {
		p_privkey_forget(key);
	} else if (!strcmp(what, "forgetall")) {
		p_privkey_forget_all(u->us);
	} else if (!strcmp(what, "forgettag")) {
		tag = p_instag_find(u->us, u->account, PROTOCOL);
		if (tag) {
			p_instag_forget(tag);
		}
	} else if (!strcmp(what, "forgettags")) {
		p_instag_forget_all(u->us);
	} else if (!strcmp(what, "forgetcontexts")) {
		p_context_forget_all(u->us);
	} else if (!strcmp(what, "print")) {
		printf("ret print %s ", p_privkey_fingerprint(u->us, human, u->account, PROTOCOL) ? human : "none");
		hexn(p_privkey_fingerprint_raw(u->us, raw, u->account, PROTOCOL), 20);
		putchar('\n');
	}
}

/* The functions that need no user: the same text to all of them. */
static void do_pure(void)
{
	size_t len, outlen = 0, i;
	char *text = unhex(word[1], &len);
	unsigned char *out = NULL, flags = 0xee;
	unsigned from = 0xeeee, to = 0xeeee, policy;
	const char *start, *end;
	OtrlTLV *tlvs;
	int code;

	printf("ret type=%d version=%d", p_proto_message_type(text), p_proto_message_version(text));
	code = (int) p_proto_instance(text, &from, &to);
	printf(" instance=%x:%x:%x", (unsigned) code, from, to);
	code = (int) p_proto_data_read_flags(text, &flags);
	printf(" flags=%x:%x", (unsigned) code, flags);
	for (policy = 0; policy < 8; policy++) {
		start = end = NULL;
		printf(" %u,%u", p_proto_query_bestversion(text, policy),
				p_proto_whitespace_bestversion(text, &start, &end, policy));
		printf(",%d,%d", start ? (int) (start - text) : -1, end ? (int) (end - text) : -1);
	}
	code = p_base64_otr_decode(text, &out, &outlen);
	printf(" armour=%d:", code);
	if (code == 0) {
		hexn(out, outlen);
		free(out);
	}
	out = malloc(OTRL_B64_MAX_DECODED_SIZE(len) + 1);
	outlen = p_base64_decode(out, text, len);
	printf(" decoded=");
	hexn(out, outlen);
	free(out);
	out = malloc((len + 2) / 3 * 4 + 1);
	outlen = p_base64_encode((char *) out, (unsigned char *) text, len);
	printf(" encoded=");
	hexn(out, outlen);
	free(out);
	out = (unsigned char *) p_base64_otr_encode((unsigned char *) text, len);
	printf(" armoured=");
	hex((char *) out);
	free(out);
	tlvs = p_tlv_parse((unsigned char *) text, len);
	say_tlvs(tlvs);
	outlen = p_tlv_seriallen(tlvs);
	out = malloc(outlen + 1);
	p_tlv_serialize(out, tlvs);
	printf(" serial=");
	hexn(out, outlen);
	for (i = 0; i < 10; i++) {
		printf(" %d", p_tlv_find(tlvs, (unsigned short) i) != NULL);
	}
	free(out);
	p_tlv_free(tlvs);
	free(text);
	putchar('\n');
}

static void set(User *u, const char *what, const char *value)
{
	unsigned long number = strtoul(value, NULL, 0);

	if (!strcmp(what, "policy")) u->policy = (unsigned) number;
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
		char *name = unhex(word[1], NULL), *message = p_proto_default_query_msg(name, (OtrlPolicy) atoi(word[2]));

		printf("message ");
		hex(message);
		putchar('\n');
		free(message);
		free(name);
		return;
	}
	u = user();
	if (!strcmp(what, "user")) {
		forget_user(u);
		u->us = p_userstate_create();
		u->used = 1;
		snprintf(u->account, sizeof u->account, "%s", word[2]);
		u->stream.seed = strtoull(word[3], NULL, 0);
		u->logged_in = 1;
		u->instag_mode = 1;
		u->policy = OTRL_POLICY_MANUAL;
		make_ops(u);
		return;
	}
	if (!u->used) {
		printf("ret no user\n");
		return;
	}
	drawing = &u->stream;
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
	} else if (!strcmp(what, "close")) {
		p_message_disconnect(u->us, &u->ops, u, u->account, PROTOCOL, word[2],
				(otrl_instag_t) strtoul(word[3], NULL, 16));
	} else if (!strcmp(what, "closeall")) {
		p_message_disconnect_all_instances(u->us, &u->ops, u, u->account, PROTOCOL, word[2]);
	} else if (!strcmp(what, "symkey")) {
		do_symkey(u);
	} else if (!strcmp(what, "poll")) {
		p_message_poll(u->us, !strcmp(word[2], "noops") ? NULL : &u->ops, u);
		printf("ret poll %u\n", p_message_poll_get_default_interval(u->us));
	} else if (!strcmp(what, "files")) {
		do_files(u);
	} else if (!strcmp(what, "keys")) {
		do_keys(u);
	} else {
		printf("ret unknown command %s\n", what);
	}
	say_all(u);
	drawing = NULL;
}

int main(int argc, char **argv)
{
	void *library;
	int i;

	if (argc != 2) {
		fprintf(stderr, "driver LIBRARY\n");
		return 2;
	}
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
#define LOAD(name) \
	*(void **) &p_##name = dlsym(library, "otrl_" #name); \
	if (!p_##name) { \
		fprintf(stderr, "%s has no otrl_" #name "\n", argv[1]); \
		return 2; \
	}
	FUNCTIONS(LOAD)
	if (p_init(4, 1, 1)) {
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
