/* What can be seen of a user after a call. */
#include "driver.h"

const char *context_name(User *u, const ConnContext *context)
{
	static char names[4][4096];
	static int turn;
	char *name = names[turn = (turn + 1) % 4];
	ConnContext *c;

	if (!context) {
		return "NULL";
	}
	/* A pointer to what is no longer in the list is only compared. */
	for (c = u->us->context_root; c; c = c->next) {
		if (c == context) {
			snprintf(name, sizeof names[0], "%s/%x", c->username, INSTANCE(c));
			return name;
		}
	}
	return "GONE";
}

static void say_context(User *u, ConnContext *c)
{
	Fingerprint *f;

	printf("ctx %s account=%s/%s msgstate=%d authstate=%d initiated=%d auth_version=%u", context_name(u, c), c->accountname,
			c->protocol, c->msgstate, c->auth.authstate, c->auth.initiated, c->auth.protocol_version);
	say_exchange(u, c);
	printf(" active=");
	/* The active fingerprint is looked at only if it is still in the list. */
	for (f = FINGERPRINTS(c); f && f != c->active_fingerprint; f = f->next) {
	}
	if (f) {
		hexn(f->fingerprint, 20);
	} else {
		printf(c->active_fingerprint ? "GONE" : "~");
	}
	printf(" sid=");
	hexn(c->sessionid, c->sessionid_len);
	printf(" half=%d version=%u",
			/* libotr leaves the half uninitialised until there is a session. */
			c->sessionid_len ? (int) c->sessionid_half : -1, c->protocol_version);
	say_session(c);
	printf(" app_data=%u free=%d next=%d prog=%d asked=%d secret=%d prints=",
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

void say_all(User *u)
{
	ConnContext *c;
	OtrlPrivKey *k;

	printf("us contexts=");
	for (c = u->us->context_root; c; c = c->next) {
		printf("%s/%s/%d,", c->username, c->accountname, *c->tous == c);
	}
	printf("| keys=");
	for (k = u->us->privkey_root; k; k = k->next) {
		printf("%s/%s/%d/%zu/%d,", k->accountname, k->protocol, k->pubkey_type, k->pubkey_datalen, *k->tous == k);
	}
	printf("|");
	say_own(u);
	putchar('\n');
	for (c = u->us->context_root; c; c = c->next) {
		say_context(u, c);
	}
}

void say_tlvs(const OtrlTLV *tlv)
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
