/* Where the gcry_* names in these headers come from.
 *
 * The interface uses libgcrypt's types (gcry_error_t, gcry_mpi_t, ...),
 * although this library does not need libgcrypt. If <gcrypt.h> is installed, it
 * is included, so that a program may pass these objects to libgcrypt's own
 * functions. Otherwise the few names that programs need come from
 * <libotr/gcrypt-subset/gcrypt.h>.
 *
 * A compiler that cannot be asked whether a header exists (one without
 * __has_include) is taken to have <gcrypt.h>. Define LIBOTR_NO_GCRYPT_H to get
 * the subset in any case; such a program must not include <gcrypt.h> itself. */

#ifndef LIBOTR_GCRYPT_TYPES_H
#define LIBOTR_GCRYPT_TYPES_H

#if defined(LIBOTR_NO_GCRYPT_H)
#  include "gcrypt-subset/gcrypt.h"
#elif defined(__has_include)
#  if __has_include(<gcrypt.h>)
#    include <gcrypt.h>
#  else
#    include "gcrypt-subset/gcrypt.h"
#  endif
#else
#  include <gcrypt.h>
#endif

#endif
