/* The world's parties on the interface of libotr 3.2, used as BitlBee 3.2 uses it. */
#include "interface.h"

static void on_notify(void *opdata, OtrlNotifyLevel level, const char *account,
		const char *protocol, const char *user, const char *title, const char *primary,
		const char *secondary)
{
	(void) account;
	(void) protocol;
	(void) user;
	note(opdata, NULL, "notify", " %d: %s: %s: %s", (int) level, title, primary,
			secondary ? secondary : "-");
}

static int on_display(void *opdata, const char *account, const char *protocol,
		const char *user, const char *text)
{
	(void) account;
	(void) protocol;
	(void) user;
	note(opdata, NULL, "display", " %s", text);
	return !((Party *) opdata)->displays;
}

static void on_log(void *opdata, const char *message)
{
	note(opdata, NULL, "log", " %s", message);
}

void own_ways(Party *self)
{
	self->ops.notify = on_notify;
	self->ops.display_otr_message = on_display;
	self->ops.log_message = on_log;
	self->displays = true;
}

int call_receiving(Party *self, const char *from, const char *text, char **shown,
		OtrlTLV **tlvs, ConnContext **context)
{
	int result = otrl_message_receiving(self->us, &self->ops, self, self->account, PROTOCOL,
			from, text, shown, tlvs, on_add_app_data, self);

	*context = context_with(self, from);
	return result;
}

gcry_error_t send_text(Party *from, const char *to, const char *text)
{
	char *message = (char *) 16;
	gcry_error_t err = otrl_message_sending(from->us, &from->ops, from, from->account,
			PROTOCOL, to, text, NULL, &message, on_add_app_data, from);

	if (!err && !message) {
		wire_text(from, to, text);
	} else if (!err) {
		err = otrl_message_fragment_and_send(&from->ops, from, context_with(from, to),
				message, OTRL_FRAGMENT_SEND_ALL, NULL);
	}
	otrl_message_free(message);
	return err;
}

ConnContext *context_with(Party *self, const char *peer)
{
	return otrl_context_find(self->us, peer, self->account, PROTOCOL, 0, NULL, NULL, NULL);
}

ConnContext *made_context(Party *self, const char *peer)
{
	return otrl_context_find(self->us, peer, self->account, PROTOCOL, 1, NULL, NULL, NULL);
}
