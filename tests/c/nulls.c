/* NULL for each pointer argument of each exported function in turn, and for all of them: the table in nulls.h has a
 * valid call of each function, and is checked against the headers and the symbols of the library. */
#include "world.h"

#include <ctype.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <libotr/b64.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/sm.h>

/* Exported without a declaration in any header. */
void otrl_sm_msg1_init(gcry_mpi_t **message);
void otrl_sm_msg2_init(gcry_mpi_t **message);
void otrl_sm_msg3_init(gcry_mpi_t **message);
void otrl_sm_msg4_init(gcry_mpi_t **message);
void otrl_sm_msg_free(gcry_mpi_t **message, int length);

/* Which argument is NULL in this call. */
enum { NONE = -1, ALL = -2 };
static int nulled;
static bool is_null(int number) { return nulled == number || nulled == ALL; }
#define P(number, value) (is_null(number) ? NULL : (value))

/* ---- what the calls are given ------------------------------------------------------ */

static Pair two;
static OtrlUserState us;
static Party *alice;
static ConnContext *c, *bobs;
static Fingerprint *print;
static OtrlPrivKey *key;
static OtrlMessageAppOps callbacks, *ops = &callbacks;
static char *data_message;

static int number;
static int *have = &number;
static size_t size;
static unsigned version;
static unsigned char bytes[64], flags, *made;
static char text[64], *string, **strings;
static const char *start, *end;
static void *new_key;
static OtrlTLV *tlvs;
static DH_keypair pair, other;
static DH_sesskeys session;
static OtrlSessionIdHalf half;
static gcry_cipher_hd_t ciphers[2];
static gcry_md_hd_t digests[4];
static gcry_mpi_t *numbers;

static OtrlPolicy policy(void *opdata, ConnContext *context)
{
	(void) opdata;
	(void) context;
	return OTRL_POLICY_MANUAL;
}

static void inject(void *opdata, const char *account, const char *protocol, const char *to, const char *message)
{
	(void) opdata;
	ok(account && protocol && to && message, "inject_message has all its arguments");
}

static void add(void *data, ConnContext *context)
{
	(void) data;
	ok(context != NULL, "add_app_data has a context");
}

static gcry_error_t succeeded(const OtrlAuthInfo *auth, void *data)
{
	(void) data;
	return auth ? 0 : gcry_error(GPG_ERR_INV_VALUE);
}

/* An exchange of which so many messages have been handled: the next one, and who gets it. */
static OtrlAuthInfo *auth;
static char *next;

static void exchange(int messages)
{
	OtrlAuthInfo *sides[2];
	OtrlPrivKey *keys[2] = { key, otrl_privkey_find(us, "bob", PROTOCOL) };
	int i;

	sides[0] = &otrl_context_find(us, "carol", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL)->auth;
	sides[1] = &otrl_context_find(us, "carol", "bob", PROTOCOL, 0, 1, NULL, NULL, NULL)->auth;
	otrl_auth_start_v23(sides[0], 2);
	for (i = 0; ; i++) {
		next = strdup(sides[i % 2]->lastauthmsg);
		auth = sides[(i + 1) % 2];
		if (i == messages) {
			return;
		}
		if (i == 0) {
			otrl_auth_handle_commit(auth, next, 2);
		} else if (i == 1) {
			otrl_auth_handle_key(auth, next, &number, keys[0]);
		} else {
			otrl_auth_handle_revealsig(auth, next, &number, keys[1], succeeded, NULL);
		}
	}
}

static void exchange_v1(void)
{
	exchange(0);
	otrl_auth_start_v1(auth, NULL, 0, otrl_privkey_find(us, "bob", PROTOCOL));
	next = strdup(auth->lastauthmsg);
	auth = &otrl_context_find(us, "carol", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL)->auth;
	otrl_auth_clear(auth);
}

/* An SMP of which so many steps have been done: who does the next one, and with what. */
static OtrlSMState sides[2], *smp;

