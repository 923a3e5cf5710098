/* test: plain
 *
 * How much stack the library needs, compared with libotr, and that it touches nothing below: clients run it in threads and
 * coroutines with small stacks, some of them without a guard page. */
#include "world.h"

#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <ucontext.h>
#else
#include <pthread.h>
#endif

#define LARGE (1 << 20)
#define SMALL (24 << 10)
#define CANARY (64 << 10)
#define PAINT 0xa5
#define PAINTED (128 << 10)

/* ---- stacks of our own ------------------------------------------------- */

static unsigned char *stack;
static bool measuring;

static void fill(unsigned char *from, size_t length)
{
	volatile unsigned char *at = from;

	while (length--) {
		*at++ = PAINT;
	}
}

static size_t untouched(const unsigned char *from, size_t length)
{
	size_t count = 0;

	while (count < length && from[count] == PAINT) {
		count++;
	}
	return count;
}

/* Runs something on a stack: a coroutine's, or a thread's where the system has no coroutines (musl). */
#ifdef __GLIBC__
static void run_on(unsigned char *memory, size_t size, void (*body)(void))
{
	static ucontext_t here, there;

	stack = memory;
	getcontext(&there);
	there.uc_stack.ss_sp = memory;
	there.uc_stack.ss_size = size;
	there.uc_link = &here;
	makecontext(&there, body, 0);
	swapcontext(&here, &there);
}
#else
static void *in_thread(void *body)
{
	(*(void (**)(void)) body)();
	return NULL;
}

static void run_on(unsigned char *memory, size_t size, void (*body)(void))
{
	pthread_attr_t attributes;
	pthread_t thread;

	stack = memory;
	pthread_attr_init(&attributes);
	ok(!pthread_attr_setstack(&attributes, memory, size) && !pthread_create(&thread, &attributes, in_thread, &body)
			&& !pthread_join(thread, NULL), "a thread runs on a stack of %zu bytes", size);
}
#endif

/* ---- what each call needs ---------------------------------------------- */

/* In bytes; `libotr` is what libotr 4.1.1 of Debian 13 needs on x86-64. */
struct need {
	const char *what;
	size_t libotr, here;
};

static struct need needs[] = {
	{"key generation", 2784, 0},
	{"key generation in steps: start", 256, 0},
	{"key generation in steps: calculation", 2344, 0},
	{"key generation in steps: end", 2720, 0},
	{"an instance tag", 1928, 0},
	{"reading keys", 1216, 0},
	{"reading fingerprints", 1992, 0},
	{"writing fingerprints", 2360, 0},
	{"reading instance tags", 3648, 0},
	{"a key's fingerprint", 2240, 0},
	{"sending a query", 2344, 0},
	{"receiving a query", 1672, 0},
	{"receiving a DH-commit", 1704, 0},
	{"receiving a DH-key", 2520, 0},
	{"receiving a reveal-signature", 2456, 0},
	{"receiving a signature", 2168, 0},
	{"sending a text", 768, 0},
	{"receiving a text", 1768, 0},
	{"sending a text in pieces", 2768, 0},
	{"receiving a piece", 2896, 0},
	{"the extra key", 656, 0},
	{"receiving the extra key", 1768, 0},
	{"beginning an SMP", 1656, 0},
	{"receiving a message of the SMP", 1848, 0},
	{"answering an SMP", 1672, 0},
	{"aborting an SMP", 560, 0},
	{"disconnecting", 624, 0},
	{"receiving a goodbye", 1768, 0},
	{"ending a session", 300, 0},
	{"polling", 168, 0},
	{"forgetting contexts and keys", 392, 0},
	{"freeing a user state", 296, 0},
};

#define NEEDS (sizeof needs / sizeof *needs)
#define MORE_THAN_LIBOTR (4 << 10)
#define WITHOUT_GLIBC (16 << 10)

__attribute__((noinline)) static void paint(void)
{
	unsigned char *top = (unsigned char *) __builtin_frame_address(0) - 64;

	if (measuring) {
		fill(top - PAINTED, PAINTED);
	}
}

