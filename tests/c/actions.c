/* What a client may do inside a callback: every action of actions.h in every callback of a whole conversation, once at its
 * first call and once at each, versions 2 and 3. Afterwards the two must be able to talk. All cells take 15 seconds of
 * processor time, or three minutes of the C libotr: see shortened(). (gone_insecure and account_name are never called;
 * otrl_userstate_free is in freed_inside.c.)   test: time */
#include "actions.h"

#include <sys/mman.h>
#include <unistd.h>

extern long time_shim_offset;

enum { MET, SESSION, TEXTS, SYMKEY, SMP, BAD, GOODBYE, FORGOTTEN, STEPS };

/* How far a cell came: a fault ends it before it can say more. */
typedef enum { CRASHED, UNSOUND, SILENT, FINE } Outcome;

static OtrlMessageAppOps all_callbacks;
static OtrlPolicy policy;

/* The cell: the callback ("" for none, NULL to count the calls), whether each call of it, the step it begins with. */
static const char *place;
static bool every;
static int first_step, step;

static bool unsound;
static int depth;
static Outcome *outcome;
static int ends[FINE + 1];

/* ---- the callbacks ----------------------------------------------------------------- */

static const char *const places[] = { "policy", "create_privkey", "is_logged_in", "inject", "update_context_list",
	"new_fingerprint", "write_fingerprints", "gone_secure", "still_secure", "max_message_size", "received_symkey",
	"otr_error_message", "otr_error_message_free", "resent_msg_prefix", "resent_msg_prefix_free", "smp", "event",
	"create_instag", "convert_msg", "convert_free", "timer_control", "add_app_data", "app_data_free" };
enum { PLACES = sizeof places / sizeof places[0] };
/* How often each is called in each step when nobody interferes. */
static int calls[PLACES][STEPS];
static bool reached[PLACES];

/* The list of contexts leads to whole contexts, each where it belongs. */
static bool is_sound(Party *self)
{
	ConnContext *c, *other, **link = &self->us->context_root;
	Fingerprint *print, **print_link;
	int count = 0, known;

	for (c = self->us->context_root; c; link = &c->next, c = c->next) {
		ConnContext *leads[] = { c->m_context, c->recent_child, c->recent_rcvd_child, c->recent_sent_child };
		size_t i;

		if (++count > 1000 || c->tous != link || !c->username || !c->context_priv || !c->m_context
				|| c->m_context->m_context != c->m_context || !c->smstate) {
			return false;
		}
		for (i = 0; i < 4; i++) {
			known = leads[i] == NULL;
			for (other = self->us->context_root; other && !known; other = other->next) {
				known = other == leads[i];
			}
			if (!known) {
				return false;
			}
		}
		print_link = &c->fingerprint_root.next;
		for (print = *print_link; print; print_link = &print->next, print = print->next) {
			if (print->tous != print_link || print->context != c || !print->fingerprint) {
				return false;
			}
		}
	}
	return true;
}

static void act(Party *self, const char *callback, ConnContext *context)
{
	int me = self == pair.bob;
	size_t i;

	for (i = 0; !place && i < PLACES; i++) {
		calls[i][step] += !strcmp(places[i], callback);
	}
	if (!place || strcmp(place, callback) || depth >= (every ? 2 : 1) || taken[me] >= (every ? 12 : 1)) {
		return;
	}
	depth++;
	taken[me]++;
	do_chosen(self, context ? context : context_with(self, peer_of(self)));
	unsound |= !is_sound(self);
	depth--;
}

static void app_data_gone(void *data)
{
	act(data, "app_data_free", NULL);
}

static void added(void *data, ConnContext *context)
{
	context->app_data = data;
	context->app_data_free = app_data_gone;
	act(data, "add_app_data", context);
}

static void convert(void *opdata, ConnContext *context, OtrlConvertType type, char **dest, const char *src)
{
	char *copy = strdup(src);

	(void) type;
	act(opdata, "convert_msg", context);
	*dest = copy;
}

static void create_privkey(void *opdata, const char *account, const char *protocol)
{
	Party *self = opdata;

	(void) account;
	(void) protocol;
	act(self, "create_privkey", NULL);
	otrl_privkey_read(self->us, keys_all());
}

/* ---- the conversation --------------------------------------------------------------- */

static void converse(void)
{
	Party *a = pair.alice, *b = pair.bob;
	ConnContext *c = context_with(a, "bob");

	switch (step) {
	case MET:
		say(a, "hello");
		deliver(200);
		say(b, "hello");
		break;
	case SESSION:
		say(a, "?OTR?");
		break;
	case TEXTS:
		say(a, "a text");
		say(b, "another");
		break;
	case SYMKEY:
		use_symkey(a, c);
		break;
	case SMP:
		if (c) {
			otrl_message_initiate_smp_q(a->us, &a->ops, a, c, "which?", secret, 1);
		}
		deliver(200);
		c = context_with(b, "alice");
		if (c) {
			otrl_message_respond_smp(b->us, &b->ops, b, c, secret, 1);
		}
		break;
	case BAD:
		/* bob hears of the bad one, asks for a new session and sends his last text again. */
		hear(a, "bob", "plain");
		hear(a, "bob", "?OTR,1,2,junk,");
		say(b, "may be lost");
		hear(a, "bob", a->policy & OTRL_POLICY_ALLOW_V3 ? "?OTR:AAMDjunk." : "?OTR:AAIDjunk.");
		otrl_message_poll(a->us, &a->ops, a);
		break;
	case GOODBYE:
		otrl_message_disconnect(a->us, &a->ops, a, "alice", PROTOCOL, "bob", OTRL_INSTAG_BEST);
		deliver(200);
		say(b, "too late");
		break;
	case FORGOTTEN:
		otrl_context_forget_all(a->us);
		otrl_context_forget_all(b->us);
	}
	deliver(200);
}

