/* Contexts: several instances of one account, meta tags, list order, identity,
 * disconnecting and forgetting while walking the list.   test: time */
#include "world.h"

extern long time_shim_offset;

static void tick(void)
{
	time_shim_offset += 2;
}

typedef struct {
	World *world;
	Party *alice, *bob[3];
} Crowd;

static Crowd crowd_new(OtrlPolicy policy)
{
	Crowd crowd;
	int i;

	crowd.world = world_new();
	crowd.alice = party_new(crowd.world, "alice", keys_all());
	crowd.alice->policy = policy;
	for (i = 0; i < 3; i++) {
		crowd.bob[i] = party_new(crowd.world, "bob", keys_all());
		crowd.bob[i]->policy = policy;
	}
	return crowd;
}

static ConnContext *find(Party *self, const char *user, otrl_instag_t tag, int add)
{
	return otrl_context_find(self->us, user, self->account, PROTOCOL, tag, add, NULL, NULL,
			NULL);
}

static otrl_instag_t tag_of(Party *self)
{
	return otrl_instag_find(self->us, self->account, PROTOCOL)->instag;
}

static void three_bobs(void)
{
	Crowd crowd = crowd_new(POLICY_V3);
	Party *a = crowd.alice;
	ConnContext *master, *c;
	int i, children = 0;
	otrl_instag_t last = 0;

	go_private(a, crowd.bob[0]);
	master = find(a, "bob", OTRL_INSTAG_MASTER, 0);
	ok(master && master->m_context == master && master->their_instance == 0, "the master");
	ok(master->msgstate == OTRL_MSGSTATE_PLAINTEXT, "is in plaintext");
	for (c = master->next; c && c->m_context == master; c = c->next) {
		children++;
		ok(c->their_instance > last && c->their_instance >= OTRL_MIN_VALID_INSTAG,
				"children are sorted by tag");
		last = c->their_instance;
		ok(c->msgstate == OTRL_MSGSTATE_ENCRYPTED, "each is private");
		ok(c->fingerprint_root.next == NULL && c->active_fingerprint
				&& c->active_fingerprint->context == master,
				"fingerprints belong to the master");
		ok(c->our_instance == tag_of(a), "our own tag");
	}
	ok(children == 3, "three children right behind it");
	ok(master->fingerprint_root.next && !master->fingerprint_root.next->next,
			"one fingerprint for three instances of one key");
	for (i = 0; i < 3; i++) {
		char text[20];
		int j;

		snprintf(text, sizeof text, "to bob %d", i);
		a->to_instance = tag_of(crowd.bob[i]);
		send_text(a, "bob", text);
		for (j = 0; j < 3; j++) {
			forget_log(crowd.bob[j]);
		}
		pump(crowd.world);
		for (j = 0; j < 3; j++) {
			ok(!strcmp(last_shown(crowd.bob[j]), i == j ? text : ""),
					"bob %d reads only what is for him", j);
			ok(logged(crowd.bob[j], "event 15 ") == (i != j),
					"bob %d: the event FOR_OTHER_INSTANCE", j);
		}
	}
	world_free(crowd.world);
}

