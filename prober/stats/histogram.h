/* histogram - many values in little room, of any size, which can be added up.
 *
 * A base-2 exponential histogram of scale 5, as OpenTelemetry has it: bucket i holds the values
 * above 2^(i/32) and up to 2^((i+1)/32). A value that is read off is the middle of its bucket, and
 * so at most 1.09 % off. Negative values have buckets of their own, and so has 0.
 */
#ifndef MAILPROBE_HISTOGRAM_H
#define MAILPROBE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct histogram_bucket {
	int32_t key; /* in the order of the values; 0 holds zeros */
	uint64_t n;
};

/* All zero: empty. */
struct histogram {
	struct histogram_bucket *buckets; /* none of which is empty, by key */
	size_t count, capacity;
	uint64_t n;
	double min, max; /* exact; if n > 0 */
};

/* A finite value. -1 if memory is out. */
int histogram_add(struct histogram *histogram, double value);

/* Adds all values of another one: in whatever order this is done, the sum is the same. -1 if
 * memory is out; part of them may have been added then. */
int histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The percentile by nearest rank (quantile.h) of n > 0 values; percent from 0 (the smallest) to 100
 * (the largest), both exact. */
double histogram_quantile(const struct histogram *histogram, unsigned int percent);

/* Makes it empty. */
void histogram_clear(struct histogram *histogram);

#endif
