/* Searches the whole memory of the process for secrets: while they are in use, when they must be found (or this
 * would prove nothing), and after they should have been wiped. The secrets are everything that is drawn at random
 * (the exponents of DH and of the SMP, the seeds of DSA nonces), everything derived from two DH exponents (shared
 * secrets, the keys of exchanges and sessions: derived.py), the private keys, the secret of the SMP, the extra key and the
 * last text. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "draws.h"
#include "memory.h"
#include "pair.h"

/* The secrets that the program itself knows, masked. */
static unsigned char plaintext[PIECE], smp_secret[PIECE], compared[PIECE], extra_key[PIECE], keys[2][PIECE];

static void unmask(char *to, const unsigned char *masked)
{
	for (int i = 0; i < PIECE; i++) {
		to[i] = (char) (masked[i] ^ MASK);
	}
	to[PIECE] = 0;
}

static void wipe(void *data, size_t length)
{
	volatile unsigned char *bytes = data;

	while (length--) {
		*bytes++ = 0;
	}
}

static void invent(unsigned char *masked, unsigned seed)
{
	for (int i = 0; i < PIECE; i++) {
		seed = seed * 1103515245u + 12345u;
		masked[i] = (unsigned char) ('a' + (seed >> 16) % 26) ^ MASK;
	}
}

/* The private numbers in the key file: "(x #...#)". */
static void read_keys(void)
{
	char text[8192], *at = text;
	int file = open(keys_file(), O_RDONLY), which;
	ssize_t length = read(file, text, sizeof text - 1);

	close(file);
	text[length > 0 ? length : 0] = 0;
	for (which = 0; which < 2 && (at = strstr(at, "(x #")) != NULL; which++, at++) {
		const char *digits = at + 4;

		digits += strncmp(digits, "00", 2) == 0 ? 2 : 0;
		for (int i = 0; i < PIECE; i++) {
			unsigned byte;

			sscanf(digits + 2 * (i + 1), "%2x", &byte);
			keys[which][i] = (unsigned char) byte ^ MASK;
		}
	}
	check(which == 2, "the key file has two keys");
	wipe(text, sizeof text);
}

static void tell(Party *from, Party *to)
{
	char text[PIECE + 1];

	unmask(text, plaintext);
	say(from, text);
	settle(20);
	check(to->shown && !strcmp(to->shown, text), "the text arrives");
	wipe(text, sizeof text);
	/* The client's own copies. */
	if (to->shown) {
		wipe(to->shown, strlen(to->shown));
	}
}

static struct needle needles[20000];
static int needle_count;

static struct needle *add(const unsigned char *masked, const char *what)
{
	struct needle *needle = &needles[needle_count];

	if (needle_count + 1 < (int) (sizeof needles / sizeof *needles)) {
		needle_count++;
	}
	memcpy(needle->masked, masked, PIECE);
	snprintf(needle->what, sizeof needle->what, "%s", what);
	return needle;
}

/* What follows from each two of the DH exponents drawn from this one on, by derived.py. `number` counts DH exponents. */
static void add_derived(int from, int to)
{
	int to_python[2], from_python[2], how_many, number = 0, i, j;
	struct draw *all = draws(&how_many);
	FILE *answer, *question;
	char digits[2 * PIECE + 1], name[20], what[60];

	if (pipe(to_python) || pipe(from_python)) {
		abort();
	}
	if (fork() == 0) {
		dup2(to_python[0], 0);
		dup2(from_python[1], 1);
		close(to_python[1]);
		close(from_python[0]);
		unsetenv("LD_PRELOAD");
		execlp("python3", "python3", getenv("OTR_DERIVED"), (char *) NULL);
		_exit(127);
	}
	close(to_python[0]);
	close(from_python[1]);
	question = fdopen(to_python[1], "w");
	for (int draw = 0; draw < how_many; draw++) {
		if (all[draw].length != EXPONENT || number++ < from || number > to) {
			continue;
		}
		for (int k = 0; k < EXPONENT; k++) {
			fprintf(question, "%02x", all[draw].exponent[k]);
		}
		fputc('\n', question);
	}
	fclose(question);
	answer = fdopen(from_python[0], "r");
	while (fscanf(answer, "%d %d %32s %19[^\n]", &i, &j, digits, name) == 4) {
		unsigned char masked[PIECE];

		for (int k = 0; k < PIECE; k++) {
			unsigned byte;

			sscanf(digits + 2 * k, "%2x", &byte);
			masked[k] = (unsigned char) byte;
		}
		snprintf(what, sizeof what, "the %s of DH exponents %d and %d", name, from + i, from + j);
		add(masked, what);
	}
	fclose(answer);
	wait(NULL);
}

