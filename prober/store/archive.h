/* archive - all results that lie in a folder as JSON Lines: whose they are, and of which days. */
#ifndef MAILPROBE_ARCHIVE_H
#define MAILPROBE_ARCHIVE_H

#include <limits.h>
#include <stddef.h>

#include "failure.h"

#define ARCHIVE_DAY_SIZE 11 /* "2026-01-31" */

/* One scenario of one customer, and the days that it has a file of, oldest first. */
struct archive_series {
	const char *results_dir, *customer, *scenario;
	char (*days)[ARCHIVE_DAY_SIZE];
	size_t day_count;
};

/* Calls back for each scenario that has a folder, by name; of one customer or one scenario alone
 * if they are given (else NULL). Stops at the first call that returns -1, and returns that. A
 * folder without any is none; one that cannot be read is local.storage. */
int archive_walk(const char *results_dir, const char *customer, const char *scenario,
	int (*each)(void *context, const struct archive_series *series, struct failure *why),
	void *context, struct failure *why);

/* The path of the file of one day. */
void archive_path(const struct archive_series *series, const char *day, char path[static PATH_MAX]);

/* Copies the day of "2026-01-31T10:00:00Z" or "2026-01-31.jsonl"; -1 if that is none. */
int archive_day(const char *text, char day[static ARCHIVE_DAY_SIZE]);

#endif
