/* mailprobe steps - what a scenario can be made of, and how it can go wrong. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "error_type.h"
#include "options.h"
#include "scenario.h"
#include "step.h"

#include "ban.h"

enum { OPTION_ERRORS, OPTION_JSON };

static const struct command_option options[] = {
	[OPTION_ERRORS] = {"errors", 0, NULL, "list the error types instead"},
	[OPTION_JSON] = {"json", 0, NULL, "print a JSON array"},
	{0},
};

static const char *const examples[] = {
	"mailprobe steps",
	"mailprobe steps imap_await",
	"mailprobe steps --errors",
	NULL,
};

/* --- for people ------------------------------------------------------------------------ */

static void print_words(const char *title, const char *const words[])
{
	if (words == NULL)
		return;
	printf("\n%s:", title);
	for (size_t i = 0; words[i] != NULL; i++)
		printf(" %s", words[i]);
	putchar('\n');
}

static void print_setting(const struct field *field)
{
	printf("  %-14s %s", field->name, field->help);
	if (field->choices != NULL) {
		fputs(": ", stdout);
		for (size_t i = 0; field->choices[i] != NULL; i++)
			printf("%s%s", i > 0 ? ", " : "", field->choices[i]);
	}
	if ((field->flags & FIELD_REQUIRED) != 0)
		fputs(" (required)", stdout);
	if (field->fallback != NULL)
		printf(" (%s if left out)", field->fallback);
	putchar('\n');
}

static void print_fact(const struct field *field)
{
	printf("  %-22s %s%s\n", field->name, field->help,
		(field->flags & FIELD_METRIC) != 0 ? " (a limit may name it)" : "");
}

static void print_type(const struct step_type *type)
{
	printf("%s: %s\n\nsettings:\n", type->name, type->summary);
	for (const struct field *f = type->fields; f->name != NULL; f++)
		print_setting(f);
	for (const struct field *f = step_common_fields; f->name != NULL; f++)
		print_setting(f);
	print_words("its account needs", type->account_needs);
	print_words("phases", type->phases);
	if (type->facts != NULL && type->facts[0].name != NULL)
		puts("\nin its record, beside what all steps have:");
	for (const struct field *f = type->facts; f != NULL && f->name != NULL; f++)
		print_fact(f);
}

static void print_types(void)
{
	for (size_t i = 0; step_types[i] != NULL; i++)
		printf("%-14s %s\n", step_types[i]->name, step_types[i]->summary);
}

static void print_errors(void)
{
	for (int i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
		const struct error_info *info = error_info((enum error_type)i);

		printf("%-24s %-8s %s\n", info->name, blame_name(info->blame), info->help);
	}
}

/* --- for programs ---------------------------------------------------------------------- */

static json_t *words_json(const char *const words[])
{
	json_t *array = json_array();

	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		json_array_append_new(array, json_string(words[i]));
	return array;
}

static json_t *facts_json(const struct field *facts)
{
	json_t *array = json_array();

	for (const struct field *f = facts; f != NULL && f->name != NULL; f++)
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:b}", "name", f->name, "help", f->help, "metric",
				(f->flags & FIELD_METRIC) != 0));
	return array;
}

static json_t *type_json(const struct step_type *type)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "name", type->name, "summary",
		type->summary, "settings", step_schema(type), "phases",
		words_json(type->phases), "facts", facts_json(type->facts), "account_needs",
		words_json(type->account_needs), "sends_mail", type->sends_mail);
}

static json_t *errors_json(void)
{
	json_t *array = json_array();

	for (int i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
		const struct error_info *info = error_info((enum error_type)i);

		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:s}", "name", info->name, "blame",
				blame_name(info->blame), "outcome",
				outcome_names[outcome_of_blame(info->blame)], "help",
				info->help));
	}
	return array;
}

static json_t *types_json(const struct step_type *only)
{
	json_t *array = json_array();

	for (size_t i = 0; step_types[i] != NULL; i++)
		if (only == NULL || step_types[i] == only)
			json_array_append_new(array, type_json(step_types[i]));
	return array;
}

static void print_json(json_t *array)
{
	json_dumpf(array, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(array);
}

/* --- the command ----------------------------------------------------------------------- */

static int unknown_type(const char *name)
{
	const char *names[65];
	size_t count = 0;

	for (; count < 64 && step_types[count] != NULL; count++)
		names[count] = step_types[count]->name;
	names[count] = NULL;
	return options_unknown("step type", name, names);
}

static int print_steps(const char *name, bool as_json)
{
	const struct step_type *only = name != NULL ? step_type_find(name) : NULL;

	if (name != NULL && only == NULL)
		return unknown_type(name);
	if (as_json)
		print_json(types_json(only));
	else if (only != NULL)
		print_type(only);
	else
		print_types();
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0)
		given[option] = true;
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count > (given[OPTION_ERRORS] ? 0U : 1U)) {
		fprintf(stderr, "mailprobe steps: one word too many: %s\n",
			parsed.rest[parsed.rest_count - 1]);
		return EXIT_USAGE;
	}
	if (!given[OPTION_ERRORS])
		return print_steps(
			parsed.rest_count == 1 ? parsed.rest[0] : NULL, given[OPTION_JSON]);
	if (given[OPTION_JSON])
		print_json(errors_json());
	else
		print_errors();
	return 0;
}

const struct command steps_command = {
	.name = "steps",
	.arguments = "[TYPE]",
	.summary = "list the step types, or the settings, phases and facts of one",
	.options = options,
	.examples = examples,
	.run = run,
};
