/* Plays a conversation in each version and keeps the messages as seeds for fuzzing:
 * record DIRECTORY. fuzz/record compiles and runs it. */
#include <sys/stat.h>

#include "pair.h"

static const char *directory, *version;
static int number;

static void keep(const char *target, const char *what, const void *bytes, size_t length)
{
	char path[600];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, target);
	mkdir(path, 0777);
	snprintf(path, sizeof path, "%s/%s/v%s-%03d-%s", directory, target, version, number++, what);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) {
		perror(path);
		exit(1);
	}
}

/* Pieces of messages, a line each, all in one file. */
static void keep_piece(const char *text)
{
	char path[600];
	FILE *file;

	snprintf(path, sizeof path, "%s/fragments", directory);
	mkdir(path, 0777);
	snprintf(path, sizeof path, "%s/fragments/v%s-pieces", directory, version);
	if ((file = fopen(path, "ab"))) {
		fprintf(file, "%s\n", text);
		fclose(file);
	}
}

/* What is on the wire, by what it is. */
static void keep_message(const char *text)
{
	unsigned char *bytes = NULL;
	size_t length;

	if (strncmp(text, "?OTR:", 5) == 0 && !otrl_base64_otr_decode(text, &bytes, &length)) {
		keep("messages", "encoded", bytes, length);
		keep("armour", "encoded", text, strlen(text));
		free(bytes);
	} else if (strncmp(text, "?OTR|", 5) == 0 || strncmp(text, "?OTR,", 5) == 0) {
		keep_piece(text);
	}
	/* A message is told by its first characters. */
	keep("tags", "text", text, strncmp(text, "?OTR:", 5) ? strlen(text) : 40);
}

static void deliver(void)
{
	while (wire) {
		Wire *first = wire;
		Party *to = first->from == &alice ? &bob : &alice;
		OtrlTLV *tlvs = NULL, *tlv;
		char *new = NULL;
		unsigned char chain[8000];
		size_t length = 0;

		wire = first->next;
		keep_message(first->text);
		otrl_message_receiving(to->us, &to->ops, to, to->name, PROTOCOL, to->peer, first->text, &new, &tlvs, NULL, NULL, NULL);
		for (tlv = tlvs; tlv && length + 4 + tlv->len < sizeof chain; tlv = tlv->next) {
			chain[length++] = (unsigned char) (tlv->type >> 8);
			chain[length++] = (unsigned char) tlv->type;
			chain[length++] = (unsigned char) (tlv->len >> 8);
			chain[length++] = (unsigned char) tlv->len;
			memcpy(chain + length, tlv->data, tlv->len);
			length += tlv->len;
		}
		if (length) {
			keep("tlvs", "chain", chain, length);
		}
		otrl_tlv_free(tlvs);
		otrl_message_free(new);
		free(first->text);
		free(first);
	}
}

static void turns(int count)
{
	while (count--) {
		say(&alice, MARK " from alice");
		deliver();
		say(&bob, MARK " from bob");
		deliver();
	}
}

static void files(void)
{
	static const char *const targets[] = { "fingerprints", "instance_tags", "private_keys" };
	char path[600];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, targets[i]);
		mkdir(path, 0777);
		snprintf(path, sizeof path, "%s/%s/v%s-file", directory, targets[i], version);
		if (i == 0) {
			otrl_context_set_trust(context_of(&alice, OTRL_INSTAG_BEST)->active_fingerprint, "verified");
			otrl_privkey_write_fingerprints(alice.us, path);
		} else if (i == 1) {
			otrl_instag_write(alice.us, path);
		} else {
			otrl_privkey_generate(alice.us, path, "carol (\"quoted\")", PROTOCOL);
		}
	}
}

