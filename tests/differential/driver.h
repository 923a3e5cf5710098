/* What the parts of the driver share: the users, the clock, and the functions of the library that it has loaded. */
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

#define FUNCTIONS(F) \
	F(init) F(version) F(userstate_create) F(userstate_free) F(message_sending) F(message_receiving) \
	F(message_free) F(message_disconnect) F(message_disconnect_all_instances) F(message_initiate_smp) \
	F(message_initiate_smp_q) F(message_respond_smp) F(message_abort_smp) F(message_symkey) F(message_poll) \
	F(message_poll_get_default_interval) F(tlv_new) F(tlv_free) F(tlv_parse) F(tlv_seriallen) F(tlv_serialize) \
	F(tlv_find) F(context_find) F(context_forget) F(context_forget_all) F(context_forget_fingerprint) \
	F(context_find_fingerprint) F(context_set_trust) F(context_force_finished) F(context_force_plaintext) \
	F(context_update_recent_child) F(context_is_fingerprint_trusted) F(context_find_recent_instance) \
	F(context_find_recent_secure_instance) F(privkey_read) F(privkey_find) F(privkey_forget) \
	F(privkey_forget_all) F(privkey_generate) F(privkey_fingerprint) F(privkey_fingerprint_raw) \
	F(privkey_read_fingerprints) F(privkey_write_fingerprints) F(privkey_hash_to_human) \
	F(privkey_generate_start) F(privkey_generate_calculate) F(privkey_generate_finish) \
	F(privkey_generate_cancelled) F(instag_find) F(instag_forget) F(instag_forget_all) F(instag_generate) \
	F(instag_read) F(instag_write) F(proto_default_query_msg) F(proto_query_bestversion) \
	F(proto_whitespace_bestversion) F(proto_message_type) F(proto_message_version) F(proto_instance) \
	F(proto_data_read_flags) F(proto_fragment_create) F(proto_fragment_free) F(sm_state_free) F(base64_encode) \
	F(base64_decode) F(base64_otr_encode) F(base64_otr_decode)

#define DECLARE(name) extern __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DECLARE)

#define PROTOCOL "prpl-same"

typedef struct {
	int used;
	OtrlUserState us;
	char account[64];
	OtrlMessageAppOps ops;
	unsigned policy, smp_abort, convert, key_mode, instag_mode, inside;
	unsigned long null_ops, null_results;
	int logged_in, mms, no_app_data;
	char keyfile[512];
	unsigned number_of_app_data;
	void *pending;		/* of a key that is being made */
	Stream stream;
} User;

/* callbacks.c */
void make_ops(User *u);
void add_app_data(void *data, ConnContext *context);

/* seen.c */
const char *context_name(User *u, const ConnContext *context);
void say_all(User *u);
void say_tlvs(const OtrlTLV *tlv);

#endif
