/* Several users of one libotr in one process, told what to do line by line.
 *
 *     driver LIBRARY
 *
 * The library is loaded by its path, so that the same program runs any of them.
 * One command comes per line on stdin: its name, then words separated by
 * spaces. Texts are in hex, "-" is the empty text and "~" is NULL. What a
 * client could see is said on stdout, line by line, and "." ends the answer:
 *
 *     cb NAME WORDS        a callback, when it is called
 *     inject TO HEX        the callback inject_message
 *     message HEX          what the call gives back to be sent
 *     ret WORDS            what the call returns, and its other results
 *     ctx NAME FIELD=...   each context, after the call
 *     us FIELD=...         the user state, after the call
 *
 * The functions time(), getrandom() and gcry_random*() are defined here and so
 * stand before those of the system for whatever library is loaded: the clock
 * is told by a command, and the random numbers of a user come from a stream of
 * his own for each length, so that two libraries that draw numbers for the same
 * purposes draw the same ones. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <libotr/b64.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/proto.h>
#include <libotr/userstate.h>

#define FUNCTIONS(F) \
	F(init) F(version) F(userstate_create) F(userstate_free) F(message_sending) F(message_receiving) \
	F(message_free) F(message_disconnect) F(message_disconnect_all_instances) F(message_initiate_smp) \
	F(message_initiate_smp_q) F(message_respond_smp) F(message_abort_smp) F(message_symkey) F(message_poll) \
	F(message_poll_get_default_interval) F(tlv_new) F(tlv_free) F(tlv_parse) F(tlv_seriallen) F(tlv_serialize) \
	F(tlv_find) F(context_find) F(context_forget) F(context_forget_all) F(context_forget_fingerprint) \
	F(context_find_fingerprint) F(context_set_trust) F(context_force_finished) F(context_force_plaintext) \
	F(context_update_recent_child) F(context_is_fingerprint_trusted) F(context_find_recent_instance) \
	F(context_find_recent_secure_instance) F(privkey_read) F(privkey_find) F(privkey_forget) \
	F(privkey_forget_all) F(privkey_generate) F(privkey_fingerprint) F(privkey_fingerprint_raw) \
	F(privkey_read_fingerprints) F(privkey_write_fingerprints) F(privkey_hash_to_human) \
	F(privkey_generate_start) F(privkey_generate_calculate) F(privkey_generate_finish) \
	F(privkey_generate_cancelled) F(instag_find) F(instag_forget) F(instag_forget_all) F(instag_generate) \
	F(instag_read) F(instag_write) F(proto_default_query_msg) F(proto_query_bestversion) \
	F(proto_whitespace_bestversion) F(proto_message_type) F(proto_message_version) F(proto_instance) \
	F(proto_data_read_flags) F(proto_fragment_create) F(proto_fragment_free) F(sm_state_free) F(base64_encode) \
	F(base64_decode) F(base64_otr_encode) F(base64_otr_decode)

#define DECLARE(name) static __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DECLARE)

#define USERS 8
#define PROTOCOL "prpl-same"

typedef struct {
	int used;
	OtrlUserState us;
	char account[64];
	OtrlMessageAppOps ops;
	unsigned policy, smp_abort, convert, key_mode, instag_mode, inside, tag;
	unsigned long null_ops, null_results;
	int logged_in, mms, no_app_data;
	char keyfile[512];
	unsigned number_of_app_data;
	uint64_t seed, drawn[256];
} User;

static User users[USERS];
static User *now_user;
static time_t clock_now = 1000000000;

/* ---- what the system gives ---------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void draw(unsigned char *buffer, size_t len)
{
	uint64_t state = mix(len), word = 0;
	size_t i;

	if (now_user) {
		state = mix(state ^ mix(now_user->seed) ^ ++now_user->drawn[len % 256]);
	} else if (syscall(SYS_getrandom, buffer, len, 0) == (ssize_t) len) {
		return;
	}
	for (i = 0; i < len; i++) {
		if (i % 8 == 0) {
			state = mix(state);
			word = state;
		}
		buffer[i] = (unsigned char) word;
		word >>= 8;
	}
}

__attribute__((visibility("default"))) time_t time(time_t *where)
{
	if (where) {
		*where = clock_now;
	}
	return clock_now;
}

__attribute__((visibility("default"))) ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
	(void) flags;
	draw(buffer, len);
	return (ssize_t) len;
}

static void *from_gcrypt(const char *name)
{
	void *library = dlopen("libgcrypt.so.20", RTLD_LAZY | RTLD_NOLOAD);

	return library ? dlsym(library, name) : NULL;
}

static void *gcrypt_memory(const char *allocator, size_t len)
{
	void *(*allocate)(size_t) = (void *(*)(size_t)) from_gcrypt(allocator);
	void *memory = allocate ? allocate(len) : NULL;

	if (!memory) {
		abort();
	}
	draw(memory, len);
	return memory;
}

__attribute__((visibility("default"))) void *gcry_random_bytes_secure(size_t len, enum gcry_random_level level)
{
	(void) level;
	return gcrypt_memory("gcry_malloc_secure", len);
}

__attribute__((visibility("default"))) void *gcry_random_bytes(size_t len, enum gcry_random_level level)
{
	(void) level;
	return gcrypt_memory("gcry_malloc", len);
}

__attribute__((visibility("default"))) void gcry_randomize(void *buffer, size_t len, enum gcry_random_level level)
{
	(void) level;
	draw(buffer, len);
}

/* ---- words and lines ------------------------------------------------------------------- */

