/* probe - one execution of one step: its deadline, clock, evidence, and its chain's mails.
 *
 * Handed to the step type's functions; filled by them with facts; turned into the step's record
 * by the conductor (chain.h).
 */
#ifndef MAILPROBE_PROBE_H
#define MAILPROBE_PROBE_H

#include <stdbool.h>

#include <jansson.h>

#include "clock.h"
#include "failure.h"
#include "journey.h"
#include "probe_mail.h"
#include "sasl.h"
#include "stream.h"
#include "tcp.h"
#include "timings.h"

#define PROBE_RECALL_MAX 64

/* The way to whoever keeps the account of mails and shows progress (the supervisor; a recorder
 * in tests). Called from the chain's thread. */
struct probe_link {
	/* A mail is about to get its final dot: 0 when the ledger is synced, otherwise the mail
	 * must not be sent (local.storage). */
	int (*intent)(void *context, const json_t *mail, struct failure *why);
	/* A new access token, with what else has to be kept (frame.h): 0 when it is on disk,
	 * otherwise local.storage. Takes the reference. NULL: tokens are not kept. */
	int (*token)(void *context, json_t *token, struct failure *why);
	/* A mail's state changed: its record as it is now. */
	void (*state)(void *context, const json_t *mail);
	/* What the ledger knows of these mails (a JSON array of ids, at most PROBE_RECALL_MAX): a
	 * new array of their records, those of this scenario alone, or NULL. */
	json_t *(*recall)(void *context, json_t *ids, struct failure *why);
	/* The fate of mails, this run's or earlier ones' (a JSON array of records): 0 when the
	 * ledger is synced. Only then may a mail be deleted that is the proof of it. */
	int (*settle)(void *context, const json_t *mails, struct failure *why);
	/* A step began a phase; `note` says what it waits for, or NULL. */
	void (*progress)(void *context, const char *step, const char *phase, const char *note);
	/* A step has ended: its record (record_step and the type's facts). */
	void (*finished)(void *context, const json_t *step);
	void *context;
};

/* What the run's steps share, read-only while they run. */
struct probe_run {
	const struct journey *journey;
	const char *run_id;
	const char *vantage;
	struct clock_origin origin; /* start of the run */
	struct deadline deadline;   /* end of the run */
	const struct mail_key *key; /* signs tokens */
	struct trust *trust;        /* certificate store by account settings */
	const struct probe_link *link;
	const char *tokens_dir;   /* where tokens of earlier runs are; NULL: nowhere */
	const json_t *slow; /* metric -> seconds: what is slow (evidence.h); may be NULL */
	const json_t *open_mails; /* those of earlier runs that are not settled; may be NULL */
	const json_t *marks;      /* how far mailboxes were looked through (ledger_marks) */
	bool has_past;            /* there were runs of this scenario before */
};

struct probe {
	const struct probe_run *run;
	const struct step *step;
	const struct account *account; /* the one it acts for, or NULL */
	const struct account *connection; /* that one, or the scenario's own settings: never NULL */
	const char *password;          /* of that account, or NULL */
	const char *signing_key;       /* of the step's `dkim`, or NULL */
	struct dns *dns;               /* resolver channel by `connection` */
	struct deadline deadline;      /* of this step, never after the run's */
	struct timings timings;
	struct access_token *token_source; /* in place of a password, or NULL */
	const char *token;                 /* from there */
	int64_t token_wait_ns; /* until an access token was there, before the first phase */
	struct transcript transcript;
	json_t *facts;        /* the step's record so far */
	const struct probe *sender; /* of the step whose mail this one is about, or NULL */
	struct probe_mail **mails; /* by the journey's step order; NULL entries: not sent */
	void *state; /* the step type's own, between prepare, run and finish */
	bool put_off; /* run has left something for `after` */
	bool warned; /* proved its claim, but a stated expectation failed */
	struct failure warning;
	const char *warned_in; /* the phase that it was found in */
	const char *failed_in; /* that of the failure, if it is not the last one; or NULL */
};

/* The sentence that proves the pass (record: proof). */
void probe_prove(struct probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Makes the outcome `warn`; the first warning wins. */
void probe_warn(struct probe *probe, enum error_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says what is being waited for, for people. */
void probe_note(struct probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Opens a stream to the endpoint by the account's settings, and puts what is known of the peer
 * into the facts. The stream's phases are the probe's. */
struct stream *probe_connect(struct probe *probe, const struct endpoint *endpoint,
	struct failure *why);

/* Puts what TLS told into the facts, where it began after the connection did. */
void probe_tls_facts(struct probe *probe, const struct peer_facts *peer);

/* The same on other terms than the account's; the address may be NULL. What is known of the peer
 * goes to peer_r instead of the facts. */
struct stream *probe_connect_to(struct probe *probe, const struct endpoint *endpoint,
	const struct address *address, const struct tls_settings *tls,
	struct peer_facts *peer_r, struct failure *why);

/* Puts into an object what is known of the peer. */
void probe_describe_peer(json_t *facts, const struct peer_facts *peer);

/* The account as it logs in at that endpoint. */
struct sasl_identity probe_identity(const struct probe *probe, const struct endpoint *endpoint);

/* How it logged in, if it got that far (record: auth_mechanism). */
void probe_auth_fact(struct probe *probe, const char *mechanism);

/* Facts of the connection's end (round trip time, retransmits); call before closing. */
void probe_peer_facts(struct probe *probe, struct stream *stream);

/* The mail that the step of that id sent in this chain, or NULL. */
struct probe_mail *probe_mail_of(struct probe *probe, const char *step_id);

/* The mail that this step sends; the chain keeps it from now on. */
void probe_keep_mail(struct probe *probe, struct probe_mail *mail);

/* How long a mail was deferred until it was accepted, in nanoseconds; 0 if it was not. */
int64_t probe_mail_deferred(const struct probe_run *run, const struct probe_mail *mail);

/* The mail's record (record_mail) as it is now; a new reference. */
json_t *probe_mail_record(const struct probe_run *run, const struct probe_mail *mail);

/* Tells the supervisor what has become of the mail. */
void probe_mail_moved(struct probe *probe, struct probe_mail *mail, const char *state);

/* The same, and returns only when the ledger is synced: before the proof is deleted. That wait is
 * in no phase. Fails with local.storage. */
int probe_mail_settled(
	struct probe *probe, struct probe_mail *mail, const char *state, struct failure *why);

/* A wait of our own for the ledger, outside of every phase (fact: ledger_wait_seconds): they add
 * up. */
void probe_waited_for_ledger(struct probe *probe, int64_t waited_ns);

/* Sets a timestamp fact from a monotonic instant. */
void probe_set_time(struct probe *probe, const char *name, int64_t monotonic_ns);

#endif
