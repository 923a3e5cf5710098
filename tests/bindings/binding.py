"""libotr.so.5 by ctypes, declared by hand as bindings do, from the headers of libotr 4.1.1; no C compiler sees any of it."""

import ctypes
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_long, c_size_t, c_ubyte, c_uint, c_ushort, c_void_p)

# What the library gives to a callback is bytes; what a callback gives back is a pointer that it has to keep alive.
CALLBACKS = {
    "policy": (c_uint, c_void_p),
    "create_privkey": (None, c_char_p, c_char_p),
    "is_logged_in": (c_int, c_char_p, c_char_p, c_char_p),
    "inject_message": (None, c_char_p, c_char_p, c_char_p, c_char_p),
    "update_context_list": (None,),
    "new_fingerprint": (None, c_void_p, c_char_p, c_char_p, c_char_p, POINTER(c_ubyte)),
    "write_fingerprints": (None,),
    "gone_secure": (None, c_void_p),
    "gone_insecure": (None, c_void_p),
    "still_secure": (None, c_void_p, c_int),
    "max_message_size": (c_int, c_void_p),
    "account_name": (c_void_p, c_char_p, c_char_p),
    "account_name_free": (None, c_void_p),
    "received_symkey": (None, c_void_p, c_uint, c_void_p, c_size_t, POINTER(c_ubyte)),
    "otr_error_message": (c_void_p, c_void_p, c_int),
    "otr_error_message_free": (None, c_void_p),
    "resent_msg_prefix": (c_void_p, c_void_p),
    "resent_msg_prefix_free": (None, c_void_p),
    "handle_smp_event": (None, c_int, c_void_p, c_ushort, c_char_p),
    "handle_msg_event": (None, c_int, c_void_p, c_char_p, c_uint),
    "create_instag": (None, c_char_p, c_char_p),
    "convert_msg": (None, c_void_p, c_int, POINTER(c_void_p), c_char_p),
    "convert_free": (None, c_void_p, c_void_p),
    "timer_control": (None, c_uint),
}
# The first argument of all of them is opdata.
TYPES = {name: CFUNCTYPE(result, c_void_p, *arguments) for name, (result, *arguments) in CALLBACKS.items()}


class Ops(Structure):
    """OtrlMessageAppOps."""

    _fields_ = list(TYPES.items())


class KeyPair(Structure):
    """DH_keypair."""

    _fields_ = [("groupid", c_uint), ("priv", c_void_p), ("pub", c_void_p)]


class Auth(Structure):
    """OtrlAuthInfo."""

    _fields_ = [("authstate", c_int), ("context", c_void_p), ("our_dh", KeyPair), ("our_keyid", c_uint), ("encgx", c_void_p),
                ("encgx_len", c_size_t), ("r", c_ubyte * 16), ("hashgx", c_ubyte * 32), ("their_pub", c_void_p),
                ("their_keyid", c_uint), ("enc_c", c_void_p), ("enc_cp", c_void_p), ("mac_m1", c_void_p), ("mac_m1p", c_void_p),
                ("mac_m2", c_void_p), ("mac_m2p", c_void_p), ("their_fingerprint", c_ubyte * 20), ("initiated", c_int),
                ("protocol_version", c_uint), ("secure_session_id", c_ubyte * 20), ("secure_session_id_len", c_size_t),
                ("session_id_half", c_int), ("lastauthmsg", c_void_p), ("commit_sent_time", c_long)]


class Fingerprint(Structure):
    """Fingerprint."""


Fingerprint._fields_ = [("next", POINTER(Fingerprint)), ("tous", c_void_p), ("fingerprint", POINTER(c_ubyte)), ("context", c_void_p),
                        ("trust", c_char_p)]


class Context(Structure):
    """ConnContext, to the end."""


