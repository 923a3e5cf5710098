/* The long-term signing keys, as a user state lists them. */

#ifndef __PRIVKEY_T_H__
#define __PRIVKEY_T_H__

#include "gcrypt-types.h"

/* The signing key of one account, in the list OtrlUserState.privkey_root. */
typedef struct s_OtrlPrivKey {
    struct s_OtrlPrivKey *next;	/* the next key, or NULL */
    struct s_OtrlPrivKey **tous;	/* the pointer that points to this key */

    char *accountname;
    char *protocol;
    unsigned short pubkey_type;	/* OTRL_PUBKEY_TYPE_DSA */
    gcry_sexp_t privkey;	/* (private-key (dsa ...)). Made by libgcrypt when
				 * the process has it loaded, otherwise opaque */
    unsigned char *pubkey_data;	/* the public key as it travels in messages, */
    size_t pubkey_datalen;	/* without the type before it */
} OtrlPrivKey;

/* The type of key before a public key in a message: DSA is the only one. */
#define OTRL_PUBKEY_TYPE_DSA 0x0000

#endif
