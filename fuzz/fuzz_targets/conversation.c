/* One schedule: each byte is an event, and the bytes after it are its parameters. */
#include "input.h"
#include "pair.h"
#include "steady.h"

static Party *somebody(void)
{
	return next() & 1 ? &alice : &bob;
}

static void damage(Wire *message)
{
	unsigned char *bytes = NULL;
	size_t length;

	if (!message || otrl_base64_otr_decode(message->text, &bytes, &length) || !length) {
		free(bytes);
		return;
	}
	bytes[(next() << 8 | next()) % length] ^= (unsigned char) next();
	free(message->text);
	message->text = otrl_base64_otr_encode(bytes, length);
	free(bytes);
}

static void with_a_tlv(Party *self)
{
	char text[64];
	unsigned char value[256];
	unsigned short kind = (unsigned short) (next() % 12);
	size_t length = bytes_of(value, sizeof value);
	char *message = NULL;
	OtrlTLV *tlv;

	text_of(text, sizeof text);
	tlv = otrl_tlv_new(kind, (unsigned short) length, value);
	if (!otrl_message_sending(self->us, &self->ops, self, self->name, PROTOCOL, self->peer, OTRL_INSTAG_BEST, text, tlv, &message,
			OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) && message) {
		put_on_wire(self, message);
	}
	otrl_message_free(message);
	otrl_tlv_free(tlv);
}

static void happen(void)
{
	char text[300];
	Party *self = &alice;
	ConnContext *context;

	switch (next() % 18) {
	case 0:
		strcpy(text, MARK " ");
		text_of(text + strlen(text), 200);
		say(somebody(), text);
		break;
	case 1:
	case 2:
		deliver_one();
		break;
	case 3:
		if (wire) {
			put_on_wire(wire->from, wire->text);
		}
		deliver_one();
		break;
	case 4:
		if (wire) {
			Wire *first = wire;
			wire = first->next;
			free(first->text);
			free(first);
		}
		break;
	case 5:
		damage(wire);
		break;
	case 6:
		text_of(text, sizeof text);
		hear(somebody(), text);
		break;
	case 7:
		with_a_tlv(somebody());
		break;
	case 8:
		self = somebody();
		if ((context = context_of(self, OTRL_INSTAG_BEST))) {
			otrl_message_initiate_smp(self->us, &self->ops, self, context, (const unsigned char *) "s", next() & 1);
		}
		break;
	case 9:
		self = somebody();
		if ((context = context_of(self, OTRL_INSTAG_BEST))) {
			otrl_message_respond_smp(self->us, &self->ops, self, context, (const unsigned char *) "s", next() & 1);
		}
		break;
	case 10:
		self = somebody();
		if ((context = context_of(self, OTRL_INSTAG_BEST))) {
			otrl_message_abort_smp(self->us, &self->ops, self, context);
		}
		break;
	case 11:
		self = somebody();
		otrl_message_disconnect_all_instances(self->us, &self->ops, self, self->name, PROTOCOL, self->peer);
		break;
	case 12:
		self = somebody();
		self->policy = next() & 0xff;
		break;
	case 13:
		self = somebody();
		self->max_size = next() & 1 ? 0 : 40 + (int) next();
		break;
	case 14:
		settle(30);
		break;
	case 15:
		say(somebody(), next() & 1 ? "?OTRv3?" : "?OTRv2?");
		settle(30);
		break;
	case 16:
		if (wire && wire->next) {
			Wire *first = wire;
			wire = first->next;
			put_on_wire(first->from, first->text);
			free(first->text);
			free(first);
		}
		break;
	default:
		steady_time_passes(20);
		otrl_message_poll(alice.us, &alice.ops, &alice);
		otrl_message_poll(bob.us, &bob.ops, &bob);
	}
}

void hold_conversation(const unsigned char *data, size_t length);

void hold_conversation(const unsigned char *data, size_t length)
{
	OtrlPolicy policy = OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3 | OTRL_POLICY_ERROR_START_AKE | OTRL_POLICY_WHITESPACE_START_AKE;
	int steps = 0;

	at = data;
	end = data + length;
	steady_begin();
	setenv("OTR_KEYS", KEYS, 0);
	pair_new(policy);
	if (next() & 1) {
		go_secure();
	}
	while (at < end && steps++ < 60) {
		happen();
	}
	/* Whatever happened, it comes to rest, and the two can talk. */
	alice.policy = bob.policy = policy;
	alice.max_size = bob.max_size = 0;
	check(comes_to_rest(), "everything comes to rest");
	/* For ten seconds a query is answered by an exchange that may have been cut off. */
	steady_time_passes(10);
	check(works() || works(), "the two can talk");
	pair_free();
	if (failures) {
		abort();
	}
}
