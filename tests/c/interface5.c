/* The world's parties on the interface of libotr 4: the callbacks that only this one has, and the calls. */
#include "interface.h"

static void on_symkey(void *opdata, ConnContext *context, unsigned int use,
		const unsigned char *usedata, size_t len, const unsigned char *symkey)
{
	Party *self = opdata;

	memcpy(self->symkey, symkey, 32);
	note(opdata, context, "received_symkey", " %x %.*s", use, (int) len,
			(const char *) usedata);
}

static const char *on_error_message(void *opdata, ConnContext *context, OtrlErrorCode code)
{
	Party *self = opdata;

	note(opdata, context, "otr_error_message", " %d", (int) code);
	return self->error_text ? strdup(self->error_text) : NULL;
}

static void on_error_message_free(void *opdata, const char *text)
{
	note(opdata, NULL, "otr_error_message_free", NULL);
	free((char *) text);
}

static const char *on_resent_prefix(void *opdata, ConnContext *context)
{
	Party *self = opdata;

	note(opdata, context, "resent_msg_prefix", NULL);
	return self->resent_prefix ? strdup(self->resent_prefix) : NULL;
}

static void on_resent_prefix_free(void *opdata, const char *prefix)
{
	note(opdata, NULL, "resent_msg_prefix_free", NULL);
	free((char *) prefix);
}

static void on_smp(void *opdata, OtrlSMPEvent event, ConnContext *context,
		unsigned short percent, char *question)
{
	note(opdata, context, "smp", " %d %u %s", (int) event, percent,
			question ? question : "-");
}

static void on_event(void *opdata, OtrlMessageEvent event, ConnContext *context,
		const char *message, gcry_error_t err)
{
	note(opdata, context, "event", " %d %x %s", (int) event, (unsigned) err,
			message ? message : "-");
}

static void on_create_instag(void *opdata, const char *account, const char *protocol)
{
	Party *self = opdata;

	note(opdata, NULL, "create_instag", " %s %s", account, protocol);
	if (self->makes_instag) {
		otrl_instag_generate(self->us, "/dev/null", account, protocol);
	}
}

static void on_convert(void *opdata, ConnContext *context, OtrlConvertType type,
		char **dest, const char *src)
{
	(void) dest;
	note(opdata, context, "convert_msg", " %d %s", (int) type, src);
}

static void on_convert_free(void *opdata, ConnContext *context, char *dest)
{
	note(opdata, context, "convert_free", NULL);
	free(dest);
}

static void on_timer(void *opdata, unsigned int interval)
{
	note(opdata, NULL, "timer_control", " %u", interval);
}

void own_ways(Party *self)
{
	OtrlMessageAppOps *ops = &self->ops;

	ops->received_symkey = on_symkey;
	ops->otr_error_message = on_error_message;
	ops->otr_error_message_free = on_error_message_free;
	ops->resent_msg_prefix = on_resent_prefix;
	ops->resent_msg_prefix_free = on_resent_prefix_free;
	ops->handle_smp_event = on_smp;
	ops->handle_msg_event = on_event;
	ops->create_instag = on_create_instag;
	ops->convert_msg = on_convert;
	ops->convert_free = on_convert_free;
	ops->timer_control = on_timer;
	self->error_text = "some text of ours";
	self->resent_prefix = "[again]";
	self->makes_instag = true;
	self->fragments = OTRL_FRAGMENT_SEND_SKIP;
	self->to_instance = OTRL_INSTAG_BEST;
}

int call_receiving(Party *self, const char *from, const char *text, char **shown,
		OtrlTLV **tlvs, ConnContext **context)
{
	return otrl_message_receiving(self->us, &self->ops, self, self->account, PROTOCOL,
			from, text, shown, tlvs, context, on_add_app_data, self);
}

gcry_error_t send_text(Party *from, const char *to, const char *text)
{
	char *message = (char *) 16;
	ConnContext *context = (ConnContext *) 16;
	gcry_error_t err = otrl_message_sending(from->us, &from->ops, from,
			from->account, PROTOCOL, to, from->to_instance, text, NULL,
			&message, from->fragments, &context, on_add_app_data, from);

	if (!err && !message) {
		wire_text(from, to, text);
	} else if (!err && *message && from->fragments != OTRL_FRAGMENT_SEND_ALL) {
		wire_text(from, to, message);
	}
	otrl_message_free(message);
	return err;
}

ConnContext *context_with(Party *self, const char *peer)
{
	return otrl_context_find(self->us, peer, self->account, PROTOCOL,
			OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

ConnContext *made_context(Party *self, const char *peer)
{
	return otrl_context_find(self->us, peer, self->account, PROTOCOL,
			OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL);
}
