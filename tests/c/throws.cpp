/* A C++ client whose inject_message (or another callback) throws through the
 * library. On ours: no crash, and usable afterwards. The C libotr is not
 * compiled with unwind tables for that, so the cases are BETTER ones.
 * test: memcheck once */
#include "world.h"

#include <stdexcept>
#include <string>

static const char *where;
static int thrown;
static bool armed;

static void throw_it(Party *, const char *callback, ConnContext *)
{
	if (armed && !strcmp(callback, where)) {
		armed = false;
		thrown++;
		throw std::runtime_error("out of a callback");
	}
}

template <typename Step> static void tried(Step step)
{
	armed = true;
	try {
		step();
	} catch (const std::runtime_error &) {
	}
	armed = false;
}

static void throwing_inject(void *opdata, const char *, const char *, const char *to,
		const char *text)
{
	Party *self = (Party *) opdata;

	wire_text(self, to, text);
	throw_it(self, "inject", NULL);
}

static void throwing_event(void *opdata, OtrlMessageEvent, ConnContext *c, const char *,
		gcry_error_t)
{
	throw_it((Party *) opdata, "event", c);
}

static void throwing_secure(void *opdata, ConnContext *c)
{
	throw_it((Party *) opdata, "gone_secure", c);
}

static void throwing(void)
{
	Pair pair = pair_new(POLICY_V23);
	Party *parties[2] = { pair.alice, pair.bob };

	for (Party *p : parties) {
		p->ops.inject_message = throwing_inject;
		p->ops.handle_msg_event = throwing_event;
		p->ops.gone_secure = throwing_secure;
	}
	tried([&] { send_text(pair.alice, "bob", "?OTR?"); });
	for (int i = 0; i < 8; i++) {
		tried([&] {
			char *text = intercept(pair.world);
			if (text) {
				/* Whoever it is for: the other one refuses it. */
				std::string copy(text);
				free(text);
				receive(i % 2 ? pair.alice : pair.bob, i % 2 ? "bob" : "alice", copy.c_str());
			}
		});
	}
	tried([&] { send_text(pair.alice, "bob", "text"); });
	tried([&] { receive(pair.alice, "bob", "?OTR Error: x"); });
	tried([&] { receive(pair.alice, "bob", "?OTR:AAIDjunk."); });
	tried([&] { receive(pair.alice, "bob", "?OTR nonsense"); });
	tried([&] {
		otrl_message_disconnect_all_instances(pair.alice->us, &pair.alice->ops, pair.alice,
				"alice", PROTOCOL, "bob");
	});
	ok(thrown > 0, "thrown %d times out of %s", thrown, where);
	otrl_message_disconnect_all_instances(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob");
	otrl_message_disconnect_all_instances(pair.bob->us, &pair.bob->ops, pair.bob, "bob",
			PROTOCOL, "alice");
	pump(pair.world);
	go_private(pair.alice, pair.bob);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice") && pair_talks(&pair),
			"usable after throws out of %s", where);
	pair_free(&pair);
}

/* The headers by themselves, as a C++ program includes them. */
static void plain_use(void)
{
	Pair pair = pair_private(POLICY_V3);

	ok(is_private(pair.alice, "bob") && pair_talks(&pair), "a session from C++");
	pair_free(&pair);
}

int main()
{
	static const char *const places[] = { "inject", "event", "gone_secure" };

	run_case("plain use", plain_use);
	for (const char *place : places) {
		where = place;
		run_better(place, throwing);
	}
	return finish();
}
