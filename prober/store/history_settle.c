/* The part of history.h that corrects what was not known yet when a run ended. */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "rollup_store.h"
#include "sample.h"
#include "series.h"
#include "statement.h"

#include "ban.h"

/* The row of the run that sent a mail. */
struct correction {
	struct state *state;
	int64_t id; /* 0: there is none */
	unsigned char *bytes;
	size_t count;
	struct history_value arrival; /* its metric is 0 if the series has none */
	struct failure *why;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int read_row(struct correction *correction, const json_t *mail)
{
	struct statement query;
	size_t size;
	int result = 0;

	statement_begin(&query, correction->state,
		"SELECT id, samples FROM runs WHERE run_id = ?");
	statement_bind_text(&query, member(mail, "run_id"));
	if (statement_row(&query)) {
		const void *bytes = statement_blob(&query, 1, &size);

		correction->id = statement_integer(&query, 0);
		correction->count = size / SAMPLE_BYTES;
		correction->bytes = malloc(size + 1);
		if (correction->bytes != NULL)
			memcpy(correction->bytes, bytes, size);
		else
			result =
				failure_set(correction->why, ERROR_LOCAL_RESOURCE, "out of memory");
	}
	return statement_end(&query, correction->why) < 0 ? -1 : result;
}

static int find_metric(struct correction *correction, const json_t *mail)
{
	struct statement query;

	statement_begin(&query, correction->state,
		"SELECT id FROM metrics WHERE series = ? AND name = ? || '." METRIC_DELIVERY "'");
	statement_bind_integer(&query, series_of_run(correction->id));
	statement_bind_text(&query, member(mail, "step"));
	if (statement_row(&query))
		correction->arrival.metric = (uint32_t)statement_integer(&query, 0);
	return statement_end(&query, correction->why);
}

/* Whether that mail was missing there. */
static bool replace(const struct correction *correction)
{
	const struct history_value *arrival = &correction->arrival;

	for (size_t i = 0; i < correction->count; i++) {
		unsigned char *at = correction->bytes + SAMPLE_BYTES * i;
		struct history_value value = sample_unpack(at);

		if (!value.censored || value.metric != arrival->metric ||
			value.attempt != arrival->attempt)
			continue;
		sample_pack(*arrival, at);
		return true;
	}
	return false;
}

static int write_row(const struct correction *correction)
{
	struct statement query;

	statement_begin(&query, correction->state, "UPDATE runs SET samples = ? WHERE id = ?");
	statement_bind_blob(&query, correction->bytes, SAMPLE_BYTES * correction->count);
	statement_bind_integer(&query, correction->id);
	if (statement_run(&query, correction->why) < 0)
		return -1;
	return rollup_correct(correction->state, series_of_run(correction->id),
		series_run_time(correction->id), correction->why);
}

int history_settle(struct state *state, const json_t *mail, struct failure *why)
{
	const json_t *seconds = json_object_get(mail, METRIC_DELIVERY);
	struct correction correction = {.state = state, .why = why};
	int result;

	if (!json_is_number(seconds))
		return 0;
	correction.arrival.value = json_number_value(seconds);
	correction.arrival.attempt = sample_attempt(mail);
	result = read_row(&correction, mail);
	if (result == 0 && correction.id != 0)
		result = find_metric(&correction, mail);
	if (result == 0 && replace(&correction))
		result = write_row(&correction);
	free(correction.bytes);
	return result;
}
