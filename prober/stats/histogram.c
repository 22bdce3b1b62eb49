#include "histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

#define PER_DOUBLING 32
/* Puts the keys of all positive doubles above 0: the smallest has the index -34,369. */
#define KEY_OF_ONE 40000

static int32_t key_of(double value)
{
	int32_t key;

	if (fpclassify(value) == FP_ZERO)
		return 0;
	key = (int32_t)ceil(log2(fabs(value)) * PER_DOUBLING) - 1 + KEY_OF_ONE;
	return value > 0 ? key : -key;
}

/* The end of a bucket that is nearer to 0, or the one that is further off. */
static double end_of(int32_t key, int further)
{
	return copysign(exp2((double)(abs(key) - KEY_OF_ONE + further) / PER_DOUBLING), key);
}

/* The value that is as many per cent off either end of the bucket: the harmonic mean of both. */
static struct histogram_reading bucket_of(int32_t key)
{
	double near, far;

	if (key == 0)
		return (struct histogram_reading){0};
	near = end_of(key, 0);
	far = end_of(key, 1);
	return (struct histogram_reading){
		2 * near * far / (near + far), fmin(near, far), fmax(near, far)};
}

/* Where a key is, or would have to be. */
static size_t place_of(const struct histogram *histogram, int32_t key)
{
	size_t low = 0, high = histogram->count;

	/* Buckets that were stored come in their order. */
	if (high > 0 && histogram->buckets[high - 1].key < key)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (histogram->buckets[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct histogram *histogram)
{
	size_t capacity = histogram->capacity > 0 ? 2 * histogram->capacity : 16;
	struct histogram_bucket *buckets;

	if (histogram->count < histogram->capacity)
		return 0;
	buckets = reallocarray(histogram->buckets, capacity, sizeof(*buckets));
	if (buckets == NULL)
		return -1;
	histogram->buckets = buckets;
	histogram->capacity = capacity;
	return 0;
}

int histogram_add_bucket(struct histogram *histogram, int32_t key, uint64_t n)
{
	size_t place = place_of(histogram, key);
	struct histogram_bucket *bucket;

	if (place == histogram->count || histogram->buckets[place].key != key) {
		if (make_room(histogram) < 0)
			return -1;
		bucket = &histogram->buckets[place];
		memmove(bucket + 1, bucket, (histogram->count++ - place) * sizeof(*bucket));
		*bucket = (struct histogram_bucket){.key = key};
	}
	histogram->buckets[place].n += n;
	return 0;
}

void histogram_widen(struct histogram *histogram, double min, double max, uint64_t n)
{
	histogram->min = histogram->n > 0 ? fmin(histogram->min, min) : min;
	histogram->max = histogram->n > 0 ? fmax(histogram->max, max) : max;
	histogram->n += n;
}

int histogram_add(struct histogram *histogram, double value, uint64_t n)
{
	if (histogram_add_bucket(histogram, key_of(value), n) < 0)
		return -1;
	histogram_widen(histogram, value, value, n);
	return 0;
}

int histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	if (other->n == 0)
		return 0;
	for (size_t i = 0; i < other->count; i++)
		if (histogram_add_bucket(histogram, other->buckets[i].key, other->buckets[i].n) < 0)
			return -1;
	histogram_widen(histogram, other->min, other->max, other->n);
	return 0;
}

static int32_t key_at(const struct histogram *histogram, uint64_t rank)
{
	uint64_t seen = 0;
	size_t i = 0;

	while ((seen += histogram->buckets[i].n) < rank)
		i++;
	return histogram->buckets[i].key;
}

static double within(const struct histogram *histogram, double value)
{
	return fmax(histogram->min, fmin(histogram->max, value));
}

struct histogram_reading histogram_read(const struct histogram *histogram, uint64_t rank)
{
	struct histogram_reading reading;

	if (rank <= 1)
		return (struct histogram_reading){
			histogram->min, histogram->min, histogram->min};
	if (rank >= histogram->n)
		return (struct histogram_reading){
			histogram->max, histogram->max, histogram->max};
	reading = bucket_of(key_at(histogram, rank));
	return (struct histogram_reading){within(histogram, reading.value),
		within(histogram, reading.low), within(histogram, reading.high)};
}

bool histogram_reaches(const struct histogram *histogram, uint64_t rank, double value)
{
	return key_of(value) <= key_at(histogram, rank);
}

double histogram_quantile(const struct histogram *histogram, unsigned int percent)
{
	uint64_t rank = (percent * histogram->n + 99) / 100;

	return histogram_read(histogram, rank).value;
}

void histogram_clear(struct histogram *histogram)
{
	free(histogram->buckets);
	*histogram = (struct histogram){0};
}
