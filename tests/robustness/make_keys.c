/* Makes the key file of the tests. */
#include <libotr/proto.h>
#include <libotr/privkey.h>

int main(int count, char **arguments)
{
	OtrlUserState us;

	(void) count;
	OTRL_INIT;
	us = otrl_userstate_create();
	return otrl_privkey_generate(us, arguments[1], "alice", "prpl-hold") || otrl_privkey_generate(us, arguments[1], "bob", "prpl-hold");
}