/* The number that the SMP compares: a hash of the secret, of both fingerprints and of the session, by derived.py. */
static void remember_compared(ConnContext *context, const unsigned char *asker, const unsigned char *answerer)
{
	char command[600], digits[2 * PIECE + 1];
	const unsigned char *parts[] = {asker, answerer, context->sessionid};
	const size_t lengths[] = {20, 20, context->sessionid_len};
	size_t at = (size_t) snprintf(command, sizeof command, "LD_PRELOAD= python3 '%s' ", getenv("OTR_DERIVED"));
	FILE *answer;

	for (int part = 0; part < 3; part++) {
		for (size_t i = 0; i < lengths[part]; i++) {
			at += (size_t) snprintf(command + at, sizeof command - at, "%02x", parts[part][i]);
		}
	}
	at += (size_t) snprintf(command + at, sizeof command - at, " ");
	for (int i = 0; i < PIECE; i++) {
		at += (size_t) snprintf(command + at, sizeof command - at, "%02x", smp_secret[i]);
	}
	answer = popen(command, "r");
	check(fscanf(answer, "%32s", digits) == 1, "the number that is compared is known");
	while (fgetc(answer) != EOF) {
	}
	pclose(answer);
	for (int i = 0; i < PIECE; i++) {
		unsigned byte;

		sscanf(digits + 2 * i, "%2x", &byte);
		compared[i] = (unsigned char) byte;
	}
}

static int dh_exponents(void)
{
	int how_many, count = 0;
	struct draw *all = draws(&how_many);

	for (int i = 0; i < how_many; i++) {
		count += all[i].length == EXPONENT;
	}
	return count;
}

/* All secrets but the private keys. */
static void add_everything(void)
{
	int how_many;
	struct draw *all = draws(&how_many);

	needle_count = 0;
	for (int i = 0; i < how_many; i++) {
		char what[60];

		snprintf(what, sizeof what, "secret number %d of %d bytes", i, all[i].length);
		add(all[i].masked, what);
	}
	add(plaintext, "the plaintext");
	add(smp_secret, "the secret of the SMP");
	add(compared, "the number that the SMP compares");
	add(extra_key, "the extra key");
	add_derived(0, dh_exponents());
}

static void all_are_gone(const char *when)
{
	int data = 0, stack = 0;
	char sentence[200];

	look(needles, needle_count);
	for (int i = 0; i < needle_count; i++) {
		struct needle *needle = &needles[i];

		data += needle->data;
		stack += needle->stack;
		snprintf(sentence, sizeof sentence, "%s: %s is nowhere (%d in data, %d in the stack)", when, needle->what,
				needle->data, needle->stack);
		check(needle->data + needle->stack == 0, sentence);
	}
	printf("# %s: %d secrets looked for, found %d times in data and %d times in the stack\n", when, needle_count, data, stack);
}

static void everything_is_gone(const char *when, int with_keys)
{
	add_everything();
	if (with_keys) {
		add(keys[0], "the first private key");
		add(keys[1], "the second private key");
	}
	all_are_gone(when);
}

static int stands(const unsigned char *masked)
{
	needle_count = 0;
	add(masked, "");
	look(needles, needle_count);
	return needles[0].data + needles[0].stack;
}

/* What is in use is found, or looking for it would prove nothing. */
static void in_use_is_found(void)
{
	int drawn = 0, shared = 0, aes = 0, draws_count;

	(void) draws(&draws_count);
	add_everything();
	look(needles, needle_count);
	for (int i = 0; i < needle_count; i++) {
		int there = needles[i].data + needles[i].stack > 0;

		drawn += there && i < draws_count;
		shared += there && strstr(needles[i].what, "shared secret") != NULL;
		aes += there && strstr(needles[i].what, "AES key") != NULL;
	}
	printf("# in a session: %d draws, %d shared secrets and %d AES keys stand in memory\n", drawn, shared, aes);
	check(drawn > 2, "in a session there are secrets to be found");
	check(aes > 2, "in a session there are keys to be found");
	check(stands(plaintext) > 0, "the last text is kept, for sending it again");
	check(stands(keys[0]) > 0 && stands(keys[1]) > 0, "private keys are there while their user states are");
}

/* DH keys that a session has left behind, and what followed from them, are gone while it goes on: each side has two. */
static void old_keys_are_gone(void)
{
	int how_many, number = 0, all_keys = dh_exponents();
	struct draw *all = draws(&how_many);

	check(all_keys > 10, "there were many DH keys");
	needle_count = 0;
	for (int i = 0; i < how_many; i++) {
		if (all[i].length == EXPONENT && number++ < all_keys - 4) {
			char what[60];

			snprintf(what, sizeof what, "DH exponent %d of %d", number, all_keys);
			add(all[i].masked, what);
		}
	}
	add_derived(0, all_keys - 4);
	all_are_gone("in a session, after many DH keys");
}

