/* Contexts: the conversations with other people, and the fingerprints of the
 * keys that those people have used. */

#ifndef __CONTEXT_H__
#define __CONTEXT_H__

#include "context_priv.h"

#include "gcrypt-types.h"

#include "dh.h"
#include "auth.h"
#include "sm.h"

typedef struct context ConnContext;

#include "instag.h"

/* What happens to the messages of a conversation. */
typedef enum {
    OTRL_MSGSTATE_PLAINTEXT,		/* they are sent as they are */
    OTRL_MSGSTATE_ENCRYPTED,		/* they are encrypted */
    OTRL_MSGSTATE_FINISHED		/* the other side has ended the session;
					 * nothing is sent until we start a new
					 * one or end it as well, so that nothing
					 * meant to be secret goes out readable */
} OtrlMessageState;

/* A key that a correspondent has used. */
typedef struct s_fingerprint {
    struct s_fingerprint *next;		/* the next of the same person, or NULL */
    struct s_fingerprint **tous;	/* the pointer that points here */
    unsigned char *fingerprint;		/* SHA-1 of the key, 20 bytes; NULL in the
					 * dummy that heads the list */
    struct context *context;		/* the master context it belongs to */
    char *trust;			/* a text of the program's choice that says how
					 * it was verified; NULL or "" means that
					 * it was not. Allocated by malloc */
} Fingerprint;

/* A conversation between one of our accounts and one of theirs. The master
 * context stands for all places where they are logged in, and carries sessions
 * of version 2; each instance of version 3 also has a child context. */
struct context {
    struct context *next;		/* the next in the list of the user state */
    struct context **tous;		/* the pointer that points here */

    ConnContextPriv *context_priv;	/* for the library only */

    /* For programs. Read-only, except for otr_offer, app_data and
     * app_data_free. */

    char *username;			/* who it is with, */
    char *accountname;			/* by which of our accounts, */
    char *protocol;			/* in which network */

    struct context *m_context;		/* the master context; itself in a master */
    struct context *recent_rcvd_child;	/* in a master: the context that last
					 * received, at first the master itself.
					 * NULL in a child, like the next two */
    struct context *recent_sent_child;	/* the context that last sent */
    struct context *recent_child;	/* the later of those two */

    otrl_instag_t our_instance;		/* our instance tag */
    otrl_instag_t their_instance;	/* theirs; OTRL_INSTAG_MASTER in a master */

    OtrlMessageState msgstate;
    OtrlAuthInfo auth;			/* the key exchange under way */

    Fingerprint fingerprint_root;	/* its next is the first fingerprint. In a
					 * child that is always NULL: look in the
					 * master */
    Fingerprint *active_fingerprint;	/* the key that the session runs with; NULL
					 * when there has been none */

    unsigned char sessionid[20];	/* the id of the session, */
    size_t sessionid_len;		/* how many bytes of it there are, */
    OtrlSessionIdHalf sessionid_half;	/* and the half to print in bold */

    unsigned int protocol_version;	/* of the session: 1, 2 or 3; 0 before */

    enum {
	OFFER_NOT,			/* no offer to speak OTR was made */
	OFFER_SENT,			/* one was: a query or a whitespace tag */
	OFFER_REJECTED,			/* and the answer was plain text */
	OFFER_ACCEPTED			/* and the answer was OTR */
    } otr_offer;

    void *app_data;			/* yours; see add_app_data below */
    void (*app_data_free)(void *);	/* called with app_data, when neither is
					 * NULL and the context is forgotten */

    OtrlSMState *smstate;		/* the state of SMP */
};

#include "userstate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Find the conversation with user. their_instance is an instance tag, or one
 * of the OTRL_INSTAG_* values below OTRL_MIN_VALID_INSTAG.
 *
 * When there is none and add_if_missing is not 0, it is made: *addedp becomes 1
 * (addedp may be NULL) and add_app_data(data, context) is called, where you may
 * set app_data and app_data_free (add_app_data may be NULL, too). That happens
 * once for every context made, the master included when only a child was asked
 * for. Without add_if_missing, the result is then NULL.
 *
 * A context stays where it is in memory until it is forgotten. */
ConnContext *otrl_context_find(OtrlUserState us, const char *user,
	const char *accountname, const char *protocol,
	otrl_instag_t their_instance, int add_if_missing, int *addedp,
	void (*add_app_data)(void *data, ConnContext *context), void *data);

/* Whether the trust of this fingerprint is anything but NULL and "". A NULL
 * fingerprint is not trusted. */
int otrl_context_is_fingerprint_trusted(Fingerprint *fprint);

/* Note in the master context that a message was just sent by this context
 * (sent_msg not 0) or received (sent_msg 0). */
void otrl_context_update_recent_child(ConnContext *context,
	unsigned int sent_msg);

/* Find a fingerprint of 20 bytes among those of a conversation. With
 * add_if_missing, one that is new is added, untrusted, and *addedp becomes 1
 * (addedp may be NULL); without, the result is then NULL. */
Fingerprint *otrl_context_find_fingerprint(ConnContext *context,
	unsigned char fingerprint[20], int add_if_missing, int *addedp);

/* Set the trust of a fingerprint to a copy of this text. */
void otrl_context_set_trust(Fingerprint *fprint, const char *trust);

/* Erase the keys of the session, and go to OTRL_MSGSTATE_FINISHED. Tells the
 * other side nothing. */
void otrl_context_force_finished(ConnContext *context);

/* Erase the keys of the session, and go to OTRL_MSGSTATE_PLAINTEXT. Tells the
 * other side nothing: otrl_message_disconnect does. */
void otrl_context_force_plaintext(ConnContext *context);

/* Forget a fingerprint, unless it is in use, that is, unless it is the active
 * one of a context in plaintext. With and_maybe_context, a context in plaintext
 * that has lost its last fingerprint is forgotten as well; and given the dummy
 * fingerprint_root, its context is forgotten if it is in plaintext. */
void otrl_context_forget_fingerprint(Fingerprint *fprint,
	int and_maybe_context);

/* Forget a context with its fingerprints; a master, with its children. Only a
 * context in plaintext, whose children are so too, can be forgotten. Returns 0
 * when it was, and 1 when it was not. */
int otrl_context_forget(ConnContext *context);

/* Forget all contexts of a user state, whatever state they are in. */
void otrl_context_forget_all(OtrlUserState us);

/* The context that OTRL_INSTAG_RECENT, OTRL_INSTAG_RECENT_RECEIVED or
 * OTRL_INSTAG_RECENT_SENT stands for, among those of this one's master. NULL
 * for any other tag. */
ConnContext *otrl_context_find_recent_instance(ConnContext *context,
	otrl_instag_t recent_instag);

/* The context that OTRL_INSTAG_BEST stands for. Which one is most recent is
 * known only to the second. */
ConnContext *otrl_context_find_recent_secure_instance(ConnContext *context);

#ifdef __cplusplus
}
#endif

#endif
