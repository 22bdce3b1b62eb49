/* quantile - percentiles of what was measured, some of it only known to be "at least so much".
 *
 * By nearest rank: the p-th percentile of n values is the one at rank ceil(p/100 * n), so that
 * it is always a value that was measured. A censored value counts as its bound. If one is among
 * the values up to that rank, the percentile is a lower bound itself: the true value of the
 * censored one may lie above.
 */
#ifndef MAILPROBE_QUANTILE_H
#define MAILPROBE_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>

struct observation {
	double value;
	bool censored;
};

struct quantile {
	double value;
	bool at_least; /* a lower bound */
};

/* Of n > 0 values, which it reorders; percent from 0 (the smallest) to 100 (the largest). Linear
 * in n. */
struct quantile quantile(struct observation *values, size_t n, unsigned int percent);

/* The value at a rank from 1 to n: a percentile's bound (percentile.h). Linear in n. */
struct quantile quantile_ranked(struct observation *values, size_t n, size_t rank);

/* How many values a percentile takes to mean anything: p50 5, p95 20, p99 100; 1 for 0 and 100. */
size_t quantile_needs(unsigned int percent);

#endif
