/* otrl_init exits the process if it does not support the version. */
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <libotr/proto.h>

extern unsigned int otrl_api_version;

/* The exit status of a process that asks for this version; what it says goes to words. */
static int status_of(unsigned major, unsigned minor, char *words, size_t size)
{
	int pipe_of[2], status;
	ssize_t got;
	pid_t child;

	if (pipe(pipe_of)) {
		return -1;
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		dup2(pipe_of[1], 2);
		otrl_init(major, minor, 0);
		_exit(77);
	}
	close(pipe_of[1]);
	do {
		got = read(pipe_of[0], words, size - 1);
		words += got > 0 ? got : 0;
		size -= got > 0 ? (size_t) got : 0;
	} while (got > 0);
	*words = '\0';
	close(pipe_of[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	char words[1000];

	ok(status_of(3, 0, words, sizeof words) == 77 && !*words, "3.0 is served");
	ok(status_of(3, 2, words, sizeof words) == 77 && !*words, "3.2 is served");
	ok(status_of(3, 3, words, sizeof words) == 1, "3.3 is not");
	ok(strstr(words, "3.3.0") && strchr(words, '\n') == words + strlen(words) - 1, "and one line says so");
	ok(status_of(4, 1, words, sizeof words) == 1, "4.1 is not");
	ok(status_of(2, 0, words, sizeof words) == 1, "2.0 is not");
	OTRL_INIT;
	ok(otrl_api_version == 0x030201, "the version is remembered");
	otrl_init(3, 1, 0);
	otrl_init(3, 2, 0);
	ok(otrl_api_version == 0x030100, "the lowest of them");
	return finish();
}
