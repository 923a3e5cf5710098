/* The table of nulls.c. In each row: the header, the function, how many of its arguments are pointers, and a valid call,
 * which is true if it has succeeded. P(n, x) is x, or NULL if the pointer of this number is being tested. */
#ifndef TESTS_C_NULLS_H
#define TESTS_C_NULLS_H

#define DONE(call) ((call), true)
#define V (const unsigned char *)
#define OPS P(0, us), P(1, ops), P(2, alice)
#define NAMES(n) P(n, "alice"), P(n + 1, PROTOCOL)

#define TABLE(X) \
X("auth", otrl_auth_new, 1, DONE(otrl_auth_new(P(0, (ConnContext *) calloc(1, sizeof *c))))) \
X("auth", otrl_auth_clear, 1, (exchange(1), DONE(otrl_auth_clear(P(0, auth))))) \
X("auth", otrl_auth_start_v23, 1, (exchange(0), !otrl_auth_start_v23(P(0, auth), 2))) \
X("auth", otrl_auth_handle_commit, 2, (exchange(0), !otrl_auth_handle_commit(P(0, auth), P(1, next), 2))) \
X("auth", otrl_auth_handle_key, 4, (exchange(1), !otrl_auth_handle_key(P(0, auth), P(1, next), P(2, have), P(3, key)))) \
X("auth", otrl_auth_handle_revealsig, 6, (exchange(2), !otrl_auth_handle_revealsig(P(0, auth), P(1, next), \
	P(2, have), P(3, key), P(4, succeeded), P(5, alice)))) \
X("auth", otrl_auth_handle_signature, 5, (exchange(3), !otrl_auth_handle_signature(P(0, auth), P(1, next), P(2, have), \
	P(3, succeeded), P(4, alice)))) \
X("auth", otrl_auth_start_v1, 3, (exchange(0), !otrl_auth_start_v1(P(0, auth), P(1, &pair), 1, P(2, key)))) \
X("auth", otrl_auth_handle_v1_key_exchange, 7, (exchange_v1(), !otrl_auth_handle_v1_key_exchange(P(0, auth), \
	P(1, next), P(2, have), P(3, key), P(4, &pair), 1, P(5, succeeded), P(6, alice)))) \
X("auth", otrl_auth_copy_on_key, 2, (exchange(2), DONE(otrl_auth_copy_on_key(P(0, auth), P(1, &c->auth))))) \
X("b64", otrl_base64_encode, 2, otrl_base64_encode(P(0, text), P(1, bytes), 3) == 4) \
X("b64", otrl_base64_decode, 2, otrl_base64_decode(P(0, bytes), P(1, "AAAA"), 4) == 3) \
X("b64", otrl_base64_otr_encode, 1, otrl_base64_otr_encode(P(0, bytes), 3) != NULL) \
X("b64", otrl_base64_otr_decode, 3, !otrl_base64_otr_decode(P(0, "?OTR:AAAA."), P(1, &made), P(2, &size))) \
X("context", otrl_context_find, 7, otrl_context_find(P(0, us), P(1, "erin"), P(2, "alice"), P(3, PROTOCOL), 0, 1, \
	P(4, have), P(5, add), P(6, alice)) != NULL) \
X("context", otrl_context_is_fingerprint_trusted, 1, !otrl_context_is_fingerprint_trusted(P(0, print))) \
X("context", otrl_context_update_recent_child, 1, DONE(otrl_context_update_recent_child(P(0, c), 1))) \
X("context", otrl_context_find_fingerprint, 3, otrl_context_find_fingerprint(P(0, c), P(1, bytes), 1, P(2, have)) != NULL) \
X("context", otrl_context_set_trust, 2, DONE(otrl_context_set_trust(P(0, print), P(1, "x")))) \
X("context", otrl_context_force_finished, 1, DONE(otrl_context_force_finished(P(0, c)))) \
X("context", otrl_context_force_plaintext, 1, DONE(otrl_context_force_plaintext(P(0, c)))) \
X("context", otrl_context_forget_fingerprint, 1, DONE(otrl_context_forget_fingerprint(P(0, print), 1))) \
X("context", otrl_context_forget, 1, otrl_context_forget(P(0, c)) == 1) \
X("context", otrl_context_forget_all, 1, DONE(otrl_context_forget_all(P(0, us)))) \
X("context", otrl_context_find_recent_instance, 1, \
	otrl_context_find_recent_instance(P(0, c), OTRL_INSTAG_RECENT) != NULL) \
