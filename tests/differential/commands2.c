/* What the driver does in libotr 3.2's own way, as the clients of that time used it: what is sent goes through
 * otrl_message_fragment_and_send, and SMP is stepped by the client (smp2.c). Policies come with the bits of libotr 4. */
#include "driver.h"

int init(void)
{
	p_init(3, 2, 0);
	return 0;
}

ConnContext *find_context(User *u, const char *name, const char *account, const char *protocol, const char *instance, int add,
		int *added, void (*how)(void *, ConnContext *))
{
	(void) instance;
	return p_context_find(u->us, name, account, protocol, add, added, how, u);
}

/* Without the bit of version 3. */
OtrlPolicy policy_of(unsigned long bits)
{
	return (OtrlPolicy) ((bits & 3) | (bits >> 1 & 0x3c));
}

gcry_error_t send_text(User *u, const char *text, OtrlTLV *tlvs, char **message, ConnContext **context)
{
	char *rest = NULL;
	int fragments = atoi(word[4]);
	gcry_error_t err = p_message_sending(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, tlvs, message,
			u->no_app_data ? NULL : add_app_data, u);

	*context = context_of(u, word[2], "");
	/* The first of libotr 4's ways is to leave the message whole; the others are those of 3.2. */
	if (!err && *message && **message && fragments) {
		err = p_message_fragment_and_send(&u->ops, u, *context, *message, (OtrlFragmentPolicy) (fragments - 1),
				fragments == 1 ? NULL : &rest);
		if (rest) {
			p_message_free(*message);
			*message = rest;
		}
	}
	return err;
}

int receive_text(User *u, const char *text, char **shown, OtrlTLV **tlvs, ConnContext **context)
{
	int hidden = p_message_receiving(u->us, &u->ops, u, u->account, PROTOCOL, word[2], text, shown, tlvs,
			u->no_app_data ? NULL : add_app_data, u);

	*context = context_of(u, word[2], "");
	if (*context && tlvs) {
		step_smp(u, *context, *tlvs);
	}
	return hidden;
}

int is_trusted(Fingerprint *f)
{
	return f->trust && *f->trust;
}

/* Only a query may be asked for its versions. */
int query_version(const char *text, OtrlPolicy policy)
{
	return p_proto_message_type(text) == OTRL_MSGTYPE_QUERY ? (int) p_proto_query_bestversion(text, policy) : -1;
}

int own_command(User *u)
{
	const char *what = word[0];

	if (!strcmp(what, "close") || !strcmp(what, "closeall")) {
		p_message_disconnect(u->us, &u->ops, u, u->account, PROTOCOL, word[2]);
		return 1;
	}
	/* libotr 3.2 has nothing of these: scripts that ask for them as well go on without. */
	return !strcmp(what, "symkey") || !strcmp(what, "poll");
}

static void do_pieces(ConnContext *c)
{
	char *text = unhex(word[7], NULL), **pieces = NULL, *whole = NULL;
	int count = atoi(word[6]), i;
	gcry_error_t err = p_proto_fragment_create(atoi(word[5]), count, &pieces, text);

	printf("ret pieces err=%x\n", (unsigned) err);
	for (i = 0; !err && i < count; i++) {
		printf("cb piece ");
		hex(pieces[i]);
		printf(" %d\n", p_proto_fragment_accumulate(&whole, c, pieces[i]));
	}
	printf("ret whole ");
	hex(whole);
	putchar('\n');
	free(whole);
	if (!err) {
		p_proto_fragment_free(&pieces, (unsigned short) count);
	}
	free(text);
}

int own_of_context(User *u, ConnContext *c)
{
	const char *what = word[4];

	(void) u;
	if (!strcmp(what, "forget")) {
		p_context_forget(c);
	} else if (!strcmp(what, "shared")) {
		p_context_set_preshared_secret(c, (unsigned char *) "a secret", (size_t) atoi(word[5]));
	} else if (!strcmp(what, "pieces")) {
		do_pieces(c);
	} else {
		return 0;
	}
	return 1;
}

void own_of_files(User *u, gcry_error_t *err)
{
	(void) u;
	(void) err;
}

void own_of_keys(User *u)
{
	(void) u;
}

void say_own_of_text(const char *text)
{
	(void) text;
}

void say_exchange(User *u, const ConnContext *c)
{
	const OtrlAuthInfo *auth = &c->auth;

	(void) u;
	printf(" auth_keys=%u,%u auth_sid=%zu last=", auth->our_keyid, auth->their_keyid, auth->secure_session_id_len);
	if (auth->lastauthmsg) {
		printf("%.9s:%zu", auth->lastauthmsg, strlen(auth->lastauthmsg));
	}
}

void say_session(const ConnContext *c)
{
	printf(" keys=%u,%u generation=%u sent=%ld again=%d offer=%d shared=%zu", c->our_keyid, c->their_keyid, c->generation,
			c->lastsent ? (long) (c->lastsent - 1000000000) : -1, c->may_retransmit, c->otr_offer,
			c->preshared_secret_len);
}

void say_own(User *u)
{
	(void) u;
}
