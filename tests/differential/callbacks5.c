/* The callbacks that only libotr 4 has. */
#include "driver.h"

/* What clients do inside callbacks, as far as it is harmless everywhere. */
void inside(User *u, ConnContext *context)
{
	if (!u->inside || !context) {
		return;
	}
	p_context_find(u->us, context->username, context->accountname, context->protocol, OTRL_INSTAG_BEST, 1, NULL, NULL,
			NULL);
	p_context_is_fingerprint_trusted(context->active_fingerprint);
	p_message_poll(u->us, &u->ops, u);
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

	say_smp_event(u, context, event, percent, question);
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

void add_own_callbacks(User *u)
{
	OtrlMessageAppOps *ops = &u->ops;

	ops->received_symkey = on_symkey;
	ops->otr_error_message = on_error_message;
	ops->otr_error_message_free = on_error_message_free;
	ops->resent_msg_prefix = on_resent_prefix;
	ops->resent_msg_prefix_free = on_resent_prefix_free;
	ops->handle_smp_event = on_smp_event;
	ops->handle_msg_event = on_msg_event;
	ops->create_instag = on_create_instag;
	if (u->convert) {
		ops->convert_msg = on_convert;
		ops->convert_free = on_convert_free;
	}
	ops->timer_control = on_timer;
}
