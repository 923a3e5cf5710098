/* The functions below the messages that libotr 4 has in another way: kinds of messages, fragments, contexts and their
 * fingerprints. ../c/by_hand.c has the others. */
#include <libotr/mem.h>

#include "world.h"

static Pair pair;

static void kinds(void)
{
	static const struct {
		const char *text;
		OtrlMessageType kind;
	} table[] = { { "hello", OTRL_MSGTYPE_NOTOTR }, { "?OTR?", OTRL_MSGTYPE_QUERY },
		{ "?OTRv2?", OTRL_MSGTYPE_QUERY }, { "?OTR:AAIC", OTRL_MSGTYPE_DH_COMMIT },
		{ "?OTR:AAIK", OTRL_MSGTYPE_DH_KEY }, { "?OTR:AAIR", OTRL_MSGTYPE_REVEALSIG },
		{ "?OTR:AAIS", OTRL_MSGTYPE_SIGNATURE }, { "?OTR:AAEK", OTRL_MSGTYPE_V1_KEYEXCH },
		{ "?OTR:AAED", OTRL_MSGTYPE_DATA }, { "?OTR:AAID", OTRL_MSGTYPE_DATA },
		{ "?OTR Error: x", OTRL_MSGTYPE_ERROR }, { "?OTR:AAMD", OTRL_MSGTYPE_UNKNOWN },
		{ "?OTR:AAMC", OTRL_MSGTYPE_UNKNOWN }, { "?OTR|x", OTRL_MSGTYPE_UNKNOWN },
		{ "x" OTRL_MESSAGE_TAG_BASE, OTRL_MSGTYPE_TAGGEDPLAINTEXT } };
	const char *start, *end;
	size_t row;

	for (row = 0; row < sizeof table / sizeof table[0]; row++) {
		ok(otrl_proto_message_type(table[row].text) == table[row].kind, table[row].text);
	}
	ok(otrl_proto_query_bestversion("?OTR?v2?", OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2) == 2
			&& otrl_proto_query_bestversion("?OTR?v2?", OTRL_POLICY_ALLOW_V1) == 1
			&& otrl_proto_query_bestversion("?OTRv3?", OTRL_POLICY_MANUAL) == 0
			&& otrl_proto_query_bestversion("?OTRv23?", OTRL_POLICY_MANUAL) == 2, "queries");
	ok(otrl_proto_whitespace_bestversion("a" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V1 "b", &start,
		&end, OTRL_POLICY_MANUAL) == 1 && *end == 'b' && end - start == 24, "tags");
	ok(otrl_proto_whitespace_bestversion("ab", &start, &end, OTRL_POLICY_MANUAL) == 0 && !start
			&& !end, "no tag");
}

static void fragments(void)
{
	char **pieces, *whole = NULL;
	OtrlFragmentResult result = OTRL_FRAGMENT_UNFRAGMENTED;
	int i;

	pair = pair_new(OTRL_POLICY_MANUAL);
	ok(otrl_proto_fragment_create(29, 3, &pieces, "?OTR:abcdefghijklmnopqrstuvwx.") == 0, "three");
	for (i = 0; i < 3; i++) {
		result = otrl_proto_fragment_accumulate(&whole, made_context(pair.bob, "alice"), pieces[i]);
		ok(result == (i < 2 ? OTRL_FRAGMENT_INCOMPLETE : OTRL_FRAGMENT_COMPLETE), "one after another");
	}
	ok(whole && !strcmp(whole, "?OTR:abcdefghijklmnopqrstuvwx."), "make the whole");
	free(whole);
	otrl_proto_fragment_free(&pieces, 3);
	ok(otrl_proto_fragment_accumulate(&whole, made_context(pair.bob, "alice"), "text")
			== OTRL_FRAGMENT_UNFRAGMENTED, "text is no fragment");
	pair_free(&pair);
}

static int added_contexts, freed;

static void on_free(void *data)
{
	(void) data;
	freed++;
}

static void on_add(void *data, ConnContext *context)
{
	(void) data;
	added_contexts++;
	context->app_data = &added_contexts;
	context->app_data_free = on_free;
}

static void contexts(void)
{
	OtrlUserState us = otrl_userstate_create();
	ConnContext *c, *first, *made;
	ConnContext own;
	unsigned char print[20] = { 1 };
	int added;

	first = otrl_context_find(us, "b", "me", "p", 1, &added, on_add, NULL);
	ok(first && added == 1 && first->app_data == &added_contexts, "a context is made and shown");
	ok(otrl_context_find(us, "b", "me", "p", 1, &added, on_add, NULL) == first && !added, "once");
	ok(!otrl_context_find(us, "a", "me", "p", 0, &added, on_add, NULL), "not unless asked for");
	otrl_context_find(us, "c", "me", "p", 1, NULL, on_add, NULL);
	made = otrl_context_find(us, "a", "me", "p", 1, NULL, on_add, NULL);
	ok(us->context_root == made && made->next == first && added_contexts == 3, "in order");
	ok(*made->tous == made && *first->tous == first, "and linked both ways");
	for (c = us->context_root; c; c = c->next) {
		OtrlMessageAppOps ops;

		memset(&ops, 0, sizeof ops);
		otrl_message_disconnect(us, &ops, NULL, c->accountname, c->protocol, c->username);
	}
	otrl_context_set_trust(otrl_context_find_fingerprint(first, print, 1, &added), "verified");
	ok(added == 1 && first->fingerprint_root.next && first->fingerprint_root.next->context == first,
			"a fingerprint");
	free(first->fingerprint_root.next->trust);
	first->fingerprint_root.next->trust = strdup("ours");
	otrl_context_set_preshared_secret(first, print, 20);
	ok(first->preshared_secret_len == 20 && !memcmp(first->preshared_secret, print, 20), "a secret");
	first->msgstate = OTRL_MSGSTATE_ENCRYPTED;
	otrl_context_forget(first);
	ok(otrl_context_find(us, "b", "me", "p", 0, NULL, NULL, NULL) == first, "a session stays");
	otrl_context_force_finished(first);
	ok(first->msgstate == OTRL_MSGSTATE_FINISHED && !first->preshared_secret, "until it is over");
	otrl_context_force_plaintext(first);
	otrl_context_forget_fingerprint(first->fingerprint_root.next, 1);
	ok(made->next && !strcmp(made->next->username, "c") && freed == 1, "and goes with its last "
			"fingerprint");

	/* One that a client makes itself ends where the header says. */
	memset(&own, 0, sizeof own);
	own.smstate = malloc(sizeof *own.smstate);
	otrl_sm_state_new(own.smstate);
	otrl_auth_new(&own.auth);
	otrl_context_force_plaintext(&own);
	free(own.smstate);
	memcpy(&own, made, sizeof own);
	own.smstate = malloc(sizeof *own.smstate);
	otrl_sm_state_new(own.smstate);
	ok(otrl_proto_create_data((char **) &c, &own, "x", NULL, 0) != 0, "and has no session");
	free(own.smstate);
	otrl_userstate_free(us);
	ok(freed == 3, "all are freed with the user state");
}

int main(void)
{
	OTRL_INIT;
	otrl_mem_init();
	otrl_dh_init();
	otrl_sm_init();
	kinds();
	fragments();
	contexts();
	return finish();
}
