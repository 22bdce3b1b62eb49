/* backtest - the events that there would have been: stored results against other limits.
 *
 * Each result that lies in the folder is judged once more, in the order of the runs, as it was after
 * its run, by a history of its own. Nothing that is stored is changed, nobody is told.
 */
#ifndef MAILPROBE_BACKTEST_H
#define MAILPROBE_BACKTEST_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "scenario.h"

struct backtest_order {
	const char *results_dir;
	struct scenario *const *scenarios;
	size_t count;
	int64_t from_ns, to_ns; /* wall clock: events at or after, and before */
};

struct backtest_report {
	size_t runs;               /* that were judged, those before from_ns included */
	size_t scenarios;          /* that have any results */
	size_t unreadable;         /* lines that are damaged or torn */
	int64_t first_ns, last_ns; /* ends of the first and the last of these runs; 0: none */
};

/* Calls back for each event record, customer by customer, in the order of their times. Since limits
 * look back, results of the HISTORY_DAYS before from_ns are judged, too, and their events kept to
 * itself. Memory does not grow with the number of results. Fails with local.storage. */
int backtest(const struct backtest_order *order,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct backtest_report *report_r, struct failure *why);

#endif
