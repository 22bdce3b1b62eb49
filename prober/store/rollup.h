/* rollup - what is kept of many runs together: their counts, and a histogram of each metric.
 *
 * Of an hour, a day, or any other time: roll-ups add up, and in whatever order they are added, the
 * sum is the same. Runs that were made in maintenance are counted, and nothing else is kept of
 * them.
 */
#ifndef MAILPROBE_ROLLUP_H
#define MAILPROBE_ROLLUP_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "histogram.h"
#include "history.h"

#define ROLLUP_OUTCOMES 5

struct rollup_metric {
	uint32_t id;             /* names by history_names */
	struct histogram values; /* a censored one as its bound */
	double sum;              /* of all of them */
	uint64_t censored;
	double least_bound; /* of the censored ones; if there are any */
};

#define ROLLUP_NO_METRIC UINT32_MAX

/* All zero: of no run. */
struct rollup {
	uint32_t only;                      /* takes in this metric alone; 0: all of them */
	uint64_t outcomes[ROLLUP_OUTCOMES]; /* runs, by enum outcome */
	uint64_t maintenance;
	json_t *error_types; /* how many failed runs and errors each of them decided; NULL: none */
	struct rollup_metric *metrics; /* by id */
	size_t metric_count, metric_capacity;
};

/* How many runs are in it, those in maintenance too. */
uint64_t rollup_runs(const struct rollup *rollup);

/* Whether a censored value may lie at or below that rank, from 1 to n. */
bool rollup_at_least(const struct rollup_metric *metric, uint64_t rank);

/* NULL if it has no value of that metric. */
const struct rollup_metric *rollup_find(const struct rollup *rollup, uint32_t metric);

/* Adds a run to the counts alone. */
void rollup_count_run(struct rollup *rollup, const struct history_row *row);

/* Adds a run with its samples. -1 if memory is out; part of it may have been added then. */
int rollup_add_run(struct rollup *rollup, const struct history_row *row);

/* As bytes, which are the caller's to free; NULL if memory is out. docs/formats.md has the form. */
unsigned char *rollup_pack(const struct rollup *rollup, size_t *size_r);

/* Adds what was packed. -1 if memory is out, or if these are no such bytes (*damaged_r). */
int rollup_add_packed(
	struct rollup *rollup, const unsigned char *bytes, size_t size, bool *damaged_r);

void rollup_free(struct rollup *rollup);

#endif
