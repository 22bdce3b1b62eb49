/* audit - proves that JSON Lines and database are whole, agree, and that their sums add up. */
#ifndef MAILPROBE_AUDIT_H
#define MAILPROBE_AUDIT_H

#include "finding.h"

/* Reads all lines and the database as they are at one instant, beside whoever goes on writing, and
 * changes nothing. Runs that end meanwhile are left out. Of one customer, one scenario or (NULL)
 * of all. Memory grows with the runs of the last 35 days. */
void audit(const char *results_dir, const char *customer, const char *scenario,
	struct findings *findings);

/* Moves each line that is damaged or torn to <file>.damaged or <file>.torn, and says so. */
void audit_repair(const char *results_dir, const char *customer, const char *scenario,
	struct findings *findings);

#endif
