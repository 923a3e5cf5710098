/* The private part of a context. It is declared for programs that were compiled
 * against it; none should touch it. */

#ifndef __CONTEXT_PRIV_H__
#define __CONTEXT_PRIV_H__

#include "gcrypt-types.h"
#include "dh.h"
#include "auth.h"
#include "sm.h"

typedef struct context_priv {
    /* The fragments of an incoming message so far: their text and its length,
     * how many there will be, and how many there are. */
    char *fragment;
    size_t fragment_len;
    unsigned short fragment_n;
    unsigned short fragment_k;

    /* The number of the other side's newest Diffie-Hellman key (0 when there
     * is none, as after OTRL_TLV_DISCONNECTED), that key, and the one before. */
    unsigned int their_keyid;
    gcry_mpi_t their_y;
    gcry_mpi_t their_old_y;

    /* The same for our keys. */
    unsigned int our_keyid;
    DH_keypair our_dh_key;
    DH_keypair our_old_dh_key;

    /* The keys for data messages: sesskeys[i][j] comes from our key number
     * our_keyid-i and their key number their_keyid-j. */
    DH_sesskeys sesskeys[2][2];

    /* Used MAC keys that the next message will publish, 20 bytes each. */
    unsigned int numsavedkeys;
    unsigned char *saved_mac_keys;

    /* Counts how often this context has gone secure. Never goes back. */
    unsigned int generation;

    /* When a data message was last sent, and when one was last received. */
    time_t lastsent;
    time_t lastrecv;

    /* The last text that the user sent, and whether it may be sent again when
     * a session begins. */
    char *lastmessage;
    int may_retransmit;
} ConnContextPriv;

#ifdef __cplusplus
extern "C" {
#endif

/* Make the private part of a new context. Returns NULL when memory ran out. */
ConnContextPriv *otrl_context_priv_new(void);

/* Erase and free all that belongs to a session, so that no key of it remains.
 * The structure itself stays. */
void otrl_context_priv_force_finished(ConnContextPriv *context_priv);

#ifdef __cplusplus
}
#endif

#endif
