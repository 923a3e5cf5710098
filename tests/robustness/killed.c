/* A process is killed at each system call of a write in turn, found by ptrace. After each the file is the complete old
 * one or the complete new one, with its mode. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

static char directory[400], file[512], place[512];

static char *slurp(const char *path, size_t *length)
{
	FILE *in = fopen(path, "rb");
	char *bytes = calloc(1, 1 << 16);

	*length = in ? fread(bytes, 1, (1 << 16) - 1, in) : 0;
	if (!in) {
		free(bytes);
		return NULL;
	}
	fclose(in);
	return bytes;
}

static void spill(const char *path, const char *bytes, size_t length, mode_t mode)
{
	FILE *out;

	unlink(path);
	out = fopen(path, "wb");
	fwrite(bytes, 1, length, out);
	fclose(out);
	chmod(path, mode);
}

/* The writes: what is done before the counting begins, and the write itself. */
static OtrlUserState us;
static void *new_key;

static void with_keys(void)
{
	otrl_privkey_read(us, file);
	otrl_privkey_generate_start(us, "carol", PROTOCOL, &new_key);
	otrl_privkey_generate_calculate(new_key);
}

static gcry_error_t write_keys(void)
{
	return otrl_privkey_generate_finish(us, new_key, place);
}

static void with_fingerprints(void)
{
	unsigned char print[20] = { 7 };
	int i;

	for (i = 0; i < 40; i++) {
		char name[20];
		ConnContext *context;

		snprintf(name, sizeof name, "friend%02d", i);
		context = otrl_context_find(us, name, "alice", PROTOCOL, OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL);
		otrl_context_find_fingerprint(context, print, 1, NULL);
	}
}

static gcry_error_t write_fingerprints(void)
{
	return otrl_privkey_write_fingerprints(us, place);
}

static void with_tags(void)
{
	otrl_instag_read(us, file);
}

static gcry_error_t write_tags(void)
{
	return otrl_instag_generate(us, place, "carol", PROTOCOL);
}

struct write {
	const char *name;
	void (*prepare)(void);
	gcry_error_t (*write)(void);
	/* In the old file and in every new one; only in the new one. */
	const char *always, *added, *end;
	mode_t mode;
};

static const struct write writes[] = {
	{ "keys", with_keys, write_keys, "(name alice)", "(name carol)", ")\n)\n", 0600 },
	{ "fingerprints", with_fingerprints, write_fingerprints, "friend00\talice\tprpl-hold\t07", "friend39", "000\t\n", 0640 },
	{ "tags", with_tags, write_tags, "alice\tprpl-hold\t", "carol\tprpl-hold\t", "\n", 0644 },
};

/* Runs a write in a child that is killed at its nth system call; 1 if it ended before. */
static int killed_at(const struct write *what, int nth)
{
	int status, count = 0;
	pid_t pid = fork();

	if (pid == 0) {
		us = otrl_userstate_create();
		what->prepare();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(what->write() ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			return 1;
		}
		/* Each call stops twice: as it enters and as it leaves. */
		if (++count == nth) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 0;
		}
	}
}

static unsigned long kills;