static void hexn(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	static const char digits[] = "0123456789abcdef";
	size_t i;

	if (!data) {
		putchar('~');
	} else if (len == 0) {
		putchar('-');
	}
	for (i = 0; data && i < len; i++) {
		putchar(digits[bytes[i] >> 4]);
		putchar(digits[bytes[i] & 15]);
	}
}

static void hex(const char *text)
{
	hexn(text, text ? strlen(text) : 0);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a word in hex, with a NUL after them; NULL for "~". */
static char *unhex(const char *word, size_t *lenp)
{
	size_t len = strlen(word) / 2, i;
	char *out;

	if (!strcmp(word, "~")) {
		return NULL;
	}
	if (!strcmp(word, "-")) {
		len = 0;
	}
	out = malloc(len + 1);
	for (i = 0; i < len; i++) {
		out[i] = (char) (digit(word[2 * i]) * 16 + digit(word[2 * i + 1]));
	}
	out[len] = 0;
	if (lenp) {
		*lenp = len;
	}
	return out;
}

static const char *context_name(User *u, const ConnContext *context)
{
	static char names[4][200];
	static int turn;
	char *name = names[turn = (turn + 1) % 4];
	ConnContext *c;

	if (!context) {
		return "NULL";
	}
	/* A pointer to what is no longer in the list is only compared. */
	for (c = u->us->context_root; c; c = c->next) {
		if (c == context) {
			snprintf(name, sizeof names[0], "%s/%x", c->username, c->their_instance);
			return name;
		}
	}
	return "GONE";
}

/* ---- callbacks --------------------------------------------------------------------------- */

/* What clients do inside callbacks, as far as it is harmless everywhere. */
static void inside(User *u, ConnContext *context)
{
	if (!u->inside || !context) {
		return;
	}
	p_context_find(u->us, context->username, context->accountname, context->protocol, OTRL_INSTAG_BEST, 1, NULL, NULL,
			NULL);
	p_context_is_fingerprint_trusted(context->active_fingerprint);
	p_message_poll(u->us, &u->ops, u);
}

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	User *u = opdata;

	printf("cb policy %s\n", context_name(u, context));
	return u->policy;
}

static void on_create_privkey(void *opdata, const char *account, const char *protocol)
{
	User *u = opdata;

	printf("cb create_privkey %s %s\n", account, protocol);
	if (u->key_mode) {
		p_privkey_read(u->us, u->keyfile);
	}
}

