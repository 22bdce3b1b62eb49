/* check - what a monitoring plugin answers of a scenario, from the stored state alone.
 *
 * Nothing is probed: a cron job runs, and this says what its newest results mean. What is too old
 * is never OK.
 */
#ifndef MAILPROBE_CHECK_H
#define MAILPROBE_CHECK_H

#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* Exit codes of a plugin, as Nagios, Icinga, Checkmk and Monit read them. */
enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

struct check_order {
	const char *customer, *scenario;
	const char *vantage; /* NULL: all, and the gravest of them counts */
	int64_t max_age_ns;  /* a newer run must have started; 0: as pace.h has it */
	enum check_status stale; /* what a scenario is whose runs are too old */
	enum check_status fail;  /* what a failed run is that no open event stands for */
};

struct check_answer {
	enum check_status status;
	char sentence[512];
	json_t *values; /* metric: seconds, of the newest run; owned */
};

/* Answers as of now_ns, on the wall clock. Fails with local.storage: then nothing is known. Call
 * check_answer_free in any case. */
int check_state(struct state *state, const struct check_order *order, int64_t now_ns,
	struct check_answer *answer_r, struct failure *why);
void check_answer_free(struct check_answer *answer);

#endif
