/* Makes the key files that all other programs share; run once, before them. */
#include "world.h"

static void key(OtrlUserState us, const char *path, const char *account)
{
	if (otrl_privkey_generate(us, path, account, PROTOCOL)) {
		fprintf(stderr, "no key could be generated into %s\n", path);
		exit(1);
	}
}

int main(void)
{
	OtrlUserState us, other;

	OTRL_INIT;
	us = otrl_userstate_create();
	other = otrl_userstate_create();
	key(us, keys_all(), "alice");
	key(us, keys_all(), "bob");
	key(us, keys_all(), "carol");
	key(other, keys_other(), "alice");
	key(other, keys_other(), "bob");
	otrl_userstate_free(us);
	otrl_userstate_free(other);
	return 0;
}
