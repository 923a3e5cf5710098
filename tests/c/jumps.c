/* Perl, Ruby and R leave our callbacks with longjmp. Then the library must not
 * crash, and must be usable afterwards.   test: memcheck once */
#include "world.h"

#include <setjmp.h>

static const char *const places[] = { "policy", "create_privkey", "is_logged_in", "inject",
	"update_context_list", "new_fingerprint", "write_fingerprints", "gone_secure",
	"still_secure", "max_message_size", "received_symkey", "otr_error_message", "smp", "event",
	"create_instag", "convert_msg", "timer_control", "add_app_data" };

static jmp_buf back;
static const char *where;
static volatile int jumps, armed;

static void jump(Party *self, const char *callback, ConnContext *context)
{
	(void) self;
	(void) context;
	if (armed && !strcmp(callback, where)) {
		armed = 0;
		jumps++;
		longjmp(back, 1);
	}
}

static Pair pair;

/* Each step may be left in the middle; the next one starts regardless. */
static void step(int number)
{
	unsigned char key[32];
	Party *a = pair.alice, *b = pair.bob;
	ConnContext *c = context_with(a, "bob");

	switch (number) {
	case 0:
		send_text(a, "bob", "?OTR?");
		break;
	case 1: case 2: case 3: case 4: case 5: case 6:
		pump(pair.world);
		break;
	case 7:
		send_text(a, "bob", "text");
		break;
	case 8:
		pump(pair.world);
		break;
	case 9:
		if (c) {
			otrl_message_initiate_smp(a->us, &a->ops, a, c, (const unsigned char *) "s", 1);
		}
		break;
	case 10:
		pump(pair.world);
		break;
	case 11:
		if (c) {
			otrl_message_symkey(a->us, &a->ops, a, c, 1, NULL, 0, key);
		}
		break;
	case 12:
		pump(pair.world);
		break;
	case 13:
		receive(a, "bob", "?OTR Error: x");
		break;
	case 14:
		receive(a, "bob", "?OTR:AAMDjunk.");
		break;
	case 15:
		go_private(b, a);
		break;
	case 16:
		otrl_message_disconnect_all_instances(a->us, &a->ops, a, "alice", PROTOCOL, "bob");
		break;
	case 17:
		otrl_message_poll(a->us, &a->ops, a);
		break;
	default:
		pump(pair.world);
		break;
	}
}

static void jumping(void)
{
	volatile int number;

	pair = pair_new(POLICY_V23);
	if (!strcmp(where, "create_privkey")) {
		otrl_privkey_forget_all(pair.alice->us);
	}
	pair.alice->hook = pair.bob->hook = jump;
	for (number = 0; number < 20; number++) {
		if (setjmp(back) == 0) {
			armed = 1;
			step(number);
		}
		armed = 0;
	}
	ok(jumps > 0 || !strcmp(where, "still_secure") || !strcmp(where, "max_message_size")
			|| !strcmp(where, "timer_control"), "left %d times by %s", jumps, where);
	pair.alice->hook = pair.bob->hook = NULL;
	otrl_privkey_read(pair.alice->us, keys_all());
	otrl_message_disconnect_all_instances(pair.alice->us, &pair.alice->ops, pair.alice, "alice",
			PROTOCOL, "bob");
	otrl_message_disconnect_all_instances(pair.bob->us, &pair.bob->ops, pair.bob, "bob",
			PROTOCOL, "alice");
	pump(pair.world);
	go_private(pair.alice, pair.bob);
	go_private(pair.alice, pair.bob);
	ok(is_private(pair.alice, "bob") && is_private(pair.bob, "alice") && pair_talks(&pair),
			"usable after jumps out of %s", where);
	pair_free(&pair);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof places / sizeof places[0]; i++) {
		where = places[i];
		/* The C libotr leaves a context half made behind a jump out of add_app_data. */
		(strcmp(where, "add_app_data") ? run_case : run_better)(where, jumping);
	}
	return finish();
}
