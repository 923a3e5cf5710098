/* Reads public structs that the library writes through the headers: two user states in one process talk to each other,
 * and each public member is compared with its expected value. This finds members whose place differs between the headers and
 * the library. Each wrong member is a line of output. */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/sm.h>
#include <libotr/tlv.h>
#include <libotr/userstate.h>
#include <libotr/version.h>

#define ABI5 (OTRL_VERSION_MAJOR >= 4)
#if ABI5
#include <libotr/instag.h>
#endif

#define PROTOCOL "abi-check"

static int wrong, checked;
static void *const MARK = (void *) 0x5a5a;

#define IS(condition) \
	do { \
		checked++; \
		if (!(condition)) { \
			wrong++; \
			printf("line %d: not so: %s\n", __LINE__, #condition); \
		} \
	} while (0)

typedef struct side {
	const char *name, *peer;
	OtrlUserState us;
	struct side *other;
	int calls[32], secure_seen;
	char *queue[64];
	int first, last;
} Side;

enum { POLICY, PRIVKEY, LOGGED_IN, INJECT, UPDATE, FINGERPRINT, WRITE, SECURE, INSECURE, STILL, SIZE, ACCOUNT, SYMKEY, ERROR_TEXT,
	PREFIX, SMP_EVENT, MSG_EVENT, INSTAG, CONVERT, TIMER, NOTIFY, DISPLAY, LOG, PROTOCOL_NAME };

static OtrlPolicy policy(void *data, ConnContext *context)
{
	((Side *) data)->calls[POLICY]++;
	IS(context && !strcmp(context->username, ((Side *) data)->peer));
	return OTRL_POLICY_OPPORTUNISTIC;
}

static void create_privkey(void *data, const char *account, const char *protocol)
{
	((Side *) data)->calls[PRIVKEY]++;
	(void) account;
	(void) protocol;
}

static int is_logged_in(void *data, const char *account, const char *protocol, const char *recipient)
{
	((Side *) data)->calls[LOGGED_IN]++;
	IS(!strcmp(account, ((Side *) data)->name) && !strcmp(recipient, ((Side *) data)->peer) && !strcmp(protocol, PROTOCOL));
	return 1;
}

static void inject_message(void *data, const char *account, const char *protocol, const char *recipient, const char *message)
{
	Side *side = data;

	side->calls[INJECT]++;
	IS(!strcmp(account, side->name) && !strcmp(protocol, PROTOCOL) && !strcmp(recipient, side->peer));
	if (side->other->last < 64) {
		side->other->queue[side->other->last++] = strdup(message);
	}
}

static void update_context_list(void *data)
{
	((Side *) data)->calls[UPDATE]++;
}

static void new_fingerprint(void *data, OtrlUserState us, const char *account, const char *protocol, const char *username,
		unsigned char fingerprint[20])
{
	Side *side = data;
	unsigned char hash[20];

	side->calls[FINGERPRINT]++;
	IS(us == side->us && !strcmp(account, side->name) && !strcmp(protocol, PROTOCOL) && !strcmp(username, side->peer));
	IS(otrl_privkey_fingerprint_raw(side->other->us, hash, side->peer, PROTOCOL) && !memcmp(hash, fingerprint, 20));
}

static void write_fingerprints(void *data)
{
	((Side *) data)->calls[WRITE]++;
}

static void gone_secure(void *data, ConnContext *context)
{
	Side *side = data;

	side->calls[SECURE]++;
	IS(context->msgstate == OTRL_MSGSTATE_ENCRYPTED);
	side->secure_seen = context->protocol_version;
}

static void gone_insecure(void *data, ConnContext *context)
{
	((Side *) data)->calls[INSECURE]++;
	(void) context;
}

static void still_secure(void *data, ConnContext *context, int is_reply)
{
	((Side *) data)->calls[STILL]++;
	(void) context;
	(void) is_reply;
}

static int max_message_size(void *data, ConnContext *context)
{
	((Side *) data)->calls[SIZE]++;
	(void) context;
	return 0;
}

static const char *account_name(void *data, const char *account, const char *protocol)
{
	((Side *) data)->calls[ACCOUNT]++;
	(void) protocol;
	return account;
}

#if ABI5
static void smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short progress, char *question)
{
	((Side *) data)->calls[SMP_EVENT]++;
	IS(event == OTRL_SMPEVENT_ASK_FOR_ANSWER && progress == 25 && question && !strcmp(question, "why?"));
	IS(context->smstate->nextExpected == OTRL_SMP_EXPECT1);
}

