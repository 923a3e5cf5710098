/* SMP as clients of libotr 3.2 run it: the library handles the numbers, and the client reads the records to know what to
 * tell the user. The output is as in driver.c for libotr 4's callback. */
#include "driver2.h"

enum { SMP_NONE, SMP_ERROR, SMP_ABORT, SMP_CHEATED, SMP_ASK_ANSWER, SMP_ASK_SECRET, SMP_PROGRESS, SMP_SUCCESS, SMP_FAILURE };

static void smp_event(ConnContext *c, int event, int percent, const char *question)
{
	printf("cb handle_smp_event %s/0 %d %d next=%d prog=%d asked=%d secret=%d ", c->username, event, percent,
			c->smstate->nextExpected, c->smstate->sm_prog_state, c->smstate->received_question,
			c->smstate->secret != NULL);
	hex(question);
	putchar('\n');
}

static void smp_break(User *u, ConnContext *c, int event)
{
	smp_event(c, event, 0, NULL);
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

static void smp_verdict(ConnContext *c)
{
	smp_event(c, c->smstate->sm_prog_state == OTRL_SMP_PROG_SUCCEEDED ? SMP_SUCCESS : SMP_FAILURE, 100, NULL);
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
		smp_event(c, SMP_ASK_ANSWER, 25, (char *) tlv->data);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP1, now, OTRL_SMP_EXPECT1)) {
		smp_event(c, SMP_ASK_SECRET, 25, NULL);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP2, now, OTRL_SMP_EXPECT2)) {
		smp_event(c, SMP_PROGRESS, 60, NULL);
		smp->nextExpected = OTRL_SMP_EXPECT4;
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP3, now, OTRL_SMP_EXPECT3)) {
		smp_verdict(c);
	}
	if (smp_record(u, c, tlvs, OTRL_TLV_SMP4, now, OTRL_SMP_EXPECT4)) {
		smp_verdict(c);
	}
	if (p_tlv_find(tlvs, OTRL_TLV_SMP_ABORT)) {
		smp_event(c, SMP_ABORT, 0, NULL);
		p_sm_state_free(smp);
	}
}
