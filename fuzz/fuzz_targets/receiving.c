/* One client, alice, in a state that the first bytes choose, and somebody who writes in bob's name: first what bob himself
 * would send, then anything. From then on every MAC, signature and proof is accepted. */
#include "input.h"
#include "pair.h"
#include "steady.h"

#define POLICY (OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3 | OTRL_POLICY_ERROR_START_AKE \
	| OTRL_POLICY_WHITESPACE_START_AKE)
#define MOST 1500

enum state {
	PLAINTEXT, AWAITING_DHKEY, AWAITING_REVEALSIG, AWAITING_SIG, ENCRYPTED, ROTATED, SMP_EXPECT_2, SMP_ASKED, SMP_EXPECT_3,
	SMP_EXPECT_4, SMP_EXPECT_5, FINISHED, ENCRYPTED_AWAITING_DHKEY, ENCRYPTED_AWAITING_SIG, STATES
};

static unsigned version;

static ConnContext *session_of(Party *self)
{
	return context_of(self, OTRL_INSTAG_BEST);
}

static void smp_begin(Party *self)
{
	otrl_message_initiate_smp_q(self->us, &self->ops, self, session_of(self), "which?", (const unsigned char *) "s", 1);
}

static void smp_answer(Party *self)
{
	otrl_message_respond_smp(self->us, &self->ops, self, session_of(self), (const unsigned char *) "s", 1);
}

