/* Prints the schemas of the record tables as one object, for `formats`: a step's without what the
 * step types add, which `mailprobe steps` documents. */
#include <stdio.h>

#include "record.h"

static json_t *schema_of(const struct field *table)
{
	const struct field *const tables[] = {table, NULL};

	return fields_schema(tables);
}

int main(void)
{
	json_t *result = schema_of(record_run), *all;
	json_t *steps = json_object_get(json_object_get(result, "properties"), "steps");

	json_object_set_new(steps, "items", schema_of(record_step));
	all = json_pack("{s:o, s:o, s:o}", "result", result, "event", schema_of(record_event),
		"trend", schema_of(record_trend));
	json_dumpf(all, stdout, JSON_INDENT(2));
	json_decref(all);
	return 0;
}
