/* worker - one jailed process per scenario run, and what the supervisor knows of it.
 *
 * The supervisor's side. A worker is forked (no exec) from the single-threaded supervisor; they
 * talk in frames (frame.h) over a socket pair. The supervisor never parses a byte that came from
 * a server: what a worker says is checked against the field tables.
 */
#ifndef MAILPROBE_WORKER_H
#define MAILPROBE_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "clock.h"
#include "failure.h"
#include "journey.h"
#include "probe_mail.h"

struct worker_job {
	const struct journey *journey;
	const char *const *only; /* step ids, NULL at the end; or NULL for all */
	const char *run_id;
	const char *vantage;
	struct clock_origin origin;
	struct deadline deadline;
	const struct mail_key *key;
	const char *tokens_dir;   /* of the customer; may be NULL */
	/* Keeps a token (frame.h), whatever becomes of the worker: 0 when it is on disk. It is in no
	 * account and no record. May be NULL. */
	int (*keep_token)(void *context, const json_t *token, struct failure *why);
	void *token_context;
	const json_t *slow; /* metric -> seconds: what is slow (evidence.h); may be NULL */
	const json_t *open_mails; /* of earlier runs; may be NULL */
	const json_t *marks;      /* of mailboxes (ledger_marks); may be NULL */
	bool has_past;            /* there were runs of this scenario before */
	bool require_sandbox;
	unsigned int jail_without; /* for tests: parts (jail.h) to leave out */
};

/* A worker ends by itself at its deadline; this much later it is killed. */
#define WORKER_GRACE (500 * NS_PER_MS)

struct worker;

/* What the worker reports; called by worker_receive. */
struct worker_listener {
	/* Sync the mail to the ledger; 0 sends the ack, -1 a refusal with the failure. */
	int (*intent)(void *context, const json_t *mail, struct failure *why);
	void (*state)(void *context, const json_t *mail);
	/* What the ledger knows of these ids: a new array of records, or NULL with the failure. */
	json_t *(*recall)(void *context, const json_t *ids, struct failure *why);
	/* Sync the fate of mails, of this run or earlier ones; as intent. */
	int (*settle)(void *context, const json_t *mails, struct failure *why);
	void (*progress)(void *context, const char *step, const char *phase, const char *note);
	/* A step has ended: its record. May be NULL. */
	void (*finished)(void *context, const json_t *step);
	void *context;
};

/* Forks. Fails with local.resource. */
struct worker *worker_start(const struct worker_job *job, struct failure *why);

/* For poll(2): the frames' socket, and the process (pidfd; readable once it has ended). */
int worker_fd(const struct worker *worker);
int worker_pidfd(const struct worker *worker);

/* Takes in what has come, without blocking and no more than a megabyte; calls the listener. False
 * once the worker has given its result, closed its end or broken the protocol: then call
 * worker_end. */
bool worker_receive(struct worker *worker, const struct worker_listener *listener);

/* True once the run's deadline and its grace are over: then call worker_end. */
bool worker_overdue(const struct worker *worker);
/* Milliseconds until worker_overdue, for poll(2). */
int worker_left_ms(const struct worker *worker);

/* Kills the worker if it still runs (its whole process group), reaps it, and gives its account:
 * an object with `steps`, `mails`, `sandbox`, `sandbox_missing`, `worker_max_rss_bytes`,
 * `worker_cpu_seconds`, `vantage_state` of one that gave its result, and, if it did not
 * end by itself, `worker_fault`; complete whatever
 * happened (of a worker that crashed, was killed or overran: what it had proved so far, and
 * `error` records with worker.crash, worker.stuck or worker.protocol for the steps it was in, or
 * the next one if it was in none; `skipped` for those not begun). A mail of which only the
 * intent is known is `unknown`. What the listener did not hear of yet is in the account, too.
 * `interrupted` says that it is ended because mailprobe itself is. Takes a second at most.
 * A new reference; frees the worker and nulls it. */
json_t *worker_end(struct worker **worker, bool interrupted);

#endif
