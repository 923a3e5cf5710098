/* The smallest chat client that uses libotr well. Two users, alice and bob, are in one process and write to each other over
 * a queue. They make their keys, start a session, talk, prove to each other with a question that there is no man in the middle,
 * and say goodbye. docs/clients-api.md explains each part.
 *
 *     cc minimal.c -o minimal $(pkg-config --cflags --libs libotr)
 *
 * Copy from it whatever you like. */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/instag.h>
#include <libotr/tlv.h>
#include <libotr/userstate.h>

#define PROTOCOL "queue"

/* A user of this program. One account each; with several, the callbacks would look at accountname and protocol. */
struct user {
    const char *name;
    OtrlUserState us;
    char keys[512], fingerprints[512], instags[512];	/* the paths of the three files */
    unsigned int poll_interval;		/* what timer_control asked for, in seconds; 0: nothing */
    otrl_instag_t asked_by;		/* whose question waits for an answer; 0: nobody's */
    int sessions, texts, succeeded, goodbyes;	/* what has happened, for the end of main */
};

static struct user alice = { .name = "alice" }, bob = { .name = "bob" };


/* ---- The network: a queue of messages --------------------------------------------------------------------------------- */

struct message {
    struct message *next;
    const struct user *sender;
    char *text;
};

static struct message *first_message, **last_message = &first_message;

static void network_send(const struct user *sender, const char *text)
{
    struct message *message = malloc(sizeof *message);
    if (message == NULL || (message->text = strdup(text)) == NULL) {
	fprintf(stderr, "out of memory\n");
	exit(1);
    }
    message->sender = sender;
    message->next = NULL;
    *last_message = message;
    last_message = &message->next;
}

static struct user *other(const struct user *user)
{
    return user == &alice ? &bob : &alice;
}


/* ---- The callbacks. opdata is the user that was given to the function that calls them ---------------------------------- */

static const OtrlMessageAppOps callbacks;

static OtrlPolicy policy(void *opdata, ConnContext *context)
{
    (void)opdata; (void)context;
    return OTRL_POLICY_DEFAULT;
}

/* This takes some milliseconds. A program that must not wait that long starts the key here, calculates it in a thread, and is
 * asked again: docs/clients-api.md says how. */
static void create_privkey(void *opdata, const char *accountname, const char *protocol)
{
    struct user *user = opdata;
    gcry_error_t err = otrl_privkey_generate(user->us, user->keys, accountname, protocol);
    if (err) printf("%s: no key: %s\n", user->name, gcry_strerror(err));
}

static void create_instag(void *opdata, const char *accountname, const char *protocol)
{
    struct user *user = opdata;
    gcry_error_t err = otrl_instag_generate(user->us, user->instags, accountname, protocol);
    if (err) printf("%s: no instance tag: %s\n", user->name, gcry_strerror(err));
}

static int is_logged_in(void *opdata, const char *accountname, const char *protocol, const char *recipient)
{
    (void)opdata; (void)accountname; (void)protocol; (void)recipient;
    return 1;
}

/* The library's own messages, and fragments. They go out as they are, and never through otrl_message_sending. */
static void inject_message(void *opdata, const char *accountname, const char *protocol, const char *recipient,
	const char *message)
{
    (void)accountname; (void)protocol; (void)recipient;
    network_send(opdata, message);
}

static int max_message_size(void *opdata, ConnContext *context)
{
    (void)opdata; (void)context;
    return 400;		/* about what IRC takes, so that there is something to cut */
}

static void new_fingerprint(void *opdata, OtrlUserState us, const char *accountname, const char *protocol,
	const char *username, unsigned char fingerprint[20])
{
    struct user *user = opdata;
    char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
    (void)us; (void)accountname; (void)protocol;
    otrl_privkey_hash_to_human(human, fingerprint);
    printf("%s: %s has a key that was not known: %s\n", user->name, username, human);
}

static void write_fingerprints(void *opdata)
{
    struct user *user = opdata;
    gcry_error_t err = otrl_privkey_write_fingerprints(user->us, user->fingerprints);
    if (err) printf("%s: the fingerprints were not written: %s\n", user->name, gcry_strerror(err));
}

static void gone_secure(void *opdata, ConnContext *context)
{
    struct user *user = opdata;
    user->sessions++;
    printf("%s: a session of version %u with %s, %s\n", user->name, context->protocol_version, context->username,
	    otrl_context_is_fingerprint_trusted(context->active_fingerprint) ? "verified" : "not verified");
}

