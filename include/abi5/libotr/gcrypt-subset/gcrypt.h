/* The few names of libgcrypt that a program with OTR needs, for machines where
 * libgcrypt's own <gcrypt.h> is not installed. The values are the same, so a
 * program compiled with this header works with any libotr 4.
 *
 * <libotr/gcrypt-types.h> decides which of the two is used. A program that
 * itself includes <gcrypt.h> finds this one through the -idirafter option that
 * libotr.pc gives, which means: only where there is no other. Programs that
 * call more of libgcrypt than is declared here need libgcrypt. */

#ifndef LIBOTR_GCRYPT_SUBSET_H
#define LIBOTR_GCRYPT_SUBSET_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* libgcrypt's header defines this: it was included already, by its own name. */
#ifndef GCRYPT_VERSION

#ifdef __cplusplus
extern "C" {
#endif

/* Objects that only libgcrypt, or this library, can look into. */
typedef struct gcry_mpi *gcry_mpi_t;
typedef struct gcry_sexp *gcry_sexp_t;
typedef struct gcry_cipher_handle *gcry_cipher_hd_t;
typedef struct gcry_md_handle *gcry_md_hd_t;

/* The hashes of OTR. */
enum gcry_md_algos {
    GCRY_MD_NONE = 0,
    GCRY_MD_SHA1 = 2,
    GCRY_MD_SHA256 = 8
};

/* An error: 0 for none, and otherwise a code in the lower 16 bits and the part
 * of the program that it comes from in bits 24 to 30. */
typedef unsigned int gpg_error_t;
typedef gpg_error_t gcry_error_t;

typedef enum {
    GPG_ERR_SOURCE_UNKNOWN = 0,
    GPG_ERR_SOURCE_GCRYPT = 1,		/* errors of files */
    GPG_ERR_SOURCE_ANY = 31,
    GPG_ERR_SOURCE_USER_1 = 32,		/* errors of OTR, and gcry_error's */
    GPG_ERR_SOURCE_USER_2 = 33,
    GPG_ERR_SOURCE_USER_3 = 34,
    GPG_ERR_SOURCE_USER_4 = 35,

    GPG_ERR_SOURCE_DIM = 128
} gpg_err_source_t;
typedef gpg_err_source_t gcry_err_source_t;

#ifndef GPG_ERR_SOURCE_DEFAULT
#  define GPG_ERR_SOURCE_DEFAULT GPG_ERR_SOURCE_USER_1
#endif

typedef enum {
    GPG_ERR_NO_ERROR = 0,
    GPG_ERR_GENERAL = 1,
    GPG_ERR_PUBKEY_ALGO = 4,
    GPG_ERR_DIGEST_ALGO = 5,
    GPG_ERR_BAD_PUBKEY = 6,
    GPG_ERR_BAD_SECKEY = 7,
    GPG_ERR_BAD_SIGNATURE = 8,
    GPG_ERR_NO_PUBKEY = 9,
    GPG_ERR_CHECKSUM = 10,
    GPG_ERR_CIPHER_ALGO = 12,
    GPG_ERR_INV_PACKET = 14,
    GPG_ERR_INV_ARMOR = 15,
    GPG_ERR_NO_SECKEY = 17,
    GPG_ERR_WRONG_SECKEY = 18,
    GPG_ERR_NO_PRIME = 21,
    GPG_ERR_NO_VALUE = 26,
    GPG_ERR_NOT_FOUND = 27,
    GPG_ERR_SYNTAX = 29,
    GPG_ERR_BAD_MPI = 30,
    GPG_ERR_INV_PASSPHRASE = 31,
    GPG_ERR_UNEXPECTED = 38,
    GPG_ERR_WEAK_KEY = 43,
    GPG_ERR_INV_KEYLEN = 44,
    GPG_ERR_INV_ARG = 45,
    GPG_ERR_SELFTEST_FAILED = 50,
    GPG_ERR_UNUSABLE_PUBKEY = 53,
    GPG_ERR_UNUSABLE_SECKEY = 54,
    GPG_ERR_INV_VALUE = 55,
    GPG_ERR_NO_DATA = 58,
    GPG_ERR_BUG = 59,
    GPG_ERR_NOT_SUPPORTED = 60,
    GPG_ERR_INV_OP = 61,
    GPG_ERR_TIMEOUT = 62,
    GPG_ERR_INTERNAL = 63,
    GPG_ERR_TOO_SHORT = 66,
    GPG_ERR_TOO_LARGE = 67,
    GPG_ERR_NO_OBJ = 68,
    GPG_ERR_NOT_IMPLEMENTED = 69,
    GPG_ERR_CONFLICT = 70,
    GPG_ERR_TRUNCATED = 74,
    GPG_ERR_INV_DATA = 79,
    GPG_ERR_BAD_DATA = 89,
    GPG_ERR_INV_LENGTH = 139,
    GPG_ERR_INV_STATE = 156,
    GPG_ERR_NOT_OPERATIONAL = 176,
    GPG_ERR_NOT_ENABLED = 179,
    GPG_ERR_NOT_INITIALIZED = 184,
    GPG_ERR_BUFFER_TOO_SHORT = 200,
    GPG_ERR_SEXP_INV_LEN_SPEC = 201,
    GPG_ERR_SEXP_STRING_TOO_LONG = 202,
    GPG_ERR_SEXP_UNMATCHED_PAREN = 203,
    GPG_ERR_SEXP_NOT_CANONICAL = 204,
    GPG_ERR_SEXP_BAD_CHARACTER = 205,
    GPG_ERR_SEXP_BAD_QUOTATION = 206,
    GPG_ERR_SEXP_ZERO_PREFIX = 207,
    GPG_ERR_SEXP_NESTED_DH = 208,
    GPG_ERR_SEXP_UNMATCHED_DH = 209,
    GPG_ERR_SEXP_UNEXPECTED_PUNC = 210,
    GPG_ERR_SEXP_BAD_HEX_CHAR = 211,
    GPG_ERR_SEXP_ODD_HEX_NUMBERS = 212,
    GPG_ERR_SEXP_BAD_OCT_CHAR = 213,
    GPG_ERR_MISSING_ERRNO = 16381,
    GPG_ERR_UNKNOWN_ERRNO = 16382,
    GPG_ERR_EOF = 16383,

    GPG_ERR_SYSTEM_ERROR = 1 << 15,
    GPG_ERR_E2BIG = GPG_ERR_SYSTEM_ERROR | 0,
    GPG_ERR_EACCES = GPG_ERR_SYSTEM_ERROR | 1,
    GPG_ERR_EAGAIN = GPG_ERR_SYSTEM_ERROR | 6,
    GPG_ERR_EBADF = GPG_ERR_SYSTEM_ERROR | 11,
    GPG_ERR_EBUSY = GPG_ERR_SYSTEM_ERROR | 19,
    GPG_ERR_EEXIST = GPG_ERR_SYSTEM_ERROR | 35,
    GPG_ERR_EFAULT = GPG_ERR_SYSTEM_ERROR | 36,
    GPG_ERR_EFBIG = GPG_ERR_SYSTEM_ERROR | 37,
    GPG_ERR_EINTR = GPG_ERR_SYSTEM_ERROR | 47,
    GPG_ERR_EINVAL = GPG_ERR_SYSTEM_ERROR | 48,
    GPG_ERR_EIO = GPG_ERR_SYSTEM_ERROR | 49,
    GPG_ERR_EISDIR = GPG_ERR_SYSTEM_ERROR | 51,
    GPG_ERR_ELOOP = GPG_ERR_SYSTEM_ERROR | 63,
    GPG_ERR_EMFILE = GPG_ERR_SYSTEM_ERROR | 65,
    GPG_ERR_ENAMETOOLONG = GPG_ERR_SYSTEM_ERROR | 69,
    GPG_ERR_ENFILE = GPG_ERR_SYSTEM_ERROR | 75,
    GPG_ERR_ENODEV = GPG_ERR_SYSTEM_ERROR | 80,
    GPG_ERR_ENOENT = GPG_ERR_SYSTEM_ERROR | 81,
    GPG_ERR_ENOMEM = GPG_ERR_SYSTEM_ERROR | 86,
    GPG_ERR_ENOSPC = GPG_ERR_SYSTEM_ERROR | 91,
    GPG_ERR_ENOSYS = GPG_ERR_SYSTEM_ERROR | 94,
    GPG_ERR_ENOTDIR = GPG_ERR_SYSTEM_ERROR | 97,
    GPG_ERR_ENOTSUP = GPG_ERR_SYSTEM_ERROR | 101,
    GPG_ERR_EPERM = GPG_ERR_SYSTEM_ERROR | 107,
    GPG_ERR_EPIPE = GPG_ERR_SYSTEM_ERROR | 109,
    GPG_ERR_ERANGE = GPG_ERR_SYSTEM_ERROR | 117,
    GPG_ERR_EROFS = GPG_ERR_SYSTEM_ERROR | 122,
    GPG_ERR_ESPIPE = GPG_ERR_SYSTEM_ERROR | 126,

    GPG_ERR_CODE_DIM = 65536
} gpg_err_code_t;
typedef gpg_err_code_t gcry_err_code_t;

#if defined(__GNUC__)
#  define LIBOTR_INLINE_ static __inline__
#elif defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#  define LIBOTR_INLINE_ static inline
#else
#  define LIBOTR_INLINE_ static
#endif

/* Make an error of a source and a code. */
LIBOTR_INLINE_ gcry_error_t gcry_err_make(gcry_err_source_t source,
	gcry_err_code_t code)
{
    return code == GPG_ERR_NO_ERROR ? 0
	: (((gcry_error_t)source & (GPG_ERR_SOURCE_DIM - 1)) << 24)
	    | ((gcry_error_t)code & (GPG_ERR_CODE_DIM - 1));
}

/* Make an error of the program's own. */
LIBOTR_INLINE_ gcry_error_t gcry_error(gcry_err_code_t code)
{
    return gcry_err_make(GPG_ERR_SOURCE_DEFAULT, code);
}

/* The code of an error. */
LIBOTR_INLINE_ gcry_err_code_t gcry_err_code(gcry_error_t err)
{
    return (gcry_err_code_t)(err & (GPG_ERR_CODE_DIM - 1));
}

/* The source of an error. */
LIBOTR_INLINE_ gcry_err_source_t gcry_err_source(gcry_error_t err)
{
    return (gcry_err_source_t)((err >> 24) & (GPG_ERR_SOURCE_DIM - 1));
}

/* The name of the source of an error. */
LIBOTR_INLINE_ const char *gcry_strsource(gcry_error_t err)
{
    switch ((int)gcry_err_source(err)) {
	case GPG_ERR_SOURCE_UNKNOWN: return "Unspecified source";
	case GPG_ERR_SOURCE_GCRYPT: return "gcrypt";
	case GPG_ERR_SOURCE_ANY: return "Any source";
	case GPG_ERR_SOURCE_USER_1: return "User defined source 1";
	case GPG_ERR_SOURCE_USER_2: return "User defined source 2";
	case GPG_ERR_SOURCE_USER_3: return "User defined source 3";
	case GPG_ERR_SOURCE_USER_4: return "User defined source 4";
	default: return "Unknown source";
    }
}

#undef LIBOTR_INLINE_

/* The text of an error. */
const char *gcry_strerror(gcry_error_t err);

/* The error that a value of errno stands for. */
gcry_error_t gcry_error_from_errno(int err);

#ifdef __cplusplus
}
#endif

#endif

#endif
