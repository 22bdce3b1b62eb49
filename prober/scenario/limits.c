/* Checks the limits of a draft: that each metric exists, and that what is asked of it makes
 * sense. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "error_type.h"
#include "limit.h"
#include "metric.h"
#include "text.h"

#include "ban.h"

#define HINT_SIZE 512

/* One limit and what is known of it. */
struct look {
	const struct draft *draft;
	const json_t *limit;
	const char *metric; /* NULL: none, or one that there is not */
	enum metric_form form;
	struct limit_condition warn, crit;
	bool has_for;
	size_t index;
};

static void complain(const struct look *look, const char *key, const char *code,
	const char *message, const char *hint)
{
	char pointer[128];
	struct remark remark = {
		.pointer = pointer, .spot = FIELD_AT_VALUE, .code = code, .hint = hint};

	snprintf(pointer, sizeof(pointer), "/limits/%zu%s%s", look->index,
		key[0] != '\0' ? "/" : "", key);
	draft_complain(look->draft, &remark, "%s", message);
}

/* --- the metric ------------------------------------------------------------------------ */

static void unknown_metric(const struct look *look, const json_t *metrics, const char *wrong)
{
	size_t room = json_object_size(metrics) + 1, count = 0;
	const char **names = calloc(room, sizeof(*names));
	char message[FIELD_MESSAGE_SIZE], hint[HINT_SIZE];
	const char *nearest = NULL, *key;
	json_t *form;

	json_object_foreach((json_t *)(uintptr_t)metrics, key, form)
		if (names != NULL)
			names[count++] = key;
	if (names != NULL)
		nearest = text_nearest(wrong, names);
	free(names);
	snprintf(message, sizeof(message), "nothing measures \"%.100s\"", wrong);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	else
		snprintf(hint, sizeof(hint),
			"failed, failure_rate, duration_seconds, or ID.FIELD of a step");
	complain(look, "metric", "unknown-metric", message, hint);
}

static bool is_awaited(const struct draft *draft, const char *id)
{
	for (size_t i = 0; i < draft->reference_count; i++)
		if (draft->references[i].field->kind == &field_mail &&
			strcmp(draft->references[i].name, id) == 0)
			return true;
	return false;
}

/* A mail's delivery is measured by the step that awaits it. */
static void check_awaited(const struct look *look)
{
	static const char suffix[] = ".delivery_seconds";
	size_t length = strlen(look->metric);
	char message[FIELD_MESSAGE_SIZE];
	char *id;

	if (length <= strlen(suffix) ||
		strcmp(look->metric + length - strlen(suffix), suffix) != 0)
		return;
	id = strndup(look->metric, length - strlen(suffix));
	if (id != NULL && !is_awaited(look->draft, id)) {
		snprintf(message, sizeof(message), "no step awaits the mail \"%s\"", id);
		complain(look, "metric", "unknown-metric", message,
			"its delivery is measured by an imap_await or maildir_await with this mail");
	}
	free(id);
}

/* A step of an unknown type might have measured anything. */
static bool is_excused(const struct draft *draft, const char *metric)
{
	for (size_t i = 0; i < draft->step_count; i++) {
		const struct step *step = &draft->steps[i].step;

		if (step->type == NULL && strncmp(metric, step->id, strlen(step->id)) == 0)
			return true;
	}
	return false;
}

static void look_up_metric(struct look *look, const json_t *metrics)
{
	const char *name = json_string_value(json_object_get(look->limit, "metric"));
	const json_t *form = name != NULL ? json_object_get(metrics, name) : NULL;

	if (form != NULL) {
		look->metric = name;
		look->form = (enum metric_form)json_integer_value(form);
		check_awaited(look);
	} else if (name != NULL && !is_excused(look->draft, name)) {
		unknown_metric(look, metrics, name);
	}
}

/* --- the conditions -------------------------------------------------------------------- */

static bool is_share_of_runs(const struct look *look, const struct limit_condition *condition)
{
	return look->form == METRIC_RATE && condition->statistic == STATISTIC_VALUE;
}

static void check_unit(
	const struct look *look, const char *key, const struct limit_condition *condition)
{
	bool fits = true;
	const char *message = "";

	switch (look->form) {
	case METRIC_FAILED:
		return;
	case METRIC_RATE:
		fits = condition->unit == LIMIT_SHARE && condition->threshold <= 1;
		message = "failure_rate is compared with a percentage from 0% to 100%";
		break;
	case METRIC_SECONDS:
		fits = condition->unit == LIMIT_SECONDS;
		message = "a time is compared with a duration";
		break;
	case METRIC_NUMBER:
		fits = condition->unit == LIMIT_NUMBER;
		message = "a count is compared with a plain number";
		break;
	}
	if (!fits)
		complain(look, key, "limit-unit", message,
			look->form == METRIC_SECONDS ? "say the unit, such as 30s or 250ms" : NULL);
}