/* Constant texts, so there is no otr_error_message_free. */
static const char *otr_error_message(void *opdata, ConnContext *context, OtrlErrorCode code)
{
    (void)opdata; (void)context;
    switch (code) {
    case OTRL_ERRCODE_ENCRYPTION_ERROR: return "A message to you could not be encrypted.";
    case OTRL_ERRCODE_MSG_NOT_IN_PRIVATE: return "Your encrypted message came, but there is no session to read it with.";
    case OTRL_ERRCODE_MSG_UNREADABLE: return "Your encrypted message could not be read.";
    case OTRL_ERRCODE_MSG_MALFORMED: return "Your message made no sense.";
    default: return NULL;
    }
}

static void handle_smp_event(void *opdata, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
    struct user *user = opdata;
    switch (event) {
    case OTRL_SMPEVENT_ASK_FOR_ANSWER:
    case OTRL_SMPEVENT_ASK_FOR_SECRET:
	/* The user answers later, from main. The context may be gone by then, so its tag is kept and not its address. */
	printf("%s: %s asks: %s\n", user->name, context->username, question ? question : "do we know the same secret?");
	user->asked_by = context->their_instance;
	break;
    case OTRL_SMPEVENT_IN_PROGRESS:
	printf("%s: %d %%\n", user->name, percent);
	break;
    case OTRL_SMPEVENT_SUCCESS:
	printf("%s: %s knows the same\n", user->name, context->username);
	user->succeeded++;
	break;
    case OTRL_SMPEVENT_FAILURE:
    case OTRL_SMPEVENT_ABORT:
	printf("%s: %s has not proved anything\n", user->name, context->username);
	break;
    case OTRL_SMPEVENT_CHEATED:
    case OTRL_SMPEVENT_ERROR:
	printf("%s: something is wrong with the proof of %s\n", user->name, context->username);
	otrl_message_abort_smp(user->us, &callbacks, user, context);
	break;
    default:
	break;
    }
}

/* Say all of them in words of your own. A user who sees nothing takes a message for sent or for safe. */
static void handle_msg_event(void *opdata, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t err)
{
    struct user *user = opdata;
    (void)context;
    switch (event) {
    case OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED:
	printf("%s sees, with a warning that it came unencrypted: %s\n", user->name, message);
	break;
    case OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR:
	printf("%s: the other side says: %s\n", user->name, message);
	break;
    case OTRL_MSGEVENT_SETUP_ERROR:
	printf("%s: no session: %s\n", user->name, err ? gcry_strerror(err) : "a message made no sense");
	break;
    case OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD:
    case OTRL_MSGEVENT_LOG_HEARTBEAT_SENT:
	break;
    default:
	printf("%s: event %d of messages\n", user->name, (int)event);
	break;
    }
}

static void timer_control(void *opdata, unsigned int interval)
{
    struct user *user = opdata;
    user->poll_interval = interval;
}

static const OtrlMessageAppOps callbacks = {
    .policy = policy,
    .create_privkey = create_privkey,
    .is_logged_in = is_logged_in,
    .inject_message = inject_message,
    .new_fingerprint = new_fingerprint,
    .write_fingerprints = write_fingerprints,
    .gone_secure = gone_secure,
    .max_message_size = max_message_size,
    .otr_error_message = otr_error_message,
    .handle_smp_event = handle_smp_event,
    .handle_msg_event = handle_msg_event,
    .create_instag = create_instag,
    .timer_control = timer_control
};


/* ---- What a client does with each message ------------------------------------------------------------------------------ */

static void user_types(struct user *user, const char *text)
{
    char *instead = NULL;
    gcry_error_t err;

    printf("%s writes: %s\n", user->name, text);
    err = otrl_message_sending(user->us, &callbacks, user, user->name, PROTOCOL, other(user)->name, OTRL_INSTAG_BEST, text,
	    NULL, &instead, OTRL_FRAGMENT_SEND_ALL_BUT_LAST, NULL, NULL, NULL);
    if (err) {
	printf("%s: not sent: %s\n", user->name, gcry_strerror(err));
    } else if (instead == NULL) {
	network_send(user, text);
    } else if (*instead) {
	network_send(user, instead);
    }
    otrl_message_free(instead);
}

static void message_came(struct user *user, const char *sender, const char *text)
{
    char *instead = NULL;
    OtrlTLV *tlvs = NULL;
    int is_internal = otrl_message_receiving(user->us, &callbacks, user, user->name, PROTOCOL, sender, text, &instead, &tlvs,
	    NULL, NULL, NULL);

    if (!is_internal) {
	printf("%s sees: %s\n", user->name, instead ? instead : text);
	user->texts++;
    }
    if (otrl_tlv_find(tlvs, OTRL_TLV_DISCONNECTED)) {
	printf("%s: %s has ended the session\n", user->name, sender);
	user->goodbyes++;
    }
    otrl_tlv_free(tlvs);
    otrl_message_free(instead);
}

