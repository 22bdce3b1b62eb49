/* A roll-up as bytes: numbers of 7 bits a byte, least first, the highest bit set but in the last;
 * doubles as IEEE 754 has them, little-endian. */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rollup_private.h"

#include "ban.h"

#define FORM 1
#define NUMBER_MOST 10 /* bytes */
#define DOUBLE 8
/* Of one metric. */
#define CENSORED 1U
#define CONSTANT 2U /* all values are the same */
#define FLAG_BITS 2

/* --- writing --------------------------------------------------------------------------- */

static void put_number(unsigned char **at, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		*(*at)++ = (unsigned char)(number | 0x80);
	*(*at)++ = (unsigned char)number;
}

static void put_double(unsigned char **at, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole64(bits);
	memcpy(*at, &bits, sizeof(bits));
	*at += sizeof(bits);
}

/* Keys may be negative: 0, -1, 1, -2, 2 ... are 0, 1, 2, 3, 4 ... */
static uint64_t fold(int64_t number)
{
	return number < 0 ? 2 * (uint64_t)(-(number + 1)) + 1 : 2 * (uint64_t)number;
}

static void put_buckets(unsigned char **at, const struct histogram *values)
{
	int64_t last = 0;

	put_number(at, values->count);
	for (size_t i = 0; i < values->count; i++) {
		put_number(at, fold(values->buckets[i].key - last));
		put_number(at, values->buckets[i].n);
		last = values->buckets[i].key;
	}
}

static void put_values(unsigned char **at, const struct rollup_metric *metric)
{
	const struct histogram *values = &metric->values;
	bool constant = !(values->min < values->max);

	put_number(at,
		values->n << FLAG_BITS | (constant ? CONSTANT : 0) |
			(metric->censored > 0 ? CENSORED : 0));
	put_double(at, values->min);
	if (metric->censored > 0) {
		put_number(at, metric->censored);
		put_double(at, metric->least_bound);
	}
	if (constant)
		return;
	put_double(at, values->max);
	put_double(at, metric->sum);
	put_buckets(at, values);
}

/* With its length, so that it can be passed over. */
static void put_metric(unsigned char **at, const struct rollup_metric *metric, unsigned char *room)
{
	unsigned char *end = room;
	size_t length;

	put_values(&end, metric);
	length = (size_t)(end - room);
	put_number(at, metric->id);
	put_number(at, length);
	memcpy(*at, room, length);
	*at += length;
}

static void put_counts(unsigned char **at, const struct rollup *rollup)
{
	const char *type;
	json_t *count;

	put_number(at, FORM);
	for (size_t i = 0; i < ROLLUP_OUTCOMES; i++)
		put_number(at, rollup->outcomes[i]);
	put_number(at, rollup->maintenance);
	put_number(at, json_object_size(rollup->error_types));
	json_object_foreach(rollup->error_types, type, count)
	{
		put_number(at, strlen(type));
		memcpy(*at, type, strlen(type));
		*at += strlen(type);
		put_number(at, (uint64_t)json_integer_value(count));
	}
}

static size_t most_of(const struct rollup_metric *metric)
{
	return 5 * NUMBER_MOST + 4 * DOUBLE + 2 * NUMBER_MOST * metric->values.count;
}

static size_t most_bytes(const struct rollup *rollup, size_t *metric_r)
{
	size_t most = (4 + ROLLUP_OUTCOMES) * NUMBER_MOST;
	const char *type;
	json_t *count;

	json_object_foreach(rollup->error_types, type, count) most +=
		strlen(type) + 2 * NUMBER_MOST;
	*metric_r = 1;
	for (size_t i = 0; i < rollup->metric_count; i++) {
		size_t one = most_of(&rollup->metrics[i]);

		most += one;
		*metric_r = one > *metric_r ? one : *metric_r;
	}
	return most;
}

unsigned char *rollup_pack(const struct rollup *rollup, size_t *size_r)
{
	size_t of_metric, most = most_bytes(rollup, &of_metric);
	unsigned char *bytes = malloc(most), *room = malloc(of_metric), *at = bytes;

	if (bytes == NULL || room == NULL) {
		free(bytes);
		free(room);
		return NULL;
	}
	put_counts(&at, rollup);
	put_number(&at, rollup->metric_count);
	for (size_t i = 0; i < rollup->metric_count; i++)
		put_metric(&at, &rollup->metrics[i], room);
	free(room);
	*size_r = (size_t)(at - bytes);
	return bytes;
}

