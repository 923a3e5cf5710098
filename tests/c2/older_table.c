/* A client that was built for API 3.0: its table of callbacks ends before
 * max_message_size, and here the memory ends there, too. */
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "users.h"

static User alice, bob;

int main(void)
{
	size_t page = (size_t) sysconf(_SC_PAGESIZE);
	size_t size = offsetof(OtrlMessageAppOps, max_message_size);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OtrlMessageAppOps *ops = (OtrlMessageAppOps *) (pages + page - size);
	char *message = NULL, *shown = NULL;
	OtrlTLV *tlvs = NULL;

	otrl_init(3, 2, 0);
	otrl_init(3, 0, 0);
	ok(mprotect(pages + page, page, PROT_NONE) == 0, "nothing can be read behind the table");
	two_users(&alice, &bob);
	memcpy(ops, &alice.ops, size);
	alice.mms = 50;

	ok(otrl_message_sending(alice.us, ops, &alice, "alice", PROTOCOL, "bob", "?OTR?", NULL, &message,
		NULL, NULL) == 0 && message, "sending");
	ok(otrl_message_fragment_and_send(ops, &alice, context_of(&alice), message,
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && wire_end == 1 && !strcmp(wires[0].text, message),
			"no size is asked for");
	otrl_message_free(message);
	free(wires[0].text);
	wire_end = 0;
	/* A data message without a session: the library answers in our account's name. */
	ok(otrl_message_receiving(alice.us, ops, &alice, "alice", PROTOCOL, "bob",
		"?OTR:AAIDAAAAAAEAAAABAAAAAQAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", &shown,
		&tlvs, NULL, NULL) == 1, "receiving");
	ok(wire_end == 1 && !strcmp(wires[0].text, "?OTR Error: You sent encrypted data to alice, who "
		"wasn't expecting it."), "no name is asked for");
	free(wires[0].text);
	otrl_message_disconnect(alice.us, ops, &alice, "alice", PROTOCOL, "bob");
	user_end(&alice);
	user_end(&bob);
	return finish();
}
