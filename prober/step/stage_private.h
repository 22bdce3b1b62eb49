/* stage_private - what setting a stage and playing on it share. */
#ifndef MAILPROBE_STAGE_PRIVATE_H
#define MAILPROBE_STAGE_PRIVATE_H

#include "failure.h"
#include "machine.h"
#include "probe.h"
#include "stage.h"

/* What is read once for an account, whatever the number of its steps. */
struct credentials {
	char *password;
	struct access_token *token; /* in place of it, or NULL */
	struct failure failed; /* why there is none, or why its TLS settings cannot be used */
};

/* One step on the stage. */
struct part {
	struct stage *stage;
	struct probe probe;
	struct failure setup; /* it cannot even begin */
	struct failure why;
	struct failure seen; /* what it was before it was put down to the vantage */
	enum error_type unfit; /* why its timings are not to be trusted; ERROR_NONE: they are */
	bool chosen;
	bool begun;
	int result;
	const char *obstacle; /* why it was skipped, or NULL */
	char *password; /* the step's own, or NULL */
	char *signing_key; /* the same */
	size_t chain; /* index of the first part of its chain */
	int64_t began_ns;
	int64_t cpu_began_ns; /* of this turn */
	int64_t cpu_ns;       /* of its turns so far */
	json_t *record;
};

struct stage {
	const struct probe_run *run;
	struct machine machine;
	struct folder_grant grant;
	struct part *parts;
	size_t count;
	struct credentials *credentials; /* by account; that of nobody last */
	struct probe_mail **mails;
};

/* Zeroed memory; ends the process if there is none, before the first packet, with nothing to lose:
 * the supervisor reports the crash. */
void *stage_allocate(size_t count, size_t size);

#endif
