/* The authenticated key exchange (AKE). Programs seldom need these functions:
 * otrl_message_receiving in <libotr/message.h> carries it out by itself. */

#ifndef __AUTH_H__
#define __AUTH_H__

#include <time.h>

#include "gcrypt-types.h"
#include "dh.h"
#include "privkey-t.h"

/* What the key exchange waits for. */
typedef enum {
    OTRL_AUTHSTATE_NONE,		/* none is under way */
    OTRL_AUTHSTATE_AWAITING_DHKEY,	/* D-H commit sent, D-H key expected */
    OTRL_AUTHSTATE_AWAITING_REVEALSIG,	/* D-H key sent, reveal signature
					 * expected */
    OTRL_AUTHSTATE_AWAITING_SIG,	/* reveal signature sent, signature
					 * expected */
    OTRL_AUTHSTATE_V1_SETUP		/* key exchange message of version 1 sent */
} OtrlAuthState;

/* One key exchange. Programs may read authstate to show how far it is; the rest
 * is for the library. */
typedef struct {
    OtrlAuthState authstate;

    struct context *context;		/* the context that this belongs to */

    DH_keypair our_dh;			/* our Diffie-Hellman key pair ... */
    unsigned int our_keyid;		/* ... and its number */

    unsigned char *encgx;		/* g^x, encrypted: theirs in AWAITING_REVEALSIG,
					 * ours otherwise */
    size_t encgx_len;			/* its size in bytes */
    unsigned char r[16];		/* the key that opens our encgx */

    unsigned char hashgx[32];		/* SHA-256 of that g^x */

    gcry_mpi_t their_pub;		/* their Diffie-Hellman public key ... */
    unsigned int their_keyid;		/* ... and its number */

    gcry_cipher_hd_t enc_c, enc_cp;	/* encryption keys c and c' */
    gcry_md_hd_t mac_m1, mac_m1p;	/* MAC keys m1 and m1' */
    gcry_md_hd_t mac_m2, mac_m2p;	/* MAC keys m2 and m2' */

    unsigned char their_fingerprint[20];	/* SHA-1 of the signing key that
						 * they proved to have */

    int initiated;			/* 1 when we sent the D-H commit */

    unsigned int protocol_version;	/* 1, 2 or 3 */

    unsigned char secure_session_id[20];	/* the session id ... */
    size_t secure_session_id_len;	/* ... and how much of it is used: 20
					 * bytes in version 1, 8 in 2 and 3 */
    OtrlSessionIdHalf session_id_half;	/* which half to print in bold */

    char *lastauthmsg;			/* our last message, ready to send, kept in
					 * case it has to be sent again */

    time_t commit_sent_time;		/* in a master context: when lastauthmsg
					 * was sent, if it is a D-H commit;
					 * otherwise 0 */
} OtrlAuthInfo;

#ifdef __cplusplus
extern "C" {
#endif

/* Give context->auth its first values, without looking at what it held. */
void otrl_auth_new(struct context *context);

/* Erase and free what *auth holds, but not the structure itself. */
void otrl_auth_clear(OtrlAuthInfo *auth);

/* Start an exchange of version 2 or 3 with a new Diffie-Hellman key. On
 * success, auth->lastauthmsg is the D-H commit message to send. */
gcry_error_t otrl_auth_start_v23(OtrlAuthInfo *auth, int version);

/* Take a D-H commit message. On success, auth->lastauthmsg is the message to
 * send in return. */
gcry_error_t otrl_auth_handle_commit(OtrlAuthInfo *auth,
	const char *commitmsg, int version);

/* The functions below take one message each and set *havemsgp: 1 when
 * auth->lastauthmsg has become a message to send, and 0 when there is nothing
 * to send, because the message does not fit the state. On an error nothing is
 * to be sent, and the state is as before.
 *
 * privkey signs for us. auth_succeeded is called once the other side has proved
 * who it is, with asdata as its second argument; an error that it returns
 * becomes the result. */

/* Take a D-H key message. */
gcry_error_t otrl_auth_handle_key(OtrlAuthInfo *auth, const char *keymsg,
	int *havemsgp, OtrlPrivKey *privkey);

/* Take a reveal signature message. */
gcry_error_t otrl_auth_handle_revealsig(OtrlAuthInfo *auth,
	const char *revealmsg, int *havemsgp, OtrlPrivKey *privkey,
	gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth, void *asdata),
	void *asdata);

/* Take a signature message. */
gcry_error_t otrl_auth_handle_signature(OtrlAuthInfo *auth,
	const char *sigmsg, int *havemsgp,
	gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth, void *asdata),
	void *asdata);

/* Start an exchange of version 1, with a copy of the key pair our_dh and its
 * number our_keyid, or with a new key pair when our_dh is NULL. On success,
 * auth->lastauthmsg is the message to send. */
gcry_error_t otrl_auth_start_v1(OtrlAuthInfo *auth, DH_keypair *our_dh,
	unsigned int our_keyid, OtrlPrivKey *privkey);

/* Take a key exchange message of version 1. our_dh and our_keyid are as in
 * otrl_auth_start_v1. */
gcry_error_t otrl_auth_handle_v1_key_exchange(OtrlAuthInfo *auth,
	const char *keyexchmsg, int *havemsgp, OtrlPrivKey *privkey,
	DH_keypair *our_dh, unsigned int our_keyid,
	gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth, void *asdata),
	void *asdata);

/* Version 3: a D-H key message has come from an instance of the other side
 * that is new to us. Copy our half of the exchange from the master context's
 * m_auth to that instance's auth, which then awaits that message. */
void otrl_auth_copy_on_key(OtrlAuthInfo *m_auth, OtrlAuthInfo *auth);

#ifdef __cplusplus
}
#endif

#endif
