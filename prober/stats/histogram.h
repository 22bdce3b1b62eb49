/* histogram - many values in little room, of any size, which can be added up.
 *
 * A base-2 exponential histogram of scale 5, as OpenTelemetry has it: bucket i holds the values
 * above 2^(i/32) and up to 2^((i+1)/32). A value that is read off is the middle of its bucket, and
 * so at most 1.083 % off. Negative values have buckets of their own, and so has 0.
 */
#ifndef MAILPROBE_HISTOGRAM_H
#define MAILPROBE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that a value which is read off may be off, as a share of it: (2^(1/32) - 1) / (2^(1/32) + 1). */
#define HISTOGRAM_ERROR 0.01083

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

/* A finite value, n > 0 times. -1 if memory is out. */
int histogram_add(struct histogram *histogram, double value, uint64_t n);

/* To put a histogram together that was stored: n > 0 values of one bucket, for each of its buckets;
 * then how many they are in all, from the smallest to the largest. -1 if memory is out. */
int histogram_add_bucket(struct histogram *histogram, int32_t key, uint64_t n);
void histogram_widen(struct histogram *histogram, double min, double max, uint64_t n);

/* Adds all values of another one: in whatever order this is done, the sum is the same. -1 if
 * memory is out; part of them may have been added then. */
int histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The percentile by nearest rank (quantile.h) of n > 0 values; percent from 0 (the smallest) to 100
 * (the largest), both exact. */
double histogram_quantile(const struct histogram *histogram, unsigned int percent);

/* What is known of the value at a rank: the smallest and the largest one, ranks 1 and n, exactly. */
struct histogram_reading {
	double value;
	double low, high; /* it lies between these */
};

/* Of n > 0 values; a rank from 1 to n. */
struct histogram_reading histogram_read(const struct histogram *histogram, uint64_t rank);

/* Whether values of that size may lie at or below the rank's: in its bucket, or below it. */
bool histogram_reaches(const struct histogram *histogram, uint64_t rank, double value);

/* Makes it empty. */
void histogram_clear(struct histogram *histogram);

#endif