static void killing(const struct write *what, const char *how, int through_link, int first)
{
	size_t old_length = 0, length;
	char *old = NULL, *now;
	int nth, done, olds = 0, news = 0;
	char sentence[200];

	if (!first) {
		/* The old file: what a first write makes, without what the second adds. */
		if (what->write == write_keys) {
			now = slurp(keys_file(), &length);
			spill(file, now, length, what->mode);
			free(now);
		} else {
			const char *text = what->write == write_tags ? "alice\tprpl-hold\t12345678\n"
				: "friend00\talice\tprpl-hold\t0700000000000000000000000000000000000000\t\n";
			spill(file, text, strlen(text), what->mode);
		}
		old = slurp(file, &old_length);
	}
	snprintf(place, sizeof place, "%s", file);
	if (through_link) {
		snprintf(place, sizeof place, "%s/link", directory);
		unlink(place);
		if (symlink(file, place)) {
			check(0, "a link can be made");
		}
	}
	for (nth = 1, done = 0; !done; nth++) {
		int is_old, is_new;
		struct stat found = { 0 };

		if (first) {
			unlink(file);
		} else {
			spill(file, old, old_length, what->mode);
		}
		done = killed_at(what, nth);
		kills += !done;
		now = slurp(file, &length);
		stat(file, &found);
		is_old = first ? !now : now && length == old_length && !memcmp(now, old, length);
		is_new = now && (first || strstr(now, what->always)) && strstr(now, what->added)
			&& length > strlen(what->end) && !strcmp(now + length - strlen(what->end), what->end);
		olds += is_old;
		news += is_new;
		snprintf(sentence, sizeof sentence, "%s, %s, killed at stop %d: the old file or the new one", what->name, how, nth);
		check(is_old || is_new, sentence);
		snprintf(sentence, sizeof sentence, "%s, %s, killed at stop %d: its mode", what->name, how, nth);
		check(!now || (first ? !(found.st_mode & 07077 & ~umask(022)) || what->mode != 0600
				: (found.st_mode & 07777) == what->mode), sentence);
		if (through_link) {
			check(!lstat(place, &found) && S_ISLNK(found.st_mode), "the link stays a link");
		}
		free(now);
	}
	snprintf(sentence, sizeof sentence, "%s, %s: both the old file (%d) and the new one (%d) were seen", what->name, how, olds, news);
	check(olds > 3 && news > 0, sentence);
	free(old);
	unlink(file);
	/* What a killed process leaves beside the file. */
	if (system("rm -rf \"$OTR_SCRATCH\"/killed/.otr-*.tmp \"$OTR_SCRATCH\"/killed/link")) {
		check(0, "cleaning up");
	}
}

/* The disk is full: errors come back, the old file stays. A limit on the size of files stands for the disk; the
 * signal that comes with it is ignored, so that write() says EFBIG. */
static void full(const struct write *what)
{
	const struct rlimit none = { 20, 20 };
	size_t length, old_length;
	char *old, *now;
	int status;
	char sentence[200];
	pid_t pid;

	now = slurp(keys_file(), &length);
	spill(file, now, length, what->mode);
	free(now);
	if (what->write != write_keys) {
		spill(file, "alice\tprpl-hold\t12345678\n", 25, what->mode);
	}
	old = slurp(file, &old_length);
	snprintf(place, sizeof place, "%s", file);
	pid = fork();
	if (pid == 0) {
		us = otrl_userstate_create();
		what->prepare();
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &none);
		_exit(what->write() ? 7 : 0);
	}
	waitpid(pid, &status, 0);
	now = slurp(file, &length);
	snprintf(sentence, sizeof sentence, "%s: a write that fails is an error", what->name);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7, sentence);
	snprintf(sentence, sizeof sentence, "%s: a write that fails leaves the old file", what->name);
	check(now && length == old_length && !memcmp(now, old, length), sentence);
	free(now);
	free(old);
	unlink(file);
}

/* What cannot be written to: an error, and it stays what it is. */
static void odd_places(const struct write *what)
{
	struct stat found;
	char sentence[200];

	us = otrl_userstate_create();
	spill(file, "", 0, 0600);
	if (what->write == write_keys) {
		size_t length;
		char *keys = slurp(keys_file(), &length);
		spill(file, keys, length, 0600);
		free(keys);
	}
	what->prepare();
	snprintf(place, sizeof place, "%s", directory);
	snprintf(sentence, sizeof sentence, "%s: a directory is an error", what->name);
	check(what->write() != 0 && !stat(directory, &found) && S_ISDIR(found.st_mode), sentence);
	otrl_userstate_free(us);
	us = otrl_userstate_create();
	what->prepare();
	snprintf(place, sizeof place, "/dev/null");
	snprintf(sentence, sizeof sentence, "%s: /dev/null stays a device", what->name);
	what->write();
	check(!stat("/dev/null", &found) && S_ISCHR(found.st_mode), sentence);
	otrl_userstate_free(us);
	unlink(file);
}

int main(void)
{
	size_t i;

	OTRL_INIT;
	umask(022);
	snprintf(directory, sizeof directory, "%s/killed", getenv("OTR_SCRATCH"));
	mkdir(directory, 0700);
	snprintf(file, sizeof file, "%s/file", directory);
	for (i = 0; i < sizeof writes / sizeof *writes; i++) {
		killing(&writes[i], "over an old file", 0, 0);
		killing(&writes[i], "through a link", 1, 0);
		killing(&writes[i], "where there was none", 0, 1);
		full(&writes[i]);
		odd_places(&writes[i]);
	}
	printf("# %lu processes killed\n", kills);
	return finish("killed");
}
