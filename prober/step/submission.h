/* submission - the way into an account's submission server, up to where a mail could be sent. */
#ifndef MAILPROBE_SUBMISSION_H
#define MAILPROBE_SUBMISSION_H

#include <stdbool.h>

#include "probe.h"
#include "smtp.h"

/* EHLO, STARTTLS by the account's policy (a stripped one ends it before anything secret), and AUTH
 * if `login`. */
int submission_enter(struct probe *probe, struct smtp *smtp, bool login, struct peer_facts *peer,
	struct failure *why);

#endif
