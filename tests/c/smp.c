/* SMP as clients see it: events, nextExpected inside the callback, the `secret`
 * that BitlBee and mcabber look at, and freeing and aborting from inside. */
#include "world.h"

/* What the hook does on which event. */
typedef struct {
	const char *secret;
	int respond, abort_on, free_on;
	/* What was seen inside the callback, per event. */
	int expected[16], secret_set[16], seen;
	int events[16];
} Plan;

static void follow(Party *self, const char *callback, ConnContext *context)
{
	Plan *plan = self->hook_data;
	int event;

	if (strcmp(callback, "smp")) {
		return;
	}
	event = atoi(self->log.at[self->log.count - 1] + 4);
	if (plan->seen < 16) {
		plan->events[plan->seen] = event;
		plan->expected[plan->seen] = (int) context->smstate->nextExpected;
		plan->secret_set[plan->seen] = context->smstate->secret != NULL;
		plan->seen++;
	}
	if (plan->abort_on & (1 << event)) {
		otrl_message_abort_smp(self->us, &self->ops, self, context);
	}
	if (plan->free_on & (1 << event)) {
		otrl_sm_state_free(context->smstate);
		otrl_sm_state_free(context->smstate);
	}
	if (plan->respond && (event == OTRL_SMPEVENT_ASK_FOR_ANSWER
				|| event == OTRL_SMPEVENT_ASK_FOR_SECRET)) {
		otrl_message_respond_smp(self->us, &self->ops, self, context,
				(const unsigned char *) plan->secret, strlen(plan->secret));
	}
}

static void plan_for(Party *self, Plan *plan, const char *secret)
{
	memset(plan, 0, sizeof *plan);
	plan->secret = secret;
	self->hook = follow;
	self->hook_data = plan;
}

static void initiate(Party *self, const char *peer, const char *question, const char *secret)
{
	if (question) {
		otrl_message_initiate_smp_q(self->us, &self->ops, self, context_with(self, peer),
				question, (const unsigned char *) secret, strlen(secret));
	} else {
		otrl_message_initiate_smp(self->us, &self->ops, self, context_with(self, peer),
				(const unsigned char *) secret, strlen(secret));
	}
}

