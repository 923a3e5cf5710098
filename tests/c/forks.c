/* BitlBee, irssi and hexchat fork, and the child generates on the inherited
 * user state; the parent reads the file.   test: memcheck once */
#include "world.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static void child_generates(void)
{
	Pair pair = pair_private(POLICY_V3);
	OtrlUserState us = otrl_userstate_create();
	char old[3][OTRL_PRIVKEY_FPRINT_HUMAN_LEN], now[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
	char path[600];
	static const char *const names[] = { "alice", "bob", "carol" };
	pid_t child;
	int i;

	otrl_privkey_read(us, keys_all());
	for (i = 0; i < 3; i++) {
		otrl_privkey_fingerprint(us, old[i], names[i], PROTOCOL);
	}
	snprintf(path, sizeof path, "%s", scratch("child-keys"));
	child = fork();
	if (child == 0) {
		_exit(otrl_privkey_generate(us, path, "dave", PROTOCOL) ? 1 : 0);
	}
	/* The parent goes on talking. */
	ok(pair_talks(&pair), "the parent goes on");
	ok(wait_for(child) == 0, "the child generates");
	ok(!otrl_privkey_find(us, "dave", PROTOCOL), "which the parent does not see yet");
	ok(otrl_privkey_read(us, path) == 0, "the parent reads the file");
	ok(otrl_privkey_find(us, "dave", PROTOCOL) != NULL, "with the new key");
	for (i = 0; i < 3; i++) {
		ok(otrl_privkey_fingerprint(us, now, names[i], PROTOCOL) && !strcmp(now, old[i]),
				"and %s's as it was", names[i]);
	}
	ok(pair_talks(&pair), "the session goes on");
	otrl_userstate_free(us);
	pair_free(&pair);
}

/* What a child makes of randomness, sent back over a pipe. */
static void in_children(void (*make)(OtrlUserState, int), char out[2][4096])
{
	OtrlUserState us;
	int fd[2], i;
	pid_t child;

	OTRL_INIT;
	us = otrl_userstate_create();
	otrl_privkey_read(us, keys_all());
	/* Something random before the fork, so that a generator is warm. */
	otrl_instag_get_new();
	for (i = 0; i < 2; i++) {
		ssize_t got;
		size_t len = 0;

		memset(out[i], 0, 4096);
		if (pipe(fd)) {
			ok(0, "a pipe");
			return;
		}
		child = fork();
		if (child == 0) {
			make(us, fd[1]);
			_exit(0);
		}
		close(fd[1]);
		while ((got = read(fd[0], out[i] + len, 4095 - len)) > 0) {
			len += (size_t) got;
		}
		close(fd[0]);
		ok(wait_for(child) == 0 && len > 0, "child %d", i);
	}
	otrl_userstate_free(us);
}

static void put(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t) len) {
		_exit(1);
	}
}

static void a_key(OtrlUserState us, int fd)
{
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];

	otrl_privkey_generate(us, scratch("k"), "dave", PROTOCOL);
	if (otrl_privkey_fingerprint(us, human, "dave", PROTOCOL)) {
		put(fd, human, 44);
	}
}

static void a_tag(OtrlUserState us, int fd)
{
	char text[20];

	(void) us;
	snprintf(text, sizeof text, "%08x", otrl_instag_get_new());
	put(fd, text, 8);
}

static void a_commit(OtrlUserState us, int fd)
{
	ConnContext *c = otrl_context_find(us, "b", "alice", PROTOCOL, 0, 1, NULL, NULL, NULL);

	otrl_auth_start_v23(&c->auth, 3);
	put(fd, c->auth.lastauthmsg, strlen(c->auth.lastauthmsg));
}

static void a_signature(OtrlUserState us, int fd)
{
	unsigned char *sig;
	size_t len, i;
	char text[3];

	otrl_privkey_sign(&sig, &len, otrl_privkey_find(us, "alice", PROTOCOL),
			(const unsigned char *) "01234567890123456789", 20);
	for (i = 0; i < len; i++) {
		snprintf(text, sizeof text, "%02x", sig[i]);
		put(fd, text, 2);
	}
}

static void never_the_same(void)
{
	static char out[2][4096];

	in_children(a_key, out);
	ok(strcmp(out[0], out[1]), "two children, two keys");
	in_children(a_tag, out);
	ok(strcmp(out[0], out[1]), "two instance tags");
	in_children(a_commit, out);
	ok(!strncmp(out[0], "?OTR:AAMC", 9) && strcmp(out[0], out[1]), "two DH-commits");
	in_children(a_signature, out);
	ok(strlen(out[0]) == 80 && (strncmp(out[0], out[1], 40) || !strcmp(out[0], out[1])),
			"two signatures never share r alone");
}

/* Killed while it generates: the old file must be whole. */
static void killed_children(void)
{
	OtrlUserState us;
	char path[600], *data;
	size_t len;
	int i, kept = 0, rounds = 12;

	OTRL_INIT;
	us = otrl_userstate_create();
	otrl_privkey_read(us, keys_all());
	data = read_file(keys_all(), &len);
	snprintf(path, sizeof path, "%s", scratch("precious"));
	for (i = 0; i < rounds; i++) {
		OtrlUserState check = otrl_userstate_create();
		pid_t child;

		write_file(path, data, len);
		child = fork();
		if (child == 0) {
			for (;;) {
				otrl_privkey_generate(us, path, "dave", PROTOCOL);
			}
		}
		usleep((useconds_t) (3000 + 7000 * i));
		kill(child, SIGKILL);
		wait_for(child);
		kept += otrl_privkey_read(check, path) == 0
			&& otrl_privkey_find(check, "alice", PROTOCOL)
			&& otrl_privkey_find(check, "carol", PROTOCOL);
		otrl_userstate_free(check);
	}
	BETTER(kept == rounds, "the keys survive in %d of %d", kept, rounds);
	free(data);
	otrl_userstate_free(us);
}

/* SIGTERM in the child, as BitlBee does, and plain exit() with its handlers. */
static void leaving(void)
{
	Pair pair = pair_private(POLICY_V3);
	pid_t child = fork();

	if (child == 0) {
		pair_talks(&pair);
		exit(0);
	}
	ok(wait_for(child) == 0, "exit() in a child that used the library");
	child = fork();
	if (child == 0) {
		pair_free(&pair);
		_exit(0);
	}
	ok(wait_for(child) == 0, "freeing everything in a child");
	ok(pair_talks(&pair), "the parent goes on");
	pair_free(&pair);
}

int main(void)
{
	run_case("a child generates", child_generates);
	run_case("never the same", never_the_same);
	run_case("killed children", killed_children);
	run_case("leaving", leaving);
	return finish();
}
