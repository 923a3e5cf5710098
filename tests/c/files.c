/* The three files: error numbers, odd names byte for byte, special files, full
 * disks, directories that may not be written.   test: c99 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static OtrlUserState fresh(void)
{
	OTRL_INIT;
	return otrl_userstate_create();
}

static int count_keys(OtrlUserState us)
{
	OtrlPrivKey *key;
	int n = 0;

	for (key = us->privkey_root; key; key = key->next) {
		n++;
	}
	return n;
}

static int keys_in(const char *path)
{
	OtrlUserState us = fresh();
	int n = otrl_privkey_read(us, path) == 0 ? count_keys(us) : -1;

	otrl_userstate_free(us);
	return n;
}

static void copy_keys(const char *to)
{
	size_t len;
	char *data = read_file(keys_all(), &len);

	write_file(to, data, len);
	free(data);
}

static void error_numbers(void)
{
	OtrlUserState us = fresh();
	void *handle = NULL;
	gcry_error_t err;
	static const struct {
		const char *text;
		gcry_error_t err;
	} table[] = {
		{ "(privkeys (account", 0x010000cb }, { "(", 0x010000cb }, { ")", 0x010000cb },
		{ "(privkeys (account (name \"x", 0x010000cb }, { "(privkeys #12", 0x010000cb },
		{ "rubbish", 0x20000036 }, { "()", 0x20000036 }, { "(other)", 0x20000036 },
		{ "(privkeys x)", 0x20000036 }, { "(privkeys (account)) x", 0x20000036 },
		{ "(privkeys (account (name x)(protocol p)))", 0x20000036 },
		{ "(privkeys (account (name)(protocol p)))", 0x20000036 },
		{ "(privkeys (account (protocol p)(private-key (dsa (p #01#)))))", 0x20000036 },
		{ "(privkeys (account (name x)(private-key (dsa (p #01#)))))", 0x20000036 },
		{ "(privkeys (notaccount (name x)))", 0x20000036 },
		{ "(privkeys (account (name x)(protocol p)(private-key (rsa (n #01#)))))", 0x20000036 },
		{ "(privkeys (account (name x)(protocol p)(private-key (dsa (p #01#)))))", 0x20000036 },
		/* Which error of its own libgcrypt finds here does not matter. */
		{ "", 0 }, { "(privkeys (account (name #0g#", 0 }, { "(privkeys |!|)", 0 },
		{ "(privkeys (account (name 99:x)))", 0 }, { "(privkeys \"\\q\")", 0 },
	};
	size_t i;

	ok(otrl_privkey_read(us, "/nonexistent") == gcry_error_from_errno(ENOENT)
			&& otrl_privkey_read(us, "/nonexistent") == 0x01008051, "no key file: ENOENT");
	ok(otrl_privkey_read_fingerprints(us, "/nonexistent", NULL, NULL) == 0x01008051
			&& otrl_instag_read(us, "/nonexistent") == 0x01008051, "nor the two others");
	ok(otrl_privkey_write_fingerprints(us, "/nonexistent/x") == 0x01008051
			&& otrl_instag_write(us, "/nonexistent/x") == 0x01008051
			&& otrl_instag_generate(us, "/nonexistent/x", "a", "p") == 0x01008051
			&& otrl_privkey_generate(us, "/nonexistent/x", "a", "p") == 0x01008051,
			"writing into a directory that is not there");
	err = otrl_privkey_generate(us, "/", "a", "p");
	ok(err == gcry_error_from_errno(EISDIR), "generating into a directory: EISDIR (%x)",
			(unsigned) err);
	ok(otrl_privkey_write_fingerprints(us, "/") == gcry_error_from_errno(EISDIR), "as others");
	ok(otrl_privkey_read(us, "/") != 0, "reading a directory as keys is an error");
	ok(otrl_instag_read(us, "/") == 0 && otrl_privkey_read_fingerprints(us, "/", NULL, NULL)
			== 0, "and as the other two gives nothing");
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		write_file(scratch("bad"), table[i].text, strlen(table[i].text));
		err = otrl_privkey_read(us, scratch("bad"));
		ok(table[i].err ? err == table[i].err : err != 0,
				"'%s' gives %x", table[i].text, (unsigned) err);
	}
	write_file(scratch("bad"), "(privkeys)", 10);
	ok(otrl_privkey_read(us, scratch("bad")) == 0, "a list of no keys is fine");
	ok(otrl_privkey_generate_start(us, "a", "p", &handle) == 0
			&& otrl_privkey_generate_start(us, "a", "p", &handle) == 0x20008023, "EEXIST");
	ok(!strcmp(gcry_strerror(0x01008051), "No such file or directory"), "gcry_strerror");
	otrl_userstate_free(us);
}

