/* The callbacks of a user of libotr 3.2: each prints its name and arguments. Texts for users are in hex, after the words
 * "cb notify" and "cb display_otr_message"; abi2.py recognises them by their subject. */
#include "driver2.h"

/* What clients do inside callbacks, as far as it is harmless everywhere. */
static void inside(User *u, ConnContext *context)
{
	if (u->inside && context) {
		p_context_find(u->us, context->username, context->accountname, context->protocol, 1, NULL, NULL, NULL);
		p_privkey_find(u->us, context->accountname, context->protocol);
	}
}

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	printf("cb policy %s/0\n", context->username);
	return ((User *) opdata)->policy;
}

static void on_create_privkey(void *opdata, const char *account, const char *protocol)
{
	User *u = opdata;

	printf("cb create_privkey %s %s\n", account, protocol);
	if (u->key_mode) {
		p_privkey_read(u->us, u->keyfile);
	}
}

static int on_is_logged_in(void *opdata, const char *account, const char *protocol, const char *recipient)
{
	printf("cb is_logged_in %s %s %s\n", account, protocol, recipient);
	return ((User *) opdata)->logged_in;
}

static void on_inject(void *opdata, const char *account, const char *protocol, const char *to, const char *message)
{
	(void) opdata;
	(void) account;
	(void) protocol;
	printf("inject %s ", to);
	hex(message);
	putchar('\n');
}

static void on_notify(void *opdata, OtrlNotifyLevel level, const char *account, const char *protocol, const char *username,
		const char *title, const char *primary, const char *secondary)
{
	(void) opdata;
	printf("cb notify %d %s %s %s ", level, account, protocol, username);
	hex(title);
	putchar(' ');
	hex(primary);
	putchar(' ');
	hex(secondary);
	putchar('\n');
}

static int on_display(void *opdata, const char *account, const char *protocol, const char *username, const char *text)
{
	printf("cb display_otr_message %s %s %s ", account, protocol, username);
	hex(text);
	putchar('\n');
	return ((User *) opdata)->null_results >> 1 & 1;
}

static void on_update_list(void *opdata)
{
	(void) opdata;
	printf("cb update_context_list\n");
}

static const char *on_protocol_name(void *opdata, const char *protocol)
{
	(void) opdata;
	printf("cb protocol_name %s\n", protocol);
	return strdup("Same");
}

static void on_protocol_name_free(void *opdata, const char *name)
{
	(void) opdata;
	printf("cb protocol_name_free\n");
	free((char *) name);
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account, const char *protocol,
		const char *username, unsigned char fingerprint[20])
{
	printf("cb new_fingerprint %d %s %s %s ", us == ((User *) opdata)->us, account, protocol, username);
	hexn(fingerprint, 20);
	putchar('\n');
}

static void on_write_fingerprints(void *opdata)
{
	(void) opdata;
	printf("cb write_fingerprints\n");
}

static void secure(const char *what, User *u, ConnContext *context, int is_reply)
{
	printf("cb %s %s/0 state=%d version=%u reply=%d sid=", what, context->username, context->msgstate,
			context->protocol_version, is_reply);
	hexn(context->sessionid, context->sessionid_len);
	printf(" active=");
	hexn(context->active_fingerprint ? context->active_fingerprint->fingerprint : NULL, 20);
	putchar('\n');
	inside(u, context);
}

static void on_gone_secure(void *opdata, ConnContext *context)
{
	secure("gone_secure", opdata, context, -1);
}

static void on_gone_insecure(void *opdata, ConnContext *context)
{
	secure("gone_insecure", opdata, context, -1);
}

static void on_still_secure(void *opdata, ConnContext *context, int is_reply)
{
	secure("still_secure", opdata, context, is_reply);
}

static void on_log(void *opdata, const char *message)
{
	(void) opdata;
	printf("cb log_message ");
	hex(message);
	putchar('\n');
}

static int on_max_message_size(void *opdata, ConnContext *context)
{
	printf("cb max_message_size %s/0\n", context->username);
	return ((User *) opdata)->mms;
}

static const char *on_account_name(void *opdata, const char *account, const char *protocol)
{
	char name[100];

	printf("cb account_name %s %s\n", account, protocol);
	snprintf(name, sizeof name, "Account %s", account);
	return ((User *) opdata)->null_results & 1 ? NULL : strdup(name);
}

static void on_account_name_free(void *opdata, const char *name)
{
	(void) opdata;
	printf("cb account_name_free ");
	hex(name);
	putchar('\n');
	free((char *) name);
}

static const OtrlMessageAppOps all_ops = {
	on_policy, on_create_privkey, on_is_logged_in, on_inject, on_notify, on_display, on_update_list, on_protocol_name,
	on_protocol_name_free, on_new_fingerprint, on_write_fingerprints, on_gone_secure, on_gone_insecure, on_still_secure,
	on_log, on_max_message_size, on_account_name, on_account_name_free
};

/* The members of the table as bits, in their order in the struct. */
void make_ops(User *u)
{
	void **member = (void **) (void *) &u->ops;
	size_t i;

	u->ops = all_ops;
	for (i = 0; i < sizeof u->ops / sizeof *member; i++) {
		if (u->null_ops & (1ul << i)) {
			member[i] = NULL;
		}
	}
}

static void forget_app_data(void *data)
{
	printf("cb app_data_free %u\n", *(unsigned *) data);
	free(data);
}

void add_app_data(void *data, ConnContext *context)
{
	User *u = data;
	unsigned *number = malloc(sizeof *number);

	*number = ++u->number_of_app_data;
	printf("cb add_app_data %u %s\n", *number, context->username);
	context->app_data = number;
	context->app_data_free = forget_app_data;
}
