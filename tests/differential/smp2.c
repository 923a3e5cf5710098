/* SMP as clients of libotr 3.2 run it: the library handles the numbers, and the client reads the records to know what to
 * tell the user. The output is as in callbacks5.c for libotr 4's callback. */
#include "driver.h"

enum { SMP_NONE, SMP_ERROR, SMP_ABORT, SMP_CHEATED, SMP_ASK_ANSWER, SMP_ASK_SECRET, SMP_PROGRESS, SMP_SUCCESS, SMP_FAILURE };

static void smp_break(User *u, ConnContext *c, int event)
{
	say_smp_event(u, c, event, 0, NULL);
	p_message_abort_smp(u->us, &u->ops, u, c);
	p_sm_state_free(c->smstate);
}

/* The record of this type, if there is one and it may come now. */
static OtrlTLV *smp_record(User *u, ConnContext *c, OtrlTLV *tlvs, unsigned short type, NextExpectedSMP now,
		NextExpectedSMP wanted)
{
	OtrlTLV *tlv = p_tlv_find(tlvs, type);

	if (tlv && now != wanted) {
		smp_break(u, c, SMP_ERROR);
		return NULL;
	}
	return tlv;
}

static void smp_verdict(User *u, ConnContext *c)
{
	say_smp_event(u, c, c->smstate->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED ? SMP_SUCCESS : SMP_FAILURE, 100, NULL);
	p_sm_state_free(c->smstate);
}

void step_smp(User *u, ConnContext *c, OtrlTLV *tlvs)
{
	OtrlSMState *smp = c->smstate;
	NextExpectedSMP now = smp->nextExpected;
	OtrlTLV *tlv;

	if (smp->sm_prog_state == OTRL_SMP_PROG_CHEATED) {
		smp_break(u, c, SMP_CHEATED);
		smp->nextExpected = OTRL_SMP_EXPECT1;
		smp->sm_prog_state = OTRL_SMP_PROG_OK;
		return;
	}
	tlv = smp_record(u, c, tlvs, OTRL_TLV_SMP1Q, now, OTRL_SMP_EXPECT1);
	if (tlv) {
		say_smp_event(u, c, SMP_ASK_ANSWER, 25, (char *) tlv->data);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP1, now, OTRL_SMP_EXPECT1)) {
		say_smp_event(u, c, SMP_ASK_SECRET, 25, NULL);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP2, now, OTRL_SMP_EXPECT2)) {
		say_smp_event(u, c, SMP_PROGRESS, 60, NULL);
		smp->nextExpected = OTRL_SMP_EXPECT4;
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP3, now, OTRL_SMP_EXPECT3)) {
		smp_verdict(u, c);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP4, now, OTRL_SMP_EXPECT4)) {
		smp_verdict(u, c);
	}
	if (p_tlv_find(tlvs, OTRL_TLV_SMP_ABORT)) {
		say_smp_event(u, c, SMP_ABORT, 0, NULL);
		p_sm_state_free(smp);
	}
}
