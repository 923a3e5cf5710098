/* Writes and reads the files of keys and fingerprints with either interface.
 *
 *     filer write DIRECTORY    makes DIRECTORY/keys and DIRECTORY/fingerprints
 *     filer read DIRECTORY     says what is in them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>

static const char *const users[] = { "bob", "carol@example.org/home", "d\xc3\xb6rte", "with space",
	"" };
static const char *const trusts[] = { NULL, "", "verified", "smp", "\xc3\xbc" };

static ConnContext *context_of(OtrlUserState us, const char *user)
{
#if OTRL_VERSION_MAJOR == 3
	return otrl_context_find(us, user, "alice", "prpl-jabber", 1, NULL, NULL, NULL);
#else
	return otrl_context_find(us, user, "alice", "prpl-jabber", OTRL_INSTAG_MASTER, 1, NULL, NULL,
			NULL);
#endif
}

static int write_files(OtrlUserState us, const char *keys, const char *prints)
{
	size_t user;
	unsigned char print[20];

	if (otrl_privkey_generate(us, keys, "alice", "prpl-jabber")
			|| otrl_privkey_generate(us, keys, "\"odd\" (name)", "prpl-oscar")) {
		return 1;
	}
	for (user = 0; user < sizeof users / sizeof users[0]; user++) {
		memset(print, (int) (user * 17 + 3), sizeof print);
		otrl_context_set_trust(otrl_context_find_fingerprint(context_of(us, users[user]), print,
			1, NULL), trusts[user]);
		print[19] = 0xff;
		otrl_context_find_fingerprint(context_of(us, users[user]), print, 1, NULL);
	}
	return otrl_privkey_write_fingerprints(us, prints) != 0;
}

static int read_files(OtrlUserState us, const char *keys, const char *prints)
{
	OtrlPrivKey *key;
	ConnContext *context;
	Fingerprint *print;
	char human[45];

	if (otrl_privkey_read(us, keys) || otrl_privkey_read_fingerprints(us, prints, NULL, NULL)) {
		return 1;
	}
	for (key = us->privkey_root; key; key = key->next) {
		static const unsigned char hash[20] = { 1, 2, 3 };
		unsigned char *signature;
		size_t size;

		if (otrl_privkey_sign(&signature, &size, key, hash, sizeof hash)) {
			return 1;
		}
		free(signature);
		otrl_privkey_fingerprint(us, human, key->accountname, key->protocol);
		printf("key %s, %s: %s\n", key->accountname, key->protocol, human);
	}
	for (context = us->context_root; context; context = context->next) {
		for (print = context->fingerprint_root.next; print; print = print->next) {
			otrl_privkey_hash_to_human(human, print->fingerprint);
			printf("fingerprint %s, %s, %s: %s %s\n", context->username, context->accountname,
					context->protocol, human, print->trust ? print->trust : "-");
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	char keys[4096], prints[4096];
	OtrlUserState us;
	int status;

	if (argc != 3) {
		return 2;
	}
	OTRL_INIT;
	us = otrl_userstate_create();
	snprintf(keys, sizeof keys, "%s/keys", argv[2]);
	snprintf(prints, sizeof prints, "%s/fingerprints", argv[2]);
	status = (strcmp(argv[1], "write") ? read_files : write_files)(us, keys, prints);
	otrl_userstate_free(us);
	return status;
}
