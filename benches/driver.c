/* Measures one libotr, loaded by its path: the same calls whichever it is.
 *
 *     driver LIBRARY DIRECTORY    reads lines "row repetitions", answers "part nanoseconds ..." for each, where the
 *                                 nanoseconds are for one repetition. DIRECTORY has the files that are read.
 *     driver --load LIBRARY       prints the nanoseconds that loading and otrl_init take
 *     driver --memory LIBRARY DIRECTORY    prints kilobytes after otrl_init, and per open session
 *
 * It is linked with neither library and not with libgcrypt: a library brings what it needs. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libotr/proto.h>
#include <libotr/privkey.h>
#include <libotr/message.h>
#include <libotr/sm.h>

static void *library;

static void fail(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(1);
}

static void *symbol(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) fail(name);
    return found;
}

/* The library's function of this name, looked up once. */
#define LIB(name) (*({ static __typeof__(name) *function; \
	    if (!function) function = (__typeof__(name) *)symbol(#name); function; }))

/* Processor time: what other processes take from this one does not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void load(const char *path)
{
    library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) fail(dlerror());
    if (LIB(otrl_init)(4, 1, 1)) fail("otrl_init");
}

/* Two people and what is under way between them. */

enum { ALICE, BOB, PEOPLE };
static const char *const NAMES[PEOPLE] = {"alice", "bob"};
static const char PROTOCOL[] = "prpl-bench";
static OtrlUserState us[PEOPLE];
static ConnContext *context[PEOPLE];
static const char *peer_name[PEOPLE] = {"bob", "alice"};
static const char *directory;
static int size_limit;
static int succeeded;

typedef struct s_Post { struct s_Post *next; int to; char *text; } Post;
static Post *first_post, **last_post = &first_post;

static void post(int to, const char *text)
{
    Post *p = malloc(sizeof *p);
    p->next = NULL;
    p->to = to;
    p->text = strdup(text);
    *last_post = p;
    last_post = &p->next;
}

static Post *take_post(void)
{
    Post *p = first_post;
    if (p) {
	first_post = p->next;
	if (!first_post) last_post = &first_post;
    }
    return p;
}

static OtrlPolicy policy(void *data, ConnContext *c)
{
    return OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3;
}
static int is_logged_in(void *data, const char *a, const char *p, const char *r) { return 1; }
static void inject(void *data, const char *a, const char *p, const char *r, const char *message)
{
    post(1 - *(int *)data, message);
}
static void nothing(void *data) { }
static void new_fingerprint(void *data, OtrlUserState u, const char *a, const char *p, const char *n,
	unsigned char f[20]) { }
static void gone_secure(void *data, ConnContext *c) { context[*(int *)data] = c; }
static void still_secure(void *data, ConnContext *c, int is_reply) { context[*(int *)data] = c; }
static int max_message_size(void *data, ConnContext *c) { return size_limit; }
static void smp_event(void *data, OtrlSMPEvent event, ConnContext *c, unsigned short percent, char *question)
{
    if (event == OTRL_SMPEVENT_SUCCESS) succeeded++;
}
static void msg_event(void *data, OtrlMessageEvent event, ConnContext *c, const char *m, gcry_error_t e) { }
static void create_instag(void *data, const char *account, const char *protocol)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/instance-tags", directory);
    LIB(otrl_instag_generate)(us[*(int *)data], path, account, protocol);
}

static OtrlMessageAppOps ops;
static int who[PEOPLE] = {ALICE, BOB};

static void set_ops(void)
{
    ops.policy = policy;
    ops.is_logged_in = is_logged_in;
    ops.inject_message = inject;
    ops.update_context_list = nothing;
    ops.new_fingerprint = new_fingerprint;
    ops.write_fingerprints = nothing;
    ops.gone_secure = gone_secure;
    ops.still_secure = still_secure;
    ops.max_message_size = max_message_size;
    ops.handle_smp_event = smp_event;
    ops.handle_msg_event = msg_event;
    ops.create_instag = create_instag;
}

static void in_directory(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", directory, name);
}