X("context", otrl_context_find_recent_secure_instance, 1, otrl_context_find_recent_secure_instance(P(0, c)) == c) \
X("context_priv", otrl_context_priv_new, 0, otrl_context_priv_new() != NULL) \
X("context_priv", otrl_context_priv_force_finished, 1, \
	DONE(otrl_context_priv_force_finished(P(0, c->context_priv)))) \
X("dh", otrl_dh_init, 0, DONE(otrl_dh_init())) \
X("dh", otrl_dh_keypair_init, 1, DONE(otrl_dh_keypair_init(P(0, &other)))) \
X("dh", otrl_dh_keypair_copy, 2, DONE(otrl_dh_keypair_copy(P(0, &other), P(1, &pair)))) \
X("dh", otrl_dh_keypair_free, 1, DONE(otrl_dh_keypair_free(P(0, &pair)))) \
X("dh", otrl_dh_gen_keypair, 1, !otrl_dh_gen_keypair(DH1536_GROUP_ID, P(0, &other))) \
X("dh", otrl_dh_session, 3, !otrl_dh_session(P(0, &session), P(1, &pair), P(2, other.pub))) \
X("dh", otrl_dh_compute_v2_auth_keys, 10, !otrl_dh_compute_v2_auth_keys(P(0, &pair), P(1, other.pub), P(2, bytes), \
	P(3, &size), P(4, &ciphers[0]), P(5, &ciphers[1]), P(6, &digests[0]), P(7, &digests[1]), P(8, &digests[2]), \
	P(9, &digests[3]))) \
X("dh", otrl_dh_compute_v1_session_id, 5, !otrl_dh_compute_v1_session_id(P(0, &pair), P(1, other.pub), P(2, bytes), \
	P(3, &size), P(4, &half))) \
X("dh", otrl_dh_session_free, 1, (otrl_dh_session(&session, &pair, other.pub), \
	DONE(otrl_dh_session_free(P(0, &session))))) \
X("dh", otrl_dh_session_blank, 1, DONE(otrl_dh_session_blank(P(0, &session)))) \
X("dh", otrl_dh_incctr, 1, DONE(otrl_dh_incctr(P(0, bytes)))) \
X("dh", otrl_dh_cmpctr, 2, otrl_dh_cmpctr(P(0, bytes), P(1, bytes)) == 0) \
X("instag", otrl_instag_forget, 1, DONE(otrl_instag_forget(P(0, tag())))) \
X("instag", otrl_instag_forget_all, 1, DONE(otrl_instag_forget_all(P(0, us)))) \
X("instag", otrl_instag_find, 3, (tag(), otrl_instag_find(P(0, us), NAMES(1)) != NULL)) \
X("instag", otrl_instag_read, 2, !otrl_instag_read(P(0, us), P(1, "/dev/null"))) \
X("instag", otrl_instag_read_FILEp, 2, !otrl_instag_read_FILEp(P(0, us), P(1, file_of(NULL)))) \
X("instag", otrl_instag_get_new, 0, otrl_instag_get_new() >= 0x100) \
X("instag", otrl_instag_generate, 4, !otrl_instag_generate(P(0, us), P(1, scratch("tags")), P(2, "alice"), P(3, PROTOCOL))) \
X("instag", otrl_instag_generate_FILEp, 4, !otrl_instag_generate_FILEp(P(0, us), P(1, file_of(NULL)), NAMES(2))) \
X("instag", otrl_instag_write, 2, !otrl_instag_write(P(0, us), P(1, scratch("tags")))) \
X("instag", otrl_instag_write_FILEp, 2, !otrl_instag_write_FILEp(P(0, us), P(1, file_of(NULL)))) \
X("mem", otrl_mem_init, 0, DONE(otrl_mem_init())) \
X("mem", otrl_mem_differ, 2, !otrl_mem_differ(P(0, bytes), P(1, bytes), 8)) \
X("message", otrl_message_free, 1, DONE(otrl_message_free(P(0, strdup("x"))))) \
X("message", otrl_message_sending, 12, !otrl_message_sending(OPS, NAMES(3), P(5, "bob"), 0, P(6, "text"), \
	P(7, tlvs), P(8, &string), OTRL_FRAGMENT_SEND_ALL, P(9, &c), P(10, add), P(11, alice))) \
