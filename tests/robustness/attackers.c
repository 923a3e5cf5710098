/* Attacks by a peer, or by anybody who can write in a peer's name. */
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

#define POLICY (OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3 | OTRL_POLICY_ERROR_START_AKE | OTRL_POLICY_WHITESPACE_START_AKE)

static int contexts(Party *self)
{
	int count = 0;

	for (ConnContext *c = self->us->context_root; c; c = c->next) {
		count++;
	}
	return count;
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int on_the_wire(void)
{
	int count = 0;

	for (Wire *w = wire; w; w = w->next) {
		count++;
	}
	return count;
}

/* Takes the oldest message off the wire. */
static char *intercept(void)
{
	Wire *first = wire;
	char *text;

	if (!first) {
		return NULL;
	}
	wire = first->next;
	text = first->text;
	free(first);
	return text;
}

/* The bytes of an encoded message, and back. */
static unsigned char *decode(const char *message, size_t *length)
{
	unsigned char *bytes = NULL;

	if (otrl_base64_otr_decode(message, &bytes, length)) {
		return NULL;
	}
	return bytes;
}

static const unsigned char prime[192] = {
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC9, 0x0F, 0xDA, 0xA2, 0x21, 0x68, 0xC2, 0x34, 0xC4, 0xC6, 0x62, 0x8B,
	0x80, 0xDC, 0x1C, 0xD1, 0x29, 0x02, 0x4E, 0x08, 0x8A, 0x67, 0xCC, 0x74, 0x02, 0x0B, 0xBE, 0xA6, 0x3B, 0x13, 0x9B, 0x22,
	0x51, 0x4A, 0x08, 0x79, 0x8E, 0x34, 0x04, 0xDD, 0xEF, 0x95, 0x19, 0xB3, 0xCD, 0x3A, 0x43, 0x1B, 0x30, 0x2B, 0x0A, 0x6D,
	0xF2, 0x5F, 0x14, 0x37, 0x4F, 0xE1, 0x35, 0x6D, 0x6D, 0x51, 0xC2, 0x45, 0xE4, 0x85, 0xB5, 0x76, 0x62, 0x5E, 0x7E, 0xC6,
	0xF4, 0x4C, 0x42, 0xE9, 0xA6, 0x37, 0xED, 0x6B, 0x0B, 0xFF, 0x5C, 0xB6, 0xF4, 0x06, 0xB7, 0xED, 0xEE, 0x38, 0x6B, 0xFB,
	0x5A, 0x89, 0x9F, 0xA5, 0xAE, 0x9F, 0x24, 0x11, 0x7C, 0x4B, 0x1F, 0xE6, 0x49, 0x28, 0x66, 0x51, 0xEC, 0xE4, 0x5B, 0x3D,
	0xC2, 0x00, 0x7C, 0xB8, 0xA1, 0x63, 0xBF, 0x05, 0x98, 0xDA, 0x48, 0x36, 0x1C, 0x55, 0xD3, 0x9A, 0x69, 0x16, 0x3F, 0xA8,
	0xFD, 0x24, 0xCF, 0x5F, 0x83, 0x65, 0x5D, 0x23, 0xDC, 0xA3, 0xAD, 0x96, 0x1C, 0x62, 0xF3, 0x56, 0x20, 0x85, 0x52, 0xBB,
	0x9E, 0xD5, 0x29, 0x07, 0x70, 0x96, 0x96, 0x6D, 0x67, 0x0C, 0x35, 0x4E, 0x4A, 0xBC, 0x98, 0x04, 0xF1, 0x74, 0x6C, 0x08,
	0xCA, 0x23, 0x73, 0x27, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
};

/* A DH-key with each number that is no public value: no session comes of it, nothing is revealed, and the next
 * exchange works. */
static void bad_dh_keys(const char *query)
{
	enum { ZERO, ONE, PRIME_LESS_1, PRIME, ABOVE, KINDS };

	for (int kind = 0; kind < KINDS; kind++) {
		unsigned char body[193], *bytes, *forged;
		size_t length, header, size = 192;
		char *message, *text, sentence[200];

		pair_new(POLICY);
		say(&alice, query);
		deliver_one();
		deliver_one();
		message = intercept();
		bytes = decode(message, &length);
		header = bytes[1] == 3 ? 11 : 3;
		memcpy(body, prime, 192);
		switch (kind) {
		case ZERO:
			size = 0;
			break;
		case ONE:
			size = 1;
			body[0] = 1;
			break;
		case PRIME_LESS_1:
			body[191] -= 1;
			break;
		case PRIME:
			break;
		default:
			body[192] = 1;
			size = 193;
		}
		forged = calloc(1, header + 4 + size);
		memcpy(forged, bytes, header);
		forged[header + 3] = (unsigned char) size;
		memcpy(forged + header + 4, body, size);
		text = otrl_base64_otr_encode(forged, header + 4 + size);
		hear(&bob, text);
		snprintf(sentence, sizeof sentence, "%s: DH value %d is not answered", query, kind);
		check(on_the_wire() == 0, sentence);
		snprintf(sentence, sizeof sentence, "%s: DH value %d bars no later exchange", query, kind);
		check(works() && works(), sentence);
		free(forged);
		free(text);
		free(bytes);
		free(message);
		pair_free();
	}
}

static void replay_and_reflection(void)
{
	char *message, *second;
	int before;

	pair_new(POLICY);
	go_secure();
	say(&alice, MARK " one");
	message = intercept();
	before = bob.texts;
	hear(&bob, message);
	check(bob.texts == before + 1, "a message arrives");
	hear(&bob, message);
	hear(&bob, message);
	check(bob.texts == before + 1, "a message that comes again is not shown again");
	settle(50);
	before = alice.texts;
	hear(&alice, message);
	check(alice.texts == before, "our own message is not shown to us");
	drop_wire();
	check(both_secure(), "neither ends the session");
	say(&alice, MARK " two");
	second = intercept();
	say(&alice, MARK " three");
	settle(1);
	before = bob.texts;
	hear(&bob, second);
	check(bob.texts == before, "a message older than the last one is not shown");
	drop_wire();
	free(message);
	free(second);
	check(works(), "and the two go on");
	pair_free();

	/* Whatever alice says, she hears herself. */
	pair_new(POLICY);
	say(&alice, "?OTRv2?");
	for (before = 0; before < 200 && wire; before++) {
		message = intercept();
		hear(&alice, message);
		free(message);
	}
	check(before < 200 && !wire, "a mirror comes to rest");
	check(context_of(&alice, OTRL_INSTAG_BEST)->msgstate != OTRL_MSGSTATE_ENCRYPTED, "there is no session with a mirror");
	pair_free();
}

/* Messages with key numbers and lengths that cannot be, in a session: refused, and the session stays. */
static void numbers_in_data_messages(void)
{
	static const unsigned char numbers[][4] = { { 0, 0, 0, 0 }, { 0xff, 0xff, 0xff, 0xff }, { 0x80, 0, 0, 0 }, { 0, 0, 0, 9 } };

	pair_new(POLICY);
	go_secure();
	/* The flags byte is at 11; the key numbers follow, then the length of the DH value. */
	for (size_t place = 12; place <= 20; place += 4) {
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			char *message, *text;
			unsigned char *bytes;
			size_t length;
			int before = bob.texts;

			say(&alice, MARK " numbers");
			message = intercept();
			bytes = decode(message, &length);
			memcpy(bytes + place, numbers[i], 4);
			text = otrl_base64_otr_encode(bytes, length);
			hear(&bob, text);
			check(bob.texts == before, "a message with impossible numbers is not shown");
			drop_wire();
			free(text);
			free(bytes);
			free(message);
		}
	}
	check(both_secure(), "impossible numbers do not end the session");
	check(works(), "impossible numbers bar nothing");
	pair_free();
}