static void smp_steps(int steps)
{
	int i, length = 0;

	otrl_sm_state_new(&sides[0]);
	otrl_sm_state_new(&sides[1]);
	for (i = 0; i < steps; i++) {
		smp = &sides[(i + 1) / 2 % 2];
		switch (i) {
		case 0: otrl_sm_step1(&sides[0], bytes, 3, &made, &number); break;
		case 1: otrl_sm_step2a(&sides[1], made, number, 0); break;
		case 2: otrl_sm_step2b(&sides[1], bytes, 3, &made, &number); break;
		case 3: otrl_sm_step3(&sides[0], made, number, &made, &length); number = length; break;
		case 4: otrl_sm_step4(&sides[1], made, number, &made, &length); number = length; break;
		}
	}
	smp = &sides[steps == 1 || steps == 2 || steps == 4];
}

static FILE *file_of(const char *path)
{
	FILE *file = tmpfile();
	size_t length = 0;
	char *contents = path ? read_file(path, &length) : NULL;

	if (contents) {
		fwrite(contents, 1, length, file);
		rewind(file);
	}
	return file;
}

static void *calculated(void)
{
	otrl_privkey_generate_start(us, "dave", PROTOCOL, &new_key);
	otrl_privkey_generate_calculate(new_key);
	return new_key;
}

static const char *prints(void)
{
	otrl_privkey_write_fingerprints(us, scratch("prints"));
	return scratch("prints");
}

/* bob has asked. */
static ConnContext *asked(void)
{
	otrl_message_initiate_smp(two.bob->us, &two.bob->ops, two.bob, bobs, bytes, 3);
	pump(two.world);
	return c;
}

static bool signs(void)
{
	return !otrl_privkey_sign(&made, &size, key, bytes, 20);
}

static OtrlInsTag *tag(void)
{
	otrl_instag_generate(us, "/dev/null", "alice", PROTOCOL);
	return us->instag_root;
}

static char **pieces(void)
{
	return otrl_proto_fragment_create(100, 2, &strings, c, "some text to be cut into two pieces, twenty times "
			"twenty times twenty bytes") ? NULL : strings;
}

/* ---- the calls ------------------------------------------------------------------- */

#include "nulls.h"

#define CALL(header, function, pointers, call) static bool call_##function(void) { return call; }
TABLE(CALL)

#define ROW(header, function, pointers, call) { header ".h", #function, pointers, call_##function },
static struct {
	const char *header, *name;
	int pointers;
	bool (*call)(void);
} rows[] = { TABLE(ROW) };
enum { ROWS = sizeof rows / sizeof rows[0] };

static size_t row;
static bool *survived;

static void body(void)
{
	bool worked;

	alarm(30);
	worked = rows[row].call();
	*survived = true;
	ok(nulled != NONE || worked, "comes back");
}

static void prepare(void)
{
	two = pair_private(POLICY_V3);
	alice = two.alice;
	us = alice->us;
	c = context_with(alice, "bob");
	bobs = context_with(two.bob, "alice");
	print = c->active_fingerprint;
	key = otrl_privkey_find(us, "alice", PROTOCOL);
	callbacks.policy = policy;
	callbacks.inject_message = inject;
	tlvs = otrl_tlv_new(99, 3, V "abc");
	otrl_proto_create_data(&data_message, bobs, "text", NULL, 0, NULL);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair);
	otrl_dh_gen_keypair(DH1536_GROUP_ID, &other);
}

/* ---- is the table whole? ----------------------------------------------------------- */

static int find_row(const char *name, size_t length)
{
	int i;

	for (i = 0; i < ROWS; i++) {
		if (strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length)) {
			return i;
		}
	}
	return -1;
}

/* Comments and preprocessor lines become spaces. */
static void only_declarations(char *header)
{
	bool comment = false, line = false;
	char *p, before = '\n';

	for (p = header; *p; before = *p ? *p : before, p++) {
		comment |= !strncmp(p, "/*", 2);
		line |= *p == '#' && before == '\n';
		if (line && *p == '\n' && p[-1] != '\\') {
			line = false;
		} else if (comment && !strncmp(p, "*/", 2)) {
			comment = false;
			p[0] = p[1] = ' ';
		} else if (comment || (line && *p != '\\')) {
			*p = ' ';
		}
	}
}