static void nameless_FILE(void)
{
	OtrlUserState us = fresh();

	ok(otrl_privkey_read_FILEp(us, NULL) == 0
			&& otrl_privkey_read_fingerprints_FILEp(us, NULL, NULL, NULL) == 0
			&& otrl_privkey_write_fingerprints_FILEp(us, NULL) == 0
			&& otrl_instag_read_FILEp(us, NULL) == 0, "a NULL FILE* is silently fine");
	otrl_userstate_free(us);
}

static void null_instag_file(void)
{
	OtrlUserState us = fresh();

	otrl_instag_write_FILEp(us, NULL);
	otrl_instag_generate_FILEp(us, NULL, "a", "p");
	ok(1, "writing tags to a NULL FILE*");
	otrl_userstate_free(us);
}

/* ---- names -------------------------------------------------------------------- */

static const struct {
	const char *name, *atom;
} odd[] = {
	{ "bob", "bob" },
	{ "bob@example.org", "\"bob@example.org\"" },
	{ "", "\"\"" },
	{ "1234", "\"1234\"" },
	{ "a b", "\"a b\"" },
	{ "quo\"te", "\"quo\\\"te\"" },
	{ "back\\slash", "\"back\\\\slash\"" },
	{ "apo'strophe", "\"apo\\'strophe\"" },
	{ "(paren)", "\"(paren)\"" },
	{ "J\xc3\xb6rg", NULL },
	{ "tab\there", NULL },
	{ "new\nline", NULL },
	{ "-dash", NULL },
	{ "a.b/c_d:e*f+g=h", NULL },
	{ "#x#", NULL },
	{ "|b64|", NULL },
	{ "\x01\x02\x7f", NULL },
	{ "x\xff\xfe", NULL },
};
enum { ODD = sizeof odd / sizeof odd[0] };

static void names_of_keys(void)
{
	OtrlUserState us = fresh(), again = fresh();
	size_t i, len;
	char *text, wanted[100];

	for (i = 0; i < ODD; i++) {
		ok(otrl_privkey_generate(us, scratch("names"), odd[i].name, odd[ODD - 1 - i].name)
				== 0, "a key for name %u", (unsigned) i);
	}
	text = read_file(scratch("names"), &len);
	for (i = 0; i < ODD; i++) {
		snprintf(wanted, sizeof wanted, "(name %s)\n", odd[i].atom);
		ok(!odd[i].atom || strstr(text, wanted), "written as %s", wanted);
	}
	ok(otrl_privkey_read(again, scratch("names")) == 0, "read again");
	for (i = 0; i < ODD; i++) {
		OtrlPrivKey *key = otrl_privkey_find(again, odd[i].name, odd[ODD - 1 - i].name);
		OtrlPrivKey *old = otrl_privkey_find(us, odd[i].name, odd[ODD - 1 - i].name);

		ok(key && old && key->pubkey_datalen == old->pubkey_datalen
				&& !memcmp(key->pubkey_data, old->pubkey_data, key->pubkey_datalen),
				"name %u is found with its key", (unsigned) i);
	}
	/* Written by both states, the two files agree but for the order. */
	ok(otrl_privkey_generate(again, scratch("names2"), "last", "last") == 0, "written again");
	free(text);
	text = read_file(scratch("names2"), NULL);
	for (i = 0; i < ODD; i++) {
		snprintf(wanted, sizeof wanted, "(name %s)\n", odd[i].atom);
		ok(!odd[i].atom || strstr(text, wanted), "and still as %s", wanted);
	}
	free(text);
	otrl_userstate_free(us);
	otrl_userstate_free(again);
}

