/* A master and its instances while contexts come and go: what the client's callbacks see is consistent.
 * test: memcheck */
#include "world.h"

#include <setjmp.h>

enum { INSTANCES = 6 };

static OtrlUserState us;
static ConnContext *master;
static int freed, asked;

static ConnContext *instance(otrl_instag_t tag, void (*add_app_data)(void *, ConnContext *))
{
	return otrl_context_find(us, "bob", "alice", PROTOCOL, tag, 1, NULL, add_app_data, NULL);
}

/* What a client may do with a master that is there, and with the context whose data go. */
static void ask(void *app_data)
{
	ConnContext *going = app_data;

	freed++;
	if (going != master) {
		otrl_context_update_recent_child(going, 1);
		asked += otrl_context_find_recent_secure_instance(master) != NULL;
		asked += otrl_context_find_recent_instance(master, OTRL_INSTAG_RECENT) != NULL;
		asked += otrl_context_find_recent_instance(master, OTRL_INSTAG_RECENT_SENT) != NULL;
		otrl_context_update_recent_child(master, 0);
	}
}

static void with_data(void *data, ConnContext *context)
{
	(void) data;
	context->app_data = context;
	context->app_data_free = ask;
}

static ConnContext *family(void)
{
	otrl_instag_t tag;

	master = instance(OTRL_INSTAG_MASTER, with_data);
	for (tag = 0; tag < INSTANCES; tag++) {
		otrl_context_update_recent_child(instance(0x1000 + tag, with_data), tag % 2);
	}
	freed = asked = 0;
	return master;
}

static void asked_while_forgetting(void)
{
	us = otrl_userstate_create();
	otrl_context_forget(family());
	ok(freed == INSTANCES + 1 && !us->context_root, "a family is forgotten");
	ok(asked == 3 * INSTANCES, "and asked for its instances meanwhile");
	family();
	otrl_context_forget(otrl_context_find(us, "bob", "alice", PROTOCOL, 0x1003, 0, NULL, NULL, NULL));
	ok(freed == 1 && asked == 3, "one instance is");
	ok(otrl_context_find_recent_instance(master, OTRL_INSTAG_RECENT) != NULL, "and the master knows the others");
	otrl_userstate_free(us);
}

static void forget_the_master(void *data, ConnContext *context)
{
	(void) data;
	ok(context->m_context == master, "an instance has its master when it is shown");
	otrl_context_forget(master);
}

static void master_forgotten_meanwhile(void)
{
	us = otrl_userstate_create();
	family();
	ok(!instance(0x2000, forget_the_master), "a new instance goes with its master");
	ok(!us->context_root, "and so do the others");
	ok(instance(0x2000, with_data) != NULL, "another one comes");
	master = us->context_root;
	ok(master && master->next && master->next->m_context == master, "with a master of its own");
	otrl_userstate_free(us);
}

static jmp_buf back;

static void leave(void *data, ConnContext *context)
{
	(void) data;
	(void) context;
	longjmp(back, 1);
}

static void left_meanwhile(void)
{
	ConnContext *context;

	us = otrl_userstate_create();
	family();
	if (!setjmp(back)) {
		instance(0x2000, leave);
	}
	for (context = us->context_root; context; context = context->next) {
		ok(context->m_context == master, "%x has its master", (unsigned) context->their_instance);
	}
	otrl_context_forget(master);
	ok(!us->context_root, "and goes with it");
	otrl_userstate_free(us);
}

int main(void)
{
	OTRL_INIT;
	run_better("asked while forgetting", asked_while_forgetting);
	run_better("master forgotten meanwhile", master_forgotten_meanwhile);
	run_better("left meanwhile", left_meanwhile);
	return finish();
}
