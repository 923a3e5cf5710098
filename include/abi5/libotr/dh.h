/* Diffie-Hellman over the 1536-bit group of RFC 3526, and the keys that are
 * derived from it. Programs seldom need these functions: <libotr/message.h>
 * does all of this. */

#ifndef __DH_H__
#define __DH_H__

#include "gcrypt-types.h"

/* The one group there is, named as in RFC 3526. */
#define DH1536_GROUP_ID 5

typedef struct {
    unsigned int groupid;	/* DH1536_GROUP_ID, or 0 before there is a key */
    gcry_mpi_t priv, pub;	/* the exponent x, and g^x; NULL when there is
				 * no key */
} DH_keypair;

/* Which half of the session id a user interface prints in bold: this is how
 * two people who compare it aloud can tell who reads first. */
typedef enum {
    OTRL_SESSIONID_FIRST_HALF_BOLD,
    OTRL_SESSIONID_SECOND_HALF_BOLD
} OtrlSessionIdHalf;

/* The size of the extra symmetric key of a session, in bytes. */
#define OTRL_EXTRAKEY_BYTES 32

/* What one key of ours and one of theirs give for data messages. */
typedef struct {
    unsigned char sendctr[16];	/* AES counter of the last message sent ... */
    unsigned char rcvctr[16];	/* ... and of the last one received */
    gcry_cipher_hd_t sendenc;	/* AES-128 in counter mode, keyed to send ... */
    gcry_cipher_hd_t rcvenc;	/* ... and to receive */
    gcry_md_hd_t sendmac;	/* HMAC-SHA1 for messages sent, */
    unsigned char sendmackey[20];	/* its key, */
    int sendmacused;		/* and whether it was used yet */
    gcry_md_hd_t rcvmac;	/* the same for messages received; a used key */
    unsigned char rcvmackey[20];	/* of this kind is published once it */
    int rcvmacused;		/* is no longer needed */
    unsigned char extrakey[OTRL_EXTRAKEY_BYTES];	/* the extra symmetric key */
} DH_sesskeys;

#ifdef __cplusplus
extern "C" {
#endif

/* Kept for programs that call it; otrl_init() does all that is needed. */
void otrl_dh_init(void);

/* Mark *kp as empty, without looking at what it held. */
void otrl_dh_keypair_init(DH_keypair *kp);

/* Make *dst a copy of *src. What *dst held before is not freed. */
void otrl_dh_keypair_copy(DH_keypair *dst, const DH_keypair *src);

/* Erase and free the numbers in *kp, and mark it as empty. */
void otrl_dh_keypair_free(DH_keypair *kp);

/* Put a fresh random key pair into *kp. Any group but DH1536_GROUP_ID is an
 * error (GPG_ERR_INV_VALUE). */
gcry_error_t otrl_dh_gen_keypair(unsigned int groupid, DH_keypair *kp);

/* Derive the keys for data messages from our key pair and y, the public key of
 * the other side. */
gcry_error_t otrl_dh_session(DH_sesskeys *sess, const DH_keypair *kp,
	gcry_mpi_t y);

/* Derive what the authenticated key exchange of versions 2 and 3 needs: the
 * session id (sessionid must hold 20 bytes; *sessionidlenp becomes 8), the
 * encryption keys c and c', and the MAC keys m1, m1', m2 and m2'. */
gcry_error_t otrl_dh_compute_v2_auth_keys(const DH_keypair *our_dh,
	gcry_mpi_t their_pub, unsigned char *sessionid, size_t *sessionidlenp,
	gcry_cipher_hd_t *enc_c, gcry_cipher_hd_t *enc_cp,
	gcry_md_hd_t *mac_m1, gcry_md_hd_t *mac_m1p,
	gcry_md_hd_t *mac_m2, gcry_md_hd_t *mac_m2p);

/* Derive the session id of version 1 (20 bytes), and which half of it to print
 * in bold. */
gcry_error_t otrl_dh_compute_v1_session_id(const DH_keypair *our_dh,
	gcry_mpi_t their_pub, unsigned char *sessionid, size_t *sessionidlenp,
	OtrlSessionIdHalf *halfp);

/* Close the handles in *sess, and erase all of it. */
void otrl_dh_session_free(DH_sesskeys *sess);

/* Fill *sess with zeros without closing anything: for a structure that holds
 * no handles yet. */
void otrl_dh_session_blank(DH_sesskeys *sess);

/* Add one to the upper half (the first eight bytes) of a counter block. */
void otrl_dh_incctr(unsigned char *ctr);

/* Compare two eight-byte counters as unsigned numbers. The result is negative,
 * 0 or positive, as with memcmp. */
int otrl_dh_cmpctr(const unsigned char *ctr1, const unsigned char *ctr2);

#ifdef __cplusplus
}
#endif

#endif
