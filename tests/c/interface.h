/* What world.c and the interface that it is compiled for share: libotr 4 (interface5.c) or 3.2 (../c2/interface2.c). */
#ifndef TESTS_C_INTERFACE_H
#define TESTS_C_INTERFACE_H

#include "world.h"

/* A line of the log, and the hook. opdata is a party or NULL. */
void note(void *opdata, ConnContext *context, const char *callback, const char *format, ...);
void on_add_app_data(void *data, ConnContext *context);

/* Sets the callbacks that only this interface has, and what they answer. */
void own_ways(Party *self);

/* Calls otrl_message_receiving. */
int call_receiving(Party *self, const char *from, const char *text, char **shown,
		OtrlTLV **tlvs, ConnContext **context);

#endif