static void check_condition(
	const struct look *look, const char *key, const struct limit_condition *condition)
{
	bool has_over = json_object_get(look->limit, "over") != NULL;
	bool takes_over =
		condition->statistic != STATISTIC_VALUE || is_share_of_runs(look, condition);

	if (!condition->is_set)
		return;
	if (look->form == METRIC_FAILED) {
		complain(look, key, "limit-sense", "\"failed\" has no value to compare",
			"write \"for: 3 of 5\", or take the metric failure_rate");
		return;
	}
	check_unit(look, key, condition);
	if (look->form == METRIC_RATE && condition->statistic != STATISTIC_VALUE)
		complain(look, key, "limit-sense", "failure_rate is one number for the window",
			"leave the statistic out: \"> 5%\"");
	if (takes_over && !has_over)
		complain(look, key, "limit-sense", "this needs a window of time",
			"add \"over\", such as over: 24h");
	if (takes_over && look->has_for)
		complain(look, "for", "limit-sense",
			"\"for\" counts single runs, not windows of time",
			"leave out \"for\", or the statistic and \"over\"");
	if (!takes_over && has_over)
		complain(look, "over", "limit-sense",
			"\"over\" is the window of a statistic, and there is none here",
			"say which one, such as p95 > 30s, or leave \"over\" out");
}

static void check_pair(const struct look *look)
{
	const struct limit_condition *warn = &look->warn, *crit = &look->crit;

	if (!warn->is_set || !crit->is_set)
		return;
	if ((warn->statistic == STATISTIC_VALUE) != (crit->statistic == STATISTIC_VALUE))
		complain(look, "crit", "limit-sense",
			"\"warn\" and \"crit\" must be of one kind, with a statistic or without",
			"make them two limits");
	else if (warn->statistic == crit->statistic && warn->unit == crit->unit &&
		crit->threshold <= warn->threshold)
		complain(look, "crit", "limit-sense",
			"\"crit\" is reached no later than \"warn\", so that nothing would ever "
			"be a warning",
			"is it the other way round?");
	if (json_object_get(look->limit, "severity") != NULL)
		complain(look, "severity", "limit-sense",
			"\"warn\" and \"crit\" say the severity already", "leave it out");
}

static void check_keep(const struct look *look)
{
	const json_t *keep = json_object_get(look->limit, "keep");

	if (json_is_integer(keep) &&
		(json_integer_value(keep) < 1 || json_integer_value(keep) > 1000))
		complain(look, "keep", "bad-value", "\"keep\" must be from 1 to 1000", NULL);
}

static void check_given(const struct look *look)
{
	bool has_condition = json_object_get(look->limit, "warn") != NULL ||
			     json_object_get(look->limit, "crit") != NULL;

	if (!has_condition && json_object_get(look->limit, "for") == NULL)
		complain(look, "", "limit-sense", "this limit says no breach",
			"add \"warn\" or \"crit\", such as p95 > 30s, or \"for\", such as 3 of 5");
	else if (look->metric == NULL)
		return;
	else if (!has_condition && look->form != METRIC_FAILED)
		complain(look, "for", "limit-sense", "\"for\" alone counts failed runs",
			"take the metric \"failed\", or add \"warn\" or \"crit\"");
	else if (look->form == METRIC_FAILED && !look->has_for && !has_condition)
		complain(look, "metric", "limit-sense", "\"failed\" needs a count of runs",
			"add \"for\", such as for: 3 of 5");
}

static void parse_condition(
	const struct look *look, const char *key, struct limit_condition *condition)
{
	const char *text = json_string_value(json_object_get(look->limit, key));
	char message[LIMIT_MESSAGE_SIZE];

	/* What cannot be read was said by the table. */
	if (text != NULL)
		limit_condition_parse(text, condition, message);
}

/* --- all of them ----------------------------------------------------------------------- */

static void check_name(const struct look *look, const json_t *limits)
{
	const char *name = json_string_value(json_object_get(look->limit, "name"));

	for (size_t i = 0; i < look->index && name != NULL; i++) {
		const char *other = json_string_value(
			json_object_get(json_array_get(limits, i), "name"));

		if (other != NULL && strcmp(name, other) == 0) {
			complain(look, "name", "duplicate-limit",
				"another limit has this name already",
				"events are told apart by it");
			return;
		}
	}
}

void draft_check_limits(struct draft *draft)
{
	const json_t *limits = json_object_get(draft->tree, "limits");
	struct step *steps = calloc(draft->step_count + 1, sizeof(*steps));
	json_t *metrics, *limit;
	size_t index;

	if (steps == NULL)
		abort(); /* rather than pass what was not checked */
	for (size_t i = 0; i < draft->step_count; i++)
		steps[i] = draft->steps[i].step;
	metrics = metric_names(
		steps, draft->step_count, json_object_get(draft->tree, "components"));
	free(steps);
	json_array_foreach(limits, index, limit) {
		struct look look = {.draft = draft, .limit = limit, .index = index};

		if (!json_is_object(limit))
			continue;
		look.has_for = json_object_get(limit, "for") != NULL;
		check_name(&look, limits);
		look_up_metric(&look, metrics);
		parse_condition(&look, "warn", &look.warn);
		parse_condition(&look, "crit", &look.crit);
		check_keep(&look);
		check_given(&look);
		if (look.metric != NULL) {
			check_condition(&look, "warn", &look.warn);
			check_condition(&look, "crit", &look.crit);
		}
		check_pair(&look);
	}
	json_decref(metrics);
}