static void msg_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t err)
{
	((Side *) data)->calls[MSG_EVENT]++;
	(void) event;
	(void) context;
	(void) message;
	(void) err;
}

static void create_instag(void *data, const char *account, const char *protocol)
{
	Side *side = data;

	side->calls[INSTAG]++;
	otrl_instag_generate(side->us, "/dev/null", account, protocol);
}

static void timer_control(void *data, unsigned int interval)
{
	((Side *) data)->calls[TIMER]++;
	(void) interval;
}
#else
static void notify(void *data, OtrlNotifyLevel level, const char *account, const char *protocol, const char *username,
		const char *title, const char *primary, const char *secondary)
{
	((Side *) data)->calls[NOTIFY]++;
	(void) level, (void) account, (void) protocol, (void) username, (void) title, (void) primary, (void) secondary;
}

static int display(void *data, const char *account, const char *protocol, const char *username, const char *message)
{
	((Side *) data)->calls[DISPLAY]++;
	(void) account, (void) protocol, (void) username, (void) message;
	return 0;
}

static void log_message(void *data, const char *message)
{
	((Side *) data)->calls[LOG]++;
	(void) message;
}
#endif

static OtrlMessageAppOps ops;

static void set_ops(void)
{
	ops.policy = policy;
	ops.create_privkey = create_privkey;
	ops.is_logged_in = is_logged_in;
	ops.inject_message = inject_message;
	ops.update_context_list = update_context_list;
	ops.new_fingerprint = new_fingerprint;
	ops.write_fingerprints = write_fingerprints;
	ops.gone_secure = gone_secure;
	ops.gone_insecure = gone_insecure;
	ops.still_secure = still_secure;
	ops.max_message_size = max_message_size;
	ops.account_name = account_name;
#if ABI5
	ops.handle_smp_event = smp_event;
	ops.handle_msg_event = msg_event;
	ops.create_instag = create_instag;
	ops.timer_control = timer_control;
#else
	ops.notify = notify;
	ops.display_otr_message = display;
	ops.log_message = log_message;
#endif
}

static void add_app_data(void *data, ConnContext *context)
{
	context->app_data = data;
	context->app_data_free = NULL;
}

static ConnContext *find(Side *side, int add)
{
	int added = 7;

#if ABI5
	return otrl_context_find(side->us, side->peer, side->name, PROTOCOL, OTRL_INSTAG_BEST, add, &added, add_app_data, MARK);
#else
	return otrl_context_find(side->us, side->peer, side->name, PROTOCOL, add, &added, add_app_data, MARK);
#endif
}

static char *sending(Side *side, const char *text)
{
	char *out = NULL;

#if ABI5
	IS(otrl_message_sending(side->us, &ops, side, side->name, PROTOCOL, side->peer, OTRL_INSTAG_BEST, text, NULL, &out,
				OTRL_FRAGMENT_SEND_SKIP, NULL, add_app_data, MARK) == 0);
#else
	IS(otrl_message_sending(side->us, &ops, side, side->name, PROTOCOL, side->peer, text, NULL, &out, add_app_data, MARK) == 0);
#endif
	return out;
}

static int receiving(Side *side, const char *text, char **shown, OtrlTLV **tlvs)
{
	*shown = NULL;
	*tlvs = NULL;
#if ABI5
	return otrl_message_receiving(side->us, &ops, side, side->name, PROTOCOL, side->peer, text, shown, tlvs, NULL, add_app_data,
			MARK);
#else
	return otrl_message_receiving(side->us, &ops, side, side->name, PROTOCOL, side->peer, text, shown, tlvs, add_app_data, MARK);
#endif
}

