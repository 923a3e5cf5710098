/* The user state: everything that the library knows for one user. */

#ifndef __USERSTATE_H__
#define __USERSTATE_H__

typedef struct s_OtrlUserState *OtrlUserState;

#include "context.h"
#include "privkey-t.h"

/* The roots of its lists. You may walk them by next. */
struct s_OtrlUserState {
    ConnContext *context_root;		/* conversations, sorted by user name,
					 * account and protocol */
    OtrlPrivKey *privkey_root;		/* our signing keys */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Make an empty user state. One is enough for a program with one user, however
 * many accounts there are; use one for each set of key and fingerprint files.
 * Returns NULL when memory ran out. */
OtrlUserState otrl_userstate_create(void);

/* Erase and free a user state with both its lists. */
void otrl_userstate_free(OtrlUserState us);

#ifdef __cplusplus
}
#endif

#endif
