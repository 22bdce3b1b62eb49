/* courier - the jailed child that brings the events of one queue to their sink.
 *
 * Forked like a worker and confined like one. It sends them in order, one `sent` frame for each,
 * and ends after the first that has to be tried again.
 */
#ifndef MAILPROBE_COURIER_H
#define MAILPROBE_COURIER_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "clock.h"
#include "journey.h"
#include "sink.h"

struct courier_job {
	const struct journey *journey;
	const struct sink *sink;
	const json_t *rows; /* as of outbox_claim */
	struct deadline deadline;
	bool require_sandbox;
};

/* Does the job and ends the process. `fd` is the child's end of the frames' socket. */
__attribute__((noreturn)) void courier_run(const struct courier_job *job, int fd, pid_t parent);

/* What a request of the sink reads from files anyway, once for all that are forked later. */
void courier_preload(void);

#endif
