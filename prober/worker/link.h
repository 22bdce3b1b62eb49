/* link - the worker's end of the frames: what the stage reports goes out here, redacted.
 *
 * Used by all chains at once. Nobody's phase waits for another's intent, and progress is dropped
 * rather than waited for.
 */
#ifndef MAILPROBE_LINK_H
#define MAILPROBE_LINK_H

#include <pthread.h>

#include "frame.h"
#include "probe.h"
#include "worker.h"

/* What was last said of a step; touched only by the step's own thread. */
struct link_said {
	char phase[32];
	int64_t at_ns;
};

struct link {
	const struct worker_job *job;
	int fd;
	struct deadline deadline; /* of any frame */
	pthread_mutex_t writing;
	pthread_mutex_t asking; /* one intent at a time */
	bool deaf;              /* an answer is missing: the next would be mistaken for it */
	struct frame_reader answers;
	struct link_said *said; /* by the journey's step order */
};

/* Ends the process if there is no memory. */
void link_open(struct link *link, const struct worker_job *job, int fd);

/* What a stage reports to. */
struct probe_link link_for_stage(struct link *link);

/* Both take the reference of the body, and end the process if the supervisor is gone. */
void link_send(struct link *link, enum frame_type type, json_t *body);
/* Without transcripts if it is too large with them. */
void link_send_result(struct link *link, json_t *steps, json_t *mails, json_t *vantage_state);

#endif
