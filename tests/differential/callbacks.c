/* The callbacks of a user: each prints its name and arguments. */
#include "driver.h"

/* What clients do inside callbacks, as far as it is harmless everywhere. */
static void inside(User *u, ConnContext *context)
{
	if (!u->inside || !context) {
		return;
	}
	p_context_find(u->us, context->username, context->accountname, context->protocol, OTRL_INSTAG_BEST, 1, NULL, NULL,
			NULL);
	p_context_is_fingerprint_trusted(context->active_fingerprint);
	p_message_poll(u->us, &u->ops, u);
}

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
static const char *text_of(User *u, int number, const char *text)
{
	return u->null_results & (1ul << number) ? NULL : strdup(text);
}

static void freed(const char *name, const char *text)
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

static void on_symkey(void *opdata, ConnContext *context, unsigned int use, const unsigned char *data, size_t len,
		const unsigned char *key)
{
	printf("cb received_symkey %s %x ", context_name(opdata, context), use);
	hexn(data, len);
	putchar(' ');
	hexn(key, OTRL_EXTRAKEY_BYTES);
	putchar('\n');
}

static const char *on_error_message(void *opdata, ConnContext *context, OtrlErrorCode code)
{
	static const char *const texts[] = { "none", "cannot encrypt", "not private", "unreadable", "malformed" };

	printf("cb otr_error_message %s %d\n", context_name(opdata, context), code);
	return text_of(opdata, 1, texts[code < 5 ? code : 0]);
}

static void on_error_message_free(void *opdata, const char *text)
{
	(void) opdata;
	freed("otr_error_message_free", text);
}

static const char *on_resent_prefix(void *opdata, ConnContext *context)
{
	printf("cb resent_msg_prefix %s\n", context_name(opdata, context));
	return text_of(opdata, 2, "[again]");
}

static void on_resent_prefix_free(void *opdata, const char *text)
{
	(void) opdata;
	freed("resent_msg_prefix_free", text);
}

static void on_smp_event(void *opdata, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
	User *u = opdata;

	printf("cb handle_smp_event %s %d %u next=%d prog=%d asked=%d secret=%d ", context_name(u, context), event, percent,
			context->smstate->nextExpected, context->smstate->sm_prog_state,
			context->smstate->received_question, context->smstate->secret != NULL);
	hex(question);
	putchar('\n');
	if (u->smp_abort & 1 && (event == OTRL_SMPEVENT_ERROR || event == OTRL_SMPEVENT_CHEATED)) {
		p_message_abort_smp(u->us, &u->ops, u, context);
	}
	if (u->smp_abort & 4 && event == OTRL_SMPEVENT_ABORT) {
		p_message_abort_smp(u->us, &u->ops, u, context);
	}
	if (u->smp_abort & 2 && event != OTRL_SMPEVENT_ASK_FOR_ANSWER && event != OTRL_SMPEVENT_ASK_FOR_SECRET
			&& event != OTRL_SMPEVENT_IN_PROGRESS) {
		p_sm_state_free(context->smstate);
	}
	inside(u, context);
}

static void on_msg_event(void *opdata, OtrlMessageEvent event, ConnContext *context, const char *message,
		gcry_error_t err)
{
	printf("cb handle_msg_event %s %d err=%x ", context_name(opdata, context), event, (unsigned) err);
	hex(message);
	putchar('\n');
	inside(opdata, context);
}

static void on_create_instag(void *opdata, const char *account, const char *protocol)
{
	User *u = opdata;

	printf("cb create_instag %s %s\n", account, protocol);
	if (u->instag_mode) {
		p_instag_generate(u->us, "/dev/null", account, protocol);
	}
}

static void on_convert(void *opdata, ConnContext *context, OtrlConvertType type, char **dest, const char *src)
{
	User *u = opdata;
	char *text;

	printf("cb convert_msg %s %d dest=%d ", context_name(u, context), type, *dest != NULL);
	hex(src);
	putchar('\n');
	if (u->convert == 1 && src) {
		text = malloc(strlen(src) + 3);
		sprintf(text, type == OTRL_CONVERT_SENDING ? "<%s>" : "(%s)", src);
		*dest = text;
	}
}

static void on_convert_free(void *opdata, ConnContext *context, char *text)
{
	printf("cb convert_free %s\n", context_name(opdata, context));
	free(text);
}

static void on_timer(void *opdata, unsigned int interval)
{
	(void) opdata;
	printf("cb timer_control %u\n", interval);
}

static const OtrlMessageAppOps all_ops = {
	on_policy, on_create_privkey, on_is_logged_in, on_inject, on_update_list, on_new_fingerprint,
	on_write_fingerprints, on_gone_secure, on_gone_insecure, on_still_secure, on_max_message_size, on_account_name,
	on_account_name_free, on_symkey, on_error_message, on_error_message_free, on_resent_prefix,
	on_resent_prefix_free, on_smp_event, on_msg_event, on_create_instag, on_convert, on_convert_free, on_timer
};

/* The members of the table as bits, in their order in the struct. */
void make_ops(User *u)
{
	void **member = (void **) (void *) &u->ops;
	size_t i;

	u->ops = all_ops;
	if (!u->convert) {
		u->ops.convert_msg = NULL;
		u->ops.convert_free = NULL;
	}
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
	printf("cb add_app_data %u %s %x\n", *number, context->username, context->their_instance);
	context->app_data = number;
	context->app_data_free = forget_app_data;
}
