/* The main functions: pass every outgoing message to otrl_message_sending and
 * every incoming one to otrl_message_receiving, and follow their results. */

#ifndef __MESSAGE_H__
#define __MESSAGE_H__

#include "proto.h"

/* How severe a notice is. */
typedef enum {
    OTRL_NOTIFY_ERROR,
    OTRL_NOTIFY_WARNING,
    OTRL_NOTIFY_INFO
} OtrlNotifyLevel;

/* The callbacks through which the library asks and informs the program. Their
 * first argument is the opdata that the program passed. Any of them may be
 * NULL: the library then does without it. Strings and contexts that they receive
 * belong to the library; strings are valid only during the call. Callbacks may
 * call the library again. If a program passes a version below 3.1 to otrl_init,
 * its table ends with log_message. */
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

    /* Show the user a notice outside the conversation: its title, what has
     * happened, and more details (secondary may be NULL). Called when
     * display_otr_message has not shown it. */
    void (*notify)(void *opdata, OtrlNotifyLevel level,
	    const char *accountname, const char *protocol,
	    const char *username, const char *title,
	    const char *primary, const char *secondary);

    /* Show the user a line in this conversation, which may contain <b> and <i>.
     * Return 0 when you have. Otherwise it is passed to notify, or returned
     * instead of the message that otrl_message_receiving is processing. */
    int (*display_otr_message)(void *opdata, const char *accountname,
	    const char *protocol, const char *username, const char *msg);

    /* The list of contexts, or the state of one, has changed: show it. */
    void (*update_context_list)(void *opdata);

    /* Never called; kept for binary compatibility. A name of this network for
     * people, and what frees it. */
    const char *(*protocol_name)(void *opdata, const char *protocol);
    void (*protocol_name_free)(void *opdata, const char *protocol_name);

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

    /* Write this line to a log. It ends in a newline. */
    void (*log_message)(void *opdata, const char *message);

    /* The longest message that the network takes, in bytes; 0 for no limit. */
    int (*max_message_size)(void *opdata, ConnContext *context);

    /* A name of this account for people. It is freed with account_name_free. */
    const char *(*account_name)(void *opdata, const char *account,
	    const char *protocol);
    void (*account_name_free)(void *opdata, const char *account_name);
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
 *     message            what the user wrote
 *     tlvs               records to send with it, or NULL. The caller frees them
 *     messagep           where to put the message to send instead
 *     add_appdata, data  as add_app_data and data of otrl_context_find
 *
 * When the result is not 0, the message must not be sent at all: it should have
 * been encrypted, and was not. When it is 0 and *messagep is NULL, send
 * message. When *messagep is not NULL, send that instead, by
 * otrl_message_fragment_and_send, and pass it to otrl_message_free. */
gcry_error_t otrl_message_sending(OtrlUserState us,
	const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *recipient, const char *message, OtrlTLV *tlvs,
	char **messagep,
	void (*add_appdata)(void *data, ConnContext *context),
	void *data);

/* Process a message that has arrived. All messages may be passed to this
 * function; its arguments are like those of otrl_message_sending.
 *
 * When the result is not 0, the message was the protocol's own: show nothing.
 * When it is 0, show *newmessagep if that is not NULL, and message as it came
 * otherwise. Pass *newmessagep to otrl_message_free, and *tlvsp, the records
 * that came with the message, to otrl_tlv_free, whatever the result. tlvsp may
 * be NULL. */
int otrl_message_receiving(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *sender, const char *message, char **newmessagep,
	OtrlTLV **tlvsp,
	void (*add_appdata)(void *data, ConnContext *context),
	void *data);

/* Send a message to the network, in fragments if it is longer than
 * max_message_size allows. Unless fragPolicy is OTRL_FRAGMENT_SEND_ALL, one of
 * the fragments (or the whole message, if it is short enough) is not sent:
 * *returnFragment becomes a copy that the caller must send and free(). An
 * empty message is not sent at all. */
gcry_error_t otrl_message_fragment_and_send(const OtrlMessageAppOps *ops,
	void *opdata, ConnContext *context, const char *message,
	OtrlFragmentPolicy fragPolicy, char **returnFragment);

/* End the session with a correspondent, and go back to plaintext. The other
 * side is told, if there is a session and is_logged_in says 1. */
void otrl_message_disconnect(OtrlUserState us, const OtrlMessageAppOps *ops,
	void *opdata, const char *accountname, const char *protocol,
	const char *username);

/* The four functions below send messages of SMP. What comes back is in the
 * records that otrl_message_receiving gives you, which it has treated and
 * answered by then. Compare each with smstate->nextExpected, and call
 * otrl_message_abort_smp when it does not fit, or when sm_prog_state is
 * OTRL_SMP_PROG_CHEATED. After OTRL_TLV_SMP3 and OTRL_TLV_SMP4 sm_prog_state
 * holds the result; call otrl_sm_state_free then. */

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

#ifdef __cplusplus
}
#endif

#endif
