/* rebuild - state.db made anew from the JSON Lines. */
#ifndef MAILPROBE_REBUILD_H
#define MAILPROBE_REBUILD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "field.h"

struct rebuild_report {
	size_t runs;          /* in the lines */
	size_t mails;         /* that the lines tell of */
	size_t unreadable;    /* lines that are damaged or torn */
	int64_t carried;      /* mails that no line has, or an older state of, from the old database */
	int64_t carried_past; /* mails known by their number alone, from the old database */
	int64_t rules;        /* limits' memories, from the old database */
	bool had_old;
	bool old_unreadable;  /* nothing could be carried over */
	char aside[PATH_MAX]; /* where the old database is now; "" if there was none */
};

/* Makes ledger and history from the lines, carries over from the old database what no line has
 * (mails of runs that left no line, what limits remember), and puts the new one into its place
 * only when it is on disk; the old one is kept beside it. A kill at any point leaves the old or
 * the new one there. Fails with local.overlap while any run has the database open, with
 * local.storage otherwise; then nothing has changed. `facts` as in state_know_facts. */
int rebuild(const char *results_dir, const struct field *(*facts)(const char *step_type),
	struct rebuild_report *report_r, struct failure *why);

#endif