/* What the main loop of a client does: deliver what has come, and poll when it is time. */
static void run(void)
{
    struct message *message;
    while ((message = first_message) != NULL) {
	if ((first_message = message->next) == NULL) last_message = &first_message;
	message_came(other(message->sender), message->sender->name, message->text);
	free(message->text);
	free(message);
    }
    /* Nobody waits 70 seconds here; to poll earlier does no harm. */
    if (alice.poll_interval) otrl_message_poll(alice.us, &callbacks, &alice);
    if (bob.poll_interval) otrl_message_poll(bob.us, &callbacks, &bob);
}

static void ask(struct user *user, const char *question, const char *answer)
{
    ConnContext *context = otrl_context_find(user->us, other(user)->name, user->name, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL,
	    NULL);
    if (context == NULL || context->msgstate != OTRL_MSGSTATE_ENCRYPTED) return;
    otrl_message_initiate_smp_q(user->us, &callbacks, user, context, question, (const unsigned char *)answer, strlen(answer));
}

static void answer(struct user *user, const char *text)
{
    ConnContext *context = otrl_context_find(user->us, other(user)->name, user->name, PROTOCOL, user->asked_by, 0, NULL, NULL,
	    NULL);
    if (context == NULL || context->msgstate != OTRL_MSGSTATE_ENCRYPTED) return;
    otrl_message_respond_smp(user->us, &callbacks, user, context, (const unsigned char *)text, strlen(text));
}


/* ---- Beginning and end ------------------------------------------------------------------------------------------------- */

/* That a file is not there is fine, the first time. Any other error must be shown: what is in the file would be missed. */
static void complain(const struct user *user, const char *path, gcry_error_t err)
{
    if (err && gcry_err_code(err) != gcry_err_code(gcry_error_from_errno(ENOENT))) {
	fprintf(stderr, "%s: %s cannot be read: %s\n", user->name, path, gcry_strerror(err));
	exit(1);
    }
}

static void log_in(struct user *user, const char *directory)
{
    snprintf(user->keys, sizeof user->keys, "%s/%s.keys", directory, user->name);
    snprintf(user->fingerprints, sizeof user->fingerprints, "%s/%s.fingerprints", directory, user->name);
    snprintf(user->instags, sizeof user->instags, "%s/%s.instags", directory, user->name);
    if ((user->us = otrl_userstate_create()) == NULL) {
	fprintf(stderr, "out of memory\n");
	exit(1);
    }
    complain(user, user->keys, otrl_privkey_read(user->us, user->keys));
    complain(user, user->instags, otrl_instag_read(user->us, user->instags));
    complain(user, user->fingerprints, otrl_privkey_read_fingerprints(user->us, user->fingerprints, NULL, NULL));
}

static void log_out(struct user *user)
{
    otrl_message_disconnect_all_instances(user->us, &callbacks, user, user->name, PROTOCOL, other(user)->name);
    run();
}

static void forget(struct user *user)
{
    otrl_userstate_free(user->us);
    unlink(user->keys);
    unlink(user->fingerprints);
    unlink(user->instags);
}

int main(void)
{
    char directory[] = "/tmp/minimal-XXXXXX";
    int is_good;

    OTRL_INIT;
    printf("libotr %s\n", otrl_version());
    if (mkdtemp(directory) == NULL) {
	perror(directory);
	return 1;
    }
    log_in(&alice, directory);
    log_in(&bob, directory);

    /* Both sides can speak OTR, and say so by a tag behind their first text: a session comes about by itself. */
    user_types(&alice, "Hello, this anybody can read.");
    run();
    user_types(&alice, "And this nobody but you.");
    run();
    user_types(&bob, "So I see.");
    run();

    ask(&alice, "Where did we meet?", "in Turin");
    run();
    answer(&bob, "in Turin");
    run();

    log_out(&alice);
    /* Bob's side is finished now: what he types is held back until he ends the session as well, or starts a new one. */
    user_types(&bob, "Are you still there?");
    log_out(&bob);

    is_good = alice.sessions == 1 && bob.sessions == 1 && alice.succeeded == 1 && bob.succeeded == 1
	&& alice.texts == 1 && bob.texts == 2 && bob.goodbyes == 1;
    forget(&alice);
    forget(&bob);
    rmdir(directory);
    return is_good ? 0 : 1;
}
