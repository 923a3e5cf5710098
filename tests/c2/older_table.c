/* A client that was built for API 3.0: its table of callbacks ends before
 * max_message_size, and here the memory ends there, too. */
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "world.h"

static Pair pair;

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
	pair = pair_new(OTRL_POLICY_MANUAL);
	memcpy(ops, &pair.alice->ops, size);
	pair.alice->mms = 50;

	ok(otrl_message_sending(pair.alice->us, ops, pair.alice, "alice", PROTOCOL, "bob", "?OTR?", NULL, &message,
		NULL, NULL) == 0 && message, "sending");
	ok(otrl_message_fragment_and_send(ops, pair.alice, context_with(pair.alice, "bob"), message,
		OTRL_FRAGMENT_SEND_ALL, NULL) == 0 && pair.world->sent == 1 && !strcmp(next_text(pair.world), message),
			"no size is asked for");
	otrl_message_free(message);
	free(intercept(pair.world));
	/* A data message without a session: the library answers in our account's name. */
	ok(otrl_message_receiving(pair.alice->us, ops, pair.alice, "alice", PROTOCOL, "bob",
		"?OTR:AAIDAAAAAAEAAAABAAAAAQAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", &shown,
		&tlvs, NULL, NULL) == 1, "receiving");
	ok(pair.world->sent == 2 && !strcmp(next_text(pair.world), "?OTR Error: You sent encrypted data to alice, who "
		"wasn't expecting it."), "no name is asked for");
	otrl_message_disconnect(pair.alice->us, ops, pair.alice, "alice", PROTOCOL, "bob");
	pair_free(&pair);
	return finish();
}
