/* Contexts: the conversations with other people, and the fingerprints of the
 * keys that those people have used. */

#ifndef __CONTEXT_H__
#define __CONTEXT_H__

#include <time.h>

#include "gcrypt-types.h"

#include "dh.h"
#include "auth.h"
#include "sm.h"

typedef struct context ConnContext;

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
    struct context *context;		/* the context it belongs to */
    char *trust;			/* a text of the program's choice that says how
					 * it was verified; NULL or "" means that
					 * it was not. Allocated by malloc */
} Fingerprint;

/* The conversation between one of our accounts and one of theirs. otr_offer,
 * app_data and app_data_free are yours to write, and so is what smstate points
 * to; read the rest. */
struct context {
    struct context *next;		/* the next in the list of the user state */
    struct context **tous;		/* the pointer that points here */

    char *username;			/* who it is with, */
    char *accountname;			/* by which of our accounts, */
    char *protocol;			/* in which network */

    /* Kept in the places that programs know, and not used: fragments of a
     * message that is not complete. */
    char *fragment;
    size_t fragment_len;
    unsigned short fragment_n;
    unsigned short fragment_k;

    OtrlMessageState msgstate;
    OtrlAuthInfo auth;			/* the key exchange under way */

    Fingerprint fingerprint_root;	/* its next is the first fingerprint */
    Fingerprint *active_fingerprint;	/* the key that the session runs with; NULL
					 * when there has been none */

    /* The keys of the session. The two numbers say how often they changed; the
     * keys themselves are not shown, and these members stay empty. */
    unsigned int their_keyid;		/* 0 without a session */
    gcry_mpi_t their_y;
    gcry_mpi_t their_old_y;
    unsigned int our_keyid;		/* 0 without a session */
    DH_keypair our_dh_key;
    DH_keypair our_old_dh_key;
    DH_sesskeys sesskeys[2][2];

    unsigned char sessionid[20];	/* the id of the session, */
    size_t sessionid_len;		/* how many bytes of it there are, */
    OtrlSessionIdHalf sessionid_half;	/* and the half to print in bold */

    unsigned int protocol_version;	/* of the session: 1 or 2; 0 before */

    unsigned char *preshared_secret;	/* see otrl_context_set_preshared_secret */
    size_t preshared_secret_len;

    unsigned int numsavedkeys;		/* not used, like the keys above */
    unsigned char *saved_mac_keys;

    unsigned int generation;		/* how many sessions there have been */

    time_t lastsent;			/* when a message was last sent in one */
    char *lastmessage;			/* not used: the text that may have to be
					 * sent again is not shown */
    int may_retransmit;			/* whether it is: 1 when it was lost, 2 when
					 * it has not been sent at all */

    enum {
	OFFER_NOT,			/* no offer to speak OTR was made */
	OFFER_SENT,			/* one was: a whitespace tag */
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

/* Find the conversation with user.
 *
 * When there is none and add_if_missing is not 0, it is made: *addedp becomes 1
 * (addedp may be NULL) and add_app_data(data, context) is called, where you may
 * set app_data and app_data_free (add_app_data may be NULL, too). Without
 * add_if_missing, the result is then NULL.
 *
 * A context stays where it is in memory until it is forgotten. */
ConnContext *otrl_context_find(OtrlUserState us, const char *user,
	const char *accountname, const char *protocol, int add_if_missing,
	int *addedp,
	void (*add_app_data)(void *data, ConnContext *context), void *data);

/* Find a fingerprint of 20 bytes among those of a conversation. With
 * add_if_missing, one that is new is added, untrusted, and *addedp becomes 1
 * (addedp may be NULL); without, the result is then NULL. */
Fingerprint *otrl_context_find_fingerprint(ConnContext *context,
	unsigned char fingerprint[20], int add_if_missing, int *addedp);

/* Set the trust of a fingerprint to a copy of this text. */
void otrl_context_set_trust(Fingerprint *fprint, const char *trust);

/* Keep a copy of a secret in the context until its session ends. The library
 * does nothing with it. */
void otrl_context_set_preshared_secret(ConnContext *context,
	const unsigned char *secret, size_t secret_len);

/* Erase the keys of the session, and go to OTRL_MSGSTATE_FINISHED. Tells the
 * other side nothing. */
void otrl_context_force_finished(ConnContext *context);

/* Erase the keys of the session, and go to OTRL_MSGSTATE_PLAINTEXT. Tells the
 * other side nothing: otrl_message_disconnect does. */
void otrl_context_force_plaintext(ConnContext *context);

/* Forget a fingerprint, unless it is the active one of its context. With
 * and_maybe_context, a context in plaintext that has lost its last fingerprint
 * is forgotten as well; and given the dummy fingerprint_root, its context is
 * forgotten if it is in plaintext. */
void otrl_context_forget_fingerprint(Fingerprint *fprint,
	int and_maybe_context);

/* Forget a context with its fingerprints, if it is in plaintext. */
void otrl_context_forget(ConnContext *context);

/* Forget all contexts of a user state, whatever state they are in. */
void otrl_context_forget_all(OtrlUserState us);

#ifdef __cplusplus
}
#endif

#endif