static void pump(Side *one, Side *two)
{
	Side *both[2];
	int i, busy = 1;

	both[0] = one;
	both[1] = two;
	while (busy) {
		busy = 0;
		for (i = 0; i < 2; i++) {
			while (both[i]->first < both[i]->last) {
				char *text = both[i]->queue[both[i]->first++], *shown;
				OtrlTLV *tlvs;

				busy = 1;
				receiving(both[i], text, &shown, &tlvs);
				free(text);
				otrl_message_free(shown);
				otrl_tlv_free(tlvs);
			}
		}
	}
}

static void begin(Side *side, const char *name, const char *peer, Side *other)
{
	char path[] = "abi-check-key-XXXXXX";
	OtrlPrivKey *key;
	int file = mkstemp(path);

	memset(side, 0, sizeof *side);
	side->name = name;
	side->peer = peer;
	side->other = other;
	side->us = otrl_userstate_create();
	IS(side->us && !side->us->context_root && !side->us->privkey_root);
	IS(file >= 0 && otrl_privkey_generate(side->us, path, name, PROTOCOL) == 0);
	close(file);
	unlink(path);
	key = otrl_privkey_find(side->us, name, PROTOCOL);
	IS(key && key == side->us->privkey_root && key->tous == &side->us->privkey_root && !key->next);
	IS(key && !strcmp(key->accountname, name) && !strcmp(key->protocol, PROTOCOL) && key->privkey);
	IS(key && key->pubkey_type == OTRL_PUBKEY_TYPE_DSA && key->pubkey_data && key->pubkey_datalen > 300
			&& key->pubkey_datalen < 500 && key->pubkey_data[0] == 0 && key->pubkey_data[1] == 0);
#if ABI5
	IS(!side->us->instag_root && !side->us->pending_root && side->us->timer_running == 0);
	IS(otrl_instag_generate(side->us, "/dev/null", name, PROTOCOL) == 0);
	{
		OtrlInsTag *tag = otrl_instag_find(side->us, name, PROTOCOL);

		IS(tag && tag == side->us->instag_root && tag->tous == &side->us->instag_root && !tag->next);
		IS(tag && !strcmp(tag->accountname, name) && !strcmp(tag->protocol, PROTOCOL) && tag->instag >= OTRL_MIN_VALID_INSTAG);
	}
#endif
}

static void fresh_context(Side *side)
{
	ConnContext *c = find(side, 1);

	IS(c && c == side->us->context_root && c->tous == &side->us->context_root && !c->next);
	IS(!strcmp(c->username, side->peer) && !strcmp(c->accountname, side->name) && !strcmp(c->protocol, PROTOCOL));
	IS(c->msgstate == OTRL_MSGSTATE_PLAINTEXT && c->auth.authstate == OTRL_AUTHSTATE_NONE && !c->auth.our_dh.pub
			&& !c->auth.lastauthmsg && !c->auth.encgx);
	IS(!c->fingerprint_root.next && !c->fingerprint_root.fingerprint && c->fingerprint_root.context == c
			&& !c->active_fingerprint);
	IS(c->sessionid_len == 0 && c->protocol_version == 0 && c->otr_offer == OFFER_NOT);
	IS(c->app_data == MARK && !c->app_data_free);
	IS(c->smstate && !c->smstate->secret && c->smstate->nextExpected == OTRL_SMP_EXPECT1
			&& c->smstate->sm_prog_state == OTRL_SMP_PROG_OK && !c->smstate->received_question);
#if ABI5
	IS(c->context_priv && c->m_context == c && c->their_instance == OTRL_INSTAG_MASTER);
	IS(c->our_instance == otrl_instag_find(side->us, side->name, PROTOCOL)->instag);
#else
	IS(!c->fragment && !c->their_y && !c->our_dh_key.pub && c->generation == 0 && !c->lastmessage && !c->saved_mac_keys);
#endif
}