/* How many of the arguments between these parentheses are pointers. */
static int count_pointers(const char *p)
{
	static const char *const types[] = { "*", "[", "OtrlUserState", "gcry_mpi_t", "gcry_sexp_t" };
	int depth = 0, pointers = 0;
	bool pointer = false;
	size_t i;

	do {
		depth += (*p == '(') - (*p == ')');
		for (i = 0; i < sizeof types / sizeof types[0]; i++) {
			pointer |= !strncmp(p, types[i], strlen(types[i]));
		}
		if ((*p == ',' && depth == 1) || depth == 0) {
			pointers += pointer;
			pointer = false;
		}
	} while (*p++ && depth > 0);
	return pointers;
}

static void the_headers(void)
{
	char path[600], *header, *p;
	size_t length, directory = (size_t) (strrchr(__FILE__, '/') - __FILE__);
	int i, found = 0;

	for (i = 0; i < ROWS; i++) {
		if (i && rows[i].header == rows[i - 1].header) {
			continue;
		}
		snprintf(path, sizeof path, "%.*s/../../include/abi5/libotr/%s", (int) directory, __FILE__, rows[i].header);
		header = read_file(path, NULL);
		ok(header != NULL, "%s is there", rows[i].header);
		if (!header) {
			continue;
		}
		only_declarations(header);
		for (p = header; (p = strstr(p, "otrl_")) != NULL; p += length) {
			for (length = 0; isalnum((unsigned char) p[length]) || p[length] == '_'; length++) { }
			if (p[length] == '(') {
				int r = find_row(p, length);

				found++;
				ok(r >= 0 && rows[r].pointers == count_pointers(p + length), "%.*s with its %d pointers",
						(int) length, p, count_pointers(p + length));
			}
		}
		free(header);
	}
	ok(found == ROWS - 5, "%d functions are declared, 5 are not", found);
}

static void the_symbols(void)
{
	char line[300], *name;
	Dl_info info;
	FILE *list;
	int found = 0;

	dladdr((void *) (size_t) otrl_version, &info);
	snprintf(line, sizeof line, "nm -D --defined-only '%s'", info.dli_fname);
	list = popen(line, "r");
	while (list && fgets(line, sizeof line, list)) {
		line[strcspn(line, "\n")] = '\0';
		name = strstr(line, " T otrl_");
		if (name) {
			found++;
			ok(find_row(name + 3, strlen(name + 3)) >= 0, "%s is in the table", name + 3);
		}
	}
	ok(list && pclose(list) == 0 && found == ROWS, "%d functions are exported", found);
}

int main(void)
{
	int functions = 0, calls = 0, crashed = 0, all[3] = { 0, 0, 0 };
	char name[120];
	size_t i;

	survived = mmap(NULL, sizeof *survived, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	run_case("headers", the_headers);
	run_case("symbols", the_symbols);
	prepare();
	printf("# | header | functions | calls | crashed |\n");
	for (row = 0; row < ROWS; row++) {
		nulled = NONE;
		run_case(rows[row].name, body);
		functions++;
		for (nulled = rows[row].pointers > 1 ? ALL : 0; nulled < rows[row].pointers; nulled++) {
			if (nulled == NONE) {
				continue;
			}
			snprintf(name, sizeof name, "%s, NULL for %s %d", rows[row].name,
					nulled == ALL ? "all, that is" : "pointer", nulled == ALL ? rows[row].pointers : nulled);
			*survived = false;
			run_better(name, body);
			calls++;
			crashed += !*survived;
		}
		if (row + 1 == ROWS || rows[row + 1].header != rows[row].header) {
			printf("# | %s | %d | %d | %d |\n", rows[row].header, functions, calls, crashed);
			all[0] += functions;
			all[1] += calls;
			all[2] += crashed;
			functions = calls = crashed = 0;
		}
	}
	printf("# | all | %d | %d | %d |\n", all[0], all[1], all[2]);
	for (i = 0; i < ROWS; i++) {
		if (!rows[i].pointers) {
			printf("# without pointers: %s\n", rows[i].name);
		}
	}
	return finish();
}
