/* What the programs of this directory and of ../c2 share: files, and a "world" in
 * which several user states exchange their messages through one queue. */
#ifndef TESTS_C_WORLD_H
#define TESTS_C_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* libotr's own headers leave extern "C" to the C++ program. */
#ifdef __cplusplus
extern "C" {
#endif

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>
#include <libotr/tlv.h>
#if OTRL_VERSION_MAJOR != 3
#include <libotr/instag.h>
#endif

/* ---- files ------------------------------------------------------------ */

/* The keys made once per run: "all" has a key for each of alice, bob and
 * carol, "other" has other keys for alice and bob. */
const char *keys_all(void);
const char *keys_other(void);

/* A path for a file of this name in this process's own scratch directory. */
const char *scratch(const char *name);

/* The whole file as a NUL-terminated string (size in *lenp if not NULL), or
 * NULL when it cannot be read. Free it. */
char *read_file(const char *path, size_t *lenp);
int write_file(const char *path, const void *data, size_t len);

/* ---- the world -------------------------------------------------------- */

#define PROTOCOL "prpl-test"
#define MAX_PARTIES 8

typedef struct party Party;
typedef struct world World;

/* One message on its way. */
typedef struct wire {
	struct wire *next;
	Party *sender;
	char to[64];
	char *text;
} Wire;

/* A growing list of strings. */
typedef struct {
	char **at;
	size_t count, room;
} Lines;

void lines_add(Lines *lines, const char *text);
void lines_clear(Lines *lines);

struct party {
	World *world;
	const char *account;
	OtrlUserState us;
	OtrlMessageAppOps ops;

	/* What the callbacks answer. */
	OtrlPolicy policy;
	int logged_in;
	int mms;
	bool makes_key;
#if OTRL_VERSION_MAJOR == 3
	/* Whether display_otr_message shows what it is given. */
	bool displays;
#else
	const char *error_text;
	const char *resent_prefix;
	bool makes_instag;
	unsigned char symkey[32];

	/* How send_text and receive call the library. */
	OtrlFragmentPolicy fragments;
	otrl_instag_t to_instance;
#endif

	/* What happened: every callback as a line, every text the user saw. */
	Lines log, shown;

	/* Called at the start of every callback, after it was logged. */
	void (*hook)(Party *self, const char *callback, ConnContext *context);
	void *hook_data;

	/* The outcome of the last receive(). */
	int last_result;
	ConnContext *last_context;
	Lines last_tlvs;
};

struct world {
	Party *parties[MAX_PARTIES];
	size_t count;
	Wire *first, **end;
	unsigned sent;

	/* May change or free-and-replace wire->text; false drops the message. */
	bool (*filter)(World *world, Wire *wire);
	void *filter_data;
};

World *world_new(void);
void world_free(World *world);

/* A party with an account of this name, its keys read from keyfile (NULL: no
 * keys), policy MANUAL, every callback set. */
Party *party_new(World *world, const char *account, const char *keyfile);

/* Put a text on the wire as if the party's client had sent it. */
void wire_text(Party *from, const char *to, const char *text);

/* Hand a text to otrl_message_receiving; records the outcome. */
int receive(Party *self, const char *from, const char *text);

/* Send a text as a client does: through otrl_message_sending, and whatever it
 * says is to be sent goes on the wire. Its error is returned. */
gcry_error_t send_text(Party *from, const char *to, const char *text);

/* Deliver the first message of the queue, or all until the queue is empty
 * (at most a few thousand, false when that was not enough). */
bool deliver_one(World *world);
bool pump(World *world);

/* Take the first message off the queue without delivering it: its text, to be
 * freed, or NULL. */
char *intercept(World *world);

/* The first text of the queue, or "". */
const char *next_text(const World *world);

/* alice asks for a session and everything is delivered. */
void go_private(Party *alice, Party *bob);

/* The best context with this peer (OTRL_INSTAG_BEST), or NULL. */
ConnContext *context_with(Party *self, const char *peer);
/* The master context, or of libotr 3.2 the only one, made if there is none. */
ConnContext *made_context(Party *self, const char *peer);
bool is_private(Party *self, const char *peer);

/* How many log lines start with this. */
int logged(const Party *self, const char *prefix);
/* The index of the first log line that starts with this, or -1. */
int logged_at(const Party *self, const char *prefix);
/* Whether this stands in a log line. */
bool mentioned(const Party *self, const char *text);
/* The last text shown, or "". */
const char *last_shown(const Party *self);
void forget_log(Party *self);

/* Two parties, alice and bob, already in a private conversation. */
typedef struct {
	World *world;
	Party *alice, *bob;
} Pair;
Pair pair_new(OtrlPolicy policy);
Pair pair_private(OtrlPolicy policy);
void pair_free(Pair *pair);
/* True when both are private and each can say something, encrypted, that the other reads. */
bool pair_talks(Pair *pair);

#define POLICY_V2 OTRL_POLICY_ALLOW_V2
#define POLICY_V3 OTRL_POLICY_ALLOW_V3
#define POLICY_V23 (OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3)

#ifdef __cplusplus
}
#endif

#endif
