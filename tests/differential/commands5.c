/* What the driver does in libotr 4's own way: instances of a correspondent and their tags, the extra key, polling, keys that
 * are made in steps. */
#include "driver.h"

int init(void)
{
	return p_init(4, 1, 1) != 0;
}

static otrl_instag_t instance_of(const char *text)
{
	return (otrl_instag_t) strtoul(text, NULL, 16);
}

ConnContext *find_context(User *u, const char *name, const char *account, const char *protocol, const char *instance, int add,
		int *added, void (*how)(void *, ConnContext *))
{
	return p_context_find(u->us, name, account, protocol, instance_of(instance), add, added, how, u);
}

OtrlPolicy policy_of(unsigned long bits)
{
	return (OtrlPolicy) bits;
}

gcry_error_t send_text(User *u, const char *text, OtrlTLV *tlvs, char **message, ConnContext **context)
{
	return p_message_sending(u->us, &u->ops, u, u->account, PROTOCOL, word[2], instance_of(word[3]), text, tlvs, message,
			(OtrlFragmentPolicy) atoi(word[4]), context, u->no_app_data ? NULL : add_app_data, u);
}

int receive_text(User *u, const char *text, char **shown, OtrlTLV **tlvs, ConnContext **context)
{
	return p_message_receiving(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, shown, tlvs, context,
			u->no_app_data ? NULL : add_app_data, u);
}

int is_trusted(Fingerprint *f)
{
	return p_context_is_fingerprint_trusted(f);
}

int query_version(const char *text, OtrlPolicy policy)
{
	return (int) p_proto_query_bestversion(text, policy);
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

int own_command(User *u)
{
	const char *what = word[0];

	if (!strcmp(what, "close")) {
		p_message_disconnect(u->us, &u->ops, u, u->account, PROTOCOL, word[2], instance_of(word[3]));
	} else if (!strcmp(what, "closeall")) {
		p_message_disconnect_all_instances(u->us, &u->ops, u, u->account, PROTOCOL, word[2]);
	} else if (!strcmp(what, "symkey")) {
		do_symkey(u);
	} else if (!strcmp(what, "poll")) {
		p_message_poll(u->us, !strcmp(word[2], "noops") ? NULL : &u->ops, u);
		printf("ret poll %u\n", p_message_poll_get_default_interval(u->us));
	} else {
		return 0;
	}
	return 1;
}

static void do_pieces(ConnContext *c)
{
	char *text = unhex(word[7], NULL), **pieces = NULL;
	int count = atoi(word[6]), i;
	gcry_error_t err = p_proto_fragment_create(atoi(word[5]), count, &pieces, c, text);

	printf("ret pieces err=%x\n", (unsigned) err);
	for (i = 0; !err && i < count; i++) {
		printf("cb piece ");
		hex(pieces[i]);
		putchar('\n');
	}
	if (!err) {
		p_proto_fragment_free(&pieces, (unsigned short) count);
	}
	free(text);
}

int own_of_context(User *u, ConnContext *c)
{
	const char *what = word[4];

	if (!strcmp(what, "forget")) {
		printf("ret forget %d\n", p_context_forget(c));
	} else if (!strcmp(what, "recent")) {
		p_context_update_recent_child(c, (unsigned) atoi(word[5]));
	} else if (!strcmp(what, "instance")) {
		printf("ret recent %s %s %s secure %s\n",
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT)),
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT_RECEIVED)),
				context_name(u, p_context_find_recent_instance(c, OTRL_INSTAG_RECENT_SENT)),
				context_name(u, p_context_find_recent_secure_instance(c)));
	} else if (!strcmp(what, "pieces")) {
		do_pieces(c);
	} else {
		return 0;
	}
	return 1;
}

void own_of_files(User *u, gcry_error_t *err)
{
	const char *what = word[2], *path = word[3];
	void *key = u->pending;

	if (!strcmp(what, "readtags")) {
		*err = p_instag_read(u->us, path);
	} else if (!strcmp(what, "writetags")) {
		*err = p_instag_write(u->us, path);
	} else if (!strcmp(what, "maketag")) {
		char *account = unhex(word[4], NULL), *protocol = unhex(word[5], NULL);

		*err = p_instag_generate(u->us, path, account, protocol);
		free(account);
		free(protocol);
	} else if (!strcmp(what, "start")) {
		*err = p_privkey_generate_start(u->us, u->account, PROTOCOL, &key);
		printf("ret start key=%d same=%d\n", key != NULL, key == u->pending);
		if (!*err) {
			u->pending = key;
		}
	} else if (!strcmp(what, "cancel")) {
		p_privkey_generate_cancelled(u->us, u->pending);
		u->pending = NULL;
	}
}

void own_of_keys(User *u)
{
	OtrlInsTag *tag = p_instag_find(u->us, u->account, PROTOCOL);

	if (!strcmp(word[2], "forgettag") && tag) {
		p_instag_forget(tag);
	} else if (!strcmp(word[2], "forgettags")) {
		p_instag_forget_all(u->us);
	}
}

void say_own_of_text(const char *text)
{
	unsigned from = 0xeeee, to = 0xeeee;
	int code = (int) p_proto_instance(text, &from, &to);

	printf(" version=%d instance=%x:%x:%x", p_proto_message_version(text), (unsigned) code, from, to);
}

void say_exchange(User *u, const ConnContext *c)
{
	printf(" m_context=%s rcvd=%s sent=%s recent=%s our=%x", context_name(u, c->m_context),
			context_name(u, c->recent_rcvd_child), context_name(u, c->recent_sent_child),
			context_name(u, c->recent_child), c->our_instance);
}

void say_session(const ConnContext *c)
{
	printf(" offer=%d", c->otr_offer);
}

void say_own(User *u)
{
	ConnContext *c;
	OtrlInsTag *t;

	printf(" timer=%d pending=%d instances=", u->us->timer_running, u->us->pending_root != NULL);
	for (c = u->us->context_root; c; c = c->next) {
		printf("%x,", c->their_instance);
	}
	printf("| instags=");
	for (t = u->us->instag_root; t; t = t->next) {
		printf("%s/%s/%x/%d,", t->accountname, t->protocol, t->instag, *t->tous == t);
	}
	printf("|");
}
