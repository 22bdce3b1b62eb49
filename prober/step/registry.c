/* The list of step types: made by the build from step_types in meson.build, so that a type
 * that is not built cannot be named and one that is built cannot be forgotten. */
#include "step.h"

#include <string.h>

#include "ban.h"

#define STEP(name) extern const struct step_type step_##name;
#include "step_list.h"
#undef STEP

const struct step_type *const step_types[] = {
#define STEP(name) &step_##name,
#include "step_list.h"
#undef STEP
	NULL,
};

const struct field step_common_fields[] = {
	{"id", &field_name, 0,
		"name of the step in results, metrics and other steps; its type if left out"},
	{"timeout", &field_duration, 0,
		"how long its servers may take; the time that a mail is waited for comes on top",
		"\"30s\""},
	{0},
};

const struct step_type *step_type_find(const char *name)
{
	for (size_t i = 0; step_types[i] != NULL; i++)
		if (strcmp(step_types[i]->name, name) == 0)
			return step_types[i];
	return NULL;
}

const struct field *step_type_facts(const char *name)
{
	const struct step_type *type = step_type_find(name);

	return type != NULL ? type->facts : NULL;
}