static void make_people(void)
{
    char path[4096];
    if (us[ALICE]) return;
    set_ops();
    in_directory(path, sizeof path, "keys");
    for (int person = ALICE; person < PEOPLE; person++) {
	us[person] = LIB(otrl_userstate_create)();
	if (LIB(otrl_privkey_read)(us[person], path)) fail("reading the keys");
    }
}

/* Hands a message over; the text in it, or NULL. */
static char *receive(int to, const char *text)
{
    char *plain = NULL;
    OtrlTLV *tlvs = NULL;
    int internal = LIB(otrl_message_receiving)(us[to], &ops, &who[to], NAMES[to], PROTOCOL, peer_name[to], text,
	    &plain, &tlvs, NULL, NULL, NULL);
    LIB(otrl_tlv_free)(tlvs);
    if (internal && plain) {
	LIB(otrl_message_free)(plain);
	plain = NULL;
    }
    return plain;
}

/* Delivers what was injected until nothing more comes. */
static void deliver(void)
{
    Post *p;
    while ((p = take_post())) {
	char *plain = receive(p->to, p->text);
	if (plain) LIB(otrl_message_free)(plain);
	free(p->text);
	free(p);
    }
}

static char *encrypt(int from, const char *text, OtrlFragmentPolicy fragments)
{
    char *message = NULL;
    if (LIB(otrl_message_sending)(us[from], &ops, &who[from], NAMES[from], PROTOCOL, peer_name[from],
		OTRL_INSTAG_BEST, text, NULL, &message, fragments, NULL, NULL, NULL))
	fail("encrypting");
    return message;
}

static void exchange_keys(const char *query)
{
    post(BOB, query);
    deliver();
    if (!context[ALICE] || context[ALICE]->msgstate != OTRL_MSGSTATE_ENCRYPTED) fail("no session");
}

static void forget_sessions(void)
{
    for (int person = ALICE; person < PEOPLE; person++) {
	if (context[person]) LIB(otrl_context_force_plaintext)(context[person]);
	context[person] = NULL;
    }
}

static void need_session(void)
{
    make_people();
    if (!context[ALICE] || context[ALICE]->msgstate != OTRL_MSGSTATE_ENCRYPTED) exchange_keys("?OTRv3?");
}

static void say(int from, const char *text)
{
    char *message = encrypt(from, text, OTRL_FRAGMENT_SEND_SKIP);
    char *plain = receive(1 - from, message);
    if (!plain || strcmp(plain, text)) fail("a message was lost");
    LIB(otrl_message_free)(plain);
    LIB(otrl_message_free)(message);
}

static char *text_of(size_t size)
{
    char *text = malloc(size + 1);
    for (size_t i = 0; i < size; i++) text[i] = "abcdefghijklmnopqrstuvwxyz "[(i * 7 + i / 27) % 27];
    text[size] = 0;
    return text;
}

static void answer(const char *part, double nanoseconds, int repetitions)
{
    printf("%s %.1f ", part, nanoseconds / repetitions);
}

/* The rows. */

static void row_ake(const char *query, int first_messages, int repetitions)
{
    double spent = 0;
    make_people();
    for (int i = 0; i < repetitions; i++) {
	forget_sessions();
	double start = now();
	exchange_keys(query);
	if (first_messages) {
	    say(ALICE, "Hello");
	    say(BOB, "Hello");
	}
	spent += now() - start;
    }
    answer("both", spent, repetitions);
}

static void row_round_trip(int repetitions)
{
    char *text = text_of(64);
    need_session();
    say(ALICE, text);
    say(BOB, text);
    double start = now();
    for (int i = 0; i < repetitions; i++) {
	say(ALICE, text);
	say(BOB, text);
    }
    answer("both", now() - start, repetitions);
    free(text);
}

