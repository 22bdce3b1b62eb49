#include "watch_trend.h"

#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "trend.h"

#include "ban.h"

#define HOUR_LENGTH 13 /* of "2026-03-02T10" */

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool is_asked(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->limit_count; i++)
		if (limit_is_shape(&scenario->limits[i]) ||
			limit_has_baseline(&scenario->limits[i]))
			return true;
	return false;
}

/* Whether what is kept was found out in the hour that the run ended in, from the same place. */
static bool is_of_this_hour(const json_t *kept, const json_t *record)
{
	return strcmp(member(kept, "vantage"), member(record, "vantage")) == 0 &&
		strncmp(member(kept, "at"), member(record, "ended_at"), HOUR_LENGTH) == 0;
}

/* What the hour's other runs need: what is usual. */
static json_t *baselines_of(const struct scenario *scenario, const json_t *metrics)
{
	json_t *baselines = json_object();

	for (size_t i = 0; i < scenario->limit_count; i++) {
		const char *name = scenario->limits[i].metric;
		json_t *baseline = json_object_get(json_object_get(metrics, name), "baseline");

		if (limit_has_baseline(&scenario->limits[i]) && baseline != NULL)
			json_object_set_new(
				baselines, name, json_pack("{s:O}", "baseline", baseline));
	}
	return baselines;
}

static int find_out(const struct watcher *watcher, const struct scenario *scenario,
	const struct rule_key *key, json_t **metrics_r, struct failure *why)
{
	json_t *trend = trend_build(watcher->state, scenario, watcher->record, why);
	json_t *metrics, *kept;
	int result;

	if (trend == NULL)
		return -1;
	metrics = json_object_get(trend, "metrics");
	kept = json_pack("{s:s, s:s, s:o}", "vantage", member(watcher->record, "vantage"), "at",
		member(watcher->record, "ended_at"), "metrics", baselines_of(scenario, metrics));
	result = rules_store(watcher->state, key, kept, NULL, NULL, why);
	if (result == 0)
		*metrics_r = json_incref(metrics);
	json_decref(kept);
	json_decref(trend);
	return result;
}

int watch_trend(const struct watcher *watcher, const struct scenario *scenario, json_t **metrics_r,
	bool *fresh_r, struct failure *why)
{
	const struct rule_key key = {
		watcher->journey->customer, watcher->journey->scenario, WATCH_TREND_RULE};
	json_t *kept, *pending;
	int result = 0;

	*metrics_r = NULL;
	*fresh_r = false;
	if (!is_asked(scenario) || !judge_counts(watcher->record))
		return 0;
	if (rules_load(watcher->state, &key, &kept, &pending, why) < 0)
		return -1;
	*fresh_r = !is_of_this_hour(kept, watcher->record);
	if (*fresh_r)
		result = find_out(watcher, scenario, &key, metrics_r, why);
	else
		*metrics_r = json_incref(json_object_get(kept, "metrics"));
	json_decref(kept);
	json_decref(pending);
	return result;
}