static void forms(void)
{
	static const struct {
		OtrlPolicy policy;
		bool bob_starts, late;
		const char *question, *first, *second;
	} table[] = {
		{ POLICY_V3, false, false, NULL, "same", "same" },
		{ POLICY_V2, true, true, NULL, "same", "same" },
		{ POLICY_V3, true, false, NULL, "one", "other" },
		{ POLICY_V2, false, false, "which?", "same", "same" },
		{ POLICY_V3, true, true, "which?", "one", "other" },
		{ POLICY_V3, false, false, "", "same", "same" },
		{ POLICY_V3, false, false, "\xc3\xbc?", "", "" },
		{ OTRL_POLICY_ALLOW_V1, false, false, NULL, "same", "same" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		Pair pair = pair_private(table[i].policy);
		Party *x = table[i].bob_starts ? pair.bob : pair.alice;
		Party *y = table[i].bob_starts ? pair.alice : pair.bob;
		bool equal = !strcmp(table[i].first, table[i].second);
		int end = equal ? OTRL_SMPEVENT_SUCCESS : OTRL_SMPEVENT_FAILURE;
		Plan px, py;
		char line[40];
		bool xt, yt;

		plan_for(x, &px, "");
		plan_for(y, &py, table[i].second);
		py.respond = !table[i].late;
		initiate(x, y->account, table[i].question, table[i].first);
		pump(pair.world);
		ok(context_with(y, x->account)->smstate->received_question
				== (table[i].question != NULL), "row %u: received_question", (unsigned) i);
		if (table[i].late) {
			otrl_message_respond_smp(y->us, &y->ops, y, context_with(y, x->account),
					(const unsigned char *) table[i].second, strlen(table[i].second));
			pump(pair.world);
		}
		snprintf(line, sizeof line, "smp %d 25 %s", table[i].question ? 4 : 5,
				table[i].question ? table[i].question : "-");
		ok(logged(y, line) == 1, "row %u: %s", (unsigned) i, line);
		ok(logged(x, "smp 6 60 -") == 1, "row %u: the initiator is told of progress",
				(unsigned) i);
		snprintf(line, sizeof line, "smp %d 100", end);
		ok(logged(x, line) == 1 && logged(y, line) == 1, "row %u: %s on both", (unsigned) i,
				line);
		ok(px.seen == 2 && px.expected[0] == OTRL_SMP_EXPECT2
				&& px.expected[1] == OTRL_SMP_EXPECT4,
				"row %u: nextExpected is the old one inside the callback (2 and 4)",
				(unsigned) i);
		ok(py.seen == 2 && py.expected[0] == OTRL_SMP_EXPECT1
				&& py.expected[1] == OTRL_SMP_EXPECT3, "row %u: and 1 and 3", (unsigned) i);
		ok(context_with(x, y->account)->smstate->nextExpected == OTRL_SMP_EXPECT1
				&& context_with(y, x->account)->smstate->nextExpected == OTRL_SMP_EXPECT1,
				"row %u: EXPECT1 afterwards", (unsigned) i);
		xt = otrl_context_is_fingerprint_trusted(context_with(x,
					y->account)->active_fingerprint);
		yt = otrl_context_is_fingerprint_trusted(context_with(y,
					x->account)->active_fingerprint);
		ok(xt == equal && yt == (equal && !table[i].question),
				"row %u: trust follows, but answering a question gives none", (unsigned) i);
		ok(!xt || !strcmp(context_with(x, y->account)->active_fingerprint->trust, "smp"),
				"row %u: and is called smp", (unsigned) i);
		ok(logged(x, "write_fingerprints") == 2, "row %u: fingerprints are written",
				(unsigned) i);
		pair_free(&pair);
	}
}

/* BitlBee: `secret` set means respond, not set means initiate. */
static void the_secret_flag(void)
{
	Pair pair = pair_private(POLICY_V3);
	OtrlSMState *a = context_with(pair.alice, "bob")->smstate;
	OtrlSMState *b = context_with(pair.bob, "alice")->smstate;
	Plan pb;
	int round;

	ok(!a->secret && !b->secret, "not set in a new session");
	for (round = 0; round < 2; round++) {
		Party *x = round ? pair.bob : pair.alice, *y = round ? pair.alice : pair.bob;
		OtrlSMState *sx = round ? b : a, *sy = round ? a : b;

		plan_for(y, &pb, "s");
		initiate(x, y->account, round ? "q" : NULL, "s");
		ok(sx->secret != NULL, "set after initiating");
		pump(pair.world);
		ok(sy->secret != NULL && pb.secret_set[0], "set after receiving SMP 1, also inside");
		otrl_message_respond_smp(y->us, &y->ops, y, context_with(y, x->account),
				(const unsigned char *) "s", 1);
		pump(pair.world);
		ok(logged(y, "smp 7 100") == 1, "responded");
		otrl_sm_state_free(sx);
		otrl_sm_state_free(sy);
		ok(!sx->secret && !sy->secret, "not set after otrl_sm_state_free");
		otrl_sm_state_free(sx);
		ok(sx->nextExpected == OTRL_SMP_EXPECT1 && sx->sm_prog_state == OTRL_SMP_PROG_OK
				&& sx->received_question == 0, "which may be called twice");
		forget_log(x);
		forget_log(y);
	}
	pair_free(&pair);
}

/* The same, but freed inside the last callback, as BitlBee does. */
static void freed_inside(void)
{
	static const int everything = (1 << OTRL_SMPEVENT_SUCCESS) | (1 << OTRL_SMPEVENT_FAILURE)
		| (1 << OTRL_SMPEVENT_ABORT) | (1 << OTRL_SMPEVENT_CHEATED)
		| (1 << OTRL_SMPEVENT_ERROR);
	Pair pair = pair_private(POLICY_V3);
	Plan pa, pb;
	int round;

	plan_for(pair.alice, &pa, "s");
	plan_for(pair.bob, &pb, "s");
	pa.free_on = pb.free_on = everything;
	pb.respond = pa.respond = 1;
	for (round = 0; round < 4; round++) {
		Party *x = round % 2 ? pair.bob : pair.alice, *y = round % 2 ? pair.alice : pair.bob;

		pa.secret = pb.secret = round == 2 ? "other" : "s";
		initiate(x, y->account, NULL, "s");
		pump(pair.world);
		ok(logged(x, round == 2 ? "smp 8 100" : "smp 7 100") >= 1, "round %d ends", round);
		ok(context_with(x, y->account)->smstate->nextExpected == OTRL_SMP_EXPECT1
				&& !context_with(x, y->account)->smstate->secret
				&& context_with(y, x->account)->smstate->nextExpected == OTRL_SMP_EXPECT1,
				"the state is a new one");
	}
	ok(pair_talks(&pair), "the session goes on");
	pair_free(&pair);
}

static void aborts(void)
{
	Pair pair = pair_private(POLICY_V3);
	Plan pa, pb;

	plan_for(pair.alice, &pa, "s");
	plan_for(pair.bob, &pb, "s");
	initiate(pair.alice, "bob", NULL, "s");
	pump(pair.world);
	otrl_message_abort_smp(pair.bob->us, &pair.bob->ops, pair.bob,
			context_with(pair.bob, "alice"));
	pump(pair.world);
	ok(logged(pair.alice, "smp 2 0") == 1, "abort before the answer");
	ok(context_with(pair.alice, "bob")->smstate->nextExpected == OTRL_SMP_EXPECT1,
			"EXPECT1 again");
	initiate(pair.alice, "bob", NULL, "s");
	otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"));
	pump(pair.world);
	ok(logged(pair.bob, "smp 5 25") == 2 && logged(pair.bob, "smp 2 0") == 1,
			"abort by the initiator");
	pb.respond = 1;
	initiate(pair.alice, "bob", NULL, "s");
	pump(pair.world);
	ok(logged(pair.alice, "smp 7 100") == 1 && logged(pair.bob, "smp 7 100") == 1,
			"a new one succeeds after aborts");
	pair_free(&pair);
}

/* irssi and hexchat abort on ABORT: two of them must not go on forever. */
static void abort_ping_pong(void)
{
	Pair pair = pair_private(POLICY_V3);
	Plan pa, pb;
	bool ends;

	plan_for(pair.alice, &pa, "s");
	plan_for(pair.bob, &pb, "s");
	pa.abort_on = pb.abort_on = (1 << OTRL_SMPEVENT_ABORT) | (1 << OTRL_SMPEVENT_ERROR)
		| (1 << OTRL_SMPEVENT_CHEATED);
	initiate(pair.alice, "bob", NULL, "s");
	pump(pair.world);
	otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"));
	ends = pump(pair.world);
	BETTER(ends, "two clients that abort on ABORT come to an end");
	BETTER(ends && pair_talks(&pair), "and the session goes on");
	pair_free(&pair);
}

/* Both initiate at once: ERROR, both abort, and then it works. */
static void both_initiate(void)
{
	Pair pair = pair_private(POLICY_V3);
	Plan pa, pb;

	plan_for(pair.alice, &pa, "s");
	plan_for(pair.bob, &pb, "s");
	pa.abort_on = pb.abort_on = 1 << OTRL_SMPEVENT_ERROR;
	initiate(pair.alice, "bob", NULL, "s");
	initiate(pair.bob, "alice", NULL, "s");
	ok(pump(pair.world), "comes to an end");
	ok(logged(pair.alice, "smp 1 0") == 1 && logged(pair.bob, "smp 1 0") == 1,
			"ERROR for both");
	ok(logged(pair.alice, "smp 7") == 0, "no success");
	pb.respond = 1;
	initiate(pair.alice, "bob", NULL, "s");
	pump(pair.world);
	ok(logged(pair.alice, "smp 7 100") == 1, "the next one succeeds");
	pair_free(&pair);
}

static void out_of_turn(void)
{
	static const unsigned short types[] = { OTRL_TLV_SMP1, OTRL_TLV_SMP2, OTRL_TLV_SMP3,
		OTRL_TLV_SMP4, OTRL_TLV_SMP1Q, OTRL_TLV_SMP_ABORT };
	static const unsigned char junk[] = "\0\0\0\x06\0\0\0\x01\x05\0\0\0\x01\x05\xff\xff\xff\xff";
	size_t i, len;

	for (i = 0; i < sizeof types / sizeof types[0]; i++) {
		Pair pair = pair_private(POLICY_V3);
		Plan pb;

		plan_for(pair.bob, &pb, "s");
		for (len = 0; len < sizeof junk; len++) {
			OtrlTLV *tlv = otrl_tlv_new(types[i], (unsigned short) len, junk);
			char *sent = NULL;

			otrl_message_sending(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
					PROTOCOL, "bob", OTRL_INSTAG_BEST, "", tlv, &sent,
					OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
			otrl_tlv_free(tlv);
			receive(pair.bob, "alice", sent);
			otrl_message_free(sent);
		}
		ok(logged(pair.bob, "smp 7") == 0 && logged(pair.bob, "smp 8") == 0,
				"TLV %u of junk proves nothing", types[i]);
		ok(logged(pair.bob, "smp 1") + logged(pair.bob, "smp 2") + logged(pair.bob, "smp 3")
				>= 1, "but is reported");
		ok(!otrl_context_is_fingerprint_trusted(context_with(pair.bob,
						"alice")->active_fingerprint), "nobody is trusted");
		pump(pair.world);
		otrl_message_abort_smp(pair.bob->us, &pair.bob->ops, pair.bob,
				context_with(pair.bob, "alice"));
		pump(pair.world);
		pb.respond = 1;
		initiate(pair.alice, "bob", NULL, "s");
		pump(pair.world);
		ok(logged(pair.alice, "smp 7 100") == 1 && pair_talks(&pair), "SMP works afterwards");
		pair_free(&pair);
	}
}

static void not_private(void)
{
	Pair pair = pair_new(POLICY_V3);

	send_text(pair.alice, "bob", "x");
	pump(pair.world);
	initiate(pair.alice, "bob", NULL, "s");
	initiate(pair.alice, "bob", "q", "s");
	otrl_message_respond_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"), (const unsigned char *) "s", 1);
	otrl_message_abort_smp(pair.alice->us, &pair.alice->ops, pair.alice,
			context_with(pair.alice, "bob"));
	ok(!pair.world->first, "without a session nothing is sent");
	pair_free(&pair);
}

/* A question longer than a TLV can hold is cut or refused, never a crash. */
static void long_question(void)
{
	Pair pair = pair_private(POLICY_V3);
	Plan pb;
	char *question = malloc(20001);

	memset(question, 'q', 20000);
	question[20000] = '\0';
	plan_for(pair.bob, &pb, "s");
	pb.respond = 1;
	initiate(pair.alice, "bob", question, "s");
	pump(pair.world);
	ok(logged(pair.alice, "smp 7 100") == 1, "20000 bytes of question");
	free(question);
	pair_free(&pair);
}

int main(void)
{
	run_case("all forms", forms);
	run_case("the secret flag", the_secret_flag);
	run_case("freed inside", freed_inside);
	run_case("aborts", aborts);
	run_case("abort answered with abort", abort_ping_pong);
	run_case("both initiate", both_initiate);
	run_case("out of turn", out_of_turn);
	run_case("not private", not_private);
	run_case("a long question", long_question);
	return finish();
}
