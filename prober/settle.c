#include "settle.h"

#include <stdint.h>
#include <string.h>

#include "attribute.h"
#include "clock.h"
#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "retention.h"
#include "lock.h"
#include "trend.h"
#include "watch.h"

#include "ban.h"

static int emit_event(void *context, const json_t *event, struct failure *why)
{
	return lines_append_event(context, event, why);
}

static int write_trend(struct state *state, const char *results_dir,
	const struct scenario *scenario, const json_t *record,
	struct failure *why)
{
	json_t *trend = trend_build(state, scenario, record, why);
	int result = trend != NULL ? lines_replace_trend(results_dir, trend, why) : -1;

	json_decref(trend);
	return result;
}

int settle_judgement(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why)
{
	int result = history_add_keeping(state, record, &scenario->keep, why);

	if (watch_judge(state, scenario, record, emit, context, why) == -1)
		result = -1;
	return result;
}

int settle_stored(struct state *state, const char *results_dir, const struct scenario *scenario,
	const json_t *record, struct failure *why)
{
	struct failure ignored = {0};
	int result = 0, lock;

	if (ledger_close_run(state, record, why) == -1)
		result = -1;
	/* Without it a person's answer of this very moment may be lost, and with it kept out for
	 * ever the run's events would be. */
	lock = lock_take_rules(results_dir, &ignored);
	/* The strings of JSON Lines' folder are only read. */
	if (settle_judgement(
		    state, scenario, record, emit_event, (void *)(uintptr_t)results_dir, why) == -1)
		result = -1;
	lock_release(lock);
	if (write_trend(state, results_dir, scenario, record, why) == -1)
		result = -1;
	return result;
}

/* What a run finds while somebody works on the platform is kept, and judged by nobody. */
static void mark_maintenance(const struct scenario *scenario, json_t *record)
{
	const char *started = json_string_value(json_object_get(record, "started_at"));
	const char *ended = json_string_value(json_object_get(record, "ended_at"));
	int64_t from_ns, to_ns;
	const char *name;

	if (started == NULL || ended == NULL || clock_parse(started, &from_ns) < 0 ||
		clock_parse(ended, &to_ns) < 0)
		return;
	name = plan_maintenance(&scenario->plan, from_ns, to_ns);
	if (name != NULL)
		json_object_set_new(record, "maintenance", json_string(name));
}

int settle_result(struct state *state, const char *results_dir, const struct scenario *scenario,
	json_t *record, struct failure *why)
{
	const struct limit_list limits = {scenario->limits, scenario->limit_count};
	int result;

	mark_maintenance(scenario, record);
	result = attribute_result(state, &limits, record, why);

	if (lines_append_result(results_dir, record, why) == -1)
		result = -1;
	if (settle_stored(state, results_dir, scenario, record, why) == -1)
		result = -1;
	return result;
}

int settle_old(struct state *state, const char *results_dir, const struct scenario *scenario,
	const json_t *record, struct failure *why)
{
	const char *outcome = json_string_value(json_object_get(record, "outcome"));
	const struct journey *journey = &scenario->journey;

	if (outcome == NULL || strcmp(outcome, "pass") != 0)
		return 0;
	return retention_apply(state, results_dir, journey->customer, journey->scenario,
		&scenario->keep, clock_wall(), why);
}
