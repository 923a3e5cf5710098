/* The pieces of the protocol: initialisation, policies, and functions that
 * look at, make and read single messages. */

#ifndef __PROTO_H__
#define __PROTO_H__

#include <stdlib.h>

#include "gcrypt-types.h"
#include "context.h"
#include "version.h"
#include "tlv.h"

/* White space that a plain message may end with, invisible to people: it says
 * that the sender speaks OTR. This much begins every such tag ... */
#define OTRL_MESSAGE_TAG_BASE " \t  \t\t\t\t \t \t \t  "
/* ... and one of these, of eight characters each, follows for each version. */
#define OTRL_MESSAGE_TAG_V1 " \t \t  \t "
#define OTRL_MESSAGE_TAG_V2 "  \t\t  \t "

/* A flag of data messages: if this cannot be read, do not bother the user. */
#define OTRL_MSGFLAGS_IGNORE_UNREADABLE		0x01

/* What the user wants, for one correspondent: a sum of the bits below. */
typedef unsigned int OtrlPolicy;

#define OTRL_POLICY_ALLOW_V1			0x01	/* speak version 1 */
#define OTRL_POLICY_ALLOW_V2			0x02	/* speak version 2 */
#define OTRL_POLICY_REQUIRE_ENCRYPTION		0x04	/* send nothing readable */
#define OTRL_POLICY_SEND_WHITESPACE_TAG		0x08	/* offer OTR by the tag */
#define OTRL_POLICY_WHITESPACE_START_AKE	0x10	/* begin a session when
							 * a tag comes */
#define OTRL_POLICY_ERROR_START_AKE		0x20	/* begin a session when
							 * an error comes */

#define OTRL_POLICY_VERSION_MASK (OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2)

/* The usual choices: no OTR at all; a session whenever both sides can; a
 * session when the user asks for it; nothing without a session. */
#define OTRL_POLICY_NEVER			0x00
#define OTRL_POLICY_OPPORTUNISTIC \
	( OTRL_POLICY_ALLOW_V1 | \
	OTRL_POLICY_ALLOW_V2 | \
	OTRL_POLICY_SEND_WHITESPACE_TAG | \
	OTRL_POLICY_WHITESPACE_START_AKE | \
	OTRL_POLICY_ERROR_START_AKE )
#define OTRL_POLICY_MANUAL \
	( OTRL_POLICY_ALLOW_V1 | \
	OTRL_POLICY_ALLOW_V2 )
#define OTRL_POLICY_ALWAYS \
	( OTRL_POLICY_ALLOW_V1 | \
	OTRL_POLICY_ALLOW_V2 | \
	OTRL_POLICY_REQUIRE_ENCRYPTION | \
	OTRL_POLICY_WHITESPACE_START_AKE | \
	OTRL_POLICY_ERROR_START_AKE )
#define OTRL_POLICY_DEFAULT OTRL_POLICY_OPPORTUNISTIC

/* What a message is. */
typedef enum {
    OTRL_MSGTYPE_NOTOTR,		/* ordinary text */
    OTRL_MSGTYPE_TAGGEDPLAINTEXT,	/* text with a whitespace tag */
    OTRL_MSGTYPE_QUERY,			/* "?OTR?", "?OTRv2?", ... */
    OTRL_MSGTYPE_DH_COMMIT,		/* the four messages of the key */
    OTRL_MSGTYPE_DH_KEY,		/* exchange of version 2, */
    OTRL_MSGTYPE_REVEALSIG,		/* in their order */
    OTRL_MSGTYPE_SIGNATURE,
    OTRL_MSGTYPE_V1_KEYEXCH,		/* the key exchange message of version 1 */
    OTRL_MSGTYPE_DATA,			/* encrypted text */
    OTRL_MSGTYPE_ERROR,			/* "?OTR Error: ..." */
    OTRL_MSGTYPE_UNKNOWN		/* starts like OTR, but is none of these */
} OtrlMessageType;

