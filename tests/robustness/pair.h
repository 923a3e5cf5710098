/* Two user states that talk through a queue, with every callback set. */
#ifndef HOLD_PAIR_H
#define HOLD_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>
#include <libotr/instag.h>
#include <libotr/b64.h>
#include <libotr/tlv.h>

#define PROTOCOL "prpl-hold"
/* Every text of a user has this in it, so that it is found where it must not be. */
#define MARK "WATCHWORD"

typedef struct Party {
	const char *name;
	const char *peer;
	OtrlUserState us;
	OtrlMessageAppOps ops;
	OtrlPolicy policy;
	int max_size;
	int error_text;
	/* What was shown last, and how many texts and which events so far. */
	char *shown;
	int texts, smp_asked, smp_success, smp_failure, smp_abort, smp_other, events;
	int last_event;
	/* Called within each callback, if set. */
	void (*hook)(struct Party *self, const char *callback, ConnContext *context);
	unsigned char key[32];
} Party;

typedef struct Wire {
	Party *from;
	char *text;
	struct Wire *next;
} Wire;

extern Party alice, bob;
extern Wire *wire;
/* Plaintext on the wire, sends with neither an error nor a message, and so on: each is printed, too. */
extern unsigned long failures, checks;

void check(int holds, const char *what);
const char *keys_file(void);
void pair_new(OtrlPolicy policy);
void pair_free(void);
void party_load(Party *self);
ConnContext *context_of(Party *self, int which);
/* Sends as a client does; checks that nothing leaks. Returns the error. */
gcry_error_t say(Party *self, const char *text);
void put_on_wire(Party *from, const char *text);
/* Gives the oldest message to whom it is for; 0 if there is none. */
int deliver_one(void);
/* Delivers all; gives how many, at most `limit`. */
int settle(int limit);
/* Delivers everything, and what is answered; 0 if there is no end to it. How much is too much depends on how much is on
 * the wire now: a message may be in hundreds of pieces. */
int comes_to_rest(void);
/* Gives a message to a party. Its texts are counted and kept in `shown`. */
int hear(Party *self, const char *text);
void drop_wire(void);
/* A session by a query of alice's. */
void go_secure(void);
int both_secure(void);
/* A fresh session and a text each way; 0 if that fails. */
int works(void);
int finish(const char *name);

#endif