X("message", otrl_message_receiving, 12, !otrl_message_receiving(OPS, NAMES(3), P(5, "bob"), P(6, data_message), \
	P(7, &string), P(8, &tlvs), P(9, &c), P(10, add), P(11, alice))) \
X("message", otrl_message_disconnect, 6, DONE(otrl_message_disconnect(OPS, NAMES(3), P(5, "bob"), 1))) \
X("message", otrl_message_disconnect_all_instances, 6, \
	DONE(otrl_message_disconnect_all_instances(OPS, NAMES(3), P(5, "bob")))) \
X("message", otrl_message_initiate_smp, 5, DONE(otrl_message_initiate_smp(OPS, P(3, c), P(4, bytes), 3))) \
X("message", otrl_message_initiate_smp_q, 6, \
	DONE(otrl_message_initiate_smp_q(OPS, P(3, c), P(4, "which?"), P(5, bytes), 3))) \
X("message", otrl_message_respond_smp, 5, DONE(otrl_message_respond_smp(OPS, P(3, asked()), P(4, bytes), 3))) \
X("message", otrl_message_abort_smp, 4, DONE(otrl_message_abort_smp(OPS, P(3, c)))) \
X("message", otrl_message_symkey, 6, !otrl_message_symkey(OPS, P(3, c), 1, P(4, bytes), 3, P(5, bytes))) \
X("message", otrl_message_poll_get_default_interval, 1, DONE(otrl_message_poll_get_default_interval(P(0, us)))) \
X("message", otrl_message_poll, 3, DONE(otrl_message_poll(OPS))) \
X("privkey", otrl_privkey_hash_to_human, 2, DONE(otrl_privkey_hash_to_human(P(0, text), P(1, bytes)))) \
X("privkey", otrl_privkey_fingerprint, 4, otrl_privkey_fingerprint(P(0, us), P(1, text), NAMES(2)) == text) \
X("privkey", otrl_privkey_fingerprint_raw, 4, otrl_privkey_fingerprint_raw(P(0, us), P(1, bytes), NAMES(2)) == bytes) \
X("privkey", otrl_privkey_read, 2, !otrl_privkey_read(P(0, us), P(1, keys_all()))) \
X("privkey", otrl_privkey_read_FILEp, 2, !otrl_privkey_read_FILEp(P(0, us), P(1, file_of(keys_all())))) \
X("privkey", otrl_privkey_pending_forget_all, 1, DONE(otrl_privkey_pending_forget_all(P(0, us)))) \
X("privkey", otrl_privkey_generate_start, 4, \
	!otrl_privkey_generate_start(P(0, us), P(1, "dave"), P(2, PROTOCOL), P(3, &new_key))) \
X("privkey", otrl_privkey_generate_calculate, 1, (otrl_privkey_generate_start(us, "dave", PROTOCOL, &new_key), \
	!otrl_privkey_generate_calculate(P(0, new_key)))) \
X("privkey", otrl_privkey_generate_finish, 3, \
	!otrl_privkey_generate_finish(P(0, us), P(1, calculated()), P(2, scratch("keys")))) \
