/* The part of history.h that reads windows of any length, by roll-ups. */
#include "history_long.h"

#include <string.h>

#include "error_type.h"
#include "rollup_store.h"

#include "ban.h"

struct naming {
	const char *name;
	uint32_t metric;
};

static void match_name(void *context, uint32_t metric, const char *name)
{
	struct naming *naming = context;

	if (strcmp(name, naming->name) == 0)
		naming->metric = metric;
}

/* What no value has, if the series has no such metric. */
static int find_metric(struct state *state, const struct series_key *key, const char *metric,
	uint32_t *id_r, struct failure *why)
{
	struct naming naming = {metric, ROLLUP_NO_METRIC};

	if (metric != NULL &&
		history_names(state, key->customer, key->scenario, key->vantage, match_name,
			&naming, why) < 0)
		return -1;
	*id_r = naming.metric;
	return 0;
}

struct adding {
	struct rollup *rollup;
	bool out_of_memory;
};

static void add_row(void *context, const struct history_row *row)
{
	struct adding *adding = context;

	if (rollup_add_run(adding->rollup, row) < 0)
		adding->out_of_memory = true;
}

int history_long(struct state *state, const struct series_key *key, const char *metric,
	const struct history_window *window, struct rollup *rollup_r, struct failure *why)
{
	struct adding adding = {.rollup = rollup_r};
	int64_t series, rolled_ns;

	*rollup_r = (struct rollup){.maintenance = 0};
	if (find_metric(state, key, metric, &rollup_r->only, why) < 0 ||
		series_find(state, key, &series, why) < 0 ||
		rollup_end(state, series, &rolled_ns, why) < 0)
		return -1;
	if (rolled_ns > rollup_floor(window->end_ns, ROLLUP_HOUR))
		rolled_ns = rollup_floor(window->end_ns, ROLLUP_HOUR);
	if (rolled_ns < window->begin_ns)
		rolled_ns = window->begin_ns;
	if (rollup_read(state, series, window->begin_ns, rolled_ns, rollup_r, why) < 0 ||
		history_span(state, key, rolled_ns, window->end_ns + 1, add_row, &adding, why) < 0)
		return -1;
	return adding.out_of_memory ? failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory") : 0;
}

struct history_window history_window(int64_t end_ns, int64_t length_ns)
{
	return (struct history_window){
		rollup_floor(end_ns, ROLLUP_HOUR) - length_ns + ROLLUP_HOUR, end_ns};
}

struct quantile history_quantile(const struct rollup_metric *metric, unsigned int percent)
{
	uint64_t rank = (percent * metric->values.n + 99) / 100;

	return (struct quantile){
		.value = histogram_read(&metric->values, rank).value,
		.at_least = rollup_at_least(metric, rank > 0 ? rank : 1),
	};
}