/* What otrl_proto_fragment_accumulate made of a message. */
typedef enum {
    OTRL_FRAGMENT_UNFRAGMENTED,		/* it is not a fragment */
    OTRL_FRAGMENT_INCOMPLETE,		/* more fragments must come */
    OTRL_FRAGMENT_COMPLETE		/* it was the last one */
} OtrlFragmentResult;

/* What otrl_message_fragment_and_send does with a message that is longer than
 * max_message_size allows. */
typedef enum {
    OTRL_FRAGMENT_SEND_ALL,		/* send all fragments */
    OTRL_FRAGMENT_SEND_ALL_BUT_FIRST,	/* send all but the first, and give that
					 * back */
    OTRL_FRAGMENT_SEND_ALL_BUT_LAST	/* send all but the last, and give that
					 * back */
} OtrlFragmentPolicy;

#ifdef __cplusplus
extern "C" {
#endif

/* Prepare the library, and tell it which interface the program was compiled
 * for: OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR and OTRL_VERSION_SUB. Call it
 * before anything else; more calls do no harm. Ends the program when this
 * library cannot serve that version. */
void otrl_init(unsigned int ver_major, unsigned int ver_minor,
	unsigned int ver_sub);

/* Call otrl_init so. */
#define OTRL_INIT do { \
	otrl_init(OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, OTRL_VERSION_SUB); \
    } while(0)

/* The version of the library: a constant string like "3.2.1". */
const char *otrl_version(void);

/* Make a query message that asks for the versions in policy, with a sentence
 * for people whose program does not know OTR, which names ourname. The caller
 * must free() it. Returns NULL when memory ran out. */
char *otrl_proto_default_query_msg(const char *ourname, OtrlPolicy policy);

/* The highest version (1 or 2) that both a query message asks for and policy
 * allows, or 0. */
unsigned int otrl_proto_query_bestversion(const char *querymsg,
	OtrlPolicy policy);

/* Look for a whitespace tag: *starttagp becomes its first character and
 * *endtagp the one after its last, or both become NULL. The result is the
 * highest version that both the tag offers and policy allows, or 0. */
unsigned int otrl_proto_whitespace_bestversion(const char *msg,
	const char **starttagp, const char **endtagp, OtrlPolicy policy);

/* What a message is. */
OtrlMessageType otrl_proto_message_type(const char *message);

/* Encrypt msg, with a chain of records (or NULL), for the session of a context.
 * *encmessagep becomes the data message, ready to send, which the caller must
 * free(). */
gcry_error_t otrl_proto_create_data(char **encmessagep, ConnContext *context,
	const char *msg, const OtrlTLV *tlvs, unsigned char flags);

/* Read the flags of a data message, which need not be readable otherwise. They
 * are not authenticated. */
gcry_error_t otrl_proto_data_read_flags(const char *datamsg,
	unsigned char *flagsp);

/* Decrypt a data message with the session of a context. *plaintextp becomes the
 * text, which the caller must free(); *tlvsp the chain of records behind it,
 * for otrl_tlv_free; *flagsp its flags (flagsp may be NULL). On an error the
 * session stays as it was. */
gcry_error_t otrl_proto_accept_data(char **plaintextp, OtrlTLV **tlvsp,
	ConnContext *context, const char *datamsg, unsigned char *flagsp);

/* Take a message that may be a fragment. With OTRL_FRAGMENT_COMPLETE,
 * *unfragmessagep becomes the whole message, which the caller must free(). A
 * message that is no fragment, or one out of order, drops those kept so far. */
OtrlFragmentResult otrl_proto_fragment_accumulate(char **unfragmessagep,
	ConnContext *context, const char *msg);

/* Cut a message into fragment_count fragments (1 to 65535) of at most mms
 * characters each, of which the header takes 19.
 * *fragments becomes an array of strings for otrl_proto_fragment_free. */
gcry_error_t otrl_proto_fragment_create(int mms, int fragment_count,
	char ***fragments, const char *message);

/* Free an array of that many fragments, and the fragments. */
void otrl_proto_fragment_free(char ***fragments, unsigned short arraylen);

#ifdef __cplusplus
}
#endif

#endif