static void meta_tags(void)
{
	Crowd crowd = crowd_new(POLICY_V3);
	Party *a = crowd.alice;
	ConnContext *master, *c[3];
	int i;

	master = find(a, "bob", OTRL_INSTAG_MASTER, 1);
	ok(find(a, "bob", OTRL_INSTAG_MASTER, 1) == master, "MASTER: the same again");
	ok(find(a, "bob", OTRL_INSTAG_BEST, 0) == master, "BEST of one");
	ok(find(a, "bob", OTRL_INSTAG_RECENT, 0) == master
			&& find(a, "bob", OTRL_INSTAG_RECENT_SENT, 0) == master
			&& find(a, "bob", OTRL_INSTAG_RECENT_RECEIVED, 0) == master, "RECENT of one");
	ok(find(a, "nobody", OTRL_INSTAG_RECENT, 0) == NULL
			&& find(a, "nobody", OTRL_INSTAG_BEST, 0) == NULL
			&& find(a, "nobody", 0x12345, 0) == NULL, "no such context");
	go_private(a, crowd.bob[0]);
	for (i = 0; i < 3; i++) {
		c[i] = find(a, "bob", tag_of(crowd.bob[i]), 0);
		ok(c[i] && c[i] != master && c[i] == find(a, "bob", tag_of(crowd.bob[i]), 1),
				"a child by its tag");
	}
	for (i = 0; i < 3; i++) {
		tick();
		crowd.bob[i]->to_instance = tag_of(a);
		send_text(crowd.bob[i], "alice", "hi");
		pump(crowd.world);
		ok(find(a, "bob", OTRL_INSTAG_RECENT_RECEIVED, 0) == c[i], "RECENT_RECEIVED");
		ok(find(a, "bob", OTRL_INSTAG_RECENT, 0) == c[i], "RECENT");
		ok(find(a, "bob", OTRL_INSTAG_BEST, 0) == c[i], "BEST: the latest of equals");
	}
	a->to_instance = tag_of(crowd.bob[1]);
	send_text(a, "bob", "hi");
	ok(find(a, "bob", OTRL_INSTAG_RECENT_SENT, 0) == c[1]
			&& find(a, "bob", OTRL_INSTAG_RECENT, 0) == c[1]
			&& find(a, "bob", OTRL_INSTAG_RECENT_RECEIVED, 0) == c[2], "RECENT_SENT");
	ok(otrl_context_find_recent_instance(c[0], OTRL_INSTAG_RECENT_SENT) == c[1]
			&& otrl_context_find_recent_instance(master, OTRL_INSTAG_RECENT) == c[1]
			&& otrl_context_find_recent_instance(master, 77) == NULL,
			"otrl_context_find_recent_instance");
	otrl_context_force_finished(c[2]);
	tick();
	ok(find(a, "bob", OTRL_INSTAG_BEST, 0)->msgstate == OTRL_MSGSTATE_ENCRYPTED,
			"BEST: encrypted before finished");
	otrl_context_force_plaintext(c[0]);
	otrl_context_force_plaintext(c[1]);
	ok(find(a, "bob", OTRL_INSTAG_BEST, 0) == c[2], "BEST: finished before plaintext");
	ok(otrl_context_find_recent_secure_instance(c[0]) == c[2], "from any of them");
	world_free(crowd.world);
}

static void trusted_is_better(void)
{
	World *world = world_new();
	Party *a = party_new(world, "alice", keys_all());
	Party *one = party_new(world, "bob", keys_all());
	Party *two = party_new(world, "bob", keys_other());
	ConnContext *first, *second;

	a->policy = one->policy = two->policy = POLICY_V3;
	go_private(a, one);
	first = find(a, "bob", tag_of(one), 0);
	second = find(a, "bob", tag_of(two), 0);
	otrl_context_set_trust(first->active_fingerprint, "verified");
	tick();
	two->to_instance = tag_of(a);
	send_text(two, "alice", "later");
	pump(world);
	ok(find(a, "bob", OTRL_INSTAG_BEST, 0) == first,
			"BEST: a trusted instance before a later one");
	otrl_context_set_trust(first->active_fingerprint, "");
	ok(find(a, "bob", OTRL_INSTAG_BEST, 0) == second, "an empty trust is none");
	world_free(world);
}

/* find(RECENT) of a context that was made by find(BEST, add). */
static void recent_of_a_new_one(void)
{
	World *world = world_new();
	Party *a = party_new(world, "alice", keys_all());
	ConnContext *best = find(a, "bob", OTRL_INSTAG_BEST, 1);

	ok(best && best->m_context == best && best->their_instance == OTRL_INSTAG_MASTER,
			"find(BEST, add) makes the master");
	BETTER(find(a, "bob", OTRL_INSTAG_RECENT, 0) == best, "whose RECENT is itself");
	BETTER(find(a, "bob", OTRL_INSTAG_RECENT_SENT, 1) == best
			&& find(a, "bob", OTRL_INSTAG_RECENT_RECEIVED, 1) == best, "in all three ways");
	a->to_instance = OTRL_INSTAG_RECENT;
	ok(send_text(a, "bob", "hi") == 0, "and sending to RECENT works");
	world_free(world);
}

