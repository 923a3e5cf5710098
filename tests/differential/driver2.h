/* What the parts of the driver for the interface of libotr 3.2 share. */
#ifndef TESTS_SAME_DRIVER2_H
#define TESTS_SAME_DRIVER2_H

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
	F(init) F(version) F(userstate_create) F(userstate_free) F(message_sending) F(message_receiving) F(message_free) \
	F(message_fragment_and_send) F(message_disconnect) F(message_initiate_smp) F(message_initiate_smp_q) \
	F(message_respond_smp) F(message_abort_smp) F(tlv_free) F(tlv_find) F(tlv_parse) F(tlv_seriallen) F(tlv_serialize) \
	F(context_find) F(context_find_fingerprint) F(context_set_trust) F(context_force_finished) \
	F(context_force_plaintext) F(context_forget) F(context_forget_all) F(context_forget_fingerprint) \
	F(context_set_preshared_secret) F(privkey_read) F(privkey_find) F(privkey_forget) F(privkey_forget_all) \
	F(privkey_generate) F(privkey_fingerprint) F(privkey_fingerprint_raw) F(privkey_read_fingerprints) \
	F(privkey_write_fingerprints) F(proto_default_query_msg) F(proto_query_bestversion) \
	F(proto_whitespace_bestversion) F(proto_message_type) F(proto_data_read_flags) F(proto_fragment_create) \
	F(proto_fragment_free) F(proto_fragment_accumulate) F(sm_state_free) F(base64_encode) F(base64_decode) \
	F(base64_otr_encode) F(base64_otr_decode)

#define DECLARE(name) extern __typeof__(&otrl_##name) p_##name;
FUNCTIONS(DECLARE)

#define PROTOCOL "prpl-same"

typedef struct {
	int used;
	OtrlUserState us;
	char account[64];
	OtrlMessageAppOps ops;
	OtrlPolicy policy;
	unsigned smp_abort, key_mode, inside;
	unsigned long null_ops, null_results;
	int logged_in, mms, no_app_data;
	char keyfile[512];
	unsigned number_of_app_data;
	Stream stream;
} User;

/* callbacks2.c */
void make_ops(User *u);
void add_app_data(void *data, ConnContext *context);

/* seen2.c */
void say_all(User *u);
void say_tlvs(const OtrlTLV *tlv);

/* smp2.c */
void step_smp(User *u, ConnContext *c, OtrlTLV *tlvs);

#endif
