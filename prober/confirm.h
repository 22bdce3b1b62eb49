/* confirm - what has failed is tried once more before anybody is told (confirm retry).
 *
 * A single mail that is lost, or a connection that breaks, is the weather; what fails again half a
 * minute later is an incident. So the chains of steps in which a step failed are played again, by
 * another worker, within the run's time. Its steps are then the run's; those of the first attempt,
 * and its mails, stay in the record.
 */
#ifndef MAILPROBE_CONFIRM_H
#define MAILPROBE_CONFIRM_H

#include <stdbool.h>

#include <jansson.h>

#include "clock.h"
#include "journey.h"

struct confirm {
	json_t *first;        /* account of the first attempt (worker.h); NULL: there is none */
	const char **ids;     /* steps of the second, NULL at the end */
	struct deadline when; /* it is to begin */
};

/* After the first attempt: true if there is to be a second one, which then holds a reference to
 * the account. False if nothing failed, if a failure is final (a login or a mail that must not be
 * repeated), or if another attempt of the same length would not end before the run's deadline: of a
 * failed run, `not_retried` in the account then says why. */
bool confirm_plan(struct confirm *confirm, const struct journey *journey, json_t *account,
	struct clock_origin origin, struct deadline deadline);

/* A second attempt is planned and not yet ended. */
bool confirm_is_planned(const struct confirm *confirm);

/* Fates of mails that the second attempt found out: those of the first one's mails are noted. */
void confirm_settle(struct confirm *confirm, const json_t *mails);

/* Both attempts as one account, a new reference; takes the reference to the second, which may be NULL
 * if it never was. A chain that the second could not judge stays as it was. Frees the rest. */
json_t *confirm_unite(struct confirm *confirm, const struct journey *journey, json_t *second);

void confirm_free(struct confirm *confirm);

#endif
