/* await - what all steps that wait for a mail have in common: until when, and what is said of a
 * mail that came, or did not. */
#ifndef MAILPROBE_AWAIT_H
#define MAILPROBE_AWAIT_H

#include "probe.h"

struct await {
	struct deadline until; /* `within` is over, or the run nearly is */
	bool cut_short;        /* it is the run that ends first */
};

/* The step waits for the mail from now on (phase `wait`). Sets the step's deadline: what a look
 * may take comes on top of `within`. */
struct await await_begin(struct probe *probe, struct probe_mail *mail);

/* The mail was not there when it was last looked for, at absent_ns. Always fails: mail.bounced if it
 * has come back to its sender, otherwise mail.late, or
 * limit.time (blame: config) if the wait was cut short. `where` completes "had not arrived in". */
int await_missing(struct probe *probe, struct probe_mail *mail, const struct await *await,
	int64_t absent_ns, const char *where, struct failure *why);

/* What the mail's record says of its delivery goes into the step's facts. */
void await_keep_facts(struct probe *probe, const struct probe_mail *mail);

/* Always fails, with mail.altered; `changed` is the part that was (probe_mail_changed). */
int await_altered(const struct probe_mail *mail, const char *changed, struct failure *why);

/* Warns of further copies, if there were any. */
void await_warn_duplicates(struct probe *probe, const struct probe_mail *mail);

#endif