static void order(void)
{
	static const char *const users[] = { "m", "a", "z", "B", "aa", "m", "\xc3\xa4", "" };
	World *world = world_new();
	Party *p = party_new(world, "alice", NULL);
	OtrlUserState us = p->us;
	ConnContext *c, *seen[64], *child;
	size_t i, n = 0;
	int added = 7, sorted = 1, order_now;

	for (i = 0; i < sizeof users / sizeof users[0]; i++) {
		otrl_context_find(us, users[i], "x", "p2", 0, 1, &added, NULL, NULL);
		otrl_context_find(us, users[i], "x", "p1", 0, 1, NULL, NULL, NULL);
		otrl_context_find(us, users[i], "w", "p3", 0, 1, NULL, NULL, NULL);
		ok(added == (i != 5), "addedp says whether it is new");
	}
	child = otrl_context_find(us, "m", "x", "p1", 0x500, 1, &added, NULL, NULL);
	ok(child->their_instance == 0x500 && added && child->m_context != child, "a child");
	otrl_context_find(us, "m", "x", "p1", 0x200, 1, NULL, NULL, NULL);
	otrl_context_find(us, "n", "x", "p1", 0, 1, NULL, NULL, NULL);
	otrl_context_find(us, "n", "x", "p1", 0xffffffffu, 1, NULL, NULL, NULL);
	for (c = us->context_root; c; c = c->next) {
		ok(*c->tous == c, "tous points at the pointer to us");
		seen[n++] = c;
		if (c->next) {
			order_now = strcmp(c->username, c->next->username);
			order_now = order_now ? order_now : strcmp(c->accountname, c->next->accountname);
			order_now = order_now ? order_now : strcmp(c->protocol, c->next->protocol);
			sorted &= order_now < 0 || (order_now == 0
					&& c->their_instance < c->next->their_instance);
		}
	}
	ok(sorted, "sorted by user, account, protocol, tag");
	ok(n == 7 * 3 + 2 + 2, "each is there once");
	for (c = us->context_root, i = 0; c; c = c->next, i++) {
		ok(otrl_context_find(us, c->username, c->accountname, c->protocol,
					c->their_instance, 1, NULL, NULL, NULL) == seen[i],
				"found again where it was");
	}
	world_free(world);
}

/* ---- disconnecting while walking ------------------------------------------- */

static void disconnect_in_a_loop(void)
{
	Crowd crowd = crowd_new(POLICY_V3);
	Party *a = crowd.alice, *carol = party_new(crowd.world, "carol", keys_all());
	ConnContext *c;
	int walked = 0, i;

	carol->policy = POLICY_V2;
	a->policy = POLICY_V23;
	go_private(a, crowd.bob[0]);
	go_private(a, carol);
	forget_log(a);
	for (c = a->us->context_root; c; c = c->next, walked++) {
		if (c->msgstate == OTRL_MSGSTATE_ENCRYPTED) {
			otrl_message_disconnect(a->us, &a->ops, a, c->accountname, c->protocol,
					c->username, c->their_instance);
		}
	}
	ok(walked == 5, "the walk sees all five (%d)", walked);
	for (c = a->us->context_root; c; c = c->next) {
		ok(c->msgstate == OTRL_MSGSTATE_PLAINTEXT, "all are in plaintext");
	}
	ok(logged(a, "inject") == 4, "four were told");
	pump(crowd.world);
	for (i = 0; i < 3; i++) {
		ok(find(crowd.bob[i], "alice", OTRL_INSTAG_BEST, 0)->msgstate
				== OTRL_MSGSTATE_FINISHED, "each bob is finished");
	}
	ok(find(carol, "alice", OTRL_INSTAG_BEST, 0)->msgstate == OTRL_MSGSTATE_FINISHED,
			"and carol");
	for (c = a->us->context_root; c; c = c->next) {
		otrl_message_disconnect(a->us, &a->ops, a, c->accountname, c->protocol, c->username,
				c->their_instance);
	}
	ok(logged(a, "inject") == 4, "disconnecting in plaintext sends nothing");
	world_free(crowd.world);
}

