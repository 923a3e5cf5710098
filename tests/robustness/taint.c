/* Preloaded under valgrind, for constant_time.rs: random numbers are secrets, but the length of a number without its leading
 * zeros is not. */
#include <dlfcn.h>
#include <sys/types.h>
#include <valgrind/memcheck.h>

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	static ssize_t (*real)(void *, size_t, unsigned);
	ssize_t got;

	if (!real) {
		*(void **) &real = dlsym(RTLD_NEXT, "getrandom");
	}
	got = real(buffer, length, flags);
	if (got > 0) {
		VALGRIND_MAKE_MEM_UNDEFINED(buffer, got);
	}
	return got;
}

/* otr_crypto::bignum::leading_zeros */
size_t I_WRAP_SONAME_FNNAME_ZZ(NONE, ZaotrZacryptoZabignumZaleading_zerosZa)(const unsigned char *bytes, size_t length)
{
	OrigFn original;
	volatile size_t zeros;

	VALGRIND_GET_ORIG_FN(original);
	VALGRIND_DISABLE_ERROR_REPORTING;
	CALL_FN_W_WW(zeros, original, bytes, length);
	VALGRIND_ENABLE_ERROR_REPORTING;
	VALGRIND_MAKE_MEM_DEFINED(&zeros, sizeof zeros);
	return zeros;
}
