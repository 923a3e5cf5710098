/* Keys and files of the programs here, by the directories that pytest names. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *needed_env(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value) {
		fprintf(stderr, "%s is not set: start the programs with pytest tests/c\n",
				name);
		exit(2);
	}
	return value;
}

static const char *in_keys(const char *name)
{
	static char path[2][512];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", needed_env("OTR_KEYS"), name);
	return path[turn];
}

const char *keys_all(void)
{
	return in_keys("all");
}

const char *keys_other(void)
{
	return in_keys("other");
}

const char *scratch(const char *name)
{
	static char path[8][512];
	static unsigned turn;
	char *p = path[turn++ % 8];

	snprintf(p, 512, "%s/%ld", needed_env("OTR_SCRATCH"), (long) getpid());
	mkdir(p, 0755);
	snprintf(p, 512, "%s/%ld/%s", needed_env("OTR_SCRATCH"), (long) getpid(), name);
	return p;
}

char *read_file(const char *path, size_t *lenp)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t len = 0, got;

	if (!file) {
		return NULL;
	}
	do {
		data = realloc(data, len + 4097);
		got = fread(data + len, 1, 4096, file);
		len += got;
	} while (got > 0);
	fclose(file);
	data[len] = '\0';
	if (lenp) {
		*lenp = len;
	}
	return data;
}

int write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	size_t done;

	if (!file) {
		return -1;
	}
	done = fwrite(data, 1, len, file);
	if (fclose(file) != 0 || done != len) {
		return -1;
	}
	return 0;
}
