/* test: faults
 * A whole conversation in which each allocation, and each draw of randomness, fails once in turn, and then, from each
 * one on, for the rest of the call. After each: no plaintext went out, an encrypted conversation did not become a
 * plain one, nothing crashed, the two get a new session and talk in it, and nothing has leaked in the end.
 * The same for a panic before and after each guarded step, in a library that is built for it. */
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "pair.h"

static int was_encrypted[2], bob_ends;

static void note_states(void)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);

	was_encrypted[0] = a && a->msgstate == OTRL_MSGSTATE_ENCRYPTED;
	was_encrypted[1] = !bob_ends && b && b->msgstate == OTRL_MSGSTATE_ENCRYPTED;
}

static void nobody_became_plain(void)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);

	check(!was_encrypted[0] || (a && a->msgstate != OTRL_MSGSTATE_PLAINTEXT), "alice does not fall back to plaintext");
	check(!was_encrypted[1] || (b && b->msgstate != OTRL_MSGSTATE_PLAINTEXT), "bob does not fall back to plaintext");
	for (Wire *message = wire; message; message = message->next) {
		check(!strstr(message->text, MARK), "no plaintext on the wire");
	}
}

static void smp(const char *ours, const char *theirs)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);
	if (!a || !b) {
		return;
	}
	otrl_message_initiate_smp_q(alice.us, &alice.ops, &alice, a, "which?", (const unsigned char *) ours, strlen(ours));
	settle(20);
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, b, (const unsigned char *) theirs, strlen(theirs));
	settle(20);
}

/* Frees everything: nothing that libotr has asked for is left. */
static void nothing_leaks(const char *step)
{
	pair_free();
	check(faults_live() == 0, "nothing leaks");
	if (faults_live()) {
		printf("   (step %s: %lu blocks)\n", step, faults_live());
		fflush(stdout);
	}
}

/* What a child does after its failure. */
static void after(const char *step, int last)
{
	nobody_became_plain();
	if (last) {
		nothing_leaks(step);
		_exit(failures != 0);
	}
	if (!alice.us || !bob.us) {
		if (!alice.us) {
			party_load(&alice);
		}
		if (!bob.us) {
			party_load(&bob);
		}
	}
	if (getenv("OTR_TRACE")) {
		fprintf(stderr, "STEP %s\n", step);
	}
	/* Until then a query is answered by the exchange that the failure has cut off. */
	time_shim_offset += 10;
	check(works(), "a new session after the failure");
	if (strncmp(step, "smp", 3) == 0) {
		int before = alice.smp_success;
		otrl_message_abort_smp(alice.us, &alice.ops, &alice, context_of(&alice, OTRL_INSTAG_BEST));
		settle(20);
		smp("one secret", "one secret");
		check(alice.smp_success == before + 1, "a new SMP after the failure");
	}
	if (failures) {
		printf("   (step %s)\n", step);
		fflush(stdout);
	}
	nothing_leaks(step);
	_exit(failures != 0);
}

#define STEP(name, body) do { \
	note_states(); \
	faults_arm(1); \
	body; \
	faults_arm(0); \
	if (faults_child()) { \
		after(name, 0); \
	} \
} while (0)

static void deliver_all(const char *name)
{
	while (wire) {
		STEP(name, deliver_one());
	}
}