static void enter(enum state state)
{
	static const char *const queries[] = { "?OTR?", "?OTRv2?", "?OTRv3?" };
	const char *query = queries[version - 1];

	if (state == AWAITING_DHKEY || state == AWAITING_SIG) {
		hear(&alice, query);
		settle(state == AWAITING_SIG ? 2 : 0);
	} else if (state == AWAITING_REVEALSIG) {
		hear(&bob, query);
		settle(1);
	} else if (state != PLAINTEXT) {
		hear(&alice, query);
		settle(100);
	}
	if (!both_secure()) {
		return;
	}
	switch (state) {
	case ROTATED:
		for (int i = 0; i < 3; i++) {
			say(&alice, MARK " a");
			say(&bob, MARK " b");
			settle(10);
		}
		break;
	case SMP_ASKED:
	case SMP_EXPECT_3:
		smp_begin(&bob);
		settle(10);
		if (state == SMP_EXPECT_3) {
			smp_answer(&alice);
		}
		break;
	case SMP_EXPECT_2:
	case SMP_EXPECT_4:
		smp_begin(&alice);
		if (state == SMP_EXPECT_4) {
			settle(10);
			smp_answer(&bob);
			settle(1);
		}
		break;
	case SMP_EXPECT_5:
		session_of(&alice)->smstate->nextExpected = OTRL_SMP_EXPECT5;
		break;
	case FINISHED:
		otrl_message_disconnect_all_instances(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice");
		settle(10);
		break;
	case ENCRYPTED_AWAITING_DHKEY:
	case ENCRYPTED_AWAITING_SIG:
		hear(&alice, query);
		settle(state == ENCRYPTED_AWAITING_SIG ? 2 : 0);
		break;
	default:
		break;
	}
}

/* Whether alice is where she was to be, in any of her contexts. Version 1 has one exchange message each way. */
static int reached(enum state state)
{
	static const int exchange[STATES] = { [AWAITING_DHKEY] = OTRL_AUTHSTATE_AWAITING_DHKEY,
		[AWAITING_REVEALSIG] = OTRL_AUTHSTATE_AWAITING_REVEALSIG, [AWAITING_SIG] = OTRL_AUTHSTATE_AWAITING_SIG,
		[ENCRYPTED_AWAITING_DHKEY] = OTRL_AUTHSTATE_AWAITING_DHKEY, [ENCRYPTED_AWAITING_SIG] = OTRL_AUTHSTATE_AWAITING_SIG };
	static const int smp[STATES] = { [SMP_EXPECT_2] = OTRL_SMP_EXPECT2, [SMP_EXPECT_3] = OTRL_SMP_EXPECT3,
		[SMP_EXPECT_4] = OTRL_SMP_EXPECT4, [SMP_EXPECT_5] = OTRL_SMP_EXPECT5 };
	ConnContext *best = session_of(&alice);
	int state_of_messages = state == FINISHED ? OTRL_MSGSTATE_FINISHED
		: state >= ENCRYPTED ? OTRL_MSGSTATE_ENCRYPTED : OTRL_MSGSTATE_PLAINTEXT;

	if (state != PLAINTEXT && (!best || ((int) best->msgstate != state_of_messages && (version > 1 || state >= ENCRYPTED)))) {
		return 0;
	}
	if (version > 1 && exchange[state]) {
		ConnContext *any = context_of(&alice, OTRL_INSTAG_MASTER);

		while (any && (int) any->auth.authstate != exchange[state]) {
			any = any->next;
		}
		return any != NULL;
	}
	return !smp[state] || (int) best->smstate->nextExpected == smp[state];
}

/* The oldest message from bob on the wire. */
static Wire *from_bob(void)
{
	Wire *message = wire;

	while (message && message->from != &bob) {
		message = message->next;
	}
	return message;
}

static void put_32(unsigned char *to, unsigned long number)
{
	for (int i = 0; i < 4; i++) {
		to[i] = (unsigned char) (number >> (24 - 8 * i));
	}
}

static unsigned long get_32(const unsigned char *from)
{
	return (unsigned long) from[0] << 24 | (unsigned long) from[1] << 16 | (unsigned long) from[2] << 8 | from[3];
}

static void hear_bytes(const unsigned char *bytes, size_t length)
{
	char *text = otrl_base64_otr_encode(bytes, length);

	hear(&alice, text);
	free(text);
}

/* A message of any type in bob's name, with the header it should have. */
static void forge(void)
{
	static const unsigned char types[] = { 0x02, 0x03, 0x0a, 0x11, 0x12 };
	unsigned char bytes[MOST + 11] = { 0, (unsigned char) version };
	unsigned type = next();
	ConnContext *best = session_of(&alice), *bobs = session_of(&bob);
	size_t header = 3;

	bytes[2] = type < 250 ? types[type % 5] : (unsigned char) type;
	if (version == 3) {
		put_32(bytes + 3, bobs ? bobs->our_instance : 0x100);
		put_32(bytes + 7, best ? best->our_instance : 0);
		header = 11;
	}
	hear_bytes(bytes, header + bytes_of(bytes + header, MOST));
}

/* The oldest message from bob, changed in up to four places. */
static void damage(void)
{
	Wire *message = from_bob();
	unsigned char *bytes = NULL;
	size_t length;

	if (message && !otrl_base64_otr_decode(message->text, &bytes, &length) && length) {
		for (unsigned count = 1 + next() % 4; count; count--) {
			size_t place = next_16() % length;

			bytes[place] = (unsigned char) next();
		}
		free(message->text);
		message->text = otrl_base64_otr_encode(bytes, length);
	}
	free(bytes);
}

/* What was encrypted begins with `known`: makes it `wanted` instead. */
static void replace(unsigned char *encrypted, const unsigned char *known, const unsigned char *wanted, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		encrypted[i] ^= (unsigned char) (known[i] ^ wanted[i]);
	}
}

