/* The small functions: versions, message kinds, query and whitespace tags,
 * base64, TLVs, instance tags, comparisons.   test: c99 */
#include "world.h"

#include <libotr/b64.h>
#include <libotr/mem.h>

extern unsigned int otrl_api_version;

static void versions(void)
{
	ok(!strcmp(otrl_version(), "4.1.1"), "otrl_version is 4.1.1");
	ok(otrl_init(4, 1, 1) == 0, "otrl_init takes 4.1.1");
	ok(otrl_api_version == 0x040101, "otrl_api_version is remembered");
	ok(otrl_init(4, 0, 0) == 0, "otrl_init takes 4.0.0");
	ok(otrl_api_version == 0x040000, "the lowest version is remembered");
	ok(otrl_init(4, 1, 0) == 0, "otrl_init takes 4.1.0");
	ok(otrl_api_version == 0x040000, "and a higher one does not replace it");
	/* Debian's build of the C libotr takes every version. */
	BETTER(otrl_init(3, 2, 1) != 0, "otrl_init refuses 3.2.1");
	BETTER(otrl_init(5, 0, 0) != 0, "otrl_init refuses 5.0.0");
	otrl_api_version = 0x030200;
	ok(otrl_api_version == 0x030200, "a program may write otrl_api_version");
}

static void init_twice(void)
{
	int i;

	for (i = 0; i < 50; i++) {
		OTRL_INIT;
	}
	ok(1, "OTRL_INIT many times");
	otrl_mem_init();
	otrl_dh_init();
	otrl_sm_init();
	otrl_mem_init();
	ok(1, "otrl_mem_init, otrl_dh_init and otrl_sm_init by hand");
	ok(otrl_message_poll_get_default_interval(NULL) == 70,
			"the default interval is 70 seconds");
}

