/* test: faults
 * Long messages and long files while there is no memory for them. Each action runs in its own process. "sizes": for each
 * size from 1 KiB to 8 MiB all allocations of at least that size fail. "once": each allocation of at least 1 KiB fails alone.
 * "lasting": from each of them on, all fail. Whatever fails: no process is aborted, no plaintext goes out, nothing leaks, and
 * an existing session goes on. Whatever is still shown, sent, read or written is complete. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "pair.h"

#define LONG (2u << 20)
#define MOST (900u << 10)

/* All processes count here. */
static struct { unsigned long runs, refused, bad; } *counts;

static char *letters, *with_tag, *query, *error_text, *commit, *armoured, *data_message, *half_base64;
static char *fragments[2], *in_pieces, *pieces[100];
static int piece_count;
static char keys[512], prints[512], tags[512], scratch[512];

static char *text_of(size_t length, const char *start, const char *end)
{
	char *text = malloc(length + strlen(start) + strlen(end) + 1);

	strcpy(text, start);
	memset(text + strlen(start), 'x', length);
	strcpy(text + strlen(start) + length, end);
	return text;
}

/* Sends without the checks of pair.c, to anybody. */
static gcry_error_t send_to(Party *self, const char *whom, const char *text, OtrlTLV *chain, OtrlFragmentPolicy policy, char **message)
{
	*message = NULL;
	return otrl_message_sending(self->us, &self->ops, self, self->name, PROTOCOL, whom, OTRL_INSTAG_BEST, text, chain, message,
			policy, NULL, NULL, NULL);
}

/* A message from somebody else than the one with the session. What is shown must be whole. */
static void hear_from(const char *whom, const char *text, const char *shown)
{
	char *new = NULL;
	OtrlTLV *chain = NULL;

	if (!otrl_message_receiving(bob.us, &bob.ops, &bob, bob.name, PROTOCOL, whom, text, &new, &chain, NULL, NULL, NULL)) {
		check(strcmp(new ? new : text, shown) == 0 || strcmp(new ? new : text, text) == 0, "what is shown is whole");
	}
	otrl_message_free(new);
	otrl_tlv_free(chain);
	drop_wire();
}

static void receive_plain(void) { hear_from("carol", letters, letters); }
static void receive_tagged(void) { hear_from("carol", with_tag, letters); }
static void receive_query(void) { hear_from("carol", query, query); }
static void receive_error(void) { hear_from("carol", error_text, error_text); }
static void receive_commit(void) { hear_from("carol", commit, ""); }
static void receive_data(void) { hear_from("carol", data_message, ""); }
static void receive_base64(void) { hear_from("carol", half_base64, ""); }

static void receive_fragments(void)
{
	hear_from("carol", fragments[0], "");
	hear_from("carol", fragments[0], "");
	hear_from("carol", fragments[1], "");
}

static void send_plain(void)
{
	char *message;

	alice.policy |= OTRL_POLICY_SEND_WHITESPACE_TAG;
	if (!send_to(&alice, "dave", letters, NULL, OTRL_FRAGMENT_SEND_SKIP, &message) && message) {
		check(strncmp(message, letters, LONG) == 0, "what is sent is whole");
	}
	otrl_message_free(message);
	alice.policy &= ~OTRL_POLICY_SEND_WHITESPACE_TAG;
}

static void send_held(void)
{
	char *message, *text = text_of(MOST, MARK, "");

	alice.policy |= OTRL_POLICY_REQUIRE_ENCRYPTION;
	if (!send_to(&alice, "dave", text, NULL, OTRL_FRAGMENT_SEND_SKIP, &message)) {
		check(message && !strstr(message, MARK), "a query is sent instead");
	}
	otrl_message_free(message);
	alice.policy &= ~OTRL_POLICY_REQUIRE_ENCRYPTION;
	free(text);
}

static void send_long(void) { say(&alice, letters); }

static void send_pieces(void)
{
	char *message;

	alice.max_size = 100000;
	send_to(&alice, "bob", letters, NULL, OTRL_FRAGMENT_SEND_ALL_BUT_FIRST, &message);
	alice.max_size = 0;
	check(!message || !strstr(message, MARK), "no plaintext in pieces");
	otrl_message_free(message);
}

