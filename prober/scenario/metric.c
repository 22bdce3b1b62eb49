#include "metric.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "field.h"
#include "record.h"
#include "step.h"
#include "text.h"

#include "ban.h"

static void add(json_t *metrics, const char *id, const char *field, enum metric_form form)
{
	struct text name;

	text_init(&name, 256);
	text_printf(&name, "%s.%s", id, field);
	json_object_set_new(metrics, name.bytes, json_integer(form));
	text_free(&name);
}

static enum metric_form form_of(const char *field)
{
	size_t length = strlen(field), suffix = strlen("_seconds");

	return length > suffix && strcmp(field + length - suffix, "_seconds") == 0
		       ? METRIC_SECONDS
		       : METRIC_NUMBER;
}

static void add_table(json_t *metrics, const char *id, const struct field *table)
{
	for (const struct field *f = table; f != NULL && f->name != NULL; f++)
		if ((f->flags & FIELD_METRIC) != 0)
			add(metrics, id, f->name, form_of(f->name));
}

/* How long each component had the mail. */
static void add_hops(json_t *metrics, const struct step *step, const json_t *components)
{
	const char *name;
	json_t *patterns;

	json_object_foreach((json_t *)(uintptr_t)components, name, patterns) {
		char field[128];

		snprintf(field, sizeof(field), "hops.%s", name);
		add(metrics, step->id, field, METRIC_SECONDS);
	}
}

static void add_step(json_t *metrics, const struct step *step, const json_t *components)
{
	const char *const *phases = step->type->phases;

	add_table(metrics, step->id, record_step);
	add_table(metrics, step->id, step->type->facts);
	add(metrics, step->id, METRIC_TLS_DAYS_LEFT, METRIC_NUMBER);
	if (step->type->sends_mail) {
		add_table(metrics, step->id, record_mail);
		add_hops(metrics, step, components);
	}
	for (size_t i = 0; phases != NULL && phases[i] != NULL; i++) {
		char name[80];

		text_copy(name, sizeof(name), "phases.");
		text_copy(name + strlen(name), sizeof(name) - strlen(name), phases[i]);
		add(metrics, step->id, name, METRIC_SECONDS);
	}
}

json_t *metric_names(const struct step *steps, size_t count, const json_t *components)
{
	json_t *metrics = json_object();

	json_object_set_new(metrics, "failed", json_integer(METRIC_FAILED));
	json_object_set_new(metrics, "failure_rate", json_integer(METRIC_RATE));
	json_object_set_new(metrics, METRIC_AGE, json_integer(METRIC_AGES));
	for (size_t i = 0; mail_counts[i] != NULL; i++)
		json_object_set_new(metrics, mail_counts[i], json_integer(METRIC_NUMBER));
	for (const struct field *f = record_run; f->name != NULL; f++)
		if ((f->flags & FIELD_METRIC) != 0)
			json_object_set_new(metrics, f->name, json_integer(form_of(f->name)));
	for (size_t i = 0; i < count; i++)
		if (steps[i].type != NULL)
			add_step(metrics, &steps[i], components);
	return metrics;
}
