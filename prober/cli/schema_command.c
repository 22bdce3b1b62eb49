/* mailprobe schema - prints the JSON Schema of our files, from the tables that the code runs on. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "error_type.h"
#include "options.h"
#include "record.h"
#include "scenario.h"
#include "step.h"

#include "ban.h"

static const char *const examples[] = {
	"mailprobe schema > scenarios/schema.json",
	"mailprobe schema result",
	NULL,
};

static json_t *record_schema(const struct field *table, const char *title)
{
	const struct field *const tables[] = {table, NULL};
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
		"http://json-schema.org/draft-07/schema#", "title", title);
	json_t *fields = fields_schema(tables);

	json_object_update(schema, fields);
	json_decref(fields);
	return schema;
}

/* A step's record, with what any of the types may add to it. */
static json_t *step_record_schema(void)
{
	const struct field *const tables[] = {record_step, NULL};
	json_t *schema = fields_schema(tables);

	for (size_t i = 0; step_types[i] != NULL; i++) {
		const struct field *const facts[] = {step_types[i]->facts, NULL};
		json_t *added = fields_schema(facts);

		json_object_update(json_object_get(schema, "properties"),
			json_object_get(added, "properties"));
		json_decref(added);
	}
	return schema;
}

static json_t *result_schema(void)
{
	json_t *schema = record_schema(record_run, "mailprobe result: one run of one scenario");
	json_t *steps = json_object_get(json_object_get(schema, "properties"), "steps");

	json_object_set_new(steps, "items", step_record_schema());
	return schema;
}

static json_t *event_schema(void)
{
	return record_schema(record_event, "mailprobe event: a limit that was crossed, or no more");
}

static json_t *trend_schema(void)
{
	return record_schema(record_trend, "mailprobe trend: what the history of a scenario says");
}

static const struct {
	const char *name;
	json_t *(*make)(void);
} schemas[] = {
	{"scenario", scenario_schema},
	{"result", result_schema},
	{"event", event_schema},
	{"trend", trend_schema},
};

#define SCHEMAS (sizeof(schemas) / sizeof(schemas[0]))

static int print_schema(const char *name)
{
	const char *names[SCHEMAS + 1] = {NULL};
	json_t *schema;

	for (size_t i = 0; i < SCHEMAS; i++) {
		names[i] = schemas[i].name;
		if (strcmp(name, schemas[i].name) != 0)
			continue;
		schema = schemas[i].make();
		json_dumpf(schema, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(schema);
		return 0;
	}
	return options_unknown("schema", name, names);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	const char *value;
	int option = options_next(&parsed, &value);

	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count > 1) {
		fputs("mailprobe schema: one schema at a time\n", stderr);
		return EXIT_USAGE;
	}
	return print_schema(parsed.rest_count == 1 ? parsed.rest[0] : "scenario");
}

const struct command schema_command = {
	.name = "schema",
	.arguments = "[scenario|result|event|trend]",
	.summary = "print the JSON Schema of a scenario file, a result, an event, a trend",
	.options = NULL,
	.examples = examples,
	.run = run,
};
