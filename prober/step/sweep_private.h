/* sweep_private - what the files of sweep share. */
#ifndef MAILPROBE_SWEEP_PRIVATE_H
#define MAILPROBE_SWEEP_PRIVATE_H

#include "sweep.h"

#include "dsn.h"
#include "token.h"

/* A message that says it is ours. */
struct candidate {
	uint32_t uid;
	uint32_t size;
	int64_t internal_date_ns;
	char token[160];
	char id[UUID_SIZE]; /* "": its token has not the form of one */
	struct dsn dsn; /* of one without a token of its own: what came back, if anything */
	bool settles; /* it is the first copy of a mail that is open */
	bool doomed;  /* to be deleted */
};

struct sweep {
	struct probe *probe;
	struct imap *imap;
	/* The place that is being looked at. */
	const struct sweep_place *place;
	const json_t *mark; /* of an earlier run; NULL: none */
	struct candidate *candidates;
	size_t count, room;
	int64_t found_ns; /* when the search had been answered */
	uint32_t end;     /* UIDs from here on were not looked at */
	/* All of them. */
	const struct sweep_place *selected;
	int64_t began_ns; /* 0: nothing had to be looked through */
	json_t *known;    /* records by id */
	json_t *changed;  /* those that are to be told to the ledger */
	size_t hops;      /* that were told of so far */
	unsigned int late_copies, filed_copies, leftovers, strangers;
};

/* Whether a mail may have come back to this place that is still open. */
bool sweep_expects_bounces(const struct sweep *sweep);

/* Reads those that have no token of their own, but quote one. */
int sweep_read_bounces(struct sweep *sweep, struct failure *why);

/* What one of them means for the mail that it quotes. */
void sweep_judge_bounce(struct sweep *sweep, const struct candidate *candidate, json_t *mail);

/* Whether this attempt sent the mail; one of the run's attempt before is open as those of earlier
 * runs are. */
bool sweep_is_own(const struct sweep *sweep, const json_t *mail);

/* Whether a token is that of a mail of ours. */
bool sweep_verifies(const struct sweep *sweep, const char *token, const json_t *mail);

/* Says of each candidate what it is, and of each mail what becomes of it. */
int sweep_judge(struct sweep *sweep, struct failure *why);

/* Tells the ledger, and returns when it has it. */
int sweep_report(struct sweep *sweep, struct failure *why);

/* Open mails that are looked for in this account, are over the horizon and were not there: lost. */
void sweep_lose(struct sweep *sweep, int64_t looked_ns);

#endif
