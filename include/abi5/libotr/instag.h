/* Instance tags: numbers that tell apart the several places where one account
 * is logged in (OTR version 3). */

#ifndef __INSTAG_H__
#define __INSTAG_H__

#include <stdio.h>
#include <errno.h>

#include "gcrypt-types.h"

/* Below OTRL_MIN_VALID_INSTAG there are no real tags. These values say which of
 * a correspondent's instances is meant. */
#define OTRL_INSTAG_MASTER 0		/* the master context, which stands for all */
#define OTRL_INSTAG_BEST 1		/* the most secure: first by the state of the
					 * session, then by the trust in the
					 * fingerprint, then the most recent */
#define OTRL_INSTAG_RECENT 2		/* the last that sent or was sent to */
#define OTRL_INSTAG_RECENT_RECEIVED 3	/* the last that we heard from */
#define OTRL_INSTAG_RECENT_SENT 4	/* the last that we sent to */

#define OTRL_MIN_VALID_INSTAG 0x100

typedef unsigned int otrl_instag_t;

/* The tag of one of our accounts, in the list OtrlUserState.instag_root. */
typedef struct s_OtrlInsTag {
    struct s_OtrlInsTag *next;	/* the next tag, or NULL */
    struct s_OtrlInsTag **tous;	/* the pointer that points to this tag */

    char *accountname;
    char *protocol;
    otrl_instag_t instag;
} OtrlInsTag;

#include "userstate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Take a tag out of its list, and free it. */
void otrl_instag_forget(OtrlInsTag *instag);

/* Forget all tags of a user state. */
void otrl_instag_forget_all(OtrlUserState us);

/* The tag of this account, or NULL when it has none yet. */
OtrlInsTag *otrl_instag_find(OtrlUserState us, const char *accountname,
	const char *protocol);

/* Add the tags in a file to those of a user state. Malformed lines are skipped.
 * When the file cannot be opened, the error is the one of errno: a file that
 * does not exist gives gcry_error_from_errno(ENOENT). */
gcry_error_t otrl_instag_read(OtrlUserState us, const char *filename);

/* The same, from a file that is open for reading. */
gcry_error_t otrl_instag_read_FILEp(OtrlUserState us, FILE *instf);

/* A random number that is a valid tag. */
otrl_instag_t otrl_instag_get_new(void);

/* Make a new tag for this account, which otrl_instag_find then gives, and write
 * all tags of the user state to the file. */
gcry_error_t otrl_instag_generate(OtrlUserState us, const char *filename,
	const char *accountname, const char *protocol);

/* The same, to a file that is open for writing. */
gcry_error_t otrl_instag_generate_FILEp(OtrlUserState us, FILE *instf,
	const char *accountname, const char *protocol);

/* Write all tags of a user state to a file. */
gcry_error_t otrl_instag_write(OtrlUserState us, const char *filename);

/* The same, to a file that is open for writing. */
gcry_error_t otrl_instag_write_FILEp(OtrlUserState us, FILE *instf);

#ifdef __cplusplus
}
#endif

#endif