X("privkey", otrl_privkey_generate_finish_FILEp, 3, \
	!otrl_privkey_generate_finish_FILEp(P(0, us), P(1, calculated()), P(2, file_of(NULL)))) \
X("privkey", otrl_privkey_generate_cancelled, 2, DONE(otrl_privkey_generate_cancelled(P(0, us), P(1, calculated())))) \
X("privkey", otrl_privkey_generate, 4, \
	!otrl_privkey_generate(P(0, us), P(1, scratch("keys")), P(2, "dave"), P(3, PROTOCOL))) \
X("privkey", otrl_privkey_generate_FILEp, 4, \
	!otrl_privkey_generate_FILEp(P(0, us), P(1, file_of(NULL)), P(2, "dave"), P(3, PROTOCOL))) \
X("privkey", otrl_privkey_read_fingerprints, 4, \
	!otrl_privkey_read_fingerprints(P(0, us), P(1, "/dev/null"), P(2, add), P(3, alice))) \
X("privkey", otrl_privkey_read_fingerprints_FILEp, 4, \
	!otrl_privkey_read_fingerprints_FILEp(P(0, us), P(1, file_of(prints())), P(2, add), P(3, alice))) \
X("privkey", otrl_privkey_write_fingerprints, 2, !otrl_privkey_write_fingerprints(P(0, us), P(1, scratch("prints")))) \
X("privkey", otrl_privkey_write_fingerprints_FILEp, 2, \
	!otrl_privkey_write_fingerprints_FILEp(P(0, us), P(1, file_of(NULL)))) \
X("privkey", otrl_privkey_find, 3, otrl_privkey_find(P(0, us), NAMES(1)) == key) \
X("privkey", otrl_privkey_forget, 1, DONE(otrl_privkey_forget(P(0, key)))) \
X("privkey", otrl_privkey_forget_all, 1, DONE(otrl_privkey_forget_all(P(0, us)))) \
X("privkey", otrl_privkey_sign, 4, !otrl_privkey_sign(P(0, &made), P(1, &size), P(2, key), P(3, bytes), 20)) \
X("privkey", otrl_privkey_verify, 3, (signs(), \
	!otrl_privkey_verify(P(0, made), 40, OTRL_PUBKEY_TYPE_DSA, P(1, key->privkey), P(2, bytes), 20))) \
X("proto", otrl_init, 0, !otrl_init(4, 1, 1)) \
X("proto", otrl_version, 0, otrl_version() != NULL) \
X("proto", otrl_proto_default_query_msg, 1, otrl_proto_default_query_msg(P(0, "alice"), OTRL_POLICY_MANUAL) != NULL) \
X("proto", otrl_proto_query_bestversion, 1, otrl_proto_query_bestversion(P(0, "?OTRv23?"), OTRL_POLICY_MANUAL) == 3) \
X("proto", otrl_proto_whitespace_bestversion, 3, otrl_proto_whitespace_bestversion( \
	P(0, "hi" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V3), P(1, &start), P(2, &end), OTRL_POLICY_MANUAL) == 3) \
X("proto", otrl_proto_message_type, 1, otrl_proto_message_type(P(0, "?OTR?")) == OTRL_MSGTYPE_QUERY) \
X("proto", otrl_proto_message_version, 1, otrl_proto_message_version(P(0, data_message)) == 3) \
X("proto", otrl_proto_instance, 3, !otrl_proto_instance(P(0, data_message), P(1, &version), P(2, &version))) \
X("proto", otrl_proto_create_data, 5, \
	!otrl_proto_create_data(P(0, &string), P(1, c), P(2, "text"), P(3, tlvs), 0, P(4, bytes))) \
X("proto", otrl_proto_data_read_flags, 2, !otrl_proto_data_read_flags(P(0, data_message), P(1, &flags))) \
X("proto", otrl_proto_accept_data, 6, !otrl_proto_accept_data(P(0, &string), P(1, &tlvs), P(2, c), \
	P(3, data_message), P(4, &flags), P(5, bytes))) \
