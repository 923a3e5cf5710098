/* Files: our signing keys, and the fingerprints of other people's. Signatures.
 *
 * Functions that take a file name give the error of errno when the file cannot
 * be opened; one that does not exist gives gcry_error_from_errno(ENOENT). */

#ifndef __PRIVKEY_H__
#define __PRIVKEY_H__

#include <stdio.h>

#include "gcrypt-types.h"
#include "privkey-t.h"
#include "userstate.h"

/* The size of a fingerprint written for people, its final NUL included: five
 * groups of eight hexadecimal digits, with a blank between. */
#define OTRL_PRIVKEY_FPRINT_HUMAN_LEN 45

#ifdef __cplusplus
extern "C" {
#endif

/* Write a fingerprint of 20 bytes as text for people. */
void otrl_privkey_hash_to_human(
	char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN],
	const unsigned char hash[20]);

/* Write the fingerprint of an account's own key, as text for people. Returns
 * fingerprint, or NULL when the account has no key. */
char *otrl_privkey_fingerprint(OtrlUserState us,
	char fingerprint[OTRL_PRIVKEY_FPRINT_HUMAN_LEN],
	const char *accountname, const char *protocol);

/* Write the fingerprint of an account's own key, as 20 bytes. Returns hash, or
 * NULL when the account has no key. */
unsigned char *otrl_privkey_fingerprint_raw(OtrlUserState us,
	unsigned char hash[20], const char *accountname, const char *protocol);

/* Replace the keys of a user state by those in a file. When the file cannot be
 * read as a key file, the result is an error and the keys stay as they were. */
gcry_error_t otrl_privkey_read(OtrlUserState us, const char *filename);

/* The same, from a file that is open for reading. */
gcry_error_t otrl_privkey_read_FILEp(OtrlUserState us, FILE *privf);

/* Empty the list of keys that are being generated. */
void otrl_privkey_pending_forget_all(OtrlUserState us);

/* Generating a key takes a while. These functions do it in three steps, of
 * which the middle one may run in another thread:
 *
 *     void *newkey;
 *     otrl_privkey_generate_start(us, account, protocol, &newkey);
 *     otrl_privkey_generate_calculate(newkey);		(in any thread)
 *     otrl_privkey_generate_finish(us, newkey, filename);
 *
 * Everything but otrl_privkey_generate_calculate belongs in the thread that
 * uses the user state otherwise. */

/* Begin, and set *newkeyp to a handle. When a key is already being generated
 * for this account, returns gcry_error(GPG_ERR_EEXIST), and *newkeyp is NULL. */
gcry_error_t otrl_privkey_generate_start(OtrlUserState us,
	const char *accountname, const char *protocol, void **newkeyp);

/* Calculate the key. Touches no user state. */
gcry_error_t otrl_privkey_generate_calculate(void *newkey);

/* Put the key into the user state, in place of one that the account may have,
 * and write all keys to the file. The handle is not valid any more, and
 * neither are pointers to keys of the user state. */
gcry_error_t otrl_privkey_generate_finish(OtrlUserState us,
	void *newkey, const char *filename);

/* The same, to a file that is open for reading and writing. */
gcry_error_t otrl_privkey_generate_finish_FILEp(OtrlUserState us,
	void *newkey, FILE *privf);

/* Give up, and free the handle. */
void otrl_privkey_generate_cancelled(OtrlUserState us, void *newkey);

/* All three steps in one call. The key is calculated before the file is
 * touched. */
gcry_error_t otrl_privkey_generate(OtrlUserState us, const char *filename,
	const char *accountname, const char *protocol);

/* The same, to a file that is open for reading and writing. */
gcry_error_t otrl_privkey_generate_FILEp(OtrlUserState us, FILE *privf,
	const char *accountname, const char *protocol);

/* Add the fingerprints in a file, with their trust, to those of a user state.
 * Contexts that are missing are made; add_app_data and data are as in
 * otrl_context_find. Malformed lines are skipped. */
gcry_error_t otrl_privkey_read_fingerprints(OtrlUserState us,
	const char *filename,
	void (*add_app_data)(void *data, ConnContext *context),
	void *data);

/* The same, from a file that is open for reading. */
gcry_error_t otrl_privkey_read_fingerprints_FILEp(OtrlUserState us,
	FILE *storef,
	void (*add_app_data)(void *data, ConnContext *context),
	void *data);

/* Write all fingerprints of a user state, with their trust, to a file. */
gcry_error_t otrl_privkey_write_fingerprints(OtrlUserState us,
	const char *filename);

/* The same, to a file that is open for writing. */
gcry_error_t otrl_privkey_write_fingerprints_FILEp(OtrlUserState us,
	FILE *storef);

/* The key of this account, or NULL when it has none. */
OtrlPrivKey *otrl_privkey_find(OtrlUserState us, const char *accountname,
	const char *protocol);

/* Take a key out of its list, erase it and free it. The file keeps it. */
void otrl_privkey_forget(OtrlPrivKey *privkey);

/* Forget all keys of a user state. */
void otrl_privkey_forget_all(OtrlUserState us);

/* Sign len bytes, usually a hash: they are taken as one number, the most
 * significant byte first. *sigp becomes a new buffer with the signature, which
 * the caller must free(), and *siglenp its size (40 bytes). */
gcry_error_t otrl_privkey_sign(unsigned char **sigp, size_t *siglenp,
	OtrlPrivKey *privkey, const unsigned char *data, size_t len);

/* Check such a signature with the public key pubs, whose type is pubkey_type.
 * Returns 0 when it is good. */
gcry_error_t otrl_privkey_verify(const unsigned char *sigbuf, size_t siglen,
	unsigned short pubkey_type, gcry_sexp_t pubs,
	const unsigned char *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
