#include "error_type.h"

#include <stddef.h>
#include <string.h>

#include "ban.h"

static const struct error_info errors[] = {
	[ERROR_NONE] = {.name = "", .blame = BLAME_NONE, .help = ""},
#define X(id, text, who, why) [ERROR_##id] = {.name = text, .blame = BLAME_##who, .help = why},
	ERROR_TYPES(X)
#undef X
};

const char *const error_names[] = {
#define X(id, text, who, why) text,
	ERROR_TYPES(X)
#undef X
	NULL};

const char *const blame_names[] = {"target", "network", "vantage", "config", "prober", NULL};
const char *const outcome_names[] = {"pass", "warn", "fail", "error", "skipped", NULL};

const struct error_info *error_info(enum error_type type)
{
	return &errors[type];
}

const char *blame_name(enum blame blame)
{
	return blame == BLAME_NONE ? "" : blame_names[blame - 1];
}

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

enum outcome outcome_of_blame(enum blame blame)
{
	return blame == BLAME_TARGET || blame == BLAME_NETWORK ? OUTCOME_FAIL : OUTCOME_ERROR;
}

int name_index(const char *const names[], const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}