static OtrlTLV *records(void)
{
	OtrlTLV *chain = NULL;

	for (int i = 0; i < 30; i++) {
		OtrlTLV *record = otrl_tlv_new((unsigned short) (100 + i), 60000, NULL);

		if (record) {
			record->next = chain;
			chain = record;
		}
	}
	return chain;
}

static void send_records(void)
{
	OtrlTLV *chain = records();
	char *message;

	if (!send_to(&alice, "bob", MARK " and records", chain, OTRL_FRAGMENT_SEND_SKIP, &message)) {
		check(message && !strstr(message, MARK), "no plaintext with records");
		put_on_wire(&alice, message ? message : "");
	}
	otrl_message_free(message);
	otrl_tlv_free(chain);
	settle(100);
}

static void send_key_use(void)
{
	unsigned char key[32];

	otrl_message_symkey(alice.us, &alice.ops, &alice, context_of(&alice, OTRL_INSTAG_BEST), 1, (unsigned char *) letters, 60000, key);
	settle(100);
}

static void compare(const char *question, const char *secret)
{
	size_t length = strlen(secret);

	otrl_message_initiate_smp_q(alice.us, &alice.ops, &alice, context_of(&alice, OTRL_INSTAG_BEST), question,
			(const unsigned char *) secret, length);
	settle(100);
	otrl_message_respond_smp(bob.us, &bob.ops, &bob, context_of(&bob, OTRL_INSTAG_BEST), (const unsigned char *) secret, length);
	settle(100);
}

static void ask(void)
{
	char *question = text_of(60000, "Who", "?");

	compare(question, letters);
	free(question);
}

/* Sent before anything fails; the text arrives now, or when it is sent again, or somebody is told. */
static void receive_long(void)
{
	int events = bob.events;

	hear(&bob, data_message);
	check(bob.events > events || (bob.shown && strcmp(bob.shown, letters) == 0), "the text is shown whole, or the user is told");
}

static void receive_damaged(void)
{
	data_message[strlen(data_message) - 60] ^= 1;
	hear(&bob, data_message);
	check(!bob.shown || strcmp(bob.shown, letters) != 0, "what is damaged is not shown");
}

static void receive_pieces(void)
{
	int events = bob.events;

	for (int i = 0; i < piece_count; i++) {
		hear(&bob, pieces[i]);
	}
	check(bob.events > events || (bob.shown && strcmp(bob.shown, letters) == 0), "all pieces are shown, or the user is told");
}

static void base64(void)
{
	size_t length = strlen(armoured) - 6, got = 0;
	unsigned char *bytes = malloc(length), *whole = NULL;
	char *text = malloc(LONG / 3 * 4 + 8), *again;
	int status;

	check(otrl_base64_encode(text, (unsigned char *) letters, LONG) == (LONG + 2) / 3 * 4, "all is encoded");
	check(otrl_base64_decode(bytes, text, (LONG + 2) / 3 * 4) == LONG && memcmp(bytes, letters, LONG) == 0, "and decoded");
	text[1000] = ' ';
	check(otrl_base64_decode(bytes, text, (LONG + 2) / 3 * 4) == LONG - 1, "and decoded leniently");
	again = otrl_base64_otr_encode((unsigned char *) letters, LONG);
	check(!again || strcmp(again, armoured) == 0, "the armour is whole");
	status = otrl_base64_otr_decode(armoured, &whole, &got);
	check(status == -1 || (status == 0 && got == LONG && memcmp(whole, letters, LONG) == 0), "-1 without memory, or all of it");
	free(whole);
	whole = NULL;
	status = otrl_base64_otr_decode(half_base64, &whole, &got);
	check(status == -1 || status == 0, "-1 without memory");
	free(whole);
	free(again);
	free(text), free(bytes);
}

