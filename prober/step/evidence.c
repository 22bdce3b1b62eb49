#include "evidence.h"

#include <stdio.h>
#include <string.h>

#include "step.h"

#include "ban.h"

#define PHASES "phases."

/* Seconds of a metric's part behind the step's id; below 0 if the record has none. */
static double figure_of(const json_t *record, const char *name)
{
	const json_t *value = json_object_get(record, name);
	double sum = -1;
	json_t *phase;
	size_t index;

	if (strncmp(name, PHASES, strlen(PHASES)) != 0)
		return json_is_number(value) ? json_number_value(value) : -1;
	json_array_foreach(json_object_get(record, "phases"), index, phase) {
		const char *its = json_string_value(json_object_get(phase, "name"));
		double seconds = json_number_value(json_object_get(phase, "duration_seconds"));

		if (its != NULL && strcmp(its, name + strlen(PHASES)) == 0)
			sum = sum < 0 ? seconds : sum + seconds;
	}
	return sum;
}

/* What lies behind "<id>."; NULL if the metric is not that step's. */
static const char *part_of(const char *metric, const char *id)
{
	size_t length = id != NULL ? strlen(id) : 0;

	return length > 0 && strncmp(metric, id, length) == 0 && metric[length] == '.'
		? metric + length + 1
		: NULL;
}

/* A mail's delivery is named after the step that sent it, and lies in the record of its await. */
static const char *part_of_step(const struct step *step, const char *metric)
{
	const char *part = part_of(metric, step->id), *of_mail;

	if (part != NULL)
		return part;
	of_mail = part_of(metric, step_string(step, "mail"));
	return of_mail != NULL && strcmp(of_mail, "delivery_seconds") == 0 ? of_mail : NULL;
}

static bool find_slow(const struct probe *probe, const json_t *record, char *text, size_t size)
{
	const char *metric;
	json_t *most;

	json_object_foreach((json_t *)(uintptr_t)probe->run->slow, metric, most) {
		const char *part = part_of_step(probe->step, metric);
		double seconds = part != NULL ? figure_of(record, part) : -1;

		if (seconds <= json_number_value(most))
			continue;
		snprintf(text, size, "%s of %.3f s is over %.3f s", metric, seconds,
			json_number_value(most));
		return true;
	}
	return false;
}

void evidence_keep(const struct probe *probe, json_t *record)
{
	const char *outcome = json_string_value(json_object_get(record, "outcome"));
	char text[320];

	if (probe->transcript.count == 0)
		return;
	if (strcmp(outcome, "pass") == 0) {
		if (!find_slow(probe, record, text, sizeof(text)))
			return;
		json_object_set_new(record, "slow", json_string(text));
	}
	json_object_set_new(record, "transcript",
		transcript_json(&probe->transcript, probe->run->origin.monotonic_ns));
}
