/* What depends on the time: heartbeats, the expiry of an unanswered DH-commit,
 * the timer, how long a text waits to be sent again.   test: time */
#include "world.h"

extern long time_shim_offset;

static void heartbeats(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	size_t v;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);
		Party *b = pair.bob;

		pair_talks(&pair);
		forget_log(b);
		time_shim_offset += 55;
		send_text(pair.alice, "bob", "early");
		pump(pair.world);
		ok(logged(b, "event 11 ") == 0 && logged(b, "inject") == 0,
				"no heartbeat after 55 seconds");
		time_shim_offset += 10;
		send_text(pair.alice, "bob", "late");
		pump(pair.world);
		ok(logged(b, "event 11 ") == 1 && logged(b, "inject") == 1, "one after 65");
		ok(logged(pair.alice, "event 10 ") >= 1, "which alice gets as an event");
		ok(!strcmp(last_shown(b), "late"), "the text is shown");
		send_text(pair.alice, "bob", "again");
		pump(pair.world);
		ok(logged(b, "event 11 ") == 1, "and no second one at once");
		time_shim_offset += 100;
		send_text(pair.alice, "bob", "");
		pump(pair.world);
		ok(logged(b, "event 11 ") == 1, "a heartbeat is not answered with one");
		ok(pair_talks(&pair), "the session goes on");
		pair_free(&pair);
	}
}

static void expiry(void)
{
	Pair pair = pair_new(POLICY_V3);
	Party *a = pair.alice;
	ConnContext *c;

	receive(a, "bob", "?OTRv3?");
	c = otrl_context_find(a->us, "bob", "alice", PROTOCOL, OTRL_INSTAG_MASTER, 0, NULL, NULL,
			NULL);
	ok(c->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY, "the commit waits");
	ok(logged(a, "timer_control 70") == 1, "and the timer is started");
	otrl_message_poll(a->us, &a->ops, a);
	ok(c->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY
			&& logged(a, "timer_control 0") == 0, "a poll at once changes nothing");
	time_shim_offset += 58;
	otrl_message_poll(a->us, &a->ops, a);
	ok(c->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY, "nor one after 58 seconds");
	time_shim_offset += 5;
	otrl_message_poll(a->us, NULL, NULL);
	ok(c->auth.authstate == OTRL_AUTHSTATE_NONE, "after 63 it is gone, even without ops");
	otrl_message_poll(a->us, &a->ops, a);
	ok(logged(a, "timer_control 0") == 1, "and the timer is stopped");
	go_private(a, pair.bob);
	ok(is_private(a, "bob") && pair_talks(&pair), "a session later");
	pair_free(&pair);

	pair = pair_new(POLICY_V2);
	receive(pair.alice, "bob", "?OTRv2?");
	time_shim_offset += 100;
	otrl_message_poll(pair.alice->us, &pair.alice->ops, pair.alice);
	ok(context_with(pair.alice, "bob")->auth.authstate == OTRL_AUTHSTATE_AWAITING_DHKEY,
			"version 2 commits do not expire");
	pair_free(&pair);
}

static void timer_polls(void)
{
	Pair pair = pair_private(POLICY_V3);
	int i;

	for (i = 0; i < 5; i++) {
		time_shim_offset += 70;
		otrl_message_poll(pair.alice->us, &pair.alice->ops, pair.alice);
		otrl_message_poll(pair.bob->us, &pair.bob->ops, pair.bob);
	}
	ok(is_private(pair.alice, "bob") && pair_talks(&pair), "polls do not end a session");
	ok(logged(pair.bob, "timer_control 70") <= 1, "one timer at most");
	pair_free(&pair);
}

/* A text that waits for a session still goes out some time later. */
static void waiting(void)
{
	Pair pair = pair_new(POLICY_V2 | OTRL_POLICY_REQUIRE_ENCRYPTION);

	send_text(pair.alice, "bob", "patience");
	time_shim_offset += 50;
	pump(pair.world);
	ok(is_private(pair.alice, "bob"), "private");
	ok(!strcmp(last_shown(pair.bob), "patience"), "after 50 seconds: '%s'",
			last_shown(pair.bob));
	pair_free(&pair);
}

static void clock_goes_back(void)
{
	Pair pair = pair_private(POLICY_V3);

	pair_talks(&pair);
	time_shim_offset -= 100000;
	ok(pair_talks(&pair), "a day in the past");
	otrl_message_poll(pair.alice->us, &pair.alice->ops, pair.alice);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && pair_talks(&pair), "and a refresh there");
	pair_free(&pair);
}

int main(void)
{
	run_case("heartbeats", heartbeats);
	run_case("expiry", expiry);
	run_case("polling", timer_polls);
	run_case("waiting texts", waiting);
	run_case("a clock that goes back", clock_goes_back);
	return finish();
}
