/* percentile - between which of the measured values a true percentile lies, whatever the
 * distribution.
 *
 * The number of values at or below the true p-th percentile follows the binomial distribution, so
 * that two of the n values in ascending order enclose it with a probability that is known.
 */
#ifndef MAILPROBE_PERCENTILE_H
#define MAILPROBE_PERCENTILE_H

#include <stddef.h>

/* Ranks from 1; 0 where n is too small for a bound on that side. */
struct percentile_interval {
	size_t low, high;
};

/* The narrowest ranks that leave at most (1 - level) / 2 outside on either side; 0 < percent <
 * 100. Time grows with the square root of n. */
struct percentile_interval percentile_interval(size_t n, unsigned int percent, double level);

/* The probability that the percentile lies between the values of two ranks, 0 < low < high. */
double percentile_coverage(size_t n, unsigned int percent, size_t low, size_t high);

#endif