/* Every way in which an S-expression can spell the same thing. */
static void spellings(void)
{
	static const char *const heads[] = {
		"(privkeys (account (name alice) (protocol prpl-test)",
		"(privkeys\n(account\n(name \"alice\")\n(protocol \"prpl-test\")",
		"(privkeys(account(name #616c696365#)(protocol #70 72 70 6c 2d 74 65 73 74#)",
		"(8:privkeys(7:account(4:name5:alice)(8:protocol9:prpl-test)",
		"( privkeys ( account ( name |YWxpY2U=| ) ( protocol \"prpl\\x2dtest\" )",
		"(\"privkeys\" (\"account\" (\"name\" \"al\\151ce\") (\"protocol\" 9:prpl-test)",
	};
	size_t i, len;
	char *all = read_file(keys_all(), &len), *key, *end, *text;
	OtrlUserState us = fresh(), old = fresh();

	otrl_privkey_read(old, keys_all());
	key = strstr(all, "(name alice)");
	key = key ? key : strstr(all, "(name \"alice\")");
	key = strstr(key, "(private-key");
	end = strstr(key, "\n )\n )\n") + 3;
	text = malloc(len + 1000);
	for (i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		OtrlPrivKey *a, *b;

		sprintf(text, "%s%.*s))", heads[i], (int) (end - key), key);
		write_file(scratch("spelling"), text, strlen(text));
		ok(otrl_privkey_read(us, scratch("spelling")) == 0, "spelling %u", (unsigned) i);
		a = otrl_privkey_find(us, "alice", PROTOCOL);
		b = otrl_privkey_find(old, "alice", PROTOCOL);
		ok(a && b && a->pubkey_datalen == b->pubkey_datalen && !memcmp(a->pubkey_data,
					b->pubkey_data, a->pubkey_datalen), "is the same key");
	}
	free(text);
	free(all);
	otrl_userstate_free(us);
	otrl_userstate_free(old);
}

static void fingerprint_bytes(void)
{
	static const char text[] =
		"carol\talice\tprpl-test\t000102030405060708090a0b0c0d0e0f10111213\n"
		"bob\talice\tprpl-test\tFFfe02030405060708090a0b0c0d0e0f10111213\tverified\r\n"
		"bob\talice\tprpl-test\t010102030405060708090a0b0c0d0e0f10111213\t\n"
		"\xc3\xa4 x\t\t\t020102030405060708090a0b0c0d0e0f10111213\tgepr\xc3\xbc" "ft \"x\"\n"
		"bob\talice\tprpl-test\t010102030405060708090a0b0c0d0e0f10111213\tsmp\n"
		"no tabs here\n"
		"one\ttwo\tthree\n"
		"one\ttwo\tthree\tnot forty digits\n"
		"one\ttwo\tthree\t0001020304050607zz090a0b0c0d0e0f10111213\tx\n"
		"last\talice\tprpl-test\t000102030405060708090a0b0c0d0e0f10111213\tno end of line";
	static const char expected[] =
		"bob\talice\tprpl-test\t010102030405060708090a0b0c0d0e0f10111213\tsmp\n"
		"bob\talice\tprpl-test\tfffe02030405060708090a0b0c0d0e0f10111213\tverified\n"
		"carol\talice\tprpl-test\t000102030405060708090a0b0c0d0e0f10111213\t\n"
		"one\ttwo\tthree\t000102030405060700090a0b0c0d0e0f10111213\tx\n"
		"\xc3\xa4 x\t\t\t020102030405060708090a0b0c0d0e0f10111213\tgepr\xc3\xbc" "ft \"x\"\n";
	OtrlUserState us = fresh();
	char *written, *line;
	struct stat st;
	mode_t old;
	size_t i;

	write_file(scratch("prints"), text, sizeof text - 1);
	ok(otrl_privkey_read_fingerprints(us, scratch("prints"), NULL, NULL) == 0, "read");
	ok(us->context_root && us->context_root->app_data == NULL
			&& us->context_root->msgstate == OTRL_MSGSTATE_PLAINTEXT, "contexts are made");
	old = umask(027);
	ok(otrl_privkey_write_fingerprints(us, scratch("prints2")) == 0, "written");
	umask(old);
	written = read_file(scratch("prints2"), NULL);
	ok(written && !strcmp(written, expected), "byte for byte:\n%s", written);
	free(written);
	ok(stat(scratch("prints2"), &st) == 0 && (st.st_mode & 0777) == 0640,
			"with the client's umask");
	otrl_userstate_free(us);

	us = fresh();
	line = malloc(3000);
	for (i = 940; i < 1010; i++) {
		memset(line, 'u', i);
		strcpy(line + i - 48, "\ta\tp\t000102030405060708090a0b0c0d0e0f10111213\n");
		write_file(scratch("long"), line, strlen(line));
		otrl_privkey_read_fingerprints(us, scratch("long"), NULL, NULL);
	}
	memset(line, 'x', 2500);
	strcpy(line + 2500, "\n1\t2\t3\t000102030405060708090a0b0c0d0e0f10111213\n");
	write_file(scratch("long"), line, strlen(line));
	otrl_privkey_read_fingerprints(us, scratch("long"), NULL, NULL);
	ok(otrl_context_find(us, "1", "2", "3", 0, 0, NULL, NULL, NULL) != NULL,
			"lines too long do no harm to the next");
	free(line);
	otrl_userstate_free(us);
}