/* CVE-2012-3461: base64 text that is all padding made a buffer of no bytes and wrote into it. */
static void cve_2012_3461(void)
{
	static const char *const texts[] = { "?OTR:===.", "?OTR:=.", "?OTR:.", "?OTR:", "?OTR:A===.", "?OTR:====================." };

	pair_new(POLICY);
	go_secure();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		unsigned char *bytes = NULL;
		size_t length = 77;

		if (otrl_base64_otr_decode(texts[i], &bytes, &length) == 0) {
			check(length <= 1, "CVE-2012-3461: nothing comes of padding");
			free(bytes);
		}
		hear(&bob, texts[i]);
		drop_wire();
	}
	check(works(), "CVE-2012-3461: the conversation goes on");
	pair_free();
}

/* CVE-2016-2851: lengths near 2^32 in a huge message wrapped around. */
static void cve_2016_2851(void)
{
	pair_new(POLICY);
	go_secure();
	for (unsigned first = 0; first < 256; first += 5) {
		unsigned char bytes[400] = { 0, 3, 3 };
		char *text;
		ConnContext *c = context_of(&bob, OTRL_INSTAG_BEST);
		size_t before = heap();

		bytes[3] = (unsigned char) (c->their_instance >> 24);
		bytes[4] = (unsigned char) (c->their_instance >> 16);
		bytes[5] = (unsigned char) (c->their_instance >> 8);
		bytes[6] = (unsigned char) c->their_instance;
		bytes[7] = (unsigned char) (c->our_instance >> 24);
		bytes[8] = (unsigned char) (c->our_instance >> 16);
		bytes[9] = (unsigned char) (c->our_instance >> 8);
		bytes[10] = (unsigned char) c->our_instance;
		bytes[15] = bytes[19] = 1;
		memset(bytes + 20, (int) (255 - first), 4);
		text = otrl_base64_otr_encode(bytes, sizeof bytes);
		hear(&bob, text);
		check(heap() < before + (1 << 20), "CVE-2016-2851: a length that lies allocates nothing");
		drop_wire();
		free(text);
	}
	check(works(), "CVE-2016-2851: the conversation goes on");
	{
		/* 20 MiB of base64 in one message: refused, in a bounded time. */
		size_t size = 20u << 20;
		char *text = malloc(size + 1);
		struct timespec begin, end;

		memset(text, 'A', size);
		memcpy(text, "?OTR:AAMD", 9);
		text[size - 1] = '.';
		text[size] = 0;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
		hear(&bob, text);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		check(end.tv_sec - begin.tv_sec < 10, "a huge message takes a bounded time");
		free(text);
		drop_wire();
	}
	check(works(), "a huge message bars nothing");
	pair_free();
}