static void row_message(size_t size, int repetitions)
{
    char *text = text_of(size);
    char **messages = calloc(repetitions, sizeof *messages);
    need_session();
    for (int i = 0; i < 3; i++) say(ALICE, text);
    double start = now();
    for (int i = 0; i < repetitions; i++) messages[i] = encrypt(ALICE, text, OTRL_FRAGMENT_SEND_SKIP);
    double sent = now();
    for (int i = 0; i < repetitions; i++) {
	char *plain = receive(BOB, messages[i]);
	if (!plain) fail("a message was lost");
	LIB(otrl_message_free)(plain);
    }
    double received = now();
    answer("send", sent - start, repetitions);
    answer("receive", received - sent, repetitions);
    answer("both", received - start, repetitions);
    for (int i = 0; i < repetitions; i++) LIB(otrl_message_free)(messages[i]);
    free(messages);
    free(text);
}

static void row_fragments(int repetitions)
{
    char *text = text_of(100000);
    double sending = 0, receiving = 0;
    need_session();
    say(ALICE, "Hello");
    for (int i = 0; i < repetitions; i++) {
	size_limit = 400;
	double start = now();
	char *rest = encrypt(ALICE, text, OTRL_FRAGMENT_SEND_ALL);
	double sent = now();
	size_limit = 0;
	Post *all = first_post, *p;
	char *whole = NULL;
	first_post = NULL;
	last_post = &first_post;
	sending += sent - start;
	start = now();
	for (p = all; p; p = p->next) {
	    char *plain = receive(p->to, p->text);
	    if (plain) whole = plain;
	}
	receiving += now() - start;
	while ((p = all)) {
	    all = p->next;
	    free(p->text);
	    free(p);
	}
	if (!whole || strcmp(whole, text)) fail("a long message was lost");
	LIB(otrl_message_free)(whole);
	LIB(otrl_message_free)(rest);
    }
    answer("send", sending, repetitions);
    answer("receive", receiving, repetitions);
    answer("both", sending + receiving, repetitions);
    free(text);
}

/* Each of many conversations receives a message in turn, in user states of their own. */
static void row_conversations(int repetitions)
{
    enum { CONVERSATIONS = 1000 };
    static char names[CONVERSATIONS][16];
    static OtrlUserState theirs[PEOPLE];
    OtrlUserState before[PEOPLE] = {us[ALICE], us[BOB]};
    ConnContext *contexts[PEOPLE] = {context[ALICE], context[BOB]};
    const char *peers[PEOPLE] = {peer_name[ALICE], peer_name[BOB]};
    char *messages[CONVERSATIONS];
    char *text = text_of(64);
    double spent = 0;

    memcpy(us, theirs, sizeof us);
    make_people();
    for (int i = 0; i < CONVERSATIONS && !theirs[ALICE]; i++) {
	snprintf(names[i], sizeof names[i], "peer%d", i);
	peer_name[ALICE] = peer_name[BOB] = names[i];
	exchange_keys("?OTRv3?");
	say(ALICE, text);
    }
    memcpy(theirs, us, sizeof us);
    for (int repetition = 0; repetition < repetitions; repetition++) {
	for (int i = 0; i < CONVERSATIONS; i++) {
	    peer_name[ALICE] = peer_name[BOB] = names[i];
	    messages[i] = encrypt(ALICE, text, OTRL_FRAGMENT_SEND_SKIP);
	}
	double start = now();
	for (int i = 0; i < CONVERSATIONS; i++) {
	    peer_name[ALICE] = peer_name[BOB] = names[i];
	    char *plain = receive(BOB, messages[i]);
	    if (!plain) fail("a message was lost");
	    LIB(otrl_message_free)(plain);
	}
	spent += (now() - start) / CONVERSATIONS;
	for (int i = 0; i < CONVERSATIONS; i++) LIB(otrl_message_free)(messages[i]);
    }
    answer("receive", spent, repetitions);
    free(text);
    memcpy(us, before, sizeof us);
    memcpy(context, contexts, sizeof context);
    memcpy(peer_name, peers, sizeof peer_name);
}

static void row_smp(int repetitions)
{
    static const unsigned char SECRET[] = "the secret";
    need_session();
    double start = now();
    for (int i = 0; i < repetitions; i++) {
	succeeded = 0;
	LIB(otrl_message_initiate_smp)(us[ALICE], &ops, &who[ALICE], context[ALICE], SECRET, sizeof SECRET);
	Post *p = take_post();
	receive(p->to, p->text);
	free(p->text);
	free(p);
	LIB(otrl_message_respond_smp)(us[BOB], &ops, &who[BOB], context[BOB], SECRET, sizeof SECRET);
	deliver();
	if (succeeded != 2) fail("SMP did not succeed");
    }
    answer("both", now() - start, repetitions);
}

