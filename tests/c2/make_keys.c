/* Makes the keys of alice and bob, in the directory OTR_KEYS. */
#include <stdio.h>
#include <stdlib.h>

#include <libotr/proto.h>
#include <libotr/privkey.h>

int main(void)
{
	OtrlUserState us;
	char path[4096];

	OTRL_INIT;
	us = otrl_userstate_create();
	snprintf(path, sizeof path, "%s/keys", getenv("OTR_KEYS"));
	return otrl_privkey_generate(us, path, "alice", "prpl-test")
			|| otrl_privkey_generate(us, path, "bob", "prpl-test");
}
