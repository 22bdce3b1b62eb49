#include "draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario_fields.h"

#include "ban.h"

void draft_complain(
	const struct draft *draft, const struct remark *remark, const char *format, ...)
{
	char message[3 * FIELD_MESSAGE_SIZE];
	const struct complaint complaint = {.code = remark->code,
		.message = message,
		.hint = remark->hint,
		.is_warning = remark->is_warning};
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	assembly_complain(draft->assembly, remark->pointer, remark->spot, &complaint);
}

void draft_complain_field(void *context, const struct field_complaint *complaint)
{
	const struct draft *draft = context;
	const struct remark remark = {.pointer = complaint->pointer,
		.spot = complaint->spot,
		.code = complaint->code,
		.hint = complaint->hint};

	draft_complain(draft, &remark, "%s", complaint->message);
}

void draft_check_fields(struct draft *draft)
{
	const struct field *const tables[] = {scenario_fields, NULL};
	const struct field_check check = {.complain = draft_complain_field, .context = draft};

	fields_check(tables, draft->tree, "", &check);
	if (json_is_object(draft->tree))
		fields_default(tables, draft->tree);
}

json_t *draft_account(const struct draft *draft, const char *name)
{
	json_t *account = json_object_get(json_object_get(draft->tree, "accounts"), name);

	return json_is_object(account) ? account : NULL;
}

int64_t draft_duration(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t ns;

	return text != NULL && duration_parse(text, &ns) ? ns : 0;
}

void draft_free(struct draft *draft)
{
	for (size_t i = 0; i < draft->step_count; i++)
		free(draft->steps[i].pointer);
	for (size_t i = 0; i < draft->reference_count; i++)
		free(draft->references[i].pointer);
	free(draft->steps);
	free(draft->references);
	*draft = (struct draft){.assembly = NULL};
}
