/* Checks the steps of a draft, each by the table of its type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "scenario_fields.h"
#include "text.h"

#include "ban.h"

/* Notes settings that name something; the step that has them comes last so far. */
static void on_value(
	void *context, const struct field *field, const json_t *value, const char *pointer)
{
	struct draft *draft = context;
	struct reference *references;

	if (field->kind != &field_account && field->kind != &field_mail &&
		field->kind != &field_party)
		return;
	references = reallocarray(
		draft->references, draft->reference_count + 1, sizeof(*references));
	if (references == NULL)
		abort(); /* a check that is left out would let a wrong scenario pass */
	draft->references = references;
	references[draft->reference_count++] =
		(struct reference){field, json_string_value(value), strdup(pointer),
			draft->step_count - 1};
}

static void complain_unknown(const struct draft *draft, const char *pointer, const char *name)
{
	const char *names[64];
	size_t count = 0;
	char hint[FIELD_MESSAGE_SIZE];
	const char *nearest;
	const struct remark remark = {.pointer = pointer,
		.spot = FIELD_AT_KEY,
		.code = "unknown-step",
		.hint = hint};

	for (; count < 63 && step_types[count] != NULL; count++)
		names[count] = step_types[count]->name;
	names[count] = NULL;
	nearest = text_nearest(name, names);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	else
		snprintf(hint, sizeof(hint), "mailprobe steps lists them all");
	draft_complain(draft, &remark, "there is no step type \"%.100s\"", name);
}

static struct draft_step *add_step(struct draft *draft, const char *pointer)
{
	struct draft_step *steps =
		reallocarray(draft->steps, draft->step_count + 1, sizeof(*steps));

	if (steps == NULL)
		abort();
	draft->steps = steps;
	steps[draft->step_count] = (struct draft_step){.pointer = strdup(pointer)};
	return &steps[draft->step_count++];
}

static void check_settings(struct draft *draft, struct draft_step *added, json_t *settings)
{
	const struct field_check check = {
		.complain = draft_complain_field, .visit = on_value, .context = draft};
	const struct step_type *type = added->step.type;
	const struct field *const tables[] = {
		type != NULL ? type->fields : step_common_fields, step_common_fields, NULL};

	if (type == NULL)
		return;
	fields_check(tables, settings, added->pointer, &check);
	if (json_is_object(settings))
		fields_default(tables, settings);
}

static void check_step(struct draft *draft, size_t index, json_t *item)
{
	const char *name = json_object_iter_key(json_object_iter(item));
	json_t *settings = json_object_get(item, name);
	struct draft_step *added;
	struct text pointer;

	text_init(&pointer, 4096);
	text_printf(&pointer, "/steps/%zu", index);
	field_pointer_push(&pointer, name);
	added = add_step(draft, pointer.bytes);
	text_free(&pointer);
	added->step.type = step_type_find(name);
	added->step.config = settings;
	if (added->step.type == NULL)
		complain_unknown(draft, added->pointer, name);
	check_settings(draft, added, settings);
	if (json_is_object(settings) && json_object_get(settings, "id") == NULL)
		json_object_set_new(settings, "id", json_string(name));
	added->step.id = json_string_value(json_object_get(settings, "id"));
	if (added->step.id == NULL)
		added->step.id = name;
}

void draft_check_steps(struct draft *draft)
{
	json_t *steps = json_object_get(draft->tree, "steps");
	const struct remark none = {
		.pointer = "/steps", .code = "bad-value", .hint = "steps: what the user does, in order"};
	json_t *item;
	size_t index;

	if (json_is_array(steps) && json_array_size(steps) == 0)
		draft_complain(draft, &none, "\"steps\" must have at least one step");
	json_array_foreach(steps, index, item)
		if (json_is_object(item) && json_object_size(item) == 1)
			check_step(draft, index, item);
}