static void by_hand(void)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);
	char *message = NULL, *text = NULL, **cut = NULL;
	const char *start, *end;
	OtrlTLV *chain = records(), *received = NULL, *read;
	unsigned char flags, key[32], *bytes = malloc(30 * 60004);
	size_t length = otrl_tlv_seriallen(chain);
	unsigned int from, to;

	check(otrl_auth_handle_commit(&a->auth, commit, 2) != 0, "a DH-commit of 1.5 MB is refused");
	check(otrl_proto_message_type(data_message) == OTRL_MSGTYPE_DATA, "a kind needs no memory");
	check(otrl_proto_message_version(data_message) == 3, "nor does a version");
	check(!otrl_proto_instance(data_message, &from, &to), "nor do instance tags");
	otrl_proto_query_bestversion(query, OTRL_POLICY_DEFAULT);
	otrl_proto_whitespace_bestversion(with_tag, &start, &end, OTRL_POLICY_DEFAULT);
	check(!otrl_proto_data_read_flags(data_message, &flags), "flags are read without memory");
	text = otrl_proto_default_query_msg(letters, OTRL_POLICY_DEFAULT);
	free(text);
	text = NULL;
	otrl_tlv_serialize(bytes, chain);
	read = otrl_tlv_parse(bytes, length);
	check(!read || otrl_tlv_seriallen(read) == length, "all records are read, or none");
	otrl_tlv_free(read);
	if (!otrl_proto_fragment_create(100000, 22, &cut, a, letters)) {
		check(cut && cut[21], "all pieces are made");
		otrl_proto_fragment_free(&cut, 22);
	}
	if (!otrl_proto_create_data(&message, a, letters, chain, 0, key)) {
		check(message && !strstr(message, MARK), "a data message");
		if (!otrl_proto_accept_data(&text, &received, b, message, &flags, key)) {
			check(strcmp(text, letters) == 0 && received, "is read whole");
		}
	}
	free(message);
	free(text);
	free(bytes);
	otrl_tlv_free(received);
	otrl_tlv_free(chain);
}

static void accumulate(void)
{
	char *whole = NULL;
	ConnContext *b = context_of(&bob, OTRL_INSTAG_BEST);

	for (int i = 0; i < piece_count; i++) {
		if (otrl_proto_fragment_accumulate(&whole, b, pieces[i]) == OTRL_FRAGMENT_COMPLETE) {
			check(whole && strcmp(whole, in_pieces) == 0, "what is put together is whole");
			free(whole);
		}
	}
}

static void read_files(void)
{
	OtrlUserState us = otrl_userstate_create();

	if (!us) {
		return;
	}
	if (!otrl_privkey_read(us, keys)) {
		check(otrl_privkey_find(us, "account 0", PROTOCOL) && otrl_privkey_find(us, "account 599", PROTOCOL), "all keys are read");
	}
	if (!otrl_privkey_read_fingerprints(us, prints, NULL, NULL)) {
		check(otrl_context_find(us, "user 0", "me", PROTOCOL, OTRL_INSTAG_MASTER, 0, NULL, NULL, NULL) != NULL
				&& otrl_context_find(us, "user 2999", "me", PROTOCOL, OTRL_INSTAG_MASTER, 0, NULL, NULL, NULL) != NULL,
				"all fingerprints are read");
	}
	if (!otrl_instag_read(us, tags)) {
		check(otrl_instag_find(us, "account 0", PROTOCOL) && otrl_instag_find(us, "account 2999", PROTOCOL), "all tags are read");
	}
	otrl_userstate_free(us);
}

static long size_of(const char *path)
{
	struct stat found;

	return stat(path, &found) ? -1 : (long) found.st_size;
}

/* The user state is filled before anything fails. */
static OtrlUserState filled;

static void write_files(void)
{
	char *name = text_of(LONG, "/", "");

	snprintf(scratch, sizeof scratch, "%s/written.%d", getenv("OTR_SCRATCH"), (int) getpid());
	if (!otrl_privkey_write_fingerprints(filled, scratch)) {
		check(size_of(scratch) == size_of(prints), "all fingerprints are written");
	}
	unlink(scratch);
	if (!otrl_instag_write(filled, scratch)) {
		check(size_of(scratch) > 3000 * 20, "all tags are written");
	}
	unlink(scratch);
	check(otrl_privkey_read(filled, name) && otrl_privkey_write_fingerprints(filled, name) && otrl_instag_write(filled, name),
			"a long name names no file");
	check(otrl_privkey_find(filled, "account 0", PROTOCOL) != NULL, "no key is lost");
	free(name);
}

