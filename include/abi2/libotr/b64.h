/* Base64, and the armour "?OTR:....." around it in which encoded OTR messages
 * travel. */

#ifndef __B64_H__
#define __B64_H__

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Encode datalen bytes into base64data, padded with '=', in one line without
 * white space and without a terminating NUL. The buffer must hold
 * ((datalen + 2) / 3) * 4 characters. Returns the number written. */
size_t otrl_base64_encode(char *base64data, const unsigned char *data,
	size_t datalen);

/* Decode base64len characters into data. Characters outside the base64
 * alphabet are skipped; the first '=' ends the text. The buffer must hold
 * ((base64len + 3) / 4) * 3 bytes. Returns the number written. */
size_t otrl_base64_decode(unsigned char *data, const char *base64data,
	size_t base64len);

/* Armour buflen bytes: "?OTR:", their base64 text, ".". Returns a string for
 * the caller to free(), or NULL when memory ran out. */
char *otrl_base64_otr_encode(const unsigned char *buf, size_t buflen);

/* Remove the armour: decode the text between "?OTR:" and the next '.' in
 * msg. On success, returns 0 and sets *bufp to the bytes, which the caller
 * must free(), and *lenp to their number. Returns -1 when memory ran out and
 * -2 when msg is not armoured; *bufp and *lenp then stay as they were. */
int otrl_base64_otr_decode(const char *msg, unsigned char **bufp,
	size_t *lenp);

#ifdef __cplusplus
}
#endif

#endif
