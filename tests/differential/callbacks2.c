/* The callbacks that only libotr 3.2 has. Texts for users are in hex, after the words "cb notify" and
 * "cb display_otr_message"; libotr3.py recognises them by their subject. */
#include "driver.h"

/* What clients do inside callbacks, as far as it is harmless everywhere. */
void inside(User *u, ConnContext *context)
{
	if (u->inside && context) {
		p_context_find(u->us, context->username, context->accountname, context->protocol, 1, NULL, NULL, NULL);
		p_privkey_find(u->us, context->accountname, context->protocol);
	}
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

static void on_log(void *opdata, const char *message)
{
	(void) opdata;
	printf("cb log_message ");
	hex(message);
	putchar('\n');
}

void add_own_callbacks(User *u)
{
	u->ops.notify = on_notify;
	u->ops.display_otr_message = on_display;
	u->ops.protocol_name = on_protocol_name;
	u->ops.protocol_name_free = on_protocol_name_free;
	u->ops.log_message = on_log;
}