static void all_instances(void)
{
	Crowd crowd = crowd_new(POLICY_V3);
	Party *a = crowd.alice;
	ConnContext *c;
	int i;

	go_private(a, crowd.bob[0]);
	otrl_message_disconnect(a->us, &a->ops, a, "alice", PROTOCOL, "bob", OTRL_INSTAG_MASTER);
	ok(!crowd.world->first, "disconnecting the master alone sends nothing");
	otrl_message_disconnect_all_instances(a->us, &a->ops, a, "alice", PROTOCOL, "bob");
	pump(crowd.world);
	for (c = a->us->context_root; c; c = c->next) {
		ok(c->msgstate == OTRL_MSGSTATE_PLAINTEXT, "all are in plaintext");
	}
	for (i = 0; i < 3; i++) {
		ok(find(crowd.bob[i], "alice", OTRL_INSTAG_BEST, 0)->msgstate
				== OTRL_MSGSTATE_FINISHED, "each bob is finished");
	}
	otrl_message_disconnect_all_instances(a->us, &a->ops, a, "alice", PROTOCOL, "nobody");
	world_free(crowd.world);
}

static void offline_peer(void)
{
	Pair pair = pair_private(POLICY_V3);

	pair.alice->logged_in = 0;
	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL,
			"bob", OTRL_INSTAG_BEST);
	ok(!pair.world->first && !is_private(pair.alice, "bob"),
			"who is not logged in is not told");
	pair_free(&pair);
	pair = pair_private(POLICY_V3);
	pair.alice->logged_in = -1;
	otrl_message_disconnect(pair.alice->us, &pair.alice->ops, pair.alice, "alice", PROTOCOL,
			"bob", OTRL_INSTAG_BEST);
	ok(!pair.world->first && !is_private(pair.alice, "bob"), "nor who may not be");
	pair_free(&pair);
}

/* ---- forgetting -------------------------------------------------------------- */

static int freed;

static void count_free(void *data)
{
	(void) data;
	freed++;
}

static void app_data(void *data, ConnContext *context)
{
	int *calls = data;

	(*calls)++;
	context->app_data = context;
	context->app_data_free = count_free;
}

static void forgetting(void)
{
	Crowd crowd = crowd_new(POLICY_V3);
	Party *a = crowd.alice;
	ConnContext *master, *c;
	Fingerprint *print;
	int calls = 0;
	unsigned char other[20] = { 1, 2, 3 };

	go_private(a, crowd.bob[0]);
	master = find(a, "bob", OTRL_INSTAG_MASTER, 0);
	ok(otrl_context_forget(master) == 1 && find(a, "bob", OTRL_INSTAG_MASTER, 0) == master,
			"a master with private children stays");
	c = find(a, "bob", tag_of(crowd.bob[0]), 0);
	ok(otrl_context_forget(c) == 1, "a private child stays");
	print = otrl_context_find_fingerprint(c, other, 1, NULL);
	ok(print && print->context == master && print->trust == NULL
			&& otrl_context_find_fingerprint(master, other, 0, NULL) == print,
			"a fingerprint added to a child is the master's");
	otrl_context_forget_fingerprint(print, 1);
	ok(otrl_context_find_fingerprint(master, other, 0, NULL) == NULL
			&& find(a, "bob", OTRL_INSTAG_MASTER, 0) == master, "forgotten, the context stays");
	otrl_context_force_plaintext(c);
	ok(otrl_context_forget(c) == 0 && !find(a, "bob", tag_of(crowd.bob[0]), 0),
			"a plaintext child can be forgotten");
	otrl_message_disconnect_all_instances(a->us, &a->ops, a, "alice", PROTOCOL, "bob");
	ok(otrl_context_forget(master) == 0 && !a->us->context_root,
			"and then the whole family");
	otrl_context_find(a->us, "carol", "alice", PROTOCOL, 0, 1, NULL, app_data, &calls);
	c = otrl_context_find(a->us, "carol", "alice", PROTOCOL, 0x777, 1, NULL, app_data, &calls);
	ok(calls == 2 && c->m_context != c && c->app_data == c && c->m_context->app_data == c->m_context,
			"add_app_data runs for child and master");
	print = otrl_context_find_fingerprint(c, other, 1, NULL);
	otrl_context_forget(c);
	otrl_context_forget_fingerprint(print, 1);
	ok(!a->us->context_root && freed == 2, "the last fingerprint takes the context with it");
	otrl_context_find(a->us, "carol", "alice", PROTOCOL, 0, 1, NULL, app_data, &calls);
	otrl_context_find(a->us, "dave", "alice", PROTOCOL, 0, 1, NULL, app_data, &calls);
	otrl_context_forget_fingerprint(&a->us->context_root->fingerprint_root, 0);
	ok(a->us->context_root && !strcmp(a->us->context_root->username, "carol"),
			"the root fingerprint without and_maybe_context does nothing");
	otrl_context_forget_fingerprint(&a->us->context_root->fingerprint_root, 1);
	ok(!strcmp(a->us->context_root->username, "dave"), "and with it forgets the context");
	otrl_context_forget_all(a->us);
	ok(!a->us->context_root && freed == 4, "forget_all, app_data_free each time");
	world_free(crowd.world);
}