static void instag_bytes(void)
{
	static const char text[] = "# a comment\nalice\tprpl-test\t00000100\nbob\tprpl-test\tDEADbeef\r\n"
		"small\tp\t000000ff\nshort\tp\t123\nx\ty\n\t\t12345678\nJ\xc3\xb6rg x\tp q\t7fffffff\n"
		"noend\tp\t12345678";
	static const char expected[] = "# WARNING! You shouldn't copy this file to another computer. "
		"It is unnecessary and can cause problems.\n"
		"J\xc3\xb6rg x\tp q\t7fffffff\n\t\t12345678\nbob\tprpl-test\tdeadbeef\n"
		"alice\tprpl-test\t00000100\n";
	OtrlUserState us = fresh();
	char *written;

	write_file(scratch("tags"), text, sizeof text - 1);
	ok(otrl_instag_read(us, scratch("tags")) == 0, "read");
	ok(otrl_instag_write(us, scratch("tags2")) == 0, "written");
	written = read_file(scratch("tags2"), NULL);
	ok(written && !strcmp(written, expected), "byte for byte:\n%s", written);
	free(written);
	ok(otrl_instag_find(us, "bob", "prpl-test")->instag == 0xdeadbeef
			&& !otrl_instag_find(us, "small", "p"), "found");
	otrl_instag_forget(otrl_instag_find(us, "bob", "prpl-test"));
	ok(!otrl_instag_find(us, "bob", "prpl-test"), "forgotten");
	otrl_instag_forget_all(us);
	ok(!us->instag_root, "all forgotten");
	ok(otrl_instag_generate(us, scratch("tags3"), "erin", "p") == 0 && us->instag_root
			&& us->instag_root->instag >= OTRL_MIN_VALID_INSTAG, "generated");
	otrl_userstate_free(us);
}

/* ---- special files ---------------------------------------------------------------- */

static void special_files(void)
{
	OtrlUserState us = fresh();
	struct stat st;
	char *text;

	/* irssi and hexchat: a tag into /dev/null, the real file later. */
	ok(otrl_instag_generate(us, "/dev/null", "alice", PROTOCOL) == 0, "/dev/null for tags");
	ok(otrl_privkey_write_fingerprints(us, "/dev/null") == 0, "for fingerprints");
	ok(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode), "and it is still a device");
	ok(otrl_instag_write(us, scratch("tags4")) == 0, "the real file");
	text = read_file(scratch("tags4"), NULL);
	ok(text && strstr(text, "alice\tprpl-test\t"), "has the tag");
	free(text);

	copy_keys(scratch("real"));
	chmod(scratch("real"), 0600);
	unlink(scratch("link"));
	ok(symlink(scratch("real"), scratch("link")) == 0, "a symbolic link");
	ok(otrl_privkey_read(us, scratch("link")) == 0
			&& otrl_privkey_generate(us, scratch("link"), "dave", PROTOCOL) == 0,
			"generating through it");
	ok(lstat(scratch("link"), &st) == 0 && S_ISLNK(st.st_mode), "it is still a link");
	ok(keys_in(scratch("real")) == 4, "and the file behind it has the keys");
	ok(otrl_privkey_write_fingerprints(us, scratch("link")) == 0
			&& lstat(scratch("link"), &st) == 0 && S_ISLNK(st.st_mode), "fingerprints too");
	ok(otrl_instag_write(us, scratch("link")) == 0
			&& lstat(scratch("link"), &st) == 0 && S_ISLNK(st.st_mode), "tags too");
	unlink(scratch("dangling"));
	ok(symlink("nothing-yet", scratch("dangling")) == 0
			&& otrl_privkey_generate(us, scratch("dangling"), "erin", PROTOCOL) == 0
			&& lstat(scratch("dangling"), &st) == 0 && S_ISLNK(st.st_mode)
			&& keys_in(scratch("nothing-yet")) == 5, "a link to a file that is not there yet");

	ok(otrl_privkey_generate(us, scratch("mode"), "dave", PROTOCOL) == 0
			&& stat(scratch("mode"), &st) == 0 && (st.st_mode & 0777) == 0600,
			"a new key file has mode 0600");
	chmod(scratch("mode"), 0640);
	ok(otrl_privkey_generate(us, scratch("mode"), "dave", PROTOCOL) == 0
			&& stat(scratch("mode"), &st) == 0, "and over an old one");
	BETTER((st.st_mode & 0777) == 0600, "that others could read, too");
	otrl_userstate_free(us);
}