static void row_smp_steps(int repetitions)
{
    static const unsigned char SECRET[] = "the secret";
    double spent[6] = {0};
    static const char *const PARTS[6] = {"step1", "step2a", "step2b", "step3", "step4", "step5"};
    for (int i = 0; i < repetitions; i++) {
	OtrlSMState a, b;
	unsigned char *m1, *m2, *m3, *m4;
	int l1, l2, l3, l4;
	gcry_error_t e = 0;
	double t[7];
	LIB(otrl_sm_state_new)(&a);
	LIB(otrl_sm_state_new)(&b);
	t[0] = now();
	e |= LIB(otrl_sm_step1)(&a, SECRET, sizeof SECRET, &m1, &l1);
	t[1] = now();
	e |= LIB(otrl_sm_step2a)(&b, m1, l1, 0);
	t[2] = now();
	e |= LIB(otrl_sm_step2b)(&b, SECRET, sizeof SECRET, &m2, &l2);
	t[3] = now();
	e |= LIB(otrl_sm_step3)(&a, m2, l2, &m3, &l3);
	t[4] = now();
	e |= LIB(otrl_sm_step4)(&b, m3, l3, &m4, &l4);
	t[5] = now();
	e |= LIB(otrl_sm_step5)(&a, m4, l4);
	t[6] = now();
	if (e) fail("SMP did not succeed");
	for (int s = 0; s < 6; s++) spent[s] += t[s + 1] - t[s];
	free(m1);
	free(m2);
	free(m3);
	free(m4);
	LIB(otrl_sm_state_free)(&a);
	LIB(otrl_sm_state_free)(&b);
    }
    for (int s = 0; s < 6; s++) answer(PARTS[s], spent[s], repetitions);
}

static void row_key(int repetitions)
{
    make_people();
    double spent = 0;
    for (int i = 0; i < repetitions; i++) {
	void *handle;
	if (LIB(otrl_privkey_generate_start)(us[ALICE], "new", PROTOCOL, &handle)) fail("starting a key");
	double start = now();
	if (LIB(otrl_privkey_generate_calculate)(handle)) fail("making a key");
	spent += now() - start;
	LIB(otrl_privkey_generate_cancelled)(us[ALICE], handle);
    }
    answer("generate", spent, repetitions);
}

static void row_signature(int repetitions)
{
    unsigned char data[32];
    unsigned char *signature = NULL;
    size_t length = 0;
    double signing = 0, verifying = 0;
    make_people();
    OtrlPrivKey *key = LIB(otrl_privkey_find)(us[ALICE], NAMES[ALICE], PROTOCOL);
    for (int i = 0; i < repetitions; i++) {
	memset(data, i + 1, sizeof data);
	double start = now();
	if (LIB(otrl_privkey_sign)(&signature, &length, key, data, sizeof data)) fail("signing");
	double signed_at = now();
	if (LIB(otrl_privkey_verify)(signature, length, OTRL_PUBKEY_TYPE_DSA, key->privkey, data, sizeof data))
	    fail("verifying");
	verifying += now() - signed_at;
	signing += signed_at - start;
	free(signature);
    }
    answer("sign", signing, repetitions);
    answer("verify", verifying, repetitions);
}

