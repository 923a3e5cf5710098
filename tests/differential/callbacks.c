/* The callbacks of a user: each prints its name and arguments. callbacks5.c and callbacks2.c have those of one interface only. */
#include "driver.h"

static OtrlPolicy on_policy(void *opdata, ConnContext *context)
{
	User *u = opdata;

	printf("cb policy %s\n", context_name(u, context));
	return u->policy;
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
	User *u = opdata;

	printf("cb is_logged_in %s %s %s\n", account, protocol, recipient);
	return u->logged_in;
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

static void on_update_list(void *opdata)
{
	(void) opdata;
	printf("cb update_context_list\n");
}

static void on_new_fingerprint(void *opdata, OtrlUserState us, const char *account, const char *protocol,
		const char *username, unsigned char fingerprint[20])
{
	User *u = opdata;

	printf("cb new_fingerprint %d %s %s %s ", us == u->us, account, protocol, username);
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
	printf("cb %s %s state=%d version=%u reply=%d sid=", what, context_name(u, context), context->msgstate,
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

static int on_max_message_size(void *opdata, ConnContext *context)
{
	User *u = opdata;

	printf("cb max_message_size %s\n", context_name(u, context));
	return u->mms;
}

/* A text of the client's, or NULL if this one is to be NULL. */
const char *text_of(User *u, int number, const char *text)
{
	return u->null_results & (1ul << number) ? NULL : strdup(text);
}

void freed(const char *name, const char *text)
{
	printf("cb %s ", name);
	hex(text);
	putchar('\n');
	free((char *) text);
}

static const char *on_account_name(void *opdata, const char *account, const char *protocol)
{
	char name[100];

	printf("cb account_name %s %s\n", account, protocol);
	snprintf(name, sizeof name, "Account %s", account);
	return text_of(opdata, 0, name);
}

static void on_account_name_free(void *opdata, const char *name)
{
	(void) opdata;
	freed("account_name_free", name);
}

void say_smp_event(User *u, const ConnContext *context, int event, int percent, const char *question)
{
	printf("cb handle_smp_event %s %d %d next=%d prog=%d asked=%d secret=%d ", context_name(u, context), event, percent,
			context->smstate->nextExpected, context->smstate->sm_prog_state,
			context->smstate->received_question, context->smstate->secret != NULL);
	hex(question);
	putchar('\n');
}

static const OtrlMessageAppOps common_ops = {
	.policy = on_policy, .create_privkey = on_create_privkey, .is_logged_in = on_is_logged_in,
	.inject_message = on_inject, .update_context_list = on_update_list, .new_fingerprint = on_new_fingerprint,
	.write_fingerprints = on_write_fingerprints, .gone_secure = on_gone_secure, .gone_insecure = on_gone_insecure,
	.still_secure = on_still_secure, .max_message_size = on_max_message_size, .account_name = on_account_name,
	.account_name_free = on_account_name_free
};

/* The members of the table as bits, in their order in the struct. */
void make_ops(User *u)
{
	void **member = (void **) (void *) &u->ops;
	size_t i;

	u->ops = common_ops;
	add_own_callbacks(u);
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
	printf("cb add_app_data %u %s %x\n", *number, context->username, INSTANCE(context));
	context->app_data = number;
	context->app_data_free = forget_app_data;
}
