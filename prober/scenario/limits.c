/* Checks the limits of a draft: that each metric exists, and that what is asked of it makes
 * sense (limit_sense.c). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "default_limits.h"
#include "draft.h"
#include "error_type.h"
#include "limit_look.h"
#include "record.h"
#include "text.h"

#include "ban.h"

#define HINT_SIZE 512

void limit_complain(const struct limit_look *look, const char *key, const char *code,
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

static void unknown_metric(const struct limit_look *look, const json_t *metrics, const char *wrong)
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
			"failed, failure_rate, age, duration_seconds, or ID.FIELD of a step");
	limit_complain(look, "metric", "unknown-metric", message, hint);
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
static void check_awaited(const struct limit_look *look)
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
		limit_complain(look, "metric", "unknown-metric", message,
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

static void look_up_metric(struct limit_look *look, const json_t *metrics)
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

/* --- all of them ----------------------------------------------------------------------- */

static void check_name(const struct limit_look *look, const json_t *limits)
{
	const char *name = json_string_value(json_object_get(look->limit, "name"));

	for (size_t i = 0; i < look->index && name != NULL; i++) {
		const char *other = json_string_value(
			json_object_get(json_array_get(limits, i), "name"));

		if (other != NULL && strcmp(name, other) == 0) {
			limit_complain(look, "name", "duplicate-limit",
				"another limit has this name already",
				"events are told apart by it");
			return;
		}
	}
}

static void check_limits(
	const struct draft *draft, const json_t *limits, const struct step *steps)
{
	json_t *metrics = metric_names(
		steps, draft->step_count, json_object_get(draft->tree, "components"));
	json_t *limit;
	size_t index;

	json_array_foreach(limits, index, limit) {
		struct limit_look look = {
			.draft = draft, .limit = limit, .limits = limits, .index = index};

		if (!json_is_object(limit))
			continue;
		check_name(&look, limits);
		look_up_metric(&look, metrics);
		limit_check_sense(&look);
	}
	json_decref(metrics);
}

/* So many intervals without a run that could be judged are too many, if the limit does not say. */
#define INTERVALS 3

static void put_ages(const struct draft *draft, const json_t *limits)
{
	int64_t every_ns = draft_duration(draft->tree, "every");
	json_t *limit;
	size_t index;

	json_array_foreach(limits, index, limit) {
		const char *metric = json_string_value(json_object_get(limit, "metric"));

		if (metric != NULL && strcmp(metric, METRIC_AGE) == 0 && every_ns > 0 &&
			json_object_get(limit, "warn") == NULL &&
			json_object_get(limit, "crit") == NULL)
			json_object_set_new(limit, "crit",
				json_sprintf("> %" JSON_INTEGER_FORMAT "s",
					(json_int_t)(INTERVALS * every_ns / NS_PER_SECOND)));
	}
}

void draft_check_limits(struct draft *draft)
{
	const json_t *limits = json_object_get(draft->tree, "limits");
	struct step *steps = calloc(draft->step_count + 1, sizeof(*steps));

	if (steps == NULL)
		abort(); /* rather than pass what was not checked */
	for (size_t i = 0; i < draft->step_count; i++)
		steps[i] = draft->steps[i].step;
	if (limits != NULL)
		check_limits(draft, limits, steps);
	else if (json_is_object(draft->tree))
		json_object_set_new(draft->tree, "limits",
			default_limits(steps, draft->step_count,
				draft_duration(draft->tree, "every")));
	free(steps);
	put_ages(draft, json_object_get(draft->tree, "limits"));
}