/* A data message of bob's session whose plaintext and numbers are these. */
static void hear_data(const unsigned char *plain, size_t length)
{
	char filler[MOST + 1], *message = NULL;
	unsigned char *bytes = NULL;
	size_t size, place, dh, encrypted;
	unsigned what = next();

	if (!session_of(&bob) || session_of(&bob)->msgstate != OTRL_MSGSTATE_ENCRYPTED) {
		return;
	}
	memset(filler, 'x', length);
	filler[length] = 0;
	if (otrl_message_sending(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice", OTRL_INSTAG_BEST, filler, NULL, &message,
			OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) || !message || otrl_base64_otr_decode(message, &bytes, &size)) {
		otrl_message_free(message);
		return;
	}
	/* The session need not be of the version that it began with. */
	place = bytes[1] == 3 ? 12 : bytes[1] == 2 ? 4 : 3;
	dh = get_32(bytes + place + 8);
	encrypted = place + 8 + 4 + dh + 8 + 4;
	replace(bytes + encrypted, (unsigned char *) filler, plain, length);
	if (what & 1 && bytes[1] != 1) {
		bytes[place - 1] = (unsigned char) next();
	}
	if (what & 2) {
		put_32(bytes + place, get_32(bytes + place) + next() - 3);
	}
	if (what & 4) {
		put_32(bytes + place + 4, get_32(bytes + place + 4) + next() - 3);
	}
	if (what & 8) {
		/* Their next public value. */
		size_t length_of_dh = dh, edge = next();

		for (size_t i = 0; i < length_of_dh; i++) {
			bytes[place + 12 + i] = (unsigned char) (edge == 0 ? 0 : edge == 1 ? 0xff : next());
		}
	}
	if (what & 16) {
		memset(bytes + place + 12 + dh, (int) next(), 8);
	}
	if (what & 32) {
		size = encrypted + next_16() % (size - encrypted + 1);
	}
	if (what & 64) {
		/* Another MAC, and any bytes for the MAC keys that are revealed. */
		size_t mac = encrypted + get_32(bytes + encrypted - 4), revealed;
		unsigned char *longer = calloc(1, mac + 24 + 256);

		memcpy(longer, bytes, mac);
		memset(longer + mac, (int) next(), 20);
		revealed = bytes_of(longer + mac + 24, 256);
		put_32(longer + mac + 20, revealed);
		free(bytes);
		bytes = longer;
		size = mac + 24 + revealed;
	}
	hear_bytes(bytes, size);
	free(bytes);
	otrl_message_free(message);
}

static void any_plaintext(void)
{
	unsigned char plain[MOST];
	size_t length = bytes_of(plain, sizeof plain);

	hear_data(plain, length);
}

/* A record of the SMP with numbers from the edges of what is allowed, or any. */
static void smp_record(void)
{
	static const unsigned char counts[] = { 6, 11, 8, 3 };
	unsigned char plain[MOST] = { 0, 0 };
	unsigned kind = 2 + next() % 6, count = counts[kind == 7 ? 0 : kind == 6 ? 3 : kind - 2];
	size_t place = 5;

	plain[2] = (unsigned char) kind;
	if (kind == 7) {
		plain[place++] = '?';
		plain[place++] = 0;
	}
	put_32(plain + place, count);
	place += 4;
	for (unsigned i = 0; i < count && place + 4 + 192 < sizeof plain; i++) {
		unsigned what = next();
		size_t length = what < 4 ? what : what < 200 ? 1 + what % 40 : 192;

		put_32(plain + place, what == 255 ? 0xffffffffUL : length);
		place += 4;
		memset(plain + place, what >= 200 ? (int) what : 0, length);
		plain[place + (length ? length - 1 : 0)] = (unsigned char) next();
		if (length) {
			plain[place] |= (unsigned char) (what % 2);
		}
		place += length;
	}
	plain[3] = (unsigned char) ((place - 5) >> 8);
	plain[4] = (unsigned char) (place - 5);
	hear_data(plain, place);
}

