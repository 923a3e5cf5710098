/* What peer.c and peer2.c share: the commands on stdin and the answers to them,
 * and the callbacks that both interfaces have. It is compiled once for each, with
 * the headers of that interface.
 *
 * Commands come one per line, arguments separated by spaces, texts in hex ("-"
 * for an empty one). Each command is answered with any number of lines that say
 * what happened, and then "done".
 *
 *     wire TO HEX      to be carried to the other side
 *     shown HEX        the user would see this
 *     tlv TYPE LENGTH, smp N PERCENT HEX, secure VERSION, still IS_REPLY
 *     state MSGSTATE VERSION TRUST FINGERPRINT SESSIONID INSTANCES
 *     own FINGERPRINT
 */
#ifndef PEER_COMMON_H
#define PEER_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/userstate.h>

#define PROTOCOL "prpl-interop"

extern OtrlUserState us;
extern const char *account;
extern OtrlPolicy policy;
extern int mms;

/* The words of a line, and each of them read as hex. */
struct line {
	char *word[4], *text[4];
};

/* The commands, given by peer.c and peer2.c; the last one has no name. */
struct command {
	const char *name;
	void (*run)(struct line *line);
};
extern const struct command commands[];

void hex(const char *text, size_t len);
void say(const char *what, const char *to, const char *text);
void say_state(ConnContext *context, int instances);
void say_tlvs(const OtrlTLV *tlvs);

OtrlPolicy on_policy(void *opdata, ConnContext *context);
int on_logged_in(void *opdata, const char *a, const char *p, const char *r);
void on_inject(void *opdata, const char *a, const char *p, const char *to, const char *message);
void on_write(void *opdata);
void on_secure(void *opdata, ConnContext *context);
void on_still(void *opdata, ConnContext *context, int is_reply);
int on_mms(void *opdata, ConnContext *context);

#endif