/* Private keys are in memory that no core dump has. Where this system writes dumps as files, one is looked at as well. */
static void keys_are_not_dumped(void)
{
	static const char *const names[] = {"core", "core.%d"};
	char pattern[8] = "|", name[40];
	int file = open("/proc/sys/kernel/core_pattern", O_RDONLY), status;
	pid_t child;

	add_everything();
	add(keys[0], "the first private key");
	add(keys[1], "the second private key");
	look(needles, needle_count);
	for (int i = needle_count - 2; i < needle_count; i++) {
		check(needles[i].data > 0, "a private key is there");
		check(needles[i].dumped == 0, "a private key is only where no core dump looks");
	}
	if (read(file, pattern, sizeof pattern - 1) < 5 || strncmp(pattern, "core", 4)) {
		printf("# core dumps are not files of this directory here: the marks of the mappings were looked at alone\n");
		close(file);
		return;
	}
	close(file);
	child = fork();
	if (child == 0) {
		struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

		setrlimit(RLIMIT_CORE, &limit);
		abort();
	}
	waitpid(child, &status, 0);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(name, sizeof name, names[i], (int) child);
		if (WCOREDUMP(status) && look_in_file(needles, needle_count, name)) {
			int others = 0;

			for (int k = 0; k < needle_count - 2; k++) {
				others += needles[k].dumped > 0;
			}
			check(others > 0, "a core dump has the secrets of a session");
			check(!needles[needle_count - 1].dumped && !needles[needle_count - 2].dumped, "a core dump has no private key");
			printf("# a core dump was looked at, which has %d secrets of a session\n", others);
			unlink(name);
			return;
		}
	}
	printf("# no core dump was written: the marks of the mappings were looked at alone\n");
}

static void talk(void)
{
	unsigned char key[32], fingerprints[2][20];
	char secret[PIECE + 1];
	int before = alice.smp_success;
	ConnContext *a, *b;

	go_secure();
	tell(&alice, &bob);
	tell(&bob, &alice);
	tell(&alice, &bob);
	a = context_of(&alice, OTRL_INSTAG_BEST);
	b = context_of(&bob, OTRL_INSTAG_BEST);
	otrl_message_symkey(alice.us, &alice.ops, &alice, a, 1, NULL, 0, key);
	settle(20);
	for (int i = 0; i < PIECE; i++) {
		extra_key[i] = key[i + 8] ^ MASK;
	}
	wipe(key, sizeof key);
	wipe(bob.key, sizeof bob.key);
	otrl_privkey_fingerprint_raw(alice.us, fingerprints[0], "alice", PROTOCOL);
	otrl_privkey_fingerprint_raw(bob.us, fingerprints[1], "bob", PROTOCOL);
	remember_compared(a, fingerprints[0], fingerprints[1]);
	unmask(secret, smp_secret);
	otrl_message_initiate_smp(alice.us, &alice.ops, &alice, a, (unsigned char *) secret, PIECE);
	settle(20);
	check(stands(compared) > 0, "in an SMP the number that is compared is found");
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, b, (unsigned char *) secret, PIECE);
	wipe(secret, sizeof secret);
	settle(20);
	check(alice.smp_success > before, "the SMP succeeds");
	tell(&bob, &alice);
}

/* The commit of a master waits for other instances for a minute. */
static void no_commit_waits(void)
{
	time_shim_offset += 61;
	otrl_message_poll(alice.us, &alice.ops, &alice);
	otrl_message_poll(bob.us, &bob.ops, &bob);
}

int main(void)
{
	ConnContext *a, *b;

	setvbuf(stdout, NULL, _IONBF, 0);
	invent(plaintext, 12);
	invent(smp_secret, 99);
	read_keys();
	pair_new(OTRL_POLICY_ALLOW_V3);
	draws_forget();
	talk();
	in_use_is_found();
	keys_are_not_dumped();

	/* The end of the session: disconnect on one side, forgetting on the other. */
	a = context_of(&alice, OTRL_INSTAG_BEST);
	b = context_of(&bob, OTRL_INSTAG_BEST);
	otrl_message_disconnect(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob", a->their_instance);
	settle(20);
	check(b->msgstate == OTRL_MSGSTATE_FINISHED, "the session is over");
	no_commit_waits();
	everything_is_gone("after the session", 0);

	draws_forget();
	talk();
	for (int i = 0; i < 6; i++) {
		tell(&alice, &bob);
		tell(&bob, &alice);
	}
	no_commit_waits();
	old_keys_are_gone();
	otrl_context_forget_all(alice.us);
	otrl_context_forget_all(bob.us);
	drop_wire();
	everything_is_gone("after forgetting the contexts", 0);

	draws_forget();
	talk();
	otrl_privkey_forget_all(alice.us);
	pair_free();
	everything_is_gone("after freeing the user states", 1);
	return finish("wiped");
}