static void kinds(void)
{
	static const struct {
		const char *text;
		OtrlMessageType type;
		int version;
	} table[] = {
		{ "", OTRL_MSGTYPE_NOTOTR, 0 },
		{ "hello", OTRL_MSGTYPE_NOTOTR, 0 },
		{ "?OT", OTRL_MSGTYPE_NOTOTR, 0 },
		{ "?otr?", OTRL_MSGTYPE_NOTOTR, 0 },
		{ "hi" OTRL_MESSAGE_TAG_BASE, OTRL_MSGTYPE_TAGGEDPLAINTEXT, 0 },
		{ OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2 "?OTR?", OTRL_MSGTYPE_QUERY, 0 },
		{ "?OTR?", OTRL_MSGTYPE_QUERY, 0 },
		{ "?OTRv23?", OTRL_MSGTYPE_QUERY, 0 },
		{ "?OTRv", OTRL_MSGTYPE_QUERY, 0 },
		{ "before ?OTR?v2? after", OTRL_MSGTYPE_QUERY, 0 },
		{ "?OTR", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR:", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR:AA", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR:AAM", OTRL_MSGTYPE_UNKNOWN, 3 },
		{ "?OTR:AAI", OTRL_MSGTYPE_UNKNOWN, 2 },
		{ "?OTR:AAE", OTRL_MSGTYPE_UNKNOWN, 1 },
		{ "?OTR:AAMC", OTRL_MSGTYPE_DH_COMMIT, 3 },
		{ "?OTR:AAMK", OTRL_MSGTYPE_DH_KEY, 3 },
		{ "?OTR:AAMR", OTRL_MSGTYPE_REVEALSIG, 3 },
		{ "?OTR:AAMS", OTRL_MSGTYPE_SIGNATURE, 3 },
		{ "?OTR:AAMD", OTRL_MSGTYPE_DATA, 3 },
		{ "?OTR:AAMZ", OTRL_MSGTYPE_UNKNOWN, 3 },
		{ "?OTR:AAIC", OTRL_MSGTYPE_DH_COMMIT, 2 },
		{ "?OTR:AAIK", OTRL_MSGTYPE_DH_KEY, 2 },
		{ "?OTR:AAIR", OTRL_MSGTYPE_REVEALSIG, 2 },
		{ "?OTR:AAIS", OTRL_MSGTYPE_SIGNATURE, 2 },
		{ "x ?OTR:AAID", OTRL_MSGTYPE_DATA, 2 },
		{ "?OTR:AAEK", OTRL_MSGTYPE_V1_KEYEXCH, 1 },
		{ "?OTR:AAED", OTRL_MSGTYPE_DATA, 1 },
		{ "?OTR:AAEC", OTRL_MSGTYPE_UNKNOWN, 1 },
		{ "?OTR Error:", OTRL_MSGTYPE_ERROR, 0 },
		{ "?OTR Error: oh", OTRL_MSGTYPE_ERROR, 0 },
		{ "?OTR Error", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR,1,2,x,", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR|1|2,1,2,x,", OTRL_MSGTYPE_UNKNOWN, 0 },
		{ "?OTR ?OTR?", OTRL_MSGTYPE_UNKNOWN, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		ok(otrl_proto_message_type(table[i].text) == table[i].type,
				"type of '%s' is %d", table[i].text, (int) table[i].type);
		ok(otrl_proto_message_version(table[i].text) == table[i].version,
				"version of '%s' is %d", table[i].text, table[i].version);
	}
}

static void queries(void)
{
	static const struct {
		const char *text;
		OtrlPolicy policy;
		unsigned best;
	} table[] = {
		{ "no query", POLICY_V23, 0 }, { "?OTR", POLICY_V23, 0 },
		{ "?OTR?", POLICY_V23, 0 }, { "?OTR?", OTRL_POLICY_ALLOW_V1, 1 },
		{ "?OTR?", POLICY_V23 | OTRL_POLICY_ALLOW_V1, 1 },
		{ "?OTRv2?", POLICY_V23, 2 }, { "?OTRv2?", POLICY_V3, 0 },
		{ "?OTRv3?", POLICY_V23, 3 }, { "?OTRv3?", POLICY_V2, 0 },
		{ "?OTRv23?", POLICY_V23, 3 }, { "?OTRv23?", POLICY_V2, 2 },
		{ "?OTRv32?", POLICY_V23, 3 }, { "?OTR?v2?", POLICY_V23, 2 },
		{ "?OTR?v2?", OTRL_POLICY_ALLOW_V1, 1 },
		{ "?OTR?v23?", POLICY_V23, 3 }, { "?OTRv2", POLICY_V23, 2 },
		{ "?OTRv24x3?", POLICY_V23, 3 }, { "?OTRv24x?3", POLICY_V23, 2 },
		{ "?OTRv?", POLICY_V23, 0 }, { "?OTRv", POLICY_V23, 0 },
		{ "?OTRv 3", POLICY_V23, 3 }, { "x?OTRv3? y", POLICY_V23, 3 },
		{ "?OTRv23?", OTRL_POLICY_NEVER, 0 },
	};
	size_t i;
	char *text;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		ok(otrl_proto_query_bestversion(table[i].text, table[i].policy)
				== table[i].best, "best version of '%s' under %x is %u",
				table[i].text, table[i].policy, table[i].best);
	}
	text = otrl_proto_default_query_msg("bob@example.org", OTRL_POLICY_MANUAL);
	ok(!strncmp(text, "?OTRv23?\n<b>bob@example.org</b> has requested an <a href="
				"\"https://otr.cypherpunks.ca/\">Off-the-Record private "
				"conversation</a>.  However, you do not have a plugin to support "
				"that.\nSee <a href=\"https://otr.cypherpunks.ca/\">", 100)
			&& strstr(text, "for more information."),
			"the default query text for version 2 and 3");
	free(text);
	text = otrl_proto_default_query_msg("", OTRL_POLICY_ALLOW_V1);
	ok(!strncmp(text, "?OTR?\n<b></b>", 13), "for version 1 and an empty name");
	free(text);
	text = otrl_proto_default_query_msg("%s%n", OTRL_POLICY_ALLOW_V1 | POLICY_V2);
	ok(!strncmp(text, "?OTR?v2?\n<b>%s%n</b>", 20), "a name is no format");
	free(text);
	text = otrl_proto_default_query_msg("x", POLICY_V3);
	ok(!strncmp(text, "?OTRv3?\n", 8), "for version 3 alone");
	otrl_message_free(text);
	text = otrl_proto_default_query_msg("x", OTRL_POLICY_NEVER);
	ok(!strncmp(text, "?OTR\n", 5), "for no version");
	otrl_message_free(text);
}

static void whitespace(void)
{
	const char *start = (const char *) 16, *end = (const char *) 16;
	static const char both[] = "hello" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2
		OTRL_MESSAGE_TAG_V3 "rest";
	static const char odd[] = OTRL_MESSAGE_TAG_BASE "        " OTRL_MESSAGE_TAG_V1 " ";

	ok(otrl_proto_whitespace_bestversion("hello", &start, &end, POLICY_V23) == 0
			&& !start && !end, "no tag");
	ok(otrl_proto_whitespace_bestversion(both, &start, &end, POLICY_V23) == 3,
			"version 3 of a tag for both");
	ok(start == both + 5 && end == both + sizeof both - 5, "and where it stands");
	ok(otrl_proto_whitespace_bestversion(both, &start, &end, POLICY_V2) == 2,
			"version 2 when 3 is not allowed");
	ok(otrl_proto_whitespace_bestversion(both, &start, &end,
				OTRL_POLICY_ALLOW_V1) == 0 && start && end,
			"no common version, but the tag is found");
	ok(otrl_proto_whitespace_bestversion(odd, &start, &end, OTRL_POLICY_ALLOW_V1) == 1
			&& start == odd && end == odd + 32,
			"unknown groups of eight belong to the tag");
}

static void base64(void)
{
	unsigned char all[256], back[300], *buffer = NULL;
	char text[400];
	size_t i, len, got;

	for (i = 0; i < 256; i++) {
		all[i] = (unsigned char) i;
	}
	for (len = 0; len < 256; len++) {
		got = otrl_base64_encode(text, all, len);
		if (got != (len + 2) / 3 * 4
				|| otrl_base64_decode(back, text, got) != len
				|| memcmp(back, all, len)) {
			break;
		}
	}
	ok(len == 256, "encode and decode 0 to 255 bytes (stopped at %u)", (unsigned) len);
	got = otrl_base64_encode(text, (const unsigned char *) "\xfb\xff\xfe", 3);
	ok(got == 4 && !memcmp(text, "+//+", 4), "the alphabet has + and /");
	got = otrl_base64_decode(back, "a\nGV\r sbG-8=trailing", 12);
	ok(got == 5 && !memcmp(back, "hello", 5), "other characters are skipped");
	got = otrl_base64_decode(back, "aGVs====bG8=", 12);
	ok(got <= 5, "nothing wild after padding");
	got = otrl_base64_decode(back, "", 0);
	ok(got == 0, "nothing gives nothing");

	char *armoured = otrl_base64_otr_encode(all, 5);
	ok(!strcmp(armoured, "?OTR:AAECAwQ=."), "armour");
	ok(otrl_base64_otr_decode(armoured, &buffer, &len) == 0 && len == 5
			&& !memcmp(buffer, all, 5), "and back");
	free(buffer);
	free(armoured);
	ok(otrl_base64_otr_decode("text ?OTR:AAECAwQ=. more", &buffer, &len) == 0 && len == 5,
			"armour inside a text");
	free(buffer);
	ok(otrl_base64_otr_decode("?OTR:AAECAwQ=", &buffer, &len) == -2, "no full stop: -2");
	ok(otrl_base64_otr_decode("AAECAwQ=.", &buffer, &len) == -2, "no ?OTR:");
	ok(otrl_base64_otr_decode("", &buffer, &len) == -2, "an empty text");
	/* CVE-2012-3461: lengths that round to nothing. */
	for (i = 0; i < 9; i++) {
		snprintf(text, sizeof text, "?OTR:%.*s.", (int) i, "=========");
		buffer = NULL;
		if (otrl_base64_otr_decode(text, &buffer, &len) == 0) {
			free(buffer);
		}
	}
	ok(1, "armour of nothing but padding");
}

static void tlvs(void)
{
	unsigned char wire[64];
	OtrlTLV *chain = otrl_tlv_new(9, 3, (const unsigned char *) "abc"), *tlv;

	chain->next = otrl_tlv_new(OTRL_TLV_DISCONNECTED, 0, NULL);
	ok(chain->data[3] == '\0', "a byte of zero stands behind the data");
	ok(otrl_tlv_seriallen(chain) == 11 && otrl_tlv_seriallen(NULL) == 0,
			"serialised length");
	otrl_tlv_serialize(wire, chain);
	ok(!memcmp(wire, "\0\x09\0\x03" "abc\0\x01\0\0", 11), "serialised bytes");
	otrl_tlv_free(chain);
	chain = otrl_tlv_parse(wire, 11);
	ok(chain && chain->type == 9 && chain->len == 3 && !memcmp(chain->data, "abc", 4)
			&& chain->next && chain->next->type == 1 && chain->next->len == 0
			&& !chain->next->next, "parsed again");
	tlv = otrl_tlv_find(chain, 1);
	ok(tlv == chain->next, "found in the chain");
	ok(otrl_tlv_find(chain, 2) == NULL && otrl_tlv_find(NULL, 1) == NULL, "not found");
	otrl_tlv_free(chain);
	otrl_tlv_free(NULL);
	ok(otrl_tlv_parse(wire, 0) == NULL && otrl_tlv_parse(wire, 3) == NULL,
			"too short for a head");
	ok(otrl_tlv_parse(wire, 6) == NULL, "a TLV longer than the message");
	chain = otrl_tlv_parse(wire, 10);
	ok(chain && chain->type == 9 && !chain->next, "the broken rest is left out");
	otrl_tlv_free(chain);
	ok(otrl_tlv_parse((const unsigned char *) "\0\x01\xff\xff", 4) == NULL,
			"a TLV of 65535 bytes that are not there");
}

static void instances(void)
{
	unsigned from = 1, to = 1;
	int i, good = 1;

	for (i = 0; i < 200; i++) {
		good &= otrl_instag_get_new() >= OTRL_MIN_VALID_INSTAG;
	}
	ok(good, "new instance tags are valid ones");
	ok(otrl_instag_get_new() != otrl_instag_get_new(), "and differ");
	/* 00 03 02 00000101 00000202 */
	ok(otrl_proto_instance("?OTR:AAMCAAABAQAAAgI=.", &from, &to) == 0
			&& from == 0x101 && to == 0x202, "the tags of a message");
	ok(gcry_err_code(otrl_proto_instance("?OTR:AAICAAABAQAAAgI=.", &from, &to))
			== GPG_ERR_INV_VALUE, "a version 2 message has none");
	ok(otrl_proto_instance("?OTR:AAMCAAAB.", &from, &to) != 0, "cut short");
}

static void humans(void)
{
	unsigned char hash[20];
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN + 1];
	int i;

	for (i = 0; i < 20; i++) {
		hash[i] = (unsigned char) (i * 13);
	}
	memset(human, 'x', sizeof human);
	otrl_privkey_hash_to_human(human, hash);
	ok(!strcmp(human, "000D1A27 34414E5B 6875828F 9CA9B6C3 D0DDEAF7"), "human form");
	ok(human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN] == 'x'
			&& OTRL_PRIVKEY_FPRINT_HUMAN_LEN == 45, "in 45 bytes");
}