/* What a client never got to read is still there after it has written. */
static void unread_files_are_kept(void)
{
	static const char prints[] = "bob\talice\tprpl-test\t010102030405060708090a0b0c0d0e0f10111213\tsmp\n";
	static const char tags[] = "alice\tprpl-test\t12345678\n";
	OtrlUserState us = fresh();
	struct stat st;
	char *whole, *text, *copy;
	size_t length, copied;
	char name[64];
	int i;

	/* A key file that lost its end: reading it fails, and the client asks for a new key. */
	copy_keys(scratch("cut"));
	whole = read_file(scratch("cut"), &length);
	write_file(scratch("cut"), whole, length - 60);
	ok(otrl_privkey_read(us, scratch("cut")) != 0, "a file without its end");
	ok(otrl_privkey_generate(us, scratch("cut"), "dave", PROTOCOL) == 0, "a new key over it");
	ok(keys_in(scratch("cut")) == 1, "it is there");
	copy = read_file(scratch("cut.backup"), &copied);
	BETTER(copy && copied == length - 60 && !memcmp(copy, whole, copied), "and what was there before as well");
	free(copy);
	BETTER(stat(scratch("cut.backup"), &st) == 0 && (st.st_mode & 0777) == 0600, "for its owner alone");
	ok(otrl_privkey_generate(us, scratch("cut"), "erin", PROTOCOL) == 0 && keys_in(scratch("cut")) == 2
			&& stat(scratch("cut.backup.1"), &st) != 0, "our own file needs no copy");

	/* What was read whole needs none either, by name or by FILE. */
	write_file(scratch("whole"), whole, length);
	ok(otrl_privkey_read(us, scratch("whole")) == 0
			&& otrl_privkey_generate(us, scratch("whole"), "erin", PROTOCOL) == 0
			&& stat(scratch("whole.backup"), &st) != 0, "nor a file that was read whole");
	write_file(scratch("stream"), whole, length);
	{
		FILE *stream = fopen(scratch("stream"), "rb");

		ok(otrl_privkey_read_FILEp(us, stream) == 0, "or from a stream");
		fclose(stream);
	}
	ok(otrl_privkey_generate(us, scratch("stream"), "erin", PROTOCOL) == 0
			&& stat(scratch("stream.backup"), &st) != 0, "of the client's");
	free(whole);

	/* Trust and tags of a file that could not be opened for a moment. */
	write_file(scratch("prints5"), prints, sizeof prints - 1);
	write_file(scratch("tags5"), tags, sizeof tags - 1);
	ok(otrl_privkey_write_fingerprints(us, scratch("prints5")) == 0, "fingerprints over an unread file");
	text = read_file(scratch("prints5.backup"), NULL);
	BETTER(text && !strcmp(text, prints), "which is kept");
	free(text);
	ok(otrl_instag_generate(us, scratch("tags5"), "alice", PROTOCOL) == 0, "a tag over an unread file");
	text = read_file(scratch("tags5.backup"), NULL);
	BETTER(text && !strcmp(text, tags), "which is kept as well");
	free(text);

	/* A line that is cut is not known; a comment and an empty line are nothing. */
	write_file(scratch("prints6"), prints, sizeof prints - 2);
	ok(otrl_privkey_read_fingerprints(us, scratch("prints6"), NULL, NULL) == 0
			&& otrl_privkey_write_fingerprints(us, scratch("prints6")) == 0, "a list without its end");
	BETTER(stat(scratch("prints6.backup"), &st) == 0, "is kept");
	write_file(scratch("prints7"), prints, sizeof prints - 1);
	ok(otrl_privkey_read_fingerprints(us, scratch("prints7"), NULL, NULL) == 0
			&& otrl_privkey_write_fingerprints(us, scratch("prints7")) == 0
			&& stat(scratch("prints7.backup"), &st) != 0, "a whole list is not");
	write_file(scratch("tags7"), tags, sizeof tags - 1);
	ok(otrl_instag_read(us, scratch("tags7")) == 0 && otrl_instag_write(us, scratch("tags7")) == 0
			&& otrl_instag_write(us, scratch("tags7")) == 0
			&& stat(scratch("tags7.backup"), &st) != 0, "nor are whole tags");

	/* Ten copies, and then nothing is replaced. */
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "unread %d\n", i);
		write_file(scratch("prints8"), name, strlen(name));
		ok(otrl_privkey_write_fingerprints(us, scratch("prints8")) == 0, "copy %d", i);
	}
	write_file(scratch("prints8"), "unread\n", 7);
	BETTER(otrl_privkey_write_fingerprints(us, scratch("prints8")) == gcry_error_from_errno(EEXIST),
			"an eleventh is an error");
	text = read_file(scratch("prints8"), NULL);
	BETTER(text && !strcmp(text, "unread\n"), "and loses nothing");
	free(text);
	text = read_file(scratch("prints8.backup"), NULL);
	BETTER(text && !strcmp(text, "unread 0\n"), "nor did the others");
	free(text);
	otrl_userstate_free(us);
}

