# libotr.m4 serial 5
#
# Finds libotr for a configure script.
#
# AM_PATH_LIBOTR([MINIMUM-VERSION], [ACTION-IF-FOUND], [ACTION-IF-NOT-FOUND])
#
# Looks for headers of MINIMUM-VERSION (3.0.0 if none is given) or newer, with the same major number, and for a library
# that can be linked. Sets the output variables LIBOTR_CFLAGS and LIBOTR_LIBS and defines HAVE_LIBOTR; both variables are
# empty when nothing was found. Without ACTION-IF-NOT-FOUND, configure then stops.
#
# Adds these options to configure:
#
#   --with-libotr-prefix=DIR       where libotr is installed: DIR, or DIR/lib, holds the library
#   --with-libotr-inc-prefix=DIR   where its headers are: DIR, or DIR/include, holds libotr/version.h
#
# A program that calls libgcrypt as well should use AM_PATH_LIBGCRYPT first: LIBGCRYPT_LIBS is part of the link test.

AC_DEFUN([AM_PATH_LIBOTR],
[AC_ARG_WITH([libotr-prefix],
  [AS_HELP_STRING([--with-libotr-prefix=DIR], [directory where libotr is installed])],
  [libotr_prefix=$withval], [libotr_prefix=])
AC_ARG_WITH([libotr-inc-prefix],
  [AS_HELP_STRING([--with-libotr-inc-prefix=DIR], [directory where the headers of libotr are])],
  [libotr_inc_prefix=$withval], [libotr_inc_prefix=])

libotr_save_CPPFLAGS=$CPPFLAGS
libotr_save_LDFLAGS=$LDFLAGS
libotr_save_LIBS=$LIBS
libotr_found=yes

AC_MSG_CHECKING([for libotr CFLAGS])
if test -n "$libotr_inc_prefix"; then
  LIBOTR_CFLAGS="$LIBOTR_CFLAGS -I$libotr_inc_prefix"
  if test -f "$libotr_inc_prefix/include/libotr/version.h"; then
    LIBOTR_CFLAGS="$LIBOTR_CFLAGS -I$libotr_inc_prefix/include"
  fi
elif test -n "$libotr_prefix" && test -f "$libotr_prefix/include/libotr/version.h"; then
  LIBOTR_CFLAGS="$LIBOTR_CFLAGS -I$libotr_prefix/include"
fi
CPPFLAGS="$CPPFLAGS $LIBOTR_CFLAGS"
AC_MSG_RESULT([$LIBOTR_CFLAGS])

AC_MSG_CHECKING([for libotr LIBS])
if test -n "$libotr_prefix"; then
  LIBOTR_LIBS="$LIBOTR_LIBS -L$libotr_prefix"
  if test -d "$libotr_prefix/lib"; then
    LIBOTR_LIBS="$LIBOTR_LIBS -L$libotr_prefix/lib"
  fi
fi
LDFLAGS="$LDFLAGS $LIBOTR_LIBS"
LIBOTR_LIBS="$LIBOTR_LIBS -lotr"
AC_MSG_RESULT([$LIBOTR_LIBS])

libotr_want=m4_default([$1], [3.0.0])
# The three numbers, with 0 for each that is missing.
libotr_want_major=`echo "$libotr_want.0.0" | cut -d. -f1`
libotr_want_minor=`echo "$libotr_want.0.0" | cut -d. -f2`
libotr_want_sub=`echo "$libotr_want.0.0" | cut -d. -f3`
AC_MSG_CHECKING([for libotr headers version $libotr_want_major.x >= $libotr_want])
AC_LANG_PUSH([C])
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#include <libotr/version.h>
#if OTRL_VERSION_MAJOR != $libotr_want_major
#  error another interface
#elif OTRL_VERSION_MINOR < $libotr_want_minor
#  error too old
#elif OTRL_VERSION_MINOR == $libotr_want_minor && OTRL_VERSION_SUB < $libotr_want_sub
#  error too old
#endif
int otrl_is_there;
]])],
  [AC_MSG_RESULT([found])],
  [AC_MSG_RESULT([not found])
  libotr_found=no])
AC_LANG_POP([C])

if test "$libotr_found" = yes; then
  AC_CHECK_LIB([otr], [otrl_message_receiving], [], [libotr_found=no], [$LIBGCRYPT_LIBS])
fi

CPPFLAGS=$libotr_save_CPPFLAGS
LDFLAGS=$libotr_save_LDFLAGS
LIBS=$libotr_save_LIBS

if test "$libotr_found" = yes; then
  m4_default([$2], [:])
else
  LIBOTR_CFLAGS=
  LIBOTR_LIBS=
  m4_default([$3],
    [AC_MSG_ERROR([libotr $libotr_want_major.x, $libotr_want or newer, was not found (see --with-libotr-prefix and config.log)])])
fi
AC_SUBST([LIBOTR_CFLAGS])
AC_SUBST([LIBOTR_LIBS])
])
