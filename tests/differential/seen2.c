/* What can be seen of a user of libotr 3.2 after a call. */
#include "driver2.h"

static void say_context(const ConnContext *c)
{
	const OtrlAuthInfo *auth = &c->auth;
	Fingerprint *f;

	printf("ctx %s/0 account=%s/%s msgstate=%d authstate=%d initiated=%d auth_version=%u auth_keys=%u,%u auth_sid=%zu last=",
			c->username, c->accountname, c->protocol, c->msgstate, auth->authstate, auth->initiated,
			auth->protocol_version, auth->our_keyid, auth->their_keyid, auth->secure_session_id_len);
	if (auth->lastauthmsg) {
		printf("%.9s:%zu", auth->lastauthmsg, strlen(auth->lastauthmsg));
	}
	printf(" active=");
	/* The active fingerprint is looked at only if it is still in the list. */
	for (f = c->fingerprint_root.next; f && f != c->active_fingerprint; f = f->next) {
	}
	if (f) {
		hexn(f->fingerprint, 20);
	} else {
		printf(c->active_fingerprint ? "GONE" : "~");
	}
	printf(" sid=");
	hexn(c->sessionid, c->sessionid_len);
	printf(" half=%d version=%u keys=%u,%u generation=%u sent=%ld again=%d offer=%d shared=%zu app_data=%u free=%d next=%d"
			" prog=%d asked=%d secret=%d prints=",
			/* libotr leaves the half uninitialised until there is a session. */
			c->sessionid_len ? (int) c->sessionid_half : -1, c->protocol_version, c->our_keyid, c->their_keyid,
			c->generation, c->lastsent ? (long) (c->lastsent - 1000000000) : -1, c->may_retransmit, c->otr_offer,
			c->preshared_secret_len, c->app_data ? *(unsigned *) c->app_data : 0, c->app_data_free != NULL,
			c->smstate->nextExpected, c->smstate->sm_prog_state, c->smstate->received_question,
			c->smstate->secret != NULL);
	for (f = c->fingerprint_root.next; f; f = f->next) {
		hexn(f->fingerprint, 20);
		putchar(':');
		hex(f->trust);
		printf(":%s/0:%d,", f->context->username, *f->tous == f);
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
	printf("|\n");
	for (c = u->us->context_root; c; c = c->next) {
		say_context(c);
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