/* The keys in front of what is wrong, with libotr's error. */
static void damaged_key_files(void)
{
	static const char *const after[] = {
		"(account (name x))", "(other)", "(account (name x) (protocol y) (private-key (dsa (p #01#))))", "atom",
	};
	OtrlUserState us;
	char *whole, *text;
	size_t length, i;

	copy_keys(scratch("good"));
	whole = read_file(scratch("good"), &length);
	/* The last parenthesis closes the list. */
	while (length && whole[length - 1] != ')')
		length--;
	for (i = 0; i < sizeof after / sizeof *after; i++) {
		us = fresh();
		text = malloc(length + 200);
		snprintf(text, length + 200, "%.*s %s)\n", (int)length - 1, whole, after[i]);
		write_file(scratch("damaged"), text, strlen(text));
		gcry_error_t error = otrl_privkey_read(us, scratch("damaged"));
		ok((error & 0xffff) == 54, "%s: error %#x", after[i], error);
		ok(count_keys(us) == 3, "%s: the keys before it", after[i]);
		free(text);
		otrl_userstate_free(us);
	}
	static const struct {
		const char *text;
		unsigned error;
		int keys;
	} behind[] = {
		{ "(privkeys)", 54, 3 }, { "(other (list))", 54, 3 }, { " garbage", 0, 3 }, { "(", 203, 0 }, { ")", 203, 0 },
	};
	for (i = 0; i < sizeof behind / sizeof *behind; i++) {
		us = fresh();
		text = malloc(length + 200);
		snprintf(text, length + 200, "%.*s%s\n", (int)length, whole, behind[i].text);
		write_file(scratch("damaged"), text, strlen(text));
		gcry_error_t error = otrl_privkey_read(us, scratch("damaged"));
		ok((error & 0xffff) == behind[i].error, "behind the list %s: error %#x", behind[i].text, error);
		ok(count_keys(us) == behind[i].keys, "behind the list %s: %d keys", behind[i].text, count_keys(us));
		free(text);
		otrl_userstate_free(us);
	}
	free(whole);
}

static void dev_null_keys(void)
{
	OtrlUserState us = fresh();
	struct stat st;

	otrl_privkey_read(us, keys_all());
	otrl_privkey_generate(us, "/dev/null", "dave", PROTOCOL);
	ok(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode), "/dev/null is still a device");
	otrl_userstate_free(us);
}

/* Give up what lets root ignore the permission bits. */
static int obey_permissions(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof none);
	return geteuid() == 0 ? (int) syscall(SYS_capset, &head, none) : 0;
}

