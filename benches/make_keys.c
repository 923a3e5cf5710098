/* make_keys LIBRARY FILE ACCOUNT...: writes a file with a new key for each account. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <libotr/proto.h>
#include <libotr/privkey.h>

static void *library;

static void *symbol(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
	fprintf(stderr, "make_keys: no %s\n", name);
	exit(1);
    }
    return found;
}

#define LIB(name) ((__typeof__(name) *)symbol(#name))

int main(int argc, char **argv)
{
    if (argc < 4 || !(library = dlopen(argv[1], RTLD_NOW)) || LIB(otrl_init)(4, 1, 1)) {
	fprintf(stderr, "make_keys: the library cannot be used\n");
	return 1;
    }
    OtrlUserState us = LIB(otrl_userstate_create)();
    for (int i = 3; i < argc; i++) {
	if (LIB(otrl_privkey_generate)(us, argv[2], argv[i], "prpl-bench")) {
	    fprintf(stderr, "make_keys: no key for %s\n", argv[i]);
	    return 1;
	}
    }
    return 0;
}
