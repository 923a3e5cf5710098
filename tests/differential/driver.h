/* What the parts of the driver share: the users, the functions of the library that it has loaded, and what is different
 * between the interfaces of libotr 4 and 3.2. The headers of the library say for which one it is compiled. */
#ifndef TESTS_SAME_DRIVER_H
#define TESTS_SAME_DRIVER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libotr/b64.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/proto.h>
#include <libotr/userstate.h>

#include "lines.h"
#include "system.h"

#if OTRL_VERSION_MAJOR == 3
#define OWN_FUNCTIONS(F) F(message_fragment_and_send) F(context_set_preshared_secret) F(proto_fragment_accumulate)
#define INSTANCE(c) 0u
#define FINGERPRINTS(c) ((c)->fingerprint_root.next)
#define POLICIES 4
#else
#define OWN_FUNCTIONS(F) \
	F(message_disconnect_all_instances) F(message_symkey) F(message_poll) F(message_poll_get_default_interval) \
	F(context_update_recent_child) F(context_is_fingerprint_trusted) F(context_find_recent_instance) \
	F(context_find_recent_secure_instance) F(privkey_generate_start) F(privkey_generate_cancelled) \
	F(instag_find) F(instag_forget) F(instag_forget_all) F(instag_generate) F(instag_read) F(instag_write) \
	F(proto_message_version) F(proto_instance)
#define INSTANCE(c) ((c)->their_instance)
#define FINGERPRINTS(c) ((c)->m_context->fingerprint_root.next)
#define POLICIES 8
#endif

#define FUNCTIONS(F) \
	F(init) F(version) F(userstate_create) F(userstate_free) F(message_sending) F(message_receiving) F(message_free) \
	F(message_disconnect) F(message_initiate_smp) F(message_initiate_smp_q) F(message_respond_smp) \
	F(message_abort_smp) F(tlv_free) F(tlv_find) F(tlv_parse) F(tlv_seriallen) F(tlv_serialize) F(context_find) \
	F(context_find_fingerprint) F(context_set_trust) F(context_force_finished) F(context_force_plaintext) \
	F(context_forget) F(context_forget_all) F(context_forget_fingerprint) F(privkey_read) F(privkey_find) \
	F(privkey_forget) F(privkey_forget_all) F(privkey_generate) F(privkey_fingerprint) F(privkey_fingerprint_raw) \
	F(privkey_read_fingerprints) F(privkey_write_fingerprints) F(proto_default_query_msg) F(proto_query_bestversion) \
	F(proto_whitespace_bestversion) F(proto_message_type) F(proto_data_read_flags) F(proto_fragment_create) \
	F(proto_fragment_free) F(sm_state_free) F(base64_encode) F(base64_decode) F(base64_otr_encode) F(base64_otr_decode) \
	OWN_FUNCTIONS(F)

#define DECLARE(name) extern __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DECLARE)

#define PROTOCOL "prpl-same"

typedef struct {
	int used;
	OtrlUserState us;
	char account[64];
	OtrlMessageAppOps ops;
	OtrlPolicy policy;
	unsigned key_mode, inside;
	unsigned long null_ops, null_results;
	int logged_in, mms, no_app_data;
	char keyfile[512];
	unsigned number_of_app_data;
	Stream stream;
	/* For libotr 4 alone; the last is of a key that is being made. */
	unsigned smp_abort, convert, instag_mode;
	void *pending;
} User;

/* driver.c */
#define WORDS 10
extern char *word[WORDS];	/* of the command */
ConnContext *context_of(User *u, const char *name, const char *instance);

/* callbacks.c */
void make_ops(User *u);
void add_app_data(void *data, ConnContext *context);
const char *text_of(User *u, int number, const char *text);
void freed(const char *name, const char *text);
void say_smp_event(User *u, const ConnContext *context, int event, int percent, const char *question);

/* seen.c */
const char *context_name(User *u, const ConnContext *context);
void say_all(User *u);
void say_tlvs(const OtrlTLV *tlv);

/* commands5.c, or commands2.c: what each interface does in its own way. own_command and own_of_context return whether this
 * is a command that they know. */
int init(void);
ConnContext *find_context(User *u, const char *name, const char *account, const char *protocol, const char *instance, int add,
		int *added, void (*how)(void *, ConnContext *));
OtrlPolicy policy_of(unsigned long bits);
gcry_error_t send_text(User *u, const char *text, OtrlTLV *tlvs, char **message, ConnContext **context);
int receive_text(User *u, const char *text, char **shown, OtrlTLV **tlvs, ConnContext **context);
int is_trusted(Fingerprint *f);
int query_version(const char *text, OtrlPolicy policy);
int own_command(User *u);
int own_of_context(User *u, ConnContext *c);
void own_of_files(User *u, gcry_error_t *err);
void own_of_keys(User *u);
void say_own_of_text(const char *text);
void say_exchange(User *u, const ConnContext *c);
void say_session(const ConnContext *c);
void say_own(User *u);

/* callbacks5.c, or callbacks2.c */
void inside(User *u, ConnContext *context);
void add_own_callbacks(User *u);

/* smp2.c */
void step_smp(User *u, ConnContext *c, OtrlTLV *tlvs);

#endif