Context._fields_ = [("next", POINTER(Context)), ("tous", c_void_p), ("context_priv", c_void_p), ("username", c_char_p),
                    ("accountname", c_char_p), ("protocol", c_char_p), ("m_context", POINTER(Context)),
                    ("recent_rcvd_child", c_void_p), ("recent_sent_child", c_void_p), ("recent_child", c_void_p),
                    ("our_instance", c_uint), ("their_instance", c_uint), ("msgstate", c_int), ("auth", Auth),
                    ("fingerprint_root", Fingerprint), ("active_fingerprint", POINTER(Fingerprint)), ("sessionid", c_ubyte * 20),
                    ("sessionid_len", c_size_t), ("sessionid_half", c_int), ("protocol_version", c_uint), ("otr_offer", c_int),
                    ("app_data", c_void_p), ("app_data_free", c_void_p), ("smstate", c_void_p)]


class Tlv(Structure):
    """OtrlTLV."""


Tlv._fields_ = [("type", c_ushort), ("len", c_ushort), ("data", POINTER(c_ubyte)), ("next", POINTER(Tlv))]

TEXT = c_char_p
FUNCTIONS = {
    "otrl_init": (c_uint, c_uint, c_uint, c_uint),
    "otrl_version": (c_char_p,),
    "otrl_userstate_create": (c_void_p,),
    "otrl_userstate_free": (None, c_void_p),
    "otrl_privkey_generate": (c_uint, c_void_p, TEXT, TEXT, TEXT),
    "otrl_privkey_generate_start": (c_uint, c_void_p, TEXT, TEXT, POINTER(c_void_p)),
    "otrl_privkey_generate_calculate": (c_uint, c_void_p),
    "otrl_privkey_generate_finish": (c_uint, c_void_p, c_void_p, TEXT),
    "otrl_privkey_read": (c_uint, c_void_p, TEXT),
    "otrl_privkey_fingerprint": (c_void_p, c_void_p, c_void_p, TEXT, TEXT),
    "otrl_privkey_hash_to_human": (None, c_void_p, POINTER(c_ubyte)),
    "otrl_privkey_write_fingerprints": (c_uint, c_void_p, TEXT),
    "otrl_instag_generate": (c_uint, c_void_p, TEXT, TEXT, TEXT),
    "otrl_context_find": (POINTER(Context), c_void_p, TEXT, TEXT, TEXT, c_uint, c_int, POINTER(c_int), c_void_p, c_void_p),
    "otrl_context_set_trust": (None, POINTER(Fingerprint), TEXT),
    "otrl_proto_default_query_msg": (c_void_p, TEXT, c_uint),
    "otrl_message_sending": (c_uint, c_void_p, POINTER(Ops), c_void_p, TEXT, TEXT, TEXT, c_uint, TEXT, POINTER(Tlv),
                             POINTER(c_void_p), c_int, POINTER(c_void_p), c_void_p, c_void_p),
    "otrl_message_receiving": (c_int, c_void_p, POINTER(Ops), c_void_p, TEXT, TEXT, TEXT, TEXT, POINTER(c_void_p),
                               POINTER(POINTER(Tlv)), POINTER(c_void_p), c_void_p, c_void_p),
    "otrl_message_free": (None, c_void_p),
    "otrl_message_disconnect": (None, c_void_p, POINTER(Ops), c_void_p, TEXT, TEXT, TEXT, c_uint),
    "otrl_message_initiate_smp_q": (None, c_void_p, POINTER(Ops), c_void_p, c_void_p, TEXT, TEXT, c_size_t),
    "otrl_message_initiate_smp": (None, c_void_p, POINTER(Ops), c_void_p, c_void_p, TEXT, c_size_t),
    "otrl_message_respond_smp": (None, c_void_p, POINTER(Ops), c_void_p, c_void_p, TEXT, c_size_t),
    "otrl_message_abort_smp": (None, c_void_p, POINTER(Ops), c_void_p, c_void_p),
    "otrl_message_symkey": (c_uint, c_void_p, POINTER(Ops), c_void_p, c_void_p, c_uint, TEXT, c_size_t, POINTER(c_ubyte)),
    "otrl_message_poll_get_default_interval": (c_uint, c_void_p),
    "otrl_message_poll": (None, c_void_p, POINTER(Ops), c_void_p),
    "otrl_tlv_free": (None, POINTER(Tlv)),
}


def load(path):
    """The library at this path, with the types of what is used here."""
    library = ctypes.CDLL(path)
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