/* The signature message of bob that waits on the wire, with other bytes in the key that it shows. */
static void other_key(void)
{
	Wire *message = from_bob();
	OtrlPrivKey *key = otrl_privkey_find(bob.us, "bob", PROTOCOL);
	unsigned char *bytes = NULL, known[1000] = { 0, 0 }, wanted[1000];
	size_t length, place, shown;

	if (!message || !key || key->pubkey_datalen + 6 > sizeof known || otrl_base64_otr_decode(message->text, &bytes, &length)) {
		return;
	}
	shown = 2 + key->pubkey_datalen + 4;
	memcpy(known + 2, key->pubkey_data, key->pubkey_datalen);
	put_32(known + 2 + key->pubkey_datalen, 1);
	memcpy(wanted, known, sizeof wanted);
	for (unsigned count = 1 + next() % 6; count; count--) {
		size_t where = next_16() % shown, run = next() % 200;
		unsigned with = next();

		for (size_t i = where; i < shown && i <= where + run; i++) {
			wanted[i] = (unsigned char) with;
		}
	}
	place = length > 11 && bytes[1] == 3 ? 11 : 3;
	if (length > 3 && (bytes[2] == 0x11 || bytes[2] == 0x12)) {
		place += bytes[2] == 0x11 ? 4 + 16 + 4 : 4;
		if (place + shown < length) {
			replace(bytes + place, known, wanted, shown);
		}
	} else if (length > 5 && bytes[1] == 1 && bytes[2] == 0x0a && 4 + shown - 2 < length) {
		memcpy(bytes + 4, wanted + 2, shown - 2);
	}
	free(message->text);
	message->text = otrl_base64_otr_encode(bytes, length);
	free(bytes);
	deliver_one();
}

static void somebody_acts(Party *self)
{
	unsigned char key[32];
	ConnContext *context = session_of(self);

	switch (next() % 9) {
	case 0:
		say(self, MARK " text");
		break;
	case 1:
		say(self, "?OTRv3?");
		break;
	case 2:
		if (context) {
			smp_begin(self);
		}
		break;
	case 3:
		if (context) {
			smp_answer(self);
		}
		break;
	case 4:
		if (context) {
			otrl_message_abort_smp(self->us, &self->ops, self, context);
		}
		break;
	case 5:
		if (context) {
			otrl_message_symkey(self->us, &self->ops, self, context, 1, (const unsigned char *) "use", 3, key);
		}
		break;
	case 6:
		otrl_message_disconnect_all_instances(self->us, &self->ops, self, self->name, PROTOCOL, self->peer);
		break;
	case 7:
		self->policy = POLICY ^ (next() & 0xff);
		break;
	default:
		otrl_message_poll(self->us, &self->ops, self);
	}
}

static void happen(void)
{
	char text[300];

	switch (next() % 11) {
	case 0:
		text_of(text, sizeof text);
		hear(&alice, text);
		break;
	case 1:
		deliver_one();
		break;
	case 2:
		damage();
		break;
	case 3:
		damage();
		deliver_one();
		break;
	case 4:
		forge();
		break;
	case 5:
	case 6:
		any_plaintext();
		break;
	case 7:
		smp_record();
		break;
	case 8:
		other_key();
		break;
	case 9:
		somebody_acts(&alice);
		break;
	default:
		somebody_acts(&bob);
	}
}

void receive_in_a_state(const unsigned char *data, size_t length, void (*believe)(int));

void receive_in_a_state(const unsigned char *data, size_t length, void (*believe)(int))
{
	enum state state;
	int steps = 0;

	at = data;
	end = data + length;
	steady_begin();
	setenv("OTR_KEYS", KEYS, 0);
	pair_new(POLICY);
	version = 1 + next() % 3;
	state = (enum state) (next() % STATES);
	believe(0);
	enter(state);
	check(reached(state), "alice is in the state that was chosen");
	believe(1);
	while (at < end && steps++ < 30) {
		happen();
	}
	/* Whatever happened, it comes to rest, and the two can talk, with proofs that are proofs. */
	alice.policy = bob.policy = POLICY;
	check(comes_to_rest(), "everything comes to rest");
	believe(0);
	/* For ten seconds a query is answered by an exchange that may have been cut off. */
	steady_time_passes(10);
	check(works() || works(), "the two can talk");
	pair_free();
	if (failures) {
		abort();
	}
}
