/* Type/length/value records, which travel encrypted behind the text of a data
 * message, invisible to the user. */

#ifndef __TLV_H__
#define __TLV_H__

#include <stdlib.h>

/* One record; the records of a message form a singly linked chain. */
typedef struct s_OtrlTLV {
    unsigned short type;	/* one of OTRL_TLV_*, or a type of your own */
    unsigned short len;		/* the number of bytes in data */
    unsigned char *data;	/* the value; a NUL that len does not count
				 * follows it, so text can be read as a string */
    struct s_OtrlTLV *next;	/* the next record, or NULL */
} OtrlTLV;

/* Meaningless bytes that hide the length of the message. Ignore them. */
#define OTRL_TLV_PADDING         0x0000

/* The sender has ended the session and erased its keys. */
#define OTRL_TLV_DISCONNECTED    0x0001

/* The four messages of the socialist millionaires' protocol (SMP), in order,
 * and the one that aborts it. */
#define OTRL_TLV_SMP1            0x0002
#define OTRL_TLV_SMP2            0x0003
#define OTRL_TLV_SMP3            0x0004
#define OTRL_TLV_SMP4            0x0005
#define OTRL_TLV_SMP_ABORT       0x0006
/* OTRL_TLV_SMP1 with a question, ended by a NUL, before it. */
#define OTRL_TLV_SMP1Q           0x0007

#ifdef __cplusplus
extern "C" {
#endif

/* Make a chain of one record, with a copy of len bytes at data. Returns NULL
 * when memory ran out. */
OtrlTLV *otrl_tlv_new(unsigned short type, unsigned short len,
	const unsigned char *data);

/* Read the records in seriallen bytes. A record that is cut off ends the
 * chain before it. Returns NULL when there is none. */
OtrlTLV *otrl_tlv_parse(const unsigned char *serialized, size_t seriallen);

/* Free a whole chain, values included. NULL is allowed. */
void otrl_tlv_free(OtrlTLV *tlv);

/* The number of bytes that otrl_tlv_serialize will write for this chain. */
size_t otrl_tlv_seriallen(const OtrlTLV *tlv);

/* Write the chain into buf, which must hold otrl_tlv_seriallen(tlv) bytes. */
void otrl_tlv_serialize(unsigned char *buf, const OtrlTLV *tlv);

/* The first record of this type, or NULL. The result is still a part of the
 * chain: never free it by itself. NULL as a chain is allowed. */
OtrlTLV *otrl_tlv_find(OtrlTLV *tlvs, unsigned short type);

#ifdef __cplusplus
}
#endif

#endif
