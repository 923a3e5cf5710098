/* The main functions: pass every outgoing message to otrl_message_sending and
 * every incoming one to otrl_message_receiving, and follow their results. */

#ifndef __MESSAGE_H__
#define __MESSAGE_H__

#include "proto.h"

/* How an error message of the protocol begins. */
#define OTR_ERROR_PREFIX "?OTR Error: "

/* Why the other side gets an error message from us. */
typedef enum {
    OTRL_ERRCODE_NONE,
    OTRL_ERRCODE_ENCRYPTION_ERROR,	/* encrypting a message for them failed */
    OTRL_ERRCODE_MSG_NOT_IN_PRIVATE,	/* they sent an encrypted message, but we
					 * have no session */
    OTRL_ERRCODE_MSG_UNREADABLE,	/* we could not decrypt their message */
    OTRL_ERRCODE_MSG_MALFORMED		/* their message made no sense */
} OtrlErrorCode;

/* What has happened in SMP, and what the user should see or do. */
typedef enum {
    OTRL_SMPEVENT_NONE,
    OTRL_SMPEVENT_ERROR,		/* an unexpected message arrived: call
					 * otrl_message_abort_smp */
    OTRL_SMPEVENT_ABORT,		/* the other side has aborted it */
    OTRL_SMPEVENT_CHEATED,		/* a proof of theirs was false: call
					 * otrl_message_abort_smp */
    OTRL_SMPEVENT_ASK_FOR_ANSWER,	/* they ask a question: get the answer from
					 * the user for otrl_message_respond_smp */
    OTRL_SMPEVENT_ASK_FOR_SECRET,	/* the same, without a question */
    OTRL_SMPEVENT_IN_PROGRESS,		/* one step further */
    OTRL_SMPEVENT_SUCCESS,		/* the secrets are equal */
    OTRL_SMPEVENT_FAILURE		/* they are not */
} OtrlSMPEvent;

/* What has happened to a message, or in place of one. Where it says so, the
 * message argument of handle_msg_event is a text, valid during the call only,
 * and its err argument an error; otherwise they are NULL and 0. */
typedef enum {
    OTRL_MSGEVENT_NONE,
    OTRL_MSGEVENT_ENCRYPTION_REQUIRED,	/* the policy forbids sending it readable;
					 * a session is being started instead */
    OTRL_MSGEVENT_ENCRYPTION_ERROR,	/* it could not be encrypted, and was not
					 * sent */
    OTRL_MSGEVENT_CONNECTION_ENDED,	/* it was not sent, because the other side
					 * has ended the session: end it here too,
					 * or start a new one */
    OTRL_MSGEVENT_SETUP_ERROR,		/* starting a session failed (err) */
    OTRL_MSGEVENT_MSG_REFLECTED,	/* our own message came back to us */
    OTRL_MSGEVENT_MSG_RESENT,		/* the last text was sent again, now that
					 * there is a session */
    OTRL_MSGEVENT_RCVDMSG_NOT_IN_PRIVATE,	/* it is encrypted, but there is no
						 * session to read it with */
    OTRL_MSGEVENT_RCVDMSG_UNREADABLE,	/* it could not be decrypted */
    OTRL_MSGEVENT_RCVDMSG_MALFORMED,	/* it makes no sense */
    OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD,	/* it was empty, and only kept the session */
    OTRL_MSGEVENT_LOG_HEARTBEAT_SENT,	/* going: received, and sent by us */
    OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR,	/* an error message of OTR (message: its
					 * text) */
    OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED,	/* it came readable, where it should have
					 * been encrypted (message: its text). It
					 * is for you to show, with a warning */
    OTRL_MSGEVENT_RCVDMSG_UNRECOGNIZED,	/* an unknown kind of OTR message */
    OTRL_MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE	/* it is meant for another place
						 * where this account is logged in */
} OtrlMessageEvent;

/* How severe a notice is. No function uses it any more. */
typedef enum {
    OTRL_NOTIFY_ERROR,
    OTRL_NOTIFY_WARNING,
    OTRL_NOTIFY_INFO
} OtrlNotifyLevel;

/* Which way convert_msg is to convert. */
typedef enum {
    OTRL_CONVERT_SENDING,		/* from the program, before encryption */
    OTRL_CONVERT_RECEIVING		/* for the program, after decryption */
} OtrlConvertType;