static void private_context(Side *side)
{
	ConnContext *c = find(side, 0);
	unsigned char hash[20];
	OtrlPrivKey *theirs = otrl_privkey_find(side->other->us, side->peer, PROTOCOL);

	IS(c && c->msgstate == OTRL_MSGSTATE_ENCRYPTED && c->sessionid_len == 8 && c->protocol_version == side->secure_seen);
	IS(c->protocol_version == (ABI5 ? 3 : 2));
	IS(c->app_data == MARK);
	IS(theirs && otrl_privkey_fingerprint_raw(side->other->us, hash, side->peer, PROTOCOL) == hash);
	IS(c->active_fingerprint && c->active_fingerprint->fingerprint && !memcmp(c->active_fingerprint->fingerprint, hash, 20));
	IS(!c->active_fingerprint->next && (!c->active_fingerprint->trust || !*c->active_fingerprint->trust));
#if ABI5
	IS(c->m_context && c->m_context != c && c->m_context == side->us->context_root && c->m_context->next == c);
	IS(c->m_context->recent_child == c && c->m_context->recent_rcvd_child == c);
	IS(c->active_fingerprint == c->m_context->fingerprint_root.next && c->active_fingerprint->context == c->m_context
			&& c->active_fingerprint->tous == &c->m_context->fingerprint_root.next);
	IS(c->their_instance == otrl_instag_find(side->other->us, side->peer, PROTOCOL)->instag);
#else
	IS(c->active_fingerprint == c->fingerprint_root.next && c->active_fingerprint->context == c);
	IS(c->their_keyid > 0 && c->our_keyid > 0 && c->generation > 0);
#endif
	otrl_context_set_trust(c->active_fingerprint, "verified");
	IS(c->active_fingerprint->trust && !strcmp(c->active_fingerprint->trust, "verified"));
}

static void tlvs(void)
{
	OtrlTLV *tlv = otrl_tlv_new(0x1234, 3, (const unsigned char *) "abc");

	IS(tlv && tlv->type == 0x1234 && tlv->len == 3 && !memcmp(tlv->data, "abc", 4) && !tlv->next);
	otrl_tlv_free(tlv);
	tlv = otrl_tlv_parse((const unsigned char *) "\0\1\0\0\0\7\0\2xy", 10);
	IS(tlv && tlv->type == 1 && tlv->len == 0 && tlv->next && tlv->next->type == 7 && tlv->next->len == 2
			&& !memcmp(tlv->next->data, "xy", 2) && !tlv->next->next);
	otrl_tlv_free(tlv);
}

static void numbers(void)
{
	DH_keypair one, two;
	DH_sesskeys a, b;
	OtrlSMState s;
	unsigned char *message = NULL;
	int length = 0;

	otrl_dh_keypair_init(&one);
	IS(!one.priv && !one.pub);
	IS(otrl_dh_gen_keypair(DH1536_GROUP_ID, &one) == 0 && one.groupid == DH1536_GROUP_ID && one.priv && one.pub);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &two);
	otrl_dh_session_blank(&a);
	IS(!a.sendenc && !a.rcvenc && !a.sendmac && !a.rcvmac && !a.sendmacused && !a.rcvmacused);
	IS(otrl_dh_session(&a, &one, two.pub) == 0 && otrl_dh_session(&b, &two, one.pub) == 0);
	IS(!memcmp(a.sendmackey, b.rcvmackey, 20) && !memcmp(a.rcvmackey, b.sendmackey, 20) && memcmp(a.sendmackey, a.rcvmackey, 20));
	otrl_dh_incctr(a.sendctr);
	IS(a.sendctr[7] == 1 && a.rcvctr[7] == 0 && otrl_dh_cmpctr(a.sendctr, a.rcvctr) > 0);
#if ABI5
	IS(!memcmp(a.extrakey, b.extrakey, OTRL_EXTRAKEY_BYTES));
#endif
	otrl_dh_session_free(&a);
	otrl_dh_session_free(&b);
	otrl_dh_keypair_free(&one);
	otrl_dh_keypair_free(&two);

	memset(&s, 0x7f, sizeof s);
	otrl_sm_state_new(&s);
	IS(!s.secret && !s.x2 && !s.x3 && !s.g1 && !s.g2 && !s.g3 && !s.g3o && !s.p && !s.q && !s.pab && !s.qab);
	IS(s.nextExpected == OTRL_SMP_EXPECT1 && s.received_question == 0 && s.sm_prog_state == OTRL_SMP_PROG_OK);
	IS(otrl_sm_step1(&s, (const unsigned char *) "s", 1, &message, &length) == 0 && message && length > 100);
	IS(s.secret && s.x2 && s.x3 && s.g1 && s.g2 && s.g3 && s.g3o);
	otrl_sm_state_free(&s);
	free(message);
}