static void note(const char *what, const void *frame)
{
	const unsigned char *top = frame, *bottom = top - PAINTED + 1024;
	size_t need;

	if (!measuring) {
		return;
	}
	need = (size_t) (top - bottom) - untouched(bottom, PAINTED - 1024);
	for (size_t i = 0; i < NEEDS; i++) {
		if (!strcmp(needs[i].what, what)) {
			if (need > needs[i].here) {
				needs[i].here = need;
			}
			return;
		}
	}
	ok(0, "%s is in the table (%zu)", what, need);
}

#define MEASURE(what, call) \
	do { \
		paint(); \
		call; \
		note(what, __builtin_frame_address(0)); \
	} while (0)

/* ---- two clients whose callbacks need hardly any stack ------------------ */

typedef struct side {
	const char *name;
	struct side *peer;
	OtrlUserState us;
	OtrlPolicy policy;
	int mms, secure, smp_done;
	unsigned shown;
} Side;

static Side alice = {.name = "alice", .peer = NULL}, bob = {.name = "bob", .peer = NULL};

#define ROOM 400

static struct {
	Side *from;
	char *text;
} queue[ROOM];
static size_t first, last;

static OtrlPolicy on_policy(void *self, ConnContext *context)
{
	(void) context;
	return ((Side *) self)->policy;
}

static int on_logged_in(void *self, const char *account, const char *protocol, const char *recipient)
{
	(void) self, (void) account, (void) protocol, (void) recipient;
	return 1;
}

static void on_inject(void *self, const char *account, const char *protocol, const char *recipient, const char *text)
{
	(void) account, (void) protocol, (void) recipient;
	queue[last % ROOM].from = self;
	queue[last++ % ROOM].text = strdup(text);
}

static void on_secure(void *self, ConnContext *context)
{
	(void) context;
	((Side *) self)->secure = 1;
}

static void on_insecure(void *self, ConnContext *context)
{
	(void) context;
	((Side *) self)->secure = 0;
}

static int on_size(void *self, ConnContext *context)
{
	(void) context;
	return ((Side *) self)->mms;
}

static void on_smp(void *self, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
	(void) context, (void) percent, (void) question;
	((Side *) self)->smp_done += event == OTRL_SMPEVENT_SUCCESS;
}

static OtrlMessageAppOps ops = {
	.policy = on_policy,
	.is_logged_in = on_logged_in,
	.inject_message = on_inject,
	.gone_secure = on_secure,
	.gone_insecure = on_insecure,
	.max_message_size = on_size,
	.handle_smp_event = on_smp,
};