static void row_files(int repetitions)
{
    char keys[4096], fingerprints[4096], unsorted[4096];
    double reading_keys = 0, reading_fingerprints = 0, reading_unsorted = 0, finding = 0;
    in_directory(keys, sizeof keys, "keys-50");
    in_directory(fingerprints, sizeof fingerprints, "fingerprints-10000");
    in_directory(unsorted, sizeof unsorted, "fingerprints-unsorted");
    for (int i = 0; i < repetitions; i++) {
	OtrlUserState state = LIB(otrl_userstate_create)();
	double start = now();
	if (LIB(otrl_privkey_read)(state, keys)) fail("reading 50 keys");
	double read_keys = now();
	if (LIB(otrl_privkey_read_fingerprints)(state, fingerprints, NULL, NULL)) fail("reading fingerprints");
	double read_fingerprints = now();
	const int finds = 1000;
	for (int n = 0; n < finds; n++) {
	    char name[64];
	    snprintf(name, sizeof name, "user%05d@example.org", (n * 7919 + i) % 10000);
	    if (!LIB(otrl_context_find)(state, name, "me@example.org", "prpl-jabber", OTRL_INSTAG_MASTER, 0, NULL,
			NULL, NULL))
		fail("a context is missing");
	}
	double found = now();
	reading_keys += read_keys - start;
	reading_fingerprints += read_fingerprints - read_keys;
	finding += (found - read_fingerprints) / finds;
	LIB(otrl_userstate_free)(state);
	state = LIB(otrl_userstate_create)();
	start = now();
	if (LIB(otrl_privkey_read_fingerprints)(state, unsorted, NULL, NULL)) fail("reading unsorted fingerprints");
	reading_unsorted += now() - start;
	LIB(otrl_userstate_free)(state);
    }
    answer("keys", reading_keys, repetitions);
    answer("fingerprints", reading_fingerprints, repetitions);
    answer("unsorted", reading_unsorted, repetitions);
    answer("find", finding, repetitions);
}

static int run(const char *row, int repetitions)
{
    if (!strcmp(row, "ake3")) row_ake("?OTRv3?", 0, repetitions);
    else if (!strcmp(row, "ake2")) row_ake("?OTRv2?", 0, repetitions);
    else if (!strcmp(row, "ake3-hello")) row_ake("?OTRv3?", 1, repetitions);
    else if (!strcmp(row, "round-trip")) row_round_trip(repetitions);
    else if (!strncmp(row, "message-", 8)) row_message(atoi(row + 8), repetitions);
    else if (!strcmp(row, "fragments")) row_fragments(repetitions);
    else if (!strcmp(row, "conversations")) row_conversations(repetitions);
    else if (!strcmp(row, "smp")) row_smp(repetitions);
    else if (!strcmp(row, "smp-steps")) row_smp_steps(repetitions);
    else if (!strcmp(row, "key")) row_key(repetitions);
    else if (!strcmp(row, "signature")) row_signature(repetitions);
    else if (!strcmp(row, "files")) row_files(repetitions);
    else return 0;
    return 1;
}

/* Resident memory of this process in kilobytes. */
static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) fail("statm");
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Memory of 100 sessions, both ends of each: with 100 correspondents of one user state. */
static void memory(const char *path)
{
    static char names[101][16];
    long before = resident();
    load(path);
    printf("init %ld\n", resident() - before);
    make_people();
    long start = 0;
    for (int i = 0; i <= 100; i++) {
	if (i == 1) start = resident();		/* the first one touched what all of them share */
	snprintf(names[i], sizeof names[i], "peer%d", i);
	peer_name[ALICE] = peer_name[BOB] = names[i];
	exchange_keys("?OTRv3?");
	say(ALICE, "Hello");
	say(BOB, "Hello");
    }
    printf("session %.2f\n", (resident() - start) / 200.0);
}

int main(int argc, char **argv)
{
    char row[64];
    int repetitions;
    if (argc == 3 && !strcmp(argv[1], "--load")) {
	double start = now();
	load(argv[2]);
	printf("load %.1f\n", now() - start);
	return 0;
    }
    if (argc == 4 && !strcmp(argv[1], "--memory")) {
	directory = argv[3];
	memory(argv[2]);
	return 0;
    }
    if (argc != 3) fail("usage: driver LIBRARY DIRECTORY");
    /* Memory that was used once stays here: giving it back and getting it anew, zeroed, is the system's work in every row,
     * and takes as long as the longest messages do. */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    directory = argv[2];
    load(argv[1]);
    while (scanf("%63s %d", row, &repetitions) == 2) {
	if (!run(row, repetitions)) fail(row);
	printf("\n");
	fflush(stdout);
    }
    return 0;
}
