/* A name from the time when this library managed libgcrypt's memory. */

#ifndef __MEM_H__
#define __MEM_H__

#ifdef __cplusplus
extern "C" {
#endif

/* Kept for programs that call it; there is nothing left to set up. In
 * particular, libgcrypt's allocation functions stay as they are. */
void otrl_mem_init(void);

#ifdef __cplusplus
}
#endif

#endif
