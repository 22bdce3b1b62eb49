#include "trend_past.h"

#include <stdlib.h>

#include "error_type.h"
#include "history.h"
#include "rollup_store.h"

#include "ban.h"

#define WEEK (7 * ROLLUP_DAY)

const unsigned int trend_day_percents[TREND_DAY_VALUES] = {0, 50, 95, 99, 100};

struct reading {
	const struct trend_ask *ask;
	struct trend_past *pasts;
	size_t count;
	int64_t week; /* that is being read */
	bool out_of_memory;
};

static int by_metric(const void *a, const void *b)
{
	const struct trend_past *left = a, *right = b;

	return (left->metric > right->metric) - (left->metric < right->metric);
}

static struct trend_past *find(const struct reading *reading, uint32_t metric)
{
	const struct trend_past key = {.metric = metric};

	return bsearch(&key, reading->pasts, reading->count, sizeof(key), by_metric);
}

/* --- days and hours -------------------------------------------------------------------- */

static double age_of(const struct reading *reading, int64_t begin_ns, int64_t length_ns)
{
	return ((double)(begin_ns - reading->ask->hour_ns) / (double)length_ns) + 0.5;
}

static void take_day(void *context, int64_t begin_ns, const struct rollup *rollup)
{
	const struct reading *reading = context;

	for (size_t i = 0; i < rollup->metric_count; i++) {
		struct trend_past *past = find(reading, rollup->metrics[i].id);
		struct trend_day *day;

		if (past == NULL || past->day_count == TREND_DAYS ||
			rollup->metrics[i].values.n == 0)
			continue;
		day = &past->days[past->day_count++];
		day->x = age_of(reading, begin_ns, ROLLUP_DAY);
		for (size_t p = 0; p < TREND_DAY_VALUES; p++)
			day->values[p] = histogram_quantile(
				&rollup->metrics[i].values, trend_day_percents[p]);
	}
}

static void take_hour(void *context, int64_t begin_ns, const struct rollup *rollup)
{
	const struct reading *reading = context;

	for (size_t i = 0; i < rollup->metric_count; i++) {
		struct trend_past *past = find(reading, rollup->metrics[i].id);

		if (past == NULL || past->hour_count == TREND_HOURS ||
			rollup->metrics[i].values.n == 0)
			continue;
		past->hours[past->hour_count++] =
			(struct point){age_of(reading, begin_ns, ROLLUP_HOUR),
				histogram_quantile(&rollup->metrics[i].values, 50)};
	}
}

/* --- the same hour of the week --------------------------------------------------------- */

static int push(struct trend_past *past, double value)
{
	size_t capacity = past->usual_capacity > 0 ? 2 * past->usual_capacity : 64;
	double *usual;

	if (past->usual_count == past->usual_capacity) {
		usual = reallocarray(past->usual, capacity, sizeof(*usual));
		if (usual == NULL)
			return -1;
		past->usual = usual;
		past->usual_capacity = capacity;
	}
	past->usual[past->usual_count++] = value;
	return 0;
}

static void take_row(void *context, const struct history_row *row)
{
	struct reading *reading = context;

	for (size_t i = 0; i < row->count && !row->mark.maintenance; i++) {
		struct history_value value = history_value(row, i);
		struct trend_past *past = find(reading, value.metric);

		if (past == NULL)
			continue;
		past->usual_weeks += past->last_week != reading->week;
		past->last_week = reading->week;
		if (push(past, value.value) < 0)
			reading->out_of_memory = true;
	}
}

/* From the rows themselves: a histogram does not tell how near to each other values lie. */
static int read_weeks(struct reading *reading, struct failure *why)
{
	const struct trend_ask *ask = reading->ask;

	for (reading->week = TREND_WEEKS; reading->week > 0; reading->week--) {
		int64_t since_ns = ask->hour_ns - reading->week * WEEK;

		if (history_span(ask->state, &ask->key, since_ns, since_ns + ROLLUP_HOUR, take_row,
			    reading, why) < 0)
			return -1;
	}
	return reading->out_of_memory ? failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory") : 0;
}

int trend_past_read(
	const struct trend_ask *ask, struct trend_past *pasts, size_t count, struct failure *why)
{
	struct reading reading = {.ask = ask, .pasts = pasts, .count = count};
	int64_t today_ns = rollup_floor(ask->hour_ns, ROLLUP_DAY);

	if (rollup_each(ask->state, ask->series, ROLLUP_DAY, today_ns - TREND_DAYS * ROLLUP_DAY,
		    today_ns, take_day, &reading, why) < 0 ||
		rollup_each(ask->state, ask->series, ROLLUP_HOUR,
			ask->hour_ns - TREND_HOURS * ROLLUP_HOUR, ask->until_ns, take_hour,
			&reading, why) < 0)
		return -1;
	return read_weeks(&reading, why);
}

void trend_past_free(struct trend_past *pasts, size_t count)
{
	for (size_t i = 0; i < count && pasts != NULL; i++)
		free(pasts[i].usual);
	free(pasts);
}
