/* Memory of a client that runs for weeks: nothing grows with the number of messages, strangers or forgotten contexts.
 * test: plain */
#include "world.h"

#include <malloc.h>
#include <unistd.h>

#include <libotr/b64.h>

enum {
	MESSAGES = 20000,
	TURNS = 1000,
	STRANGERS = 5000,
	CONTEXTS = 20000,
	SESSIONS = 600,
	COMPARISONS = 60,
	/* What the allocator's own bookkeeping and the length of a message may differ by. */
	SLACK = 12 << 10
};

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void forget_logs(Pair *pair)
{
	forget_log(pair->alice);
	forget_log(pair->bob);
	lines_clear(&pair->alice->shown);
	lines_clear(&pair->bob->shown);
}

static void did_not_grow(size_t before, const char *what)
{
	size_t after = heap();

	BETTER(after <= before + SLACK, "%s: %zu bytes before and %zu after", what, before, after);
}

/* Does something many times; what is there after half of them is all that there ever is. (A DH-commit may open 256 sessions,
 * which are recorded as long as it waits.) */
static void many_times(Pair *pair, int count, const char *what, void (*once)(Pair *pair, int round))
{
	size_t before = 0;
	int i;

	for (i = 0; i < count; i++) {
		if (i == count / 2) {
			forget_logs(pair);
			before = heap();
		}
		once(pair, i);
		if (i % 16 == 0) {
			forget_logs(pair);
		}
	}
	forget_logs(pair);
	did_not_grow(before, what);
	ok(pair_talks(pair), "%s, and they still talk", what);
}

static void one_way(Pair *pair, int round)
{
	(void) round;
	send_text(pair->alice, "bob", "one of very many messages, always to the same");
	pump(pair->world);
}

static void by_turns(Pair *pair, int round)
{
	if (round % 2) {
		send_text(pair->bob, "alice", "one of very many messages, by turns");
	} else {
		send_text(pair->alice, "bob", "one of very many messages, by turns");
	}
	pump(pair->world);
}

static void refreshed(Pair *pair, int round)
{
	(void) round;
	go_private(pair->alice, pair->bob);
	by_turns(pair, round);
}

static void compared(Pair *pair, int round)
{
	ConnContext *ours = context_with(pair->alice, "bob"), *theirs = context_with(pair->bob, "alice");

	(void) round;
	otrl_message_initiate_smp_q(pair->alice->us, &pair->alice->ops, pair->alice, ours, "who?",
			(const unsigned char *) "me", 2);
	pump(pair->world);
	otrl_message_respond_smp(pair->bob->us, &pair->bob->ops, pair->bob, theirs, (const unsigned char *) "me", 2);
	pump(pair->world);
}

static void messages(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, MESSAGES, "messages one way", one_way);
	pair_free(&pair);
}

static void turns(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, TURNS, "messages by turns", by_turns);
	pair_free(&pair);
}

static void sessions(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, SESSIONS, "refreshed sessions", refreshed);
	pair_free(&pair);
}

static void comparisons(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, COMPARISONS, "comparisons of secrets", compared);
	pair_free(&pair);
}

/* A data message of version 3 from a client that nobody knows. */
static void from_a_stranger(Pair *pair, int round)
{
	unsigned char bytes[64] = { 0, 3, 3, 0, 0 };
	ConnContext *ours = context_with(pair->alice, "bob");
	otrl_instag_t to = ours ? ours->our_instance : 0;
	unsigned tag = 0x10000 + (unsigned) round;
	char *message;
	int i;

	for (i = 0; i < 4; i++) {
		bytes[3 + i] = (unsigned char) (tag >> (24 - 8 * i));
		bytes[7 + i] = (unsigned char) (to >> (24 - 8 * i));
	}
	message = otrl_base64_otr_encode(bytes, sizeof bytes);
	receive(pair->alice, "bob", message);
	free(message);
	free(intercept(pair->world));
}

static int contexts_of(Party *self)
{
	ConnContext *context;
	int count = 0;

	for (context = self->us->context_root; context; context = context->next) {
		count++;
	}
	return count;
}

static void strangers(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, STRANGERS, "made-up instances", from_a_stranger);
	BETTER(contexts_of(pair.alice) <= 256, "made-up instances: %d contexts", contexts_of(pair.alice));
	pair_free(&pair);
}

static void found_and_forgotten(Pair *pair, int round)
{
	ConnContext *context;
	char name[40];
	int added;

	snprintf(name, sizeof name, "passer-by %d", round);
	context = otrl_context_find(pair->alice->us, name, "alice", PROTOCOL, OTRL_INSTAG_MASTER, 1, &added, NULL, NULL);
	if (!context || !added || otrl_context_forget(context)) {
		ok(0, "%s cannot be found or forgotten", name);
	}
}

static void contexts(void)
{
	Pair pair = pair_private(POLICY_V3);

	many_times(&pair, CONTEXTS, "contexts found and forgotten", found_and_forgotten);
	pair_free(&pair);
}

int main(int argc, char **argv)
{
	/* What the allocator keeps for the thread counts as in use, and is more or less by chance. */
	if (argc == 1 && !getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
		execv("/proc/self/exe", argv);
	}
	OTRL_INIT;
	run_case("messages", messages);
	run_case("turns", turns);
	run_case("sessions", sessions);
	run_case("comparisons", comparisons);
	run_case("contexts", contexts);
	run_better("strangers", strangers);
	return finish();
}