static void counters(void)
{
	unsigned char a[8] = { 0, 0, 0, 0, 0, 0, 0, 255 }, b[8] = { 0 };

	otrl_dh_incctr(a);
	ok(a[6] == 1 && a[7] == 0, "a counter carries");
	memset(b, 255, 8);
	ok(otrl_dh_cmpctr(a, b) < 0 && otrl_dh_cmpctr(b, a) > 0
			&& otrl_dh_cmpctr(a, a) == 0, "and compares");
	otrl_dh_incctr(b);
	ok(!memcmp(b, "\0\0\0\0\0\0\0\0", 8), "and wraps");
	ok(otrl_mem_differ((const unsigned char *) "abc", (const unsigned char *) "abc", 3) == 0
			&& otrl_mem_differ((const unsigned char *) "abc",
				(const unsigned char *) "abd", 3) != 0
			&& otrl_mem_differ((const unsigned char *) "abc",
				(const unsigned char *) "abd", 2) == 0, "otrl_mem_differ");
}

int main(void)
{
	run_case("versions", versions);
	run_case("initialising", init_twice);
	run_case("message kinds", kinds);
	run_case("queries", queries);
	run_case("whitespace tags", whitespace);
	run_case("base64", base64);
	run_case("TLVs", tlvs);
	run_case("instance tags", instances);
	run_case("fingerprints for humans", humans);
	run_case("counters and comparison", counters);
	return finish();
}