X("proto", otrl_proto_fragment_accumulate, 3, otrl_proto_fragment_accumulate(P(0, &string), P(1, c), \
	P(2, "?OTR,1,2,abc,")) == OTRL_FRAGMENT_INCOMPLETE) \
X("proto", otrl_proto_fragment_create, 3, !otrl_proto_fragment_create(100, 1, P(0, &strings), P(1, c), P(2, "text"))) \
X("proto", otrl_proto_fragment_free, 1, DONE(otrl_proto_fragment_free(P(0, pieces() ? &strings : NULL), 2))) \
X("sm", otrl_sm_init, 0, DONE(otrl_sm_init())) \
X("sm", otrl_sm_state_new, 1, DONE(otrl_sm_state_new(P(0, &sides[0])))) \
X("sm", otrl_sm_state_init, 1, (smp_steps(0), DONE(otrl_sm_state_init(P(0, smp))))) \
X("sm", otrl_sm_state_free, 1, (smp_steps(1), DONE(otrl_sm_state_free(P(0, &sides[0]))))) \
X("sm", otrl_sm_step1, 4, (smp_steps(0), !otrl_sm_step1(P(0, smp), P(1, bytes), 3, P(2, &made), P(3, have)))) \
X("sm", otrl_sm_step2a, 2, (smp_steps(1), !otrl_sm_step2a(P(0, smp), P(1, made), number, 0))) \
X("sm", otrl_sm_step2b, 4, (smp_steps(2), !otrl_sm_step2b(P(0, smp), P(1, bytes), 3, P(2, &made), P(3, have)))) \
X("sm", otrl_sm_step3, 4, (smp_steps(3), !otrl_sm_step3(P(0, smp), P(1, made), number, P(2, &made), P(3, have)))) \
X("sm", otrl_sm_step4, 4, (smp_steps(4), !otrl_sm_step4(P(0, smp), P(1, made), number, P(2, &made), P(3, have)))) \
X("sm", otrl_sm_step5, 2, (smp_steps(5), !otrl_sm_step5(P(0, smp), P(1, made), number))) \
X("sm", otrl_sm_msg1_init, 1, DONE(otrl_sm_msg1_init(P(0, &numbers)))) \
X("sm", otrl_sm_msg2_init, 1, DONE(otrl_sm_msg2_init(P(0, &numbers)))) \
X("sm", otrl_sm_msg3_init, 1, DONE(otrl_sm_msg3_init(P(0, &numbers)))) \
X("sm", otrl_sm_msg4_init, 1, DONE(otrl_sm_msg4_init(P(0, &numbers)))) \
X("sm", otrl_sm_msg_free, 1, (otrl_sm_msg4_init(&numbers), DONE(otrl_sm_msg_free(P(0, &numbers), 3)))) \
X("tlv", otrl_tlv_new, 1, otrl_tlv_new(1, 3, P(0, bytes)) != NULL) \
X("tlv", otrl_tlv_parse, 1, otrl_tlv_parse(P(0, V "\0\1\0\1x"), 5) != NULL) \
X("tlv", otrl_tlv_free, 1, DONE(otrl_tlv_free(P(0, tlvs)))) \
X("tlv", otrl_tlv_seriallen, 1, otrl_tlv_seriallen(P(0, tlvs)) == 7) \
X("tlv", otrl_tlv_serialize, 2, DONE(otrl_tlv_serialize(P(0, bytes), P(1, tlvs)))) \
X("tlv", otrl_tlv_find, 1, otrl_tlv_find(P(0, tlvs), 99) == tlvs) \
X("userstate", otrl_userstate_create, 0, otrl_userstate_create() != NULL) \
X("userstate", otrl_userstate_free, 1, DONE(otrl_userstate_free(P(0, us))))

#endif