/* The callbacks through which the library asks and informs the program. Their
 * first argument is the opdata that the program passed. Any of them may be
 * NULL: the library then does without it. Strings and contexts that they receive
 * belong to the library; strings are valid only during the call. Callbacks may
 * call the library again. */
typedef struct s_OtrlMessageAppOps {
    /* The policy for this conversation. */
    OtrlPolicy (*policy)(void *opdata, ConnContext *context);

    /* A signing key is needed for this account: generate one, now or later. If
     * there is none when this returns, no session is set up. */
    void (*create_privkey)(void *opdata, const char *accountname,
	    const char *protocol);

    /* Is this person online? 1 for yes, 0 for no, -1 if you do not know. After
     * a 1, messages that the user did not write may be sent to them. */
    int (*is_logged_in)(void *opdata, const char *accountname,
	    const char *protocol, const char *recipient);

    /* Send this message as it is, without passing it to the library again. */
    void (*inject_message)(void *opdata, const char *accountname,
	    const char *protocol, const char *recipient, const char *message);

    /* The list of contexts, or the state of one, has changed: show it. */
    void (*update_context_list)(void *opdata);

    /* A correspondent uses a key that was not known so far. */
    void (*new_fingerprint)(void *opdata, OtrlUserState us,
	    const char *accountname, const char *protocol,
	    const char *username, unsigned char fingerprint[20]);

    /* The fingerprints have changed: write them to their file. */
    void (*write_fingerprints)(void *opdata);

    /* A session has begun in this context. */
    void (*gone_secure)(void *opdata, ConnContext *context);

    /* Never called; kept for binary compatibility. The end of a session shows as
     * a record of type OTRL_TLV_DISCONNECTED in a message received. */
    void (*gone_insecure)(void *opdata, ConnContext *context);

    /* A session went on with the signing key of the one before. is_reply is 0
     * when we started the key exchange. */
    void (*still_secure)(void *opdata, ConnContext *context, int is_reply);

    /* The longest message that the network takes, in bytes; 0 for no limit. */
    int (*max_message_size)(void *opdata, ConnContext *context);

    /* A name of this account for people. It is freed with account_name_free. */
    const char *(*account_name)(void *opdata, const char *account,
	    const char *protocol);
    void (*account_name_free)(void *opdata, const char *account_name);

    /* The other side is about to use the extra symmetric key, which is symkey
     * (OTRL_EXTRAKEY_BYTES). use and usedata say what for. */
    void (*received_symkey)(void *opdata, ConnContext *context,
	    unsigned int use, const unsigned char *usedata,
	    size_t usedatalen, const unsigned char *symkey);

    /* The text of an error message to the other side, in their language. It is
     * freed with otr_error_message_free. */
    const char *(*otr_error_message)(void *opdata, ConnContext *context,
	    OtrlErrorCode err_code);
    void (*otr_error_message_free)(void *opdata, const char *err_msg);

    /* What to put before a text that is sent again; "[resent]" without this
     * callback. It is freed with resent_msg_prefix_free. */
    const char *(*resent_msg_prefix)(void *opdata, ConnContext *context);
    void (*resent_msg_prefix_free)(void *opdata, const char *prefix);

    /* SMP has come to progress_percent. question is the one asked with
     * OTRL_SMPEVENT_ASK_FOR_ANSWER, and otherwise NULL. */
    void (*handle_smp_event)(void *opdata, OtrlSMPEvent smp_event,
	    ConnContext *context, unsigned short progress_percent,
	    char *question);

    /* Something has happened to a message: see OtrlMessageEvent. */
    void (*handle_msg_event)(void *opdata, OtrlMessageEvent msg_event,
	    ConnContext *context, const char *message,
	    gcry_error_t err);

    /* An instance tag is needed for this account: make one with
     * otrl_instag_generate. */
    void (*create_instag)(void *opdata, const char *accountname,
	    const char *protocol);

    /* Convert a text before it is encrypted, or after it was decrypted, say from
     * the program's markup and back. Set *dest to the new text, or leave it
     * NULL to keep src. It is freed with convert_free. */
    void (*convert_msg)(void *opdata, ConnContext *context,
	    OtrlConvertType convert_type, char **dest, const char *src);
    void (*convert_free)(void *opdata, ConnContext *context, char *dest);

    /* Call otrl_message_poll every interval seconds from now on, or no more if
     * interval is 0. This replaces an earlier request. The callback may be
     * called from within otrl_message_poll. See there. */
    void (*timer_control)(void *opdata, unsigned int interval);
} OtrlMessageAppOps;

