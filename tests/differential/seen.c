/* What can be seen of a user after a call. */
#include "driver.h"

const char *context_name(User *u, const ConnContext *context)
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

void say_all(User *u)
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