static void make_key(void)
{
	snprintf(scratch, sizeof scratch, "%s/made.%d", getenv("OTR_SCRATCH"), (int) getpid());
	if (!otrl_privkey_generate(filled, scratch, "account new", PROTOCOL)) {
		check(otrl_privkey_find(filled, "account new", PROTOCOL) && size_of(scratch) > size_of(keys), "the new key is written with all others");
	}
	check(otrl_privkey_find(filled, "account 0", PROTOCOL) && otrl_privkey_find(filled, "account 599", PROTOCOL), "no key is lost");
	unlink(scratch);
}

static const struct action {
	const char *name;
	void (*run)(void);
} actions[] = {
	{ "receive plaintext", receive_plain }, { "receive tagged plaintext", receive_tagged }, { "receive a query", receive_query },
	{ "receive an error", receive_error }, { "receive a DH-commit", receive_commit }, { "receive data without a session", receive_data },
	{ "receive odd base64", receive_base64 }, { "receive fragments without a session", receive_fragments },
	{ "send plaintext", send_plain }, { "send what is held back", send_held }, { "send encrypted", send_long },
	{ "send in pieces", send_pieces }, { "send records", send_records }, { "use the extra key", send_key_use }, { "SMP", ask },
	{ "receive encrypted", receive_long }, { "receive damaged", receive_damaged }, { "receive pieces", receive_pieces },
	{ "base64", base64 }, { "by hand", by_hand }, { "fragments by hand", accumulate },
	{ "read files", read_files }, { "write files", write_files }, { "make a key", make_key },
};

static int goes_on(Party *from, Party *to, const char *text)
{
	say(from, text);
	return settle(200) && to->shown && strcmp(to->shown, text) == 0;
}

/* What holds after whatever failed. */
static void after(const struct action *action, const char *what)
{
	ConnContext *a = context_of(&alice, OTRL_INSTAG_BEST), *b = context_of(&bob, OTRL_INSTAG_BEST);

	check(a && a->msgstate == OTRL_MSGSTATE_ENCRYPTED && b && b->msgstate == OTRL_MSGSTATE_ENCRYPTED, "the session is there");
	for (Wire *message = wire; message; message = message->next) {
		check(!strstr(message->text, MARK), "no plaintext on the wire");
	}
	settle(200);
	check(goes_on(&alice, &bob, MARK " from alice") && goes_on(&bob, &alice, MARK " from bob"), "the session goes on");
	pair_free();
	otrl_userstate_free(filled);
	free(commit);
	free(armoured);
	free(in_pieces);
	check(faults_live() == 0, "nothing leaks");
	if (failures) {
		printf("   (%s, %s; %lu blocks left)\n", action->name, what, faults_live());
		fflush(stdout);
	}
	_exit(failures != 0);
}

/* Runs an action in a process of its own; allocations of at least `least` bytes fail, the `first` ones excepted: all others,
 * or one. Gives how many failed. */
static unsigned long run(const struct action *action, size_t least, unsigned long first, int all)
{
	char what[80];
	int status;

	snprintf(what, sizeof what, "%s %zu bytes and more after the first %lu", all ? "all of" : "one of", least, first);
	fflush(stdout);
	counts->runs++;
	counts->refused = 0;
	if (fork() == 0) {
		alarm(120);
		faults_refuse(least, first, all);
		action->run();
		counts->refused = faults_refused();
		faults_refuse(0, 0, 0);
		after(action, what);
	}
	if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		counts->bad++;
		printf("not ok - %s, %s: status %x\n", action->name, what, (unsigned) status);
	}
	return counts->refused;
}

static FILE *in_scratch(char path[512], const char *name)
{
	snprintf(path, 512, "%s/%s", getenv("OTR_SCRATCH"), name);
	return fopen(path, "wb");
}