/* Four MiB of whatever a parser looks for: a search that begins again at each find would take hours. */
static void time_grows_with_the_length(void)
{
	static const char *const pieces[] = { "?OTR", "?OTR:", "?OTR:AAMD", "?OTR,", "?OTR|", "?OTR|1|1,", ",1", "?OTR Error: ", "?OTRv2",
		"?OTR?v", " ", "\t ", " \t  \t\t\t\t \t \t \t  ", " \t  \t\t\t\t \t \t \t    \t\t  \t ", "=", "A" };
	const size_t size = 4u << 20;
	char *text = malloc(size + 1);
	struct timespec begin, end;

	pair_new(POLICY);
	go_secure();
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t length = strlen(pieces[i]);

		for (int begun = 0; begun < 2; begun++) {
			for (size_t at = 0; at < size; at++) {
				text[at] = pieces[i][at % length];
			}
			text[size] = 0;
			if (begun) {
				memcpy(text, "?OTR|101|101,1,2,", 17);
			}
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
			hear(&bob, text);
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
			check(end.tv_sec - begin.tv_sec < 4, "a long message takes a time that grows with its length");
			drop_wire();
		}
	}
	check(works(), "long messages bar nothing");
	free(text);
	pair_free();
}

/* Tags in messages are proved by nobody: a stranger makes as many as he likes. */
static void a_crowd_of_instances(void)
{
	size_t before;
	int secure;

	pair_new(POLICY);
	go_secure();
	before = heap();
	secure = both_secure();
	for (unsigned i = 0; i < 3000; i++) {
		char text[400];
		ConnContext *c = context_of(&bob, OTRL_INSTAG_MASTER);

		snprintf(text, sizeof text, "?OTR|%x|%x,00001,00009,%0300d,", 0x1000 + i, c->our_instance, 0);
		hear(&bob, text);
	}
	check(contexts(&bob) <= 256, "strangers make a bounded number of contexts");
	check(heap() < before + (8u << 20), "strangers' fragments take a bounded memory");
	check(secure && both_secure(), "the session stays");
	drop_wire();
	say(&alice, MARK " still here");
	settle(20);
	check(bob.shown && !strcmp(bob.shown, MARK " still here"), "the session works");
	pair_free();
}

/* In a session of version 2, which knows no instances, a stranger begins an exchange of version 3 as one. */
static void an_instance_beside_version_2(void)
{
	Party stranger;
	char *commit;

	pair_new(POLICY & ~OTRL_POLICY_ALLOW_V3);
	go_secure();
	check(both_secure() && context_of(&alice, OTRL_INSTAG_BEST)->protocol_version == 2, "a session of version 2");
	alice.policy = bob.policy = POLICY;
	/* A commit of anybody's will do. */
	stranger = bob;
	stranger.us = otrl_userstate_create();
	otrl_privkey_read(stranger.us, keys_file());
	hear(&stranger, "?OTRv3?");
	commit = intercept();
	check(commit && !strncmp(commit, "?OTR:AAMC", 9), "a stranger's DH-commit");
	sleep(1);
	hear(&alice, commit);
	drop_wire();
	check(!say(&alice, MARK " to bob"), "the user goes on writing");
	settle(50);
	check(bob.shown && !strcmp(bob.shown, MARK " to bob"), "and is read in the session");
	check(both_secure(), "a stranger's exchange does not end a session of version 2");
	check(works(), "nor bar one of version 3");
	free(commit);
	otrl_userstate_free(stranger.us);
	pair_free();
}