static void talk(void)
{
	unsigned char key[32];
	ConnContext *a, *b;
	OtrlPolicy before = alice.policy;

	STEP("user state", party_load(&alice));
	STEP("user state", party_load(&bob));
	alice.policy |= OTRL_POLICY_REQUIRE_ENCRYPTION;
	STEP("held back", say(&alice, MARK " held back"));
	deliver_all("exchange");
	check(both_secure() && bob.shown && strcmp(bob.shown, MARK " held back") == 0, "the text that was held back arrived");
	alice.policy = before;
	STEP("data", say(&bob, MARK " 1"));
	deliver_all("data");
	STEP("data", say(&alice, MARK " 2"));
	deliver_all("data");
	STEP("data", say(&bob, MARK " 3"));
	deliver_all("data");
	check(alice.shown && strcmp(alice.shown, MARK " 3") == 0, "texts arrive");
	a = context_of(&alice, OTRL_INSTAG_BEST);
	b = context_of(&bob, OTRL_INSTAG_BEST);
	STEP("key", otrl_message_symkey(alice.us, &alice.ops, &alice, a, 7, (const unsigned char *) "use", 3, key));
	deliver_all("key");
	check(memcmp(key, bob.key, 32) == 0, "both have the extra key");

	STEP("smp 1", otrl_message_initiate_smp_q(alice.us, &alice.ops, &alice, a, "which?", (const unsigned char *) "s", 1));
	deliver_all("smp 1");
	STEP("smp 2", otrl_message_respond_smp(bob.us, &bob.ops, &bob, b, (const unsigned char *) "s", 1));
	deliver_all("smp 2");
	check(alice.smp_success == 1 && bob.smp_success == 1, "the SMP succeeds");

	alice.max_size = 200;
	STEP("fragments", ({
		char *message = NULL;
		otrl_message_sending(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST, MARK " in pieces", NULL,
				&message, OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL);
		free(message);
	}));
	deliver_all("fragments");
	check(bob.shown && strcmp(bob.shown, MARK " in pieces") == 0, "fragments arrive");
	alice.max_size = 0;

	/* A message that cannot be read, the error that comes back, the new exchange, and the text again. */
	STEP("lost", say(&alice, MARK " lost"));
	if (wire) {
		wire->text[strlen(wire->text) - 30] ^= 1;
	}
	deliver_all("lost");

	bob_ends = 1;
	STEP("finish", otrl_message_disconnect(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice", b->their_instance));
	deliver_all("finished");
	bob_ends = 0;
	STEP("finished", say(&alice, MARK " after the end"));
	STEP("files", ({
		char path[512];
		snprintf(path, sizeof path, "%s/fingerprints.%d", getenv("OTR_SCRATCH"), (int) getpid());
		otrl_privkey_write_fingerprints(alice.us, path);
		otrl_privkey_read_fingerprints(bob.us, path, NULL, NULL);
		otrl_instag_write(alice.us, path);
		otrl_instag_read(alice.us, path);
		unlink(path);
	}));
	STEP("again", say(&bob, "?OTRv23?"));
	deliver_all("again");
	check(both_secure(), "a second session");
	was_encrypted[0] = was_encrypted[1] = 0;
	faults_arm(1);
	otrl_context_forget_all(alice.us);
	otrl_userstate_free(alice.us);
	otrl_userstate_free(bob.us);
	alice.us = bob.us = NULL;
	faults_arm(0);
	if (faults_child()) {
		after("end", 1);
	}
}

int main(int count, char **arguments)
{
	struct totals totals;
	static const char *const KINDS[] = { "memory", "randomness", "panic" };
	enum fault what = MEMORY;
	int persistent = count > 2 && strcmp(arguments[2], "lasting") == 0;
	unsigned long stride = count > 3 ? strtoul(arguments[3], NULL, 10) : 1;
	OtrlPolicy policy = OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3 | OTRL_POLICY_ERROR_START_AKE
		| OTRL_POLICY_WHITESPACE_START_AKE;

	for (enum fault kind = MEMORY; count > 1 && kind <= PANIC; kind++) {
		what = strcmp(arguments[1], KINDS[kind]) == 0 ? kind : what;
	}
	OTRL_INIT;
	pair_new(policy);
	alice.error_text = bob.error_text = count > 4 ? atoi(arguments[4]) : 1;
	/* Everything once, so that what the library makes only once has been made. */
	go_secure();
	smp("one secret", "one secret");
	alice.smp_success = bob.smp_success = 0;
	otrl_userstate_free(alice.us);
	otrl_userstate_free(bob.us);
	alice.us = bob.us = NULL;
	faults_plan(what, persistent, stride, (unsigned long) getpid());
	talk();
	faults_totals(&totals);
	check(totals.points > (what == MEMORY ? 1000 : what == PANIC ? 150 : 20), "there were points to fail at");
	failures += totals.bad;
	checks += totals.injected;
	printf("# %s, %s: %lu points, %lu failures injected\n", KINDS[what],
			persistent ? "from here on" : "once", totals.points, totals.injected);
	return finish("fault points");
}