static ConnContext *context_of(Side *self)
{
	return otrl_context_find(self->us, self->peer->name, self->name, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

static const char *kind_of(const char *text, const char *data)
{
	switch (otrl_proto_message_type(text)) {
	case OTRL_MSGTYPE_QUERY:
		return "receiving a query";
	case OTRL_MSGTYPE_DH_COMMIT:
		return "receiving a DH-commit";
	case OTRL_MSGTYPE_DH_KEY:
		return "receiving a DH-key";
	case OTRL_MSGTYPE_REVEALSIG:
		return "receiving a reveal-signature";
	case OTRL_MSGTYPE_SIGNATURE:
		return "receiving a signature";
	default:
		return data;
	}
}

/* Delivers all that is on its way; `data` is what data messages are. */
static void deliver(const char *data)
{
	while (first != last) {
		Side *from = queue[first % ROOM].from, *to = from->peer;
		char *text = queue[first++ % ROOM].text, *shown = NULL;
		const char *what = kind_of(text, data);
		OtrlTLV *tlvs = NULL;

		MEASURE(what, otrl_message_receiving(to->us, &ops, to, to->name, PROTOCOL, from->name, text, &shown,
				&tlvs, NULL, NULL, NULL));
		to->shown += shown != NULL;
		otrl_tlv_free(tlvs);
		otrl_message_free(shown);
		free(text);
	}
}

static void say(Side *from, const char *text, const char *sending, const char *receiving)
{
	unsigned before = from->peer->shown;
	char *message = NULL;

	MEASURE(sending, otrl_message_sending(from->us, &ops, from, from->name, PROTOCOL, from->peer->name, OTRL_INSTAG_BEST,
			text, NULL, &message, OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL));
	otrl_message_free(message);
	deliver(receiving);
	if (strcmp(sending, "sending a query") && from->peer->shown != before + 1) {
		ok(0, "%s arrives", sending);
	}
}

/* ---- what is measured ---------------------------------------------------- */

static void files(Side *self)
{
	static char path[4][512];
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
	void *key = NULL;

	snprintf(path[0], sizeof path[0], "%s", scratch("keys"));
	snprintf(path[1], sizeof path[1], "%s", scratch("tags"));
	snprintf(path[2], sizeof path[2], "%s", scratch("prints"));
	snprintf(path[3], sizeof path[3], "%s", scratch("more-keys"));
	MEASURE("key generation", otrl_privkey_generate(self->us, path[0], self->name, PROTOCOL));
	MEASURE("key generation in steps: start", otrl_privkey_generate_start(self->us, "carol", PROTOCOL, &key));
	MEASURE("key generation in steps: calculation", otrl_privkey_generate_calculate(key));
	MEASURE("key generation in steps: end", otrl_privkey_generate_finish(self->us, key, path[3]));
	otrl_privkey_forget_all(self->us);
	MEASURE("reading keys", otrl_privkey_read(self->us, path[0]));
	MEASURE("an instance tag", otrl_instag_generate(self->us, path[1], self->name, PROTOCOL));
	MEASURE("reading instance tags", otrl_instag_read(self->us, path[1]));
	MEASURE("writing fingerprints", otrl_privkey_write_fingerprints(self->us, path[2]));
	MEASURE("reading fingerprints", otrl_privkey_read_fingerprints(self->us, path[2], NULL, NULL));
	MEASURE("a key's fingerprint", otrl_privkey_fingerprint(self->us, human, self->name, PROTOCOL));
}

static void write_prints(Side *self)
{
	static char path[512];

	snprintf(path, sizeof path, "%s", scratch("prints"));
	MEASURE("writing fingerprints", otrl_privkey_write_fingerprints(self->us, path));
	MEASURE("reading fingerprints", otrl_privkey_read_fingerprints(self->us, path, NULL, NULL));
}

static void smp(Side *asker, const char *question)
{
	static const unsigned char secret[] = "the secret of both";
	ConnContext *asked = context_of(asker->peer), *asking = context_of(asker);
	const char *receiving = "receiving a message of the SMP";

	if (question) {
		MEASURE("beginning an SMP", otrl_message_initiate_smp_q(asker->us, &ops, asker, asking, question, secret, 18));
	} else {
		MEASURE("beginning an SMP", otrl_message_initiate_smp(asker->us, &ops, asker, asking, secret, 18));
	}
	deliver(receiving);
	MEASURE("answering an SMP", otrl_message_respond_smp(asker->peer->us, &ops, asker->peer, asked, secret, 18));
	deliver(receiving);
	MEASURE("beginning an SMP", otrl_message_initiate_smp(asker->us, &ops, asker, asking, secret, 18));
	deliver(receiving);
	MEASURE("aborting an SMP", otrl_message_abort_smp(asker->us, &ops, asker, asking));
	deliver(receiving);
}

static void goodbye(Side *self)
{
	MEASURE("disconnecting", otrl_message_disconnect(self->us, &ops, self, self->name, PROTOCOL, self->peer->name,
			context_of(self)->their_instance));
	deliver("receiving a goodbye");
	if (context_of(self->peer)->msgstate != OTRL_MSGSTATE_FINISHED) {
		ok(0, "the goodbye arrives");
	}
	MEASURE("ending a session", otrl_context_force_plaintext(context_of(self->peer)));
}

static void conversation(OtrlPolicy policy)
{
	static char text[2000];
	unsigned char key[32];

	alice.policy = bob.policy = policy;
	alice.secure = bob.secure = 0;
	say(&alice, "?OTR?", "sending a query", "");
	if (!alice.secure || !bob.secure) {
		ok(0, "a session begins");
		return;
	}
	for (int i = 0; i < 4; i++) {
		say(&alice, "a text", "sending a text", "receiving a text");
		say(&bob, "another text", "sending a text", "receiving a text");
	}
	memset(text, 'x', sizeof text - 1);
	alice.mms = bob.mms = 200;
	say(&alice, text, "sending a text in pieces", "receiving a piece");
	say(&bob, text, "sending a text in pieces", "receiving a piece");
	alice.mms = bob.mms = 0;
	if (context_of(&alice)->protocol_version == 3) {
		MEASURE("the extra key", otrl_message_symkey(alice.us, &ops, &alice, context_of(&alice), 1, NULL, 0, key));
		deliver("receiving the extra key");
	}
	smp(&alice, NULL);
	smp(&bob, "a question");
	write_prints(&alice);
	MEASURE("polling", otrl_message_poll(alice.us, &ops, &alice));
	goodbye(&alice);
}

static void everything(void)
{
	alice.peer = &bob;
	bob.peer = &alice;
	alice.us = otrl_userstate_create();
	bob.us = otrl_userstate_create();
	files(&alice);
	files(&bob);
	conversation(POLICY_V3);
	conversation(POLICY_V2);
	if (alice.smp_done != 4 || bob.smp_done != 4) {
		ok(0, "all SMPs succeed (%d and %d)", alice.smp_done, bob.smp_done);
	}
	/* A session that ends by being forgotten, and one that ends with its user state. */
	say(&alice, "?OTR?", "sending a query", "");
	MEASURE("ending a session", otrl_context_force_finished(context_of(&bob)));
	MEASURE("ending a session", otrl_context_force_plaintext(context_of(&bob)));
	MEASURE("forgetting contexts and keys", otrl_context_forget_all(alice.us));
	MEASURE("forgetting contexts and keys", otrl_privkey_forget_all(alice.us));
	MEASURE("freeing a user state", otrl_userstate_free(alice.us));
	MEASURE("freeing a user state", otrl_userstate_free(bob.us));
	alice.smp_done = bob.smp_done = 0;
}

static void each_call_needs_little(void)
{
	unsigned char *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	OTRL_INIT;
	measuring = true;
	run_on(memory, LARGE, everything);
	for (size_t i = 0; i < NEEDS; i++) {
		const struct need *need = &needs[i];

		printf("# | %s | %zu | %zu |\n", need->what, need->here, need->libotr);
		ok(need->here > 0, "%s was measured", need->what);
		if (testing_ours()) {
#ifdef __GLIBC__
			ok(need->here <= need->libotr + MORE_THAN_LIBOTR, "%s needs %zu bytes of stack, libotr %zu", need->what,
					need->here, need->libotr);
#else
			/* Threads of musl have 128 KiB, unless they ask for more. */
			ok(need->here <= WITHOUT_GLIBC, "%s needs %zu bytes of stack", need->what, need->here);
#endif
		} else {
			ok(need->here + 512 > need->libotr, "%s needs %zu bytes of stack, not less than the table says, %zu", need->what,
					need->here, need->libotr);
		}
	}
	munmap(memory, LARGE);
}

/* The same on a small stack that malloc gave. What lies on both sides of it belongs to others. */
static void nothing_below_is_touched(void)
{
	unsigned char *memory = malloc(CANARY + SMALL + CANARY);

	OTRL_INIT;
	fill(memory, CANARY + SMALL + CANARY);
	measuring = false;
	run_on(memory + CANARY, SMALL, everything);
	ok(untouched(memory, CANARY) == CANARY, "what lies below a stack of 24 KiB is not touched");
	ok(untouched(memory + CANARY + SMALL, CANARY) == CANARY, "nor what lies above it");
	printf("# of 24 KiB, %zu bytes were not used\n", untouched(memory + CANARY, SMALL));
	free(memory);
}

int main(int argc, char **argv)
{
	/* What the loader needs to look up a function at its first call is not the library's. */
	if (argc == 1 && !getenv("LD_BIND_NOW")) {
		setenv("LD_BIND_NOW", "1", 1);
		execv("/proc/self/exe", argv);
	}
	run_case("each call needs little stack", each_call_needs_little);
	run_case("nothing below a small stack is touched", nothing_below_is_touched);
	return finish();
}