/* Two who have not met and have no keys yet. */
static void begin(unsigned version)
{
	int me;

	policy = (version == 2 ? POLICY_V2 : POLICY_V3) | OTRL_POLICY_SEND_WHITESPACE_TAG | OTRL_POLICY_ERROR_START_AKE;
	pair = pair_new(policy);
	for (me = 0; me < 2; me++) {
		Party *self = me ? pair.bob : pair.alice;

		self->ops.convert_msg = convert;
		self->ops.create_privkey = create_privkey;
		self->hook = act;
		self->mms = me ? 5000 : 400;
		otrl_privkey_forget_all(self->us);
		otrl_privkey_generate_start(self->us, "dave", PROTOCOL, &new_key[me]);
		otrl_privkey_generate_calculate(new_key[me]);
		free(last_data[me]);
		last_data[me] = NULL;
	}
	all_callbacks = pair.alice->ops;
}

/* The rest of the conversation with the action in it, and then whether all is well. */
static void cell(void)
{
	bool talks = false;
	int me, try;

	alarm(getenv("OTR_SLOW") ? 100 : 10);
	for (step = first_step; step < STEPS; step++) {
		/* The SMP is dear, and who forgets all begins anew: only where it matters. */
		if (step == SMP ? first_step == SMP || (every && !strcmp(place, "inject"))
				: step != FORGOTTEN || first_step == FORGOTTEN) {
			converse();
		}
	}
	place = "";
	*outcome = UNSOUND;
	for (me = 0; me < 2; me++) {
		Party *self = me ? pair.bob : pair.alice;

		unsound |= !is_sound(self);
		self->ops = all_callbacks;
		self->policy = policy;
		self->logged_in = 1;
		self->mms = 5000;
		otrl_privkey_read(self->us, keys_all());
	}
	ok(!unsound, "the contexts are sound");
	for (try = 0; try < 2 && !talks; try++) {
		/* Until then a query is answered by the exchange that the action has cut off. */
		time_shim_offset += 10;
		pump(pair.world);
		go_private(pair.alice, pair.bob);
		talks = pair_talks(&pair);
	}
	ok(talks, "a session afterwards");
	*outcome = unsound ? UNSOUND : talks ? FINE : SILENT;
}

/* Only "each", unless OTR_WHOLE is set: with the C libotr (and version 3 only), with AddressSanitizer, without libgcrypt. */
static bool shortened(void)
{
#ifdef __SANITIZE_ADDRESS__
	return !getenv("OTR_WHOLE");
#else
	return !getenv("OTR_WHOLE") && (!testing_ours() || getenv("OTR_SLOW") || !strcmp(getenv("OTR_GCRYPT"), "without"));
#endif
}

/* All actions in all callbacks that come first in this step. */
static void cells_of_step(unsigned version)
{
	char name[160];
	size_t p, a;
	int mode, before;

	for (p = 0; p < PLACES; p++) {
		for (before = 0; !calls[p][before] && before < step; before++) { }
		if (before < step || !calls[p][step]) {
			continue;
		}
		reached[p] = true;
		for (a = 0; a < ACTIONS; a++) {
			for (mode = shortened() ? 1 : 0; mode < 2; mode++) {
				place = places[p];
				chosen = (int) a;
				every = mode;
				first_step = step;
				*outcome = CRASHED;
				snprintf(name, sizeof name, "version %u, %s %s: %s", version, mode ? "each" : "the first", place,
						actions[a].name);
				run_better(name, cell);
				actions[a].cells++;
				actions[a].bad += *outcome != FINE;
				ends[*outcome]++;
				if (*outcome != FINE) {
					printf("# bad: %s\n", name);
				}
			}
		}
	}
	place = "";
}

int main(void)
{
	unsigned version;
	size_t i;
	int cells = 0, bad = 0;

	outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (version = shortened() && !testing_ours() ? 3 : 2; version <= 3; version++) {
		/* Which callback is called when; then the same up to each step. */
		memset(calls, 0, sizeof calls);
		place = NULL;
		begin(version);
		for (step = 0; step < STEPS; step++) {
			converse();
		}
		place = "";
		pair_free(&pair);
		begin(version);
		for (step = 0; step < STEPS; step++) {
			cells_of_step(version);
			converse();
		}
		pair_free(&pair);
	}
	for (i = 0; i < PLACES; i++) {
		/* In version 3 libotr does not send a text again. */
		BETTER(reached[i], "%s is called", places[i]);
	}
	printf("# | action | cells | crashed or failed |\n");
	for (i = 0; i < ACTIONS; i++) {
		printf("# | %s | %d | %d |\n", actions[i].name, actions[i].cells, actions[i].bad);
		cells += actions[i].cells;
		bad += actions[i].bad;
	}
	printf("# | all | %d | %d |\n", cells, bad);
	printf("# %d crashed, %d with unsound contexts, %d without a session afterwards\n", ends[CRASHED], ends[UNSOUND],
			ends[SILENT]);
	return finish();
}