/* Fragments without end. */
static void fragments_without_end(void)
{
	size_t before;
	static char piece[60000];
	static char text[60100];

	memset(piece, 'A', sizeof piece - 1);
	pair_new(POLICY);
	go_secure();
	before = heap();
	for (unsigned i = 1; i <= 2000; i++) {
		ConnContext *c = context_of(&bob, OTRL_INSTAG_BEST);

		snprintf(text, sizeof text, "?OTR|%x|%x,%05u,65535,%s,", c->their_instance, c->our_instance, i, piece);
		hear(&bob, text);
		if (i % 100 == 0) {
			check(heap() < before + (80u << 20), "fragments of one message take a bounded memory");
		}
	}
	before = heap();
	for (unsigned i = 1; i <= 100; i++) {
		snprintf(text, sizeof text, "?OTR|%x|%x,%05u,65535,%s,", 0x4321, context_of(&bob, OTRL_INSTAG_MASTER)->our_instance, i, piece);
		hear(&bob, text);
	}
	check(heap() < before + (1u << 20), "fragments of a stranger take less");
	check(works(), "fragments without end bar nothing");
	pair_free();
}

static void aborts_back(Party *self, const char *callback, ConnContext *context)
{
	if (strcmp(callback, "handle_smp_event") == 0) {
		otrl_message_abort_smp(self->us, &self->ops, self, context);
	}
}

static void floods_come_to_rest(void)
{
	int count, i;
	ConnContext *a;

	/* Two clients that answer each SMP event with an abort. */
	pair_new(POLICY);
	go_secure();
	alice.hook = bob.hook = aborts_back;
	a = context_of(&alice, OTRL_INSTAG_BEST);
	otrl_message_initiate_smp(alice.us, &alice.ops, &alice, a, (const unsigned char *) "x", 1);
	count = settle(200);
	check(count < 20, "aborts that answer aborts come to rest");
	otrl_message_abort_smp(bob.us, &bob.ops, &bob, context_of(&bob, OTRL_INSTAG_BEST));
	count = settle(200);
	check(count < 20, "an abort comes to rest");
	alice.hook = bob.hook = NULL;

	/* Errors: each may ask for a new session, and no more. */
	for (i = 0; i < 300; i++) {
		hear(&alice, "?OTR Error: you said something odd");
	}
	check(on_the_wire() <= 300, "an error is answered by at most one message");
	count = settle(5000);
	check(!wire, "a flood of errors comes to rest");
	drop_wire();
	/* An error, a damaged message and a query each way at once. */
	for (i = 0; i < 20; i++) {
		put_on_wire(&alice, "?OTR Error: a");
		put_on_wire(&bob, "?OTR Error: b");
		put_on_wire(&alice, "?OTR:AAMDAAAA.");
		put_on_wire(&bob, "?OTR:AAIDAAAA.");
		put_on_wire(&alice, "?OTRv23?");
		put_on_wire(&bob, "?OTRv23?");
	}
	count = settle(20000);
	check(!wire, "a mixed flood comes to rest");
	check(works(), "and then the two talk");
	pair_free();

	/* SMP begun again and again. */
	pair_new(POLICY);
	go_secure();
	{
		size_t before = 0;

		for (i = 0; i < 40; i++) {
			a = context_of(&alice, OTRL_INSTAG_BEST);
			otrl_message_initiate_smp(alice.us, &alice.ops, &alice, a, (const unsigned char *) "x", 1);
			settle(50);
			if (i == 5) {
				before = heap();
			}
		}
		check(heap() < before + 65536, "an SMP begun again and again takes no more memory");
		check(!wire, "and comes to rest");
	}
	pair_free();
}

int main(void)
{
	static const char *const queries[] = { "?OTRv2?", "?OTRv3?" };

	for (int i = 0; i < 2; i++) {
		bad_dh_keys(queries[i]);
	}
	replay_and_reflection();
	numbers_in_data_messages();
	cve_2012_3461();
	cve_2016_2851();
	time_grows_with_the_length();
	a_crowd_of_instances();
	an_instance_beside_version_2();
	fragments_without_end();
	floods_come_to_rest();
	return finish("attackers");
}
