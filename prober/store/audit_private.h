/* audit_private - what the files of the audit share. */
#ifndef MAILPROBE_AUDIT_PRIVATE_H
#define MAILPROBE_AUDIT_PRIVATE_H

#include <stdint.h>

#include "finding.h"
#include "state.h"

#define REBUILD_ADVICE "mailprobe rebuild makes the database anew from the lines"

struct audit {
	const char *results_dir, *customer, *scenario;
	struct findings *findings;
	struct state *state; /* NULL: there is none, or it cannot be opened */
	int64_t now_ns;      /* of what is read from the database */
	size_t files, lines, damaged, torn;
};

/* The database by itself: integrity, sums, states. */
void audit_database(struct audit *audit);

/* What the lines tell against what the database has; the lines are in temporary tables. */
int audit_prepare(struct audit *audit, struct failure *why);
void audit_compare(struct audit *audit);

#endif
