/* keep - how long results and history are kept: the settings, and what is too short. */
#ifndef MAILPROBE_KEEP_H
#define MAILPROBE_KEEP_H

#include "draft.h"
#include "field.h"

extern const struct field keep_fields[];

void keep_check(const struct draft *draft);

#endif