/* The C libotr makes such a child its own master. */
static void child_before_its_master(void)
{
	World *world = world_new();
	Party *a = party_new(world, "alice", NULL);
	ConnContext *c, *master;
	int calls = 0;

	c = otrl_context_find(a->us, "carol", "alice", PROTOCOL, 0x777, 1, NULL, app_data, &calls);
	master = c->m_context;
	ok(calls == 2 && master != c && master->m_context == master
			&& master->their_instance == OTRL_INSTAG_MASTER && master->next == c
			&& a->us->context_root == master, "the master is made with it, and before it");
	ok(c->app_data == c && master->app_data == master, "add_app_data runs for both");
	ok(find(a, "carol", OTRL_INSTAG_MASTER, 0) == master, "and is found");
	world_free(world);
	ok(freed == 2, "both are freed");
}

/* The C libotr frees the active fingerprint of a private master. */
static void not_the_active_one(void)
{
	Pair pair = pair_private(POLICY_V2);
	ConnContext *c = context_with(pair.alice, "bob");

	otrl_context_forget_fingerprint(c->active_fingerprint, 1);
	ok(c->active_fingerprint && c->m_context->fingerprint_root.next == c->active_fingerprint,
			"the active fingerprint of a version 2 session stays");
	ok(pair_talks(&pair), "the session goes on");
	pair_free(&pair);
}

static void forced(void)
{
	Pair pair = pair_private(POLICY_V2);
	ConnContext *c = context_with(pair.alice, "bob");

	otrl_context_force_finished(c);
	ok(c->msgstate == OTRL_MSGSTATE_FINISHED && !c->active_fingerprint && !c->sessionid_len
			&& c->protocol_version == 0, "force_finished");
	otrl_context_force_plaintext(c);
	otrl_context_force_plaintext(c);
	ok(c->msgstate == OTRL_MSGSTATE_PLAINTEXT, "force_plaintext, twice");
	pair_free(&pair);
}

int main(void)
{
	run_case("three bobs", three_bobs);
	run_case("meta tags", meta_tags);
	run_case("trusted is better", trusted_is_better);
	run_better("RECENT of a new context", recent_of_a_new_one);
	run_case("order", order);
	run_case("disconnect in a loop", disconnect_in_a_loop);
	run_case("disconnect all instances", all_instances);
	run_case("an offline peer", offline_peer);
	run_case("forgetting", forgetting);
	run_better("a child before its master", child_before_its_master);
	run_better("not the active fingerprint", not_the_active_one);
	run_case("forced", forced);
	return finish();
}