int main(void)
{
	Side alice, bob;
	ConnContext *c;
	char *text, *shown;
	OtrlTLV *got;

	setvbuf(stdout, NULL, _IOLBF, 0);
	IS(otrl_api_version == 0);
	OTRL_INIT;
	IS(!strcmp(otrl_version(), OTRL_VERSION));
	IS(otrl_api_version == (OTRL_VERSION_MAJOR << 16 | OTRL_VERSION_MINOR << 8 | OTRL_VERSION_SUB));
	set_ops();
	tlvs();
	numbers();
	begin(&alice, "alice", "bob", &bob);
	begin(&bob, "bob", "alice", &alice);
	fresh_context(&alice);
	fresh_context(&bob);

	text = sending(&alice, "hello");
	IS(text && !strncmp(text, "hello", 5) && strlen(text) > 20);
	c = find(&alice, 0);
	IS(c && c->otr_offer == OFFER_SENT);
	IS(receiving(&bob, text ? text : "", &shown, &got) == 0 && shown && !strcmp(shown, "hello"));
	otrl_message_free(text);
	otrl_message_free(shown);
	otrl_tlv_free(got);
	c = find(&bob, 0);
	IS(c && c->auth.our_dh.pub && c->auth.our_dh.priv && c->auth.our_dh.groupid == DH1536_GROUP_ID && c->auth.our_keyid == 1);
	IS(c && c->auth.encgx && c->auth.encgx_len >= 190 && c->auth.encgx_len <= 196);
	IS(c && c->auth.initiated == 1 && c->auth.lastauthmsg && !strncmp(c->auth.lastauthmsg, "?OTR:", 5));
#if ABI5
	IS(c && c->auth.protocol_version == 3);
#endif
	IS(c && c->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY);
	pump(&alice, &bob);
	IS(alice.calls[SECURE] == 1 && bob.calls[SECURE] == 1 && alice.calls[FINGERPRINT] == 1 && bob.calls[FINGERPRINT] == 1);
	IS(alice.calls[WRITE] == 1 && alice.calls[POLICY] && alice.calls[INJECT] && alice.calls[UPDATE]);
	private_context(&alice);
	private_context(&bob);
	c = find(&alice, 0);
	if (c) {
		ConnContext *d = find(&bob, 0);

		IS(d && !memcmp(c->sessionid, d->sessionid, 8) && c->sessionid_half != d->sessionid_half);
		otrl_message_initiate_smp_q(alice.us, &ops, &alice, c, "why?", (const unsigned char *) "because", 7);
		IS(c->smstate->secret && c->smstate->nextExpected == OTRL_SMP_EXPECT2);
		pump(&alice, &bob);
		d = find(&bob, 0);
		IS(d && d->smstate->g3o && d->smstate->received_question == 1);
#if ABI5
		IS(bob.calls[SMP_EVENT] == 1);
#endif
	}
	text = sending(&alice, "secret");
	IS(text && !strncmp(text, "?OTR", 4));
	IS(receiving(&bob, text ? text : "", &shown, &got) == 0 && shown && !strcmp(shown, "secret") && !got);
	otrl_message_free(text);
	otrl_message_free(shown);
#if ABI5
	otrl_message_disconnect(alice.us, &ops, &alice, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST);
#else
	otrl_message_disconnect(alice.us, &ops, &alice, "alice", PROTOCOL, "bob");
#endif
	IS(alice.calls[LOGGED_IN] == 1);
	pump(&alice, &bob);
	c = find(&bob, 0);
	IS(c && c->msgstate == OTRL_MSGSTATE_FINISHED && c->sessionid_len == 0 && !c->active_fingerprint && c->app_data == MARK);
	otrl_userstate_free(alice.us);
	otrl_userstate_free(bob.us);
	printf("%d checked, %d wrong\n", checked, wrong);
	return wrong || !checked;
}