#ifdef __cplusplus
extern "C" {
#endif

/* Free a message that a function of this header returned: same as free(). */
void otrl_message_free(char *message);

/* Process a message that the user is sending. All messages may be passed to
 * this function.
 *
 *     us, ops, opdata    the user state, the callbacks, and their first argument
 *     accountname, protocol, recipient    from which account to whom
 *     instag             to which of their instances: a tag, or a value like
 *                        OTRL_INSTAG_BEST
 *     original_msg       what the user wrote
 *     tlvs               records to send with it, or NULL. The caller frees them
 *     messagep           where to put the message to send instead
 *     fragPolicy         what to do when that is too long for the network
 *     contextp           where to put the context that was used; may be NULL
 *     add_appdata, data  as add_app_data and data of otrl_context_find
 *
 * When the result is not 0, the message must not be sent at all: it should have
 * been encrypted, and was not. When it is 0 and *messagep is NULL, send
 * original_msg. When *messagep is not NULL, send that instead, unless it is
 * empty or fragPolicy is OTRL_FRAGMENT_SEND_ALL, where the library has sent
 * everything; pass it to otrl_message_free in any case. Under the other
 * policies for fragments, *messagep is the fragment that is left to send. */
gcry_error_t otrl_message_sending(OtrlUserState us,
	const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *recipient, otrl_instag_t instag, const char *original_msg,
	OtrlTLV *tlvs, char **messagep, OtrlFragmentPolicy fragPolicy,
	ConnContext **contextp,
	void (*add_appdata)(void *data, ConnContext *context),
	void *data);

/* Process a message that has arrived. All messages may be passed to this
 * function; its arguments are like those of otrl_message_sending.
 *
 * When the result is not 0, the message was the protocol's own: show nothing.
 * When it is 0, show *newmessagep if that is not NULL, and message as it came
 * otherwise. Pass *newmessagep to otrl_message_free, and *tlvsp, the records
 * that came with the message, to otrl_tlv_free, whatever the result. tlvsp and
 * contextp may be NULL. */
int otrl_message_receiving(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *sender, const char *message, char **newmessagep,
	OtrlTLV **tlvsp, ConnContext **contextp,
	void (*add_appdata)(void *data, ConnContext *context),
	void *data);

/* End the session with one instance of a correspondent, and go back to
 * plaintext. The other side is told, if there is a session and is_logged_in
 * says 1. */
void otrl_message_disconnect(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *username, otrl_instag_t instance);

/* The same, for all instances of a correspondent. */
void otrl_message_disconnect_all_instances(OtrlUserState us,
	const OtrlMessageAppOps *ops, void *opdata, const char *accountname,
	const char *protocol, const char *username);

/* Start SMP in the session of a context, with this secret. */
void otrl_message_initiate_smp(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, ConnContext *context, const unsigned char *secret,
	size_t secretlen);

/* The same, with a question to which the secret is the answer. */
void otrl_message_initiate_smp_q(OtrlUserState us,
	const OtrlMessageAppOps *ops, void *opdata, ConnContext *context,
	const char *question, const unsigned char *secret, size_t secretlen);

/* Answer the other side, which has started SMP, with this secret. */
void otrl_message_respond_smp(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, ConnContext *context, const unsigned char *secret,
	size_t secretlen);

/* Abort SMP, and tell the other side. */
void otrl_message_abort_smp(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, ConnContext *context);

/* Copy the extra symmetric key of a session to symkey (OTRL_EXTRAKEY_BYTES),
 * and tell the other side what it will be used for: use, and usedatalen bytes
 * whose meaning depends on it. Without a session, GPG_ERR_INV_VALUE. */
gcry_error_t otrl_message_symkey(OtrlUserState us,
	const OtrlMessageAppOps *ops, void *opdata, ConnContext *context,
	unsigned int use, const unsigned char *usedata, size_t usedatalen,
	unsigned char *symkey);

/* How often to call otrl_message_poll, in seconds, without timer_control. */
unsigned int otrl_message_poll_get_default_interval(OtrlUserState us);

/* Erase keys that have been kept for an answer that never came: the sooner they
 * are erased, the fewer old messages can be read by someone who gets hold of the
 * computer. Call it from the thread that uses the user state, as timer_control
 * asks, or else every otrl_message_poll_get_default_interval(us) seconds. More
 * often does no harm, and the time need not be exact. */
void otrl_message_poll(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata);

#ifdef __cplusplus
}
#endif

#endif
