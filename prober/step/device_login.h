/* device_login - what the worker of `mailprobe auth` does: a step like others, with jail, deadline
 * and record, but none that a scenario could have: it is not in step_types. */
#ifndef MAILPROBE_DEVICE_LOGIN_H
#define MAILPROBE_DEVICE_LOGIN_H

#include "step.h"

extern const struct step_type step_device_login;

#endif
