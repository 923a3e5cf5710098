/* Two helpers for memory. */

#ifndef __MEM_H__
#define __MEM_H__

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kept for programs that call it; there is nothing left to set up. In
 * particular, libgcrypt's allocation functions stay as they are. */
void otrl_mem_init(void);

/* Compare len bytes. Returns 0 when they are equal and 1 when they differ. The
 * time taken depends on len alone, so secrets may be compared. */
int otrl_mem_differ(const unsigned char *buf1, const unsigned char *buf2,
	size_t len);

#ifdef __cplusplus
}
#endif

#endif