/* --- reading --------------------------------------------------------------------------- */

struct reading {
	const unsigned char *at, *end;
	bool damaged;
};

static uint64_t take_number(struct reading *reading)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64 && reading->at < reading->end; shift += 7) {
		unsigned char byte = *reading->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	reading->damaged = true;
	return 0;
}

static double take_double(struct reading *reading)
{
	uint64_t bits = 0;
	double value = 0;

	if (reading->end - reading->at < DOUBLE) {
		reading->damaged = true;
		return 0;
	}
	memcpy(&bits, reading->at, sizeof(bits));
	reading->at += sizeof(bits);
	bits = le64toh(bits);
	memcpy(&value, &bits, sizeof(value));
	reading->damaged = reading->damaged || !isfinite(value);
	return value;
}

static int64_t unfold(uint64_t number)
{
	return (number & 1) != 0 ? -(int64_t)(number >> 1) - 1 : (int64_t)(number >> 1);
}

static void take_types(struct reading *reading, struct rollup *rollup)
{
	uint64_t count = take_number(reading);

	while (count-- > 0 && !reading->damaged) {
		size_t length = take_number(reading);
		char type[64];

		if (length >= sizeof(type) || length > (size_t)(reading->end - reading->at)) {
			reading->damaged = true;
			return;
		}
		memcpy(type, reading->at, length);
		type[length] = '\0';
		reading->at += length;
		rollup_count_type(rollup, type, take_number(reading));
	}
}

static void take_counts(struct reading *reading, struct rollup *rollup)
{
	reading->damaged = take_number(reading) != FORM;
	for (size_t i = 0; i < ROLLUP_OUTCOMES; i++)
		rollup->outcomes[i] += take_number(reading);
	rollup->maintenance += take_number(reading);
	take_types(reading, rollup);
}

static int take_buckets(struct reading *reading, struct histogram *values)
{
	uint64_t count = take_number(reading);
	int64_t key = 0;

	while (count-- > 0 && !reading->damaged) {
		uint64_t n;

		key += unfold(take_number(reading));
		n = take_number(reading);
		/* An empty bucket is none, and would be read as damage further on. */
		reading->damaged = reading->damaged || n == 0 || key > INT32_MAX || key < INT32_MIN;
		if (!reading->damaged && histogram_add_bucket(values, (int32_t)key, n) < 0)
			return -1;
	}
	return 0;
}

static int take_values(struct reading *reading, struct rollup *rollup, uint32_t id)
{
	uint64_t head = take_number(reading), n = head >> FLAG_BITS;
	double min = take_double(reading), max;
	struct rollup_metric *metric;

	reading->damaged = reading->damaged || n == 0;
	metric = reading->damaged ? NULL : rollup_metric(rollup, id);
	if (metric == NULL)
		return -1;
	if ((head & CENSORED) != 0) {
		uint64_t censored = take_number(reading);

		rollup_censor(metric, censored, take_double(reading));
	}
	if ((head & CONSTANT) != 0) {
		metric->sum += (double)n * min;
		return histogram_add(&metric->values, min, n);
	}
	max = take_double(reading);
	metric->sum += take_double(reading);
	histogram_widen(&metric->values, min, max, n);
	return take_buckets(reading, &metric->values);
}

static int take_metric(struct reading *reading, struct rollup *rollup)
{
	uint64_t id = take_number(reading), length = take_number(reading);

	if (length > (uint64_t)(reading->end - reading->at))
		reading->damaged = true;
	if (reading->damaged)
		return -1;
	if (rollup_wants(rollup, (uint32_t)id))
		return take_values(reading, rollup, (uint32_t)id);
	reading->at += length;
	return 0;
}

int rollup_add_packed(
	struct rollup *rollup, const unsigned char *bytes, size_t size, bool *damaged_r)
{
	struct reading reading = {bytes, bytes + size, false};
	uint64_t metrics;
	int result = 0;

	take_counts(&reading, rollup);
	metrics = take_number(&reading);
	while (metrics-- > 0 && result == 0 && !reading.damaged)
		result = take_metric(&reading, rollup);
	*damaged_r = reading.damaged;
	return reading.damaged ? -1 : result;
}