/* A directory that may not be written. */
static void read_only_directory(void)
{
	OtrlUserState us = fresh();
	char *before, *after;

	mkdir(scratch("ro"), 0755);
	copy_keys(scratch("ro/keys"));
	chmod(scratch("ro/keys"), 0666);
	chmod(scratch("ro"), 0555);
	before = read_file(scratch("ro/keys"), NULL);
	otrl_privkey_read(us, scratch("ro/keys"));
	if (obey_permissions()) {
		ok(0, "privileges cannot be dropped");
		return;
	}
	ok(otrl_privkey_generate(us, scratch("ro/keys"), "dave", PROTOCOL) == 0
			&& keys_in(scratch("ro/keys")) == 4,
			"a writable file in a directory that is not: written in place");
	ok(otrl_privkey_generate(us, scratch("ro/new"), "dave", PROTOCOL)
			== gcry_error_from_errno(EACCES), "a new file there: EACCES");
	ok(otrl_privkey_write_fingerprints(us, scratch("ro/new"))
			== gcry_error_from_errno(EACCES)
			&& otrl_instag_write(us, scratch("ro/new")) == gcry_error_from_errno(EACCES),
			"for each of the three");
	after = read_file(scratch("ro/keys"), NULL);
	ok(before && after && strcmp(before, after), "it was really written");
	free(before);
	free(after);
	otrl_userstate_free(us);
	chmod(scratch("ro"), 0755);
}

static void full_device(void)
{
	OtrlUserState us = fresh();
	struct stat st;

	otrl_privkey_read(us, keys_all());
	otrl_context_find_fingerprint(otrl_context_find(us, "b", "a", "p", 0, 1, NULL, NULL, NULL),
			(unsigned char *) "01234567890123456789", 1, NULL);
	BETTER(otrl_privkey_write_fingerprints(us, "/dev/full") != 0, "fingerprints");
	BETTER(otrl_instag_generate(us, "/dev/full", "a", "p") != 0, "tags");
	ok(otrl_privkey_generate(us, "/dev/full", "dave", PROTOCOL) != 0, "keys");
	ok(stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode), "it is still a device");
	otrl_userstate_free(us);
}

/* A file system of a few pages, in a mount namespace of our own if we may. */
static void full_disk(void)
{
	OtrlUserState us = fresh();
	char path[600], *filler;
	int fd;

	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
		printf("# no mount namespace: only /dev/full was tested\n");
		return;
	}
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(scratch("small"), 0755);
	if (mount("tmpfs", scratch("small"), "tmpfs", 0, "size=64k")) {
		printf("# no tmpfs: only /dev/full was tested\n");
		return;
	}
	snprintf(path, sizeof path, "%s", scratch("small/keys"));
	copy_keys(path);
	ok(otrl_privkey_read(us, path) == 0 && keys_in(path) == 3, "keys on a small disk");
	fd = open(scratch("small/filler"), O_CREAT | O_WRONLY, 0600);
	filler = calloc(1, 4096);
	while (write(fd, filler, 4096) > 0) { }
	close(fd);
	free(filler);
	/* Three more keys do not fit in what is left of the last page. */
	BETTER(otrl_privkey_generate(us, path, "an account with a long name 1", PROTOCOL) != 0
			|| keys_in(path) == 4, "a full disk is an error");
	BETTER(otrl_privkey_generate(us, path, "an account with a long name 2", PROTOCOL) != 0
			|| keys_in(path) >= 4, "again");
	BETTER(keys_in(path) >= 3, "and the old keys are still there");
	otrl_userstate_free(us);
}

int main(void)
{
	run_case("error numbers", error_numbers);
	run_case("NULL FILE*", nameless_FILE);
	run_better("NULL FILE* for tags", null_instag_file);
	run_case("names of keys", names_of_keys);
	run_case("spellings", spellings);
	run_case("fingerprints", fingerprint_bytes);
	run_case("instance tags", instag_bytes);
	run_case("special files", special_files);
	run_case("unread files are kept", unread_files_are_kept);
	run_case("damaged key files", damaged_key_files);
	run_case("keys into /dev/null", dev_null_keys);
	run_case("a read-only directory", read_only_directory);
	run_case("a full device", full_device);
	run_case("a full disk", full_disk);
	return finish();
}
