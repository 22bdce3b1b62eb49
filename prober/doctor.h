/* doctor - examines what a run depends on: this machine, the secrets, and the servers as they are
 * seen from here. What the results prove of themselves is examined by audit.h. */
#ifndef MAILPROBE_DOCTOR_H
#define MAILPROBE_DOCTOR_H

#include <stdbool.h>

#include "finding.h"
#include "scenario.h"

/* The clock, and the folder of the results: whose it is, who may write to it, and its room. */
void doctor_machine(const char *results_dir, struct findings *findings);

/* Events that their sinks did not take, or have not taken for long. */
void doctor_outbox(const char *results_dir, struct findings *findings);

/* The scenario's secrets and, unless `offline`, its servers: name, port, greeting, TLS, and the
 * login. In a jailed worker, within 30 s. Sends no mail, changes no mailbox. */
void doctor_scenario(const struct scenario *scenario, bool offline, struct findings *findings);

#endif