static int on_is_logged_in(void *opdata, const char *account, const char *protocol, const char *recipient)
{
	User *u = opdata;

	printf("cb is_logged_in %s %s %s\n", account, protocol, recipient);
	return u->logged_in;
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

static void on_update_list(void *opdata)
{
	(void) opdata;
	printf("cb update_context_list\n");
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account, const char *protocol,
		const char *username, unsigned char fingerprint[20])
{
	User *u = opdata;

	printf("cb new_fingerprint %d %s %s %s ", us == u->us, account, protocol, username);
	hexn(fingerprint, 20);
	putchar('\n');
}

static void on_write_fingerprints(void *opdata)
{
	(void) opdata;
	printf("cb write_fingerprints\n");
}

static void secure(const char *what, User *u, ConnContext *context, int is_reply)
{
	printf("cb %s %s state=%d version=%u reply=%d sid=", what, context_name(u, context), context->msgstate,
			context->protocol_version, is_reply);
	hexn(context->sessionid, context->sessionid_len);
	printf(" active=");
	hexn(context->active_fingerprint ? context->active_fingerprint->fingerprint : NULL, 20);
	putchar('\n');
	inside(u, context);
}

static void on_gone_secure(void *opdata, ConnContext *context)
{
	secure("gone_secure", opdata, context, -1);
}

static void on_gone_insecure(void *opdata, ConnContext *context)
{
	secure("gone_insecure", opdata, context, -1);
}

static void on_still_secure(void *opdata, ConnContext *context, int is_reply)
{
	secure("still_secure", opdata, context, is_reply);
}

static int on_max_message_size(void *opdata, ConnContext *context)
{
	User *u = opdata;

	printf("cb max_message_size %s\n", context_name(u, context));
	return u->mms;
}

/* A text of the client's, or NULL if this one is to be NULL. */
static const char *text_of(User *u, int number, const char *text)
{
	return u->null_results & (1ul << number) ? NULL : strdup(text);
}

static void freed(const char *name, const char *text)
{
	printf("cb %s ", name);
	hex(text);
	putchar('\n');
	free((char *) text);
}

static const char *on_account_name(void *opdata, const char *account, const char *protocol)
{
	char name[100];

	printf("cb account_name %s %s\n", account, protocol);
	snprintf(name, sizeof name, "Account %s", account);
	return text_of(opdata, 0, name);
}

static void on_account_name_free(void *opdata, const char *name)
{
	(void) opdata;
	freed("account_name_free", name);
}

static void on_symkey(void *opdata, ConnContext *context, unsigned int use, const unsigned char *data, size_t len,
		const unsigned char *key)
{
	printf("cb received_symkey %s %x ", context_name(opdata, context), use);
	hexn(data, len);
	putchar(' ');
	hexn(key, OTRL_EXTRAKEY_BYTES);
	putchar('\n');
}

static const char *on_error_message(void *opdata, ConnContext *context, OtrlErrorCode code)
{
	static const char *const texts[] = { "none", "cannot encrypt", "not private", "unreadable", "malformed" };

	printf("cb otr_error_message %s %d\n", context_name(opdata, context), code);
	return text_of(opdata, 1, texts[code < 5 ? code : 0]);
}

static void on_error_message_free(void *opdata, const char *text)
{
	(void) opdata;
	freed("otr_error_message_free", text);
}

static const char *on_resent_prefix(void *opdata, ConnContext *context)
{
	printf("cb resent_msg_prefix %s\n", context_name(opdata, context));
	return text_of(opdata, 2, "[again]");
}

static void on_resent_prefix_free(void *opdata, const char *text)
{
	(void) opdata;
	freed("resent_msg_prefix_free", text);
}

static void on_smp_event(void *opdata, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
	User *u = opdata;

	printf("cb handle_smp_event %s %d %u next=%d prog=%d asked=%d secret=%d ", context_name(u, context), event, percent,
			context->smstate->nextExpected, context->smstate->sm_prog_state,
			context->smstate->received_question, context->smstate->secret != NULL);
	hex(question);
	putchar('\n');
	if (u->smp_abort & 1 && (event == OTRL_SMPEVENT_ERROR || event == OTRL_SMPEVENT_CHEATED)) {
		p_message_abort_smp(u->us, &u->ops, u, context);
	}
	if (u->smp_abort & 2 && event != OTRL_SMPEVENT_ASK_FOR_ANSWER && event != OTRL_SMPEVENT_ASK_FOR_SECRET
			&& event != OTRL_SMPEVENT_IN_PROGRESS) {
		p_sm_state_free(context->smstate);
	}
	inside(u, context);
}

static void on_msg_event(void *opdata, OtrlMessageEvent event, ConnContext *context, const char *message,
		gcry_error_t err)
{
	printf("cb handle_msg_event %s %d err=%x ", context_name(opdata, context), event, (unsigned) err);
	hex(message);
	putchar('\n');
	inside(opdata, context);
}

static void on_create_instag(void *opdata, const char *account, const char *protocol)
{
	User *u = opdata;

	printf("cb create_instag %s %s\n", account, protocol);
	if (u->instag_mode) {
		p_instag_generate(u->us, "/dev/null", account, protocol);
	}
}

static void on_convert(void *opdata, ConnContext *context, OtrlConvertType type, char **dest, const char *src)
{
	User *u = opdata;
	char *text;

	printf("cb convert_msg %s %d dest=%d ", context_name(u, context), type, *dest != NULL);
	hex(src);
	putchar('\n');
	if (u->convert == 1 && src) {
		text = malloc(strlen(src) + 3);
		sprintf(text, type == OTRL_CONVERT_SENDING ? "<%s>" : "(%s)", src);
		*dest = text;
	}
}

static void on_convert_free(void *opdata, ConnContext *context, char *text)
{
	printf("cb convert_free %s\n", context_name(opdata, context));
	free(text);
}

static void on_timer(void *opdata, unsigned int interval)
{
	(void) opdata;
	printf("cb timer_control %u\n", interval);
}

static const OtrlMessageAppOps all_ops = {
	on_policy, on_create_privkey, on_is_logged_in, on_inject, on_update_list, on_new_fingerprint,
	on_write_fingerprints, on_gone_secure, on_gone_insecure, on_still_secure, on_max_message_size, on_account_name,
	on_account_name_free, on_symkey, on_error_message, on_error_message_free, on_resent_prefix,
	on_resent_prefix_free, on_smp_event, on_msg_event, on_create_instag, on_convert, on_convert_free, on_timer
};

/* The members of the table as bits, in their order in the struct. */
static void make_ops(User *u)
{
	void **member = (void **) (void *) &u->ops;
	size_t i;

	u->ops = all_ops;
	if (!u->convert) {
		u->ops.convert_msg = NULL;
		u->ops.convert_free = NULL;
	}
	for (i = 0; i < sizeof u->ops / sizeof *member; i++) {
		if (u->null_ops & (1ul << i)) {
			member[i] = NULL;
		}
	}
}

static void forget_app_data(void *data)
{
	printf("cb app_data_free %u\n", *(unsigned *) data);
	free(data);
}

static void add_app_data(void *data, ConnContext *context)
{
	User *u = data;
	unsigned *number = malloc(sizeof *number);

	*number = ++u->number_of_app_data;
	printf("cb add_app_data %u %s %x\n", *number, context->username, context->their_instance);
	context->app_data = number;
	context->app_data_free = forget_app_data;
}

/* ---- what can be seen after a call ----------------------------------------------------------- */

static void say_context(User *u, ConnContext *c)
{
	Fingerprint *f;
	int back = *c->tous == c;

	printf("ctx %s/%x user=%s/%s/%s m_context=%s tous=%d rcvd=%s sent=%s recent=%s our=%x msgstate=%d authstate=%d "
			"initiated=%d auth_version=%u active=", c->username, c->their_instance, c->username,
			c->accountname, c->protocol, context_name(u, c->m_context), back,
			context_name(u, c->recent_rcvd_child), context_name(u, c->recent_sent_child),
			context_name(u, c->recent_child), c->our_instance, c->msgstate, c->auth.authstate,
			c->auth.initiated, c->auth.protocol_version);
	/* The active fingerprint is looked at only if it is still in the list. */
	for (f = c->m_context->fingerprint_root.next; f && f != c->active_fingerprint; f = f->next) {
	}
	if (f) {
		hexn(f->fingerprint, 20);
	} else {
		printf(c->active_fingerprint ? "GONE" : "~");
	}
	printf(" sid=");
	hexn(c->sessionid, c->sessionid_len);
	printf(" half=%d version=%u offer=%d app_data=%u free=%d next=%d prog=%d asked=%d secret=%d prints=",
			/* libotr leaves the half uninitialised until there is a session. */
			c->sessionid_len ? (int) c->sessionid_half : -1, c->protocol_version, c->otr_offer,
			c->app_data ? *(unsigned *) c->app_data : 0, c->app_data_free != NULL,
			c->smstate->nextExpected, c->smstate->sm_prog_state, c->smstate->received_question,
			c->smstate->secret != NULL);
	for (f = c->fingerprint_root.next; f; f = f->next) {
		hexn(f->fingerprint, 20);
		putchar(':');
		hex(f->trust);
		printf(":%s:%d,", context_name(u, f->context), *f->tous == f);
	}
	printf("|\n");
}

static void say_all(User *u)
{
	ConnContext *c;
	OtrlPrivKey *k;
	OtrlInsTag *t;

	printf("us timer=%d pending=%d contexts=", u->us->timer_running, u->us->pending_root != NULL);
	for (c = u->us->context_root; c; c = c->next) {
		printf("%s/%s/%x,", c->username, c->accountname, c->their_instance);
	}
	printf("| keys=");
	for (k = u->us->privkey_root; k; k = k->next) {
		printf("%s/%s/%d/%zu/%d,", k->accountname, k->protocol, k->pubkey_type, k->pubkey_datalen, *k->tous == k);
	}
	printf("| instags=");
	for (t = u->us->instag_root; t; t = t->next) {
		printf("%s/%s/%x/%d,", t->accountname, t->protocol, t->instag, *t->tous == t);
	}
	printf("|\n");
	for (c = u->us->context_root; c; c = c->next) {
		say_context(u, c);
	}
}

/* ---- commands ---------------------------------------------------------------------------------- */

#define WORDS 10
static char *word[WORDS];

static User *user(void)
{
	return &users[(unsigned) atoi(word[1]) % USERS];
}

static void forget_user(User *u)
{
	now_user = u;
	if (u->used) {
		p_userstate_free(u->us);
	}
	memset(u, 0, sizeof *u);
	now_user = NULL;
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

		now_user = NULL;
		err = p_privkey_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "maketag")) {
		char *account = unhex(word[4], NULL), *protocol = unhex(word[5], NULL);

		err = p_instag_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "start")) {
		err = p_privkey_generate_start(u->us, u->account, PROTOCOL, &key);
		printf("ret start key=%d\n", key != NULL);
		if (key && atoi(word[4])) {
			gcry_error_t twice = p_privkey_generate_start(u->us, u->account, PROTOCOL, &key);

			printf("ret start again err=%x key=%d\n", (unsigned) twice, key != NULL);
		}
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
		u->seed = strtoull(word[3], NULL, 0);
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
	now_user = u;
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
	now_user = NULL;
}

int main(int argc, char **argv)
{
	char *line = NULL, *next;
	size_t room = 0;
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
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (p_init(4, 1, 1)) {
		return 2;
	}
	printf("%s\n.\n", p_version());
	fflush(stdout);
	while (getline(&line, &room, stdin) != -1) {
		line[strcspn(line, "\n")] = 0;
		next = line;
		for (i = 0; i < WORDS; i++) {
			static char empty[] = "~";

			word[i] = next && *next ? next : empty;
			next = next ? strchr(next, ' ') : NULL;
			if (next) {
				*next++ = 0;
			}
		}
		do_command();
		printf(".\n");
		fflush(stdout);
	}
	for (i = 0; i < USERS; i++) {
		forget_user(&users[i]);
	}
	free(line);
	return 0;
}
