/* test: draws
 * Looks through the whole memory of the process for secrets: while they are in use, where they must be found (or this
 * would prove nothing), and after they should have died. */
#include <fcntl.h>
#include <unistd.h>

#include "draws.h"
#include "pair.h"

static int in_heap, in_stack, where_print;

/* Counts where a masked piece stands in writable memory, forwards or backwards (a number is kept in words of the machine,
 * lowest first, so its bytes lie backwards) or as hexadecimal digits. */
static int found(const unsigned char *masked)
{
	static unsigned char buffer[1 << 16];
	static char line[512];
	static const char hex[] = "0123456789ABCDEF";
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY), total = 0;

	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to, at;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w') {
			continue;
		}
		for (at = from; at < to; at += sizeof buffer - 2 * PIECE) {
			size_t want = to - at < sizeof buffer ? to - at : sizeof buffer;
			ssize_t got;

			if (at <= (unsigned long) buffer && (unsigned long) buffer < at + want) {
				/* Our own window on the memory would be found in itself. */
				memset(buffer, 0, sizeof buffer);
			}
			got = pread(memory, buffer, want, (off_t) at);
			for (ssize_t i = 0; i + PIECE <= got; i++) {
				int forwards = 1, backwards = 1, digits = i + 2 * PIECE <= got, k;

				for (k = 0; k < PIECE && (forwards || backwards || digits); k++) {
					forwards &= buffer[i + k] == (masked[k] ^ MASK);
					backwards &= buffer[i + k] == (masked[PIECE - 1 - k] ^ MASK);
					digits = digits && buffer[i + 2 * k] == hex[(masked[k] ^ MASK) >> 4]
						&& buffer[i + 2 * k + 1] == hex[(masked[k] ^ MASK) & 15];
				}
				if (forwards || backwards || digits) {
					int stack = strstr(line, "[stack]") != NULL;
					total++;
					in_stack += stack;
					in_heap += !stack;
					if (where_print) {
						printf("   %s at %lx, %s", forwards ? "forwards" : backwards ? "backwards" : "in digits", at + (unsigned long) i, line);
					}
				}
			}
			memset(buffer, 0, sizeof buffer);
		}
	}
	fclose(maps);
	close(memory);
	return total;
}

/* The secrets that the program itself knows, masked. */
static unsigned char plaintext[PIECE], smp_secret[PIECE], extra_key[PIECE], keys[2][PIECE];

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

static void everything_is_gone(const char *when, int with_keys)
{
	int how_many, heap = 0, stack = 0;
	struct draw *all = draws(&how_many);
	char sentence[200];

#define LOOK(masked, what) do { \
	in_heap = in_stack = 0; \
	found(masked); \
	heap += in_heap; \
	stack += in_stack; \
	snprintf(sentence, sizeof sentence, "%s: %s is nowhere (%d in data, %d in the stack)", when, what, in_heap, in_stack); \
	check(in_heap + in_stack == 0, sentence); \
} while (0)
	for (int i = 0; i < how_many; i++) {
		char what[60];

		snprintf(what, sizeof what, "secret number %d of %d bytes", i, all[i].length);
		LOOK(all[i].masked, what);
	}
	LOOK(plaintext, "the plaintext");
	LOOK(smp_secret, "the secret of the SMP");
	LOOK(extra_key, "the extra key");
	if (with_keys) {
		LOOK(keys[0], "the first private key");
		LOOK(keys[1], "the second private key");
	}
	printf("# %s: %d secrets drawn at random and %d others looked for, found %d times in data and %d times in the stack\n", when,
			how_many, with_keys ? 5 : 3, heap, stack);
}

static int how_many_draws_stand(void)
{
	int how_many, standing = 0;
	struct draw *all = draws(&how_many);

	for (int i = 0; i < how_many; i++) {
		standing += found(all[i].masked) > 0;
	}
	return standing;
}

static void talk(void)
{
	unsigned char key[32];
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
	unmask(secret, smp_secret);
	otrl_message_initiate_smp(alice.us, &alice.ops, &alice, a, (unsigned char *) secret, PIECE);
	settle(20);
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, b, (unsigned char *) secret, PIECE);
	wipe(secret, sizeof secret);
	settle(20);
	check(alice.smp_success > before, "the SMP succeeds");
	tell(&bob, &alice);
}

int main(void)
{
	ConnContext *a, *b;

	setvbuf(stdout, NULL, _IONBF, 0);
	where_print = getenv("OTR_TRACE") != NULL;
	invent(plaintext, 12);
	invent(smp_secret, 99);
	read_keys();
	pair_new(OTRL_POLICY_ALLOW_V3);
	draws_forget();
	talk();
	check(how_many_draws_stand() > 2, "in a session there are secrets to be found");
	check(found(plaintext) > 0, "the last text is kept, for sending it again");
	check(found(keys[0]) > 0 && found(keys[1]) > 0, "private keys are there while their user states are");

	/* The end of the session: disconnect on one side, forgetting on the other. */
	a = context_of(&alice, OTRL_INSTAG_BEST);
	b = context_of(&bob, OTRL_INSTAG_BEST);
	otrl_message_disconnect(alice.us, &alice.ops, &alice, "alice", PROTOCOL, "bob", a->their_instance);
	settle(20);
	check(b->msgstate == OTRL_MSGSTATE_FINISHED, "the session is over");
	/* The commit of a master waits for other instances for a minute. */
	draws_time_passes(61);
	otrl_message_poll(alice.us, &alice.ops, &alice);
	otrl_message_poll(bob.us, &bob.ops, &bob);
	everything_is_gone("after the session", 0);

	draws_forget();
	talk();
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