static void make_files(void)
{
	FILE *from = fopen(keys_file(), "rb"), *file;
	char text[8192], *key, *end;
	size_t length = fread(text, 1, sizeof text - 1, from);

	fclose(from);
	text[length] = 0;
	key = strstr(text, "(private-key");
	/* With the end of the account. */
	end = strstr(key, "\n (account");
	*end = 0;
	file = in_scratch(keys, "keys");
	fputs("(privkeys\n", file);
	for (int i = 0; i < 600; i++) {
		fprintf(file, " (account\n(name \"account %d\")\n(protocol %s)\n%s\n", i, PROTOCOL, key);
	}
	fputs(")\n", file);
	fclose(file);
	file = in_scratch(prints, "prints");
	for (int i = 0; i < 3000; i++) {
		fprintf(file, "user %d\tme\t%s\t%040x\tverified in person, by a trust that takes some room\n", i, PROTOCOL, i);
	}
	fclose(file);
	file = in_scratch(tags, "tags");
	for (int i = 0; i < 3000; i++) {
		fprintf(file, "account %d\t%s\t%08x\n", i, PROTOCOL, 0x1000 + i);
	}
	fclose(file);
	filled = otrl_userstate_create();
	check(!otrl_privkey_read(filled, keys) && !otrl_privkey_read_fingerprints(filled, prints, NULL, NULL)
			&& !otrl_instag_read(filled, tags), "the files can be read");
}

static void make_messages(void)
{
	static const unsigned char start[] = { 0, 2, 2, 0, 0x17, 0, 0 };
	unsigned char *bytes = calloc(1, sizeof start + 0x170000 + 36);

	letters = text_of(LONG - strlen(MARK), MARK, "");
	with_tag = text_of(LONG - strlen(MARK), MARK, OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2 OTRL_MESSAGE_TAG_V3);
	query = text_of(LONG, "?OTRv23? ", "");
	error_text = text_of(LONG, "?OTR Error: ", "");
	memcpy(bytes, start, sizeof start);
	bytes[sizeof start + 0x170000 + 3] = 32;
	commit = otrl_base64_otr_encode(bytes, sizeof start + 0x170000 + 36);
	armoured = otrl_base64_otr_encode((unsigned char *) letters, LONG);
	half_base64 = text_of(LONG, "?OTR:AAIC ", ".");
	fragments[0] = text_of(200u << 10, "?OTR,1,2,", ",");
	fragments[1] = text_of(40u << 10, "?OTR,2,2,", ",");
	free(bytes);
	/* One that bob has not got yet, whole and in pieces. */
	say(&alice, letters);
	data_message = strdup(wire->text);
	drop_wire();
	alice.max_size = 100000;
	send_to(&alice, "bob", letters, NULL, OTRL_FRAGMENT_SEND_ALL, &in_pieces);
	alice.max_size = 0;
	for (Wire *piece = wire; piece && piece_count < 100; piece = piece->next) {
		pieces[piece_count++] = strdup(piece->text);
	}
	drop_wire();
	check(commit && armoured && data_message && in_pieces && piece_count > 20, "there is something to receive");
}

int main(int count, char **arguments)
{
	OtrlPolicy policy = OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3 | OTRL_POLICY_ERROR_START_AKE | OTRL_POLICY_WHITESPACE_START_AKE;
	unsigned long refused = 0;
	int lasting = count > 1 && strcmp(arguments[1], "lasting") == 0;
	int one_by_one = lasting || (count > 1 && strcmp(arguments[1], "once") == 0);
	unsigned long stride = count > 2 ? strtoul(arguments[2], NULL, 10) : 1;

	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OTRL_INIT;
	pair_new(policy);
	/* Once through, so that what is asked only once has been. */
	go_secure();
	compare("which?", "a secret");
	pair_free();
	faults_plan(MEMORY, 0, 1, 0);
	pair_new(policy);
	go_secure();
	check(both_secure(), "there is a session");
	make_files();
	make_messages();
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (count > 3 && strcmp(arguments[3], actions[i].name) != 0) {
			continue;
		}
		if (one_by_one) {
			for (unsigned long first = 0; run(&actions[i], 1024, first, lasting); first += stride) {
				refused++;
			}
			continue;
		}
		for (size_t least = 1024; least <= 8u << 20; least *= 2) {
			refused += run(&actions[i], least, 0, 1);
		}
	}
	checks += counts->runs;
	failures += counts->bad;
	printf("# %lu runs, %lu allocations refused\n", counts->runs, refused);
	check(count > 3 || refused > 100, "there were allocations to refuse");
	return finish("long messages and files");
}
