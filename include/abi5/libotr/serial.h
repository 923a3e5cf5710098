/* Macros that read and write the fields of binary OTR messages.
 *
 * They work on the variables of the function around them:
 *
 *     unsigned char *bufp    the next byte to read (may be const) or to write
 *     size_t lenp            how many bytes are left there
 *     enum gcry_mpi_format format    how write_mpi prints (GCRYMPI_FMT_USG)
 *     invval:                the label that a reading macro goes to when the
 *                            message is too short or otherwise wrong
 *
 * The writing macros do not look at lenp: give them a buffer that is large
 * enough. write_mpi and read_mpi call libgcrypt, so a program that uses them
 * needs <gcrypt.h> and libgcrypt itself. */

#ifndef __SERIAL_H__
#define __SERIAL_H__

/* Hooks that would print what is read and written. They do nothing. */
#define debug_data(t,b,l)
#define debug_int(t,b)

/* Write a four-byte number, the most significant byte first. */
#define write_int(x) do { \
	*bufp++ = (unsigned char)(((x) >> 24) & 0xff); \
	*bufp++ = (unsigned char)(((x) >> 16) & 0xff); \
	*bufp++ = (unsigned char)(((x) >> 8) & 0xff); \
	*bufp++ = (unsigned char)((x) & 0xff); \
	lenp -= 4; \
    } while(0)

/* Write the number x, which takes nx bytes, with its length before it. dx
 * describes it for debug_data. */
#define write_mpi(x,nx,dx) do { \
	write_int(nx); \
	gcry_mpi_print(format, bufp, lenp, NULL, (x)); \
	debug_data((dx), bufp, (nx)); \
	bufp += (nx); lenp -= (nx); \
    } while(0)

/* Go to invval unless l bytes are left. */
#define require_len(l) do { \
	if (lenp < (l)) goto invval; \
    } while(0)

/* Read a four-byte number into x. */
#define read_int(x) do { \
	require_len(4); \
	(x) = ((unsigned int)bufp[0] << 24) | ((unsigned int)bufp[1] << 16) \
	    | ((unsigned int)bufp[2] << 8) | (unsigned int)bufp[3]; \
	bufp += 4; lenp -= 4; \
    } while(0)

/* Read a number with its length before it into a new gcry_mpi_t, x. */
#define read_mpi(x) do { \
	size_t mpilen; \
	read_int(mpilen); \
	require_len(mpilen); \
	if (mpilen == 0) { \
	    (x) = gcry_mpi_set_ui(NULL, 0); \
	} else if (gcry_mpi_scan(&(x), GCRYMPI_FMT_USG, bufp, mpilen, NULL)) { \
	    goto invval; \
	} \
	bufp += mpilen; lenp -= mpilen; \
    } while(0)

/* Write the first three bytes of a message: the protocol version in two, then
 * the message type. */
#define write_header(version, msgtype) do { \
	bufp[0] = 0x00; \
	bufp[1] = (version) & 0xff; \
	bufp[2] = (msgtype); \
	debug_data("Header", bufp, 3); \
	bufp += 3; lenp -= 3; \
    } while(0)

/* Skip the first three bytes of a message, which must say version 1, 2 or 3 and
 * message type x. */
#define skip_header(x) do { \
	require_len(3); \
	if (bufp[0] != 0x00 || bufp[1] < 0x01 || bufp[1] > 0x03 \
		|| bufp[2] != (x)) goto invval; \
	bufp += 3; lenp -= 3; \
    } while(0)

#endif