/* Schedules for receiving.c and conversation.c: each state with some of each thing that can happen in it. */
static void schedules(void)
{
	static const unsigned char talk[] = { 1, 1, 10, 0, 1, 9, 0, 5, 0, 9, 'h', 'i', 0, 0, 1, 0, 0, 0, 8, 0, 1, 1 };
	static const unsigned char plain[] = { 6, 0, 12, 'h', 'i', 0, 0, 8, 0, 5, 0, 0, 0, 7, 'x', 0, 5, 0, 4, 0, 0, 6, 0, 0,
		5, 0, 3, 'h', 'i', 0, 64, 0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 10, 0, 1 };
	static const unsigned char numbers[] = { 7, 0, 255, 2, 30, 255, 3, 30, 7, 1, 200, 5, 40, 5, 201, 5, 200, 7, 40, 9, 40, 9, 255,
		255, 2, 255, 3, 40, 5, 41, 5, 42, 5, 0, 7, 2, 255, 2, 255, 3, 40, 5, 41, 5, 42, 5, 255, 7, 40, 5, 0, 1, 9, 3, 1 };
	static const unsigned char smp[] = { 10, 2, 1, 9, 3, 1, 10, 3, 1, 1, 10, 4, 1, 9, 4, 1, 9, 6, 1, 9, 0 };
	static const unsigned char damaged[] = { 3, 3, 0, 30, 7, 0, 90, 9, 1, 10, 1, 1, 8, 2, 0, 200, 0, 0, 1, 1, 4, 1, 0, 20, 0, 0, 0, 1,
		0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0 };
	static const unsigned char happens[] = { 1, 0, 1, 5, 'h', 'e', 'l', 'l', 'o', 14, 7, 0, 1, 4, 1, 2, 3, 4, 14, 8, 1, 1, 14, 9, 0, 1, 14,
		5, 0, 60, 9, 1, 3, 1, 4, 16, 13, 1, 1, 90, 0, 1, 2, 'x', 'y', 14, 11, 0, 14, 15, 1, 1, 6, 1, 6, '?', 'O', 'T', 'R', 'v', '3' };
	static const struct {
		const char *name;
		const unsigned char *bytes;
		size_t length;
	} tails[] = { { "talk", talk, sizeof talk }, { "plain", plain, sizeof plain }, { "numbers", numbers, sizeof numbers },
		{ "smp", smp, sizeof smp }, { "damaged", damaged, sizeof damaged } };
	unsigned char bytes[300];

	for (unsigned char state = 0; state < 14; state++) {
		for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
			bytes[0] = (unsigned char) (version[0] - '1');
			bytes[1] = state;
			memcpy(bytes + 2, tails[i].bytes, tails[i].length);
			keep("receiving", tails[i].name, bytes, tails[i].length + 2);
		}
	}
	keep("conversation", "talk", happens, sizeof happens);
}

static void converse(const char *query, OtrlPolicy allowed)
{
	unsigned char key[32];
	ConnContext *a, *b;

	pair_new(allowed | OTRL_POLICY_ERROR_START_AKE | OTRL_POLICY_WHITESPACE_START_AKE);
	/* An offer in white space, which nobody takes up. */
	alice.policy |= OTRL_POLICY_SEND_WHITESPACE_TAG;
	bob.policy &= ~(OtrlPolicy) OTRL_POLICY_WHITESPACE_START_AKE;
	say(&alice, "hello");
	deliver();
	put_on_wire(&alice, query);
	deliver();
	turns(3);
	a = context_of(&alice, OTRL_INSTAG_BEST);
	b = context_of(&bob, OTRL_INSTAG_BEST);
	if (a->msgstate != OTRL_MSGSTATE_ENCRYPTED) {
		fprintf(stderr, "no session of version %s\n", version);
		exit(1);
	}
	/* A heartbeat: bob has been silent for long. */
	b->context_priv->lastsent = 0;
	say(&alice, MARK " are you there?");
	deliver();
	otrl_message_initiate_smp_q(alice.us, &alice.ops, &alice, a, "which?", (const unsigned char *) "s", 1);
	deliver();
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, b, (const unsigned char *) "s", 1);
	deliver();
	otrl_message_initiate_smp(bob.us, &bob.ops, &bob, b, (const unsigned char *) "s", 1);
	deliver();
	otrl_message_abort_smp(alice.us, &alice.ops, &alice, a);
	deliver();
	otrl_message_symkey(alice.us, &alice.ops, &alice, a, 7, (const unsigned char *) "use", 3, key);
	deliver();
	/* A message that cannot be read, an error, and an exchange in pieces. */
	alice.max_size = bob.max_size = 400;
	say(&alice, MARK " lost");
	wire->text[strlen(wire->text) - 30] ^= 1;
	deliver();
	files();
	otrl_message_disconnect_all_instances(bob.us, &bob.ops, &bob, "bob", PROTOCOL, "alice");
	deliver();
	pair_free();
}

int main(int count, char **arguments)
{
	static const char *const queries[] = { "?OTR?", "?OTRv2?", "?OTRv3?" };
	static const OtrlPolicy allowed[] = { OTRL_POLICY_ALLOW_V1, OTRL_POLICY_ALLOW_V2, OTRL_POLICY_ALLOW_V3 };
	static const char *const versions[] = { "1", "2", "3" };

	if (count != 2) {
		return 2;
	}
	directory = arguments[1];
	for (int i = 0; i < 3; i++) {
		version = versions[i];
		number = 0;
		converse(queries[i], allowed[i]);
		schedules();
	}
	return failures != 0;
}
