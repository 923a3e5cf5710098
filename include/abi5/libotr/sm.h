/* The socialist millionaires' protocol (SMP): two people learn whether they
 * know the same secret, and nothing else about it. Programs drive it through
 * otrl_message_initiate_smp and its companions in <libotr/message.h>, and look
 * at OtrlSMState only to see how far it has come. */

#ifndef __SM_H__
#define __SM_H__

#include "gcrypt-types.h"

/* The hash of the protocol, and the size of its result in bytes. */
#define SM_HASH_ALGORITHM GCRY_MD_SHA256
#define SM_DIGEST_SIZE 32

/* The message that may come next from the other side. */
typedef enum {
    OTRL_SMP_EXPECT1,		/* none is under way; their first one may come */
    OTRL_SMP_EXPECT2,		/* we started, and wait for their answer */
    OTRL_SMP_EXPECT3,		/* we answered */
    OTRL_SMP_EXPECT4,		/* we started, and wait for the last message */
    OTRL_SMP_EXPECT5		/* never used */
} NextExpectedSMP;

/* The result. */
typedef enum {
    OTRL_SMP_PROG_OK = 0,	/* nothing wrong so far */
    OTRL_SMP_PROG_CHEATED = -2,	/* a proof of the other side was false */
    OTRL_SMP_PROG_FAILED = -1,	/* the end: the secrets differ */
    OTRL_SMP_PROG_SUCCEEDED = 1	/* the end: the secrets are equal */
} OtrlSMProgState;

/* The state of one run, on either side. */
typedef struct {
    /* Numbers of the protocol. Whether secret is NULL is public: it is NULL
     * when no run is under way, and set once we have started one or the other
     * side's first message has come. */
    gcry_mpi_t secret, x2, x3, g1, g2, g3, g3o, p, q, pab, qab;
    NextExpectedSMP nextExpected;
    int received_question;	/* 1 when the other side asked a question */
    OtrlSMProgState sm_prog_state;
} OtrlSMState;

/* Alice is the one who starts. */
typedef OtrlSMState OtrlSMAliceState;
typedef OtrlSMState OtrlSMBobState;

#ifdef __cplusplus
extern "C" {
#endif

/* Kept for programs that call it; otrl_init() does all that is needed. */
void otrl_sm_init(void);

/* Give a newly allocated state its first values, without looking at what it
 * held. */
void otrl_sm_state_new(OtrlSMState *smst);

/* Prepare a state for a run: free what it holds, and fill in the numbers that
 * every run starts from. */
void otrl_sm_state_init(OtrlSMState *smst);

/* Erase and free what the state holds, but not the structure itself, which is
 * then as otrl_sm_state_new leaves it. May be called at any time, as often as
 * you like, also from within handle_smp_event. */
void otrl_sm_state_free(OtrlSMState *smst);

/* The steps. Each reads input, the body of the message that has come, and
 * writes the body of the one to send to a new buffer *output, which the caller
 * must free(), and its size to *outputlen. A message that is malformed or
 * proves something false is an error (GPG_ERR_INV_VALUE) and makes
 * sm_prog_state OTRL_SMP_PROG_CHEATED. The secret is usually a hash.
 *
 *     Alice                         Bob
 *     step1 (her secret)  ------->  step2a
 *                                   step2b (his secret)
 *     step3               <-------
 *                         ------->  step4, and he knows
 *     step5, and she knows  <-----
 *
 * The last step of each side returns 0 when the secrets are equal and
 * GPG_ERR_INV_VALUE when they are not; sm_prog_state tells a mere difference
 * (OTRL_SMP_PROG_FAILED) from deceit. step4 has then still made the message
 * from which Alice learns the same. */
gcry_error_t otrl_sm_step1(OtrlSMAliceState *astate,
	const unsigned char *secret, int secretlen,
	unsigned char **output, int *outputlen);
gcry_error_t otrl_sm_step2a(OtrlSMBobState *bstate,
	const unsigned char *input, const int inputlen,
	int received_question);
gcry_error_t otrl_sm_step2b(OtrlSMBobState *bstate,
	const unsigned char *secret, int secretlen,
	unsigned char **output, int *outputlen);
gcry_error_t otrl_sm_step3(OtrlSMAliceState *astate,
	const unsigned char *input, const int inputlen,
	unsigned char **output, int *outputlen);
gcry_error_t otrl_sm_step4(OtrlSMBobState *bstate,
	const unsigned char *input, const int inputlen,
	unsigned char **output, int *outputlen);
gcry_error_t otrl_sm_step5(OtrlSMAliceState *astate,
	const unsigned char *input, const int inputlen);

#ifdef __cplusplus
}
#endif

#endif
