/* The extra symmetric key.   test: c99 */
#include "world.h"

static void both_directions(void)
{
	static const OtrlPolicy versions[] = { POLICY_V2, POLICY_V3 };
	unsigned char key[32], before[32];
	size_t v, i;

	for (v = 0; v < 2; v++) {
		Pair pair = pair_private(versions[v]);

		memset(before, 0, 32);
		for (i = 0; i < 4; i++) {
			Party *x = i % 2 ? pair.bob : pair.alice, *y = i % 2 ? pair.alice : pair.bob;

			memset(key, 0, 32);
			ok(otrl_message_symkey(x->us, &x->ops, x, context_with(x, y->account),
						0x80000001u, (const unsigned char *) "data", 4, key) == 0, "asked for");
			forget_log(y);
			pump(pair.world);
			ok(logged(y, "received_symkey 80000001 data") == 1
					&& !memcmp(key, y->symkey, 32), "both have the same");
			ok(memcmp(key, before, 32), "and not that of before");
			ok(y->last_result == 1 && y->last_tlvs.count == 1
					&& !strcmp(y->last_tlvs.at[0], "8 8"), "its TLV comes in the chain");
			memcpy(before, key, 32);
			pair_talks(&pair);
		}
		pair_free(&pair);
	}
}

static void edges(void)
{
	Pair pair = pair_new(POLICY_V3);
	Party *a = pair.alice;
	unsigned char key[32];
	OtrlTLV *tlv;
	char *sent = NULL;

	send_text(a, "bob", "x");
	ok(gcry_err_code(otrl_message_symkey(a->us, &a->ops, a, context_with(a, "bob"), 1, NULL, 0,
					key)) == GPG_ERR_INV_VALUE, "no session, no key");
	go_private(a, pair.bob);
	ok(otrl_message_symkey(a->us, &a->ops, a, context_with(a, "bob"), 1, NULL, 0, key) == 0,
			"no data");
	pump(pair.world);
	ok(logged(pair.bob, "received_symkey 1 ") == 1, "arrive as none");
	ok(gcry_err_code(otrl_message_symkey(a->us, &a->ops, a, context_with(a, "bob"), 1, NULL, 3,
					key)) == GPG_ERR_INV_VALUE, "NULL data of a length");
	tlv = otrl_tlv_new(OTRL_TLV_SYMKEY, 3, (const unsigned char *) "abc");
	otrl_message_sending(a->us, &a->ops, a, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST, "x",
			tlv, &sent, OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
	otrl_tlv_free(tlv);
	forget_log(pair.bob);
	receive(pair.bob, "alice", sent);
	otrl_message_free(sent);
	ok(logged(pair.bob, "received_symkey") == 0 && !strcmp(last_shown(pair.bob), "x"),
			"a TLV too short for it is no request");
	pair_free(&pair);
}

int main(void)
{
	run_case("both directions", both_directions);
	run_case("edges", edges);
	return finish();
}
